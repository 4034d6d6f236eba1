//! [`Access`]: who may use a listener. The rules for TCP hold against programs of other users, and
//! against pages in a browser of the same user.

use std::net::SocketAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, Version};

use crate::ClientKey;
use crate::headers::CLIENT_KEY;
use crate::refusal::Refusal;

/// The rules of one listener for its requests.
#[derive(Debug)]
pub(crate) enum Access {
    /// The system has said whose the peer is.
    Unix,
    Tcp {
        own: SocketAddr,
        key: Option<ClientKey>,
    },
}

impl Access {
    pub(crate) fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let host = host_of(head)?;
        let Self::Tcp { own, key } = self else { return Ok(()) };
        if let Some(key) = key {
            check_key(key, head)?;
        }
        if !host.is_some_and(|host| is_own(&host, *own)) {
            let description = "the host is not this proxy's: use localhost or its IP address";
            return Err(Refusal::forbidden("host", description));
        }
        if head.headers.keys().any(is_of_a_browser) {
            let description = "requests of web pages are not served";
            return Err(Refusal::forbidden("origin", description));
        }
        Ok(())
    }
}

fn check_key(key: &ClientKey, head: &Parts) -> Result<(), Refusal> {
    let mut shown = head.headers.get_all(CLIENT_KEY).iter();
    match (shown.next(), shown.next()) {
        (Some(one), None) if key.is(one) => Ok(()),
        (Some(_), Some(_)) => {
            Err(Refusal::forbidden("client_key", "there are several client keys"))
        }
        (Some(_), None) => Err(Refusal::forbidden("client_key", "the client key is wrong")),
        (None, _) => {
            let description = "the header Point-Auth-Client-Key is missing";
            Err(Refusal::forbidden("client_key", description))
        }
    }
}

/// Returns whether only a browser sends this header. `Sec-Fetch-Mode` is not among them: node's
/// `fetch` sends it as well, and a browser that sends it sends `Sec-Fetch-Site` too.
fn is_of_a_browser(name: &HeaderName) -> bool {
    name == ORIGIN || (name.as_str().starts_with("sec-fetch-") && name != "sec-fetch-mode")
}

/// Returns the one host that the request names, or `None` if it may name none (HTTP/1.0).
fn host_of(head: &Parts) -> Result<Option<Authority>, Refusal> {
    let wrong = |description| Refusal::bad_request("host", description);
    let mut hosts = head.headers.get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(wrong("there are several Host headers")),
        (Some(host), None) if host.is_empty() => None,
        (Some(host), None) => {
            let host = Authority::try_from(host.as_bytes());
            Some(host.map_err(|_| wrong("the Host header is not a host"))?)
        }
        (None, _) => None,
    };
    let of_the_target = head.uri.authority().filter(|_| head.version == Version::HTTP_2).cloned();
    match (named, of_the_target) {
        (Some(named), Some(other)) if !named.as_str().eq_ignore_ascii_case(other.as_str()) => {
            Err(wrong("the Host header differs from the authority"))
        }
        (None, None) if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) => {
            Err(wrong("the Host header is missing"))
        }
        (named, other) => Ok(named.or(other)),
    }
}

/// Returns whether the host is the listener's address, or a name of loopback with its port.
fn is_own(host: &Authority, own: SocketAddr) -> bool {
    let text = host.as_str();
    let Some(port) = text.strip_prefix(host.host()) else { return false };
    let is_port = match port.strip_prefix(':') {
        // Only digits: `u16::from_str` would accept a sign too.
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse() == Ok(own.port())
        }
        None => port.is_empty() && own.port() == 80,
    };
    let ip = own.ip();
    let address = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    is_port && (host.host().eq_ignore_ascii_case("localhost") || host.host() == address)
}
