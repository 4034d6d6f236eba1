//! A story made of numbers: each is one thing that happens to a session, told to the model as well.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{
    Action, Call, ExchangeId, ExchangeKind, Failure, Now, Outcome, Policy, Session, SessionError,
    StoredTokens,
};
use point_auth_core::{AccessToken, BaseUrl};

use super::model::{CallFacts, Meaning, Model};
use super::parts::{Bits, credentials, response};
use crate::scenario::new_year;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Nothing,
    SignedIn,
    WithoutCredentials,
    /// Near the end of a clock the rules bend, so that only panics, ids and two exchanges at once are looked for.
    AtAnEndOfTime,
}

const CALLERS: usize = 4;

pub(super) struct Story {
    session: Session,
    model: Option<Model>,
    now: Now,
    calls: [(Call, CallFacts); CALLERS],
    step: usize,
    /// Exchanges that are over, and the names of tokens that were.
    old_ids: Vec<ExchangeId>,
    under_way: Option<(ExchangeId, ExchangeKind)>,
    last_token: Option<String>,
    last_refresh: Option<String>,
    tokens: u32,
    who: [u8; 3],
}

const PASSED: [Duration; 14] = [
    Duration::from_nanos(1),
    Duration::from_millis(50),
    Duration::from_millis(160),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(7),
    Duration::from_secs(16),
    Duration::from_secs(33),
    Duration::from_secs(60),
    Duration::from_secs(610),
    Duration::from_secs(3500),
    Duration::from_secs(3600),
    Duration::from_secs(100_000),
];

impl Story {
    pub(super) fn of(beginning: Beginning, seed: u64) -> Self {
        let mut bits = Bits(seed);
        let mut now = Now::new(Duration::from_secs(1_000_000), new_year());
        if beginning == Beginning::AtAnEndOfTime {
            let margin = bits.one_of(&PASSED);
            now.monotonic = bits.one_of(&[Duration::ZERO, Duration::MAX - margin, Duration::MAX]);
            let far = Duration::from_secs(i64::MAX as u64);
            let end = SystemTime::UNIX_EPOCH.checked_add(far).unwrap_or(SystemTime::UNIX_EPOCH);
            let start = SystemTime::UNIX_EPOCH.checked_sub(far).unwrap_or(SystemTime::UNIX_EPOCH);
            now.wall = bits.one_of(&[start, SystemTime::UNIX_EPOCH, end]);
            now.wall = now.wall.checked_sub(margin).unwrap_or(now.wall);
        }
        let base = BaseUrl::production();
        let session = match beginning {
            Beginning::WithoutCredentials => Session::without_credentials(base, Policy::default(), seed),
            _ => Session::new(base, credentials([0; 3]), Policy::default(), seed),
        };
        let has_credentials = beginning != Beginning::WithoutCredentials;
        let model = Model::new(has_credentials);
        let facts = CallFacts { deadline: now.monotonic, began: 0 };
        let mut story = Self {
            session,
            model: (beginning != Beginning::AtAnEndOfTime).then_some(model),
            now,
            calls: std::array::from_fn(|_| (Call::new(), facts)),
            step: 0,
            old_ids: Vec::new(),
            under_way: None,
            last_token: None,
            last_refresh: None,
            tokens: 0,
            who: [0; 3],
        };
        (0..CALLERS).for_each(|caller| story.renew(caller, 15));
        if matches!(beginning, Beginning::SignedIn | Beginning::WithoutCredentials) {
            story.restore();
        }
        story
    }

    pub(super) fn tell(mut self, steps: &[u64]) {
        for step in steps {
            self.step += 1;
            self.happen(Bits(*step));
        }
        self.step += 1;
        self.ends();
    }

    fn restore(&mut self) {
        let seconds = self.now.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let json = format!(
            r#"{{"base":"https://api.pointservices.com","username":"user-0","access_token":"stored","asked_at":{seconds},"expires_in":3600,"refresh_token":"stored-refresh","refresh_token_came_at":{seconds}}}"#
        );
        let stored = StoredTokens::from_json(json.as_bytes()).unwrap();
        self.session.restore(stored, self.now).unwrap();
        if let Some(model) = &mut self.model {
            model.restored("stored", "stored-refresh", Duration::from_secs(3600), self.now);
        }
        self.last_token = Some("stored".to_owned());
        self.last_refresh = Some("stored-refresh".to_owned());
    }

