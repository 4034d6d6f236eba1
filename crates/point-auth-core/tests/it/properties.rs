//! What holds of any input. `PROPTEST_CASES` sets how many are tried, 256 by default; what has
//! failed once is kept in `*.proptest-regressions` beside the tests and tried first.

mod base_urls;
mod canaries;
mod generated;
mod headers;
mod reference;
mod requests;
mod responses;

use proptest::test_runner::{Config, FileFailurePersistence};

/// proptest's own settings, with the regressions beside the source file: its default place is
/// beside `src`.
fn config() -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..Config::default()
    }
}
