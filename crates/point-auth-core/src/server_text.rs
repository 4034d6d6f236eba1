//! Makes text that a server chose safe to print.

use zeroize::Zeroize;

use crate::SecretBody;

/// The replacement for a text that repeats a secret.
const WITHHELD: &str = "[withheld: it repeats a secret]";

/// The mark at the end of a text that was cut.
const CUT: char = '…';

/// Caps `text` at `max_chars`, and escapes what could forge a log line or change the text
/// direction. Withholds all of it if it repeats one of `secrets`.
pub(crate) fn printable(text: &str, max_chars: usize, secrets: &[&str]) -> String {
    // Before the cap, because half a password is also a secret. Before any copy, because copies are
    // not wiped.
    if secrets.iter().any(|secret| repeats(text, secret)) {
        return WITHHELD.to_owned();
    }
    // Most texts are plain and are not changed.
    if text.len() <= max_chars
        && text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
    {
        return text.to_owned();
    }
    let mut printable = String::with_capacity(text.len().min(max_chars));
    for (count, c) in text.chars().enumerate() {
        if count == max_chars {
            printable.push(CUT);
            break;
        }
        if may_mislead(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    // Escaping could also produce a secret.
    if secrets.iter().any(|secret| repeats(&printable, secret)) {
        return WITHHELD.to_owned();
    }
    printable
}

/// Withholds a printable text that repeats a secret that was unknown when the text was made. A text
/// that was cut may also end in the beginning of the secret.
pub(crate) fn withhold(text: &mut String, secret: &str) {
    if repeats(text, secret) || is_cut_within(text, secret) {
        text.zeroize();
        text.push_str(WITHHELD);
    }
}

fn is_cut_within(text: &str, secret: &str) -> bool {
    /// Shorter prefixes reveal nothing, and occur by chance.
    const SHORTEST: usize = 8;
    let Some(kept) = text.strip_suffix(CUT) else { return false };
    let beginnings = (SHORTEST..secret.len()).filter_map(|length| secret.get(..length));
    beginnings.into_iter().any(|beginning| kept.ends_with(beginning))
}

/// Returns whether `text` contains `secret`, plain or as in the request's JSON.
pub(crate) fn repeats(text: &str, secret: &str) -> bool {
    !secret.is_empty() && (text.contains(secret) || repeats_as_sent(text, secret))
}

/// Returns whether `text` repeats `secret` in the form of the request's JSON. A server may quote
/// the whole body.
fn repeats_as_sent(text: &str, secret: &str) -> bool {
    // Most secrets need no escapes, and no escape is shorter than its character.
    if text.len() < secret.len() || !needs_escapes(secret) {
        return false;
    }
    let Ok(quoted) = SecretBody::json(secret) else { return false };
    let sent = std::str::from_utf8(quoted.as_ref()).ok();
    let sent = sent.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    sent.is_some_and(|sent| text.contains(sent))
}

fn needs_escapes(text: &str) -> bool {
    // Not `any`, which would check one byte at a time.
    text.bytes().fold(false, |needs, byte| needs | matches!(byte, 0..=0x1F | b'"' | b'\\'))
}

/// Control characters, and invisible ones that reorder or hide the text around them.
fn may_mislead(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}
