//! A transport of your own: `fifteen_lines` over `my_stack`, both in `examples/src`.
//!
//! The stack speaks plain `http`, which is for this machine only, so it signs in to an emulator
//! without TLS.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::blocking::Client;
use point_auth::{BaseUrl, Credentials};
use point_auth_examples::fifteen_lines::Mine;
use point_auth_testkit::Emulator;

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;

    let client = Client::new(Mine).with_base_url(BaseUrl::parse(&emulator.base_url())?);
    let tokens = client.sign_in(&Credentials::new("user@example.com", "correct horse")?)?;
    println!("signed in for {} s over a socket of our own", tokens.expires_in().as_secs());

    match client.sign_in(&Credentials::new("user@example.com", "incorrect horse")?) {
        Ok(_) => println!("signed in with a wrong password?"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
