//! Sign in to the PointServices API over the HTTP stack of your choice.
//!
//! Choose a transport by its feature, give it to a client, sign in, and put the token on your own requests:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! use point_auth::{Client, Credentials, ReqwestTransport, http};
//!
//! let client = Client::new(ReqwestTransport::new()?);
//! let credentials = Credentials::new("user@example.com", password)?;
//! let tokens = client.sign_in(&credentials).await?;
//!
//! let mut request = http::Request::post("https://api.pointservices.com/…").body(())?;
//! tokens.access_token().authorize(request.headers_mut());
//! # Ok(())
//! # }
//! ```
//!
//! Another transport is another feature and another name in one line: `HyperTransport` for `ReqwestTransport`. Without async,
//! it is `UreqTransport` and [`blocking::Client`]:
//!
//! ```no_run
//! # #[cfg(feature = "ureq")]
//! # fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! use point_auth::{Credentials, UreqTransport, blocking::Client};
//!
//! let client = Client::new(UreqTransport::new()?);
//! let credentials = Credentials::new("user@example.com", password)?;
//! let tokens = client.sign_in(&credentials)?;
//! println!("signed in for {} s", tokens.expires_in().as_secs());
//! # Ok(())
//! # }
//! ```
//!
//! # When it fails
//!
//! There is one [`Error`], the same for every transport. What matters most is what not to do: a sign-in that was
//! [denied](ErrorKind::Denied) will be denied again, and accounts get locked.
//!
//! ```
//! use point_auth::{Error, ErrorKind};
//!
//! fn explain(error: &Error) -> String {
//!     match error.kind() {
//!         ErrorKind::Denied => format!("the server said no, and will say it again ({error})"),
//!         _ if error.is_retryable() => format!("try again later ({error})"),
//!         _ => format!("somebody should look at this ({error})"),
//!     }
//! }
//! ```
//!
//! No error holds a password, a token, a header or a body, at any depth; all of it may be logged.
//!
//! # A transport of your own
//!
//! Implement [`transport::AsyncTransport`] or [`transport::BlockingTransport`]: one method that sends one request and reads
//! one response. [`transport`] says what it has to keep.
//!
//! # What it is not
//!
//! A client sends each operation once and keeps nothing between calls. Nor does it read the tokens: they are opaque.
//!
//! Keeping a token fresh over hours is what [`session`] decides: a state machine that is driven by hand, with any transport, as the
//! example `event_loop` does.
//!
//! # Features
//!
//! All are off by default and additive; any of them work together in one process.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest` | `ReqwestTransport`: async, HTTP/1.1 and HTTP/2, rustls; turns on `async` |
//! | `hyper` | `HyperTransport`: async, HTTP/1.1 and HTTP/2, rustls; turns on `async` |
//! | `ureq` | `UreqTransport`: blocking, HTTP/1.1, rustls; turns on `blocking` |
//! | `async` | `Client`, for async transports |
//! | `blocking` | `blocking::Client`, for blocking transports |
//! | `bundled-roots` | Mozilla's root certificates, as a choice beside the platform's trust store |
//! | `native-tls` | the operating system's TLS, as a choice beside rustls |
//!
//! For an adapter without rustls, depend on its own crate (`point-auth-reqwest` and so on) with `default-features = false`, and
//! on this one with `async` or `blocking`.

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "async")]
mod client;
#[cfg(any(feature = "async", feature = "blocking"))]
mod config;
mod error;

#[cfg(feature = "async")]
pub use client::Client;
pub use error::{Error, ErrorKind};
pub use point_auth_core::{
    AccessToken, BaseUrl, BaseUrlError, CredentialPart, Credentials, CredentialsError, Denial, Field,
    MalformedReason, Operation, Refresh, RefreshToken, RequestError, ResponseError, RetryAfter, Scope,
    SecretBody, SignIn, TokenError, TokenSet, TokenType, UserAgent, UserAgentError,
};
pub use point_auth_core::{http, operation, secrecy, session};
#[cfg(feature = "hyper")]
pub use point_auth_hyper::HyperTransport;
#[cfg(feature = "reqwest")]
pub use point_auth_reqwest::ReqwestTransport;
/// The contract of transports, and the settings that the adapters share.
pub use point_auth_transport as transport;
#[cfg(feature = "ureq")]
pub use point_auth_ureq::UreqTransport;

/// The README's code compiles.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
mod readme {}
