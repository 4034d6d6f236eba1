//! A hostile response with the secret of the request does not get it into any formatted text.

use http::{HeaderValue, Response, StatusCode};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::generated::{any_json, choices, quoted, valid_answer};
use crate::support::{Asked, all_it_says};

const CANARY: &str = "c4n4ry/of\\the\"request~";
/// The canary as `Debug` escapes it.
const ESCAPED: &str = "c4n4ry/of\\\\the\\\"request~";

/// The canary as JSON, with other characters around it.
fn telling() -> impl Strategy<Value = String> {
    ("\\PC{0,9}", "\\PC{0,600}", choices()).prop_map(|(before, behind, choices)| {
        quoted(&format!("{before}{CANARY}{behind}"), &choices)
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let name = || {
        select(vec![
            "access_token",
            "refresh_token",
            "scope",
            "token_type",
            "expires_in",
            "error",
            "error_description",
            "x",
        ])
    };
    let value = prop_oneof![
        2 => telling(),
        1 => telling().prop_map(|telling| format!("[{telling}]")),
        1 => (telling(), any_json()).prop_map(|(name, value)| format!("{{{name}:{value}}}")),
        1 => select(vec!["\"access_denied\"", "null", "\"a-token\"", "1"]).prop_map(str::to_owned),
    ];
    let field = (name(), value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let odd_name = telling().prop_map(|name| format!("{name}:1"));
    let object = proptest::collection::vec(prop_oneof![5 => field, 1 => odd_name], 1..6)
        .prop_map(|fields| format!("{{{}}}", fields.join(",")));
    let anywhere =
        (prop_oneof![valid_answer().prop_map(|valid| valid.text), any_json()], any::<Index>())
            .prop_map(|(text, index)| {
                let mut bytes = text.into_bytes();
                let at = index.index(bytes.len() + 1);
                bytes.splice(at..at, CANARY.bytes());
                bytes
            });
    let cut = (object.clone(), any::<Index>()).prop_map(|(text, index)| {
        let mut bytes = text.into_bytes();
        bytes.truncate(index.index(bytes.len() + 1));
        bytes
    });
    prop_oneof![4 => object.prop_map(String::into_bytes), 2 => anywhere, 1 => cut, 1 => telling().prop_map(String::into_bytes)]
}

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let name = select(vec![
        "content-type",
        "content-encoding",
        "retry-after",
        "location",
        "www-authenticate",
    ]);
    let around =
        || proptest::collection::vec(prop_oneof![0x20..0x7fu8, 0x80..=0xffu8, Just(b'\t')], 0..120);
    (name, around(), around())
        .prop_map(|(name, before, behind)| (name, [before, CANARY.into(), behind].concat()))
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn no_canary_is_in_anything_formatted(
        body in body(),
        status in prop_oneof![select(vec![200u16, 400, 401, 403, 500]), 100..=999u16],
        headers in proptest::collection::vec(header(), 0..3),
    ) {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        for asked in Asked::both_with(CANARY) {
            let said = match asked.read(&response) {
                Ok(tokens) => format!("{tokens:?} {tokens:#?}"),
                Err(error) => all_it_says(&error),
            };
            prop_assert!(!said.contains(CANARY) && !said.contains(ESCAPED), "{said}");
        }
    }
}
