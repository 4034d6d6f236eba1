//! Sessions of many aliases with one ledger, at random, against a server that knows the right
//! passwords and aliases.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Response;
use point_auth_core::session::{
    Action, Call, Exchange, ExchangeKind, Failure, Ledger, Now, Permit, Policy, Rejected,
    SessionError, SessionMachine, SignInResult,
};
use point_auth_core::{BaseUrl, Credentials};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scenario::new_year;

const ALIASES: usize = 9;
const STEPS: usize = 150;
/// A password that is used only at the end.
const LAST: usize = 9;

/// Every third alias is not enabled at the server.
const fn is_good(alias: usize) -> bool {
    !alias.is_multiple_of(3)
}

struct Sent {
    alias: usize,
    exchange: Box<Exchange>,
    /// With the number of the password, for a sign-in.
    permit: Option<(Permit, usize)>,
}

struct Company {
    ledger: Ledger,
    sessions: Vec<SessionMachine>,
    now: Now,
    /// The passwords of the source and of the server.
    given: usize,
    right: usize,
    sent: Vec<Sent>,
    /// Passwords with aliases that the server has denied, since the last reset.
    denied: BTreeSet<(usize, usize)>,
    tokens: usize,
}

impl Company {
    fn new() -> Self {
        let session = |alias: usize| {
            SessionMachine::on_demand(BaseUrl::production(), Policy::default(), alias as u64)
                .with_owner(Some("jane"), Some(&alias.to_string()))
                .with_shared_ledger()
        };
        Self {
            ledger: Ledger::new(&Policy::default()).with_limit(3),
            sessions: (0..ALIASES).map(session).collect(),
            now: Now::new(Duration::from_secs(1_000_000), new_year()),
            given: 0,
            right: 0,
            sent: Vec::new(),
            denied: BTreeSet::new(),
            tokens: 0,
        }
    }

    fn after(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.now = Now::new(self.now.monotonic + time, self.now.wall + time);
    }

    /// Returns the result for a caller of this alias, if there is one.
    fn poll(&mut self, alias: usize) -> Option<Result<(), SessionError>> {
        let action = self.sessions[alias].poll(self.now, &mut Call::new());
        match action {
            Ok(Action::Ready(lease)) => {
                let owner = format!("of-{alias}-");
                assert!(lease.token.expose().starts_with(&owner), "a token of another alias");
                return Some(Ok(()));
            }
            Ok(Action::Send(exchange)) => {
                assert_eq!(exchange.kind, ExchangeKind::Refresh);
                self.sent.push(Sent { alias, exchange, permit: None });
            }
            Ok(Action::GetCredentials(request)) => {
                let session = &mut self.sessions[alias];
                match self.ledger.reserve(Some(&alias.to_string()), self.now) {
                    Ok(permit) => self.sign_in(alias, request.id, permit),
                    Err(Rejected::Busy { .. }) => session.withdraw(request.id),
                    Err(rejected) => drop(session.reject(request.id, self.now, rejected)),
                }
            }
            Ok(Action::WaitUntil(_)) => {}
            Err(error) => {
                if let SessionError::Denied(denial) = &error {
                    let own = format!("not {alias}");
                    assert_eq!(denial.description(), Some(&*own), "a denial of another alias");
                }
                return Some(Err(error));
            }
        }
        None
    }

    fn sign_in(
        &mut self,
        alias: usize,
        id: point_auth_core::session::ExchangeId,
        mut permit: Permit,
    ) {
        let (now, session) = (self.now, &mut self.sessions[alias]);
        let credentials = Credentials::new("jane", format!("password-{}", self.given)).unwrap();
        let credentials = credentials.with_user_alias(&*alias.to_string()).unwrap();
        if let Err(rejected) = self.ledger.present(&mut permit, &credentials, now) {
            self.ledger.settle(permit, SignInResult::Inconclusive, now);
            match rejected {
                Rejected::Busy { .. } => session.withdraw(id),
                rejected => drop(session.reject(id, now, rejected)),
            }
            return;
        }
        let exchange = session.sign_in_with(id, now, credentials).unwrap();
        assert!(self.ledger.start(&permit, exchange.deadline, now));
        assert!(!self.denied.contains(&(self.given, alias)), "a denied password was sent again");
        let password = self.given;
        self.sent.push(Sent { alias, exchange, permit: Some((permit, password)) });
        // Exchanges that are over for the session may still be in flight.
        let is_in_flight = |sent: &&Sent| {
            sent.alias == alias && now.monotonic < sent.exchange.deadline + Policy::GRACE
        };
        assert_eq!(self.sent.iter().filter(is_in_flight).count(), 1, "one exchange at a time");
    }

