//! What is recorded by `metrics`: exchanges, rejected tokens, the store, and two gauges.
//!
//! Nothing here is given an alias, a username, a token or a URL, so that none can become a label.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use metrics::{
    Counter, Gauge, Histogram, Key, Label, Level, Metadata, Unit, describe_counter, describe_gauge,
    describe_histogram, with_recorder,
};
use point_auth_core::session::{ExchangeKind, Lease, Outcome, SessionMachine};

use super::names;

const DURATION: &str = "point_auth.exchange.duration";
const WITHHELD: &str = "point_auth.exchange.withheld";
const REJECTED: &str = "point_auth.token.rejected";
const ADOPTED: &str = "point_auth.token.adopted";
const EXPIRY: &str = "point_auth.token.expiry";
const DENIED: &str = "point_auth.denied";
const STORE_EVENTS: &str = "point_auth.store.events";

static METADATA: Metadata<'static> = Metadata::new("point_auth", Level::INFO, Some(module_path!()));

/// Labels that metrics have by themselves, or that Prometheus adds: one name twice makes a whole
/// page unreadable.
const TAKEN: [&str; 7] = ["kind", "outcome", "error.type", "error_type", "event", "le", "quantile"];

/// Adds a label of the program's. It replaces one of the same name.
pub(crate) fn add_label(labels: &mut Vec<Label>, label: Label) {
    if !TAKEN.contains(&label.key()) {
        labels.retain(|other| other.key() != label.key());
        labels.push(label);
    }
}

/// Records for the sessions of one builder. A panic of the recorder is caught and ignored.
///
/// The keys of what is recorded again and again are built once.
pub(crate) struct Meter {
    /// The program's own.
    labels: Vec<Label>,
    signed_in: Key,
    refreshed: Key,
    rejected: Key,
    adopted: Key,
    denied: Key,
    /// None for a login with many aliases, of which no token is shown.
    expiry: Option<Key>,
}

impl Meter {
    /// Describes all metrics, and starts those whose labels are known at zero.
    pub(crate) fn new(labels: Vec<Label>, is_of_many: bool) -> Self {
        let key = |name, own: &[Label]| key(name, own, &labels);
        let renewed = |kind| key(DURATION, &[of_kind(kind), RENEWED]);
        let meter = Self {
            signed_in: renewed(ExchangeKind::SignIn),
            refreshed: renewed(ExchangeKind::Refresh),
            rejected: key(REJECTED, &[]),
            adopted: key(ADOPTED, &[]),
            denied: key(DENIED, &[]),
            expiry: (!is_of_many).then(|| key(EXPIRY, &[])),
            labels,
        };
        quietly(|| {
            describe();
            counter(&meter.rejected).increment(0);
            counter(&meter.adopted).increment(0);
            gauge(&meter.denied).increment(0.0);
            meter.expiry.iter().for_each(|key| gauge(key).set(0.0));
        });
        meter
    }

    /// An exchange has ended whose request was about to be sent.
    pub(super) fn exchange_ended(&self, kind: ExchangeKind, outcome: &Outcome, took: Duration) {
        let record = |key: &Key| quietly(|| histogram(key).record(took));
        match (outcome, kind) {
            (Outcome::Renewed { .. }, ExchangeKind::SignIn) => record(&self.signed_in),
            (Outcome::Renewed { .. }, _) => record(&self.refreshed),
            _ => {
                let name = Label::from_static_parts(OUTCOME, names::outcome(outcome));
                let mut own = vec![of_kind(kind), name];
                own.extend(names::error_type(outcome).map(of_type));
                record(&key(DURATION, &own, &self.labels))
            }
        };
    }

    /// An exchange has ended before its request, or must not begin.
    pub(super) fn nothing_sent(&self, outcome: &Outcome) {
        if let Outcome::Adopted { .. } = outcome {
            count(&self.adopted);
        }
        if let Some(error) = names::error_type(outcome) {
            count(&key(WITHHELD, &[of_type(error)], &self.labels));
        }
    }

    /// The API has rejected the current token.
    pub(super) fn token_rejected(&self) {
        count(&self.rejected);
    }

    #[cfg(feature = "store")]
    pub(super) fn store_event(&self, event: &crate::StoreEvent) {
        use crate::StoreEvent;
        let event = match event {
            StoreEvent::Unavailable(_) => "unavailable",
            StoreEvent::Unreadable(_) => "unreadable",
            StoreEvent::Alone(_) => "alone",
            StoreEvent::Reset => "reset",
        };
        count(&key(STORE_EVENTS, &[Label::from_static_parts("event", event)], &self.labels));
    }
}

