//! [`UreqTransport`]: sign in to the PointServices API from blocking code, over [`ureq`].
//!
//! It is a [`BlockingTransport`](point_auth_transport::BlockingTransport): one request out, one
//! whole response in, on the thread that asks, over HTTP/1.1. It knows nothing of tokens and tries
//! nothing twice; `point-auth` does that on top of it.
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
//! # What is kept
//!
//! Of the nine rules of the [contract](point_auth_transport#the-contract), with an agent of its own
//! ([`UreqTransport::new`], [`UreqTransport::with_settings`]) and with one of yours
//! ([`UreqTransport::from_client`]):
//!
//! | rule | own agent | your agent |
//! |---|---|---|
//! | 1. no redirects | kept | kept, whatever your agent says |
//! | 2. once | kept | kept, unless a middleware or connector of yours sends again |
//! | 3. bounded | kept | kept |
//! | 4. in time | kept | the deadline is kept, but for a proxy that drips its answer to `CONNECT`, and for a large body: a write that is sent in parts gets the time that is left anew for each; name look-up has the connect limit once more for itself |
//! | 5. every status | kept | kept, whatever your agent says |
//! | 6. kinds | kept | kept; an answer without the URL it is from, such as a middleware makes up, is `Protocol` |
//! | 7. no leaks | kept | kept by ureq and by this crate; a middleware or connector of yours sees the body |
//! | 8. proxies | kept | left to you: your agent's proxy is used, and ureq reads the environment in another order |
//! | 9. idle for 5 s | kept | kept, whatever your agent says |
//!
//! "Whatever your agent says" holds by settings that travel in the request's extensions, so a
//! middleware must pass those on. If one does not, your agent follows redirects again; but there is
//! an error then in place of the body's second copy, and in place of the answer.
//!
//! TLS, roots and identity are your agent's too. An agent that names a TLS library or a SOCKS proxy
//! which is not compiled in makes ureq panic; that is between you and ureq.
//!
//! # Known limits
//!
//! - ureq copies the body into its output buffer. With an agent of our own that buffer is wiped
//!   when it has been written, and what was read when the connection goes back to the pool or is
//!   closed; rustls, OpenSSL, and an agent of yours keep copies that nobody can wipe. Header values
//!   are not wiped.
//! - ureq-proto logs at `TRACE` every byte that it reads, tokens included, and the head of every
//!   request, so an `Authorization` header too. Keep its target (`ureq_proto`) above that. It does
//!   not log the body of a request, where the password is. ureq itself logs no body, and no header
//!   that could hold a secret.
//! - Features of ureq are the whole build's. Where another crate turns on `gzip` or `brotli`, ureq
//!   decodes what a server sends encoded although it was asked not to; the limit counts decoded
//!   bytes then. With `cookies` it keeps cookies.
//! - An idle connection is not used any more after 5 seconds, and closed when the next request
//!   comes.
//! - A name look-up that takes longer than the connect limit goes on in a thread of ureq's until
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
//!
//! A program that uses rustls' process default itself has to have one provider compiled in: see
//! [One crypto provider in a build](point_auth_transport#one-crypto-provider-in-a-build).
//!
//! Without any of them there is plain HTTP to loopback, and an agent that you bring. ureq is held
//! to one minor release, since the connector here stands on its `unversioned` API; it is
//! re-exported here.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "native-tls", feature = "rustls")),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

mod body;
mod connect;
mod failure;
mod tls;
mod transport;
mod wire;

pub use transport::UreqTransport;
pub use ureq;
