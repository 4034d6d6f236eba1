//! A program that prints the password: no shell, its standard error shown, its output never.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use point_auth::secrecy::SecretString;

use super::password_of;
use crate::config::Found;
use crate::failure::{Exit, Failure, Result};
use crate::profile::SECRET_VARIABLES;

/// Runs the program and reads the password that it prints.
pub(super) fn run(command: &Found<Vec<String>>) -> Result<SecretString> {
    let Some((program, arguments)) = command.value.split_first() else {
        return Err(command.refused("it names no program"));
    };
    let failed = |why: String| {
        let message = format!("{}: {program}: {why}", command.origin);
        Failure::new(Exit::Other, "credentials", message)
    };
    let mut asking = Command::new(program);
    for secret in SECRET_VARIABLES {
        asking.env_remove(secret);
    }
    let mut child = asking
        .args(arguments)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed("there is no such program".to_owned()),
            _ => failed(error.to_string()),
        })?;
    let read = match child.stdout.take() {
        Some(stdout) => password_of(&command.origin, stdout),
        None => Err(failed("its output cannot be read".to_owned())),
    };
    if read.is_err() {
        // It may go on printing, and wait for a reader.
        let _has_ended = child.kill();
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    // Why a program failed is more to the point than what it did not print.
    match (status.success(), read) {
        (true, read) => read,
        (false, Err(error)) if status.code().is_none() => Err(error),
        (false, _) => Err(failed(format!("it failed, with {status}"))),
    }
}
