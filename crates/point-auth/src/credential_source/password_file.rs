//! [`PasswordFile`]: a password from a file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::str;

use point_auth_core::secrecy::SecretString;
use point_auth_core::{Credentials, CredentialsError};
use zeroize::Zeroizing;

use super::{BoxError, CredentialReadError, ValueProblem};

/// The longest password with its line end.
const MAX_BYTES: usize = Credentials::MAX_PART_BYTES + 2;

/// Reads the password of a given username from a file at each sign-in.
///
/// Docker, Kubernetes and systemd provide secrets in this way. A replaced file takes effect at the
/// next sign-in, so a password can be rotated without a restart.
///
/// The password is the content of the file in UTF-8, without one line end (`\n` or `\r\n`) at its
/// end. All other white space is part of the password. The file is read into memory that is wiped.
///
/// As an async source it also reads on the polling thread: at most 4 KiB, once for each sign-in. If
/// the file is on a network file system that may hang, read it elsewhere.
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
    /// The username and the alias, with a password that is never sent.
    login: Credentials,
    path: PathBuf,
}

impl PasswordFile {
    /// Creates a source for the password of `username`, from a file that need not exist yet.
    ///
    /// # Errors
    /// [`CredentialsError`] when the username is empty or too long.
    pub fn new(
        username: impl AsRef<str>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self { login: Credentials::new(username, "unread")?, path: path.into() })
    }

    /// Sets the alias of the acting person, where a company shares one username and password.
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
    /// Unicode or is too long. [`CredentialReadError::Unreadable`] when it cannot be read, for
    /// example a file without permission, a directory or a pipe.
    pub fn read(&self) -> Result<Credentials, CredentialReadError> {
        let failed = |problem| CredentialReadError::File { path: self.path.clone(), problem };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => failed(ValueProblem::Missing),
            _ => CredentialReadError::Unreadable { path: self.path.clone(), error },
        };
        // One byte more than allowed, to detect a file that is too long.
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
        // All other faults were found above, or in the constructor.
        let too_long = |_| failed(ValueProblem::TooLong);
        let credentials = Credentials::new(self.login.username(), SecretString::from(password))
            .map_err(too_long)?;
        match self.login.user_alias() {
            None => Ok(credentials),
            Some(user_alias) => credentials.with_user_alias(user_alias).map_err(too_long),
        }
    }

    /// Returns the content of the file, or as much of it as fits.
    ///
    /// It reads directly into `buffer`, because a growing or additional buffer leaves copies.
    fn content<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        // Opening a pipe would wait for a writer.
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
