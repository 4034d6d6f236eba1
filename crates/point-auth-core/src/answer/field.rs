//! [`Field`]: the known fields of a response.

use std::fmt;

/// A known field of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
    /// `scope`
    Scope,
    /// `token_type`
    TokenType,
    /// `expires_in`
    ExpiresIn,
    /// `error`
    Error,
    /// `error_description`
    ErrorDescription,
}

impl Field {
    /// All fields, in the order of their discriminants.
    pub(crate) const ALL: [Self; 7] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::Scope,
        Self::TokenType,
        Self::ExpiresIn,
        Self::Error,
        Self::ErrorDescription,
    ];

    /// Returns the name of the field in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::Scope => "scope",
            Self::TokenType => "token_type",
            Self::ExpiresIn => "expires_in",
            Self::Error => "error",
            Self::ErrorDescription => "error_description",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
