//! The table of answers of `point-auth-core`, sent over a real connection. What a transport changes
//! in an answer shows as another outcome.

use std::fmt;
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use point_auth_core::{
    BaseUrl, Credentials, MalformedReason, Operation, Refresh, RefreshToken, ResponseError,
    RetryAfter, SignIn, TokenSet,
};
use point_auth_transport::{SendLimits, TransportErrorKind};
use serde_json::{Value, json};

use super::bench::{Bench, Scene};
use super::canary;
use super::candidate::Candidate;
use super::check::Wire;
use super::violation::Violation;
use crate::Fault;

/// What came of a table.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many answers were served and had their outcome.
    pub served: usize,
    /// How many of those were too large, and were refused by the transport for that.
    pub too_large: usize,
    /// The names of those that cannot be sent over HTTP as they stand.
    pub left_out: Vec<String>,
}

/// The answers that had another outcome, or why the table could not be served.
#[derive(Clone, Debug)]
pub struct Differences(Vec<String>);

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers differ:\n{}", self.0.len(), self.0.join("\n"))
    }
}

impl std::error::Error for Differences {}

impl From<Violation> for Differences {
    fn from(violation: Violation) -> Self {
        Self(vec![violation.to_string()])
    }
}

/// Serves each answer of a table (the text of `answers.json`, whose form `answers.md` beside it
/// describes) and looks what the operation makes of it behind the transport.
///
/// # Errors
/// [`Differences`] when an answer has another outcome, or the table cannot be read.
pub fn run(candidate: &Candidate, wire: Wire, table: &str) -> Result<Report, Differences> {
    let table: Value =
        serde_json::from_str(table).map_err(|error| Differences(vec![error.to_string()]))?;
    let entries =
        table.get("answers").and_then(Value::as_array).filter(|entries| !entries.is_empty());
    let entries =
        entries.ok_or_else(|| Differences(vec!["the table has no answers".to_owned()]))?;
    let scene = Bench::new(candidate, wire, None).scene()?;
    let mut report = Report::default();
    let mut differences = Vec::new();
    for entry in entries {
        let name = text(entry, "name").unwrap_or("an answer without a name");
        if entry.get("wire") == Some(&Value::Bool(false)) {
            report.left_out.push(name.to_owned());
            continue;
        }
        match differs(&scene, entry) {
            Some(None) => report.served += 1,
            Some(Some(difference)) => differences.push(format!("{name}: {difference}")),
            None => differences.push(format!("{name}: the entry cannot be read")),
        }
        report.too_large += usize::from(entry.get("oversize").is_some());
    }
    if differences.is_empty() { Ok(report) } else { Err(Differences(differences)) }
}

/// How the outcome differs, if it does; nothing for an entry that cannot be read.
fn differs(scene: &Scene, entry: &Value) -> Option<Option<String>> {
    scene.emulator.push_fault(fault(entry)?);
    let request = entry.get("request")?;
    let outcome = match text(entry, "operation")? {
        "sign_in" => {
            let credentials =
                Credentials::new(text(request, "username")?, text(request, "password")?).ok()?;
            let credentials = match text(request, "user_alias") {
                Some(alias) => credentials.with_user_alias(alias).ok()?,
                None => credentials,
            };
            exchange(scene, &SignIn::new(&credentials))
        }
        "refresh" => exchange(
            scene,
            &Refresh::new(&RefreshToken::new(text(request, "refresh_token")?).ok()?),
        ),
        _ => return None,
    };
    let expected = match entry.get("oversize") {
        Some(_) => &json!({"failed": "TooLarge"}),
        None => entry.get("outcome")?,
    };
    Some((outcome != *expected).then(|| format!("expected {expected}, got {outcome}")))
}

