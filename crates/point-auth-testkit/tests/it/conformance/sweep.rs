//! The sweep itself: what it counts for a transport that is right, and that it catches each that is
//! wrong in one way.

use std::convert::Infallible;
use std::time::Duration;

use point_auth_testkit::conformance::{
    Candidate, Rule, SweepExtent, SweepReport, SweptConnection, Violation, Wire, sweep,
    sweep_silence,
};
use point_auth_transport::TransportErrorKind::{Connect, Protocol, Timeout};

use super::broken;
use super::hand::{Flaw, HandTransport};

fn swept(flaw: Flaw, connection: SweptConnection) -> Result<SweepReport, Violation> {
    let candidate = Candidate::blocking(move |_| Ok::<_, Infallible>(HandTransport::with(flaw)));
    sweep(&candidate, Wire::Plain, connection, SweepExtent::Most)
}

fn silenced(flaw: Flaw, connection: SweptConnection) -> Result<SweepReport, Violation> {
    let candidate = Candidate::blocking(move |_| Ok::<_, Infallible>(HandTransport::with(flaw)));
    sweep_silence(&candidate, Wire::Plain, connection, SweepExtent::Most)
}

/// The violation that the sweep comes upon, which names the cut.
#[track_caller]
fn breaks(flaw: Flaw, connection: SweptConnection, rule: Rule) -> String {
    names_the_cut(&swept(flaw, connection).unwrap_err(), rule)
}

/// The violation that silence comes upon, as nothing else of the suite does.
#[track_caller]
fn breaks_in_silence_alone(flaw: Flaw, connection: SweptConnection, rule: Rule) -> String {
    let told = names_the_cut(&silenced(flaw, connection).unwrap_err(), rule);
    assert!(told.contains("cut by silence after "), "{told}");
    let others = broken(flaw, &["plain", "keep_alive"]);
    assert!(others.is_empty(), "{others:?}");
    for connection in [SweptConnection::New, SweptConnection::Kept] {
        swept(flaw, connection).unwrap();
    }
    told
}

#[track_caller]
fn names_the_cut(violation: &Violation, rule: Rule) -> String {
    assert_eq!(violation.rule(), rule, "{violation}");
    let told = violation.to_string();
    assert!(told.contains("cut by ") && told.contains(" bytes to the "), "{told}");
    told
}

#[test]
fn after_every_byte_there_is_an_error_or_the_whole_answer() {
    let report = swept(Flaw::None, SweptConnection::New).unwrap();
    // Each way to cut, after each of some 300 bytes there and 1300 back.
    assert!(report.cuts() > 3000, "{report}");
    // After the last byte of the answer, and after none but that.
    assert_eq!(report.whole_answers(), 2, "{report}");
    assert_eq!(report.errors(Connect) + report.errors(Protocol), report.cuts() - 2, "{report}");
    assert_eq!(report.errors(Timeout), 0, "{report}");
    assert!(report.follow_ups() > 700 && report.longest() < Duration::from_secs(3), "{report}");
}

#[test]
fn a_transport_that_keeps_no_connection_has_none_to_cut() {
    let report = swept(Flaw::KeepsNoConnection, SweptConnection::Kept).unwrap();
    assert_eq!((report.cuts(), report.follow_ups()), (0, 0));
}

#[test]
fn a_report_is_a_row_of_a_table() {
    let report = swept(Flaw::KeepsNoConnection, SweptConnection::Kept).unwrap();
    let columns = |line: &str| line.matches('|').count();
    let row = report.to_string();
    assert!(row.starts_with("| HTTP/1.1 | kept |"), "{row}");
    for line in SweepReport::HEADER.lines() {
        assert_eq!(columns(line), columns(&row), "{line}");
    }
}

#[test]
fn a_transport_that_sends_again_after_a_break_is_caught() {
    breaks(Flaw::SendsAgainAfterABreak, SweptConnection::New, Rule::SentOnce);
}

#[test]
fn a_transport_that_sends_again_on_a_stale_connection_is_caught_on_a_kept_one() {
    breaks(Flaw::SendsAgainOnAStaleConnection, SweptConnection::Kept, Rule::SentOnce);
}

