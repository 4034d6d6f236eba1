//! The emulator and its companions, seen from the other end of a socket. HTTP/1.1 is written and
//! read by hand here, so that no client's kindness hides what the server does.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in the functions that tests share, too, a test that cannot go on has failed"
)]

mod answers;
mod bodies;
mod client;
mod clock;
mod closed_port;
#[cfg(feature = "conformance")]
mod conformance;
mod endings;
mod fault_proxy;
#[cfg(feature = "conformance")]
mod held_against_core;
mod http2;
mod large_requests;
mod protected;
mod proxy;
mod raw_server;
mod record;
mod refresh;
mod script;
mod sign_in;
#[cfg(feature = "stores")]
mod stores;
mod strictness;
mod tls;