    /// The server answers correctly, or something goes wrong.
    fn answer(&mut self, place: usize, mishap: u64) {
        if place >= self.sent.len() {
            return;
        }
        let Sent { alias, exchange, permit } = self.sent.swap_remove(place);
        let respond =
            |status: u16, body: String| Response::builder().status(status).body(body).unwrap();
        self.tokens += 1;
        let tokens = format!(
            r#"{{"access_token":"of-{alias}-{0}","refresh_token":"r-{0}","expires_in":3600}}"#,
            self.tokens
        );
        let failure = match mishap {
            0 => Some(Failure::not_sent()),
            1 => Some(Failure::maybe_sent()),
            2 => Some(Failure::abandoned()),
            _ => None,
        };
        let response = match (&permit, mishap) {
            (_, 3) => respond(503, String::new()),
            (Some((_, password)), _) if *password != self.right || !is_good(alias) => respond(
                403,
                format!(r#"{{"error":"access_denied","error_description":"not {alias}"}}"#),
            ),
            (None, 4) => respond(400, r#"{"error":"invalid_grant"}"#.to_owned()),
            _ => respond(200, tokens),
        };
        let is_denied = failure.is_none() && response.status() == 403;
        let session = &mut self.sessions[alias];
        let outcome = match failure {
            Some(failure) => session.handle_failure(exchange.id, self.now, &failure),
            None => session.handle_response(exchange.id, self.now, &response),
        };
        let Some((permit, password)) = permit else { return };
        let result = SignInResult::of(&outcome);
        if is_denied && matches!(result, SignInResult::Denied(_)) {
            self.denied.insert((password, alias));
        }
        if self.ledger.settle(permit, result, self.now) {
            self.sessions.iter_mut().for_each(|session| session.ledger_changed(self.now));
        }
    }

    fn step(&mut self, dice: u64) {
        let pick = |shift: u32, sides: usize| (dice >> shift) as usize % sides;
        match dice % 32 {
            0..=13 => drop(self.poll(pick(8, ALIASES))),
            14..=24 => self.answer(pick(16, self.sent.len().max(1)), pick(24, 10) as u64),
            25 => self.given = pick(8, 4),
            26 => self.right = pick(8, 4),
            27 if pick(8, 4) == 0 => {
                self.ledger.reset();
                self.sessions.iter_mut().for_each(|session| session.reset(self.now));
                self.denied.clear();
            }
            28 if !self.sent.is_empty() => {
                // Its sender vanished.
                self.sent.swap_remove(pick(16, self.sent.len()));
            }
            _ => {
                let seconds = [1, 1, 2, 29, 33, 61, 600, 3600, 14_400];
                self.after(seconds[pick(32, seconds.len())]);
            }
        }
    }

    /// From now on the source gives a new password, which the server accepts, and nothing fails.
    fn recover(&mut self) {
        (self.given, self.right) = (LAST, LAST);
        self.sent.clear();
        let mut result = Vec::new();
        for _ in 0..120 {
            let mut first: Vec<_> = (0..ALIASES).map(|alias| self.poll(alias)).collect();
            while !self.sent.is_empty() {
                self.answer(0, 9);
            }
            // Callers that had to wait get an error, or the token.
            for (alias, result) in
                first.iter_mut().enumerate().filter(|(_, result)| result.is_none())
            {
                *result = self.poll(alias);
            }
            result = first;
            self.after(60);
        }
        for (alias, result) in result.into_iter().enumerate() {
            match result {
                Some(Ok(())) => assert!(is_good(alias)),
                Some(Err(SessionError::Denied(_))) => assert!(!is_good(alias)),
                other => panic!("alias {alias} gets {other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(super::properties::config(256))]

    #[test]
    fn after_any_history_a_good_password_gives_each_good_alias_its_token(
        steps in vec(any::<u64>(), STEPS),
    ) {
        let mut company = Company::new();
        for dice in steps {
            company.step(dice);
        }
        company.recover();
    }
}
