//! The nine rules of the contract, and the core's table of answers.

use point_auth::tower::TowerTransport;
use point_auth_examples::tower_stack::stack;
use point_auth_testkit::conformance::{Candidate, Wire};

use crate::answers;

point_auth_testkit::conformance! {
    async: |setup| stack(setup.settings().tls()).map(TowerTransport::new),
    without proxy: "a proxy is a matter of the stack's connector, and this one knows none",
    without environment: "a proxy is a matter of the stack's connector, and this one knows none",
}

#[test]
fn every_answer_of_the_table_has_its_outcome() {
    let candidate =
        Candidate::r#async(|setup| stack(setup.settings().tls()).map(TowerTransport::new));
    for wire in [Wire::Plain, Wire::Tls, Wire::Http2] {
        answers::have_their_outcomes(&candidate, wire);
    }
}
