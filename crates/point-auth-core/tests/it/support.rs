//! Shared helpers: the table of answers, responses, and all texts of an error.

use std::error::Error;

use base64::Engine as _;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use point_auth_core::{
    Credentials, Operation, Refresh, RefreshToken, ResponseError, SignIn, TokenSet,
};
use serde_json::Value;

/// The table of answers, described in `answers.md`.
pub(crate) fn answers() -> Vec<Value> {
    let mut table: Value = serde_json::from_str(include_str!("../answers.json")).unwrap();
    match table["answers"].take() {
        Value::Array(answers) => answers,
        _ => panic!("the table has no answers"),
    }
}

/// Returns the text of a required field.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}"))
}

/// Returns the bytes of an entry's body, in any of its forms.
pub(crate) fn body(entry: &Value) -> Vec<u8> {
    match (entry.get("body"), entry.get("body_base64"), entry.get("body_parts")) {
        (Some(body), None, None) => body.as_str().unwrap().as_bytes().to_vec(),
        (None, Some(body), None) => {
            base64::prelude::BASE64_STANDARD.decode(body.as_str().unwrap()).unwrap()
        }
        (None, None, Some(parts)) => parts.as_array().unwrap().iter().flat_map(part).collect(),
        _ => panic!("not exactly one body in {}", entry["name"]),
    }
}

fn part(part: &Value) -> Vec<u8> {
    match part.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => {
            let times = usize::try_from(part["times"].as_u64().unwrap()).unwrap();
            text(part, "repeat").repeat(times).into_bytes()
        }
    }
}

/// Returns the response that an entry describes.
pub(crate) fn response(entry: &Value) -> Response<Vec<u8>> {
    let mut response = Response::new(body(entry));
    *response.status_mut() =
        StatusCode::from_u16(u16::try_from(entry["status"].as_u64().unwrap()).unwrap()).unwrap();
    for header in entry["headers"].as_array().unwrap() {
        let name = HeaderName::try_from(header[0].as_str().unwrap()).unwrap();
        let value = HeaderValue::from_bytes(header[1].as_str().unwrap().as_bytes()).unwrap();
        response.headers_mut().append(name, value);
    }
    response
}

/// One of the two operations, with the input of its request.
pub(crate) enum Asked {
    SignIn(Credentials),
    Refresh(RefreshToken),
}

impl Asked {
    /// Returns the operation and request of an entry.
    pub(crate) fn of(entry: &Value) -> Self {
        let request = &entry["request"];
        match text(entry, "operation") {
            "sign_in" => {
                let credentials =
                    Credentials::new(text(request, "username"), text(request, "password")).unwrap();
                Self::SignIn(match request.get("user_alias") {
                    Some(alias) => credentials.with_user_alias(alias.as_str().unwrap()).unwrap(),
                    None => credentials,
                })
            }
            "refresh" => Self::Refresh(RefreshToken::new(text(request, "refresh_token")).unwrap()),
            other => panic!("no operation is called {other}"),
        }
    }

    /// Both operations with `secret` in their requests.
    pub(crate) fn both_with(secret: &str) -> [Self; 2] {
        [
            Self::SignIn(Credentials::new("jane", secret).unwrap()),
            Self::Refresh(RefreshToken::new(secret).unwrap()),
        ]
    }

    /// Reads `response`.
    pub(crate) fn read<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<TokenSet, ResponseError> {
        match self {
            Self::SignIn(credentials) => SignIn::new(credentials).parse_response(response),
            Self::Refresh(refresh_token) => Refresh::new(refresh_token).parse_response(response),
        }
    }

    /// The secret of the request.
    pub(crate) fn secret(&self) -> &str {
        use secrecy::ExposeSecret;
        match self {
            Self::SignIn(credentials) => credentials.password().expose_secret(),
            Self::Refresh(refresh_token) => refresh_token.expose(),
        }
    }
}

/// Returns all texts of an error: its own and those of its sources, by `Display` and `Debug`.
pub(crate) fn all_it_says(error: &dyn Error) -> String {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        said.push_str(&format!("{error}\n{error:?}\n{error:#?}\n"));
        next = error.source();
    }
    said
}
