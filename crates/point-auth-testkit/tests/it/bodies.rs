//! Bodies that are large, endless, or slow.

use std::time::{Duration, Instant};

use point_auth_testkit::Fault;

use crate::client::{Client, PATIENCE, emulator, tls_emulator};

const MIB: usize = 1 << 20;

#[test]
fn a_body_of_a_size_is_one_json_object_of_exactly_that_size() {
    let emulator = emulator();
    for size in [0, 1, 18, 19, 20, 65_536, 3 * MIB + 7] {
        emulator.push_fault(Fault::respond(200).body_of(size as u64));
        let answer = Client::of(&emulator).sign_in();
        assert_eq!(answer.header("content-length"), Some(size.to_string().as_str()));
        assert_eq!(answer.body.len(), size);
        if size >= 19 {
            assert_eq!(answer.text("access_token").len(), size - 19);
        }
    }
}

#[test]
fn a_gibibyte_is_announced_truly_and_stops_with_the_client() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body_of(1 << 30));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert!(client.head().unwrap().contains("content-length: 1073741824"));
    client.take(8 * MIB).unwrap();
    drop(client);
    assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
}

#[test]
fn a_size_can_be_kept_secret() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body_of(MIB as u64).chunked());
    let answer = Client::of(&emulator).sign_in();
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.body.len(), MIB);
}

#[test]
fn an_endless_body_goes_on_until_the_client_stops() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::respond(200).endless_body());
        let mut client = Client::of(&emulator);
        client.send_sign_in();
        assert!(client.head().unwrap().contains("transfer-encoding: chunked"));
        client.take(8 * MIB).unwrap();
        assert_eq!(emulator.open_connections(), 1);
        drop(client);
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn a_drip_spreads_head_and_body_over_time() {
    let pause = Duration::from_millis(2);
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::respond(200).body("0123456789").drip(5, pause));
        let mut client = Client::of(&emulator);
        let started = Instant::now();
        let answer = client.sign_in();
        assert_eq!(answer.body, b"0123456789");
        let pieces = u32::try_from((answer.head.len() + 4 + 10).div_ceil(5)).unwrap();
        // A lower bound can be judged: timers never fire early.
        assert!(started.elapsed() >= pause * (pieces - 1));
        assert_eq!(client.sign_in().status, 200);
    }
}

#[test]
fn a_dripped_body_leaves_the_head_alone() {
    let emulator = emulator();
    emulator
        .push_fault(Fault::respond(200).body("0123456789").drip_body(1, Duration::from_millis(2)));
    let mut client = Client::of(&emulator);
    let started = Instant::now();
    let answer = client.sign_in();
    assert_eq!(
        (answer.header("content-length"), answer.body.as_slice()),
        (Some("10"), &b"0123456789"[..])
    );
    assert!(started.elapsed() >= Duration::from_millis(2 * 9));
}

#[test]
fn a_delay_comes_before_the_answer() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().delay(Duration::from_millis(30)));
    let mut client = Client::of(&emulator);
    let started = Instant::now();
    assert_eq!(client.sign_in().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_client_that_does_not_wait_for_a_late_answer_frees_its_connection() {
    let emulator = emulator();
    emulator.push_fault(Fault::pass().delay(Duration::from_secs(3600)));
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    assert!(emulator.wait_for_requests(1, PATIENCE));
    drop(client);
    assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
}
