//! A session and all that happens to it, each thing chosen by the input.

mod server;

use std::time::{Duration, UNIX_EPOCH};

use arbitrary::{Result, Unstructured};
use point_auth_core::session::{
    Action, Call, Exchange, ExchangeId, ExchangeKind, Ledger, Now, Policy, SessionError,
    SessionMachine, SignInResult, StoredTokens,
};
use point_auth_core::{AccessToken, BaseUrl, TokenSet};

use super::parts::{self, CANARY, Who};
use super::told::{Flight, Token, check_lease};
use crate::saying::{all_it_says, shown};

const CALLS: usize = 3;

pub(super) struct Story {
    session: SessionMachine,
    policy: Policy,
    now: Now,
    calls: [Call; CALLS],
    in_flight: Option<Flight>,
    /// What is told of these is too late.
    old: Vec<ExchangeId>,
    tokens: Vec<Token>,
    names: u32,
    /// The credentials that the session was given, if it holds any.
    holds: Option<Who>,
    /// All that were denied since a reset.
    denied: Vec<Who>,
    /// Shared with other sessions, by a session on demand.
    ledger: Ledger,
    begun: u64,
}

impl Story {
    pub(super) fn begin(input: &mut Unstructured<'_>) -> Result<Self> {
        let policy = parts::policy(input)?;
        let now = parts::beginning(input)?;
        let (base, seed) = (BaseUrl::production(), u64::from(input.arbitrary::<u8>()?));
        let kind = input.arbitrary::<u8>()? % 4;
        let session = match kind {
            0 | 1 => SessionMachine::new(base, Who::JANE.credentials(), policy.clone(), seed),
            2 => SessionMachine::on_demand(base, policy.clone(), seed),
            _ => SessionMachine::without_credentials(base, policy.clone(), seed),
        };
        Ok(Self {
            session,
            ledger: Ledger::new(&policy),
            policy,
            now,
            calls: std::array::from_fn(|_| Call::new()),
            in_flight: None,
            old: Vec::new(),
            tokens: Vec::new(),
            names: 0,
            holds: (kind < 2).then_some(Who::JANE),
            denied: Vec::new(),
            begun: 0,
        })
    }

