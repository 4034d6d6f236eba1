//! [`Credentials`]: username, password and user alias.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// A username, its password and an optional alias of the acting person.
///
/// Each part is non-empty and has at most 4,096 bytes of any Unicode. The password is wiped when
/// the last clone drops. Cloning is cheap. `Debug` shows none of the parts.
#[derive(Clone)]
pub struct Credentials {
    username: Arc<str>,
    password: Arc<SecretString>,
    user_alias: Option<Arc<str>>,
}

/// A part of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialPart {
    /// The username.
    Username,
    /// The password.
    Password,
    /// The user alias.
    UserAlias,
}

impl fmt::Display for CredentialPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Username => "username",
            Self::Password => "password",
            Self::UserAlias => "user alias",
        })
    }
}

/// The error of credentials that no server can accept, found before they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A part is empty.
    #[error("the {0} is empty")]
    Empty(CredentialPart),
    /// A part has more than [`Credentials::MAX_PART_BYTES`].
    #[error("the {0} is longer than 4,096 bytes")]
    TooLong(CredentialPart),
}

impl Credentials {
    /// The maximum length of a username, a password or an alias in bytes.
    pub const MAX_PART_BYTES: usize = 4096;

    /// Creates credentials without an alias.
    ///
    /// A `String` given as the password is taken over and wiped on drop. Copies that it left behind
    /// when it grew are not wiped, so read passwords into a [`SecretString`].
    ///
    /// # Errors
    /// [`CredentialsError`] when a part is empty or too long.
    pub fn new(
        username: impl AsRef<str>,
        password: impl Into<SecretString>,
    ) -> Result<Self, CredentialsError> {
        use secrecy::ExposeSecret;
        let username = checked(CredentialPart::Username, username.as_ref())?;
        let password = password.into();
        checked_length(CredentialPart::Password, password.expose_secret())?;
        Ok(Self { username, password: Arc::new(password), user_alias: None })
    }

    /// Sets the alias of the acting person, where a company shares one username and password.
    ///
    /// # Errors
    /// [`CredentialsError`] when the alias is empty or too long. Omit the call to have no alias.
    pub fn with_user_alias(
        mut self,
        user_alias: impl AsRef<str>,
    ) -> Result<Self, CredentialsError> {
        self.user_alias = Some(checked(CredentialPart::UserAlias, user_alias.as_ref())?);
        Ok(self)
    }

    /// Returns the username.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the password, which `secrecy`'s `ExposeSecret` reads.
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    /// Returns the alias of the acting person, if one is set.
    pub fn user_alias(&self) -> Option<&str> {
        self.user_alias.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

fn checked(part: CredentialPart, text: &str) -> Result<Arc<str>, CredentialsError> {
    checked_length(part, text)?;
    Ok(text.into())
}

fn checked_length(part: CredentialPart, text: &str) -> Result<(), CredentialsError> {
    match text.len() {
        0 => Err(CredentialsError::Empty(part)),
        length if length > Credentials::MAX_PART_BYTES => Err(CredentialsError::TooLong(part)),
        _ => Ok(()),
    }
}
