//! Text that a server chose, made fit to be printed.

/// What stands in place of a text that repeats a secret.
const WITHHELD: &str = "[withheld: it repeats a secret]";

/// Caps `text` at `max_chars` and escapes what could forge a line of a log or turn its direction; or withholds all of it
/// when it repeats one of `secrets`.
pub(crate) fn printable(text: &str, max_chars: usize, secrets: &[&str]) -> String {
    let mut printable = String::with_capacity(text.len().min(max_chars));
    for (count, c) in text.chars().enumerate() {
        if count == max_chars {
            printable.push('…');
            break;
        }
        if may_mislead(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    // Before the cap, since half a password is one too; and after the escaping, which could spell one.
    if secrets.iter().any(|secret| repeats(text, secret) || repeats(&printable, secret)) {
        return WITHHELD.to_owned();
    }
    printable
}

fn repeats(text: &str, secret: &str) -> bool {
    !secret.is_empty() && text.contains(secret)
}

/// Control characters, and the invisible ones that reorder or hide what is around them.
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