    fn happen(&mut self, mut bits: Bits) {
        match bits.below(64) {
            0..=17 => {
                let caller = bits.below(CALLERS);
                self.polls(caller);
            }
            18..=21 => {
                let caller = bits.below(CALLERS);
                self.waits_out(caller);
            }
            22..=29 => self.passes(bits.one_of(&PASSED), true),
            30 => {
                let caller = bits.below(CALLERS);
                let patience = bits.one_of(&[0, 1, 5, 100, 10_000]);
                self.renew(caller, patience);
            }
            31..=40 => self.gives_tokens(bits),
            41..=42 => self.answers(403, r#"{"error":"access_denied"}"#, None, &Meaning::Denial),
            43..=44 => {
                let (status, body) =
                    bits.one_of(&[(404, ""), (400, "{}"), (401, "<html>"), (200, "{}"), (204, "")]);
                self.answers(status, body, None, &Meaning::Refusal);
            }
            45..=47 => {
                let (status, body) = bits.one_of(&[
                    (503, ""),
                    (500, r#"{"error":"access_denied"}"#),
                    (403, "<html>"),
                    (408, ""),
                    (425, ""),
                    (200, "<html>"),
                    (302, ""),
                    (400, r#"{"error":"temporarily_unavailable"}"#),
                ]);
                self.answers(status, body, None, &Meaning::Passing(None));
            }
            48 => {
                let after = bits.one_of(&[1_u32, 7, 120, 3600, 1_000_000]);
                let meaning = Meaning::Passing(Some(Duration::from_secs(after.into())));
                self.answers(429, "", Some(after), &meaning);
            }
            49 => self.answers(504, "", None, &Meaning::Lost),
            50..=51 => self.gets_no_answer(bits.below(2) == 0),
            52..=53 => self.late_answer(bits),
            54..=55 => self.abandons(),
            56 => self.passes(bits.one_of(&PASSED), false),
            57 => {
                let back = bits.one_of(&PASSED);
                self.now.wall = self.now.wall.checked_sub(back).unwrap_or(self.now.wall);
            }
            58..=59 => self.rejects_the_last_token(),
            60 => self.rejects("token-1"),
            61 => self.changes_credentials(bits),
            62 => {
                self.session.reset();
                if let Some(model) = &mut self.model {
                    model.reset();
                }
            }
            _ => {
                let snapshot = self.session.snapshot(self.now);
                let good = self.model.as_ref().map(|model| model.token_is_good(self.now));
                assert!(good.is_none_or(|good| snapshot.token_left.is_some() == good));
            }
        }
    }

    fn renew(&mut self, caller: usize, patience: u64) {
        let deadline = self.now.monotonic.saturating_add(Duration::from_secs(patience));
        self.calls[caller] = (Call::until(deadline), CallFacts { deadline, began: self.step });
    }

    /// Whether it has to wait, and until when.
    fn polls(&mut self, caller: usize) -> Option<Duration> {
        let (call, facts) = &mut self.calls[caller];
        let facts = *facts;
        let reply = self.session.poll(self.now, call);
        if let Some(model) = &mut self.model {
            model.before_poll(self.now, self.step);
            model.check_reply(&reply, self.now, facts);
        }
        match reply {
            Ok(Action::Send(exchange)) => {
                if let Some((old, _)) = self.under_way.replace((exchange.id, exchange.kind)) {
                    self.old_ids.push(old);
                }
                assert!(!self.old_ids.contains(&exchange.id), "an id twice");
                None
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(time > self.now.monotonic || self.model.is_none(), "waits for the past");
                Some(time)
            }
            Ok(Action::GetCredentials(_)) => panic!("it has credentials, or none at all"),
            Ok(Action::Ready(_)) | Err(_) => {
                self.renew(caller, 15);
                None
            }
        }
    }

    /// Nothing happens but time, until this call has an end: which is by its deadline, and soon.
    fn waits_out(&mut self, caller: usize) {
        let by = self.calls[caller].1.deadline.max(self.now.monotonic);
        for _ in 0..20 {
            assert!(self.now.monotonic <= by, "waits beyond its deadline");
            let Some(time) = self.polls(caller) else { return };
            let passed = time.saturating_sub(self.now.monotonic);
            self.passes(passed, true);
        }
        assert!(self.model.is_none(), "a wait that nothing ends");
    }

    fn passes(&mut self, time: Duration, awake: bool) {
        if awake {
            self.now.monotonic = self.now.monotonic.saturating_add(time);
        }
        self.now.wall = self.now.wall.checked_add(time).unwrap_or(self.now.wall);
    }

    fn gives_tokens(&mut self, mut bits: Bits) {
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
                format!(r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":{life}}}"#)
            }
            None => format!(r#"{{"access_token":"{access}","expires_in":{life}}}"#),
        };
        self.last_token = Some(access.clone());
        self.last_refresh = refresh.clone().or(self.last_refresh.take());
        let life = Duration::from_secs(life.into());
        self.answers(200, &body, None, &Meaning::Tokens { access, refresh, life });
    }

    /// Whether something is under way, now that somebody has asked.
    fn is_sending(&mut self) -> bool {
        if self.under_way.is_none() {
            self.polls(0);
        }
        self.under_way.is_some()
    }

    fn answers(&mut self, status: u16, body: &str, retry_after: Option<u32>, meaning: &Meaning) {
        if !self.is_sending() {
            return;
        }
        let Some((id, _)) = self.under_way.take() else { return };
        self.old_ids.push(id);
        let outcome = self.session.handle_response(id, self.now, &response(status, body, retry_after));
        self.told(id, &outcome, |model, now, step| model.answered(meaning, &outcome, now, step));
    }

    fn gets_no_answer(&mut self, sent: bool) {
        if !self.is_sending() {
            return;
        }
        let Some((id, _)) = self.under_way.take() else { return };
        self.old_ids.push(id);
        let failure = if sent { Failure::maybe_sent() } else { Failure::not_sent() };
        let outcome = self.session.handle_failure(id, self.now, &failure);
        self.told(id, &outcome, |model, now, step| match sent {
            true => model.answered(&Meaning::Lost, &outcome, now, step),
            false => model.not_sent(&outcome, now, step),
        });
    }

    /// Tells the model what was told to the session, if the exchange was under way by the rules.
    fn told(&mut self, id: ExchangeId, outcome: &Outcome, tell: impl FnOnce(&mut Model, Now, usize)) {
        let Some(model) = &mut self.model else { return };
        match model.flight.as_ref().is_some_and(|flight| flight.id == id) {
            true => tell(model, self.now, self.step),
            false => assert!(matches!(outcome, Outcome::Ignored), "too late, and yet {outcome:?}"),
        }
    }

    fn late_answer(&mut self, mut bits: Bits) {
        if self.old_ids.is_empty() {
            return;
        }
        let id = self.old_ids[bits.below(self.old_ids.len())];
        let late = match bits.below(3) {
            0 => self.session.handle_failure(id, self.now, &Failure::maybe_sent()),
            1 => self.session.handle_response(id, self.now, &response(403, r#"{"error":"denied"}"#, None)),
            _ => {
                self.session.handle_response(id, self.now, &response(200, r#"{"access_token":"late"}"#, None))
            }
        };
        assert!(matches!(late, Outcome::Ignored), "too late, and yet {late:?}");
        let _outcome = self.session.abandon(id, self.now);
    }

    fn abandons(&mut self) {
        let Some((id, _)) = self.under_way.take() else { return };
        self.old_ids.push(id);
        let _outcome = self.session.abandon(id, self.now);
        if let Some(model) = &mut self.model
            && model.flight.as_ref().is_some_and(|flight| flight.id == id)
        {
            model.lost(self.now, self.step);
        }
    }

    fn rejects_the_last_token(&mut self) {
        if let Some(token) = self.last_token.clone() {
            self.rejects(&token);
        }
    }

    fn rejects(&mut self, token: &str) {
        self.session.invalidate(&AccessToken::new(token).unwrap(), self.now);
        if let Some(model) = &mut self.model {
            model.rejected(token, self.now, self.step);
        }
    }

    fn changes_credentials(&mut self, mut bits: Bits) {
        let mut who = self.who;
        let part = bits.below(4);
        if let Some(changed) = who.get_mut(part) {
            *changed = (*changed + 1) % 3;
        }
        self.session.set_credentials(credentials(who), self.now);
        if let Some(model) = &mut self.model {
            // Without credentials any are new.
            if who != self.who || !model.has_credentials {
                let same = std::array::from_fn(|part| who[part] == self.who[part]);
                model.new_credentials(self.now, self.step, same);
            }
        }
        self.who = who;
    }

    /// Nothing more happens: whoever asks now has an answer in the end, and the counts are right.
    fn ends(&mut self) {
        for caller in 0..CALLERS {
            self.renew(caller, 15);
            self.waits_out(caller);
        }
        let counts = self.session.snapshot(self.now).counts;
        if let Some(model) = &self.model {
            assert_eq!(counts.sign_ins + counts.refreshes, model.sends);
        }
        let _: Result<Action, SessionError> = self.session.poll(self.now, &mut Call::new());
    }
}
