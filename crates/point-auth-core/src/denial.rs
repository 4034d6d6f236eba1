//! [`Denial`]: the server's no.

use std::fmt;

use http::StatusCode;

use crate::server_text::withhold;

/// The server said no, and what it said.
///
/// Both texts come from the server. They are capped, their control characters are escaped, and a
/// text that repeats a secret of the request, or a token beside it in the answer, is withheld.
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

    /// Recreates a denial from what a store kept of it.
    pub const fn from_kept(status: StatusCode, code: String, description: Option<String>) -> Self {
        Self { status, code, description }
    }

    pub(crate) fn withhold(&mut self, secret: &str) {
        withhold(&mut self.code, secret);
        if let Some(description) = &mut self.description {
            withhold(description, secret);
        }
    }

    /// The status: 400, 401, 403 or, from a server that puts its errors there, a 2xx.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The `error` field: a code such as `access_denied`. RFC 6749 §5.2 names the usual ones.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The `error_description` field: a sentence for people.
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
