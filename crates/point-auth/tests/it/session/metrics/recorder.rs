//! A recorder that a test reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

#[derive(Clone, Default)]
pub(super) struct Recorded(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    described: BTreeMap<String, (&'static str, Option<Unit>, String)>,
    values: BTreeMap<Entry, f64>,
}

/// A metric with its labels, each as `name=value`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
}

impl Recorded {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a counter or a gauge, or how many values a histogram has.
    pub(super) fn value(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let labels = labels.iter().map(ToString::to_string).collect();
        self.book().values.get(&Entry { name: name.to_owned(), labels }).copied()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.book().values.keys().cloned().collect()
    }

    /// The type, the unit and the description of a metric.
    pub(super) fn described(&self, name: &str) -> (&'static str, &'static str, String) {
        let book = self.book();
        let (kind, unit, description) = book.described.get(name).unwrap();
        (kind, unit.unwrap().as_str(), description.clone())
    }

    fn describe(&self, kind: &'static str, key: &KeyName, unit: Option<Unit>, text: SharedString) {
        let described = (kind, unit, text.into_owned());
        self.book().described.insert(key.as_str().to_owned(), described);
    }

    fn handle(&self, key: &Key) -> Arc<Handle> {
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        let entry = Entry { name: key.name().to_owned(), labels: labels.collect() };
        self.book().values.entry(entry.clone()).or_default();
        Arc::new(Handle { recorded: self.clone(), entry })
    }
}

struct Handle {
    recorded: Recorded,
    entry: Entry,
}

impl Handle {
    fn update(&self, update: impl FnOnce(f64) -> f64) {
        let mut book = self.recorded.book();
        let value = book.values.entry(self.entry.clone()).or_default();
        *value = update(*value);
    }
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.update(|before| before + value as f64);
    }

    fn absolute(&self, value: u64) {
        self.update(|_| value as f64);
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.update(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.update(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.update(|_| value);
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{value} s");
        self.update(|count| count + 1.0);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("counter", &key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("gauge", &key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("histogram", &key, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.handle(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.handle(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.handle(key))
    }
}

/// A recorder of which nothing works.
pub(super) struct Panics;

impl Recorder for Panics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("no descriptions");
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("no descriptions");
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("no descriptions");
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        panic!("no counters");
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("no gauges");
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("no histograms");
    }
}
