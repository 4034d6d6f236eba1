//! Idle connections: reused while they are good, and no request is sent twice when they are not.

use point_auth_core::{Credentials, Operation as _, SignIn};
use point_auth_testkit::{Emulator, Fault, Operation};
use point_auth_transport::{SendLimits, TransportErrorKind};

use crate::support::{PASSWORD, USER, emulator, fails, plain, send, sign_in, tls, transport};

#[test]
fn a_connection_is_reused_over_plain_http_and_tls() {
    for emulator in [plain(), tls()] {
        let transport = transport(&emulator);
        for _ in 0..3 {
            sign_in(&transport.clone(), &emulator.base_url());
        }
        assert_eq!((emulator.count(Operation::SignIn), emulator.connections()), (3, 1));
    }
}

#[test]
fn a_server_that_closes_a_pooled_connection_after_it_read_a_post_gets_one_post() {
    for emulator in [plain(), tls()] {
        let transport = transport(&emulator);
        sign_in(&transport, &emulator.base_url());
        for fault in [Fault::close_pooled_connection(), Fault::reset().only_on_reused_connection()]
        {
            emulator.push_fault(fault);
            let outcome = send(&transport, &emulator.base_url(), SendLimits::new());
            fails(outcome, TransportErrorKind::Protocol, true);
            assert_eq!(emulator.pending_faults(), 0);
            sign_in(&transport, &emulator.base_url());
        }
        // One that worked, and twice one that did not and one that worked.
        assert_eq!(emulator.count(Operation::SignIn), 5);
    }
}

#[test]
fn a_connection_that_the_server_has_closed_is_not_used() {
    for emulator in [plain(), tls()] {
        let transport = transport(&emulator);
        sign_in(&transport, &emulator.base_url());
        let base = emulator.base_url();
        emulator.stop();
        fails(send(&transport, &base, SendLimits::new()), TransportErrorKind::Connect, false);
    }
}

#[test]
fn a_connection_with_an_unread_body_is_not_reused() {
    let emulator = tls();
    let transport = transport(&emulator);
    emulator.push_fault(Fault::respond(200).body_of(1 << 30));
    let outcome =
        send(&transport, &emulator.base_url(), SendLimits::new().with_max_response_bytes(100));
    fails(outcome, TransportErrorKind::TooLarge, true);
    sign_in(&transport, &emulator.base_url());
    assert_eq!(emulator.connections(), 2);
}

#[test]
fn a_body_beyond_its_length_ends_the_connection_and_not_the_next_answer() {
    let emulator = emulator(|builder| builder.user("other", "word"));
    let transport = transport(&emulator);
    emulator.push_fault(Fault::raw(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nsmuggled",
    ));
    let response = send(&transport, &emulator.base_url(), SendLimits::new()).unwrap();
    assert_eq!(response.body().as_ref(), b"{}");
    sign_in(&transport, &emulator.base_url());
    assert_eq!(emulator.connections(), 2);
}

#[test]
fn many_threads_share_one_transport() {
    let emulator = tls();
    let transport = transport(&emulator);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| sign_in(&transport, &emulator.base_url()));
        }
    });
    assert_eq!(emulator.count(Operation::SignIn), 8);
    check_still_good(&emulator);
}

fn check_still_good(emulator: &Emulator) {
    let credentials = Credentials::new(USER, PASSWORD).unwrap();
    let response = send(&transport(emulator), &emulator.base_url(), SendLimits::new()).unwrap();
    SignIn::new(&credentials).parse_response(&response).unwrap();
}