#[test]
fn a_transport_that_believes_a_body_that_is_cut_short_is_caught() {
    let told = breaks(Flaw::BelievesABodyThatIsCutShort, SweptConnection::New, Rule::Kinds);
    assert!(told.contains("taken for a whole one"), "{told}");
}

#[test]
fn a_transport_that_makes_up_the_rest_of_a_token_is_caught() {
    let told = breaks(Flaw::RepairsABodyThatIsCutShort, SweptConnection::New, Rule::Exchange);
    assert!(told.contains("tokens are not those that the server gave out"), "{told}");
}

#[test]
fn a_transport_that_says_that_nothing_was_sent_is_caught() {
    breaks(Flaw::SaysThatNothingWasSent, SweptConnection::New, Rule::Kinds);
}

#[test]
fn a_transport_that_keeps_a_broken_connection_is_caught() {
    let told = breaks(Flaw::KeepsABrokenConnection, SweptConnection::New, Rule::Exchange);
    assert!(told.contains("the sign-in after it failed"), "{told}");
}

#[test]
fn a_transport_that_calls_every_failure_other_is_caught() {
    breaks(Flaw::CallsEverythingOther, SweptConnection::New, Rule::Kinds);
}

#[test]
fn a_transport_that_waits_a_cut_out_is_caught() {
    let told = breaks(Flaw::CallsABreakATimeout, SweptConnection::New, Rule::Kinds);
    assert!(told.contains("waited out"), "{told}");
}

#[test]
fn a_transport_that_panics_is_caught() {
    let told = breaks(Flaw::PanicsOverABreak, SweptConnection::Kept, Rule::Exchange);
    assert!(told.contains("panicked"), "{told}");
}

#[test]
fn silence_is_a_timeout_or_comes_too_late() {
    for (connection, name) in [(SweptConnection::New, "new"), (SweptConnection::Kept, "kept")] {
        let report = silenced(Flaw::None, connection).unwrap();
        assert!(report.cuts() > 10, "{report}");
        // After the last byte there, and after the last byte back.
        assert_eq!(report.whole_answers(), 2, "{report}");
        assert_eq!(report.errors(Timeout), report.cuts() - 2, "{report}");
        assert_eq!((report.follow_ups(), report.stale()), (report.cuts(), 0), "{report}");
        assert!(
            report.to_string().starts_with(&format!("| HTTP/1.1 | {name}, silence |")),
            "{report}"
        );
    }
}

#[test]
fn a_transport_that_believes_most_of_a_body_when_the_time_is_over_is_caught_by_silence_alone() {
    let flaw = Flaw::BelievesMostOfABodyWhenTheTimeIsOver;
    let told = breaks_in_silence_alone(flaw, SweptConnection::New, Rule::Kinds);
    assert!(told.contains("taken for a whole one"), "{told}");
}

#[test]
fn a_transport_that_keeps_a_silent_connection_is_caught() {
    let violation = silenced(Flaw::KeepsASilentConnection, SweptConnection::New).unwrap_err();
    let told = names_the_cut(&violation, Rule::Exchange);
    assert!(told.contains("the sign-in after it failed"), "{told}");
}

#[test]
fn a_transport_whose_deadline_is_not_for_the_rest_of_the_body_is_caught_by_silence_alone() {
    breaks_in_silence_alone(
        Flaw::HasNoDeadlineForTheRestOfTheBody,
        SweptConnection::New,
        Rule::Deadline,
    );
}

#[test]
fn a_transport_that_says_that_nothing_was_sent_is_caught_by_silence() {
    let violation = silenced(Flaw::SaysThatNothingWasSent, SweptConnection::New).unwrap_err();
    let told = names_the_cut(&violation, Rule::Kinds);
    assert!(told.contains("something of the body was sent"), "{told}");
}

#[test]
fn a_transport_that_calls_silence_other_is_caught() {
    let violation = silenced(Flaw::CallsEverythingOther, SweptConnection::Kept).unwrap_err();
    let told = names_the_cut(&violation, Rule::Kinds);
    assert!(told.contains("instead of Timeout"), "{told}");
}
