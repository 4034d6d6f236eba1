//! What only a session asks its own ledger, whose exchanges are one at a time anyway.

use super::super::time::{Moment, Now};
use super::password::{Class, Password};
use super::{Ledger, Permit, Rejected, SignInResult};
use crate::Credentials;

impl Ledger {
    /// Whether `credentials` would be rejected, other permits aside.
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

    /// Until when the password that was used last is held for unknown outcomes.
    pub(in super::super) fn unknown_until(&self, now: Now) -> Option<Moment> {
        self.passwords.last()?.unknown_until(now)
    }

    /// Whether a sign-in with the password that was used last has an unknown outcome, since one
    /// that gave tokens.
    pub(in super::super) fn has_unknown(&self) -> bool {
        self.passwords.last().is_some_and(Password::has_unknown)
    }

    /// Grants a permit for credentials that a source gave, and settles it at once where they are
    /// rejected. For a session's own ledger, whose exchanges are one at a time anyway.
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

    /// When a credential source may be asked for other credentials than those that were denied.
    pub(in super::super) const fn source_may_be_asked_at(&self) -> Option<Moment> {
        self.source.next
    }

    /// Drops these credentials, unless something bad is known of them or of one of their aliases.
    pub(in super::super) fn forget(&mut self, credentials: &Credentials) {
        self.passwords.retain(|password| !password.is_of(credentials) || password.is_suspect());
    }

    /// The credential source has others by now.
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

    /// A session on demand that was given credentials, and what the server answered to them.
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
