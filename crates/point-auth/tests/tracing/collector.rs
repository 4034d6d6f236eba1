//! Collects the spans and events of point-auth in this process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span of point-auth.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    id: u64,
    pub(crate) declared: Vec<&'static str>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// How many spans and events of others were inside.
    pub(crate) children: usize,
}

#[derive(Default)]
struct Collected {
    spans: Vec<Span>,
    events: Vec<String>,
}

static COLLECTED: Mutex<Collected> =
    Mutex::new(Collected { spans: Vec::new(), events: Vec::new() });
static CHANGED: Condvar = Condvar::new();
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn collected() -> MutexGuard<'static, Collected> {
    COLLECTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One test's hold on what is collected.
pub(crate) struct Collector {
    _turn: MutexGuard<'static, ()>,
}

impl Collector {
    /// Starts anew. Only one test collects at a time.
    pub(crate) fn begin() -> Self {
        static BEGIN: Once = Once::new();
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        BEGIN.call_once(|| tracing::subscriber::set_global_default(ToCollected).unwrap());
        *collected() = Collected::default();
        Self { _turn: turn }
    }

    /// Returns the spans, once so many of them have an outcome.
    pub(crate) fn spans_until(&self, count: usize) -> Vec<Span> {
        let is_over = |span: &&Span| span.fields.contains_key("point_auth.outcome");
        let is_missing = |now: &mut Collected| now.spans.iter().filter(is_over).count() < count;
        let (now, timeout) =
            CHANGED.wait_timeout_while(collected(), Duration::from_secs(30), is_missing).unwrap();
        assert!(!timeout.timed_out(), "{:?}", now.spans);
        now.spans.clone()
    }

    /// Returns the events, each as its level, its message and its fields, once there are so many.
    pub(crate) fn events_until(&self, count: usize) -> Vec<String> {
        let is_missing = |now: &mut Collected| now.events.len() < count;
        let (now, timeout) =
            CHANGED.wait_timeout_while(collected(), Duration::from_secs(30), is_missing).unwrap();
        assert!(!timeout.timed_out(), "{:?}", now.events);
        now.events.clone()
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("point_auth")
}

struct ToCollected;

impl Subscriber for ToCollected {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        if is_ours(span.metadata()) {
            let mut fields = Fields::default();
            span.record(&mut fields);
            let declared = span.metadata().fields().iter().map(|field| field.name()).collect();
            collected().spans.push(Span { id, declared, fields: fields.0, children: 0 });
        } else {
            is_inside();
        }
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut collected = collected();
        if let Some(span) = collected.spans.iter_mut().find(|span| span.id == id.into_u64()) {
            let mut fields = Fields::default();
            values.record(&mut fields);
            span.fields.extend(fields.0);
        }
        CHANGED.notify_all();
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if !is_ours(event.metadata()) {
            return is_inside();
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let mut text = format!("{} {message}", event.metadata().level());
        for (name, value) in fields.0 {
            text.push_str(&format!(" {name}={value}"));
        }
        collected().events.push(text);
        CHANGED.notify_all();
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.retain(|one| *one != id.into_u64()));
    }
}

/// Another crate has said something on this thread.
fn is_inside() {
    let entered = ENTERED.with_borrow(Clone::clone);
    for span in collected().spans.iter_mut().filter(|span| entered.contains(&span.id)) {
        span.children += 1;
    }
}

/// The fields of a span or an event, as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
