//! Everything that is logged in this process by `log` and by `tracing`, at the most verbose level,
//! and everything that is measured by `metrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata as MetricMetadata, Recorder, SharedString,
    Unit,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::canaries;

/// One logged text.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    target: String,
    thread: ThreadId,
    text: String,
}

impl Line {
    pub(crate) fn new(target: &str, text: String) -> Self {
        Self { target: target.to_owned(), thread: thread::current().id(), text }
    }
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn keep(target: &str, text: String) {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).push(Line::new(target, text));
}

/// Starts listening. Only one test listens at a time, so that its records are its own.
pub(crate) fn begin() -> Listening {
    static BEGIN: Once = Once::new();
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    BEGIN.call_once(|| {
        log::set_logger(&ToLines).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        tracing::subscriber::set_global_default(ToLines).unwrap();
        metrics::set_global_recorder(ToLines).unwrap();
    });
    LINES.lock().unwrap_or_else(PoisonError::into_inner).clear();
    Listening { _turn: turn }
}

pub(crate) struct Listening {
    _turn: MutexGuard<'static, ()>,
}

impl Listening {
    fn so_far(&self) -> Heard {
        Heard::of(LINES.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.so_far().0.len()
    }

    pub(crate) fn targets(&self) -> BTreeSet<String> {
        self.so_far().0.into_iter().map(|line| line.target).collect()
    }

    /// Returns the texts of this target.
    pub(crate) fn texts_of(&self, target: &str) -> BTreeSet<String> {
        let lines = self.so_far().0.into_iter().filter(|line| line.target == target);
        lines.map(|line| line.text).collect()
    }

    pub(crate) fn secrets_of(&self, target: &str) -> Vec<&'static str> {
        self.so_far().secrets_of(target)
    }

    pub(crate) fn secrets(&self) -> Vec<(String, &'static str)> {
        self.so_far().secrets()
    }
}

/// The logged texts, in order.
pub(crate) struct Heard(Vec<Line>);

impl Heard {
    pub(crate) const fn of(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    /// Returns the secrets in the texts of this target.
    pub(crate) fn secrets_of(&self, target: &str) -> Vec<&'static str> {
        let all = self.secrets().into_iter();
        all.filter(|(said_by, _)| said_by == target).map(|(_, name)| name).collect()
    }

    /// Returns the secrets in the texts, and their targets, each once. The texts of a target on one
    /// thread are searched together, and as a dump, because a secret may span lines.
    pub(crate) fn secrets(&self) -> Vec<(String, &'static str)> {
        let mut by_speaker: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
        for line in &self.0 {
            let speaker = (line.target.as_str(), format!("{:?}", line.thread));
            by_speaker.entry(speaker).or_default().push(&line.text);
        }
        let mut found = BTreeSet::new();
        for ((target, _), lines) in by_speaker {
            let names = canaries::in_text(&lines.concat());
            let dumped = canaries::in_dump(lines.iter().copied());
            found.extend(names.into_iter().chain(dumped).map(|name| (target.to_owned(), name)));
        }
        found.into_iter().collect()
    }
}

/// The target of what is measured.
pub(crate) const METRICS: &str = "metrics";

/// Receives the records of all three.
struct ToLines;

impl log::Log for ToLines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        keep(record.target(), record.args().to_string());
    }

    fn flush(&self) {}
}

impl Subscriber for ToLines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        keep(span.metadata().target(), fields.0);
        // The identity of spans is never used.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        keep("a span", fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        keep(event.metadata().target(), fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Keeps the names, the labels and the descriptions.
impl Recorder for ToLines {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        keep(METRICS, format!("{} {description}", key.as_str()));
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        keep(METRICS, format!("{} {description}", key.as_str()));
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        keep(METRICS, format!("{} {description}", key.as_str()));
    }

    fn register_counter(&self, key: &Key, _: &MetricMetadata<'_>) -> Counter {
        keep(METRICS, key.to_string());
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &MetricMetadata<'_>) -> Gauge {
        keep(METRICS, key.to_string());
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &MetricMetadata<'_>) -> Histogram {
        keep(METRICS, key.to_string());
        Histogram::noop()
    }
}

/// The fields of a span or an event, as text.
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}
