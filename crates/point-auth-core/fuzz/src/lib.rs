//! What is fuzzed, as plain functions of bytes: each reads its input, gives it to `point-auth-core`
//! and panics where a rule is broken. A fuzzer calls them without end; `cargo test` calls them for
//! each of their seeds.

mod answers;
mod base_urls;
mod ledger;
#[path = "../../tests/it/properties/reference.rs"]
mod reference;
mod retry_after;
mod saying;
mod seeds;
mod sessions;
mod stored_tokens;

pub use answers::answers;
pub use base_urls::base_urls;
pub use ledger::ledger;
pub use retry_after::retry_after;
pub use seeds::{Seeds, seeds};
pub use sessions::sessions;
pub use stored_tokens::stored_tokens;

/// A name, which is also that of its seeds, and what it calls.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("answers", answers),
    ("base_urls", base_urls),
    ("ledger", ledger),
    ("retry_after", retry_after),
    ("sessions", sessions),
    ("stored_tokens", stored_tokens),
];

/// What a program does without a fuzzer: calls `target` for each file that is named on its command
/// line.
///
/// # Panics
/// When a file cannot be read, or when `target` does.
pub fn run_files(target: fn(&[u8])) {
    for path in std::env::args_os().skip(1) {
        match std::fs::read(&path) {
            Ok(data) => target(&data),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

/// Most steps of a story.
const STEPS: usize = 300;

/// Each eight bytes as a number; what is left over is dropped.
fn numbers(data: &[u8]) -> Vec<u64> {
    let (numbers, _) = data.as_chunks();
    numbers.iter().take(STEPS).map(|bytes| u64::from_le_bytes(*bytes)).collect()
}
