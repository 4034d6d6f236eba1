//! [`Denial`]: a request that the server denied, with its reason.

use std::fmt;

use http::StatusCode;

use crate::server_text::withhold;

/// A denial by the server, with its code and description.
///
/// Both texts come from the server. They are capped, and their control characters are escaped. A
/// text is withheld if it repeats a secret of the request, or a token in the same response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    status: StatusCode,
    code: String,
    description: Option<String>,
}

impl Denial {
    pub(crate) fn new(status: StatusCode, code: String, description: Option<String>) -> Self {
        Self { status, code, description }
    }

    /// Creates a denial from the parts that a store kept.
    pub const fn from_kept(status: StatusCode, code: String, description: Option<String>) -> Self {
        Self { status, code, description }
    }

    pub(crate) fn withhold(&mut self, secret: &str) {
        withhold(&mut self.code, secret);
        if let Some(description) = &mut self.description {
            withhold(description, secret);
        }
    }

    /// Returns the status: 400, 401 or 403, or a 2xx from a server that sends its errors with it.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the `error` field: a code such as `access_denied`. RFC 6749 §5.2 lists the usual
    /// ones.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the `error_description` field: a sentence for people.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied by the server (status {}): {}", self.status.as_u16(), self.code)?;
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}
