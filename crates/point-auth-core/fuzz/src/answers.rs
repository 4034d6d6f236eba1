//! The target `answers`: any response, read as a sign-in's and as a refresh's.
//!
//! An input is text: `sign_in 403 0`, the headers, an empty line, the body. The number behind the
//! status is of spaces in front of the body, so that a short input can be a large answer.

use http::{HeaderName, HeaderValue, Response, StatusCode};
use point_auth_core::{
    AccessToken, Credentials, Denial, Operation, Refresh, RefreshToken, ResponseError, SignIn,
    TokenSet,
};
use serde_json::Value;

use crate::reference::{self, Reading};
use crate::saying::{all_it_says, assert_silent, forms, shown};

/// The password or refresh token of the request: the dictionary has it too.
pub(crate) const SECRET: &str = "c4n4ry/of\\the\"request~";
const WITHHELD: &str = "[withheld: it repeats a secret]";
const MAX_BYTES: usize = 64 * 1024;

/// Reads a response and judges what came of it.
///
/// # Panics
/// When it differs from what the reference reads, or says a secret.
pub fn answers(data: &[u8]) {
    let (is_refresh, response) = response(data);
    let credentials = Credentials::new("jane", SECRET).unwrap();
    let refresh_token = RefreshToken::new(SECRET).unwrap();
    let read = match is_refresh {
        true => Refresh::new(&refresh_token).parse_response(&response),
        false => SignIn::new(&credentials).parse_response(&response),
    };
    match &read {
        Ok(tokens) => check_tokens(tokens),
        Err(error) => check_error(error, &response),
    }
    let mut expected = reference::read(&response);
    if let Reading::Tokens { access_token, refresh_token, scope, .. } = &mut expected {
        // The reference knows neither the request nor how JSON writes a secret.
        let secrets = [Some(access_token.as_str()), refresh_token.as_deref(), Some(SECRET)];
        let secrets = secrets.into_iter().flatten();
        let repeats = |scope: &String| {
            secrets.flat_map(forms).any(|form| scope.contains(&form)) || scope.contains(SECRET)
        };
        if scope.as_ref().is_some_and(repeats) {
            *scope = None;
        }
        if is_refresh && refresh_token.is_none() {
            *refresh_token = Some(SECRET.to_owned());
        }
    }
    let reading = reading(&read);
    let same = match (&reading, &expected) {
        (Reading::Denied { code }, Reading::Denied { code: raw }) => {
            code == WITHHELD || code.len() >= raw.len().min(64)
        }
        _ => reading == expected,
    };
    assert!(same, "core reads {reading:?}, the reference {expected:?}");
}

fn response(data: &[u8]) -> (bool, Response<Vec<u8>>) {
    let (first, mut rest) = line(data);
    let first = String::from_utf8_lossy(first);
    let mut words = first.split(' ');
    let is_refresh = words.next().is_some_and(|word| word.starts_with('r'));
    let status = words.next().and_then(|word| word.parse::<u16>().ok()).unwrap_or(200);
    let spaces = words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);

    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    loop {
        let (header, behind) = line(rest);
        rest = behind;
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
        let (name, value) = header.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    let mut body = vec![b' '; spaces.min(MAX_BYTES + 1)];
    body.extend_from_slice(rest);
    *response.body_mut() = body;
    (is_refresh, response)
}

/// Up to the next line feed, and what is behind that.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, b""),
    }
}

