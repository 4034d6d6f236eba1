//! HTTP/1.1 over any `Read + Write`: over a plain socket and over rustls, with the memory that it
//! takes.
//!
//! The transport is `src/device.rs`. Its buffer has a fixed size; the rest of the memory is the
//! response itself, and TLS.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use point_auth::blocking::Client;
use point_auth::transport::BlockingTransport;
use point_auth::{BaseUrl, Credentials};
use point_auth_examples::Place;
use point_auth_examples::connections::{PlainSockets, RustlsSockets};
use point_auth_examples::device::Device;
use point_auth_testkit::Emulator;

fn main() -> Result<(), Box<dyn Error>> {
    // Plain HTTP is for this machine only.
    let plain = Emulator::builder().user("user@example.com", "correct horse").start()?;
    let credentials = Credentials::new("user@example.com", "correct horse")?;
    sign_in(
        "a plain socket",
        Device::new(PlainSockets),
        BaseUrl::parse(&plain.base_url())?,
        &credentials,
    )?;

    let place = Place::emulator()?;
    let sockets = RustlsSockets::new(place.settings.tls())?;
    sign_in("rustls", Device::new(sockets), place.base_url.clone(), &place.credentials)?;
    Ok(())
}

fn sign_in(
    over: &str,
    transport: impl BlockingTransport,
    base_url: BaseUrl,
    credentials: &Credentials,
) -> Result<(), Box<dyn Error>> {
    let client = Client::new(transport).with_base_url(base_url);
    let mut outcome = None;
    // Of this thread alone, so that the emulator's memory does not count.
    let memory = allocation_counter::measure(|| outcome = Some(client.sign_in(credentials)));
    let tokens = outcome.ok_or("the sign-in did not run")??;
    let life = tokens.expires_in().as_secs();
    println!(
        "over {over}: signed in for {life} s, with {} bytes of memory at most",
        memory.bytes_max
    );
    Ok(())
}
