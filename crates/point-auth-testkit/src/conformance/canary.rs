//! The secrets of the checks, each with the word `canary` in it, and the search for that word in
//! what is shown.

use std::error::Error;
use std::fmt::Debug;

use point_auth_transport::{Chain, TransportError};

pub(super) const USERNAME: &str = "canary-user-3b9f";
/// With characters that JSON, URLs and terminals treat in their own ways.
pub(super) const PASSWORD: &str = "canary-password \"81c4\" \\ %41 \u{fc}\u{1f511}";
pub(super) const TOKEN: &str = "canary-token-c0ffee";
pub(super) const HEADER: &str = "canary-header-55aa";
pub(super) const PROXY_USERNAME: &str = "canary-proxy-user";
pub(super) const PROXY_PASSWORD: &str = "canary:proxy@pass/word";
/// As in a URL.
pub(super) const PROXY_USERINFO: &str = "canary-proxy-user:canary%3Aproxy%40pass%2Fword";

/// The word itself; as a list of numbers, as `Debug` shows bytes.
const FORMS: [&str; 2] = ["canary", "99, 97, 110, 97, 114, 121"];
/// In hexadecimal digits, without what stands before or between the pairs.
const HEXADECIMAL: &str = "63616e617279";
/// In base64, of which there are three forms, by how much precedes the word. None has a digit that
/// the alphabet for URLs writes in another way.
const BASE64: [&str; 3] = ["y2fuyxj5", "nhbmfye", "jyw5hcn"];

/// Whether `shown` has a canary in any form.
pub(super) fn is_in(shown: &str) -> bool {
    let shown = shown.to_lowercase();
    // Pretty-printed byte lists have a number a line.
    let joined: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if FORMS.iter().any(|form| shown.contains(form) || joined.contains(form)) {
        return true;
    }
    // Lines of base64, and `63:61`, `%63%61`, `\x63\x61`, `0x63, 0x61`, `\u0063` and `&#x63;`.
    let solid: String = shown.split_whitespace().collect();
    let digits: String = solid
        .replace("0x", "")
        .replace("u00", "")
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect();
    BASE64.iter().any(|form| solid.contains(form)) || digits.contains(HEXADECIMAL)
}

/// Where a value shows a canary in its `Debug`, plain or pretty.
pub(super) fn in_debug<T: Debug + ?Sized>(value: &T) -> Option<&'static str> {
    [("{:?}", format!("{value:?}")), ("{:#?}", format!("{value:#?}"))]
        .into_iter()
        .find_map(|(how, shown)| is_in(&shown).then_some(how))
}

/// Where an error shows a canary: in itself or in any of its causes, those inside of an `io::Error`
/// included.
pub(super) fn in_error(error: &(dyn Error + 'static)) -> Option<String> {
    Chain::new(error).enumerate().find_map(|(depth, cause)| {
        let how = if is_in(&cause.to_string()) || is_in(&format!("{cause:#}")) {
            Some("{}")
        } else {
            in_debug(cause)
        };
        how.map(|how| format!("in `{how}` of the cause number {depth} of the error"))
    })
}

/// An error and its causes on one line, for a report.
pub(super) fn describe(error: &TransportError) -> String {
    let causes: Vec<String> = Chain::new(error).map(ToString::to_string).collect();
    let sent = if error.may_have_been_sent() { "may have been sent" } else { "not sent" };
    format!("{:?}, {sent} ({})", error.kind(), causes.join(": "))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        for before in ["", "a", "ab", "abc"] {
            let secret = format!("{before}canary{before}");
            assert!(is_in(&secret));
            assert!(is_in(&STANDARD.encode(&secret)));
            assert!(is_in(&format!("{:?}", secret.as_bytes())));
            assert!(is_in(&format!("{:#?}", secret.as_bytes())));
            assert!(is_in(&URL_SAFE_NO_PAD.encode(&secret)));
            let userinfo = STANDARD.encode(format!("{secret}:{secret}"));
            assert!(is_in(&format!("Basic {userinfo}")));
            let (start, rest) = userinfo.split_at(userinfo.len() / 2);
            assert!(is_in(&format!("{start}\r\n {rest}")));
        }
    }

    #[test]
    fn a_canary_in_hexadecimal_is_found_however_it_is_written() {
        let spelled = |spell: fn(u8) -> String| "a canary b".bytes().map(spell).collect::<String>();
        for shown in [
            spelled(|byte| format!("{byte:02x}")),
            spelled(|byte| format!("{byte:02X}")),
            spelled(|byte| format!("{byte:02x} ")),
            spelled(|byte| format!("{byte:02X}:")),
            spelled(|byte| format!("%{byte:02X}")),
            spelled(|byte| format!("\\x{byte:02x}")),
            spelled(|byte| format!("0x{byte:02x}, ")),
            spelled(|byte| format!("\\u{byte:04x}")),
            spelled(|byte| format!("&#x{byte:02x};")),
        ] {
            assert!(is_in(&shown), "{shown}");
        }
    }

    #[test]
    fn what_has_no_canary_is_let_pass() {
        assert!(!is_in("could not connect: connection refused (os error 111) [1, 2, 3] Y2Fu"));
    }

    #[test]
    fn a_canary_inside_of_an_io_error_is_found() {
        let inner = std::io::Error::other(std::io::Error::other("canary"));
        let error =
            TransportError::new(point_auth_transport::TransportErrorKind::Other).with_source(inner);
        assert!(in_error(&error).is_some());
    }
}
