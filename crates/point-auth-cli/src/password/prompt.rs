//! A prompt without echo, on a terminal.

use std::io::{self, IsTerminal};

use point_auth::Credentials;
use point_auth::secrecy::SecretString;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure, Result};

/// Whether there is a person to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a password.
pub(super) fn ask(prompt: &str) -> Result<SecretString> {
    let refused = |why: &str| Failure::new(Exit::Other, "credentials", why);
    let read = rpassword::prompt_password(prompt);
    let read = Zeroizing::new(read.map_err(|error| Failure::io("the prompt", &error))?);
    match read.len() {
        0 => Err(refused("no password was entered")),
        length if length > Credentials::MAX_PART_BYTES => {
            Err(refused("the password is longer than 4,096 bytes"))
        }
        _ => Ok(SecretString::from(read.as_str())),
    }
}
