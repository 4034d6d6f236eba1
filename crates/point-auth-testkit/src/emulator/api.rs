//! The API as the wire contract has it: which request gets which answer.
//!
//! Strict where a client might be sloppy: anything that is not exactly the documented request is a
//! 400. That includes a wrong method, for which HTTP has a 405, because the API documents 400 and
//! 403 only.

use std::sync::Mutex;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rustls::crypto::GetRandomFailed;
use serde_json::{Value, json};

use super::clock::Clock;
use super::json;
use super::routes::Routes;
use super::tokens::{Accounts, Grant, Issued, Refusal};
use crate::server_thread::lock;

const SIGN_IN: &str = "/user-management-services-ws/oauth2/002/signInWithPassword";
const REFRESH: &str = "/user-management-services-ws/oauth2/002/refreshIdToken";
const WHO_AM_I: &str = "/point-auth-emulator/whoami";

/// What a request asks for, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /user-management-services-ws/oauth2/002/signInWithPassword`.
    SignIn,
    /// `POST /user-management-services-ws/oauth2/002/refreshIdToken`.
    Refresh,
    /// `GET` or `POST /point-auth-emulator/whoami`: not of the API, but a place that wants a valid
    /// access token.
    WhoAmI,
    /// Any method on a path that
    /// [`protected_route`](crate::EmulatorBuilder::protected_route) added.
    Protected,
    /// Any other path.
    Other,
}

impl Operation {
    /// The path without prefix; empty for [`Protected`](Self::Protected) and
    /// [`Other`](Self::Other), which have many.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::SignIn => SIGN_IN,
            Self::Refresh => REFRESH,
            Self::WhoAmI => WHO_AM_I,
            Self::Protected | Self::Other => "",
        }
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    fn json(status: StatusCode, body: &Value) -> Self {
        Self::json_text(status, body.to_string().into())
    }

    fn json_text(status: StatusCode, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status, headers, body }
    }

    fn error(status: StatusCode, code: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": code, "error_description": description }))
    }

    fn bad_request(description: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn access_denied(description: &str) -> Self {
        Self::error(StatusCode::FORBIDDEN, "access_denied", description)
    }

    pub(super) fn too_large() -> Self {
        Self::error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            "The request body is over 1 MiB",
        )
    }

    fn out_of_order() -> Self {
        Self::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "No random bytes could be had",
        )
    }

    fn with(mut self, name: http::HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}

pub(super) struct Api {
    pub(super) prefix: String,
    pub(super) accounts: Mutex<Accounts>,
    pub(super) clock: Clock,
    pub(super) rotates_refresh_tokens: bool,
    pub(super) routes: Routes,
}

impl Api {
    pub(super) fn operation(&self, path: &str) -> Operation {
        match path.strip_prefix(self.prefix.as_str()) {
            Some(SIGN_IN) => Operation::SignIn,
            Some(REFRESH) => Operation::Refresh,
            Some(WHO_AM_I) => Operation::WhoAmI,
            Some(path) if self.routes.contains(path) => Operation::Protected,
            _ => Operation::Other,
        }
    }

