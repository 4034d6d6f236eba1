//! What `tracing` hears of a session: a span for each exchange, and an event for what came of it.
//!
//! Neither a URL nor a header, a body or a username is in it. An alias is only on request.

use point_auth_core::Denial;
use point_auth_core::session::{Exchange, Outcome};
use tracing::field::Empty;
use tracing::{Span, debug, info, info_span, warn};

use super::{Driver, names};

/// What a filter of levels names.
const TARGET: &str = "point_auth";

/// Returns the span of an exchange that is about to be sent. Every field is declared here, and what
/// is known later is [recorded](ended).
pub(super) fn span(driver: &Driver, exchange: &Exchange) -> Span {
    let uri = exchange.request.uri();
    let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    // Numbers are signed, since those of OpenTelemetry are.
    let span = info_span!(
        target: TARGET,
        "point_auth.exchange",
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "http.request.method" = exchange.request.method().as_str(),
        "server.address" = uri.host(),
        "server.port" = i64::from(uri.port_u16().unwrap_or(default_port)),
        "http.response.status_code" = Empty,
        "error.type" = Empty,
        "point_auth.exchange.kind" = names::kind(exchange.kind),
        "point_auth.exchange.attempt" = i64::from(exchange.attempt),
        "point_auth.outcome" = Empty,
        "point_auth.user_alias" = Empty,
    );
    if driver.common.traces_aliases
        && !span.is_disabled()
        && let Some(alias) = driver.current_alias()
    {
        span.record("point_auth.user_alias", alias);
    }
    span
}

/// Records the status of the response.
pub(super) fn status(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
}

/// Records what came of the exchange, and says it.
pub(super) fn ended(span: &Span, outcome: &Outcome) {
    let error = names::error_type(outcome);
    if let Some(error) = &error {
        span.record("error.type", &**error);
        span.record("otel.status_code", "ERROR");
    }
    span.record("point_auth.outcome", names::outcome(outcome));
    let error = error.as_deref().unwrap_or_default();
    match outcome {
        Outcome::Renewed { tokens, .. } => {
            let expires_in = i64::try_from(tokens.expires_in().as_secs()).unwrap_or(i64::MAX);
            info!(target: TARGET, parent: span, expires_in, "point_auth: tokens renewed");
        }
        Outcome::Denied { denial, .. } => denied(span, denial),
        Outcome::RefreshRefused { .. } => {
            debug!(
                target: TARGET,
                parent: span,
                { "error.type" = error },
                "point_auth: refresh refused"
            );
        }
        Outcome::Retrying { at, .. } => {
            debug!(
                target: TARGET,
                parent: span,
                { "error.type" = error, until = %at },
                "point_auth: retrying"
            );
        }
        Outcome::Failed { until, .. } => {
            debug!(
                target: TARGET,
                parent: span,
                { "error.type" = error, until = %until },
                "point_auth: backing off"
            );
        }
        _ => {}
    }
}

/// The API has rejected the current token.
pub(super) fn token_rejected() {
    debug!(target: TARGET, "point_auth: token rejected by the API");
}

/// What a session found out about its store.
#[cfg(feature = "store")]
pub(super) fn store(event: &crate::StoreEvent) {
    use crate::StoreEvent;
    match event {
        StoreEvent::Unavailable(error) => {
            debug!(target: TARGET, %error, "point_auth: the token store is unavailable");
        }
        StoreEvent::Unreadable(reason) => {
            warn!(target: TARGET, %reason, "point_auth: a value in the token store is unreadable");
        }
        StoreEvent::Alone(reason) => {
            warn!(target: TARGET, %reason, "point_auth: going on without the token store");
        }
        StoreEvent::Reset => info!(target: TARGET, "point_auth: the login was reset"),
    }
}

fn denied(span: &Span, denial: &Denial) {
    let status = i64::from(denial.status().as_u16());
    warn!(
        target: TARGET,
        parent: span,
        { "http.response.status_code" = status },
        "point_auth: sign-in denied"
    );
}
