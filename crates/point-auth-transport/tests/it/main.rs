//! The contract crate by itself. The tests of the adapters cover it in use.
#![cfg(test)]

mod authorize;
mod capped_body;
mod causes;
mod deadlines;
mod environment;
mod limits;
mod no_proxy;
mod once_body;
mod proxy_url;
mod reasons;
mod target;
mod tls;
mod transports;

/// A secret that must not appear anywhere.
const CANARY: &str = "cAnArY-5ae1";

/// Returns `error` and all its causes as a log would print them: `Display` and `Debug`.
fn printed(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|cause| format!("{cause} {cause:?}\n")).collect()
}
