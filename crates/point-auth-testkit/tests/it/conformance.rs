//! The suite itself: a transport of another make passes it, and each that is wrong in one way fails
//! by the rule it breaks.

mod around;
mod early;
mod hand;
mod reading;
mod sweep;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Mutex;
use std::thread;

use point_auth_testkit::conformance::{Candidate, Check, Rule, Violation, checks};

use hand::{Flaw, HandTransport};

mod a_transport_of_another_make {
    use super::{Flaw, HandTransport, Infallible};

    point_auth_testkit::conformance! {
        blocking: |_| Ok::<_, Infallible>(HandTransport::with(Flaw::None)),
        without tls: "it has no TLS",
        without http2: "it has no TLS",
        without truncation: "it has no TLS",
        without mutual_tls: "it has no TLS",
        without proxy: "it has no TLS, and so no tunnels",
        without environment: "it has no TLS, and so no tunnels",
    }
}

/// Fails the one check that it leaves out.
mod a_transport_that_leaves_out_a_check {
    use super::{Flaw, HandTransport, Infallible};

    point_auth_testkit::conformance! {
        blocking: |_| Ok::<_, Infallible>(HandTransport::with(Flaw::KeepsIdleConnections)),
        without plain: "another test has it",
        without idle::a_connection_that_was_idle_for_more_than_5_s_is_not_used_again: "its flaw",
        without tls: "it has no TLS",
        without http2: "it has no TLS",
        without large_request: "another test has it",
        without truncation: "it has no TLS",
        without mutual_tls: "it has no TLS",
        without proxy: "it has no TLS, and so no tunnels",
        without environment: "it has no TLS, and so no tunnels",
        without keep_alive: "another test has it",
    }
}

#[test]
#[should_panic(expected = "there is no check idle::nothing to leave out")]
fn a_check_that_is_not_there_cannot_be_left_out() {
    point_auth_testkit::conformance::assert_is_check("idle", "nothing");
}

/// The rules that the checks find broken, each with the first violation of it. The sweep is left to
/// tests of its own: it has thousands of exchanges, and would have them for every flaw.
fn broken(flaw: Flaw, groups: &[&str]) -> Vec<(Rule, &'static str, Violation)> {
    broken_by(Candidate::blocking(move |_| Ok::<_, Infallible>(HandTransport::with(flaw))), groups)
}

fn broken_by(mut candidate: Candidate, groups: &[&str]) -> Vec<(Rule, &'static str, Violation)> {
    for group in ["tls", "http2"] {
        candidate = candidate.without(group);
    }
    let queue: Mutex<Vec<Check>> = Mutex::new(
        checks()
            .into_iter()
            .filter(|check| groups.contains(&check.group()) && !is_sweep(check))
            .collect(),
    );
    assert!(!queue.lock().unwrap().is_empty(), "there are no checks in {groups:?}");
    let violations = Mutex::new(Vec::new());
    // Most of the time they wait for something.
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some(check) = queue.lock().unwrap().pop() else { return };
                    if let Err(violation) = check.run(&candidate) {
                        violations.lock().unwrap().push((
                            violation.rule(),
                            check.name(),
                            violation,
                        ));
                    }
                }
            });
        }
    });
    violations.into_inner().unwrap()
}

fn is_sweep(check: &Check) -> bool {
    check.name().starts_with("a_cut_after_any_byte")
        || check.name().starts_with("silence_in_an_exchange")
}

#[track_caller]
fn breaks_exactly(flaw: Flaw, rule: Rule) {
    breaks_exactly_in(flaw, rule, &["plain", "keep_alive"]);
}

#[track_caller]
fn breaks_exactly_in(flaw: Flaw, rule: Rule, groups: &[&str]) {
    let broken = broken(flaw, groups);
    let rules: BTreeSet<Rule> = broken.iter().map(|(rule, ..)| *rule).collect();
    let report: Vec<_> =
        broken.iter().map(|(_, name, violation)| format!("{name}: {violation}")).collect();
    assert_eq!(rules, BTreeSet::from([rule]), "\n{}", report.join("\n"));
}

#[test]
fn a_transport_that_follows_redirects_breaks_rule_1() {
    breaks_exactly(Flaw::FollowsRedirects, Rule::NoRedirect);
}

#[test]
fn a_transport_that_sends_the_body_of_a_307_to_another_host_breaks_rule_1() {
    breaks_exactly(Flaw::SendsTheBodyOfA307ToAnotherHost, Rule::NoRedirect);
}

#[test]
fn a_transport_that_sends_again_on_a_stale_connection_breaks_rule_2() {
    breaks_exactly(Flaw::SendsAgainOnAStaleConnection, Rule::SentOnce);
}

#[test]
fn a_transport_that_sends_again_after_a_503_breaks_rule_2() {
    let rules = broken(Flaw::SendsAgainAfterA503, &["plain"]);
    assert!(rules.iter().any(|(rule, ..)| *rule == Rule::SentOnce));
}

