//! Random stories against a small model of the rules. Failed cases are kept in
//! `properties.proptest-regressions` and tried first. `PROPTEST_CASES` raises the number of
//! stories.

mod answers;
mod clocks;
mod control;
mod model;
mod parts;
mod rates;
mod server;
mod source;
mod story;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

use story::{Beginning, Story};

/// The steps of one story.
const STEPS: usize = 100;

pub(crate) fn config(cases: u32) -> Config {
    let default = Config::default();
    Config {
        cases: cases.max(default.cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        max_shrink_iters: 20_000,
        ..default
    }
}

/// Each number is a step; a story interprets it.
fn steps() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), STEPS)
}

proptest! {
    #![proptest_config(config(2600))]

    #[test]
    fn no_story_breaks_a_rule(seed in any::<u64>(), steps in steps()) {
        Story::of(Beginning::Nothing, seed).tell(&steps);
    }

    #[test]
    fn no_story_that_begins_with_a_token_breaks_a_rule(seed in any::<u64>(), steps in steps()) {
        Story::of(Beginning::SignedIn, seed).tell(&steps);
    }

    #[test]
    fn no_story_without_credentials_breaks_a_rule(seed in any::<u64>(), steps in steps()) {
        Story::of(Beginning::WithoutCredentials, seed).tell(&steps);
    }

    #[test]
    fn no_story_with_credentials_on_demand_breaks_a_rule(seed in any::<u64>(), steps in steps()) {
        Story::of(Beginning::OnDemand, seed).tell(&steps);
    }
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn no_story_at_an_end_of_a_clock_panics(seed in any::<u64>(), steps in steps()) {
        Story::of(Beginning::AtAnEndOfTime, seed).tell(&steps);
    }
}
