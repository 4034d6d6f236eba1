//! The API's answer to a request without a password, and its clock.

use std::time::{Duration, SystemTime};

use point_auth::http::header::DATE;
use point_auth::http::{Request, Response, StatusCode};
use point_auth::operation::{failure_body, json_post};
use point_auth::{BaseUrl, Operation, RequestError, ResponseError, SecretBody, SignIn};

use super::report::Finding;
use crate::failure::{Exit, Failure, Result};
use crate::output;
use crate::profile::Profile;
use crate::session;

/// A clock that is further off breaks what dates are compared with.
const MOST_SKEW: Duration = Duration::from_secs(60);

/// What the API answered.
pub(super) struct Answer {
    status: StatusCode,
    is_of_the_api: bool,
    date: Option<SystemTime>,
}

/// An empty object in the place of a sign-in: it names no user, so that no account notices.
struct Probe;

impl Operation for Probe {
    type Output = Answer;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_post(base, SignIn::PATH, SecretBody::from(b"{}".to_vec()))
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<Answer, ResponseError> {
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let is_of_the_api = matches!(response.status().as_u16(), 400 | 401 | 403 | 422)
            && failure_body(response, Self::MAX_RESPONSE_BYTES, &[]).is_ok();
        Ok(Answer {
            status: response.status(),
            is_of_the_api,
            date: date.and_then(|date| httpdate::parse_http_date(date).ok()),
        })
    }
}

/// Sends the request.
pub(super) fn examine(profile: &Profile) -> Result<(Finding, Answer)> {
    let answer = session::client(profile).execute(&Probe).map_err(Failure::from)?;
    let status = answer.status.as_u16();
    if answer.is_of_the_api {
        let detail = format!("it refuses a request without a password, as it should ({status})");
        return Ok((Finding::ok(detail), answer));
    }
    let message = match status {
        429 => "there are too many requests (status 429)".to_owned(),
        300..=399 => format!("it redirects elsewhere (status {status})"),
        500..=599 => format!("the server or a gateway fails (status {status})"),
        _ => format!("what answers is not the API (status {status})"),
    };
    let (exit, hint) = match status {
        429 | 500..=599 => (Exit::Temporary, "try again later"),
        _ => (Exit::Other, "check base_url; a gateway or a captive portal may be in between"),
    };
    Err(Failure::new(exit, "unexpected", message).with_hint(hint))
}

impl Answer {
    /// Compares the clocks.
    pub(super) fn clock(&self, now: SystemTime) -> Finding {
        let Some(date) = self.date else {
            return Finding::warning("the server does not tell its time".to_owned());
        };
        let (skew, word) = match now.duration_since(date) {
            Ok(ahead) => (ahead, "ahead of"),
            Err(behind) => (behind.duration(), "behind"),
        };
        // The server tells whole seconds, and the answer was on its way.
        if skew < Duration::from_secs(3) {
            return Finding::ok("as the server's".to_owned());
        }
        let detail = format!("{} {word} the server's", output::duration(skew));
        match skew > MOST_SKEW {
            true => Finding::warning(detail).with_fix("let NTP set this machine's clock"),
            false => Finding::ok(detail),
        }
    }
}
