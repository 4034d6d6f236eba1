//! The results of credential requests.

use std::time::Duration;

use point_auth_core::session::{
    Failure, Ledger, Moment, Now, Outcome, Policy, Rejected, SignInResult,
};
use point_auth_core::{Operation, ResponseError, SignIn};

use super::parts::{Bits, credentials, response};
use super::story::Story;

impl Story {
    pub(super) fn source_answers(&mut self, mut bits: Bits) {
        if self.request.is_none() {
            return;
        }
        match bits.below(8) {
            0..=3 => self.source_gives(),
            4..=5 => self.source_fails(),
            6 => self.source_rejects(&denied(self.now)),
            _ => {
                let backoff = bits.one_of(&[1, 30, 600]);
                self.source_rejects(&held_for(Duration::from_secs(backoff), self.now));
            }
        }
    }

    pub(super) fn source_gives(&mut self) {
        let Some(id) = self.request.take() else { return };
        let result = self.session.sign_in_with(id, self.now, credentials(self.who));
        let is_known = self.model.as_ref().is_some_and(|model| {
            model.in_flight.as_ref().is_some_and(|in_flight| in_flight.id == id)
        });
        match (&mut self.model, is_known) {
            (Some(model), true) => {
                let result = result.as_deref().map_err(|outcome| &**outcome);
                model.given(self.who, result, self.now, self.step);
            }
            (Some(_), false) => {
                assert!(
                    matches!(result.as_deref(), Err(outcome) if matches!(**outcome, Outcome::Ignored))
                );
            }
            (None, _) => {}
        }
        match result {
            Ok(_) => self.in_flight = Some(id),
            Err(_) => self.old_ids.push(id),
        }
    }

    fn source_fails(&mut self) {
        let Some(id) = self.request.take() else { return };
        self.old_ids.push(id);
        let outcome = self.session.handle_failure(id, self.now, &Failure::not_sent());
        self.reported(id, &outcome, |model, now, step| model.not_sent(&outcome, now, step));
    }

    fn source_rejects(&mut self, rejected: &Rejected) {
        let Some(id) = self.request.take() else { return };
        self.old_ids.push(id);
        let outcome = self.session.reject(id, self.now, rejected.clone());
        self.reported(id, &outcome, |model, now, step| {
            model.rejected_by_ledger(&outcome, now, step);
        });
    }
}

/// Returns the rejection of a ledger after a denial.
fn denied(now: Now) -> Rejected {
    let ask_again = Some(Moment::after(now, Duration::from_secs(1)));
    let answer = response(403, r#"{"error":"access_denied"}"#, None);
    match SignIn::new(&credentials([0; 3])).parse_response(&answer) {
        Err(ResponseError::Denied(denial)) => Rejected::Denied { denial, ask_again },
        other => panic!("{other:?}"),
    }
}

/// Returns the rejection of a ledger this long before the end of a hold.
fn held_for(left: Duration, now: Now) -> Rejected {
    let mut ledger = Ledger::new(&Policy::default());
    let earlier = now.monotonic.saturating_sub(Policy::UNKNOWN_HOLD.saturating_sub(left));
    let earlier = Now::new(earlier, now.wall);
    for _ in 0..3 {
        let permit = ledger.ask(&credentials([0; 3]), earlier).unwrap();
        ledger.settle(permit, SignInResult::Unknown, earlier);
    }
    ledger.ask(&credentials([0; 3]), now).unwrap_err()
}
