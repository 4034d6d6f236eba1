//! Classifies libcurl's errors by the contract, and keeps none of their text.

use std::time::Duration;

use curl::Error;
use curl::easy::Easy2;
use point_auth::transport::{
    ScrubbedError, TransportError, TransportErrorKind, TransportErrorReason,
};

use super::exchange::Exchange;

/// Classifies a failed transfer.
pub(super) fn of(error: &Error, easy: &Easy2<&mut Exchange>, is_proxied: bool) -> TransportError {
    let exchange = easy.get_ref();
    let tunnel_stands = !is_proxied || easy.http_connectcode().is_ok_and(|status| status == 200);
    let failure = exchange.failure().unwrap_or_else(|| kind_of(error, tunnel_stands));
    if exchange.is_certainly_unsent() || was_before_tcp(easy) || !tunnel_stands {
        failure.not_sent()
    } else {
        failure
    }
}

/// Returns whether there was no TCP connection, so that another address may be tried.
pub(super) fn was_before_tcp(easy: &Easy2<&mut Exchange>) -> bool {
    easy.get_ref().failure().is_none()
        && easy.connect_time().is_ok_and(|time| time == Duration::ZERO)
}

/// Classifies an option that libcurl rejects, before anything happened.
pub(super) fn of_an_option(error: &Error) -> TransportError {
    let why = if error.is_unknown_option() {
        "this libcurl is too old, or built without what is needed"
    } else {
        "libcurl refuses the request"
    };
    because(TransportErrorKind::Other, why).not_sent()
}

fn kind_of(error: &Error, tunnel_stands: bool) -> TransportError {
    use TransportErrorKind::{Connect, Other, Protocol, Timeout, Tls};
    if error.is_operation_timedout() {
        return Timeout.into();
    }
    if !tunnel_stands {
        return TransportErrorReason::ProxyTunnel.into();
    }
    if error.is_couldnt_resolve_host() {
        return TransportErrorReason::NameLookup.into();
    }
    if error.is_couldnt_connect() {
        return Connect.into();
    }
    if error.is_ssl_connect_error() && says(error, &BROKE_OFF) {
        return because(Connect, "the connection broke off during the TLS handshake");
    }
    if is_tls(error) {
        return because(Tls, tls_reason(error));
    }
    // In TLS 1.3 a server reports a rejected client certificate only after our side of the
    // handshake.
    if (error.is_recv_error() || error.is_send_error()) && says(error, &["alert"]) {
        return because(Tls, "the server ended TLS with an alert");
    }
    if is_protocol(error) { Protocol.into() } else { Other.into() }
}

fn is_tls(error: &Error) -> bool {
    error.is_ssl_connect_error()
        || error.is_peer_failed_verification()
        || error.is_ssl_cacert()
        || error.is_ssl_certproblem()
        || error.is_ssl_cipher()
        || error.is_ssl_cacert_badfile()
        || error.is_ssl_issuer_error()
        || error.is_ssl_crl_badfile()
        || error.is_use_ssl_failed()
}

fn tls_reason(error: &Error) -> &'static str {
    if error.is_peer_failed_verification() || error.is_ssl_cacert() {
        "the server's certificate is not trusted, or not this host's"
    } else if error.is_ssl_certproblem() {
        "the client certificate or its key cannot be used"
    } else {
        "the TLS handshake failed"
    }
}

fn is_protocol(error: &Error) -> bool {
    error.is_got_nothing()
        || error.is_partial_file()
        || error.is_recv_error()
        || error.is_send_error()
        || error.is_send_fail_rewind()
        || error.is_http2_error()
        || error.is_http2_stream_error()
        || error.is_bad_content_encoding()
        // libcurl treats a response without a status line as HTTP/0.9.
        || error.is_unsupported_protocol()
        // An endless head, in versions without a separate number for it.
        || error.is_out_of_memory()
        || [CURLE_WEIRD_SERVER_REPLY, CURLE_TOO_LARGE].contains(&error.code())
}

// From curl.h; the crate has no names for them.
const CURLE_WEIRD_SERVER_REPLY: u32 = 8;
const CURLE_TOO_LARGE: u32 = 100;

/// Texts of OpenSSL's messages after the peer closed the connection.
const BROKE_OFF: [&str; 4] =
    ["unexpected eof", "SSL_ERROR_SYSCALL", "reset by peer", "Broken pipe"];

fn says(error: &Error, words: &[&str]) -> bool {
    error.extra_description().is_some_and(|text| words.iter().any(|word| text.contains(word)))
}

fn because(kind: TransportErrorKind, why: &'static str) -> TransportError {
    TransportError::new(kind).with_source(ScrubbedError::new(why))
}
