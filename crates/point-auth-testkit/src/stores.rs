//! A suite that holds any store against the contract of `point-auth-store`. Needs the feature
//! `stores`.
//!
//! One line in a test module makes every check a test of its own name. It says how the store is
//! opened. Each opening stands for a process, so that all of them reach the same values with the
//! same key:
//!
//! ```
//! # use std::convert::Infallible;
//! # use std::sync::LazyLock;
//! # use point_auth_store::MemoryStore;
//! static STORE: LazyLock<Option<MemoryStore>> = LazyLock::new(|| MemoryStore::new().ok());
//!
//! point_auth_testkit::store_conformance! {
//!     blocking: || STORE.clone().ok_or("no random numbers"),
//!     without kept: "it keeps all values for good",
//! }
//! # fn main() {}
//! ```
//!
//! For an async store it is `async: || async { … }`; each check gets a tokio runtime of its own.
//! With `dump: || …` before the groups, the check of secrets also searches all that is in the store.
//! A group of checks that a store does not take part in is left out with a reason:
//!
//! | group | what it holds | leave it out when |
//! |---|---|---|
//! | `values` | that values of any bytes are kept, each under its name | – |
//! | `swap` | that a swap is atomic and compares all of the value, under contention as well | – |
//! | `fresh` | that every handle sees a swap that is done | – |
//! | `clock` | that all handles have one time, which passes and does not go back | – |
//! | `kept` | that values stay as long as was asked for, in 1 s of real time | it keeps all values for good |
//! | `repeat` | that a swap may be repeated after its reply was lost | – |
//! | `sealed` | that no secret can be read in what reaches the store | – |
//! | `fleet` | one exchange at a time, late settlements, denials, resets, values that were changed | – |
//!
//! A store that fails `swap`, `fresh` or `clock` sends a wrong password more than once. What the
//! suite cannot see: values that are lost when a machine fails, and the clocks of other machines.
//! A store that takes the time of the process instead of its own passes on one machine.
//!
//! # As values
//!
//! The checks are there as values, too: [`checks`], and [`report`] runs all of them.

mod bench;
mod candidate;
mod check;
mod checks;
mod list;
mod violation;
mod worker;

pub use candidate::Candidate;
#[doc(hidden)]
pub use check::run_test;
pub use check::{Check, Report};
pub use violation::{Rule, Violation};

/// All checks, group by group.
#[must_use]
pub fn checks() -> Vec<Check> {
    use list::collect;

    let mut all = Vec::new();
    crate::__store_list! { values, [collect], (all) }
    crate::__store_list! { swap, [collect], (all) }
    crate::__store_list! { fresh, [collect], (all) }
    crate::__store_list! { clock, [collect], (all) }
    crate::__store_list! { kept, [collect], (all) }
    crate::__store_list! { repeat, [collect], (all) }
    crate::__store_list! { sealed, [collect], (all) }
    crate::__store_list! { fleet, [collect], (all) }
    all
}

/// Holds a store against all checks but those of groups that it leaves out, one after another.
pub fn report(candidate: &Candidate) -> Report {
    Report::of(candidate, checks())
}

/// Makes a test of every check of the [suite](mod@crate::stores), for one store.
///
/// It goes into a module of its own; the tests are in modules that are called like the groups.
#[macro_export]
macro_rules! store_conformance {
    (blocking: $open:expr $(, dump: $dump:expr)? $(, without $group:ident : $reason:literal)* $(,)?) => {
        $crate::store_conformance! { @tests blocking, $open, [$($dump)?], [$($group : $reason,)*] }
    };
    (async: $open:expr $(, dump: $dump:expr)? $(, without $group:ident : $reason:literal)* $(,)?) => {
        $crate::store_conformance! { @tests r#async, $open, [$($dump)?], [$($group : $reason,)*] }
    };
    (@tests $kind:ident, $open:expr, [$($dump:expr)?], [$($group:ident : $reason:literal,)*]) => {
        $($crate::__store_is_group! { $group })*

        fn candidate() -> $crate::stores::Candidate {
            $crate::stores::Candidate::$kind($open)
                $(.with_dump($dump))?
                $(.without(stringify!($group)))*
        }

        $crate::__store_group! { values, [$($group : $reason,)*] }
        $crate::__store_group! { swap, [$($group : $reason,)*] }
        $crate::__store_group! { fresh, [$($group : $reason,)*] }
        $crate::__store_group! { clock, [$($group : $reason,)*] }
        $crate::__store_group! { kept, [$($group : $reason,)*] }
        $crate::__store_group! { repeat, [$($group : $reason,)*] }
        $crate::__store_group! { sealed, [$($group : $reason,)*] }
        $crate::__store_group! { fleet, [$($group : $reason,)*] }
    };
}
