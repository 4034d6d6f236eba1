//! The path below which the API is served: what every client reads alike, in one form.

use crate::Error;

/// The most bytes of a base URL that the clients of this project take.
pub(super) const MOST_URL_BYTES: usize = 2048;

/// Returns the prefix without a slash at its end.
///
/// # Errors
/// [`Error::PathPrefix`] unless it is empty or an absolute path of RFC 3986 whose segments are
/// neither empty nor `.` nor `..`, however those are escaped.
pub(super) fn normal(prefix: &str) -> Result<String, Error> {
    let path = prefix.strip_suffix('/').unwrap_or(prefix);
    if path.is_empty() {
        return Ok(String::new());
    }
    let mut segments = path.split('/');
    let is_absolute = segments.next() == Some("");
    if is_absolute && segments.all(is_segment) {
        Ok(path.to_owned())
    } else {
        Err(Error::PathPrefix)
    }
}

fn is_segment(segment: &str) -> bool {
    let mut only_dots = true;
    let mut length = 0;
    let mut rest = segment.as_bytes();
    while let Some(&byte) = rest.first() {
        let escaped = match rest {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                Some([*high, low.to_ascii_lowercase()])
            }
            _ if is_plain(byte) => None,
            _ => return false,
        };
        only_dots &= escaped.map_or(byte == b'.', |digits| digits == *b"2e");
        length += 1;
        rest = rest.get(escaped.map_or(1, |_| 3)..).unwrap_or_default();
    }
    length > 0 && !(only_dots && length <= 2)
}

/// `pchar` of RFC 3986, without the escapes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}
