//! Which headers pass: those of the message, and none of the connection, the proxy or the client.

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderMap, HeaderName};

use crate::refusal::PROXY_ERROR;

/// What a client on TCP shows.
pub(crate) const CLIENT_KEY: HeaderName = HeaderName::from_static("point-auth-client-key");
/// The alias that a request is for, where the proxy serves several aliases.
pub(crate) const USER_ALIAS: HeaderName = HeaderName::from_static("point-auth-user-alias");

/// Headers of one connection (RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// What a request says to the proxy or about its client. The API gets none of it.
const OF_THE_CLIENT: [HeaderName; 11] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("cookie2"),
    HOST,
    // The proxy answers it.
    EXPECT,
    FORWARDED,
    VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    CLIENT_KEY,
    USER_ALIAS,
];

/// What a response says to another client than the proxy's.
const OF_THE_SERVER: [HeaderName; 4] = [
    SET_COOKIE,
    HeaderName::from_static("set-cookie2"),
    // It would lead clients past the proxy.
    HeaderName::from_static("alt-svc"),
    // Only the proxy sets it.
    PROXY_ERROR,
];

/// Removes from a request what must not reach the API.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_of_the_connection(headers);
    remove(headers, &OF_THE_CLIENT);
    remove_by_prefix(headers, &["proxy-", "x-forwarded-", "sec-fetch-"]);
}

/// Removes from a response what must not reach the client.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_of_the_connection(headers);
    remove(headers, &OF_THE_SERVER);
    remove_by_prefix(headers, &["proxy-"]);
}

fn remove_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    remove(headers, &named);
    remove(headers, &OF_A_CONNECTION);
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

fn remove_by_prefix(headers: &mut HeaderMap, prefixes: &[&str]) {
    let is_meant =
        |name: &&HeaderName| prefixes.iter().any(|prefix| name.as_str().starts_with(prefix));
    let names: Vec<HeaderName> = headers.keys().filter(is_meant).cloned().collect();
    remove(headers, &names);
}
