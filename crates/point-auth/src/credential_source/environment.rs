//! [`EnvironmentCredentials`]: credentials from environment variables.

use std::env;
use std::ffi::OsString;

use point_auth_core::Credentials;
use point_auth_core::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use super::{BoxError, CredentialReadError, ValueProblem};

/// Reads the credentials from environment variables at each sign-in.
///
/// The variables are `POINT_AUTH_USERNAME`, `POINT_AUTH_PASSWORD` and the optional
/// `POINT_AUTH_USERALIAS`, unless other names are set. Values are used unchanged.
///
/// The environment keeps the password for as long as the process lives, and child processes inherit
/// it. A [`PasswordFile`](crate::PasswordFile) avoids both.
///
/// ```
/// use point_auth::EnvironmentCredentials;
///
/// let source = EnvironmentCredentials::new().with_password_variable("LENDER_PASSWORD");
/// # #[cfg(feature = "reqwest")]
/// # let _ = |client: point_auth::Client<point_auth::ReqwestTransport>| {
/// let session = point_auth::Session::builder(client).with_credential_source(source).build();
/// # };
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EnvironmentCredentials {
    username: String,
    password: String,
    user_alias: String,
}

impl EnvironmentCredentials {
    /// Creates a source that reads the variables with the default names.
    pub fn new() -> Self {
        Self {
            username: "POINT_AUTH_USERNAME".to_owned(),
            password: "POINT_AUTH_PASSWORD".to_owned(),
            user_alias: "POINT_AUTH_USERALIAS".to_owned(),
        }
    }

    /// Sets the variable that holds the username (default: `POINT_AUTH_USERNAME`).
    pub fn with_username_variable(mut self, name: impl Into<String>) -> Self {
        self.username = name.into();
        self
    }

    /// Sets the variable that holds the password (default: `POINT_AUTH_PASSWORD`).
    pub fn with_password_variable(mut self, name: impl Into<String>) -> Self {
        self.password = name.into();
        self
    }

    /// Sets the variable of the optional user alias (default: `POINT_AUTH_USERALIAS`).
    pub fn with_user_alias_variable(mut self, name: impl Into<String>) -> Self {
        self.user_alias = name.into();
        self
    }

    /// Reads the credentials now.
    ///
    /// # Errors
    /// [`CredentialReadError::Variable`] when the username or the password is not set, or when a
    /// variable is empty, too long or not Unicode. An empty alias is an error too, because a
    /// sign-in without the alias would be for another person.
    pub fn read(&self) -> Result<Credentials, CredentialReadError> {
        self.read_from(|name| env::var_os(name))
    }

    fn read_from(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Credentials, CredentialReadError> {
        let failed =
            |name: &str, problem| CredentialReadError::Variable { name: name.to_owned(), problem };
        let optional = |name: &str| {
            variable(name).map(text).transpose().map_err(|problem| failed(name, problem))
        };
        let required =
            |name: &str| optional(name)?.ok_or_else(|| failed(name, ValueProblem::Missing));
        let (username, password) = (required(&self.username)?, required(&self.password)?);
        // All other faults were found above.
        let credentials = Credentials::new(username.expose_secret(), password)
            .map_err(|_| failed(&self.password, ValueProblem::TooLong))?;
        match optional(&self.user_alias)? {
            None => Ok(credentials),
            Some(user_alias) => credentials
                .with_user_alias(user_alias.expose_secret())
                .map_err(|_| failed(&self.user_alias, ValueProblem::TooLong)),
        }
    }
}

impl Default for EnvironmentCredentials {
    fn default() -> Self {
        Self::new()
    }
}

/// Converts a value to text. A value that is not text is wiped.
fn text(value: OsString) -> Result<SecretString, ValueProblem> {
    let value = value.into_string().map_err(|value| {
        value.into_encoded_bytes().zeroize();
        ValueProblem::NotUnicode
    })?;
    let value = SecretString::from(value);
    ValueProblem::of(value.expose_secret()).map_or(Ok(value), Err)
}

#[cfg(feature = "async")]
#[point_auth_transport::async_trait]
impl super::CredentialSource for EnvironmentCredentials {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        Ok(self.read()?)
    }
}

#[cfg(feature = "blocking")]
impl crate::blocking::CredentialSource for EnvironmentCredentials {
    fn credentials(&self) -> Result<Credentials, BoxError> {
        Ok(self.read()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: [(&str, &str); 2] =
        [("POINT_AUTH_USERNAME", "user@example.com"), ("POINT_AUTH_PASSWORD", "cAnArY pass\r\n")];

    fn read(variables: &[(&str, OsString)]) -> Result<Credentials, CredentialReadError> {
        EnvironmentCredentials::new().read_from(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
        })
    }

    /// Reads the login with `value` for one variable, or without that variable.
    fn read_with(name: &str, value: Option<OsString>) -> Result<Credentials, CredentialReadError> {
        let mut variables: Vec<(&str, OsString)> = LOGIN
            .into_iter()
            .filter(|(other, _)| *other != name)
            .map(|(name, value)| (name, value.into()))
            .collect();
        variables.extend(value.map(|value| (name, value)));
        read(&variables)
    }

    #[track_caller]
    fn fails(name: &str, value: Option<OsString>, expected: ValueProblem) {
        let error = read_with(name, value).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(name) && !said.contains("cAnArY"), "{said}");
        match error {
            CredentialReadError::Variable { name: named, problem } => {
                assert_eq!((&*named, problem), (name, expected));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_values_are_taken_as_they_stand() {
        let credentials = read_with("POINT_AUTH_USERALIAS", None).unwrap();
        assert_eq!(credentials.username(), "user@example.com");
        assert_eq!(credentials.password().expose_secret(), "cAnArY pass\r\n");
        assert_eq!(credentials.user_alias(), None);
        let credentials = read_with("POINT_AUTH_USERALIAS", Some("jane.doe".into())).unwrap();
        assert_eq!(credentials.user_alias(), Some("jane.doe"));
    }

    #[test]
    fn a_username_and_a_password_must_be_set() {
        for name in ["POINT_AUTH_USERNAME", "POINT_AUTH_PASSWORD"] {
            fails(name, None, ValueProblem::Missing);
        }
    }

    #[test]
    fn a_variable_that_is_empty_or_too_long_is_named() {
        for name in ["POINT_AUTH_USERNAME", "POINT_AUTH_PASSWORD", "POINT_AUTH_USERALIAS"] {
            fails(name, Some(OsString::new()), ValueProblem::Empty);
            assert!(read_with(name, Some("x".repeat(4096).into())).is_ok(), "{name}");
            fails(name, Some(format!("cAnArY{}", "x".repeat(4091)).into()), ValueProblem::TooLong);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_named() {
        use std::os::unix::ffi::OsStringExt;

        for name in ["POINT_AUTH_USERNAME", "POINT_AUTH_PASSWORD", "POINT_AUTH_USERALIAS"] {
            let value = OsString::from_vec(b"cAnArY\xFF".to_vec());
            fails(name, Some(value), ValueProblem::NotUnicode);
        }
    }
}
