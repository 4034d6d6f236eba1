//! What becomes of what was sent.

use arbitrary::{Result, Unstructured};
use point_auth_core::session::{ExchangeKind, Failure, Outcome, Policy, SignInResult};

use super::super::parts::{self, Who};
use super::super::told::{Flight, Token};
use super::{Story, assert_silent};

impl Story {
    pub(super) fn server_gives_tokens(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        const LIVES: [u32; 10] = [0, 1, 2, 10, 40, 60, 300, 3600, 3600, u32::MAX];
        let kind: u8 = input.arbitrary()?;
        let access = match self.tokens.last() {
            Some(token) if kind & 7 == 0 => token.name.clone(),
            _ => self.name("t"),
        };
        let mut fields = vec![format!(r#""access_token":"{access}""#)];
        match &self.in_flight {
            Some(flight) if kind & 24 == 0 => {
                fields.push(format!(r#""refresh_token":"{}""#, flight.secret));
            }
            _ if kind & 8 == 0 => fields.push(format!(r#""refresh_token":"{}""#, self.name("r"))),
            _ => {}
        }
        let life: u8 = input.arbitrary()?;
        if let Some(life) = LIVES.get(usize::from(life)) {
            fields.push(format!(r#""expires_in":{life}"#));
        } else if life < 64 {
            fields.push(format!(r#""expires_in":{}"#, input.arbitrary::<u16>()?));
        }
        if kind & 32 == 0 {
            fields.push(format!(r#""scope":"{access}""#));
        }
        self.answers(&http::Response::new(format!("{{{}}}", fields.join(","))));
        Ok(())
    }

    /// Anything but tokens, with the secrets that there are in it.
    pub(super) fn server_answers(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let secret =
            match (input.arbitrary::<u8>()? % 3, &self.in_flight, self.session.lease(self.now)) {
                (0, Some(flight), _) if flight.kind.is_some() => flight.secret.clone(),
                (1, _, Some(lease)) => lease.token.expose().to_owned(),
                _ => "nothing".to_owned(),
            };
        let (body, content_type) = match input.arbitrary::<u8>()? % 8 {
            0 | 1 => (
                format!(r#"{{"error":"denied","error_description":"not with {secret}"}}"#),
                "a/b".into(),
            ),
            2 => (format!(r#"{{"error":"{secret}"}}"#), "application/json".to_owned()),
            3 => (r#"{"error":"temporarily_unavailable"}"#.to_owned(), secret),
            4 => (format!("<html>{secret}"), format!("text/html; {secret}")),
            5 => (format!(r#"{{"access_token":"{secret}"#), "application/json".to_owned()),
            6 => ("{}".to_owned(), secret),
            _ => (String::new(), secret),
        };
        let mut response = parts::response(input, body)?;
        if let Ok(content_type) = content_type.parse() {
            response.headers_mut().insert("content-type", content_type);
        }
        self.answers(&response);
        Ok(())
    }

    fn answers(&mut self, response: &http::Response<String>) {
        let Some(flight) = self.in_flight.take() else { return };
        let outcome = self.session.handle_response(flight.id, self.now, response);
        self.ended(&flight, &outcome);
    }

    pub(super) fn gets_no_answer(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let how = input.arbitrary::<u8>()? % 3;
        let Some(flight) = self.in_flight.take() else { return Ok(()) };
        let outcome = match how {
            0 => self.session.handle_failure(flight.id, self.now, &Failure::not_sent()),
            1 => self.session.handle_failure(flight.id, self.now, &Failure::maybe_sent()),
            _ => self.session.handle_failure(flight.id, self.now, &Failure::abandoned()),
        };
        self.ended(&flight, &outcome);
        Ok(())
    }

    pub(super) fn ended(&mut self, flight: &Flight, outcome: &Outcome) {
        self.old.push(flight.id);
        assert_silent(&format!(
            "{outcome:?} {:?} {:?}",
            self.session.snapshot(self.now),
            self.ledger
        ));
        if let Some(who) = flight.who {
            // Where it is held by now, nothing is told.
            if let Ok(permit) = self.ledger.ask(&who.credentials(), self.now) {
                self.ledger.settle(permit, SignInResult::of(outcome), self.now);
            }
        }
        match outcome {
            Outcome::Renewed { tokens, .. } => {
                self.tokens.push(Token::renewed(tokens, flight.asked_at, Policy::LAST_USE_MARGIN));
            }
            Outcome::Denied { .. } => {
                assert_ne!(
                    flight.kind,
                    Some(ExchangeKind::Refresh),
                    "a refresh that denies a sign-in"
                );
                // Without a request, it is one of those that were denied before.
                if let Some(who) = flight.who.filter(|who| !self.is_denied(*who)) {
                    self.denied.push(who);
                }
            }
            Outcome::RefreshRefused { .. } => assert_eq!(flight.kind, Some(ExchangeKind::Refresh)),
            _ => {}
        }
    }

    pub(super) fn is_told_too_late(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (which, how) = (usize::from(input.arbitrary::<u8>()?), input.arbitrary::<u8>()? % 4);
        let Some(id) = self.old.get(which % self.old.len().max(1)).copied() else { return Ok(()) };
        let (version, now) = (self.session.stored_version(), self.now);
        let outcome = match how {
            0 => self.session.handle_response(
                id,
                now,
                &http::Response::new(r#"{"access_token":"late"}"#),
            ),
            1 => self.session.handle_failure(id, now, &Failure::maybe_sent()),
            2 => self.session.handle_failure(id, now, &Failure::abandoned()),
            _ => *self.session.sign_in_with(id, now, Who::JANE.credentials()).unwrap_err(),
        };
        assert!(matches!(outcome, Outcome::Ignored), "too late, and yet {outcome:?}");
        assert_eq!(self.session.stored_version(), version);
        Ok(())
    }
}
