//! Generated JSON: any value, white space and string escapes; and complete responses with their
//! meaning.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A valid response and its meaning.
#[derive(Clone, Debug)]
pub(super) struct Valid {
    pub(super) text: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) expires_in: u64,
}

pub(super) fn token() -> impl Strategy<Value = String> {
    // Long enough to occur in no other text by chance.
    prop_oneof![4 => "[!-~]{12,40}", 1 => "[A-Za-z0-9_-]{300}\\.[A-Za-z0-9_-]{300}\\.[A-Za-z0-9_-]{300}"]
}

pub(super) fn white_space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t\r\n]{1,4}"]
}

/// Writes `text` as a JSON string, with each character escaped or not, as `choices` say.
pub(super) fn quoted(text: &str, choices: &[u8]) -> String {
    let mut quoted = String::from('"');
    for (n, c) in text.chars().enumerate() {
        let choice = choices.get(n % choices.len().max(1)).copied().unwrap_or(0);
        let short = match c {
            '"' | '\\' => Some(c),
            '/' if choice % 4 == 1 => Some('/'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            _ => None,
        };
        match short {
            Some(short) if choice % 4 != 3 => quoted.extend(['\\', short]),
            _ if choice % 4 >= 2 || c < ' ' || matches!(c, '"' | '\\') => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    quoted.push_str(&if choice % 8 > 4 {
                        format!("\\u{unit:04X}")
                    } else {
                        format!("\\u{unit:04x}")
                    });
                }
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// How to escape the next strings. Most are left plain.
pub(super) fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => Just(vec![0]), 1 => vec(any::<u8>(), 1..24)]
}

/// The text of any JSON value, including some that few parsers accept.
pub(super) fn any_json() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1e999",
        "-1E-999",
        "\"\\ud800\"",
        "\"\"",
        "[]",
        "{}",
    ]);
    let leaf = prop_oneof![
        odd.prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        (any::<String>(), choices()).prop_map(|(text, choices)| quoted(&text, &choices)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = (name(), choices()).prop_map(|(name, choices)| quoted(&name, &choices));
        let name = prop_oneof![8 => name, 1 => name_with_half_a_pair()];
        let field = (name, white_space(), inner.clone())
            .prop_map(|(name, space, value)| format!("{name}{space}:{value}"));
        prop_oneof![
            (vec(inner, 0..4), white_space()).prop_map(|(values, space)| format!(
                "[{space}{}]",
                values.join(&format!("{space},"))
            )),
            vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

/// The name of a nested field: often a known one, which has no meaning there.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("access_token".to_owned()), Just("error".to_owned()), any::<String>()]
}

/// A quoted name with half of a surrogate pair: not a known field, even if the rest is a known
/// name.
pub(super) fn name_with_half_a_pair() -> impl Strategy<Value = String> {
    let rest = select(vec!["", "access_token", "error", "scope", "x"]);
    (rest, choices(), any::<Index>(), 0xD800..0xE000u16).prop_map(|(rest, choices, index, half)| {
        let (before, after) = rest.split_at(index.index(rest.len() + 1));
        let [before, after] = [before, after].map(|text| quoted(text, &choices));
        format!(
            "{}\\u{half:04x}{}",
            before.strip_suffix('"').unwrap(),
            after.strip_prefix('"').unwrap()
        )
    })
}

/// A number of seconds in some form, and its value.
fn expires_in() -> impl Strategy<Value = (String, u64)> {
    const MAX: u64 = 4_294_967_295;
    prop_oneof![
        (0..=MAX).prop_map(|n| (n.to_string(), n)),
        (0..=MAX).prop_map(|n| (format!("\"{n}\""), n)),
        (0..=MAX, 1..5usize).prop_map(|(n, zeros)| (format!("{n}.{}", "0".repeat(zeros)), n)),
        (0..10_000u64, 0..5u32)
            .prop_map(|(n, power)| (format!("{n}e{power}"), n * 10u64.pow(power))),
        (0..10_000u64, 0..5u32)
            .prop_map(|(n, power)| (format!("{}E-{power}", n * 10u64.pow(power)), n)),
        (0..10_000u64, 999..9_999i64)
            .prop_map(|(n, power)| (format!("{n}{}e-{power}", "0".repeat(power as usize)), n)),
        (0..10_000u64).prop_map(|n| (format!("{}.{}e+1", n / 10, n % 10), n)),
        (MAX..).prop_map(|n| (n.to_string(), MAX)),
        "[1-9][0-9]{20,400}".prop_map(|n| (n, MAX)),
        (12..999u32).prop_map(|power| (format!("1e{power}"), MAX)),
        "[1-9][0-9]{20,40}".prop_map(|power| (format!("1e{power}"), MAX)),
        "[1-9][0-9]{20,40}".prop_map(|power| (format!("0.0e{power}"), 0)),
        any::<u64>().prop_map(|n| (format!("-{n}"), 0)),
        any::<u32>().prop_map(|n| (format!("-{n}.0"), 0)),
        any::<u64>().prop_map(|n| (format!("\"-{n}\""), 0)),
        Just(("null".to_owned(), 3600)),
    ]
}

fn scope() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z:.]{1,9}( [a-z:.]{1,9}){0,3}", any::<String>()]
}

