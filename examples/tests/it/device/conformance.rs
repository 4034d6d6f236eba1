//! The nine rules of the contract, and the core's table of answers.

use point_auth_examples::connections::PlainSockets;
use point_auth_examples::device::Device;
use point_auth_testkit::conformance::{Candidate, Wire};

use super::over_rustls;
use crate::answers;

mod with_plain_sockets {
    use std::convert::Infallible;

    use super::{Device, PlainSockets};

    point_auth_testkit::conformance! {
        blocking: |_| Ok::<_, Infallible>(Device::new(PlainSockets)),
        without tls: "plain sockets have none",
        without http2: "a device speaks HTTP/1.1 alone",
        without truncation: "it is about TLS",
        without mutual_tls: "it is about TLS",
        without proxy: "a device goes through no proxy",
        without environment: "a device goes through no proxy",
        without keep_alive: "each request has a connection of its own",
    }
}

mod with_rustls {
    use super::over_rustls;

    point_auth_testkit::conformance! {
        blocking: over_rustls,
        without http2: "a device speaks HTTP/1.1 alone",
        without proxy: "a device goes through no proxy",
        without environment: "a device goes through no proxy",
        without keep_alive: "each request has a connection of its own",
    }
}

#[test]
fn every_answer_of_the_table_has_its_outcome_over_plain_sockets_and_over_rustls() {
    for wire in [Wire::Plain, Wire::Tls] {
        answers::have_their_outcomes(&Candidate::blocking(over_rustls), wire);
    }
}
