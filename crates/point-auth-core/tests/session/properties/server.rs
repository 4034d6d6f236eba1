//! The results of exchanges.

use std::time::Duration;

use point_auth_core::session::{ExchangeId, Failure, Now, Outcome};

use super::model::{Meaning, Model};
use super::parts::{Bits, credentials, response};
use super::story::Story;

impl Story {
    pub(super) fn gives_tokens(&mut self, mut bits: Bits) {
        if !self.is_sending() {
            return;
        }
        let again = bits.below(8) == 0;
        let access = match self.last_token.clone().filter(|_| again) {
            Some(token) => token,
            None => {
                self.tokens += 1;
                format!("token-{}", self.tokens)
            }
        };
        let refresh = match bits.below(4) {
            0 => None,
            1 => self.last_refresh.clone(),
            _ => Some(format!("refresh-{}", self.tokens)),
        };
        let life = bits.one_of(&[0_u32, 1, 2, 10, 40, 60, 300, 3600, 3600, 3600, u32::MAX]);
        let body = match &refresh {
            Some(refresh) => {
                format!(
                    r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":{life}}}"#
                )
            }
            None => format!(r#"{{"access_token":"{access}","expires_in":{life}}}"#),
        };
        self.last_token = Some(access.clone());
        self.last_refresh = refresh.clone().or(self.last_refresh.take());
        let life = Duration::from_secs(life.into());
        self.answers(200, &body, None, &Meaning::Tokens { access, refresh, life });
    }

    /// Returns whether an exchange is in flight, after a poll.
    fn is_sending(&mut self) -> bool {
        if self.in_flight.is_none() && self.request.is_none() {
            self.polls(0);
        }
        if self.request.is_some() {
            self.source_gives();
        }
        self.in_flight.is_some()
    }

    pub(super) fn answers(
        &mut self,
        status: u16,
        body: &str,
        retry_after: Option<u32>,
        meaning: &Meaning,
    ) {
        if !self.is_sending() {
            return;
        }
        let Some(id) = self.in_flight.take() else { return };
        self.old_ids.push(id);
        let outcome =
            self.session.handle_response(id, self.now, &response(status, body, retry_after));
        self.reported(id, &outcome, |model, now, step| {
            model.answered(meaning, &outcome, now, step);
        });
    }

    pub(super) fn gets_no_answer(&mut self, sent: bool) {
        if !self.is_sending() {
            return;
        }
        let Some(id) = self.in_flight.take() else { return };
        self.old_ids.push(id);
        let failure = if sent { Failure::maybe_sent() } else { Failure::not_sent() };
        let outcome = self.session.handle_failure(id, self.now, &failure);
        self.reported(id, &outcome, |model, now, step| match sent {
            true => model.answered(&Meaning::Lost, &outcome, now, step),
            false => model.not_sent(&outcome, now, step),
        });
    }

    /// Reports to the model what was reported to the session, if the exchange is in flight by the
    /// rules.
    pub(super) fn reported(
        &mut self,
        id: ExchangeId,
        outcome: &Outcome,
        report: impl FnOnce(&mut Model, Now, usize),
    ) {
        let Some(model) = &mut self.model else { return };
        match model.in_flight.as_ref().is_some_and(|in_flight| in_flight.id == id) {
            true => report(model, self.now, self.step),
            false => assert!(matches!(outcome, Outcome::Ignored), "too late, and yet {outcome:?}"),
        }
    }

    pub(super) fn late_answer(&mut self, mut bits: Bits) {
        if self.old_ids.is_empty() {
            return;
        }
        let id = self.old_ids[bits.below(self.old_ids.len())];
        let late = match bits.below(4) {
            0 => self.session.handle_failure(id, self.now, &Failure::maybe_sent()),
            1 => self.session.handle_response(
                id,
                self.now,
                &response(403, r#"{"error":"denied"}"#, None),
            ),
            2 => self.session.handle_response(
                id,
                self.now,
                &response(200, r#"{"access_token":"late"}"#, None),
            ),
            _ => *self.session.sign_in_with(id, self.now, credentials(self.who)).unwrap_err(),
        };
        assert!(matches!(late, Outcome::Ignored), "too late, and yet {late:?}");
        let _outcome = self.session.handle_failure(id, self.now, &Failure::abandoned());
    }

    pub(super) fn abandons(&mut self) {
        let Some(id) = self.in_flight.take().or(self.request.take()) else { return };
        self.old_ids.push(id);
        let outcome = self.session.handle_failure(id, self.now, &Failure::abandoned());
        self.reported(id, &outcome, |model, now, step| model.abandoned(Some(&outcome), now, step));
    }
}
