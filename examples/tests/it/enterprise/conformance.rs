//! The nine rules of the contract, and the core's table of answers.

use point_auth_testkit::conformance::{Candidate, Wire};

use super::enterprise;
use crate::answers;

mod with_libcurl {
    use super::enterprise;

    point_auth_testkit::conformance! {
        blocking: enterprise,
        without keep_alive: "each request has a connection of its own",
    }
}

#[test]
fn every_answer_of_the_table_has_its_outcome_over_each_wire() {
    for wire in [Wire::Plain, Wire::Tls, Wire::Http2] {
        answers::have_their_outcomes(&Candidate::blocking(enterprise), wire);
    }
}
