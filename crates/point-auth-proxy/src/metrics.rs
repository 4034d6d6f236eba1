//! [`Metrics`]: what is counted, in the text format of Prometheus. No label holds what a client or
//! a server says, but a status.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::refusal::Refusal;

/// From a local answer to the response timeout.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Error {
    error: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    responses: Family<Status, Counter>,
    errors: Family<Error, Counter>,
    retries: Counter,
    in_flight: Gauge,
    connections: Gauge,
    refused_peers: Counter,
    duration: Histogram,
}

/// A request that is counted as being in flight, until it is dropped.
pub(crate) struct InFlight(Gauge);

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("point_auth_proxy");
        let this = Self {
            responses: Family::default(),
            errors: Family::default(),
            retries: Counter::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            refused_peers: Counter::default(),
            duration: Histogram::new(SECONDS),
            registry: Registry::default(),
        };
        registry.register("responses", "Responses to clients, by status", this.responses.clone());
        registry.register(
            "errors",
            "Responses of the proxy's own, by their code",
            this.errors.clone(),
        );
        registry.register("retries", "Requests sent again after a 401", this.retries.clone());
        registry.register("requests_in_flight", "Requests in progress", this.in_flight.clone());
        registry.register("connections", "Connections of clients", this.connections.clone());
        registry.register(
            "refused_peers",
            "Connections of other users, closed at once",
            this.refused_peers.clone(),
        );
        registry.register(
            "response_seconds",
            "From a request's head to the response's head",
            this.duration.clone(),
        );
        Self { registry, ..this }
    }

    pub(crate) fn begin_request(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn begin_connection(&self) -> InFlight {
        self.connections.inc();
        InFlight(self.connections.clone())
    }

    pub(crate) fn responded(&self, status: http::StatusCode, after: Duration) {
        self.responses.get_or_create(&Status { code: status.as_u16() }).inc();
        self.duration.observe(after.as_secs_f64());
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.errors.get_or_create(&Error { error: refusal.code }).inc();
    }

    pub(crate) fn refused_peer(&self) {
        self.refused_peers.inc();
    }

    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    /// Returns all of it as text; `None` if it cannot be written, which only a lack of memory can
    /// cause.
    pub(crate) fn to_text(&self) -> Option<String> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).ok()?;
        Some(text)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
