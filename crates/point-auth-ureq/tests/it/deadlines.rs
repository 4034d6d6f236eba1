//! The connect limit and the deadline. Time is held against a generous bound alone.

use std::time::{Duration, Instant};

use point_auth_testkit::{Fault, RawBehavior, RawServer};
use point_auth_transport::{SendLimits, TransportErrorKind};

use crate::support::{BRIEF, PATIENCE, fails, plain, send, sign_in, tls, transport};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn in_total(total: Duration) -> SendLimits {
    SendLimits::new().with_connect_timeout(DAY).with_total_timeout(total)
}

#[test]
fn a_server_that_never_answers_meets_the_deadline() {
    let start = Instant::now();
    for emulator in [plain(), tls()] {
        emulator.push_fault(Fault::silent());
        let outcome = send(&transport(&emulator), &emulator.base_url(), in_total(BRIEF));
        fails(outcome, TransportErrorKind::Timeout, true);
    }
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_server_that_drips_meets_the_deadline_in_the_head_and_in_the_body() {
    let start = Instant::now();
    for emulator in [plain(), tls()] {
        let step = Duration::from_millis(10);
        for fault in [Fault::pass().drip(1, step), Fault::respond(200).body_of(60_000).drip_body(1, step)] {
            emulator.push_fault(fault);
            let outcome = send(&transport(&emulator), &emulator.base_url(), in_total(BRIEF));
            fails(outcome, TransportErrorKind::Timeout, true);
        }
    }
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_handshake_that_does_not_begin_meets_the_connect_limit_and_nothing_was_sent() {
    let start = Instant::now();
    let server = RawServer::start(RawBehavior::Silent).unwrap();
    let limits = SendLimits::new().with_connect_timeout(BRIEF).with_total_timeout(DAY);
    let outcome = send(&transport(&tls()), &format!("https://{}", server.addr()), limits);
    fails(outcome, TransportErrorKind::Timeout, false);
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn the_connect_limit_does_not_end_an_exchange_that_is_under_way() {
    let emulator = tls();
    emulator.push_fault(Fault::pass().delay(BRIEF * 2));
    let limits = SendLimits::new().with_connect_timeout(BRIEF);
    // The machine may be slow, and then this says nothing; but it may not fail in the middle.
    match send(&transport(&emulator), &emulator.base_url(), limits) {
        Ok(response) => assert_eq!(response.status(), 200),
        Err(error) => assert!(!error.may_have_been_sent(), "{error:?}"),
    }
}

#[test]
fn no_time_at_all_is_a_timeout_and_endless_time_is_not_an_overflow() {
    for emulator in [plain(), tls()] {
        let transport = transport(&emulator);
        for limits in [in_total(Duration::ZERO), SendLimits::new().with_connect_timeout(Duration::ZERO)] {
            fails(send(&transport, &emulator.base_url(), limits), TransportErrorKind::Timeout, false);
        }
        assert_eq!(emulator.requests().len(), 0);
        let endless = SendLimits::new().with_connect_timeout(Duration::MAX).with_total_timeout(Duration::MAX);
        assert_eq!(send(&transport, &emulator.base_url(), endless).unwrap().status(), 200);
        let short = SendLimits::new().with_connect_timeout(Duration::from_nanos(1));
        // On the pooled connection there is nothing to connect.
        assert_eq!(send(&transport, &emulator.base_url(), short).unwrap().status(), 200);
        sign_in(&transport, &emulator.base_url());
    }
}
