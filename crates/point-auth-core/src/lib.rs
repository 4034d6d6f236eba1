//! Sign-in for the PointServices API, without I/O.
//!
//! This crate builds [`http::Request`] values and reads [`http::Response`] values. It has no
//! sockets, no clock, no threads and no randomness, so it fits every HTTP stack, async or blocking.
//! It is the foundation of `point-auth`, which most people want, and of wrappers that send the
//! requests themselves.
//!
//! # A walkthrough
//!
//! ```text
//! Credentials ─▶ SignIn ─▶ http::Request<SecretBody> ─▶ (your HTTP stack) ─▶ http::Response ─▶ TokenSet
//! ```
//!
//! An [`Operation`] is two pure functions, request out and response in:
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
//! // The password is in the body and nowhere else, and nobody prints it by accident.
//! assert!(!format!("{request:?}").contains("correct horse"));
//!
//! // Your HTTP stack sends it. This is what came back.
//! let response = http::Response::new(r#"{"access_token": "eyJh…", "expires_in": 3600}"#.replace('…', "bGci"));
//!
//! let tokens = sign_in.parse_response(&response)?;
//! assert_eq!(tokens.expires_in().as_secs(), 3600);
//! let mut next = http::Request::new(());
//! tokens.access_token().authorize(next.headers_mut());
//!
//! // Near its end the access token is refreshed, without the password.
//! if let Some(refresh_token) = tokens.refresh_token() {
//!     let request = Refresh::new(refresh_token).to_request(&base)?;
//! #   drop(request);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A response that is not tokens is a [`ResponseError`], which tells a denial from a malformed
//! answer and from what is no answer of this API at all:
//!
//! ```
//! # use point_auth_core::{Credentials, Operation, ResponseError, SignIn};
//! # let credentials = Credentials::new("user@example.com", "wrong")?;
//! let mut response = http::Response::new(
//!     r#"{"error": "access_denied", "error_description": "Invalid username / password combination"}"#,
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
//! Over hours there is more to it: when to refresh, when to sign in again, and when not to.
//! [`session`] decides that, for as many callers as there are, and again without I/O.
//!
//! # How answers are read
//!
//! Strictly where that protects, leniently where servers differ, and for sign-in and refresh alike:
//!
//! - The body is a JSON object in UTF-8, whatever its content type says; a byte order mark is
//!   passed over. More than [`Operation::MAX_RESPONSE_BYTES`] is refused.
//! - A known field that is given twice is refused; one that is null is absent; unknown ones are
//!   passed over.
//! - Tokens are visible ASCII without spaces, and not empty. `access_token` is the only field that
//!   must be there.
//! - `token_type` is `Bearer` in any case, or absent. Anything else is refused.
//! - `expires_in` is an integer, a float without a fraction or digits in a string; absent means
//!   [3,600 seconds](TokenSet::DEFAULT_EXPIRES_IN), zero and less mean that the token has ended,
//!   and more than [136 years](TokenSet::MAX_EXPIRES_IN) counts as that.
//! - An `error` that is a non-empty string is a denial at any 2xx, 400, 401 and 403, unless it is
//!   `server_error` or `temporarily_unavailable`. No other status denies.
//!
//! # Secrets
//!
//! The password, the tokens and the bodies are wiped when their last handle drops. No `Debug`,
//! `Display` or error source shows any of them. What a server says is capped and escaped, and
//! withheld when it repeats a secret of the request.
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

/// The version whose types are in this crate's interface.
pub use http;
/// The version whose `SecretString` holds a password here.
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

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
