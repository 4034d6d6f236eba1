//! Properties of any input. `PROPTEST_CASES` sets the number of cases, 256 by default. Failed cases
//! are kept in `*.proptest-regressions` next to the tests and tried first.

mod base_urls;
mod canaries;
mod generated;
mod headers;
mod reference;
mod requests;
mod responses;

use proptest::test_runner::{Config, FileFailurePersistence};

/// proptest's defaults, but with the regressions next to the source file, not next to `src`.
fn config() -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..Config::default()
    }
}
