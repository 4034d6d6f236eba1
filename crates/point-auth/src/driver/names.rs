//! The names that spans and metrics have for an exchange and for what came of it.

use std::borrow::Cow;

use point_auth_core::ResponseError;
use point_auth_core::session::{AttemptError, ExchangeKind, Outcome};
use point_auth_transport::{TransportError, TransportErrorKind};

pub(super) const fn kind(kind: ExchangeKind) -> &'static str {
    match kind {
        ExchangeKind::SignIn => "sign_in",
        _ => "refresh",
    }
}

pub(super) const fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Renewed { .. } => "renewed",
        Outcome::Denied { .. } => "denied",
        Outcome::RefreshRefused { .. } => "refresh_refused",
        Outcome::Retrying { .. } => "retrying",
        Outcome::Failed { .. } => "failed",
        _ => "ignored",
    }
}

/// Returns the `error.type`: the status of an unexpected response, or the kind of the error in
/// snake case.
pub(super) fn error_type(outcome: &Outcome) -> Option<Cow<'static, str>> {
    match outcome {
        Outcome::Denied { .. } => Some(Cow::Borrowed("denied")),
        Outcome::RefreshRefused { error, .. } => Some(of_response(error)),
        Outcome::Retrying { error, .. } | Outcome::Failed { error, .. } => Some(of_attempt(error)),
        _ => None,
    }
}

fn of_attempt(error: &AttemptError) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        AttemptError::Response(error) => return of_response(error),
        AttemptError::Failure(failure) => match failure.source() {
            Some(source) => match source.downcast_ref::<TransportError>() {
                Some(error) => of_transport(error.kind()),
                #[cfg(feature = "store")]
                None if source.is::<crate::StoreUnavailable>() => "store",
                None => "credentials",
            },
            None => "outcome_unknown",
        },
        AttemptError::EndedOnArrival | AttemptError::SameToken | AttemptError::Rejected => {
            "useless_token"
        }
        AttemptError::Request(_) => "request",
        AttemptError::Held => "held",
        _ => "outcome_unknown",
    })
}

fn of_response(error: &ResponseError) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        ResponseError::Unexpected { status, .. } => {
            return Cow::Owned(status.as_u16().to_string());
        }
        ResponseError::Denied(_) => "denied",
        _ => "malformed",
    })
}

const fn of_transport(kind: TransportErrorKind) -> &'static str {
    match kind {
        TransportErrorKind::Connect => "connect",
        TransportErrorKind::Tls => "tls",
        TransportErrorKind::Timeout => "timeout",
        TransportErrorKind::TooLarge => "too_large",
        TransportErrorKind::Protocol => "protocol",
        _ => "transport",
    }
}
