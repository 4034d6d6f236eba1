//! How point-auth sends a request: the contract that every transport keeps, and what the adapters
//! share.
//!
//! A transport takes an [`http::Request`] with a [`SecretBody`](point_auth_core::SecretBody), sends
//! it once, and hands back the whole [`http::Response`]. It is [`AsyncTransport`],
//! [`BlockingTransport`] or both. This crate has no HTTP client in it: `point-auth-reqwest`,
//! `point-auth-ureq` and `point-auth-hyper` have one each, and yours may be the fourth. Nor does it
//! know anything of signing in, or try anything twice; that is the business of `point-auth-core`
//! and `point-auth`.
//!
//! # A transport of your own
//!
//! Over a stack that can connect and send, which is `my_stack` here:
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
//! A request of this API holds a password, and an answer holds tokens. A wrong password that is
//! sent twice may lock an account. So a transport keeps nine rules, and `point-auth-testkit` has
//! the servers that show whether it does:
//!
//! 1. **No redirects.** It follows none and hands 3xx back. The body never reaches a second host.
//! 2. **Once.** It sends the request once: no silent resend on a stale connection, on HTTP/2's
//!    GOAWAY, or by a retry layer.
//! 3. **Bounded.** It stops reading at [`max_response_bytes`](SendLimits::max_response_bytes),
//!    counted after any decoding, and allocates nothing on the word of a `Content-Length`.
//!    Decompression is off.
//! 4. **In time.** It ends by [`total_timeout`](SendLimits::total_timeout), which covers name
//!    look-up, connect, TLS, sending and the whole body; and the connection stands by
//!    [`connect_timeout`](SendLimits::connect_timeout).
//! 5. **Every status is a response.** 400, 403 and 500 are not errors of the transport.
//! 6. **Failures have a kind.** They are a [`TransportErrorKind`], alike for all transports, and
//!    say whether the request [may have been sent](TransportError::may_have_been_sent). An answer
//!    from another URL than the request's is [`Protocol`](TransportErrorKind::Protocol).
//! 7. **No leaks.** No body, no header value and no userinfo in `Debug`, `Display`, `source()` or
//!    logs.
//! 8. **Proxies alike.** [`ProxySettings`] says which proxy is used, for all transports the same.
//! 9. **No stale connections.** Idle ones are kept for at most [5 seconds](LONGEST_IDLE): an hourly
//!    caller must not meet one that the server is about to close, since nothing is sent twice.
//!
//! # What the adapters share
//!
//! - [`TransportSettings`], out of [`TlsSettings`] and [`ProxySettings`]: what they are built from,
//!   and [`SettingsError`].
//! - [`CappedBody`] reads a response; [`SentFlag`] knows whether a request body was asked for.
//! - [`TransportError::classify`] looks into the causes of a client's error for its kind and its
//!   [reason](TransportErrorReason), and [`TransportError::with_route`] names host and port.
//!   [`Chain`] lists all causes, and [`ScrubbedError`] is a copy that repeats only what is
//!   harmless. [`check_head`] refuses what no adapter should send, and takes out what is the
//!   connection's.
//! - [`Runtime`] is how time passes and tasks run where a session is kept going.
//! - `OnceBody`, `read_capped` and `with_deadlines` are for clients on `http-body` and tokio.
//!
//! # Features
//!
//! None is on by default; the adapters turn on what they need.
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
//! rustls has a default crypto provider for the process. It finds that provider by itself while
//! exactly one is compiled in. With two, `rustls::ClientConfig::builder()` panics, in whichever
//! crate calls it, unless the program has called `install_default`. This library neither reads nor
//! sets the default: it names the provider where it builds a configuration. But what it compiles in
//! counts.
//!
//! | features | compiled in | used for our connections |
//! |---|---|---|
//! | `aws-lc-rs` (default of the adapters and of `point-auth`) | aws-lc-rs, as by rustls' own default features | aws-lc-rs |
//! | `ring` | ring | ring |
//! | both | both: the program has to call `install_default` if it uses the default | aws-lc-rs |
//! | `rustls` alone | none | the one in [`TlsSettings::with_rustls_config`]; without it, building fails with [`SettingsError::NoCryptoProvider`] |
//!
//! To use ring, turn the default off, here and in every other crate that asks for aws-lc-rs:
//!
//! ```toml
//! [dependencies]
//! point-auth = { version = "0.1", default-features = false, features = ["reqwest", "ring"] }
//!
//! [dev-dependencies]
//! point-auth-testkit = { version = "0.1", default-features = false, features = ["ring"] }
//! ```
//!
//! `cargo tree -e features -i ring` and `-i aws-lc-rs` tell which crate turns a provider on.

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
/// The version that [`TlsSettings`] takes a configuration of.
#[cfg(feature = "rustls")]
pub use rustls;
pub use sent::SentFlag;
pub use settings::TransportSettings;
pub use settings_error::SettingsError;
pub use target::check_head;
pub use tls::{Roots, TlsBackend, TlsSettings};
pub use transport::{AsyncTransport, BlockingTransport};
