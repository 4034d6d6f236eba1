//! The suite of stores: the stores of ours pass it, one of another make does as well, and each that
//! is wrong in one way fails by the rule it breaks.

#[cfg(unix)]
mod files;
mod hand;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::LazyLock;

use point_auth_store::MemoryStore;
use point_auth_testkit::stores::{Candidate, Check, Rule, checks, report};

use hand::{Flaw, HandStore};

mod a_store_in_memory {
    use super::{Infallible, LazyLock, MemoryStore};

    static STORE: LazyLock<MemoryStore> = LazyLock::new(|| MemoryStore::new().unwrap());

    point_auth_testkit::store_conformance! {
        blocking: || Ok::<_, Infallible>(STORE.clone()),
        without kept: "it keeps all values for good",
    }
}

mod a_store_of_another_make {
    use super::{Flaw, HandStore, Infallible, LazyLock};

    static STORE: LazyLock<HandStore> = LazyLock::new(|| HandStore::with(Flaw::None));

    point_auth_testkit::store_conformance! {
        blocking: || Ok::<_, Infallible>(STORE.open()),
        dump: || STORE.dump(),
    }
}

fn candidate(flaw: Flaw) -> Candidate {
    let store = HandStore::with(flaw);
    let dumped = store.clone();
    let candidate = Candidate::blocking(move || Ok::<_, Infallible>(store.open()));
    candidate.with_dump(move || dumped.dump())
}

/// The check of this name finds this rule broken.
#[track_caller]
fn breaks(flaw: Flaw, rule: Rule, name: &str) {
    let check = checks().into_iter().find(|check| check.name() == name).unwrap();
    assert_eq!(check.rule(), rule);
    let violation = check.run(&candidate(flaw)).unwrap_err();
    assert_eq!(violation.rule(), rule, "{violation}");
}

#[test]
fn a_store_that_compares_nothing_breaks_rule_1() {
    breaks(Flaw::ComparesNothing, Rule::Swap, "a_wrong_expected_value_changes_nothing");
    breaks(Flaw::ComparesNothing, Rule::Fleet, "of_many_processes_at_once_one_is_granted");
}

#[test]
fn a_store_that_creates_over_what_is_there_breaks_rule_1() {
    let name = "none_is_expected_only_of_what_is_missing";
    breaks(Flaw::CreatesOverWhatIsThere, Rule::Swap, name);
}

#[test]
fn a_store_that_compares_the_length_alone_breaks_rule_1() {
    breaks(Flaw::ComparesTheLengthOnly, Rule::Swap, "a_wrong_expected_value_changes_nothing");
}

#[test]
fn a_store_that_compares_the_beginning_alone_breaks_rule_1() {
    breaks(Flaw::ComparesTheBeginningOnly, Rule::Swap, "a_wrong_expected_value_changes_nothing");
}

#[test]
fn a_store_that_compares_without_case_breaks_rule_1() {
    breaks(Flaw::ComparesWithoutCase, Rule::Swap, "a_wrong_expected_value_changes_nothing");
}

#[test]
fn a_store_that_expects_a_value_of_what_is_missing_breaks_rule_1() {
    breaks(
        Flaw::ExpectsAnythingOfWhatIsMissing,
        Rule::Swap,
        "a_value_is_not_expected_of_what_is_missing",
    );
}

#[test]
fn a_store_that_loses_writes_under_contention_breaks_rule_1() {
    let flaw = Flaw::LosesWritesUnderContention;
    breaks(flaw, Rule::Swap, "no_write_is_lost_under_contention");
    breaks(flaw, Rule::Swap, "of_many_that_expect_one_value_one_is_done");
    breaks(flaw, Rule::Swap, "of_many_that_create_a_value_one_is_done");
}

#[test]
fn a_store_that_says_done_without_doing_breaks_rule_1() {
    breaks(Flaw::SaysDoneWithoutDoing, Rule::Swap, "no_write_is_lost_under_contention");
}

#[test]
fn a_store_that_deletes_what_it_did_not_expect_breaks_rule_1() {
    let flaw = Flaw::DeletesWhatItDidNotExpect;
    breaks(flaw, Rule::Swap, "a_wrong_expected_value_changes_nothing");
}

#[test]
fn a_store_that_reads_from_a_cache_breaks_rule_2() {
    let flaw = Flaw::ReadsFromACache;
    breaks(flaw, Rule::Fresh, "a_swap_is_seen_by_every_handle_at_once");
    breaks(flaw, Rule::Fleet, "one_process_exchanges_and_the_others_take_up_its_tokens");
}

#[test]
fn a_store_that_falls_behind_now_and_then_breaks_rule_2() {
    breaks(Flaw::ReadsAReplica, Rule::Fresh, "no_reader_falls_behind_a_swap_that_is_done");
}

#[test]
fn a_store_that_takes_the_time_of_the_process_breaks_rule_3() {
    let flaw = Flaw::TakesTheTimeOfTheProcess;
    breaks(flaw, Rule::Clock, "every_handle_has_the_time_of_the_others");
    breaks(flaw, Rule::Clock, "time_does_not_go_back");
}

#[test]
fn a_store_whose_time_stands_still_breaks_rule_3() {
    breaks(Flaw::TimeStandsStill, Rule::Clock, "time_passes_as_fast_as_here");
}

#[test]
fn a_store_whose_time_passes_in_the_wrong_unit_breaks_rule_3() {
    breaks(Flaw::TimeIsInTheWrongUnit, Rule::Clock, "time_passes_as_fast_as_here");
}

