//! The transport contract of point-auth, and the code that its adapters share.
//!
//! A transport takes an [`http::Request`] with a [`SecretBody`](point_auth_core::SecretBody), sends
//! it once, and returns the complete [`http::Response`]. It implements [`AsyncTransport`],
//! [`BlockingTransport`] or both. This crate contains no HTTP client: `point-auth-reqwest`,
//! `point-auth-ureq` and `point-auth-hyper` each adapt one, and you can add another. It knows
//! nothing of sign-in and never retries: `point-auth-core` and `point-auth` do that.
//!
//! # A transport of your own
//!
//! This example adapts an HTTP stack, here `my_stack`, that can connect and send:
//!
//! ```
//! use http::{Request, Response};
//! use point_auth_core::SecretBody;
//! use point_auth_transport::{
//!     BlockingTransport, CappedBody, SendLimits, TransportError, TransportErrorKind::*, check_head,
//! };
//! # mod my_stack {
//! #     use std::{io, time::Duration};
//! #     pub const HAS_TLS: bool = true;
//! #     pub struct Connection;
//! #     pub struct Answer {
//! #         pub status: http::StatusCode,
//! #         pub headers: http::HeaderMap,
//! #         pub body: io::Empty,
//! #     }
//! #     pub fn connect(_: &http::Uri, _: Duration, _: Duration) -> io::Result<Connection> {
//! #         Ok(Connection)
//! #     }
//! #     impl Connection {
//! #         pub fn send(self, _: &http::request::Parts, _: &[u8]) -> io::Result<Answer> {
//! #             let (status, headers) = (http::StatusCode::OK, http::HeaderMap::new());
//! #             Ok(Answer { status, headers, body: io::empty() })
//! #         }
//! #     }
//! # }
//!
//! /// Sends over the HTTP stack of this program.
//! #[derive(Debug)]
//! pub struct Mine;
//!
//! impl BlockingTransport for Mine {
//!     fn send(
//!         &self,
//!         request: Request<SecretBody>,
//!         limits: &SendLimits,
//!     ) -> Result<Response<SecretBody>, TransportError> {
//!         let (mut head, body) = request.into_parts();
//!         check_head(&mut head, my_stack::HAS_TLS)?;
//!         let connection =
//!             my_stack::connect(&head.uri, limits.connect_timeout(), limits.total_timeout())
//!                 .map_err(|error| TransportError::classify(&error, Connect).not_sent())?;
//!         // From here on the server may have seen the password, whatever happens.
//!         let failed = |error| TransportError::classify(&error, Protocol);
//!         let mut answer = connection.send(&head, body.as_ref()).map_err(failed)?;
//!         let body =
//!             CappedBody::new(limits.max_response_bytes()).read_from(&mut answer.body, failed)?;
//!         let mut response = Response::new(body);
//!         *response.status_mut() = answer.status;
//!         *response.headers_mut() = answer.headers;
//!         Ok(response)
//!     }
//! }
//! # let mut request = Request::new(SecretBody::default());
//! # *request.uri_mut() = http::Uri::from_static("https://api.pointservices.com/");
//! # assert_eq!(Mine.send(request, &SendLimits::new()).unwrap().status(), 200);
//! ```
//!
//! # The contract
//!
//! A request of this API holds a password, and a response holds tokens. A wrong password that is
//! sent twice may lock an account. So a transport keeps nine rules. The servers in
//! `point-auth-testkit` check whether it does:
//!
//! 1. **No redirects.** It follows none and returns 3xx. The body never reaches a second host.
//! 2. **Once.** It sends the request once: no silent resend on a stale connection, on HTTP/2's
//!    GOAWAY, or by a retry layer.
//! 3. **Bounded.** It stops reading at [`max_response_bytes`](SendLimits::max_response_bytes),
//!    counted after any decoding, and allocates nothing on the word of a `Content-Length`.
//!    Decompression is off.
//! 4. **In time.** It ends by [`total_timeout`](SendLimits::total_timeout), which covers name
//!    lookup, connect, TLS, sending and the complete body. The connection is established by
//!    [`connect_timeout`](SendLimits::connect_timeout).
//! 5. **Every status is a response.** 400, 403 and 500 are not errors of the transport.
//! 6. **Failures have a kind.** Every transport reports the same [`TransportErrorKind`], and
//!    whether the request [may have been sent](TransportError::may_have_been_sent). A response from
//!    another URL than the request's is [`Protocol`](TransportErrorKind::Protocol).
//! 7. **No leaks.** No body, no header value and no userinfo in `Debug`, `Display`, `source()` or
//!    logs.
//! 8. **Proxies alike.** [`ProxySettings`] selects the proxy in the same way for all transports.
//! 9. **No stale connections.** Idle ones are kept for at most [5 seconds](LONGEST_IDLE). An hourly
//!    caller must not meet one that the server is about to close, because nothing is sent twice.
//!
//! # Shared code
//!
//! - [`TransportSettings`], with [`TlsSettings`] and [`ProxySettings`], configures an adapter.
//!   [`SettingsError`] is the error for bad settings.
//! - [`check_head`] rejects requests that no adapter should send, and removes headers that belong
//!   to the connection.
//! - [`CappedBody`] reads a response. [`SentFlag`] records whether a request body was asked for.
//! - [`TransportError::classify`] derives kind and [reason](TransportErrorReason) from the causes
//!   of a client's error, and [`TransportError::with_route`] adds host and port.
//! - [`Chain`] lists all causes of an error. [`ScrubbedError`] is a copy that keeps only the
//!   harmless ones.
//! - [`Runtime`] provides time and tasks to sessions.
//! - [`authorize`] has the rules by which a middleware puts the token on a program's requests.
//! - `OnceBody`, `read_capped` and `with_deadlines` are for clients on `http-body` and tokio.
//!
//! # Features
//!
//! All are off by default; the adapters enable what they need.
//!
//! - `rustls`: TLS by rustls with the platform's trust store, and without a crypto provider.
//! - `aws-lc-rs`: aws-lc-rs as the crypto provider of rustls; turns on `rustls`.
//! - `ring`: ring as the crypto provider of rustls, where `aws-lc-rs` is off; turns on `rustls`.
//! - `bundled-roots`: Mozilla's root certificates, compiled in, as a choice beside the platform's
//!   trust store (for rustls).
//! - `native-tls`: the operating system's own TLS (OpenSSL on Linux, whose development files the
//!   build then needs).
//! - `http-body`: a request body that goes out once, and capped reading of a response body.
//! - `tokio`: the connect limit and the deadline.
//!
//! # One crypto provider in a build
//!
//! rustls has a default crypto provider for the process. It selects that provider by itself while
//! exactly one is compiled in. With two, `rustls::ClientConfig::builder()` panics in any crate that
//! calls it, unless the program has called `install_default`. This library neither reads nor sets
//! the default, and names its provider explicitly. But the provider that it compiles in still
//! counts.
//!
//! | features | compiled in | used for our connections |
//! |---|---|---|
//! | `aws-lc-rs` (default of the adapters and of `point-auth`) | aws-lc-rs, as by rustls' own default features | aws-lc-rs |
//! | `ring` | ring | ring |
//! | both | both: the program has to call `install_default` if it uses the default | aws-lc-rs |
//! | `rustls` alone | none | the one in [`TlsSettings::with_rustls_config`]; without it, building fails with [`SettingsError::NoCryptoProvider`] |
//!
//! To use ring, turn the default off, here and in every other crate that enables aws-lc-rs:
//!
//! ```toml
//! [dependencies]
//! point-auth = { version = "0.1", default-features = false, features = ["reqwest", "ring"] }
//!
//! [dev-dependencies]
//! point-auth-testkit = { version = "0.1", default-features = false, features = ["ring"] }
//! ```
//!
//! `cargo tree -e features -i ring` and `-i aws-lc-rs` show which crate enables a provider.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(
        feature = "http-body",
        feature = "native-tls",
        feature = "rustls",
        feature = "tokio"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

pub mod authorize;
mod capped;
mod chain;
#[cfg(feature = "tokio")]
mod deadline;
mod error;
mod limits;
#[cfg(feature = "http-body")]
mod once;
mod proxy;
mod reason;
mod runtime;
mod sent;
mod settings;
mod settings_error;
mod target;
mod tls;
mod transport;

pub use async_trait::async_trait;
pub use capped::CappedBody;
pub use chain::{Chain, ScrubbedError};
#[cfg(feature = "tokio")]
pub use deadline::with_deadlines;
pub use error::{TransportError, TransportErrorKind};
pub use limits::{LONGEST_IDLE, SendLimits};
#[cfg(feature = "http-body")]
pub use once::{OnceBody, read_capped};
pub use proxy::{Proxy, ProxyResolver, ProxySettings};
pub use reason::TransportErrorReason;
pub use runtime::{Runtime, Task};
/// The version of rustls whose configuration [`TlsSettings`] accepts.
#[cfg(feature = "rustls")]
pub use rustls;
pub use sent::SentFlag;
pub use settings::TransportSettings;
pub use settings_error::SettingsError;
pub use target::check_head;
pub use tls::{Roots, TlsBackend, TlsSettings};
pub use transport::{AsyncTransport, BlockingTransport};
