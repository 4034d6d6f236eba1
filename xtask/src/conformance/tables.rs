//! The tables of checks by transport: the rules, the faults and the certificates.

use super::suite::{Check, Passed, SUBJECTS};
use crate::markdown::{Table, bold};

/// Checks in which whoever is asked does nothing wrong. All others are of faults.
const NO_FAULTS: &[&str] = &[
    "a_sign_in_a_refresh_and_a_request_with_the_token_work",
    "a_request_arrives_exactly_as_it_was_built",
    "requests_of_other_kinds_arrive_exactly_as_they_were_built",
    "a_body_of_several_mib_arrives_whole",
    "an_ipv6_literal_is_a_host_like_any_other",
    "nothing_is_sent_before_the_handshake_is_over",
    "a_path_prefix_is_kept",
    "localhost_is_a_host_like_any_other",
    "a_server_of_both_versions_is_spoken_to",
    "headers_and_body_of_the_response_are_handed_back_as_they_came",
    "thirty_two_requests_at_once_are_all_answered",
    "two_quick_requests_share_a_connection",
    "a_body_of_exactly_the_limit_is_a_response",
    "a_limit_of_nothing_lets_an_empty_body_pass",
    "no_limit_is_a_limit_like_any_other",
    "no_time_at_all_is_a_timeout",
    "all_the_time_there_is_does_no_harm",
    "a_denial_is_a_response",
    "a_target_that_is_no_url_is_an_error_and_not_sent",
    "a_request_that_cannot_be_sent_shows_nothing",
    "the_transport_shows_nothing",
    "a_proxy_url_that_is_refused_is_not_quoted",
    "a_proxy_tunnels_and_alone_knows_the_host",
    "requests_of_other_kinds_go_through_the_proxy",
    "a_proxy_that_wants_credentials_gets_them",
    "what_no_proxy_lists_is_reached_without",
    "what_no_proxy_does_not_list_is_proxied",
    "loopback_is_never_proxied",
    "a_connection_that_was_idle_for_more_than_5_s_is_not_used_again",
];

/// Of the certificates' subject, but of no certificate.
const NO_CERTIFICATES: &[&str] = &["an_end_without_the_goodbye_of_tls_is_protocol"];

/// What is written in capitals.
const NAMES: &[&str] = &["get", "goaway", "http", "tls", "url"];

/// Faults that have a table of their own, and settings, which have none.
const OTHER_SUBJECTS: &[&str] = &["sweep", "environment"];

fn is_of_a_certificate(check: &Check) -> bool {
    check.subject == "certificates" && !NO_CERTIFICATES.contains(&check.name.as_str())
}

fn is_of_a_fault(check: &Check) -> bool {
    let is_another =
        OTHER_SUBJECTS.contains(&check.subject) || NO_FAULTS.contains(&check.name.as_str());
    !is_another && !is_of_a_certificate(check)
}

/// How many checks passed, by rule.
pub(crate) fn rules(checks: &[Check], passed: &Passed) -> String {
    let mut table = Table::new(&head(&["rule"], passed), 1);
    for (subject, rule) in SUBJECTS {
        let of_subject: Vec<&Check> =
            checks.iter().filter(|check| check.subject == *subject).collect();
        table.row(&cells(vec![(*rule).to_owned()], &passed.counts(&of_subject)));
    }
    let all = passed.counts(&checks.iter().collect::<Vec<_>>());
    let mut cells = vec![bold("all")];
    cells.extend(all.iter().map(|count| bold(&count.to_string())));
    table.row(&cells);
    table.text().to_owned()
}

/// Each fault, and on how many wires it was tried.
pub(crate) fn faults(checks: &[Check], passed: &Passed) -> String {
    let mut table =
        Table::new(&head(&["rule", "what is tried, and what has to come of it"], passed), 2);
    for check in checks.iter().filter(|check| is_of_a_fault(check)) {
        let rule = SUBJECTS
            .iter()
            .find(|(subject, _)| *subject == check.subject)
            .map_or("", |(_, rule)| *rule);
        table.row(&cells(vec![rule.to_owned(), words(check)], &passed.counts(&[check])));
    }
    table.text().to_owned()
}

