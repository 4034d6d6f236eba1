//! [`Api`]: the server as the processes see it, and what it must never see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use point_auth::session::Outcome;
use point_auth::transport::{
    AsyncTransport, SendLimits, TransportError, TransportErrorKind, async_trait,
};
use point_auth::{Observer, SecretBody, StoreEvent};

use super::shaky::Shaky;
use super::world::World;

/// How long a token lives.
const LIFE: Duration = Duration::from_secs(3_600);
/// A permit lasts for 42 seconds, and an exchange starts within ten of them.
const PERMIT: Duration = Duration::from_secs(32);
/// After a failure a process leaves the store alone for at most 30 seconds.
const ALONE: Duration = Duration::from_secs(35);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Answers,
    /// A 503.
    IsBusy,
    /// It arrives, and there is no answer.
    IsLost,
    IsNotReached,
}

#[derive(Clone)]
pub(super) struct Api {
    world: World,
    state: Arc<Mutex<State>>,
}

struct State {
    takes: Duration,
    kind: Kind,
    password_is_right: bool,
    /// Changes with the password.
    version: usize,
    tokens: HashMap<String, Issued>,
    sign_ins: Vec<SignIn>,
    checked: usize,
    refreshes: usize,
    resets: usize,
    is_resetting: bool,
    /// Whether a reset may reach the store at any time.
    has_late_reset: bool,
    /// Whether the store knows that the password was denied.
    store_knows: bool,
    /// Processes that were denied: they must not send the password again.
    denied: Vec<usize>,
    /// Which process is in which place now.
    places: HashMap<usize, usize>,
}

#[derive(Clone, Copy)]
struct Issued {
    ends: Duration,
    version: usize,
}

#[derive(Clone, Copy, Debug)]
struct SignIn {
    process: usize,
    at: Duration,
    /// Until when no other one may start.
    until: Duration,
    /// Whether this process was denied before.
    was_denied: bool,
    /// Whether the store knew that the password is wrong.
    store_knows: bool,
}

