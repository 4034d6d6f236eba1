//! [`Target`]: where a request goes. The server is fixed, and the path is one that every server
//! reads in the same way.

use http::uri::PathAndQuery;
use http::{Method, Uri, Version};
use point_auth::{BaseUrl, SignIn};

use crate::SetupError;
use crate::refusal::Refusal;

/// The API, and the part of it that clients may reach.
pub(crate) struct Target {
    base_url: BaseUrl,
    /// The path of the base URL.
    base_path: String,
    /// The folder of the sign-in operations, in lower case.
    sign_in: String,
    prefixes: Vec<String>,
}

impl Target {
    pub(crate) fn new(base_url: BaseUrl, prefixes: Vec<String>) -> Result<Self, SetupError> {
        for prefix in &prefixes {
            check_path(prefix).map_err(|_| SetupError::PathPrefix)?;
        }
        let prefixes = prefixes
            .into_iter()
            .map(|prefix| prefix.strip_suffix('/').unwrap_or(&prefix).to_owned())
            .collect();
        let uri: Uri = base_url.as_str().parse().map_err(|_| SetupError::BaseUrl)?;
        let base_path = uri.path().trim_end_matches('/').to_owned();
        // Without the operation and its version: there may be other versions.
        let sign_in = SignIn::PATH.rsplitn(3, '/').last().unwrap_or(SignIn::PATH);
        Ok(Self { base_url, base_path, sign_in: sign_in.to_ascii_lowercase(), prefixes })
    }

    pub(crate) const fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// Returns the URL at the API for the target of a request.
    pub(crate) fn url(&self, method: &Method, uri: &Uri, version: Version) -> Result<Uri, Refusal> {
        if method == Method::CONNECT || method == Method::TRACE {
            let description = "CONNECT and TRACE are not served";
            return Err(Refusal::new(http::StatusCode::NOT_IMPLEMENTED, "method", description));
        }
        // HTTP/2 has the authority in a field of its own, and the URI is put together from it.
        if version < Version::HTTP_2 && uri.authority().is_some() {
            let description = "the request's target is a path, not a URL: the server is fixed";
            return Err(Refusal::bad_request("absolute_form", description));
        }
        let path = uri.path();
        check_path(path).map_err(|why| Refusal::bad_request("path", why))?;
        if self.is_sign_in(path) {
            let description = "the proxy signs in by itself, and forwards no sign-in";
            return Err(Refusal::forbidden("sign_in_path", description));
        }
        if !self.prefixes.is_empty() && !self.prefixes.iter().any(|prefix| is_below(path, prefix)) {
            let description = "the path is not below one that this proxy serves";
            return Err(Refusal::forbidden("path_prefix", description));
        }
        let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let is_visible = path_and_query.bytes().all(|byte| byte.is_ascii_graphic());
        let url = format!("{}{path_and_query}", self.base_url);
        url.parse().ok().filter(|_| is_visible).ok_or_else(|| {
            Refusal::bad_request("path", "the query has a character that is not visible ASCII")
        })
    }

    /// Returns whether the path leads to the operations of sign-in, in any case and any escapes.
    fn is_sign_in(&self, path: &str) -> bool {
        let mut full = unescape(&format!("{}{path}", self.base_path));
        full.make_ascii_lowercase();
        full.push(b'/');
        let mut folder = self.sign_in.clone().into_bytes();
        folder.push(b'/');
        full.windows(folder.len()).any(|window| window == folder)
    }
}

/// Returns whether `path` is `prefix` itself, or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Checks that all servers read the path alike, so that none reads a way past the rules in it.
fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(rest) = path.strip_prefix('/') else { return Err("the path begins with a slash") };
    if rest.contains(';') {
        return Err("the path has no `;`, after which servers read parameters");
    }
    if !rest.bytes().all(is_path_byte) {
        return Err("the path has a character that a URL's path cannot have");
    }
    let mut escapes = rest.split('%');
    escapes.next();
    if !escapes.all(is_harmless_escape) {
        return Err("the path has no escaped slash, backslash, dot, semicolon, percent sign or \
                    control character, and no broken escape");
    }
    // An overlong form of a dot or a slash is none.
    if std::str::from_utf8(&unescape(rest)).is_err() {
        return Err("the path's escapes are UTF-8");
    }
    let segments = rest.strip_suffix('/').unwrap_or(rest);
    if !rest.is_empty() && segments.split('/').any(|one| matches!(one, "" | "." | "..")) {
        return Err("the path has no empty segment, and none of `.` or `..`");
    }
    Ok(())
}

/// The characters of a path by RFC 3986.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/%".contains(&byte)
}

/// Returns whether the text after a percent sign begins with an escape that hides nothing.
fn is_harmless_escape(after: &str) -> bool {
    let byte = after.get(..2).and_then(hex);
    byte.is_some_and(|byte| !byte.is_ascii_control() && !b"/\\.;%".contains(&byte))
}

fn hex(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Returns the path with its escapes replaced; [`check_path`] has found them complete.
fn unescape(path: &str) -> Vec<u8> {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(hex(digits));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// What paths are attacked with, and what they are made of.
    fn paths() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => prop::sample::select(vec![
                "/", "//", ".", "..", "%2e", "%2E", "%2f", "%5C", "%25", "%00", "%", "%4", ";", "\\",
                "?", "#", "@", ":", "%41", "%c3%a9", "%c0%ae", "a", "loans", "oauth2", " ", "\t", "\u{e9}",
            ])
            .prop_map(str::to_owned),
            1 => "[ -~]{1,3}",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        // About one in five passes.
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn a_path_that_passes_is_read_alike_and_unchanged_by_another_parser(path in paths()) {
            if check_path(&path).is_err() {
                return Ok(());
            }
            let url = Url::parse(&format!("https://api.example{path}")).unwrap();
            prop_assert_eq!(url.path(), &path);
            prop_assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("api.example"), None, None));
            // Nor does a server that unescapes it find another path in it.
            let plain = String::from_utf8(unescape(&path)).unwrap();
            prop_assert_eq!(plain.matches('/').count(), path.matches('/').count());
            prop_assert!(!plain.split('/').any(|segment| matches!(segment, "." | "..")));
            prop_assert!(!plain.contains(['\\', ';', '%']) && !plain.contains("//"));
        }
    }
}