/// Each certificate, and on how many wires it was tried.
pub(crate) fn certificates(checks: &[Check], passed: &Passed) -> String {
    let mut table = Table::new(&head(&["what is tried, and what has to come of it"], passed), 1);
    for check in checks.iter().filter(|check| is_of_a_certificate(check)) {
        table.row(&cells(vec![words(check)], &passed.counts(&[check])));
    }
    table.text().to_owned()
}

/// How often something was tried with what has to come of it: on each wire with each transport.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) checks: u64,
    pub(crate) kinds_of_faults: u64,
    pub(crate) faults: u64,
    pub(crate) kinds_of_certificates: u64,
    pub(crate) certificates: u64,
}

pub(crate) fn tries(checks: &[Check], passed: &Passed) -> Tries {
    let tries = |is_of: fn(&Check) -> bool| {
        let chosen: Vec<&Check> = checks.iter().filter(|check| is_of(check)).collect();
        let tried =
            chosen.iter().filter(|check| passed.counts(&[check]).iter().any(|count| *count > 0));
        (tried.count() as u64, passed.counts(&chosen).iter().sum())
    };
    let (_, checks) = tries(|_| true);
    let (kinds_of_faults, faults) = tries(is_of_a_fault);
    let (kinds_of_certificates, certificates) = tries(is_of_a_certificate);
    Tries { checks, kinds_of_faults, faults, kinds_of_certificates, certificates }
}

fn head(words: &[&str], passed: &Passed) -> Vec<String> {
    words.iter().copied().chain(passed.transports()).map(str::to_owned).collect()
}

/// A check that is not there was left out.
fn cells(mut words: Vec<String>, counts: &[u64]) -> Vec<String> {
    let cell = |count: &u64| if *count == 0 { "–".to_owned() } else { count.to_string() };
    words.extend(counts.iter().map(cell));
    words
}

/// Its name is a sentence.
fn words(check: &Check) -> String {
    let word =
        |word: &str| if NAMES.contains(&word) { word.to_uppercase() } else { word.to_owned() };
    check.name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::suite::checks_of;
    use super::super::suite::tests::{passed, the_real_checks};
    use super::*;

    const LIST: &str = " exchange { a_path_prefix_is_kept, interim_responses_are_passed_over }\n once { it_is_sent_once }\n \
                        certificates { an_expired_certificate_is_refused, an_end_without_the_goodbye_of_tls_is_protocol }\n \
                        sweep { a_cut } environment { a_variable }";

    #[test]
    fn what_passed_is_counted_by_rule() {
        let checks = checks_of(LIST);
        let rules =
            rules(&checks, &passed(&checks, &["plain::it_is_sent_once", "tls::it_is_sent_once"]));
        assert!(rules.starts_with("| rule | hyper, with rustls |"), "{rules}");
        assert!(
            rules.contains("| 2. once | 2 |") && rules.contains("| 1. no redirects | – |"),
            "{rules}"
        );
        assert!(rules.ends_with("| **all** | **2** |"), "{rules}");
    }

    #[test]
    fn a_check_is_of_a_fault_or_of_a_certificate_or_of_neither() {
        let checks = checks_of(LIST);
        let tests = [
            "plain::interim_responses_are_passed_over",
            "tls::interim_responses_are_passed_over",
            "tls::an_expired_certificate_is_refused",
            "plain::a_path_prefix_is_kept",
            "plain::a_cut",
            "environment::a_variable",
        ];
        let passed = passed(&checks, &tests);
        let rows = |table: String| table.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
        let expected = [
            "| an exchange as such | interim responses are passed over | 2 |",
            "| 2. once | it is sent once | – |",
            "| 6. certificates | an end without the goodbye of TLS is protocol | – |",
        ];
        assert_eq!(rows(faults(&checks, &passed)), expected);
        assert_eq!(
            rows(certificates(&checks, &passed)),
            ["| an expired certificate is refused | 1 |"]
        );
        let expected = Tries {
            checks: 6,
            kinds_of_faults: 1,
            faults: 2,
            kinds_of_certificates: 1,
            certificates: 1,
        };
        assert_eq!(tries(&checks, &passed), expected);
    }

    #[test]
    fn every_exception_is_a_check_of_the_suite() {
        let checks = the_real_checks();
        for exception in NO_FAULTS.iter().chain(NO_CERTIFICATES) {
            assert!(checks.iter().any(|check| check.name == *exception), "{exception}");
        }
        for subject in OTHER_SUBJECTS {
            assert!(checks.iter().any(|check| check.subject == *subject), "{subject}");
        }
    }
}
