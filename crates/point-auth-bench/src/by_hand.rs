//! The reference: a sign-in written with `http` and `serde_json` only. The URI is parsed once,
//! types are derived, strings are owned, and nothing is wiped.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct SignIn<'a> {
    username: &'a str,
    password: &'a str,
}

/// The response to a sign-in.
#[derive(Deserialize)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// The scope.
    pub scope: Option<String>,
    /// `Bearer`.
    pub token_type: Option<String>,
    /// The lifetime in seconds.
    pub expires_in: u64,
}

/// The response to a wrong password.
#[derive(Deserialize)]
pub struct Denial {
    /// `access_denied`.
    pub error: String,
    /// For people.
    pub error_description: Option<String>,
}

/// The reason why there are no tokens.
pub enum Failure {
    /// The server denied the sign-in.
    Denied(Denial),
    /// The response has another status.
    Status(StatusCode),
    /// The response has unexpected JSON.
    Json(serde_json::Error),
}

/// Builds the request, with the headers that point-auth sends.
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

/// Returns the tokens of a response.
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
