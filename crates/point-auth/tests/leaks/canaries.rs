//! The secrets, and the search for them in every form.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(crate) struct Canary {
    pub(crate) name: &'static str,
    /// The text to search for.
    pub(crate) text: &'static str,
    /// The length of the secret, as of real tokens.
    length: usize,
}

pub(crate) const PASSWORD: Canary =
    Canary { name: "password", text: "canary-password-81c4", length: 40 };
/// The password of a user whose server repeats it.
pub(crate) const ECHOED: Canary =
    Canary { name: "echoed password", text: "canary-echo-77d1e0", length: 40 };
pub(crate) const ACCESS: Canary =
    Canary { name: "access token", text: "canary-access-c0ffee", length: 900 };
pub(crate) const REFRESH: Canary =
    Canary { name: "refresh token", text: "canary-refresh-5eed5", length: 200 };
pub(crate) const PROXY_PASSWORD: Canary =
    Canary { name: "proxy password", text: "canary-proxy-b0a710", length: 30 };
const ALL: [&Canary; 5] = [&PASSWORD, &ECHOED, &ACCESS, &REFRESH, &PROXY_PASSWORD];

impl Canary {
    /// Returns the secret, of which the beginning and the end are searched for.
    pub(crate) fn text(&self) -> String {
        format!(
            "{}{}{}",
            self.text,
            "x".repeat(self.length - self.text.len().min(self.length)),
            self.text
        )
    }
}

/// The forms: plain; a list of numbers, as `Debug` shows bytes; hexadecimal; and the three forms of
/// base64, which depend on the preceding bytes.
static FORMS: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    let forms = |canary: &Canary| {
        let bytes = canary.text.as_bytes();
        let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
        let mut forms = vec![
            canary.text.to_owned(),
            numbers.join(","),
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ];
        for before in 0..3 {
            let encoded = STANDARD.encode(["_".repeat(before).as_bytes(), bytes].concat());
            // The first group depends on the bytes before, the last on those after.
            forms.push(encoded[4..encoded.len() - 4].to_lowercase());
        }
        forms
    };
    ALL.iter().map(|canary| (canary.name, forms(canary))).collect()
});

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Returns the names of the secrets in `shown`, regardless of line breaks and indentation.
pub(crate) fn in_text(shown: &str) -> Vec<&'static str> {
    let joined: String = shown.split_whitespace().collect::<String>().to_lowercase();
    FORMS
        .iter()
        .filter(|(_, forms)| forms.iter().any(|form| joined.contains(form)))
        .map(|(name, _)| *name)
        .collect()
}

/// Returns the names of the secrets in a dump, whose lines begin with bytes in hexadecimal.
pub(crate) fn in_dump<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<&'static str> {
    let bytes: Vec<u8> = lines.flat_map(bytes_of_row).collect();
    in_text(&String::from_utf8_lossy(&bytes))
}

/// Returns the bytes at the beginning of a row of a dump, in groups of two or four digits. The text
/// form of the bytes follows.
fn bytes_of_row(row: &str) -> Vec<u8> {
    // Two spaces end the groups, because the text may look like a group.
    let groups = row.split("  ").next().unwrap_or_default().split_whitespace();
    let digits = groups.take_while(|group| {
        matches!(group.len(), 2 | 4)
            && group.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    });
    let digits: String = digits.collect();
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
