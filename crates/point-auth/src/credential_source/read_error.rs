//! [`CredentialReadError`]: why a variable or a file gave no credentials.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use point_auth_core::Credentials;

/// [`EnvironmentCredentials`](crate::EnvironmentCredentials) or
/// [`PasswordFile`](crate::PasswordFile) could not use a value.
///
/// It names the variable or the file, and shows nothing of the value.
#[derive(Debug)]
#[non_exhaustive]
pub enum CredentialReadError {
    /// An environment variable has no value of use.
    #[non_exhaustive]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// The password file has no content of use.
    #[non_exhaustive]
    File {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// The password file is there and cannot be read.
    #[non_exhaustive]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What is wrong with a value that was to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueProblem {
    /// The variable is not set, or the file does not exist.
    Missing,
    /// It is empty, or the file holds nothing but a line end.
    Empty,
    /// It is not Unicode.
    NotUnicode,
    /// It has more than [`Credentials::MAX_PART_BYTES`].
    TooLong,
}

impl ValueProblem {
    /// What [`Credentials`] would refuse.
    pub(super) const fn of(text: &str) -> Option<Self> {
        match text.len() {
            0 => Some(Self::Empty),
            length if length > Credentials::MAX_PART_BYTES => Some(Self::TooLong),
            _ => None,
        }
    }
}

impl fmt::Display for CredentialReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self {
            Self::Variable { name, problem } => {
                write!(f, "the environment variable {name} ")?;
                problem
            }
            // Quoted, since a path may hold anything.
            Self::File { path, problem } => {
                write!(f, "the password file {path:?} ")?;
                problem
            }
            Self::Unreadable { path, .. } => {
                return write!(f, "the password file {path:?} cannot be read");
            }
        };
        f.write_str(match problem {
            ValueProblem::Missing => "is missing",
            ValueProblem::Empty => "is empty",
            ValueProblem::NotUnicode => "is not Unicode",
            ValueProblem::TooLong => "is longer than 4,096 bytes",
        })
    }
}

impl Error for CredentialReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Variable { .. } | Self::File { .. } => None,
        }
    }
}
