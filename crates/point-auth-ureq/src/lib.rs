//! [`UreqTransport`]: sign in to the PointServices API from blocking code, over [`ureq`].
//!
//! It is a [`BlockingTransport`](point_auth_transport::BlockingTransport): it sends one request and
//! returns one complete response, on the calling thread, over HTTP/1.1. It holds no tokens and
//! never retries; `point-auth` does that on top of it.
//!
//! ```no_run
//! use point_auth_core::{BaseUrl, Credentials, Operation, SignIn};
//! use point_auth_transport::{BlockingTransport, SendLimits};
//! use point_auth_ureq::UreqTransport;
//!
//! let transport = UreqTransport::new()?;
//! let credentials = Credentials::new("user@example.com", "password")?;
//! let sign_in = SignIn::new(&credentials);
//! let response = transport.send(sign_in.to_request(&BaseUrl::production())?, &SendLimits::new())?;
//! let tokens = sign_in.parse_response(&response)?;
//! # drop(tokens);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules of the contract
//!
//! These rules of the [contract](point_auth_transport#the-contract) hold for an agent that this
//! crate builds ([`UreqTransport::new`], [`UreqTransport::with_settings`]) and for one of yours
//! ([`UreqTransport::from_client`]):
//!
//! | rule | built here | your agent |
//! |---|---|---|
//! | 1. no redirects | kept | kept, whatever your agent's configuration |
//! | 2. once | kept | kept, unless a middleware or connector of yours sends again |
//! | 3. bounded | kept | kept |
//! | 4. in time | kept | the deadline is kept, with two exceptions: a proxy that sends its response to `CONNECT` byte by byte, and a large body, since each part of a write gets the remaining time anew; name lookup gets the connect limit once more for itself |
//! | 5. every status | kept | kept, whatever your agent's configuration |
//! | 6. kinds | kept | kept; a response without its URL, such as a middleware may create, is `Protocol` |
//! | 7. no leaks | kept | kept by ureq and by this crate; a middleware or connector of yours sees the body |
//! | 8. proxies | kept | left to you: your agent's proxy is used, and ureq reads the environment in another order |
//! | 9. idle for 5 s | kept | kept, whatever your agent's configuration |
//!
//! Rules 1, 5 and 9 hold by settings in the request's extensions, so a middleware must pass those
//! on. If one does not, your agent follows redirects again. The second copy of the body and the
//! response are then errors.
//!
//! TLS, roots and identity are your agent's too. ureq panics if an agent names a TLS library or a
//! SOCKS proxy that is not compiled in.
//!
//! # Known limits
//!
//! - ureq copies the body into its output buffer. An agent built here wipes that buffer once it is
//!   written, and the input buffer when the connection returns to the pool or closes. Copies in
//!   rustls, in OpenSSL and in an agent of yours cannot be wiped. Header values are not wiped.
//! - ureq-proto logs at `TRACE` every byte that it reads, tokens included, and the head of every
//!   request with its `Authorization` header. Keep its target (`ureq_proto`) above that level. It
//!   does not log the body of a request, which holds the password. ureq itself logs no body, and no
//!   header that could hold a secret.
//! - Features of ureq apply to the whole build. Where another crate enables `gzip` or `brotli`,
//!   ureq decodes an encoded response although it did not ask for one; the limit then counts
//!   decoded bytes. With `cookies` it keeps cookies.
//! - An idle connection is not used after 5 seconds, but closes only when the next request comes.
//! - A name lookup that takes longer than the connect limit continues in a thread of ureq's until
//!   the system gives up.
//!
//! # Features
//!
//! - `rustls` (on by default): TLS by rustls with the platform's trust store, and without a crypto
//!   provider.
//! - `aws-lc-rs` (on by default): aws-lc-rs as the crypto provider of rustls; turns on `rustls`.
//! - `ring`: ring as the crypto provider of rustls, where `aws-lc-rs` is off; turns on `rustls`.
//! - `bundled-roots`: Mozilla's root certificates, compiled in, as a choice beside the platform's
//!   trust store (for rustls).
//! - `native-tls`: the operating system's own TLS (OpenSSL on Linux, whose development files the
//!   build then needs).
//! - `middleware`: `Authorize`, which puts a session's token on the requests of an agent.
//!
//! A program that uses rustls' process default itself must have one provider compiled in: see [One
//! crypto provider in a build](point_auth_transport#one-crypto-provider-in-a-build).
//!
//! Without any of them there is plain HTTP to loopback, and an agent of your own. This crate
//! requires one minor release of ureq, because its connector uses ureq's `unversioned` API. ureq is
//! re-exported here.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "middleware", feature = "native-tls", feature = "rustls")),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

#[cfg(feature = "middleware")]
mod authorize;
mod body;
mod connect;
mod failure;
mod tls;
mod transport;
mod wire;

#[cfg(feature = "middleware")]
pub use authorize::Authorize;
/// Whose token a request gets that [`Authorize`] passes on.
#[cfg(feature = "middleware")]
pub use point_auth_transport::authorize::UserAlias;
pub use transport::UreqTransport;
pub use ureq;
