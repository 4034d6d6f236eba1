//! What an [`Error`] says: its line of text, and the causes that the line leaves out.

use std::error::Error as StdError;
use std::fmt::{self, Display};

use point_auth_core::session::{AttemptError, Now, SessionError};
use point_auth_transport::TransportError;

use super::{Cause, Error, transport_of};

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Request(error) => error.fmt(f),
            Cause::Credentials(error) => error.fmt(f),
            Cause::Alias(text) => f.write_str(text),
            Cause::Transport(error) => fmt_transport(error, f),
            Cause::Response { error, .. } => error.fmt(f),
            Cause::Session { error, asked_at } => fmt_session(error, *asked_at, f),
        }
    }
}

impl StdError for Error {
    /// Returns the first cause that is not in `Display`.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Request(error) => error.source(),
            Cause::Credentials(error) => error.source(),
            Cause::Alias(_) => None,
            Cause::Transport(error) => source_of_transport(error),
            Cause::Response { error, .. } => error.source(),
            Cause::Session { error, .. } => source_of_session(error),
        }
    }
}

/// Writes a session's error in one line.
fn fmt_session(error: &SessionError, asked_at: Now, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        SessionError::Failed { error, until, .. } => {
            f.write_str("no access token: ")?;
            fmt_attempt(error, f)?;
            if until.is_never() {
                return f.write_str("; no attempt before the credentials change or a reset");
            }
            let left = until.time_left(asked_at);
            // Whole seconds, rounded up.
            match left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)) {
                0 => Ok(()),
                seconds => write!(f, "; next attempt in {seconds} s"),
            }
        }
        SessionError::TimedOut { last: Some(error), .. } => {
            f.write_str("no access token in time: ")?;
            fmt_attempt(error, f)
        }
        SessionError::TimedOut { last: None, .. } => f.write_str("no access token in time"),
        SessionError::SignInNeeded => {
            f.write_str("no access token: there are no credentials and no good refresh token")
        }
        _ => error.fmt(f),
    }
}

/// Returns the first cause that is not in the text of [`fmt_session`].
fn source_of_session(error: &SessionError) -> Option<&(dyn StdError + 'static)> {
    match error {
        SessionError::Failed { error, .. } | SessionError::TimedOut { last: Some(error), .. } => {
            match transport_of(error) {
                Some(error) => source_of_transport(error),
                None => error.source(),
            }
        }
        _ => error.source(),
    }
}

fn fmt_attempt(error: &AttemptError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match transport_of(error) {
        Some(error) => fmt_transport(error, f),
        None => error.fmt(f),
    }
}

fn fmt_transport(error: &TransportError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    error.fmt(f)?;
    match explanation(error) {
        Some(explanation) => write!(f, ": {explanation}"),
        None => Ok(()),
    }
}

/// Returns the first cause that is not in the text of [`fmt_transport`].
fn source_of_transport(error: &TransportError) -> Option<&(dyn StdError + 'static)> {
    match explanation(error) {
        Some(explanation) => explanation.source(),
        None => error.source(),
    }
}

/// Returns the first cause, if the text of the error names none.
fn explanation(error: &TransportError) -> Option<&(dyn StdError + 'static)> {
    error.source().filter(|_| error.reason().is_none())
}
