//! The core's table of answers, over real connections.

use crate::Adapter;
use point_auth_testkit::conformance::{Candidate, Wire, answers};

const TABLE: &str = include_str!("../../../point-auth-core/tests/answers.json");

#[test]
fn every_answer_of_the_table_has_its_outcome_over_http_2() {
    is_served_over(Wire::Http2);
}

#[test]
fn every_answer_of_the_table_has_its_outcome_over_plain() {
    is_served_over(Wire::Plain);
}

fn is_served_over(wire: Wire) {
    let candidate = Candidate::r#async(|setup| Adapter::with_settings(setup.settings()));
    match answers::run(&candidate, wire, TABLE) {
        Ok(report) => {
            assert!(report.served >= 150, "only {} answers were served", report.served);
            assert!(report.too_large >= 2, "only {} answers were too large", report.too_large);
            assert!(
                report.left_out.len() * 10 < report.served,
                "{} answers were left out",
                report.left_out.len()
            );
        }
        Err(differences) => panic!("{differences}"),
    }
}
