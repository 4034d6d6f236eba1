//! A driver as one of the sessions that share a login.

use std::sync::Arc;

use point_auth_core::session::{ExchangeId, Permit, Rejected, SessionMachine};

use super::job::Job;
use super::{Driver, wake};
use crate::login::Member;

impl Member for Driver {
    fn answered(
        self: Arc<Self>,
        id: ExchangeId,
        answer: Result<Permit, Rejected>,
    ) -> Option<Permit> {
        match answer {
            Ok(permit) => {
                let now = self.now();
                let mut state = self.lock();
                // Nothing is sent when there is no caller left and no token that it would renew.
                // Looked at and withdrawn within one lock, so that no caller comes in between.
                if state.waiters.is_empty() && state.session.lease(now).is_none() {
                    state.is_queued = false;
                    state.session.withdraw(id);
                    return Some(permit);
                }
                drop(state);
                self.spawn(Job::SignIn(id, Some(permit)));
                None
            }
            Err(rejected) => {
                let now = self.now();
                let mut state = self.lock();
                state.is_queued = false;
                let outcome = state.session.reject(id, now, rejected);
                self.publish(&mut state, now);
                let woken = state.take_wakers();
                drop(state);
                wake(woken);
                #[cfg(feature = "metrics")]
                self.common.meter.nothing_sent(&outcome);
                self.notify(&outcome);
                None
            }
        }
    }

    fn credentials_changed(&self, username: &str) {
        self.change(|session, now| session.expect_credentials(Some(username), now));
    }

    fn ledger_changed(&self) {
        self.change(SessionMachine::ledger_changed);
    }

    fn login_reset(&self) {
        self.change(SessionMachine::reset);
    }
}