fn exchange<O: Operation<Output = TokenSet>>(scene: &Scene, operation: &O) -> Value {
    let attempt = request(operation, &scene.base).and_then(|request| {
        scene
            .transport
            .send(request, SendLimits::new().with_max_response_bytes(O::MAX_RESPONSE_BYTES))
    });
    match attempt {
        Ok(attempt) => match attempt.0 {
            Ok(response) => outcome(&operation.parse_response(&response)),
            Err(error) if error.kind() == TransportErrorKind::TooLarge => {
                json!({"failed": "TooLarge"})
            }
            Err(error) => json!({"failed": canary::describe(&error)}),
        },
        Err(violation) => json!({"failed": violation.to_string()}),
    }
}

fn request<O: Operation>(
    operation: &O,
    base: &BaseUrl,
) -> Result<http::Request<point_auth_core::SecretBody>, Violation> {
    operation.to_request(base).map_err(|error| Violation::new(error.to_string()))
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

fn fault(entry: &Value) -> Option<Fault> {
    let status = u16::try_from(entry.get("status")?.as_u64()?)
        .ok()
        .filter(|status| (200..=999).contains(status))?;
    let mut fault = Fault::respond(status).body(body(entry)?);
    for header in entry.get("headers")?.as_array()? {
        fault = fault.header(header.get(0)?.as_str()?, header.get(1)?.as_str()?);
    }
    Some(fault)
}

fn body(entry: &Value) -> Option<Vec<u8>> {
    if let Some(body) = text(entry, "body") {
        return Some(body.as_bytes().to_vec());
    }
    if let Some(body) = text(entry, "body_base64") {
        return STANDARD.decode(body).ok();
    }
    let mut bytes = Vec::new();
    for part in entry.get("body_parts")?.as_array()? {
        match part.as_str() {
            Some(text) => bytes.extend_from_slice(text.as_bytes()),
            None => {
                let times = usize::try_from(part.get("times")?.as_u64()?).ok()?;
                bytes.extend_from_slice(text(part, "repeat")?.repeat(times).as_bytes());
            }
        }
    }
    Some(bytes)
}

/// An outcome in the table's terms.
fn outcome(read: &Result<TokenSet, ResponseError>) -> Value {
    match read {
        Ok(tokens) => json!({"tokens": {
            "access_token": tokens.access_token().expose(),
            "refresh_token": tokens.refresh_token().map(RefreshToken::expose),
            "scope": tokens.scope().map(point_auth_core::Scope::as_str),
            "token_type": tokens.token_type().to_string(),
            "expires_in": tokens.expires_in().as_secs(),
        }}),
        Err(ResponseError::Denied(denial)) => json!({"denied": {
            "status": denial.status().as_u16(),
            "code": denial.code(),
            "description": denial.description(),
        }}),
        Err(ResponseError::Unexpected { status, retry_after, content_type, is_json, .. }) => {
            json!({"unexpected": {
                "status": status.as_u16(),
                "retry_after": retry_after.map(seconds),
                "content_type": content_type,
                "is_json": is_json,
            }})
        }
        Err(ResponseError::Malformed { reason, line, column, .. }) => {
            json!({"malformed": {"reason": reason_text(*reason), "line": line, "column": column}})
        }
        Err(other) => json!({"unknown": other.to_string()}),
    }
}

fn seconds(retry_after: RetryAfter) -> Value {
    match retry_after {
        RetryAfter::Delay(delay) => json!({"seconds": delay.as_secs()}),
        RetryAfter::At(time) => {
            json!({"at": time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()})
        }
    }
}

fn reason_text(reason: MalformedReason) -> String {
    match reason {
        MalformedReason::Empty => "empty".to_owned(),
        MalformedReason::TooLarge => "too large".to_owned(),
        MalformedReason::Syntax => "syntax".to_owned(),
        MalformedReason::NotAnObject => "not an object".to_owned(),
        MalformedReason::Missing(field) => format!("missing {field}"),
        MalformedReason::Duplicate(field) => format!("duplicate {field}"),
        MalformedReason::Invalid(field) => format!("invalid {field}"),
        other => other.to_string(),
    }
}