#[test]
fn a_store_that_keeps_values_too_short_breaks_rule_4() {
    breaks(Flaw::KeepsTooShort, Rule::Kept, "a_value_stays_as_long_as_was_asked_for");
}

#[test]
fn a_store_that_keeps_the_first_time_breaks_rule_4() {
    let flaw = Flaw::KeepsTheFirstTime;
    breaks(flaw, Rule::Kept, "a_value_without_a_time_stays_after_one_with_it");
    breaks(flaw, Rule::Kept, "a_later_time_takes_the_place_of_an_earlier");
}

#[test]
fn a_store_that_sets_the_time_before_it_compares_breaks_rule_4() {
    breaks(Flaw::SetsTheTimeFirst, Rule::Kept, "a_swap_that_is_not_done_changes_no_time");
}

#[test]
fn a_store_that_does_a_repeated_swap_again_breaks_rule_5() {
    let flaw = Flaw::DoesARepeatedSwapAgain;
    breaks(flaw, Rule::Repeat, "a_swap_that_is_repeated_late_undoes_nothing");
}

#[test]
fn a_store_that_counts_a_repeated_swap_as_a_conflict_breaks_rule_5() {
    let flaw = Flaw::DeletesWhatItDidNotExpect;
    breaks(flaw, Rule::Repeat, "a_swap_that_is_repeated_changes_nothing_more");
}

#[test]
fn a_store_that_mixes_names_does_not_keep_values() {
    for flaw in [Flaw::MixesAliases, Flaw::MixesLogins] {
        breaks(flaw, Rule::Values, "names_that_differ_do_not_mix");
    }
}

#[test]
fn a_store_with_a_key_for_each_process_does_not_keep_values() {
    let name = "every_handle_has_the_names_of_the_others";
    breaks(Flaw::HasAKeyForEachProcess, Rule::Values, name);
}

#[test]
fn a_store_of_text_does_not_keep_values() {
    breaks(Flaw::KeepsTextOnly, Rule::Values, "every_byte_is_kept");
}

#[test]
fn a_store_with_a_limit_of_length_does_not_keep_values() {
    breaks(Flaw::CutsLongValues, Rule::Values, "values_of_many_sizes_are_kept");
}

#[test]
fn a_store_that_takes_no_bytes_for_nothing_does_not_keep_values() {
    breaks(Flaw::TakesNoBytesForNothing, Rule::Values, "a_value_of_no_bytes_is_a_value");
}

#[test]
fn a_store_that_takes_nothing_for_no_bytes_does_not_keep_values() {
    breaks(Flaw::TakesNothingForNoBytes, Rule::Values, "a_missing_value_is_none");
}

#[test]
fn a_store_that_keeps_nothing_does_not_keep_values() {
    breaks(Flaw::KeepsNothing, Rule::Values, "what_was_written_is_read");
}

/// The checks that wait have tests of their own above.
#[test]
fn no_check_is_blind() {
    let waits = |check: &Check| check.group() == "kept" || check.name().starts_with("time_passes");
    for check in checks().into_iter().filter(|check| !waits(check)) {
        let is_broken = |flaw: &Flaw| check.run(&candidate(*flaw)).is_err();
        assert!(Flaw::AT_ONCE.iter().any(is_broken), "{check:?}");
    }
}

#[test]
fn a_store_that_does_not_seal_shows_secrets() {
    breaks(Flaw::DoesNotSeal, Rule::Sealed, "no_secret_can_be_read_in_the_store");
    breaks(Flaw::DoesNotSeal, Rule::Fleet, "a_value_of_another_alias_counts_as_no_tokens");
}

#[test]
fn a_dump_with_a_secret_or_with_nothing_is_found() {
    let check = checks().into_iter().find(|check| check.group() == "sealed").unwrap();
    for dump in [vec![], vec![b"sealed".to_vec(), b"a CANARY in it".to_vec()]] {
        let candidate = candidate(Flaw::None).with_dump(move || dump.clone());
        assert_eq!(check.run(&candidate).unwrap_err().rule(), Rule::Sealed);
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_a_violation_that_says_why() {
    let candidate = Candidate::blocking(|| Err::<MemoryStore, _>("the power is off"));
    let violation = checks()[0].run(&candidate).unwrap_err().to_string();
    assert!(violation.contains("the power is off"), "{violation}");
}

#[test]
fn a_report_says_what_was_kept_left_out_and_broken() {
    let candidate = candidate(Flaw::ComparesTheLengthOnly);
    let candidate =
        ["kept", "clock", "fleet", "fresh"].into_iter().fold(candidate, Candidate::without);
    let report = report(&candidate);
    let shown = report.to_string();
    assert!(shown.contains("values::every_byte_is_kept: kept"), "{shown}");
    assert!(shown.contains("clock::time_does_not_go_back: left out"), "{shown}");
    assert!(shown.contains("rule 1: a swap is atomic"), "{shown}");
    assert!(
        report.broken().any(|(check, violation)| {
            check.group() == "swap" && violation.rule() == Rule::Swap
        })
    );
    assert_eq!(shown.lines().filter(|line| line.contains("::")).count(), checks().len());
}

#[test]
fn every_promise_of_the_contract_has_checks_and_no_check_is_there_twice() {
    let checks = checks();
    let numbers: BTreeSet<_> = checks.iter().filter_map(|check| check.rule().number()).collect();
    assert_eq!(numbers, (1..=5).collect());
    let names: BTreeSet<_> = checks.iter().map(|check| (check.group(), check.name())).collect();
    assert_eq!(names.len(), checks.len());
}