const OUTCOME: &str = "outcome";
const RENEWED: Label = Label::from_static_parts(OUTCOME, "renewed");

fn of_kind(kind: ExchangeKind) -> Label {
    Label::from_static_parts("kind", names::kind(kind))
}

fn of_type(error: Cow<'static, str>) -> Label {
    Label::new("error.type", error)
}

fn key(name: &'static str, own: &[Label], labels: &[Label]) -> Key {
    Key::from_parts(name, [own, labels].concat())
}

fn counter(key: &Key) -> Counter {
    with_recorder(|recorder| recorder.register_counter(key, &METADATA))
}

fn gauge(key: &Key) -> Gauge {
    with_recorder(|recorder| recorder.register_gauge(key, &METADATA))
}

fn histogram(key: &Key) -> Histogram {
    with_recorder(|recorder| recorder.register_histogram(key, &METADATA))
}

fn count(key: &Key) {
    quietly(|| counter(key).increment(1));
}

fn describe() {
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time from the start of a request for tokens to the end of its response"
    );
    describe_counter!(
        WITHHELD,
        Unit::Count,
        "Exchanges that were due and of which nothing was sent"
    );
    describe_counter!(
        REJECTED,
        Unit::Count,
        "Current access tokens that the API answered with 401"
    );
    describe_counter!(ADOPTED, Unit::Count, "Tokens taken over from another process, by the store");
    describe_counter!(STORE_EVENTS, Unit::Count, "What sessions found out about the token store");
    describe_gauge!(EXPIRY, Unit::Seconds, "Unix time at which the current access token ends");
    describe_gauge!(DENIED, Unit::Count, "Sessions whose sign-ins are stopped by a denial");
}

fn quietly<T>(record: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(record)).ok()
}

/// What there is to show of one session, as of its last change. It is small, since each of many
/// aliases has two of them.
///
/// The first bit is whether the session is denied. The others are when its token ends, in
/// milliseconds since 1970, or 0 without a token.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Seen(u64);

impl Seen {
    const DENIED: u64 = 1 << 63;

    pub(super) fn of(lease: Option<&Lease>, session: &SessionMachine) -> Self {
        let since_1970 = lease.and_then(|lease| lease.expires_at.duration_since(UNIX_EPOCH).ok());
        let ends = since_1970.map_or(0, |since| {
            since.as_secs().saturating_mul(1000).saturating_add(since.subsec_millis().into())
        });
        let denied = if session.denial().is_some() { Self::DENIED } else { 0 };
        Self(ends.min(Self::DENIED - 1) | denied)
    }

    const fn is_denied(self) -> bool {
        self.0 & Self::DENIED != 0
    }

    /// Returns when the token ends.
    const fn ends(self) -> Duration {
        Duration::from_millis(self.0 & !Self::DENIED)
    }
}

/// What the gauges show of one session.
#[derive(Default)]
pub(super) struct Gauges(Mutex<Shown>);

#[derive(Default)]
struct Shown {
    seen: Seen,
    denied: Option<Box<DeniedSession>>,
    /// Whether a thread is at it, outside of the lock. It looks for changes afterwards.
    is_busy: bool,
}

impl Gauges {
    /// Shows what `seen` returns. A recorder runs outside of all locks.
    pub(super) fn show(&self, meter: &Meter, seen: impl Fn() -> Seen) {
        let mut shown = self.lock();
        if shown.is_busy {
            return;
        }
        shown.is_busy = true;
        loop {
            let (now, before) = (seen(), shown.seen);
            if now == before {
                break;
            }
            shown.seen = now;
            let denied = shown.denied.take();
            drop(shown);
            if now.ends() != before.ends()
                && let Some(key) = &meter.expiry
            {
                quietly(|| gauge(key).set(now.ends()));
            }
            let denied = match now.is_denied() {
                true => denied.or_else(|| Some(Box::new(DeniedSession::new(meter)))),
                false => None,
            };
            shown = self.lock();
            shown.denied = denied;
        }
        shown.is_busy = false;
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session in the count of those that are denied. It keeps the gauge that has counted it, so
/// that a recorder which came later does not count it out.
struct DeniedSession(Option<Gauge>);

impl DeniedSession {
    fn new(meter: &Meter) -> Self {
        Self(quietly(|| {
            let gauge = gauge(&meter.denied);
            gauge.increment(1.0);
            gauge
        }))
    }
}

impl Drop for DeniedSession {
    fn drop(&mut self) {
        if let Some(gauge) = self.0.take() {
            quietly(|| gauge.decrement(1.0));
        }
    }
}
