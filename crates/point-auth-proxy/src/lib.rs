//! A reverse proxy that puts the bearer token of `point-auth` on requests, for programs in any
//! language.
//!
//! It listens on a Unix socket or on loopback, takes requests without a token, and sends them to
//! the API over TLS with the token of a [`Session`](point_auth::Session). The session signs in and
//! refreshes; a program behind the proxy knows neither password nor token.
//!
//! ```no_run
//! # #[cfg(unix)]
//! # async fn example(session: point_auth::Session) -> Result<(), Box<dyn std::error::Error>> {
//! use point_auth_proxy::{Listener, Proxy};
//!
//! tokio::spawn(session.keep_fresh());
//! let proxy = Proxy::builder(session).with_path_prefix("/loans").build()?;
//! let listener = Listener::unix("/run/user/1000/point-auth/proxy.sock")?;
//! // Now: curl --unix-socket /run/user/1000/point-auth/proxy.sock http://localhost/loans/1
//! proxy.serve(listener, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! The program `point-auth` has it as its command `proxy`.
//!
//! # What it is not
//!
//! - Not a forward proxy: the server is the one of the session's base URL.
//! - Not for other machines: it listens on loopback and on Unix sockets alone.
//! - Not a cache, and no retry layer. One request is sent a second time: one that the API has
//!   answered with 401, if its body so far had at most 1 MiB.
//!
//! # Who may use it
//!
//! On a Unix socket: the programs of the same user, as the system says. On TCP: the programs
//! that show a [`ClientKey`], and no page in a browser.
//!
//! # What passes
//!
//! Methods but `CONNECT` and `TRACE`, paths that all servers read alike, and bodies of any size in
//! both directions. Headers of the connection, cookies, `Authorization`, `Proxy-*` and what tells
//! about the client stay behind. Sign-in is not forwarded. The book has [all rules].
//!
//! [all rules]: https://github.com/point-auth/point-auth/blob/main/docs/src/reference/proxy.md
//!
//! # Features
//!
//! - `aws-lc-rs` (on by default): aws-lc-rs as the crypto provider of rustls.
//! - `ring`: ring as the crypto provider of rustls, where `aws-lc-rs` is off.
//! - `bundled-roots`: Mozilla's root certificates, compiled in, as a choice.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod activity;
mod client_key;
mod connection;
mod exchange;
mod headers;
mod limits;
mod listener;
mod metrics;
mod proxy;
mod refusal;
mod request_body;
mod response_body;
mod serve;
mod silence;
mod status;
mod target;
mod tokens;
mod upstream;

pub use client_key::{ClientKey, ClientKeyError};
pub use limits::Limits;
pub use listener::{ListenError, Listener};
pub use proxy::{Proxy, ProxyBuilder, SetupError};
