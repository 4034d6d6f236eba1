//! [`Attempt`] and [`Failed`]: what came of an exchange, held against what a check expects.

use http::Response;
use point_auth_core::SecretBody;
use point_auth_transport::{TransportError, TransportErrorKind};

use super::canary;
use super::candidate::Answer;
use super::violation::{Rule, Violation};

/// What came of an exchange.
#[derive(Debug)]
pub(super) struct Attempt(pub(super) Answer);

impl Attempt {
    pub(super) fn response(self) -> Result<Response<SecretBody>, Violation> {
        self.0.map_err(|error| {
            Violation::new(format!("instead of a response there is {}", canary::describe(&error)))
        })
    }

    /// The error, of one of these kinds.
    pub(super) fn failed(self, kinds: &[TransportErrorKind]) -> Result<Failed, Violation> {
        match self.0 {
            Ok(response) => {
                let (status, bytes) = (response.status(), response.body().len());
                Err(Violation::new(format!(
                    "instead of {kinds:?} there is a response: {status}, {bytes} bytes"
                )))
            }
            Err(error) if kinds.contains(&error.kind()) => Ok(Failed(error)),
            Err(error) => Err(Violation::new(format!(
                "instead of {kinds:?} there is {}",
                canary::describe(&error)
            ))),
        }
    }
}

/// How an exchange failed.
pub(super) struct Failed(TransportError);

impl Failed {
    pub(super) fn not_sent(self) -> Result<(), Violation> {
        self.says(
            false,
            "no byte of the body can have been sent, but it says that some may have been",
        )
    }

    pub(super) fn may_have_been_sent(self) -> Result<(), Violation> {
        self.says(true, "the server got the body, but the error says that nothing was sent")
    }

    fn says(self, sent: bool, message: &str) -> Result<(), Violation> {
        if self.0.may_have_been_sent() == sent {
            return Ok(());
        }
        Err(Violation::of(Rule::Kinds, format!("{message}: {}", canary::describe(&self.0))))
    }
}
