//! [`Tokens`]: whose token a request gets.

use http::HeaderMap;
use point_auth::session::State;
use point_auth::{BaseUrl, Session, Sessions};

use crate::SetupError;
use crate::headers::USER_ALIAS;
use crate::refusal::Refusal;

/// The session or sessions behind a proxy.
pub(crate) enum Tokens {
    One(Session),
    ByAlias { sessions: Sessions, aliases: Vec<String>, default: Option<String> },
}

impl Tokens {
    pub(crate) fn base_url(&self) -> &BaseUrl {
        match self {
            Self::One(session) => session.base_url(),
            Self::ByAlias { sessions, .. } => sessions.base_url(),
        }
    }

    /// Checks the aliases, so that every one of the list has a session.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        let Self::ByAlias { sessions, aliases, default } = self else { return Ok(()) };
        for alias in aliases {
            // The text is compared with a header's value, which can have no other characters.
            if !alias.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(SetupError::Alias);
            }
            sessions.session(alias).map_err(|_| SetupError::Alias)?;
        }
        match default {
            Some(default) if !aliases.contains(default) => Err(SetupError::DefaultAlias),
            _ => Ok(()),
        }
    }

    /// Returns the session that a request is for.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Result<Session, Refusal> {
        let mut named = headers.get_all(USER_ALIAS).iter();
        let named = match (named.next(), named.next()) {
            (_, Some(_)) => {
                return Err(Refusal::bad_request("alias", "there are several aliases"));
            }
            (named, None) => named,
        };
        let refused = || Refusal::forbidden("alias", "the alias is not one that this proxy serves");
        let alias = match (self, named) {
            (Self::One(session), None) => return Ok(session.clone()),
            (Self::One(_), Some(_)) => return Err(refused()),
            (Self::ByAlias { aliases, .. }, Some(named)) => {
                let known = aliases.iter().find(|alias| alias.as_bytes() == named.as_bytes());
                known.ok_or_else(refused)?
            }
            (Self::ByAlias { default, .. }, None) => default.as_ref().ok_or_else(|| {
                let description = "the header Point-Auth-User-Alias is missing";
                Refusal::bad_request("alias", description)
            })?,
        };
        match self {
            Self::One(session) => Ok(session.clone()),
            Self::ByAlias { sessions, .. } => sessions.session(alias).map_err(|_| refused()),
        }
    }

    /// Returns whether a request has a chance of a token. Nothing is sent to find out.
    pub(crate) fn are_ready(&self) -> bool {
        match self {
            Self::One(session) => {
                let state = session.snapshot().state;
                !matches!(state, State::Denied | State::SignInNeeded | State::BackingOff)
            }
            // One alias that is denied does not stop the others.
            Self::ByAlias { sessions, .. } => {
                let snapshot = sessions.snapshot();
                snapshot.sessions() == 0 || snapshot.in_state(State::Denied) < snapshot.sessions()
            }
        }
    }
}
