//! Requests whose body is over 1 MiB.

use point_auth_testkit::{Emulator, Operation};

use crate::client::{Client, PATIENCE, emulator, tls_emulator};

const MIB: usize = 1 << 20;
/// More than the socket buffers of both sides hold, so that a client which writes all of it depends
/// on a server that reads all of it.
const MUCH: usize = 32 * MIB;

fn head(framing: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{framing}\r\n\r\n",
        Operation::SignIn.path()
    )
}

#[track_caller]
fn is_refused(client: &mut Client) {
    let answer = client.response();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.text("error"), "request_too_large");
    assert_eq!(answer.text("error_description"), "The request body is over 1 MiB");
}

fn emulators() -> [Emulator; 2] {
    [emulator(), tls_emulator()]
}

#[test]
fn a_client_that_writes_all_of_it_before_it_reads_gets_a_413_and_may_go_on() {
    for emulator in emulators() {
        let mut client = Client::of(&emulator);
        client.write(head(&format!("content-length: {MUCH}")));
        client.write(vec![b' '; MUCH]);
        is_refused(&mut client);
        assert_eq!(client.sign_in().status, 200);
        assert_eq!((emulator.connections(), emulator.count(Operation::SignIn)), (1, 1));
        assert!(emulator.requests()[0].on_reused_connection());
    }
}

#[test]
fn a_client_that_writes_chunks_gets_a_413_and_may_go_on() {
    for emulator in emulators() {
        let mut client = Client::of(&emulator);
        client.write(head("transfer-encoding: chunked"));
        let chunk = [b"10000\r\n", &[b' '; 0x1_0000][..], b"\r\n"].concat();
        (0..MUCH / 0x1_0000).for_each(|_| client.write(&chunk));
        client.write("0\r\n\r\n");
        is_refused(&mut client);
        assert_eq!(client.sign_in().status, 200);
    }
}

#[test]
fn a_client_that_reads_before_it_has_written_all_of_it_gets_a_413() {
    for emulator in emulators() {
        let mut client = Client::of(&emulator);
        client.write(head(&format!("content-length: {MUCH}")));
        client.write(vec![b' '; MIB + 1]);
        is_refused(&mut client);
        drop(client);
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn a_body_of_exactly_a_mebibyte_is_read() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.post(Operation::SignIn, &vec![b' '; MIB]);
    assert_eq!(client.response().status, 400);
    client.post(Operation::SignIn, &vec![b' '; MIB + 1]);
    is_refused(&mut client);
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!(emulator.requests()[0].body().len(), MIB);
}
