//! Keeps a valid access token of the PointServices API available, over the HTTP stack of your
//! choice.
//!
//! Choose a transport by its feature, pass it to a client, and ask a session for a token at each
//! use:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! use point_auth::{Client, Credentials, ReqwestTransport, Session, http};
//!
//! let client = Client::new(ReqwestTransport::new()?);
//! let session = Session::new(client, Credentials::new("user@example.com", password)?);
//!
//! // From any number of tasks: it signs in on the first call, and refreshes in time.
//! let mut request = http::Request::post("https://api.pointservices.com/…").body(())?;
//! session.authorize(&mut request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Another transport needs another feature and another name: `HyperTransport` in place of
//! `ReqwestTransport`. Without async, use `UreqTransport`, [`blocking::Client`] and
//! [`blocking::Session`]:
//!
//! ```no_run
//! # #[cfg(feature = "ureq")]
//! # fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! use point_auth::blocking::{Client, Session};
//! use point_auth::{Credentials, UreqTransport};
//!
//! let client = Client::new(UreqTransport::new()?);
//! let session = Session::new(client, Credentials::new("user@example.com", password)?);
//! let token = session.access_token()?;
//! # Ok(())
//! # }
//! ```
//!
//! Use `Sessions` if many people share one login. It has a session for each alias, and one
//! [`Ledger`](session::Ledger) that keeps a wrong password from locking the account.
//!
//! A session uses a client, which sends each operation once and keeps nothing between calls:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! # use point_auth::{Client, Credentials, ReqwestTransport};
//! # let client = Client::new(ReqwestTransport::new()?);
//! let tokens = client.sign_in(&Credentials::new("user@example.com", password)?).await?;
//! println!("signed in for {} s", tokens.expires_in().as_secs());
//! # Ok(())
//! # }
//! ```
//!
//! # When it fails
//!
//! There is one [`Error`] for all transports. Its one-line text has the cause and the place, and
//! from a session also the time of the next attempt: `no access token: connection to
//! api.pointservices.com:443 refused; next attempt in 1 s`. These kinds need care:
//!
//! - [`Denied`](ErrorKind::Denied): if the sign-in is sent again, it is denied again, and the
//!   account may be locked.
//! - [`Held`](ErrorKind::Held): after too many denials of a login, nothing is sent for the alias
//!   until [`Error::retry_after`].
//! - [`Refused`](ErrorKind::Refused): the API refuses an operation of your own. This locks nothing.
//!
//! ```
//! use point_auth::{Error, ErrorKind};
//!
//! fn explain(error: &Error) -> String {
//!     match error.kind() {
//!         ErrorKind::Denied => format!("change the credentials ({error})"),
//!         _ if error.is_retryable() => format!("try again later ({error})"),
//!         _ => format!("waiting will not help ({error})"),
//!     }
//! }
//! ```
//!
//! No error holds a password, a token, a header or a body, at any depth. Errors may be logged.
//!
//! # A transport of your own
//!
//! Implement [`transport::AsyncTransport`] or [`transport::BlockingTransport`]: one method that
//! sends one request and reads one response. The contract is in [`transport`].
//!
//! # How exchanges run
//!
//! An exchange of a session runs in the background, and no caller drives it. With the feature
//! `tokio` it is a task of the tokio runtime that the session was built in. Otherwise it runs on
//! one of at most 64 threads of a `ThreadRuntime`. Dropping a caller cancels nothing. Implement
//! [`transport::Runtime`] for another executor.
//!
//! # Limits
//!
//! - Tokens are opaque; this crate does not parse them.
//! - It stores tokens only where `with_store` of a builder says so. Otherwise an [`Observer`] gets
//!   the tokens to store, and a session [restores](session::StoredTokens) them.
//! - It is not a general OAuth 2.0 client.
//! - It sends nothing on its own: a session sends when it is asked for a token, or while its
//!   `keep_fresh` runs.
//!
//! The rules of a session are in [`session::SessionMachine`], a state machine that can be driven by
//! hand with any transport, as in the example `event_loop`.
//!
//! # Features
//!
//! All but `aws-lc-rs` are off by default. They are additive and can be combined in one process.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest` | `ReqwestTransport`: async, HTTP/1.1 and HTTP/2, rustls; turns on `tokio` |
//! | `hyper` | `HyperTransport`: async, HTTP/1.1 and HTTP/2, rustls; turns on `tokio` |
//! | `ureq` | `UreqTransport`: blocking, HTTP/1.1, rustls; turns on `blocking` |
//! | `ureq-middleware` | `UreqAuthorize`, a middleware that puts the token on the requests of a ureq agent; turns on `ureq` |
//! | `async` | `Client`, `Session` and `Sessions`, for async transports; exchanges run on threads |
//! | `blocking` | their counterparts in `blocking`, for blocking transports |
//! | `tokio` | `TokioRuntime`: exchanges are tasks of the tokio runtime that the session was built in; turns on `async` |
//! | `tower` | `tower::TowerTransport` and `tower::AuthorizeLayer`, for stacks made of tower services; turns on `tokio` |
//! | `aws-lc-rs` | on by default: aws-lc-rs as the crypto provider of rustls, in the adapters that are on |
//! | `ring` | ring as the crypto provider of rustls, in the adapters that are on, where `aws-lc-rs` is off |
//! | `bundled-roots` | Mozilla's root certificates, as a choice beside the platform's trust store |
//! | `store` | `with_store` of the builders: tokens that many processes share; needs `async` or `blocking` |
//! | `tracing` | a span for each exchange and an event for its outcome, by the crate `tracing` |
//! | `metrics` | durations and counts of exchanges, and the token's expiry, by the crate `metrics` |
//! | `file-store` | `FileStore`, for the processes of one machine (Unix); turns on `store` |
//! | `redis` | `RedisStore` (with `tokio`) and `blocking::RedisStore` (with `blocking`), for the processes of many machines; turns on `store` |
//! | `native-tls` | the operating system's TLS, as a choice beside rustls |
//!
//! rustls panics if a program uses its process default while two crypto providers are compiled in.
//! The default here is the provider of rustls' own default features, so a program with plain
//! `rustls` has one provider. A program that uses ring needs this:
//!
//! ```toml
//! point-auth = { version = "0.1", default-features = false, features = ["reqwest", "ring"] }
//! ```
//!
//! With both features on, aws-lc-rs is used. With neither, an adapter needs a configuration of the
//! program's own; without it, building the transport fails with
//! [`SettingsError::NoCryptoProvider`](transport::SettingsError::NoCryptoProvider). See [One crypto
//! provider in a build](transport#one-crypto-provider-in-a-build).
//!
//! For an adapter without rustls, depend on its own crate (`point-auth-reqwest` and so on) with
//! `default-features = false`, and on this one with `tokio`, `async` or `blocking`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(
        feature = "async",
        feature = "blocking",
        feature = "hyper",
        feature = "reqwest",
        feature = "store",
        feature = "tokio",
        feature = "tower",
        feature = "ureq"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

