//! The target `sessions`: a story of core's own tests, with their model of the rules.
//!
//! An input is how the story begins, eight bytes for its seed, and eight for each step.

use crate::numbers;

// The files of the tests, so that there is one description of what must hold.
#[path = "../../tests/session/properties"]
#[allow(clippy::wrong_self_convention, reason = "the tests read as prose")]
mod properties {
    mod answers;
    mod clocks;
    mod control;
    mod model;
    mod parts;
    mod rates;
    mod server;
    mod source;
    mod story;

    use story::{Beginning, Story};

    pub(super) fn tell(beginning: u8, seed: u64, steps: &[u64]) {
        let beginning = match beginning % 5 {
            0 => Beginning::Nothing,
            1 => Beginning::SignedIn,
            2 => Beginning::WithoutCredentials,
            3 => Beginning::OnDemand,
            _ => Beginning::AtAnEndOfTime,
        };
        Story::of(beginning, seed).tell(steps);
    }
}

/// Tells a story to a session.
///
/// # Panics
/// When the session breaks a rule of the model.
pub fn sessions(data: &[u8]) {
    let Some((beginning, rest)) = data.split_first() else { return };
    if let [seed, steps @ ..] = numbers(rest).as_slice() {
        properties::tell(*beginning, *seed, steps);
    }
}