    pub(super) fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.arbitrary::<u8>()? % 24 {
            0..=4 => self.polls(usize::from(input.arbitrary::<u8>()?) % CALLS),
            5 => self.calls[usize::from(input.arbitrary::<u8>()?) % CALLS] = Call::new(),
            6 => {
                let deadline = self.now.monotonic.saturating_add(parts::span(input)?);
                self.calls[usize::from(input.arbitrary::<u8>()?) % CALLS] = Call::until(deadline);
            }
            7..=9 => self.passes(parts::span(input)?),
            10 => self.passes_on_the_wall(input)?,
            11 => self.now.monotonic = self.now.monotonic.saturating_add(parts::span(input)?),
            12..=14 => self.server_gives_tokens(input)?,
            15 | 16 => self.server_answers(input)?,
            17 => self.gets_no_answer(input)?,
            18 => self.is_told_too_late(input)?,
            19 => self.source_answers(input)?,
            20 => self.api_rejects(input)?,
            21 => self.gets_credentials(Who::any(input)?),
            22 => {
                self.session.reset(self.now);
                self.ledger.reset();
                self.denied.clear();
            }
            _ => self.restores(input)?,
        }
        self.check();
        Ok(())
    }

    /// Nothing more happens but time: whoever waits has an answer by its deadline.
    pub(super) fn end(mut self) {
        let snapshot = self.session.snapshot(self.now);
        assert_silent(&(shown(&snapshot) + &shown(&self.session) + &shown(&self.ledger)));
        for caller in 0..CALLS {
            let mut waits = 0;
            while let Some(until) = self.poll(caller) {
                waits += 1;
                assert!(waits < 50, "a wait that nothing ends");
                self.passes(until.saturating_sub(self.now.monotonic));
                self.check();
            }
        }
    }

    fn polls(&mut self, caller: usize) {
        let _until = self.poll(caller);
    }

    /// Until when it has to wait, if it has to.
    fn poll(&mut self, caller: usize) -> Option<Duration> {
        let now = self.now;
        let reply = self.session.poll(now, &mut self.calls[caller]);
        let deadline = self.calls[caller].deadline().unwrap();
        match &reply {
            Ok(Action::Ready(_) | Action::WaitUntil(_)) => {}
            Ok(action) => assert_silent(&format!("{action:?}")),
            Err(error) => assert_silent(&all_it_says(error)),
        }
        match reply {
            Ok(Action::Ready(lease)) => {
                check_lease(&lease, &self.tokens, now);
                let again = self.session.poll(now, &mut self.calls[caller]);
                let same = matches!(&again, Ok(Action::Ready(other)) if other.token == lease.token);
                assert!(same, "a token, and then {again:?}");
                self.calls[caller] = Call::new();
                None
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(time > now.monotonic, "waits for the past");
                assert!(time <= deadline, "waits beyond its deadline");
                let again = self.session.poll(now, &mut self.calls[caller]);
                assert!(
                    matches!(again, Ok(Action::WaitUntil(other)) if other == time),
                    "{again:?}"
                );
                Some(time)
            }
            Ok(Action::Send(exchange)) => {
                let lease = exchange.fallback.clone();
                self.begins(
                    &exchange,
                    self.holds.filter(|_| exchange.kind == ExchangeKind::SignIn),
                );
                lease.iter().for_each(|lease| check_lease(lease, &self.tokens, now));
                None
            }
            Ok(Action::GetCredentials(wanted)) => {
                wanted.fallback.iter().for_each(|lease| check_lease(lease, &self.tokens, now));
                self.takes_off(Flight {
                    id: wanted.id,
                    kind: None,
                    asked_at: now,
                    deadline: wanted.deadline,
                    who: None,
                    secret: String::new(),
                });
                None
            }
            Err(error) => {
                if let SessionError::TimedOut { .. } = error {
                    assert!(now.monotonic >= deadline, "has patience left");
                }
                self.calls[caller] = Call::new();
                None
            }
        }
    }

    fn begins(&mut self, exchange: &Exchange, who: Option<Who>) {
        self.begun += 1;
        assert_eq!(
            exchange.deadline,
            self.now.monotonic.saturating_add(self.policy.exchange_timeout()),
            "another time than was said"
        );
        let body: serde_json::Value =
            serde_json::from_slice(exchange.request.body().as_ref()).unwrap();
        let secret = match exchange.kind {
            ExchangeKind::Refresh => &body["refresh_token"],
            _ => &body["password"],
        };
        assert_eq!(exchange.kind == ExchangeKind::SignIn, who.is_some(), "signs in with what?");
        if let Some(who) = who {
            assert!(!self.is_denied(who), "sent again after a denial");
            assert_eq!(
                (body["username"].as_str(), body["useralias"].as_str()),
                (Some(who.username()), who.alias())
            );
            assert_eq!(secret.as_str(), Some(&*who.password()));
        }
        self.takes_off(Flight {
            id: exchange.id,
            kind: Some(exchange.kind),
            asked_at: self.now,
            deadline: exchange.deadline,
            who,
            secret: secret.as_str().unwrap().to_owned(),
        });
    }

    fn takes_off(&mut self, flight: Flight) {
        assert!(!self.old.contains(&flight.id), "an id twice");
        if let Some(before) = self.in_flight.replace(flight) {
            assert!(before.is_lost(self.now), "two live exchanges");
            self.old.push(before.id);
        }
    }

    fn passes(&mut self, time: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(time);
        self.now.wall = self.now.wall.checked_add(time).unwrap_or(self.now.wall);
    }

    fn passes_on_the_wall(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (back, time) = (input.arbitrary::<bool>()?, parts::span(input)?);
        let wall =
            if back { self.now.wall.checked_sub(time) } else { self.now.wall.checked_add(time) };
        self.now.wall = wall.unwrap_or(self.now.wall);
        Ok(())
    }

    /// What a source of credentials answers.
    fn source_answers(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (who, is_shared) = (Who::any(input)?, input.arbitrary::<bool>()?);
        let Some(flight) = self.in_flight.take_if(|flight| flight.kind.is_none()) else {
            return Ok(());
        };
        let credentials = who.credentials();
        if is_shared {
            match self.ledger.ask(&credentials, self.now) {
                Ok(permit) => {
                    self.ledger.settle(permit, SignInResult::Inconclusive, self.now);
                }
                Err(rejected) => {
                    let outcome = self.session.reject(flight.id, self.now, rejected);
                    self.ended(&flight, &outcome);
                    return Ok(());
                }
            }
        }
        match self.session.sign_in_with(flight.id, self.now, credentials) {
            Ok(exchange) => {
                assert_eq!(exchange.id, flight.id);
                self.begins(&exchange, Some(who));
            }
            Err(outcome) => self.ended(&flight, &outcome),
        }
        Ok(())
    }

    fn api_rejects(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let which = usize::from(input.arbitrary::<u8>()?);
        let Some(token) = self.tokens.iter().nth_back(which % self.tokens.len().max(1)) else {
            return Ok(());
        };
        let token = AccessToken::new(&token.name).unwrap();
        self.session.invalidate(&token, self.now);
        assert!(
            self.session.lease(self.now).is_none_or(|lease| lease.token != token),
            "it was rejected"
        );
        Ok(())
    }

    fn gets_credentials(&mut self, who: Who) {
        self.session.set_credentials(who.credentials(), self.now);
        self.holds = Some(who);
        // Some exchanges are void then.
        let is_void = self.session.snapshot(self.now).in_flight.is_none();
        if let Some(flight) = self.in_flight.take_if(|flight| is_void && !flight.is_lost(self.now))
        {
            self.old.push(flight.id);
        }
    }

    fn restores(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (who, kind) = (Who::any(input)?, input.arbitrary::<u8>()?);
        let json = match self.session.stored_tokens().filter(|_| kind & 3 == 0) {
            Some(own) => own.expose_json().as_ref().to_vec(),
            None => {
                let ago = parts::span(input)?.as_secs();
                let since =
                    parts::seconds(self.now.wall).wrapping_sub(if kind & 4 == 0 { 0 } else { ago });
                let fields = serde_json::json!({
                    "base": if kind & 8 == 0 { "https://api.pointservices.com" } else { "http://[::1]" },
                    "username": (kind & 16 == 0).then(|| who.username()),
                    "user_alias": who.alias(),
                    "access_token": (kind & 32 == 0).then(|| self.name("t")),
                    "asked_at": since,
                    "expires_in": if kind & 64 == 0 { 3600 } else { ago },
                    "refresh_token": (kind & 128 == 0).then(|| self.name("r")),
                    "refresh_token_came_at": since,
                });
                fields.to_string().into_bytes()
            }
        };
        let Ok(stored) = StoredTokens::from_json(&json) else { return Ok(()) };
        assert_silent(&format!("{stored:?}"));
        let is_own =
            self.session.stored_tokens().is_some_and(|own| own.expose_json().as_ref() == json);
        let taken_up = self.session.restore(stored, self.now);
        assert!(taken_up.is_ok() || !is_own, "its own tokens, and {taken_up:?}");
        let fields: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let since = fields["asked_at"]
            .as_u64()
            .and_then(|since| UNIX_EPOCH.checked_add(Duration::from_secs(since)));
        let age = since.and_then(|since| self.now.wall.duration_since(since).ok());
        if let (Ok(()), Some(name), Some(age)) = (taken_up, fields["access_token"].as_str(), age) {
            let life = Duration::from_secs(fields["expires_in"].as_u64().unwrap())
                .min(TokenSet::MAX_EXPIRES_IN);
            let margin = Policy::LAST_USE_MARGIN;
            self.tokens.push(Token::restored(name.to_owned(), life, age, self.now, margin));
        }
        Ok(())
    }

    /// Never the same again.
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{CANARY}-{kind}-{}", self.names)
    }

    fn is_denied(&self, who: Who) -> bool {
        self.denied.iter().any(|denied| denied.is_same(who))
    }

    /// What holds at any time.
    fn check(&self) {
        let snapshot = self.session.snapshot(self.now);
        let lease = self.session.lease(self.now);
        lease.iter().for_each(|lease| check_lease(lease, &self.tokens, self.now));
        assert_eq!(snapshot.token_left.is_some(), lease.is_some());
        assert_eq!(snapshot.next_look, lease.map(|lease| lease.look_again));
        assert!(
            snapshot.in_flight.is_none() || self.in_flight.is_some(),
            "an exchange from nowhere"
        );
        assert_eq!(snapshot.counts.sign_ins + snapshot.counts.refreshes, self.begun);
    }
}

fn assert_silent(said: &str) {
    assert!(!said.contains(CANARY), "{said}");
}