#[cfg(any(feature = "async", feature = "blocking"))]
mod aliases;
#[cfg(feature = "async")]
mod async_session;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "async")]
mod client;
#[cfg(any(feature = "async", feature = "blocking"))]
mod config;
#[cfg(any(feature = "async", feature = "blocking"))]
mod credential_source;
#[cfg(any(feature = "async", feature = "blocking"))]
mod driver;
mod error;
#[cfg(any(feature = "async", feature = "blocking"))]
mod handle;
#[cfg(any(feature = "async", feature = "blocking"))]
mod login;
#[cfg(any(feature = "async", feature = "blocking"))]
mod observer;
#[cfg(any(feature = "async", feature = "blocking"))]
mod panicked;
#[cfg(any(feature = "async", feature = "blocking"))]
mod runtime;
#[cfg(feature = "async")]
mod sessions;
#[cfg(all(feature = "store", any(feature = "async", feature = "blocking")))]
mod store;
#[cfg(any(feature = "async", feature = "blocking"))]
mod token_source;
#[cfg(feature = "tower")]
pub mod tower;

#[cfg(any(feature = "async", feature = "blocking"))]
pub use aliases::SessionsSnapshot;
#[cfg(feature = "async")]
pub use async_session::{Session, SessionBuilder};
#[cfg(feature = "async")]
pub use client::Client;
#[cfg(feature = "async")]
pub use credential_source::{BoxError, CredentialSource};
#[cfg(any(feature = "async", feature = "blocking"))]
pub use credential_source::{
    CredentialReadError, EnvironmentCredentials, PasswordFile, ValueProblem,
};
pub use error::{Error, ErrorKind};
#[cfg(any(feature = "async", feature = "blocking"))]
pub use observer::Observer;
pub use point_auth_core::{
    AccessToken, BaseUrl, BaseUrlError, CredentialPart, Credentials, CredentialsError, Denial,
    Field, MalformedReason, Operation, Refresh, RefreshToken, RequestError, ResponseError,
    RetryAfter, Scope, SecretBody, SignIn, TokenError, TokenSet, TokenType, UserAgent,
    UserAgentError,
};
pub use point_auth_core::{http, operation, secrecy, session};
#[cfg(feature = "hyper")]
pub use point_auth_hyper::HyperTransport;
#[cfg(all(feature = "redis", feature = "tokio"))]
pub use point_auth_redis::RedisStore;
#[cfg(feature = "redis")]
pub use point_auth_redis::RedisUrlError;
#[cfg(feature = "reqwest")]
pub use point_auth_reqwest::ReqwestTransport;
/// The contract of stores, for one of your own.
#[cfg(feature = "store")]
pub use point_auth_store as token_store;
#[cfg(feature = "file-store")]
pub use point_auth_store::{FileStore, FileStoreError};
#[cfg(feature = "store")]
pub use point_auth_store::{MemoryStore, StoreKey, StoreKeyError};
/// The contract of transports, and the settings that the adapters share.
pub use point_auth_transport as transport;
pub use point_auth_transport::authorize::UserAlias;
#[cfg(any(feature = "async", feature = "blocking"))]
pub use point_auth_transport::{Runtime, Task};
#[cfg(feature = "ureq-middleware")]
pub use point_auth_ureq::Authorize as UreqAuthorize;
#[cfg(feature = "ureq")]
pub use point_auth_ureq::UreqTransport;
#[cfg(any(feature = "async", feature = "blocking"))]
pub use runtime::ThreadRuntime;
#[cfg(feature = "tokio")]
pub use runtime::TokioRuntime;
#[cfg(feature = "async")]
pub use sessions::{Sessions, SessionsBuilder};
#[cfg(all(feature = "store", any(feature = "async", feature = "blocking")))]
pub use store::{StoreEvent, StoreUnavailable};

/// Compiles the README's code.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
mod readme {}
