//! [`PasswordFile`]: a password from a file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::str;

use point_auth_core::secrecy::SecretString;
use point_auth_core::{Credentials, CredentialsError};
use zeroize::Zeroizing;

use super::{BoxError, CredentialReadError, ValueProblem};

/// The longest password and its line end.
const MAX_BYTES: usize = Credentials::MAX_PART_BYTES + 2;

/// Reads the password from a file, anew at each sign-in, for a username that is given.
///
/// This is how Docker, Kubernetes and systemd hand a secret to a program. A file that is replaced
/// is found at the next sign-in, so a password can be rotated without a restart.
///
/// The password is the content of the file in UTF-8, without one line end (`\n` or `\r\n`) if there
/// is one behind it. All other white space is part of the password. The memory that the file is
/// read into is wiped.
///
/// As an async source, too, it reads on the thread that polls: at most 4 KiB, once for each
/// sign-in. On a network file system that may hang, read the file elsewhere.
///
/// ```
/// use point_auth::PasswordFile;
///
/// let source = PasswordFile::new("user@example.com", "/run/secrets/point-auth-password")?;
/// # #[cfg(feature = "reqwest")]
/// # let _ = |client: point_auth::Client<point_auth::ReqwestTransport>| {
/// let session = point_auth::Session::builder(client).with_credential_source(source).build();
/// # };
/// # Ok::<(), point_auth::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PasswordFile {
    /// Whose password it is, with a password that is never sent.
    login: Credentials,
    path: PathBuf,
}

impl PasswordFile {
    /// Reads the password of `username` from the file at `path`, which does not have to exist yet.
    ///
    /// # Errors
    /// [`CredentialsError`] when the username is empty or too long.
    pub fn new(
        username: impl AsRef<str>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self { login: Credentials::new(username, "unread")?, path: path.into() })
    }

    /// Names the person who acts, where one username and password are shared by a company.
    ///
    /// # Errors
    /// [`CredentialsError`] when the alias is empty or too long.
    pub fn with_user_alias(
        mut self,
        user_alias: impl AsRef<str>,
    ) -> Result<Self, CredentialsError> {
        self.login = self.login.with_user_alias(user_alias)?;
        Ok(self)
    }

    /// Reads the file now.
    ///
    /// # Errors
    /// [`CredentialReadError::File`] when the file does not exist, holds no password, is not
    /// Unicode or is too long. [`CredentialReadError::Unreadable`] when it cannot be read, such as
    /// without the permission or when it is a directory or a pipe.
    pub fn read(&self) -> Result<Credentials, CredentialReadError> {
        let failed = |problem| CredentialReadError::File { path: self.path.clone(), problem };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => failed(ValueProblem::Missing),
            _ => CredentialReadError::Unreadable { path: self.path.clone(), error },
        };
        // One byte more than there may be, so that it shows when there is.
        let mut buffer = Zeroizing::new(vec![0; MAX_BYTES + 1]);
        let content = self.content(&mut buffer).map_err(unreadable)?;
        if content.len() > MAX_BYTES {
            return Err(failed(ValueProblem::TooLong));
        }
        let text = str::from_utf8(content).map_err(|_| failed(ValueProblem::NotUnicode))?;
        let password = without_line_end(text);
        if let Some(problem) = ValueProblem::of(password) {
            return Err(failed(problem));
        }
        // What remains to be refused was refused above, or when this was made.
        let too_long = |_| failed(ValueProblem::TooLong);
        let credentials = Credentials::new(self.login.username(), SecretString::from(password))
            .map_err(too_long)?;
        match self.login.user_alias() {
            None => Ok(credentials),
            Some(user_alias) => credentials.with_user_alias(user_alias).map_err(too_long),
        }
    }

    /// The content of the file, or as much of it as there is room for.
    ///
    /// Straight into `buffer`: what grows, or is read through a buffer of its own, leaves copies.
    fn content<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        // To open a pipe would wait for a writer.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let mut file = File::open(&self.path)?;
        let mut length = 0;
        while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
            match file.read(room) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(buffer.get(..length).unwrap_or_default())
    }
}

fn without_line_end(text: &str) -> &str {
    let Some(line) = text.strip_suffix('\n') else { return text };
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(feature = "async")]
#[point_auth_transport::async_trait]
impl super::CredentialSource for PasswordFile {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        Ok(self.read()?)
    }
}

#[cfg(feature = "blocking")]
impl crate::blocking::CredentialSource for PasswordFile {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        Ok(self.read()?)
    }
}
