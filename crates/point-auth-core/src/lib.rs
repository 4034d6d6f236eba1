//! Sign-in for the PointServices API, without I/O.
//!
//! This crate builds [`http::Request`] values and reads [`http::Response`] values. It has no
//! sockets, no clock, no threads and no randomness, so it works with any HTTP stack, async or
//! blocking. Most programs use `point-auth`, which builds on this crate. Use this crate directly in
//! a wrapper that sends the requests itself.
//!
//! # A walkthrough
//!
//! ```text
//! Credentials ─▶ SignIn ─▶ http::Request<SecretBody> ─▶ (your HTTP stack)
//!                                                                │
//! TokenSet ◀── SignIn::parse_response ◀── http::Response ◀───────┘
//! ```
//!
//! An [`Operation`] is two pure functions: one builds the request, one parses the response.
//!
//! ```
//! use point_auth_core::{BaseUrl, Credentials, Operation, Refresh, SignIn};
//!
//! let base = BaseUrl::production();
//! let credentials = Credentials::new("user@example.com", "correct horse battery staple")?;
//! let sign_in = SignIn::new(&credentials);
//!
//! let request = sign_in.to_request(&base)?;
//! assert_eq!(request.method(), "POST");
//! assert_eq!(request.uri().host(), Some("api.pointservices.com"));
//! // The password is in the body only, and Debug does not print it.
//! assert!(!format!("{request:?}").contains("correct horse"));
//!
//! // Your HTTP stack sends the request and returns this response.
//! let response = http::Response::new(r#"{"access_token": "eyJhbGci", "expires_in": 3600}"#);
//!
//! let tokens = sign_in.parse_response(&response)?;
//! assert_eq!(tokens.expires_in().as_secs(), 3600);
//! let mut next = http::Request::new(());
//! tokens.access_token().authorize(next.headers_mut());
//!
//! // Near the end of its life the access token is refreshed, without the password.
//! if let Some(refresh_token) = tokens.refresh_token() {
//!     let request = Refresh::new(refresh_token).to_request(&base)?;
//! #   drop(request);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A response without tokens is a [`ResponseError`]. It distinguishes a denial, a malformed
//! response and a response that is not of this API:
//!
//! ```
//! # use point_auth_core::{Credentials, Operation, ResponseError, SignIn};
//! # let credentials = Credentials::new("user@example.com", "wrong")?;
//! let mut response = http::Response::new(
//!     r#"{
//!         "error": "access_denied",
//!         "error_description": "Invalid username / password combination"
//!     }"#,
//! );
//! *response.status_mut() = http::StatusCode::FORBIDDEN;
//!
//! match SignIn::new(&credentials).parse_response(&response) {
//!     Err(ResponseError::Denied(denial)) => assert_eq!(denial.code(), "access_denied"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A long-running program must also decide when to refresh, when to sign in again, and when not to.
//! [`session`] decides that for any number of callers, also without I/O.
//!
//! # Reading a response
//!
//! The parser is strict where that protects and lenient where servers differ, for sign-in and
//! refresh alike:
//!
//! - The body is a JSON object in UTF-8, whatever its content type; a byte order mark is ignored.
//!   More than [`Operation::MAX_RESPONSE_BYTES`] is an error.
//! - A known field that occurs twice is an error; null counts as absent; unknown fields are ignored.
//! - Tokens are visible ASCII without spaces, and not empty. Only `access_token` is required.
//! - `token_type` is `Bearer` in any case, or absent. Any other value is an error.
//! - `expires_in` is an integer, a float without a fraction, or digits in a string. Absent means
//!   [3,600 seconds](TokenSet::DEFAULT_EXPIRES_IN), and zero or less means that the token has
//!   expired. More than [136 years](TokenSet::MAX_EXPIRES_IN) counts as 136 years.
//! - An `error` that is a non-empty string is a denial with any 2xx, 400, 401 and 403, unless it is
//!   `server_error` or `temporarily_unavailable`. No other status is a denial.
//!
//! # Secrets
//!
//! The password, the tokens and the bodies are wiped when their last handle drops. No `Debug`,
//! `Display` or error source shows any of them. Server text is capped and escaped, and withheld if
//! it repeats a secret of the request.
//!
//! # Features
//!
//! None.

mod answer;
mod base_url;
mod credentials;
mod denial;
mod error;
pub mod operation;
mod retry_after;
mod secret_body;
mod server_text;
pub mod session;
mod tokens;
mod user_agent;

/// The version of `http` whose types are in this crate's interface.
pub use http;
/// The version of `secrecy` whose `SecretString` holds a password.
pub use secrecy;

pub use answer::Field;
pub use base_url::{BaseUrl, BaseUrlError};
pub use credentials::{CredentialPart, Credentials, CredentialsError};
pub use denial::Denial;
pub use error::{MalformedReason, RequestError, ResponseError};
pub use operation::Operation;
pub use operation::refresh::Refresh;
pub use operation::sign_in::SignIn;
pub use retry_after::RetryAfter;
pub use secret_body::SecretBody;
pub use tokens::{AccessToken, RefreshToken, Scope, TokenError, TokenSet, TokenType};
pub use user_agent::{UserAgent, UserAgentError};

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
