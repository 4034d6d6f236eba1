//! What becomes of a wish for credentials.

use std::time::Duration;

use point_auth_core::session::{
    Action, Call, Failure, Login, NotNow, Now, Outcome, Policy, Session,
};
use point_auth_core::{BaseUrl, Operation, ResponseError, SignIn};

use super::parts::{Bits, credentials, response};
use super::story::Story;

impl Story {
    pub(super) fn source_answers(&mut self, mut bits: Bits) {
        if self.wanted.is_none() {
            return;
        }
        match bits.below(8) {
            0..=3 => self.source_gives(),
            4..=5 => self.source_fails(),
            6 => self.source_declines(&denied()),
            _ => {
                let pause = bits.one_of(&[1, 30, 600]);
                self.source_declines(&rests_for(Duration::from_secs(pause), self.now));
            }
        }
    }

    pub(super) fn source_gives(&mut self) {
        let Some(id) = self.wanted.take() else { return };
        let result = self.session.sign_in_with(id, self.now, credentials(self.who));
        let is_known = self
            .model
            .as_ref()
            .is_some_and(|model| model.flight.as_ref().is_some_and(|flight| flight.id == id));
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
            Ok(_) => self.under_way = Some(id),
            Err(_) => self.old_ids.push(id),
        }
    }

    fn source_fails(&mut self) {
        let Some(id) = self.wanted.take() else { return };
        self.old_ids.push(id);
        let outcome = self.session.handle_failure(id, self.now, &Failure::not_sent());
        self.told(id, &outcome, |model, now, step| model.not_sent(&outcome, now, step));
    }

    fn source_declines(&mut self, not_now: &NotNow) {
        let Some(id) = self.wanted.take() else { return };
        self.old_ids.push(id);
        let outcome = self.session.decline(id, self.now, not_now.clone());
        self.told(id, &outcome, |model, now, step| model.declined(&outcome, now, step));
    }
}

/// What a login says after a denial.
fn denied() -> NotNow {
    let answer = response(403, r#"{"error":"access_denied"}"#, None);
    match SignIn::new(&credentials([0; 3])).parse_response(&answer) {
        Err(ResponseError::Denied(denial)) => NotNow::Denied(denial),
        other => panic!("{other:?}"),
    }
}

/// What a login says for so long after a sign-in that got lost.
fn rests_for(pause: Duration, now: Now) -> NotNow {
    let policy = Policy::builder().with_lost_sign_ins(1).with_lost_pause(pause).build().unwrap();
    let mut login = Login::new(&policy);
    let mut session = Session::new(BaseUrl::production(), credentials([0; 3]), policy, 0);
    let Ok(Action::Send(exchange)) = session.poll(now, &mut Call::new()) else {
        panic!("nothing is sent")
    };
    let outcome = session.handle_failure(exchange.id, now, &Failure::maybe_sent());
    login.handle(&credentials([0; 3]), &outcome, now);
    login.check(&credentials([0; 3]), now).unwrap_err()
}
