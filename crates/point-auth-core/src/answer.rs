//! Reads a response of the API: decides whether it is tokens, a denial, or neither.

mod field;
pub(crate) mod json_text;
mod object;

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Response, StatusCode};

pub use field::Field;
pub(crate) use object::{Object, without_byte_order_mark};

use crate::denial::Denial;
use crate::error::{MalformedReason, ResponseError};
use crate::retry_after::RetryAfter;
use crate::server_text::{printable, repeats};
use crate::tokens::{AccessToken, RefreshToken, Scope, TokenSet};
use json_text::SecretText;
use object::Body;

const MAX_CODE_CHARS: usize = 64;
const MAX_DESCRIPTION_CHARS: usize = 512;
const MAX_CONTENT_TYPE_CHARS: usize = 100;

/// Codes for a failure of the server, as opposed to a bad request (RFC 6749 §4.1.2.1).
const PASSING_CODES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// A successful response, before an operation has parsed it.
pub(crate) enum Answer {
    /// A JSON object, whose fields are in the [`Object`] argument.
    Object,
    OtherJson,
    Empty,
}

/// Parses the response to a sign-in or a refresh.
pub(crate) fn token_set<B: AsRef<[u8]>>(
    response: &Response<B>,
    max_bytes: usize,
    secrets: &[&str],
) -> Result<TokenSet, ResponseError> {
    let mut object = Object::default();
    let tokens = match read(response, max_bytes, secrets, &mut object)? {
        Answer::Object => tokens_of(&object, secrets),
        Answer::OtherJson => Err(MalformedReason::NotAnObject),
        Answer::Empty => Err(MalformedReason::Empty),
    };
    tokens.map_err(ResponseError::malformed)
}

/// Distinguishes success from a denial and from a response that is not of this API.
pub(crate) fn read<'r, B: AsRef<[u8]>>(
    response: &'r Response<B>,
    max_bytes: usize,
    secrets: &[&str],
    object: &mut Object<'r>,
) -> Result<Answer, ResponseError> {
    let status = response.status();
    let bytes = response.body().as_ref();
    let unexpected = |is_json, is_temporary| ResponseError::Unexpected {
        status,
        retry_after: RetryAfter::from_headers(response.headers()),
        content_type: content_type(response.headers(), secrets),
        is_json,
        is_temporary,
    };
    if bytes.len() > max_bytes {
        return Err(match status.is_success() {
            true => ResponseError::malformed(MalformedReason::TooLarge),
            false => unexpected(false, false),
        });
    }
    let body = object.read(bytes);
    let is_json = matches!(body, Body::Object | Body::OtherJson);
    let verdict = match &body {
        Body::Object => verdict(object, status, secrets),
        _ => Verdict::None,
    };
    match verdict {
        Verdict::Denied(denial) => return Err(ResponseError::Denied(denial)),
        Verdict::Failing => return Err(unexpected(is_json, true)),
        Verdict::None if !status.is_success() => return Err(unexpected(is_json, false)),
        Verdict::None => {}
    }
    match body {
        Body::Object => match object.duplicate_error() {
            Some(field) => Err(ResponseError::malformed(MalformedReason::Duplicate(field))),
            None => Ok(Answer::Object),
        },
        Body::OtherJson => Ok(Answer::OtherJson),
        Body::Empty => Ok(Answer::Empty),
        Body::Broken { line, column } => {
            Err(ResponseError::Malformed { reason: MalformedReason::Syntax, line, column })
        }
        // A captive portal or a gateway sends its page with 200 too.
        Body::NotJson => Err(unexpected(false, false)),
    }
}

/// Returns whether an error object with this status comes from the API. Some servers use a 2xx.
fn may_deny(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
}

/// The API's own description of a failure.
enum Verdict {
    Denied(Denial),
    Failing,
    None,
}

fn verdict(object: &Object<'_>, status: StatusCode, secrets: &[&str]) -> Verdict {
    // A duplicate of another field does not change a denial.
    if object.duplicate_error().is_some() {
        return Verdict::None;
    }
    let Ok(Some(code)) = object.text(Field::Error) else { return Verdict::None };
    if PASSING_CODES.contains(&&*code) {
        return Verdict::Failing;
    }
    if code.is_empty() || !may_deny(status) {
        return Verdict::None;
    }
    // A server that denies and still sends tokens may quote them in its text.
    let sent = [Field::AccessToken, Field::RefreshToken].into_iter();
    let sent: Vec<SecretText<'_>> =
        sent.filter_map(|field| object.text(field).ok().flatten()).collect();
    let secrets = match sent.is_empty() {
        true => Cow::Borrowed(secrets),
        false => {
            Cow::Owned(secrets.iter().copied().chain(sent.iter().map(|token| &**token)).collect())
        }
    };
    let code = printable(&code, MAX_CODE_CHARS, &secrets);
    let description = match object.text(Field::ErrorDescription) {
        Ok(Some(text)) if !text.is_empty() => {
            Some(printable(&text, MAX_DESCRIPTION_CHARS, &secrets))
        }
        // A field of another type does not change the denial.
        _ => None,
    };
    Verdict::Denied(Denial::new(status, code, description))
}

/// Returns the content type and the content encoding. A compressed body is not JSON, whatever its
/// type.
fn content_type(headers: &HeaderMap, secrets: &[&str]) -> Option<String> {
    let text =
        |name: HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let described = match (text(CONTENT_TYPE), text(CONTENT_ENCODING)) {
        (Some(content_type), Some(encoding)) => format!("{content_type}, {encoding}"),
        (Some(one), None) | (None, Some(one)) => one.into_owned(),
        (None, None) => return None,
    };
    Some(printable(&described, MAX_CONTENT_TYPE_CHARS, secrets))
}

fn tokens_of(object: &Object<'_>, secrets: &[&str]) -> Result<TokenSet, MalformedReason> {
    use MalformedReason::{Duplicate, Invalid, Missing};

    if let Some(field) = object.duplicate() {
        return Err(Duplicate(field));
    }
    // A server that sends an error of another type does not mean to send tokens.
    object.text(Field::Error)?;

    let token_type = object.text(Field::TokenType)?;
    if token_type.is_some_and(|token_type| !token_type.eq_ignore_ascii_case("bearer")) {
        return Err(Invalid(Field::TokenType));
    }
    let expires_in = object.seconds(Field::ExpiresIn)?;
    let scope = object.text(Field::Scope)?;
    let refresh_token = match object.text(Field::RefreshToken)? {
        Some(text) => Some(RefreshToken::new(&text).map_err(|_| Invalid(Field::RefreshToken))?),
        None => None,
    };
    let access_text = object.text(Field::AccessToken)?.ok_or(Missing(Field::AccessToken))?;
    let access_token = AccessToken::new(&access_text).map_err(|_| Invalid(Field::AccessToken))?;

    let expires_in = expires_in.map_or(TokenSet::DEFAULT_EXPIRES_IN, Duration::from_secs);
    let scope = scope.filter(|text| !text.trim_ascii().is_empty());
    // A scope is printable, so one that repeats a secret is left out.
    let scope = scope.filter(|text| {
        let sent = [Some(&*access_text), refresh_token.as_ref().map(RefreshToken::expose)];
        !secrets
            .iter()
            .copied()
            .chain(sent.into_iter().flatten())
            .any(|secret| repeats(text, secret))
    });
    let scope = scope.map(|text| Scope::new(&text));
    let tokens = TokenSet::new(access_token).with_expires_in(expires_in).with_scope(scope);
    Ok(match refresh_token {
        Some(refresh_token) => tokens.with_refresh_token(refresh_token),
        None => tokens,
    })
}