impl Api {
    pub(super) fn new(world: &World, password_is_right: bool) -> Self {
        let state = State {
            takes: Duration::from_millis(100),
            kind: Kind::Answers,
            password_is_right,
            version: 0,
            tokens: HashMap::new(),
            sign_ins: Vec::new(),
            checked: 0,
            refreshes: 0,
            resets: 0,
            is_resetting: false,
            has_late_reset: false,
            store_knows: false,
            denied: Vec::new(),
            places: (0..super::PROCESSES).map(|place| (place, place)).collect(),
        };
        Self { world: world.clone(), state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of_process(&self, process: usize) -> Link {
        Link { api: self.clone(), process, told: Arc::default() }
    }

    pub(super) fn number(&self, place: usize) -> usize {
        self.lock().places[&place]
    }

    pub(super) fn moved(&self, place: usize, process: usize) {
        self.lock().places.insert(place, process);
    }

    pub(super) fn is_now(&self, takes: Duration, kind: Kind) {
        let mut state = self.lock();
        (state.takes, state.kind) = (takes, kind);
    }

    pub(super) fn change_password(&self) {
        let mut state = self.lock();
        state.password_is_right = !state.password_is_right;
        state.version += 1;
    }

    /// Until it has ended, a denial may be of before it or of after it: the permit of an exchange
    /// that begins now may be older.
    pub(super) fn reset_begins(&self, store: &Shaky) {
        self.was_reset(store);
        self.lock().is_resetting = true;
    }

    pub(super) fn reset_ended(&self, store: &Shaky) {
        self.was_reset(store);
        self.lock().is_resetting = false;
    }

    fn was_reset(&self, store: &Shaky) {
        let mut state = self.lock();
        state.resets += 1;
        // Otherwise the store is told of it at some later time.
        let is_told = store.disturbed().is_none_or(|time| time + ALONE < self.world.now());
        state.has_late_reset |= !is_told;
        state.store_knows = false;
        state.denied.clear();
    }

    pub(super) fn store_forgot(&self) {
        self.lock().store_knows = false;
    }

    /// What it has sent last counts as long as its permit lasts.
    pub(super) fn process_ended(&self, process: usize) {
        let now = self.world.now();
        let mut state = self.lock();
        let last = state.sign_ins.iter_mut().rev().find(|one| one.process == process);
        if let Some(last) = last.filter(|last| last.until > now) {
            last.until = last.at + PERMIT;
        }
    }

    pub(super) fn sign_ins(&self) -> usize {
        self.lock().sign_ins.len()
    }

    pub(super) fn refreshes(&self) -> usize {
        self.lock().refreshes
    }

    /// A caller uses this token now.
    pub(super) fn uses(&self, token: &str) {
        let (state, now) = (self.lock(), self.world.now());
        let ends = state.tokens[token].ends;
        assert!(now < ends, "a token is used {:?} after its end", now - ends);
    }

    /// Whether anything has arrived that must not.
    pub(super) fn check(&self, store: &Shaky) {
        let mut state = self.lock();
        let disturbed = store.disturbed();
        for place in state.checked..state.sign_ins.len() {
            let SignIn { process, at, was_denied, store_knows, .. } = state.sign_ins[place];
            assert!(!was_denied, "{process} was denied, and sends the password again at {at:?}");
            // A process that has seen the password accepted goes on while it cannot ask the store.
            let is_alone = disturbed.is_some_and(|time| time + ALONE >= at);
            assert!(!store_knows || is_alone, "{process} sends a denied password at {at:?}");
            let other = state.sign_ins[..place].iter().find(|other| other.until > at);
            let Some(other) = other else { continue };
            let is_excused = is_alone || disturbed.is_some_and(|time| time >= other.at);
            assert!(is_excused, "two passwords at once: {other:?}, and {at:?} by {process}");
        }
        state.checked = state.sign_ins.len();
    }
}

/// The way of one process to it.
#[derive(Clone)]
pub(super) struct Link {
    api: Api,
    process: usize,
    told: Arc<Mutex<Told>>,
}

/// What a session has told its observer.
#[derive(Default)]
struct Told {
    /// The number of resets when its exchange began.
    resets: usize,
    /// Whether the store has failed since the one before: then this one may be without it.
    store_failed: bool,
}

#[async_trait]
impl AsyncTransport for Link {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let is_sign_in = request.uri().path().ends_with("signInWithPassword");
        let body: serde_json::Value = serde_json::from_slice(request.body().as_ref()).unwrap();
        let (takes, kind, answer) = {
            let mut state = self.api.lock();
            let kind = state.kind;
            if kind == Kind::IsNotReached {
                return Err(TransportError::new(TransportErrorKind::Connect).not_sent());
            }
            let takes = state.takes.min(limits.total_timeout());
            let now = self.api.world.now();
            let is_good = if is_sign_in {
                let until = now + takes;
                let (process, store_knows) = (self.process, state.store_knows);
                let was_denied = state.denied.contains(&process);
                state.sign_ins.push(SignIn { process, at: now, until, was_denied, store_knows });
                state.password_is_right
            } else {
                state.refreshes += 1;
                let token = body["refresh_token"].as_str().unwrap().trim_start_matches("refresh-");
                state.tokens[token].version == state.version
            };
            let answer = if is_good {
                let token = format!("token-{}", state.tokens.len());
                let issued = Issued { ends: now + LIFE, version: state.version };
                state.tokens.insert(token.clone(), issued);
                Some(token)
            } else {
                None
            };
            let kind = if state.takes > limits.total_timeout() { Kind::IsLost } else { kind };
            (takes, kind, answer)
        };
        self.api.world.after(takes).await;
        let (status, body) = match (kind, answer) {
            (Kind::IsLost, _) => return Err(TransportError::new(TransportErrorKind::Timeout)),
            (Kind::IsBusy, _) => (StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned()),
            (_, Some(token)) => (
                StatusCode::OK,
                format!(
                    r#"{{"access_token":"{token}","refresh_token":"refresh-{token}","scope":"a","token_type":"Bearer","expires_in":3600}}"#
                ),
            ),
            (_, None) => (StatusCode::FORBIDDEN, r#"{"error":"access_denied"}"#.to_owned()),
        };
        let mut response = Response::new(SecretBody::new(body.into_bytes()));
        *response.status_mut() = status;
        Ok(response)
    }
}

impl Observer for Link {
    fn exchange_began(&self, _: Option<&str>, _: point_auth::session::ExchangeKind, _: u32) {
        let resets = self.api.lock().resets;
        self.told.lock().unwrap().resets = resets;
    }

    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        let mut told = self.told.lock().unwrap();
        let store_failed = std::mem::take(&mut told.store_failed);
        let Outcome::Denied { took, .. } = outcome else { return };
        let mut state = self.api.lock();
        if told.resets != state.resets || state.is_resetting || state.has_late_reset {
            return;
        }
        // It was told so by the API, or by the store.
        state.denied.push(self.process);
        if !took.is_zero() && !store_failed {
            state.store_knows = true;
        }
    }

    fn store_event(&self, _: Option<&str>, event: &StoreEvent) {
        if matches!(event, StoreEvent::Unavailable(_)) {
            self.told.lock().unwrap().store_failed = true;
        }
    }
}