    /// Username and alias a request is about, as far as it says so.
    pub(super) fn subject(
        &self,
        operation: Operation,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (Option<String>, Option<String>) {
        let field = |name: &str| {
            let fields = serde_json::from_slice::<Value>(body).ok()?;
            Some(fields.get(name)?.as_str()?.to_owned())
        };
        let token = match operation {
            Operation::SignIn => return (field("username"), field("useralias")),
            Operation::Refresh => field("refresh_token"),
            Operation::WhoAmI | Operation::Protected => bearer_token(headers).map(str::to_owned),
            Operation::Other => None,
        };
        let accounts = lock(&self.accounts);
        match token.and_then(|token| accounts.owner(&token).cloned()) {
            Some(Grant { username, user_alias, .. }) => (Some(username), user_alias),
            None => (None, None),
        }
    }

    pub(super) fn answer(&self, operation: Operation, request: &Parts, body: &[u8]) -> Answer {
        match operation {
            Operation::SignIn => self.token_endpoint(request, || self.sign_in(body)),
            Operation::Refresh => self.token_endpoint(request, || self.refresh(body)),
            Operation::WhoAmI => self.who_am_i(request),
            Operation::Protected => self.protected(request),
            Operation::Other => {
                Answer::error(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path")
            }
        }
    }

    fn token_endpoint(
        &self,
        request: &Parts,
        operation: impl FnOnce() -> Result<Answer, GetRandomFailed>,
    ) -> Answer {
        if request.method != Method::POST {
            return Answer::bad_request("The method is not POST").with(ALLOW, "POST");
        }
        if request.uri.query().is_some() {
            return Answer::bad_request("The request has a query");
        }
        if !is_json(&request.headers) {
            return Answer::bad_request("The content type is not application/json");
        }
        if request.headers.contains_key(CONTENT_ENCODING) {
            return Answer::bad_request("The body is encoded");
        }
        operation().unwrap_or_else(|_| Answer::out_of_order())
    }

    fn sign_in(&self, body: &[u8]) -> Result<Answer, GetRandomFailed> {
        let (username, password, alias) =
            match json::read(body, ["username", "password", "useralias"], 2) {
                Ok([Some(username), Some(password), alias]) => (username, password, alias),
                Ok(_) => return Ok(Answer::bad_request("A required field is missing")),
                Err(description) => return Ok(Answer::bad_request(&description)),
            };
        let mut accounts = lock(&self.accounts);
        match accounts.check(&username, &password, alias.as_deref()) {
            Ok(()) => {
                let issued = accounts.issue(&username, alias.as_deref(), true, self.clock.now())?;
                Ok(token_answer(&issued, &accounts))
            }
            Err(Refusal::Login) => {
                Ok(Answer::access_denied("Invalid username / password combination"))
            }
            Err(Refusal::Alias) => {
                Ok(Answer::access_denied("This user may not sign in for this user alias"))
            }
        }
    }

    fn refresh(&self, body: &[u8]) -> Result<Answer, GetRandomFailed> {
        let token = match json::read(body, ["refresh_token"], 1) {
            Ok([Some(token)]) => token,
            Ok(_) => return Ok(Answer::bad_request("A required field is missing")),
            Err(description) => return Ok(Answer::bad_request(&description)),
        };
        let now = self.clock.now();
        let mut accounts = lock(&self.accounts);
        let Some(Grant { username, user_alias, .. }) = accounts.refresh_grant(&token, now).cloned()
        else {
            return Ok(Answer::access_denied("Invalid refresh token"));
        };
        let issued =
            accounts.issue(&username, user_alias.as_deref(), self.rotates_refresh_tokens, now)?;
        Ok(token_answer(&issued, &accounts))
    }

    fn who_am_i(&self, request: &Parts) -> Answer {
        if request.method != Method::GET && request.method != Method::POST {
            return Answer::bad_request("The method is neither GET nor POST")
                .with(ALLOW, "GET, POST");
        }
        match self.whose_token(&request.headers) {
            Ok(grant) => whose(&grant),
            Err(unauthorized) => *unauthorized,
        }
    }

    fn protected(&self, request: &Parts) -> Answer {
        match self.whose_token(&request.headers) {
            Ok(grant) => {
                let path = request.uri.path().strip_prefix(self.prefix.as_str());
                let own = path.and_then(|path| self.routes.body(path));
                own.map_or_else(
                    || whose(&grant),
                    |json| Answer::json_text(StatusCode::OK, json.clone()),
                )
            }
            Err(unauthorized) => *unauthorized,
        }
    }

    /// The grant of the request's access token, or the 401 that the request gets without a good
    /// one.
    fn whose_token(&self, headers: &HeaderMap) -> Result<Grant, Box<Answer>> {
        let unauthorized = |code, description, challenge| {
            let answer = Answer::error(StatusCode::UNAUTHORIZED, code, description);
            Box::new(answer.with(WWW_AUTHENTICATE, challenge))
        };
        let Some(token) = bearer_token(headers) else {
            let challenge = "Bearer realm=\"point-auth-emulator\"";
            return Err(unauthorized("unauthorized", "An access token is needed", challenge));
        };
        let accounts = lock(&self.accounts);
        accounts.access_grant(token, self.clock.now()).cloned().ok_or_else(|| {
            let challenge = "Bearer realm=\"point-auth-emulator\", error=\"invalid_token\"";
            unauthorized("invalid_token", "The access token is not valid", challenge)
        })
    }
}

fn whose(grant: &Grant) -> Answer {
    let body = json!({ "username": grant.username, "useralias": grant.user_alias });
    Answer::json(StatusCode::OK, &body)
}

fn token_answer(issued: &Issued, accounts: &Accounts) -> Answer {
    let mut body = json!({
        "access_token": issued.access_token,
        "scope": "policy",
        "token_type": "Bearer",
        "expires_in": accounts.access_life().as_secs(),
    });
    if let (Some(fields), Some(token)) = (body.as_object_mut(), &issued.refresh_token) {
        fields.insert("refresh_token".to_owned(), token.as_str().into());
    }
    Answer::json(StatusCode::OK, &body)
}

/// The one token of the one `Authorization` header, if that is what the request has.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// `application/json`, at most with the one parameter that changes nothing.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = only(headers, &CONTENT_TYPE) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}

fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
