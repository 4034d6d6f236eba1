//! A suite that holds any transport against the contract of `point-auth-transport`. Needs the
//! feature `conformance`.
//!
//! One line in a test module makes every check a test of its own name. It says how a transport is
//! made of what a check wants, which is a [`Setup`]:
//!
//! ```
//! # mod point_auth_ureq {
//! #     use point_auth_transport::*;
//! #     #[derive(Debug)] pub struct UreqTransport;
//! #     impl UreqTransport { pub fn with_settings(_: &TransportSettings) -> Result<Self, SettingsError> { Ok(Self) } }
//! #     impl BlockingTransport for UreqTransport {
//! #         fn send(&self, _: http::Request<point_auth_core::SecretBody>, _: &SendLimits)
//! #             -> Result<http::Response<point_auth_core::SecretBody>, TransportError>
//! #         { Err(TransportErrorKind::Other.into()) }
//! #     }
//! # }
//! # use point_auth_ureq::UreqTransport;
//! point_auth_testkit::conformance! {
//!     blocking: |setup| UreqTransport::with_settings(setup.settings()),
//!     without http2: "ureq speaks HTTP/1.1 alone",
//! }
//! # fn main() {}
//! ```
//!
//! For an async transport it is `async: |setup| …`; each check gets a tokio runtime of its own. A
//! group of checks that a transport does not take part in is left out with a reason, as many times
//! as need be:
//!
//! | group | what it holds | leave it out when |
//! |---|---|---|
//! | `plain` | HTTP/1.1 over TCP: all rules | there is no plain HTTP |
//! | `tls` | HTTP/1.1 over TLS: all rules, and certificates good and bad | there is no TLS |
//! | `http2` | HTTP/2 over TLS: all rules, and what HTTP/2 allows to send again | there is no HTTP/2 |
//! | `large_request` | rule 4 for a request that a server stops reading, over TCP | a write may take the whole time again |
//! | `truncation` | that an answer without a length ends with TLS's goodbye (`close_notify`), not with a cut | the TLS library takes a cut for an end |
//! | `mutual_tls` | client certificates | there are none |
//! | `proxy` | rule 8 with a proxy that is named | there are no proxies |
//! | `environment` | rule 8 with a proxy that the environment names | the environment is not looked at |
//! | `keep_alive` | that two quick requests share a connection | each has its own |
//! | `idle` | rule 9 | the caller manages idle connections |
//! | `cancellation` | that a future that is dropped does no harm (async only) | – |
//!
//! One check is left out by its group and its name, and a reason, too: `without
//! tls::an_ipv6_literal_is_a_host_like_any_other: "the device has no IPv6"`. In its place is a test
//! `tls::an_ipv6_literal_is_a_host_like_any_other::is_left_out`. Reasons are printed on the standard
//! error stream.
//!
//! A test that fails says which rule was broken, how, and what the servers saw. Each check
//! also fails when an exchange goes on for long after its limit, and when an error shows a secret.
//!
//! # The sweep
//!
//! The groups `plain`, `tls`, `http2` and `keep_alive` each hold checks that cut a sign-in after
//! one byte after the other, in both directions, with FIN and with RST. After each cut there has
//! to be an error of a kind that is worth another try, or the whole answer; one request and no
//! second; no error that says "not sent" of a request that the server got; and the next sign-in has
//! to work. Others let the connection fall silent in the same places, or in those that differ: then
//! it is a `Timeout`, by the deadline. They take some seconds, and print their counts in a
//! line that begins with `sweep |`, a row of [`SweepReport`]. With TLS they leave out a part of the
//! bytes, unless the environment says `POINT_AUTH_SWEEP=all`. As functions they are [`sweep()`] and
//! [`sweep_silence`].
//!
//! # As values
//!
//! The same checks are there as values, for a program that makes a report: [`checks`].
//!
//! What the suite does not look at: what a transport logs, and whether memory is wiped.

pub mod answers;
mod attempt;
mod bench;
mod canary;
mod candidate;
mod check;
mod checks;
mod list;
mod requests;
mod sweep;
mod violation;

pub use candidate::{Candidate, ProxyChoice, Setup};
pub use check::{Check, Wire};
#[doc(hidden)]
pub use check::{assert_is_check, print_left_out, run_test};
pub use sweep::{SweepExtent, SweepReport, SweptConnection, sweep, sweep_silence};
pub use violation::{Rule, Violation};

/// All checks, group by group.
#[must_use]
pub fn checks() -> Vec<Check> {
    use list::collect;

    let mut all = Vec::new();
    crate::__conformance_list! { plain, [collect], (all, Wire::Plain) }
    crate::__conformance_list! { tls, [collect], (all, Wire::Tls) }
    crate::__conformance_list! { http2, [collect], (all, Wire::Http2) }
    crate::__conformance_list! { large_request, [collect], (all, Wire::Plain) }
    crate::__conformance_list! { truncation, [collect], (all, Wire::Tls) }
    crate::__conformance_list! { mutual_tls, [collect], (all, Wire::Tls) }
    crate::__conformance_list! { proxy, [collect], (all, Wire::Tls) }
    crate::__conformance_list! { environment, [collect], (all, Wire::Tls) }
    crate::__conformance_list! { keep_alive, [collect], (all, Wire::Plain) }
    crate::__conformance_list! { idle, [collect], (all, Wire::Plain) }
    crate::__conformance_list! { cancellation, [collect], (all, Wire::Plain) }
    all
}

/// Makes a test of every check of the [suite](mod@crate::conformance), for one transport.
///
/// It goes into a module of its own; the tests are in modules that are called like the groups.
#[macro_export]
macro_rules! conformance {
    (
        blocking: $make:expr
        $(, without $group:ident $(:: $check:ident)? : $reason:literal)* $(,)?
    ) => {
        $crate::conformance! {
            @tests blocking, $make,
            [$($group $(:: $check)? : $reason,)* cancellation : "a blocking call ends by itself",]
        }
    };
    (
        async: $make:expr
        $(, without $group:ident $(:: $check:ident)? : $reason:literal)* $(,)?
    ) => {
        $crate::conformance! { @tests r#async, $make, [$($group $(:: $check)? : $reason,)*] }
    };
    (
        @tests $kind:ident, $make:expr,
        [$($group:ident $(:: $check:ident)? : $reason:literal,)*]
    ) => {
        $($crate::__conformance_is_group! { $group })*

        fn candidate() -> $crate::conformance::Candidate {
            let candidate = $crate::conformance::Candidate::$kind($make);
            $(let candidate = $crate::__conformance_without! { candidate, $group $(:: $check)? };)*
            candidate
        }

        $crate::__conformance_group! { plain, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { tls, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { http2, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { large_request, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { truncation, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { mutual_tls, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { proxy, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { environment, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { keep_alive, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { idle, [$($group $(:: $check)? : $reason,)*], [] }
        $crate::__conformance_group! { cancellation, [$($group $(:: $check)? : $reason,)*], [] }
    };
}
