//! What the contract crate does by itself; the adapters' own tests show it at work.
#![cfg(test)]

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

/// A secret that must not turn up anywhere.
const CANARY: &str = "cAnArY-5ae1";

/// `error` and everything below it, as a log would have them: `Display` and `Debug`.
fn printed(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|cause| format!("{cause} {cause:?}\n")).collect()
}
