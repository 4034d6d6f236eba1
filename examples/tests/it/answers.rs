//! The core's table of answers, over real connections.

use point_auth_testkit::conformance::{Candidate, Wire, answers};

const TABLE: &str = include_str!("../../../crates/point-auth-core/tests/answers.json");

pub(crate) fn have_their_outcomes(candidate: &Candidate, wire: Wire) {
    match answers::run(candidate, wire, TABLE) {
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
