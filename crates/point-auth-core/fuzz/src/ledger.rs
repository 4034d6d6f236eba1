//! The target `ledger`: a history of core's own tests, with their model of the rules.
//!
//! An input is a byte for the limit and whether everything is denied, and eight bytes for each step.

use crate::numbers;

#[path = "../../tests/session/ledger_attacks/history.rs"]
mod history;

/// Tells a history to a ledger.
///
/// # Panics
/// When the ledger breaks a rule of the model.
pub fn ledger(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    history::tell(usize::from(first / 2 % 5) + 1, first % 2 == 1, numbers(rest));
}
