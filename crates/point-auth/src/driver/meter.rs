//! What is recorded by `metrics`: exchanges, rejected tokens, the store, and two gauges.
//!
//! Nothing here is given an alias, a username, a token or a URL, so that none can become a label.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use metrics::{Gauge, Label, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use point_auth_core::session::{ExchangeKind, Lease, Outcome};

use super::names;

const DURATION: &str = "point_auth.exchange.duration";
const WITHHELD: &str = "point_auth.exchange.withheld";
const REJECTED: &str = "point_auth.token.rejected";
const ADOPTED: &str = "point_auth.token.adopted";
const EXPIRY: &str = "point_auth.token.expiry";
const DENIED: &str = "point_auth.denied";
const STORE_EVENTS: &str = "point_auth.store.events";

/// Records for the sessions of one builder. A panic of the recorder is caught and ignored.
pub(crate) struct Meter {
    /// The program's own.
    labels: Vec<Label>,
    /// Whether it is for a login with many aliases, of which no token is shown.
    is_of_many: bool,
}

impl Meter {
    /// Describes all metrics, and starts those whose labels are known at zero.
    pub(crate) fn new(labels: Vec<Label>, is_of_many: bool) -> Self {
        let meter = Self { labels, is_of_many };
        quietly(|| {
            describe();
            counter!(REJECTED, meter.labels([])).increment(0);
            counter!(ADOPTED, meter.labels([])).increment(0);
            gauge!(DENIED, meter.labels([])).increment(0.0);
            if !is_of_many {
                gauge!(EXPIRY, meter.labels([])).set(0.0);
            }
        });
        meter
    }

    fn labels<const N: usize>(&self, own: [Label; N]) -> Vec<Label> {
        let mut labels = Vec::with_capacity(self.labels.len().saturating_add(N).saturating_add(1));
        labels.extend(own);
        labels.extend(self.labels.iter().cloned());
        labels
    }

    /// An exchange has ended whose request was about to be sent.
    pub(super) fn exchange_ended(&self, kind: ExchangeKind, outcome: &Outcome, took: Duration) {
        let mut labels = self.labels([
            Label::from_static_parts("kind", names::kind(kind)),
            Label::from_static_parts("outcome", names::outcome(outcome)),
        ]);
        labels.extend(names::error_type(outcome).map(error_type));
        quietly(|| histogram!(DURATION, labels).record(took));
    }

    /// An exchange has ended before its request, or must not begin.
    pub(super) fn nothing_sent(&self, outcome: &Outcome) {
        if let Outcome::Adopted { .. } = outcome {
            quietly(|| counter!(ADOPTED, self.labels([])).increment(1));
        }
        if let Some(error) = names::error_type(outcome) {
            quietly(|| counter!(WITHHELD, self.labels([error_type(error)])).increment(1));
        }
    }

    /// The API has rejected the current token.
    pub(super) fn token_rejected(&self) {
        quietly(|| counter!(REJECTED, self.labels([])).increment(1));
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
        let label = Label::from_static_parts("event", event);
        quietly(|| counter!(STORE_EVENTS, self.labels([label])).increment(1));
    }
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

fn error_type(name: Cow<'static, str>) -> Label {
    Label::new("error.type", name)
}

fn quietly<T>(record: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(record)).ok()
}

/// What the gauges show of one session.
#[derive(Default)]
pub(super) struct Gauges {
    /// When the token ends, as the bits of Unix seconds. Zero: there is none.
    expiry: AtomicU64,
    is_denied: AtomicBool,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    expiry: Option<u64>,
    denied: Option<DeniedSession>,
    /// Whether a thread is at it, outside of the lock. It looks for changes afterwards.
    is_busy: bool,
}

impl Gauges {
    /// Notes what is to be shown. It runs within the lock of the session, so it records nothing.
    pub(super) fn note(&self, lease: Option<&Lease>, is_denied: bool) {
        let since_1970 = |lease: &Lease| lease.expires_at.duration_since(UNIX_EPOCH).ok();
        let expiry = lease.and_then(since_1970).unwrap_or_default().as_secs_f64();
        self.expiry.store(expiry.to_bits(), Ordering::Relaxed);
        self.is_denied.store(is_denied, Ordering::Relaxed);
    }

    /// Shows what was noted last.
    pub(super) fn show(&self, meter: &Meter) {
        let mut shown = self.lock();
        if shown.is_busy {
            return;
        }
        shown.is_busy = true;
        loop {
            let expiry = self.expiry.load(Ordering::Relaxed);
            let is_denied = self.is_denied.load(Ordering::Relaxed);
            if shown.expiry == Some(expiry) && shown.denied.is_some() == is_denied {
                break;
            }
            let has_other_expiry = shown.expiry.replace(expiry) != Some(expiry);
            let denied = shown.denied.take();
            drop(shown);
            if has_other_expiry && !meter.is_of_many {
                let seconds = f64::from_bits(expiry);
                quietly(|| gauge!(EXPIRY, meter.labels([])).set(seconds));
            }
            let denied = match is_denied {
                true => denied.or_else(|| Some(DeniedSession::new(meter))),
                false => None,
            };
            shown = self.lock();
            shown.denied = denied;
        }
        shown.is_busy = false;
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session in the count of those that are denied. It keeps the gauge that has counted it, so
/// that a recorder which came later does not count it out.
struct DeniedSession(Option<Gauge>);

impl DeniedSession {
    fn new(meter: &Meter) -> Self {
        Self(quietly(|| {
            let gauge = gauge!(DENIED, meter.labels([]));
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
