//! What stands before a sign-in: where the credentials come from, and the login where many sessions share one.

use std::sync::Arc;

use point_auth_core::Credentials;
use point_auth_core::session::{Failure, NotNow, Outcome};

use super::Driver;
use super::shared_login::SharedLogin;
use super::turns::{Entry, Turn};
use crate::credential_source::{Source, SourceError};

/// Where a session's credentials come from.
pub(crate) enum Gate {
    /// The session has them, or nobody has.
    Open,
    /// A source of its own.
    Source(Arc<dyn Source>),
    /// A login that it shares with others.
    Login(Arc<SharedLogin>),
}

/// Why there is no sign-in now.
pub(super) enum Refused {
    NotNow(NotNow),
    Failed(Failure),
    /// Nobody waits for it any more.
    Withdrawn,
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        Self::Failed(Failure::not_sent().with_source(error))
    }
}

/// Credentials, and where they are shared the right to send them now.
pub(super) struct Admitted<'a> {
    credentials: Credentials,
    turn: Option<Turn<'a>>,
}

impl Gate {
    /// What a sign-in of this driver's job needs. It may take as long as it takes; whoever calls gives it a limit.
    pub(super) async fn admit<'a>(
        &'a self,
        driver: &'a Driver,
        job: u64,
    ) -> Result<Admitted<'a>, Refused> {
        match self {
            Self::Open => Err(Refused::Failed(Failure::not_sent())),
            Self::Source(source) => Ok(Admitted { credentials: source.fetch().await?, turn: None }),
            Self::Login(login) => admit_to(login, driver, job).await,
        }
    }

    pub(super) fn reset(&self) {
        if let Self::Login(login) = self {
            login.reset();
        }
    }
}

async fn admit_to<'a>(
    login: &'a SharedLogin,
    driver: &'a Driver,
    job: u64,
) -> Result<Admitted<'a>, Refused> {
    let mut comes_back = false;
    loop {
        let waits = login.turn(driver, job, comes_back);
        let turn = waits.await.ok_or(Refused::Withdrawn)?;
        // Only now: those before it may have been denied.
        if let Some(denial) = login.denied_of_late(driver.now()) {
            return Err(Refused::NotNow(NotNow::Denied(denial)));
        }
        let source =
            login.source().ok_or_else(|| SourceError::new("nobody has given any".into()))?;
        let credentials = source.fetch().await?;
        let credentials = match &driver.alias {
            Some(alias) => credentials
                .with_user_alias(alias)
                .map_err(|error| Refused::Failed(Failure::not_sent().with_source(error)))?,
            None => credentials,
        };
        match turn.enter(&credentials, driver.now()) {
            Entry::Now => return Ok(Admitted { credentials, turn: Some(turn) }),
            Entry::Never(not_now) => return Err(Refused::NotNow(not_now)),
            // Somebody else tries these credentials for the first time.
            Entry::Later => comes_back = true,
        }
    }
}

impl Admitted<'_> {
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The sign-in begins now, and is over by then.
    pub(super) fn begins(&self, deadline: std::time::Duration) {
        if let Some(turn) = &self.turn {
            turn.begins(&self.credentials, deadline);
        }
    }

    /// What came of the sign-in, so that the others know before the next has its turn.
    pub(super) fn ended(self, outcome: &Outcome) {
        if let Some(turn) = self.turn {
            turn.ended(&self.credentials, outcome);
        }
    }
}
