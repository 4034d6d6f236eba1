//! The shortest transport of the book: it keeps the contract, and is printed without changes.

use std::convert::Infallible;

use point_auth::SecretBody;
use point_auth::http::Request;
use point_auth::transport::{BlockingTransport, SendLimits};
use point_auth_examples::fifteen_lines::Mine;
use point_auth_testkit::conformance::{Candidate, Wire};
use point_auth_testkit::{Emulator, Operation};

use crate::answers;

point_auth_testkit::conformance! {
    blocking: |_| Ok::<_, Infallible>(Mine),
    without tls: "its stack has none",
    without http2: "its stack speaks HTTP/1.1 alone",
    without truncation: "it is about TLS",
    without mutual_tls: "it is about TLS",
    without proxy: "its stack goes through no proxy",
    without environment: "its stack goes through no proxy",
    without keep_alive: "each request has a connection of its own",
}

#[test]
fn every_answer_of_the_table_has_its_outcome() {
    answers::have_their_outcomes(&Candidate::blocking(|_| Ok::<_, Infallible>(Mine)), Wire::Plain);
}

#[test]
fn what_no_transport_sends_is_refused_before_there_is_a_connection() {
    let emulator = Emulator::builder().start().unwrap();
    let server = emulator.addr();
    for url in [format!("https://{server}/"), format!("http://user:password@{server}/")] {
        let request = Request::post(url).body(SecretBody::default()).unwrap();
        let error = Mine.send(request, &SendLimits::new()).unwrap_err();
        assert!(!error.may_have_been_sent());
    }
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_length_that_the_request_says_is_not_sent() {
    let emulator = Emulator::builder().start().unwrap();
    let request = Request::post(emulator.url(Operation::SignIn))
        .header("content-length", "1")
        .body(SecretBody::new(b"{}".to_vec()))
        .unwrap();
    assert_eq!(Mine.send(request, &SendLimits::new()).unwrap().status(), 400);
    assert_eq!(emulator.requests()[0].body().as_ref(), b"{}");
}

/// Returns the source between its anchors.
fn printed() -> String {
    let source = include_str!("../../src/fifteen_lines.rs");
    let start = "// ANCHOR: transport\n";
    let (_, rest) = source.split_once(start).unwrap();
    rest.split_once("// ANCHOR_END: transport").unwrap().0.to_owned()
}

#[test]
fn the_docs_of_the_contract_print_it_as_it_is_here() {
    let docs: String = include_str!("../../../crates/point-auth-transport/src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n")
        .collect();
    assert!(docs.contains(&printed()), "the docs do not have\n{}", printed());
}