#[test]
fn a_transport_that_ignores_the_limit_breaks_rule_3() {
    breaks_exactly(Flaw::IgnoresTheLimit, Rule::Capped);
}

#[test]
fn a_transport_that_decodes_behind_the_limit_breaks_rule_3() {
    breaks_exactly(Flaw::CountsBeforeDecoding, Rule::Capped);
}

#[test]
fn a_transport_without_a_deadline_breaks_rule_4() {
    breaks_exactly(Flaw::HasNoDeadline, Rule::Deadline);
}

#[test]
fn a_transport_whose_deadline_starts_anew_with_each_read_breaks_rule_4() {
    breaks_exactly(Flaw::HasADeadlineForEachReadOnly, Rule::Deadline);
}

#[test]
fn a_transport_whose_deadline_starts_anew_with_each_write_breaks_rule_4() {
    breaks_exactly_in(
        Flaw::HasADeadlineForEachWriteOnly,
        Rule::Deadline,
        &["plain", "large_request"],
    );
}

#[test]
fn a_transport_whose_deadline_ends_with_the_headers_breaks_rule_4() {
    breaks_exactly(Flaw::HasNoDeadlineForTheBody, Rule::Deadline);
}

#[test]
fn a_transport_that_panics_with_all_the_time_there_is_breaks_rule_4() {
    breaks_exactly(Flaw::PanicsWithAllTheTimeThereIs, Rule::Deadline);
}

#[test]
fn a_transport_that_turns_a_403_into_an_error_breaks_rule_5() {
    breaks_exactly(Flaw::TurnsA403IntoAnError, Rule::EveryStatus);
}

#[test]
fn a_transport_that_says_that_nothing_was_sent_breaks_rule_6() {
    breaks_exactly(Flaw::SaysThatNothingWasSent, Rule::Kinds);
}

#[test]
fn a_transport_that_calls_every_failure_other_breaks_rule_6() {
    let rules = broken(Flaw::CallsEverythingOther, &["plain"]);
    assert!(rules.iter().any(|(rule, ..)| *rule == Rule::Kinds));
}

#[test]
fn a_transport_that_believes_a_body_that_is_cut_short_breaks_rule_6() {
    let rules = broken(Flaw::BelievesABodyThatIsCutShort, &["plain"]);
    assert!(rules.iter().any(|(rule, ..)| *rule == Rule::Kinds));
}

#[test]
fn a_transport_that_shows_the_request_in_debug_breaks_rule_7() {
    breaks_exactly(Flaw::ShowsTheRequestInDebug, Rule::NoLeaks);
}

#[test]
fn a_transport_that_shows_the_request_in_a_hidden_cause_breaks_rule_7() {
    breaks_exactly(Flaw::ShowsTheRequestInACause, Rule::NoLeaks);
}

#[test]
fn a_transport_that_keeps_idle_connections_breaks_rule_9() {
    breaks_exactly_in(Flaw::KeepsIdleConnections, Rule::Idle, &["plain", "keep_alive", "idle"]);
}

#[test]
fn a_transport_that_loses_a_header_does_not_send_what_was_built() {
    breaks_exactly(Flaw::LosesAHeader, Rule::Exchange);
}

#[test]
fn a_transport_that_adds_a_header_does_not_send_what_was_built() {
    breaks_exactly(Flaw::AddsAHeader, Rule::Exchange);
}

#[test]
fn a_transport_that_sends_everything_twice_breaks_rule_2() {
    let candidate =
        Candidate::blocking(|_| Ok::<_, Infallible>(HandTransport::with(Flaw::SendsTheBodyTwice)));
    let check =
        checks().into_iter().find(|check| check.name() == "no_status_makes_it_send_again").unwrap();
    assert_eq!(check.run(&candidate).unwrap_err().rule(), Rule::SentOnce);
}

#[test]
fn a_violation_says_which_rule_broke_and_what_the_server_saw() {
    let check = checks()
        .into_iter()
        .find(|check| check.name() == "a_redirect_to_another_host_is_handed_back");
    let candidate =
        Candidate::blocking(|_| Ok::<_, Infallible>(HandTransport::with(Flaw::FollowsRedirects)));
    let violation = check.unwrap().run(&candidate).unwrap_err().to_string();
    assert!(violation.contains("rule 1: no redirect is followed"), "{violation}");
    assert!(violation.contains("the emulator on 127.0.0.1:"), "{violation}");
    assert!(
        violation.contains("POST /user-management-services-ws/oauth2/002/signInWithPassword"),
        "{violation}"
    );
}

#[test]
fn every_rule_has_checks_and_no_check_is_there_twice() {
    let checks = checks();
    let rules: BTreeSet<u8> = checks.iter().map(|check| check.rule().number()).collect();
    assert_eq!(rules, (0..=9).collect());
    let names: BTreeSet<_> = checks.iter().map(|check| (check.group(), check.name())).collect();
    assert_eq!(names.len(), checks.len());
}