fn check_tokens(tokens: &TokenSet) {
    let access_token = tokens.access_token();
    assert_eq!(AccessToken::new(access_token.expose()).as_ref(), Ok(access_token));
    assert_eq!(access_token.header_value(), format!("Bearer {}", access_token.expose()));
    assert!(access_token.header_value().is_sensitive());
    if let Some(refresh_token) = tokens.refresh_token() {
        assert_eq!(RefreshToken::new(refresh_token.expose()).as_ref(), Ok(refresh_token));
    }
    assert!(tokens.expires_in() <= TokenSet::MAX_EXPIRES_IN);

    // A token of one letter is in any text, so that the text has to be known.
    let refresh_token = tokens.refresh_token().map(|_| "RefreshToken([redacted])");
    let expected = format!(
        "TokenSet {{ access_token: AccessToken([redacted]), refresh_token: {}, scope: {:?}, token_type: Bearer, expires_in: {:?} }}",
        refresh_token.map_or("None".to_owned(), |token| format!("Some({token})")),
        tokens.scope(),
        tokens.expires_in(),
    );
    assert_eq!(format!("{tokens:?}"), expected);
    if let Some(scope) = tokens.scope() {
        let secrets = [
            Some(access_token.expose()),
            tokens.refresh_token().map(RefreshToken::expose),
            Some(SECRET),
        ];
        secrets.into_iter().flatten().for_each(|secret| assert_free_of(scope.as_str(), secret));
        assert!(!scope.as_str().trim_ascii().is_empty());
    }
}

fn check_error(error: &ResponseError, response: &Response<Vec<u8>>) {
    assert_silent(&all_it_says(error), SECRET);
    let status = response.status().as_u16();
    let is_success = (200..300).contains(&status);
    match error {
        ResponseError::Denied(denial) => {
            assert_eq!(denial.status(), response.status());
            assert!(is_success || [400, 401, 403].contains(&status), "denied by a {status}");
            check_denial(denial, response.body());
        }
        ResponseError::Unexpected { status, content_type, .. } => {
            assert_eq!(*status, response.status());
            content_type.iter().for_each(|text| check_text(text, 100));
        }
        ResponseError::Malformed { line, column, .. } => {
            assert!(is_success, "malformed with {status}");
            let lines = response.body().split(|byte| *byte == b'\n').count();
            assert!(*line <= lines && *column <= response.body().len() + 1, "{line}:{column}");
        }
        other => panic!("an unknown error: {other:?}"),
    }
}

/// Its texts are of a bearable length, harm no log, and do not repeat a token that was sent along.
fn check_denial(denial: &Denial, body: &[u8]) {
    assert!(!denial.code().is_empty());
    check_text(denial.code(), 64);
    denial.description().into_iter().for_each(|text| check_text(text, 512));
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return };
    let tokens =
        ["access_token", "refresh_token"].into_iter().filter_map(|name| fields.get(name)?.as_str());
    for token in tokens.filter(|token| !token.is_empty()) {
        for text in [Some(denial.code()), denial.description()].into_iter().flatten() {
            if text != WITHHELD {
                assert_free_of(text, token);
            }
        }
    }
    assert!(shown(denial).len() < 2 * 12 * (64 + 512) + 1000);
}

fn assert_free_of(text: &str, secret: &str) {
    let [plain, _, in_json] = forms(secret);
    assert!(!text.contains(&plain) && !text.contains(&in_json), "{secret} in {text}");
}

fn check_text(text: &str, max_chars: usize) {
    let may_mislead = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{FEFF}')
    };
    assert!(!text.contains(may_mislead), "{text:?}");
    // An escaped character counts as one.
    let mut chars = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        chars += 1;
        let escaped = rest.strip_prefix("\\u{").and_then(|rest| rest.split_once('}'));
        rest = match escaped {
            Some((digits, behind))
                if digits.len() < 7 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                behind
            }
            _ => &rest[c.len_utf8()..],
        };
    }
    assert!(chars <= max_chars + 1, "{chars} characters, more than {max_chars}");
}

/// What the core has read, in the reference's terms.
fn reading(read: &Result<TokenSet, ResponseError>) -> Reading {
    match read {
        Ok(tokens) => Reading::Tokens {
            access_token: tokens.access_token().expose().to_owned(),
            refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
            scope: tokens.scope().map(|scope| scope.as_str().to_owned()),
            expires_in: tokens.expires_in().as_secs(),
        },
        Err(ResponseError::Denied(denial)) => Reading::Denied { code: denial.code().to_owned() },
        Err(_) => Reading::Neither,
    }
}
