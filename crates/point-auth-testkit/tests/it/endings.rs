//! Connections that end before their time.

use std::io::ErrorKind;

use point_auth_testkit::{Fault, Operation};

use crate::client::{Client, PATIENCE, emulator, tls_emulator};

#[test]
fn a_cut_comes_after_exactly_so_many_bytes_of_head_and_body() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let answer = client.sign_in();
    let whole = answer.head.len() + 4 + answer.body.len();
    for count in [1, 10, answer.head.len() + 4, whole - 1, whole] {
        emulator.push_fault(Fault::pass().cut_after(count as u64));
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert_eq!(client.read_to_end().unwrap().len(), count);
    }
}

#[test]
fn a_cut_large_body_is_as_long_as_asked_for() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body_of(1 << 30).cut_after(3_000_000));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap().len(), 3_000_000);
}

#[test]
fn a_cut_beyond_the_answer_cuts_nothing_off() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().cut_after(1_000_000));
    let mut client = Client::of(&emulator);
    assert_eq!(client.sign_in().status, 200);
    assert_eq!(client.sign_in().status, 200);
    assert_eq!(emulator.connections(), 1);
}

#[test]
fn a_cut_under_tls_comes_without_a_goodbye() {
    let emulator = tls_emulator();
    emulator.push_fault(Fault::pass().cut_after(100));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert_eq!(client.take(100).unwrap().len(), 100);
    let error = client.read_to_end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("close_notify"), "{error}");
}

#[test]
fn an_answer_cut_to_nothing_still_counts_as_a_sign_in() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().cut_after(0));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap(), b"");
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_reset_is_a_reset() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::reset());
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert_eq!(client.read_to_end().unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(emulator.count(Operation::SignIn), 1);
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn a_connection_closed_after_the_request_ends_in_good_order() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::close_after_request());
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert_eq!(client.read_to_end().unwrap(), b"");
        assert_eq!(emulator.count(Operation::SignIn), 1);
    }
}

#[test]
fn input_that_is_not_read_does_not_turn_the_end_into_a_reset() {
    for fault in [Fault::raw("goodbye"), Fault::respond(200).body("x".repeat(1000)).cut_after(7)] {
        let emulator = emulator();
        emulator.push_fault(fault);
        let mut client = Client::of(&emulator);
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
        client.write(head.to_owned() + &"x".repeat(256 * 1024));
        assert_eq!(client.read_to_end().unwrap().len(), 7);
    }
}

#[test]
fn a_silent_server_keeps_the_connection_until_the_client_gives_up() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::silent());
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert!(emulator.wait_for_requests(1, PATIENCE));
        assert_eq!(emulator.open_connections(), 1);
        drop(client);
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn a_pooled_connection_is_closed_after_the_second_post_was_read() {
    let emulator = emulator();
    emulator.push_fault(Fault::close_pooled_connection());
    let mut client = Client::of(&emulator);
    assert_eq!(client.sign_in().status, 200);
    assert_eq!(emulator.pending_faults(), 1);
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap(), b"");
    assert_eq!(emulator.pending_faults(), 0);
    assert_eq!(emulator.count(Operation::SignIn), 2);
    assert!(emulator.requests()[1].on_reused_connection());
    assert_eq!(Client::of(&emulator).sign_in().status, 200);
}

#[test]
fn a_connection_closed_after_the_answer_was_not_announced() {
    for emulator in [emulator(), tls_emulator()] {
        for fault in [Fault::pass(), Fault::respond(204), Fault::respond(200).body_of(200_000)] {
            emulator.push_fault(fault.close_after_answer());
            let mut client = Client::of(&emulator);
            let answer = client.sign_in();
            assert!(matches!(answer.status, 200 | 204));
            assert_eq!(answer.header("connection"), None);
            assert_eq!(client.read_to_end().unwrap(), b"");
        }
    }
}

#[test]
fn faults_of_http2_have_their_likes_in_http1() {
    let emulator = emulator();
    emulator.push_fault(Fault::goaway(0));
    emulator.push_fault(Fault::reset_stream(Fault::REFUSED_STREAM));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap(), b"");
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_stopped_emulator_closes_its_connections_and_refuses_new_ones() {
    let emulator = emulator();
    let address = emulator.addr();
    let mut client = Client::of(&emulator);
    assert_eq!(client.sign_in().status, 200);
    emulator.stop();
    assert_eq!(client.read_to_end().unwrap(), b"");
    let error = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}
