//! Functions for a session's own ledger, whose exchanges run one at a time.

use super::super::time::{Moment, Now};
use super::password::{Class, Password};
use super::{Ledger, Permit, Rejected, SignInResult};
use crate::Credentials;

impl Ledger {
    /// Returns the class of `credentials`, or why they would be rejected, other permits aside.
    pub(in super::super) fn class(
        &self,
        credentials: &Credentials,
        now: Now,
    ) -> Result<Class, Rejected> {
        match self.passwords.iter().find(|password| password.is_of(credentials)) {
            Some(password) => password.class(credentials.user_alias(), now),
            None => Ok(Class::Others),
        }
    }

    /// Returns until when the last used password is held for unknown outcomes.
    pub(in super::super) fn unknown_until(&self, now: Now) -> Option<Moment> {
        self.passwords.last()?.unknown_until(now)
    }

    /// Returns whether a sign-in with the last used password has had an unknown outcome since the
    /// last one that gave tokens.
    pub(in super::super) fn has_unknown(&self) -> bool {
        self.passwords.last().is_some_and(Password::has_unknown)
    }

    /// Grants a permit for credentials from a source, or settles it at once if they are rejected.
    pub(in super::super) fn fetched(
        &mut self,
        credentials: &Credentials,
        now: Now,
    ) -> Result<Permit, Rejected> {
        let mut permit = self.grant(None, now);
        match self.present(&mut permit, credentials, now) {
            Ok(()) => Ok(permit),
            Err(rejected) => {
                self.settle(permit, SignInResult::Inconclusive, now);
                Err(rejected)
            }
        }
    }

    /// Returns when a credential source may be asked for other credentials than the denied ones.
    pub(in super::super) const fn source_may_be_asked_at(&self) -> Option<Moment> {
        self.source.next
    }

    /// Drops these credentials, unless denials or unknown outcomes are known of them.
    pub(in super::super) fn forget(&mut self, credentials: &Credentials) {
        self.passwords.retain(|password| !password.is_of(credentials) || password.is_suspect());
    }

    /// Records that the credential source has other credentials.
    pub(in super::super) const fn expect_other_credentials(&mut self) {
        self.source.reset();
        self.source.has_others = true;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::super::{Action, Call, Policy, SessionMachine};
    use super::*;
    use crate::BaseUrl;

    /// Creates a session on demand that got credentials, and the server's response to them.
    fn answered(status: u16, body: &'static str) -> SessionMachine {
        let now = Now::new(Duration::from_secs(1), SystemTime::UNIX_EPOCH);
        let mut session = SessionMachine::on_demand(BaseUrl::production(), Policy::default(), 1);
        let Ok(Action::GetCredentials(request)) = session.poll(now, &mut Call::new()) else {
            panic!("it asks for no credentials")
        };
        let credentials = Credentials::new("jane", "secret").unwrap();
        let exchange = session.sign_in_with(request.id, now, credentials).unwrap();
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let _outcome = session.handle_response(exchange.id, now, &response);
        session
    }

    fn held(session: &SessionMachine) -> usize {
        session.ledger.as_ref().unwrap().passwords.len()
    }

    #[test]
    fn credentials_on_demand_are_held_only_while_something_bad_is_known_of_them() {
        assert_eq!(held(&answered(200, r#"{"access_token":"first"}"#)), 0);
        assert_eq!(held(&answered(403, r#"{"error":"access_denied"}"#)), 1);
    }
}
