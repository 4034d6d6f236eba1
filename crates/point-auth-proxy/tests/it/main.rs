//! The proxy as its clients meet it: over real sockets, with the API behind it over TLS.

mod support;

mod access;
mod clients;
mod drain;
mod failures;
mod framing;
mod headers;
mod limits;
mod paths;
mod retries;
mod status;
mod streams;
#[cfg(unix)]
mod unix;
