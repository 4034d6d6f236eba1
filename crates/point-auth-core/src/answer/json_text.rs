//! Reads the text of a JSON string without leaving a copy in memory.
//!
//! `serde_json` unescapes into a buffer that it does not wipe. So a string is taken as it is in the
//! body, and unescaped here into memory that is wiped.

use std::ops::Deref;

use memchr::memchr;
use zeroize::Zeroizing;

/// The text of a JSON string: borrowed from the body if nothing was escaped, otherwise wiped on
/// drop.
pub(crate) enum SecretText<'r> {
    Plain(&'r str),
    Unescaped(Zeroizing<String>),
}

impl Deref for SecretText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

/// Returns the text of `raw`, a valid JSON value. Returns `None` if it is not a string, or has half
/// of a surrogate pair.
pub(crate) fn text(raw: &str) -> Option<SecretText<'_>> {
    match has_escapes(raw.as_bytes()) {
        false => without_escapes(raw),
        true => unescape(inner(raw)?).map(SecretText::Unescaped),
    }
}

/// Returns the text of `raw`, a valid JSON value that is known to have no escapes.
pub(crate) fn without_escapes(raw: &str) -> Option<SecretText<'_>> {
    inner(raw).map(SecretText::Plain)
}

/// Returns whether a piece of JSON may have an escape.
pub(crate) fn has_escapes(json: &[u8]) -> bool {
    memchr(b'\\', json).is_some()
}

fn inner(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

fn unescape(escaped: &str) -> Option<Zeroizing<String>> {
    // No escape is shorter than its character, so this never grows.
    let mut text = Zeroizing::new(String::with_capacity(escaped.len()));
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (c, after) = escape(after)?;
        text.push(c);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// Returns the escaped character at the beginning of `text`, after the backslash, and the rest of
/// the text.
fn escape(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(chars.as_str()),
        _ => return None,
    };
    Some((c, chars.as_str()))
}

/// Returns the character of one `\uXXXX` or of a surrogate pair, from after the first `\u`.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (first, rest) = code_unit(text)?;
    let (units, rest) = match first {
        0xD800..=0xDBFF => {
            let (second, rest) = code_unit(rest.strip_prefix("\\u")?)?;
            ([first, second], rest)
        }
        _ => ([first, 0], rest),
    };
    let c = char::decode_utf16(units).next()?.ok()?;
    Some((c, rest))
}

fn code_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    // `from_str_radix` would accept a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}
