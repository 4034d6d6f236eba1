//! A caller, and what it does with the session's action.

use std::time::Duration;

use point_auth_core::session::{Action, AttemptError, ExchangeKind, Lease, Moment, SessionError};

use super::{Scenario, Seconds};

/// One caller, and its action or error.
#[must_use]
pub(crate) struct Caller<'a> {
    pub(super) scenario: &'a mut Scenario,
    pub(crate) reply: Result<Action, SessionError>,
}

impl<'a> Caller<'a> {
    /// Uses this token.
    #[track_caller]
    pub(crate) fn gets(self, token: &str) -> &'a mut Scenario {
        let (scenario, lease) = self.lease();
        assert_eq!(lease.token.expose(), token);
        scenario
    }

    #[track_caller]
    pub(crate) fn lease(self) -> (&'a mut Scenario, Lease) {
        match self.reply {
            Ok(Action::Ready(lease)) => (self.scenario, lease),
            other => panic!("no token, but {other:?}"),
        }
    }

    /// Sends a sign-in, without a token.
    #[track_caller]
    pub(crate) fn signs_in(self) -> &'a mut Scenario {
        self.sends(ExchangeKind::SignIn, None)
    }

    /// Sends a refresh, without a token.
    #[track_caller]
    pub(crate) fn refreshes(self) -> &'a mut Scenario {
        self.sends(ExchangeKind::Refresh, None)
    }

    /// Sends a sign-in, and uses this token meanwhile.
    #[track_caller]
    pub(crate) fn signs_in_beside(self, fallback: &str) -> &'a mut Scenario {
        self.sends(ExchangeKind::SignIn, Some(fallback))
    }

    /// Sends a refresh, and uses this token meanwhile.
    #[track_caller]
    pub(crate) fn refreshes_beside(self, fallback: &str) -> &'a mut Scenario {
        self.sends(ExchangeKind::Refresh, Some(fallback))
    }

    /// Sends either, without a token.
    #[track_caller]
    pub(crate) fn sends_something(self) -> &'a mut Scenario {
        let kind = match &self.reply {
            Ok(Action::Send(exchange)) => exchange.kind,
            other => panic!("nothing is sent, but {other:?}"),
        };
        self.sends(kind, None)
    }

    #[track_caller]
    fn sends(self, kind: ExchangeKind, fallback: Option<&str>) -> &'a mut Scenario {
        match self.reply {
            Ok(Action::Send(exchange)) => {
                assert_eq!(exchange.kind, kind);
                let path = exchange.request.uri().path();
                assert_eq!(path.ends_with("signInWithPassword"), kind == ExchangeKind::SignIn);
                assert_eq!(exchange.fallback.as_ref().map(|lease| lease.token.expose()), fallback);
                self.scenario.in_flight = Some(*exchange);
                self.scenario
            }
            other => panic!("nothing is sent, but {other:?}"),
        }
    }

    /// Gets credentials for a sign-in, without a token.
    #[track_caller]
    pub(crate) fn asks_for_credentials(self) -> &'a mut Scenario {
        self.asks(None)
    }

    /// Gets credentials for a sign-in, and uses this token meanwhile.
    #[track_caller]
    pub(crate) fn asks_for_credentials_beside(self, fallback: &str) -> &'a mut Scenario {
        self.asks(Some(fallback))
    }

    #[track_caller]
    fn asks(self, fallback: Option<&str>) -> &'a mut Scenario {
        match self.reply {
            Ok(Action::GetCredentials(request)) => {
                assert_eq!(request.fallback.as_ref().map(|lease| lease.token.expose()), fallback);
                assert_eq!(request.deadline, self.scenario.now.monotonic + Duration::from_secs(30));
                self.scenario.request = Some(request.id);
                self.scenario
            }
            other => panic!("no credentials are requested, but {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn does_not_send(self) -> &'a mut Scenario {
        let began = matches!(self.reply, Ok(Action::Send(_) | Action::GetCredentials(_)));
        assert!(!began, "an exchange was begun");
        self.scenario
    }

    #[track_caller]
    pub(crate) fn waits(self) -> &'a mut Scenario {
        self.wait();
        self.scenario
    }

    /// Checks how long it waits at most before the next poll.
    #[track_caller]
    pub(crate) fn waits_for(self, seconds: impl Seconds) -> &'a mut Scenario {
        assert_eq!(self.wait(), seconds.seconds());
        self.scenario
    }

    #[track_caller]
    pub(crate) fn wait(&self) -> Duration {
        match &self.reply {
            Ok(Action::WaitUntil(time)) => {
                assert!(*time > self.scenario.now.monotonic, "it waits for a past moment");
                *time - self.scenario.now.monotonic
            }
            other => panic!("it does not wait, but {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn is_denied(self) -> &'a mut Scenario {
        assert!(matches!(self.reply, Err(SessionError::Denied(_))), "not denied: {:?}", self.reply);
        self.scenario
    }

    #[track_caller]
    pub(crate) fn is_asked_to_sign_in(self) -> &'a mut Scenario {
        assert!(matches!(self.reply, Err(SessionError::SignInNeeded)), "{:?}", self.reply);
        self.scenario
    }

    /// All attempts failed.
    #[track_caller]
    pub(crate) fn fails(self) -> &'a mut Scenario {
        self.error();
        self.scenario
    }

    #[track_caller]
    pub(crate) fn error(&self) -> (AttemptError, Moment) {
        match &self.reply {
            Err(SessionError::Failed { error, until, .. }) => (error.clone(), *until),
            other => panic!("it did not fail, but {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn times_out(self) -> &'a mut Scenario {
        assert!(matches!(self.reply, Err(SessionError::TimedOut { .. })), "{:?}", self.reply);
        self.scenario
    }
}
