//! The classification of an HTTP client's error, at any depth, and the parts that are repeated.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use point_auth_transport::{Chain, ScrubbedError, TransportError, TransportErrorKind};
use proptest::prelude::*;

use crate::{CANARY, printed};

/// An HTTP client's error, which quotes secrets.
#[derive(Debug)]
struct ClientError(Option<Box<dyn Error + Send + Sync>>);

impl ClientError {
    fn around(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Some(source.into()))
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error sending request for url (https://user:{CANARY}@example.com/)")
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

fn untrusted() -> rustls::Error {
    rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)
}

fn kind(error: &(dyn Error + 'static)) -> TransportErrorKind {
    TransportError::classify(error, TransportErrorKind::Other).kind()
}

#[test]
fn a_tls_error_is_found_two_io_errors_deep() {
    let inner = io::Error::new(ErrorKind::InvalidData, untrusted());
    let error = ClientError::around(io::Error::other(inner));
    assert_eq!(kind(&error), TransportErrorKind::Tls);
    assert!(Chain::new(&error).any(|cause| cause.is::<rustls::Error>()));
}

#[test]
fn a_tls_error_takes_precedence_over_the_io_errors_around_it() {
    for around in [ErrorKind::TimedOut, ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset] {
        assert_eq!(kind(&io::Error::new(around, untrusted())), TransportErrorKind::Tls, "{around}");
    }
}

#[test]
fn the_kinds_of_io_errors_are_the_kinds_of_transport_errors() {
    use TransportErrorKind::{Connect, Other, Protocol, Timeout};
    let table = [
        (ErrorKind::TimedOut, Timeout),
        (ErrorKind::WouldBlock, Timeout),
        (ErrorKind::ConnectionRefused, Connect),
        (ErrorKind::HostUnreachable, Connect),
        (ErrorKind::NetworkUnreachable, Connect),
        (ErrorKind::ConnectionReset, Protocol),
        (ErrorKind::BrokenPipe, Protocol),
        (ErrorKind::UnexpectedEof, Protocol),
        (ErrorKind::InvalidData, Protocol),
        (ErrorKind::PermissionDenied, Other),
        (ErrorKind::Other, Other),
    ];
    for (io_kind, expected) in table {
        assert_eq!(kind(&ClientError::around(io::Error::from(io_kind))), expected, "{io_kind}");
    }
}

#[test]
fn a_connection_that_breaks_during_the_handshake_was_never_established() {
    let reset = io::Error::from(ErrorKind::ConnectionReset);
    let classified = TransportError::classify(&reset, TransportErrorKind::Connect);
    assert_eq!(classified.kind(), TransportErrorKind::Connect);
    let timeout = TransportError::classify(
        &io::Error::from(ErrorKind::TimedOut),
        TransportErrorKind::Connect,
    );
    assert_eq!(timeout.kind(), TransportErrorKind::Timeout);
}

#[test]
fn an_error_without_a_known_cause_has_the_fallback_kind() {
    let error = ClientError(None);
    assert_eq!(
        TransportError::classify(&error, TransportErrorKind::Protocol).kind(),
        TransportErrorKind::Protocol
    );
}

#[test]
fn messages_of_tls_and_the_operating_system_are_kept_and_those_of_a_client_are_not() {
    let unreachable = io::Error::from_raw_os_error(101);
    let expected = unreachable.to_string();
    for (error, kept) in [
        (
            ClientError::around(io::Error::other(ClientError::around(unreachable))),
            expected.as_str(),
        ),
        (ClientError::around(io::Error::other(untrusted())), "UnknownIssuer"),
        (ClientError::around(ScrubbedError::new("the proxy said no")), "the proxy said no"),
    ] {
        let text = printed(&TransportError::classify(&error, TransportErrorKind::Other));
        assert!(text.contains(kept), "{text}");
        assert!(!text.contains(CANARY) && !text.contains("example.com"), "{text}");
    }
}

#[test]
fn an_io_error_with_its_own_text_keeps_only_its_kind() {
    let error = io::Error::new(ErrorKind::InvalidData, format!("cannot parse {CANARY}"));
    let text = printed(&TransportError::classify(&error, TransportErrorKind::Other));
    assert!(text.contains(&ErrorKind::InvalidData.to_string()) && !text.contains(CANARY), "{text}");
}

#[test]
fn an_error_without_harmless_text_has_no_source() {
    let error = TransportError::classify(&ClientError(None), TransportErrorKind::Other);
    assert!(error.source().is_none());
    assert!(ScrubbedError::of(&io::Error::other(CANARY)).is_none());
}

#[test]
fn text_of_a_hostile_peer_is_cut_and_has_no_control_characters() {
    let long = format!("\u{1b}[2J{}", "x".repeat(10_000));
    let scrubbed = ScrubbedError::of(&rustls::Error::General(long)).unwrap().to_string();
    assert!(scrubbed.chars().count() <= 300 && !scrubbed.contains('\u{1b}'), "{scrubbed}");
}

/// An error that is its own cause.
#[derive(Debug)]
struct Circle;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circle")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn a_chain_that_leads_back_to_itself_ends() {
    assert_eq!(Chain::new(&Circle).count(), 32);
    assert_eq!(kind(&Circle), TransportErrorKind::Other);
}

#[test]
fn a_request_may_have_been_sent_unless_the_contrary_is_certain() {
    let error = TransportError::new(TransportErrorKind::Timeout);
    assert!(error.may_have_been_sent());
    assert!(!error.not_sent().may_have_been_sent());
}

#[test]
fn only_temporary_failures_are_retryable() {
    use TransportErrorKind::{Connect, Other, Protocol, Timeout, Tls, TooLarge};
    assert!([Connect, Timeout, Protocol].into_iter().all(TransportErrorKind::is_retryable));
    assert!(![Tls, TooLarge, Other].into_iter().any(TransportErrorKind::is_retryable));
}

proptest! {
    #[test]
    fn no_nesting_hides_a_tls_error_or_lets_a_clients_text_through(layers in prop::collection::vec(any::<bool>(), 0..15)) {
        let mut error: Box<dyn Error + Send + Sync> = Box::new(untrusted());
        for is_io in layers {
            error = if is_io { Box::new(io::Error::other(error)) } else { Box::new(ClientError(Some(error))) };
        }
        let classified = TransportError::classify(&*error, TransportErrorKind::Other);
        prop_assert_eq!(classified.kind(), TransportErrorKind::Tls);
        let text = printed(&classified);
        prop_assert!(text.contains("UnknownIssuer") && !text.contains(CANARY), "{}", text);
    }
}
