//! [`Failure`]: why a command failed, for a person, for a script and as an exit code.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use point_auth::ErrorKind;
use point_auth::session::SessionError;
use serde_json::json;

/// The exit codes. A script decides by them whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing that the other codes say.
    Other = 1,
    /// The command line, an environment variable or the configuration file is wrong.
    Usage = 2,
    /// The sign-in was denied, or needs a person. Trying again does not help, and may lock the
    /// account.
    Denied = 4,
    /// It may succeed later without a change on this side.
    Temporary = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed. It holds no secret.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// A stable word for scripts, in snake case.
    kind: Cow<'static, str>,
    message: String,
    retry_after: Option<Duration>,
    /// What a person may do about it.
    hint: Option<Cow<'static, str>>,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(exit: Exit, kind: &'static str, message: impl Into<String>) -> Self {
        let (kind, message) = (Cow::Borrowed(kind), one_line(&message.into()));
        Self { exit, kind, message, retry_after: None, hint: None }
    }

    /// A wrong command line, variable or configuration file.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// A file, a program or the terminal that cannot be used.
    pub(crate) fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Exit::Other, "io", format!("{what}: {error}"))
    }

    /// Any other error, with all its causes in one line.
    pub(crate) fn other(kind: &'static str, error: &(dyn StdError + 'static)) -> Self {
        Self::new(Exit::Other, kind, chain(error))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The error as an object for scripts.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut error = json!({
            "kind": self.kind,
            "message": self.message,
            "exit_code": self.exit as u8,
        });
        if let Some(fields) = error.as_object_mut() {
            if let Some(after) = self.retry_after {
                fields.insert("retry_after".to_owned(), json!(whole_seconds(after)));
            }
            if let Some(hint) = &self.hint {
                fields.insert("hint".to_owned(), json!(hint));
            }
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl StdError for Failure {}

impl From<point_auth::Error> for Failure {
    fn from(error: point_auth::Error) -> Self {
        if let Some(failure) = own_cause(&error) {
            return failure;
        }
        let kind = error.kind();
        let retry_after = error.retry_after();
        let exit = match kind {
            ErrorKind::Denied | ErrorKind::SignInNeeded => Exit::Denied,
            // Until the credentials change, or a reset.
            ErrorKind::Held if !error.is_retryable() => Exit::Denied,
            _ if error.is_retryable() => Exit::Temporary,
            _ => Exit::Other,
        };
        let failure = Self {
            exit,
            kind: Cow::Owned(snake_case(&format!("{kind:?}"))),
            message: one_line(&chain(&error)),
            retry_after,
            hint: None,
        };
        match kind {
            ErrorKind::Denied => failure.with_hint(
                "correct the password, or run `point-auth reset` if it was correct all along",
            ),
            ErrorKind::SignInNeeded => failure.with_hint("run `point-auth login`"),
            _ => failure,
        }
    }
}

/// A failure of this program that the library passes on, such as that of a password's source.
fn own_cause(error: &point_auth::Error) -> Option<Failure> {
    let mut starts: Vec<&(dyn StdError + 'static)> = vec![error];
    starts.extend(error.as_transport().map(|error| error as &(dyn StdError + 'static)));
    if let Some(SessionError::Failed { error, .. }) = error.as_session() {
        starts.push(error);
    }
    starts.into_iter().find_map(|start| {
        let mut cause = Some(start);
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref::<Failure>() {
                return Some(failure.clone());
            }
            cause = error.source();
        }
        None
    })
}

/// The error and its causes, as one text.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The text without line ends and other control characters, which could forge a line of a log.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

/// Whole seconds, rounded up, so that a script which waits for them is not too early.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
