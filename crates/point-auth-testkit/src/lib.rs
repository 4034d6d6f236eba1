//! An emulator of the PointServices sign-in API on loopback, for tests of its clients.
//!
//! It is a real HTTP/1.1 and HTTP/2 server on a free port of 127.0.0.1, plain or with real TLS, on
//! a thread of its own. It behaves as the API does, lives by a clock that a test can turn, counts
//! what reaches it, and misbehaves on command. The emulator stands on nothing but the published
//! wire format: it shares no code with the `point-auth` client crates, so a mistake of theirs is
//! not repeated here.
//!
//! It is not a mock: a test uses the HTTP client that runs in production, sockets,
//! TLS and all. And it is not for production: its authority, its tokens and its users are worth
//! nothing outside the process.
//!
//! # A walkthrough
//!
//! An emulator with TLS and one user:
//!
//! ```
//! use std::time::Duration;
//! use point_auth_testkit::{Emulator, Fault, Operation};
//!
//! let emulator = Emulator::builder().user("user@example.com", "password").with_tls().start()?;
//! assert!(emulator.base_url().starts_with("https://127.0.0.1:"));
//!
//! // Trust this root certificate in the client under test, and nothing else has to change.
//! assert!(emulator.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok::<(), point_auth_testkit::Error>(())
//! ```
//!
//! A sign-in, here by hand over a plain socket, so that this example needs no HTTP client:
//!
//! ```
//! # use std::io::{Read, Write};
//! # use std::net::TcpStream;
//! # use std::time::Duration;
//! # use point_auth_testkit::{Emulator, Fault, Operation};
//! fn sign_in(emulator: &Emulator) -> std::io::Result<String> {
//!     let body = r#"{"username":"user@example.com","password":"password"}"#;
//!     let mut socket = TcpStream::connect(emulator.addr())?;
//!     write!(
//!         socket,
//!         "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
//!          Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
//!         Operation::SignIn.path(),
//!         body.len(),
//!     )?;
//!     let mut answer = String::new();
//!     socket.read_to_string(&mut answer)?;
//!     Ok(answer)
//! }
//!
//! let emulator = Emulator::builder().user("user@example.com", "password").start()?;
//! assert!(sign_in(&emulator)?.starts_with("HTTP/1.1 200 OK"));
//!
//! // What arrived can be looked at and counted.
//! assert_eq!(emulator.count_for("user@example.com", Operation::SignIn), 1);
//! assert_eq!(emulator.requests()[0].header("content-type"), Some("application/json"));
//!
//! // A script of faults: a gateway's page, then an answer that breaks off in the middle.
//! emulator.push_fault(Fault::html(502).header("retry-after", "1"));
//! emulator.push_fault(Fault::pass().delay(Duration::from_millis(10)).cut_after(300));
//! assert!(sign_in(&emulator)?.starts_with("HTTP/1.1 502 Bad Gateway"));
//! assert_eq!(sign_in(&emulator)?.len(), 300);
//! assert_eq!(emulator.pending_faults(), 0);
//!
//! // An hour passes in no time, and access tokens expire.
//! emulator.clock().advance(Duration::from_secs(3600));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What else is here
//!
//! - [`Certificate`]: the bad certificates a client has to refuse, and
//!   [`require_client_certificate`](EmulatorBuilder::require_client_certificate) for mutual TLS.
//! - [`RawServer`]: a TCP server that keeps still, talks nonsense or hangs up; as the target of a
//!   redirect it shows that not a byte arrived.
//! - [`ClosedPort`]: an address that refuses connections.
//! - [`ConnectProxy`]: an HTTP proxy with or without credentials, which can tell whether a secret
//!   passed in the clear.
//! - [`FaultProxy`]: a TCP proxy that makes the way to any server slow, narrow or short, to the
//!   byte.
//! - [`CertificateAuthority`]: throw-away certificates for servers of your own.
//!
//! `point-auth emulate`, of the crate `point-auth-cli`, is the emulator as a program, for other
//! languages and for trying things out by hand.
//!
//! # How it reads the wire contract
//!
//! | request | answer |
//! |---|---|
//! | sign-in with the right password, and an alias this user may have or none | 200 with all five fields |
//! | sign-in with a wrong password, an unknown user or another alias | 403 `access_denied` |
//! | refresh with a refresh token that is good | 200, by default without a new refresh token |
//! | refresh with any other token | 403 `access_denied` |
//! | either of them, but not exactly as documented: method, content type, a field that is missing, unknown, doubled, empty or no string | 400 `invalid_request` |
//! | `GET` or `POST` `/point-auth-emulator/whoami` with a good access token | 200 with `username` and `useralias` |
//! | any method on a [protected route](EmulatorBuilder::protected_route) with a good access token | the same, or JSON of the test's own |
//! | either of them without one | 401 with `WWW-Authenticate` |
//! | any other path | 404 |
//! | anything with a body over 1 MiB | 413 `request_too_large`; it is not recorded, and takes no fault |
//!
//! Access tokens live for an hour. Refresh tokens live for 24 hours, rounded up to midnight US
//! Eastern time, and may be used any number of times. Tokens are unpredictable, look like the real
//! ones (an RS256 JWT of about 900 bytes, an opaque string of 200), and are looked up, not
//! verified: the signature of the JWT is random.
//!
//! The tokens that are good at once take up at most 64 MiB of each kind, which is more than 50,000
//! sign-ins. Beyond that the oldest end early.
//!
//! # Cargo features
//!
//! - `aws-lc-rs` (on by default), `ring` (off): the crypto provider for TLS and certificates. One
//!   of them has to be on; with both, aws-lc-rs does TLS. Turn on the one that the program under
//!   test uses.
//! - `virtual-time` (off): [`VirtualTime`], one clock for a session, its waiters and
//!   for the emulator.
//! - `conformance` (off): the suite that holds any transport against the contract of
//!   `point-auth-transport`.
//! - `stores` (off): the suite that holds any store against the contract of `point-auth-store`. It
//!   and `conformance` are the only parts of this crate that depend on the others.
//!
//! TLS is rustls with an explicit crypto provider; the process default is neither used nor set.
//! rustls panics where that default is asked for and two providers are compiled in. So a test of a
//! program that uses ring has this in its `[dev-dependencies]`:
//!
//! ```toml
//! point-auth-testkit = { version = "0.1", default-features = false, features = ["ring"] }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "conformance", feature = "virtual-time")),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

mod certificates;
mod closed_port;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect_proxy;
mod crypto;
mod emulator;
mod error;
mod fault_proxy;
mod kept;
mod raw_server;
mod server_thread;
#[cfg(feature = "stores")]
pub mod stores;
#[cfg(feature = "virtual-time")]
mod virtual_time;
mod watched;

pub use certificates::{CertificateAuthority, IssuedCertificate, Validity};
pub use closed_port::ClosedPort;
pub use connect_proxy::{
    ConnectProxy, ConnectProxyBuilder, ProxyBehavior, ProxyCredentials, RecordedConnect,
};
pub use emulator::{
    Certificate, Clock, Emulator, EmulatorBuilder, Fault, HttpVersions, Operation, RecordedRequest,
};
pub use error::Error;
pub use fault_proxy::{Cut, Direction, FaultProxy, Flow, LinkFaults, RecordedLink};
pub use raw_server::{RawBehavior, RawServer};
#[cfg(feature = "virtual-time")]
pub use virtual_time::VirtualTime;

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
