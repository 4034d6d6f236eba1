//! [`CredentialReadError`]: why a variable or a file gave no credentials.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use point_auth_core::Credentials;

/// The error of [`EnvironmentCredentials`](crate::EnvironmentCredentials) or
/// [`PasswordFile`](crate::PasswordFile) with an unusable value.
///
/// It names the variable or the file, and shows no part of the value.
#[derive(Debug)]
#[non_exhaustive]
pub enum CredentialReadError {
    /// An environment variable has no usable value.
    #[non_exhaustive]
    Variable {
        /// The name of the variable.
        name: String,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// The password file has no usable content.
    #[non_exhaustive]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// The password file exists but cannot be read.
    #[non_exhaustive]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
}

/// The fault of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueProblem {
    /// The variable is not set, or the file does not exist.
    Missing,
    /// The value is empty, or the file holds only a line end.
    Empty,
    /// The value is not Unicode.
    NotUnicode,
    /// The value has more than [`Credentials::MAX_PART_BYTES`].
    TooLong,
}

impl ValueProblem {
    /// Returns the fault that [`Credentials`] would find in `text`.
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
            // Quoted, because a path may hold any character.
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
