//! The reference: a sign-in as one writes it who has `http` and `serde_json` and no library. URI
//! parsed once, derived types, strings of one's own, nothing wiped.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct SignIn<'a> {
    username: &'a str,
    password: &'a str,
}

/// What a sign-in answers.
#[derive(Deserialize)]
pub struct Tokens {
    /// For the other requests.
    pub access_token: String,
    /// For the next token.
    pub refresh_token: Option<String>,
    /// What for.
    pub scope: Option<String>,
    /// `Bearer`.
    pub token_type: Option<String>,
    /// In seconds.
    pub expires_in: u64,
}

/// What it answers to a wrong password.
#[derive(Deserialize)]
pub struct Denial {
    /// `access_denied`.
    pub error: String,
    /// For people.
    pub error_description: Option<String>,
}

/// Why there are no tokens.
pub enum Failure {
    /// The server said no.
    Denied(Denial),
    /// It said something else.
    Status(StatusCode),
    /// Its JSON is not what was expected.
    Json(serde_json::Error),
}

/// The request, with the headers that point-auth sends.
pub fn build(uri: &Uri, username: &str, password: &str) -> Request<Vec<u8>> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let body = serde_json::to_vec(&SignIn { username, password }).unwrap();
    Request::builder()
        .method(Method::POST)
        .uri(uri.clone())
        .header(CONTENT_TYPE, JSON)
        .header(ACCEPT, JSON)
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header(USER_AGENT, HeaderValue::from_static("by-hand/1.0"))
        .body(body)
        .unwrap()
}

/// The tokens, or why there are none.
///
/// # Errors
/// [`Failure`], by the status first.
pub fn read<B: AsRef<[u8]>>(response: &Response<B>) -> Result<Tokens, Failure> {
    let body = response.body().as_ref();
    match response.status() {
        StatusCode::OK => serde_json::from_slice(body).map_err(Failure::Json),
        StatusCode::FORBIDDEN => match serde_json::from_slice(body) {
            Ok(denial) => Err(Failure::Denied(denial)),
            Err(error) => Err(Failure::Json(error)),
        },
        status => Err(Failure::Status(status)),
    }
}