fn bearer() -> impl Strategy<Value = String> {
    prop_oneof![Just("null".to_owned()), "\"[Bb][Ee][Aa][Rr][Ee][Rr]\""]
}

/// `null`, or the text.
fn nullable(text: Option<&String>, choices: &[u8]) -> String {
    text.map_or_else(|| "null".to_owned(), |text| quoted(text, choices))
}

/// A valid response: its fields in any order among unknown ones, with any white space and any
/// escapes.
pub(super) fn valid_answer() -> impl Strategy<Value = Valid> {
    let values = (token(), proptest::option::of(token()), proptest::option::of(scope()));
    let optional = (
        proptest::option::of(expires_in()),
        proptest::option::of(bearer()),
        proptest::option::of(select(vec!["null", "\"\""])),
        any::<[bool; 2]>(),
    );
    // Of the known names, only these two have no underscore.
    let name =
        "[a-zA-Zé ]{0,12}".prop_filter("a known name", |name| name != "scope" && name != "error");
    let name = (name, choices()).prop_map(|(name, choices)| quoted(&name, &choices));
    let name = prop_oneof![3 => name, 1 => name_with_half_a_pair()];
    let unknown = vec((name, any_json()), 0..4);
    let order = vec(any::<Index>(), 16);
    let spaces = vec(white_space(), 6);
    (values, optional, unknown, order, spaces, vec(choices(), 5), any::<bool>()).prop_map(
        |(
            (access_token, refresh_token, scope),
            (expires_in, bearer, error, null),
            unknown,
            order,
            spaces,
            choices,
            mark,
        )| {
            let mut fields =
                vec![(quoted("access_token", &choices[0]), quoted(&access_token, &choices[1]))];
            let mut add =
                |name: &str, value: String| fields.push((quoted(name, &choices[2]), value));
            if refresh_token.is_some() || null[0] {
                add("refresh_token", nullable(refresh_token.as_ref(), &choices[3]));
            }
            if scope.is_some() || null[1] {
                add("scope", nullable(scope.as_ref(), &choices[4]));
            }
            if let Some((text, _)) = &expires_in {
                add("expires_in", text.clone());
            }
            if let Some(text) = bearer {
                add("token_type", text);
            }
            if let Some(text) = error {
                add("error", text.to_owned());
            }
            fields.extend(unknown);
            for (n, index) in order.iter().enumerate() {
                let (one, other) = (n % fields.len(), index.index(fields.len()));
                fields.swap(one, other);
            }
            let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|n| spaces[n].as_str());
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{b}{name}{c}:{d}{value}{e}")).collect();
            let mark = if mark { "\u{feff}" } else { "" };
            let text = format!("{mark}{a}{{{}}}{f}", fields.join(","));
            let white = |scope: &String| scope.chars().all(|c| c.is_ascii_whitespace());
            let scope = scope.filter(|scope| !white(scope));
            let expires_in = expires_in.map_or(3600, |(_, seconds)| seconds);
            Valid { text, access_token, refresh_token, scope, expires_in }
        },
    )
}
