//! Where the password comes from. A source runs only when a sign-in needs it.

mod command;
mod prompt;

use std::io;
use std::path::PathBuf;
use std::str;
use std::sync::{Mutex, PoisonError};

pub(crate) use self::prompt::is_possible as is_prompt_possible;

use point_auth::blocking::{BoxError, CredentialSource};
use point_auth::secrecy::SecretString;
use point_auth::{Credentials, PasswordFile};
use zeroize::Zeroize;

use crate::config::Found;
use crate::failure::{Exit, Failure, Result, chain};
use crate::secret_file::{self, Others};

/// The variable with the password.
pub(crate) const VARIABLE: &str = "POINT_AUTH_PASSWORD";

/// The place of a password.
#[derive(Clone, Debug)]
pub(crate) enum PasswordFrom {
    /// Standard input, as a whole.
    Stdin,
    /// A file descriptor that the caller has opened.
    Descriptor(u32),
    File(Found<PathBuf>),
    /// A program that prints it. No shell runs it.
    Command(Found<Vec<String>>),
    /// The variable `POINT_AUTH_PASSWORD`.
    Environment,
    /// A person at the terminal.
    Prompt,
    /// There is no place, and no person to ask.
    Nowhere,
}

impl PasswordFrom {
    /// What `status` calls it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::Descriptor(number) => format!("file descriptor {number}"),
            Self::File(file) => format!("file {}", file.value.display()),
            Self::Command(command) => {
                let program = command.value.first().map_or("", String::as_str);
                format!("program {program}")
            }
            Self::Environment => format!("variable {VARIABLE}"),
            Self::Prompt => "a prompt".to_owned(),
            Self::Nowhere => "none".to_owned(),
        }
    }

    /// Whether the next sign-in needs a person, or the caller's password.
    pub(crate) const fn needs_person(&self) -> bool {
        self.is_read_once() || matches!(self, Self::Nowhere)
    }

    /// Whether it can be read without a program, a person or a pipe.
    pub(crate) const fn is_at_hand(&self) -> bool {
        matches!(self, Self::File(_) | Self::Environment)
    }

    /// Whether a second look cannot find another password.
    const fn is_read_once(&self) -> bool {
        matches!(self, Self::Stdin | Self::Descriptor(_) | Self::Prompt)
    }

    fn read(&self, username: &str) -> Result<SecretString> {
        match self {
            Self::Stdin => {
                let stdin = io::stdin().lock();
                password_of("--password-stdin", stdin)
            }
            Self::Descriptor(number) => descriptor(*number),
            Self::File(file) => of_file(file, username),
            Self::Command(command) => command::run(command),
            Self::Environment => environment(),
            Self::Prompt => prompt::ask(&format!("Password of {username}: ")),
            Self::Nowhere => Err(Failure::new(
                Exit::Denied,
                "sign_in_needed",
                "a sign-in is needed, and there is no password",
            )
            .with_hint("run `point-auth login`, or set password.command or password.file")),
        }
    }
}

/// The credentials of a profile, for the library.
pub(crate) struct Source {
    username: String,
    user_alias: Option<String>,
    from: PasswordFrom,
    /// What was read where nothing can be read twice. In a program that ends soon, also a failure,
    /// so that a session which tries again does not run it again.
    first: Mutex<Option<Result<Credentials>>>,
    keeps_failures: bool,
}

impl Source {
    /// Creates a source that is asked at most once, for a program that ends soon.
    pub(crate) fn once(username: String, user_alias: Option<String>, from: PasswordFrom) -> Self {
        Self { username, user_alias, from, first: Mutex::default(), keeps_failures: true }
    }

    /// Creates a source that looks anew at each sign-in, where that is possible.
    pub(crate) fn lasting(self) -> Self {
        Self { keeps_failures: false, ..self }
    }

    /// Reads the credentials now.
    pub(crate) fn read(&self) -> Result<Credentials> {
        // Held while it is read, so that a person is asked once.
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = &*first {
            return read.clone();
        }
        let read = self.read_anew();
        if self.keeps_failures || self.from.is_read_once() {
            *first = Some(read.clone());
        }
        read
    }

    fn read_anew(&self) -> Result<Credentials> {
        let refused = |error| Failure::other("credentials", &error);
        let password = self.from.read(&self.username)?;
        let credentials = Credentials::new(&self.username, password).map_err(refused)?;
        match &self.user_alias {
            Some(alias) => credentials.with_user_alias(alias).map_err(refused),
            None => Ok(credentials),
        }
    }
}

impl CredentialSource for Source {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        Ok(self.read()?)
    }

    fn owner(&self) -> Option<(String, Option<String>)> {
        Some((self.username.clone(), self.user_alias.clone()))
    }
}

fn of_file(file: &Found<PathBuf>, username: &str) -> Result<SecretString> {
    let path = &file.value;
    // The library reads it; who else may is for a program to check.
    let checked = std::fs::metadata(path)
        .map_err(|error| Failure::io(format!("{}: {}", file.origin, path.display()), &error))?;
    secret_file::check(path, &checked, &file.origin, Others::MayNothing)?;
    let source =
        PasswordFile::new(username, path).map_err(|error| Failure::other("credentials", &error))?;
    let read = source.read().map_err(|error| {
        Failure::new(Exit::Other, "credentials", format!("{}: {}", file.origin, chain(&error)))
    })?;
    Ok(read.password().clone())
}

#[cfg(unix)]
fn descriptor(number: u32) -> Result<SecretString> {
    let path = format!("/dev/fd/{number}");
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::io(format!("--password-fd {number}"), &error))?;
    password_of("--password-fd", file)
}

#[cfg(not(unix))]
fn descriptor(_: u32) -> Result<SecretString> {
    Err(Failure::usage("--password-fd needs Unix"))
}

/// Reads what is left in a descriptor, so that a program which inherits it finds no password.
pub(crate) fn drain_descriptor(number: u32) {
    // An error means that there is nothing to read.
    let _password = descriptor(number);
}

fn environment() -> Result<SecretString> {
    let Some(value) = std::env::var_os(VARIABLE) else {
        return Err(Failure::usage(format!("{VARIABLE} is not set")));
    };
    let text = value.into_string().map_err(|value| {
        value.into_encoded_bytes().zeroize();
        Failure::usage(format!("{VARIABLE} is not Unicode"))
    })?;
    match text.is_empty() {
        true => Err(Failure::usage(format!("{VARIABLE} is empty"))),
        false => Ok(SecretString::from(text)),
    }
}

/// Reads a password to the end of `from`, without one line end at its end.
fn password_of(what: &str, from: impl io::Read) -> Result<SecretString> {
    let most = Credentials::MAX_PART_BYTES + 2;
    let bytes = secret_file::read_bounded(from, most).map_err(|error| Failure::io(what, &error))?;
    let refused = |why| Failure::new(Exit::Other, "credentials", format!("{what}: {why}"));
    let bytes = bytes.ok_or_else(|| refused("the password is longer than 4,096 bytes"))?;
    let text = str::from_utf8(&bytes).map_err(|_| refused("the password is not Unicode"))?;
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    match line.unwrap_or(text) {
        "" => Err(refused("the password is empty")),
        password => Ok(SecretString::from(password)),
    }
}
