//! Sign-in for the PointServices API over [`hyper`].
//!
//! This crate is an adapter: it sends the requests that `point-auth-core` builds, and keeps the
//! contract of `point-auth-transport`. It holds no credentials and no tokens. Most programs use the
//! crate `point-auth` with its feature `hyper`. They need this crate only for a client, a connector
//! or settings of their own.
//!
//! ```no_run
//! use point_auth_core::{BaseUrl, Credentials, Operation, SignIn};
//! use point_auth_hyper::HyperTransport;
//! use point_auth_transport::{AsyncTransport, SendLimits};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = HyperTransport::new()?;
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
//! [`HyperTransport::with_connector`] runs our client over your own connections: a Unix socket,
//! another TLS library, a tunnel. [`HyperTransport::from_client`] takes a complete
//! [`hyper_util::client::legacy::Client`] whose body is [`OnceBody`], and
//! [`HyperTransport::from_client_with`] one with another body.
//!
//! | rule | the client we build | your connector | your client |
//! |---|---|---|---|
//! | 1. no redirect is followed | kept | kept | kept: hyper follows none |
//! | 2. sent once | kept | kept | kept with `OnceBody` |
//! | 3. the response is capped | kept | kept | kept |
//! | 4. the deadline | kept | kept, if the connector's futures do not block | likewise |
//! | 5. every status is a response | kept | kept | kept |
//! | 6. failures are classified | kept | kept; TLS errors are recognized if they come from rustls or native-tls and that feature is on here | likewise |
//! | 7. nothing is leaked | kept | kept, unless your connector logs | likewise |
//! | 8. proxies | kept | yours | yours |
//! | 9. idle for at most 5 s | kept | kept | yours: hyper-util's default is 90 s. Set `pool_idle_timeout`, and a `pool_timer`, or the first call after a while may meet a connection that is gone |
//!
//! A request that hyper-util has not begun to send when its pooled connection closes goes on
//! another connection. Nothing was sent before, so the request is still sent once.
//!
//! # What cannot be wiped
//!
//! The body is given to hyper in memory that is wiped when the last handle drops. hyper and the
//! HTTP/2 and TLS layers copy requests and responses into buffers of their own, which cannot be
//! wiped.
//!
//! # Features
//!
//! - `rustls` (on by default): TLS by rustls with the platform's trust store, and without a crypto
//!   provider.
//! - `aws-lc-rs` (on by default): aws-lc-rs as the crypto provider of rustls; turns on `rustls`.
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
//! allows for loopback.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "native-tls", feature = "rustls")),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

mod client;
mod connector;
mod error;
mod transport;

/// The version of hyper-util whose client [`HyperTransport::from_client`] accepts.
pub use hyper_util;
pub use point_auth_transport::OnceBody;
pub use transport::HyperTransport;
