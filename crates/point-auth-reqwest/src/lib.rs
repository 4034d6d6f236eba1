//! Sign-in for the PointServices API over [`reqwest`].
//!
//! This crate is an adapter: it sends the requests that `point-auth-core` builds, and keeps the
//! contract of `point-auth-transport`. It holds no credentials and no tokens. Most programs use the
//! crate `point-auth` with its feature `reqwest`. They need this crate only for a client or
//! settings of their own.
//!
//! ```no_run
//! use point_auth_core::{BaseUrl, Credentials, Operation, SignIn};
//! use point_auth_reqwest::ReqwestTransport;
//! use point_auth_transport::{AsyncTransport, SendLimits};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = ReqwestTransport::new()?;
//! let credentials = Credentials::new("jane.doe", "correct horse")?;
//! let sign_in = SignIn::new(&credentials);
//! let request = sign_in.to_request(&BaseUrl::production())?;
//! let response = transport.send(request, &SendLimits::new()).await?;
//! let tokens = sign_in.parse_response(&response)?;
//! println!("signed in for {:?}", tokens.expires_in());
//! # Ok(())
//! # }
//! ```
//!
//! Sending needs a tokio runtime with timers and I/O (`#[tokio::main]` has both); creating a
//! transport does not. Without a runtime, sending returns an error and does not panic.
//!
//! # A client that you bring
//!
//! [`ReqwestTransport::from_client`] takes any [`reqwest::Client`]. The transport keeps the rules
//! that it can keep for each request. The others are fixed when the client is built, and so are up
//! to you.
//!
//! | rule | the client we build | a client that you bring |
//! |---|---|---|
//! | 1. no redirect is followed | kept: 3xx is returned | The body never goes to a second place: a 307 or 308 is returned, since the body cannot be cloned. A redirecting client answers 301, 302 and 303 with a `GET` without a body, which this crate cannot stop; the result is an error (rule 6). Build yours with `redirect::Policy::none()` |
//! | 2. sent once | kept | kept: no retry policy can clone the body |
//! | 3. the response is capped | kept; nothing is decoded | kept, counted after any decoding that your client does |
//! | 4. the deadline | kept | kept; a shorter timeout of your client ends in the same error |
//! | 5. every status is a response | kept | kept |
//! | 6. failures are classified | kept | kept; an answer from another URL is `Protocol`. A redirect that leads back to the very same URL is not noticed |
//! | 7. nothing is leaked | kept | kept, unless your client logs or your `connector_layer` does |
//! | 8. proxies | kept | yours: reqwest's own rules, or those of your client's configuration |
//! | 9. idle for at most 5 s | kept | yours: reqwest's default is 90 s. Set `pool_idle_timeout`, or the first call after a while may meet a connection that is gone |
//!
//! A request that hyper, below reqwest, has not begun to send when its pooled connection closes
//! goes on another connection. Nothing was sent before, so the request is still sent once.
//!
//! Headers that your client adds by default (`User-Agent` and others) are added where the request
//! does not have them; those of the request win. The client that this crate builds adds only
//! `Accept: */*`, to operations of your own that set no `Accept`.
//!
//! # A client for your own requests
//!
//! A program that signs in also sends requests with the token, through the same proxy and with the
//! same roots and client certificate. [`client_builder`] returns a [`reqwest::ClientBuilder`] from
//! the settings of the transport:
//!
//! ```no_run
//! use point_auth_reqwest::{ReqwestTransport, client_builder};
//! use point_auth_transport::{ProxySettings, TransportSettings};
//! use std::time::Duration;
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let proxy = ProxySettings::url("http://user:password@proxy.example:3128")?;
//! let settings = TransportSettings::new().with_proxy(proxy);
//! let transport = ReqwestTransport::with_settings(&settings)?;
//! let client = client_builder(&settings)?.timeout(Duration::from_secs(60)).build()?;
//! # drop((transport, client));
//! # Ok(())
//! # }
//! ```
//!
//! | | the client of a transport | the client for your own requests |
//! |---|---|---|
//! | TLS, roots, client certificate | the settings | the settings |
//! | proxy for `https` | the settings | the settings |
//! | proxy for plain `http` | none | none; add one with [`proxy`](reqwest::ClientBuilder::proxy) |
//! | redirects | none is followed | reqwest's default: up to 10, without `Authorization` to another host |
//! | retries | none | reqwest's default: only where the server has certainly not acted |
//! | time limits | the deadline of each request | none, as in reqwest: set `connect_timeout` and `timeout` |
//! | idle connections | closed after 5 s | reqwest's default: closed after 90 s |
//! | compression, size of a response | off, capped | as the features of your own reqwest say, not capped |
//!
//! The TLS configuration is complete, so the builder ignores later calls about TLS and ALPN:
//! `tls_certs_merge`, `identity`, `http1_only` and similar ones have no effect. The two clients
//! share no connections.
//!
//! # What cannot be wiped
//!
//! The body is given to reqwest in memory that is wiped when the last handle drops. hyper and the
//! HTTP/2 and TLS layers below reqwest copy requests and responses into buffers of their own, which
//! cannot be wiped.
//!
//! # Features
//!
//! - `rustls` (on by default): TLS by rustls with the platform's trust store, and without a crypto
//!   provider.
//! - `aws-lc-rs` (on by default): aws-lc-rs as the crypto provider of rustls, for every client of
//!   reqwest in the program; turns on `rustls`.
//! - `ring`: ring as the crypto provider of rustls, where `aws-lc-rs` is off; turns on `rustls`.
//! - `bundled-roots`: Mozilla's root certificates, compiled in, as a choice.
//! - `native-tls`: the operating system's TLS, as a choice, and the default where `rustls` is off.
//!   It cannot distinguish a body that ends with its connection from one that was cut off. A
//!   response of the API that is cut off is not valid JSON.
//!
//! A program that uses rustls' process default itself must have one provider compiled in: see [One
//! crypto provider in a build](point_auth_transport#one-crypto-provider-in-a-build).
//!
//! Without any of them, the client that this crate builds speaks plain HTTP only, which `BaseUrl`
//! allows for loopback. If another crate in the build enables reqwest's `rustls-no-provider`,
//! reqwest then needs a process-wide crypto provider. Enable the feature `rustls` of this crate in
//! such a build.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "native-tls", feature = "rustls")),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

mod client;
mod error;
mod transport;

pub use client::client_builder;
/// The version of reqwest whose client [`ReqwestTransport::from_client`] accepts.
pub use reqwest;
pub use transport::ReqwestTransport;
