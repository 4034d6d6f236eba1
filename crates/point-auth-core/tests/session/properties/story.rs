//! A story made of numbers: each is one event of a session, reported to the model too.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{
    Action, Call, ExchangeId, Now, Policy, SessionError, SessionMachine, StoredTokens,
};
use point_auth_core::{AccessToken, BaseUrl};

use super::model::{CallFacts, Meaning, Model, Source};
use super::parts::{Bits, credentials};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Nothing,
    SignedIn,
    WithoutCredentials,
    OnDemand,
    /// Near the end of a clock, or by a policy of its own, the rules do not hold exactly, so that
    /// only panics, ids and overlapping exchanges are checked.
    AtAnEndOfTime,
}

const CALLERS: usize = 4;
/// When the stories begin.
const SINCE_1970: Duration = Duration::from_secs(1_767_225_600);

pub(super) struct Story {
    pub(super) session: SessionMachine,
    pub(super) model: Option<Model>,
    pub(super) now: Now,
    calls: [(Call, CallFacts); CALLERS],
    pub(super) step: usize,
    /// Exchanges that are over, and the names of earlier tokens.
    pub(super) old_ids: Vec<ExchangeId>,
    pub(super) in_flight: Option<ExchangeId>,
    /// The exchange that waits for credentials.
    pub(super) request: Option<ExchangeId>,
    pub(super) last_token: Option<String>,
    pub(super) last_refresh: Option<String>,
    pub(super) tokens: u32,
    pub(super) who: [u8; 3],
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

/// The default one every other time, or whatever the builder lets pass.
fn any_policy(bits: &mut Bits) -> Policy {
    if bits.below(2) == 0 {
        return Policy::default();
    }
    let policy = Policy::builder()
        .with_attempts(bits.one_of(&[0, 1, 3, u32::MAX]))
        .with_advisory_window(bits.one_of(&PASSED))
        .with_mandatory_window(bits.one_of(&PASSED))
        .with_exchange_timeout(bits.one_of(&PASSED))
        .with_longest_backoff(bits.one_of(&PASSED));
    policy.build().unwrap_or_default()
}

impl Story {
    pub(super) fn of(beginning: Beginning, seed: u64) -> Self {
        let mut bits = Bits(seed);
        let mut now = Now::new(Duration::from_secs(1_000_000), SystemTime::UNIX_EPOCH + SINCE_1970);
        let mut policy = Policy::default();
        if beginning == Beginning::AtAnEndOfTime {
            let margin = bits.one_of(&PASSED);
            now.monotonic = bits.one_of(&[Duration::ZERO, Duration::MAX - margin, Duration::MAX]);
            let far = Duration::from_secs(i64::MAX as u64);
            let end = SystemTime::UNIX_EPOCH.checked_add(far).unwrap_or(SystemTime::UNIX_EPOCH);
            let start = SystemTime::UNIX_EPOCH.checked_sub(far).unwrap_or(SystemTime::UNIX_EPOCH);
            now.wall = bits.one_of(&[start, SystemTime::UNIX_EPOCH, end]);
            now.wall = now.wall.checked_sub(margin).unwrap_or(now.wall);
            policy = any_policy(&mut bits);
        }
        let base = BaseUrl::production();
        let session = match beginning {
            Beginning::WithoutCredentials => {
                SessionMachine::without_credentials(base, policy, seed)
            }
            Beginning::OnDemand => SessionMachine::on_demand(base, policy, seed),
            _ => SessionMachine::new(base, credentials([0; 3]), policy, seed),
        };
        let model = Model::new(match beginning {
            Beginning::WithoutCredentials => Source::Nowhere,
            Beginning::OnDemand => Source::OnDemand,
            _ => Source::Here([0; 3]),
        });
        let facts = CallFacts { deadline: now.monotonic, began: 0 };
        let mut story = Self {
            session,
            model: (beginning != Beginning::AtAnEndOfTime).then_some(model),
            now,
            calls: std::array::from_fn(|_| (Call::new(), facts)),
            step: 0,
            old_ids: Vec::new(),
            in_flight: None,
            request: None,
            last_token: None,
            last_refresh: None,
            tokens: 0,
            who: [0; 3],
        };
        (0..CALLERS).for_each(|caller| story.renew(caller, 15));
        let has_stored = match beginning {
            Beginning::SignedIn | Beginning::WithoutCredentials => true,
            Beginning::OnDemand => seed.is_multiple_of(2),
            Beginning::Nothing | Beginning::AtAnEndOfTime => false,
        };
        if has_stored {
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
        match bits.below(68) {
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
                let timeout = bits.one_of(&[0, 1, 5, 100, 10_000]);
                self.renew(caller, timeout);
            }
            31..=40 => self.gives_tokens(bits),
            41..=42 => self.answers(403, r#"{"error":"access_denied"}"#, None, &Meaning::Denial),
            43..=44 => {
                let (status, body) =
                    bits.one_of(&[(404, ""), (400, "{}"), (401, "<html>"), (200, "{}"), (204, "")]);
                // With a success, no server asks for a delay.
                let after =
                    bits.one_of(&[None, None, Some(7_u32), Some(120)]).filter(|_| status > 299);
                let meaning =
                    Meaning::Refusal(after.map(|after| Duration::from_secs(after.into())));
                self.answers(status, body, after, &meaning);
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
                self.session.reset(self.now);
                if let Some(model) = &mut self.model {
                    model.reset();
                }
            }
            63..=66 => self.source_answers(bits),
            _ => {
                let snapshot = self.session.snapshot(self.now);
                let said = format!("{:?} {snapshot:?}", self.session);
                let secrets = ["password-", "token-", "refresh-"];
                assert!(!secrets.iter().any(|secret| said.contains(secret)), "a secret in {said}");
                let good = self.model.as_ref().map(|model| model.token_is_good(self.now));
                assert!(good.is_none_or(|good| snapshot.token_left.is_some() == good));
            }
        }
    }

    fn renew(&mut self, caller: usize, timeout: u64) {
        let deadline = self.now.monotonic.saturating_add(Duration::from_secs(timeout));
        self.calls[caller] = (Call::until(deadline), CallFacts { deadline, began: self.step });
    }

    /// Returns the time until which it has to wait, if it does.
    pub(super) fn polls(&mut self, caller: usize) -> Option<Duration> {
        let (call, facts) = &mut self.calls[caller];
        let facts = *facts;
        let reply = self.session.poll(self.now, call);
        if let Some(model) = &mut self.model {
            model.before_poll(self.now, self.step);
            model.check_reply(&reply, self.now, facts);
        }
        match reply {
            Ok(Action::Send(exchange)) => {
                self.begins(exchange.id);
                self.in_flight = Some(exchange.id);
                None
            }
            Ok(Action::WaitUntil(time)) => {
                assert!(
                    time > self.now.monotonic || self.model.is_none(),
                    "waits for a past moment"
                );
                Some(time)
            }
            Ok(Action::GetCredentials(request)) => {
                self.begins(request.id);
                self.request = Some(request.id);
                None
            }
            Ok(Action::Ready(_)) | Err(_) => {
                self.renew(caller, 15);
                None
            }
        }
    }

    fn begins(&mut self, id: ExchangeId) {
        self.old_ids.extend(self.in_flight.take());
        self.old_ids.extend(self.request.take());
        assert!(!self.old_ids.contains(&id), "a repeated id");
    }

    /// Only time passes until this call ends, which must be by its deadline, and soon.
    fn waits_out(&mut self, caller: usize) {
        let by = self.calls[caller].1.deadline.max(self.now.monotonic);
        for _ in 0..20 {
            assert!(self.now.monotonic <= by, "waits beyond its deadline");
            let Some(time) = self.polls(caller) else { return };
            let passed = time.saturating_sub(self.now.monotonic);
            self.passes(passed, true);
        }
        assert!(self.model.is_none(), "a wait without end");
    }

    fn passes(&mut self, time: Duration, awake: bool) {
        if let Some(model) = &mut self.model {
            model.rates.pass(time);
        }
        if awake {
            self.now.monotonic = self.now.monotonic.saturating_add(time);
        }
        self.now.wall = self.now.wall.checked_add(time).unwrap_or(self.now.wall);
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
            // Few enough for the ledger to remember them all.
            *changed = (*changed + 1) % if part == 1 { 3 } else { 2 };
        }
        self.who = who;
        // A source gives others from now on, mostly unnoticed.
        if self.model.as_ref().is_some_and(|model| model.source == Source::OnDemand)
            && bits.below(8) > 0
        {
            return;
        }
        self.session.set_credentials(credentials(who), self.now);
        if let Some(model) = &mut self.model {
            model.new_credentials(who, self.now, self.step);
        }
    }

    /// No more events: any caller gets a result in the end, and the counters are right.
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
