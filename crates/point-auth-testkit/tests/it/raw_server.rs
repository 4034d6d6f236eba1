//! The server that knows nothing of HTTP.

use std::io::ErrorKind;

use point_auth_testkit::{RawBehavior, RawServer};

use crate::client::{Client, PATIENCE};

#[test]
fn a_silent_server_reads_and_says_nothing() {
    let server = RawServer::start(RawBehavior::Silent).unwrap();
    assert_eq!((server.connections(), server.bytes_received()), (0, 0));
    let mut client = Client::tcp(server.addr());
    client.write("hello");
    assert!(server.wait_for_bytes(5, PATIENCE));
    assert_eq!(server.received(), [b"hello"]);
    assert_eq!(server.open_connections(), 1);
    drop(client);
    assert!(server.wait_for_closed_connections(1, PATIENCE));
    assert_eq!((server.connections(), server.open_connections()), (1, 0));
}

#[test]
fn bytes_are_sent_at_once_and_the_stream_stays_or_ends() {
    let server = RawServer::start(RawBehavior::Send("220 mail".into())).unwrap();
    let mut client = Client::tcp(server.addr());
    assert_eq!(client.take(8).unwrap(), b"220 mail");
    assert_eq!(server.open_connections(), 1);

    let server = RawServer::start(RawBehavior::SendAndClose("220 mail".into())).unwrap();
    assert_eq!(Client::tcp(server.addr()).read_to_end().unwrap(), b"220 mail");
}

#[test]
fn an_answer_waits_for_the_client_to_speak() {
    let server = RawServer::start(RawBehavior::Answer("\x15\x03\x01".into())).unwrap();
    let mut client = Client::tcp(server.addr());
    assert!(server.wait_for_connections(1, PATIENCE));
    client.write("\x16");
    assert_eq!(client.read_to_end().unwrap(), b"\x15\x03\x01");
}

#[test]
fn a_connection_is_closed_or_reset_at_once() {
    let server = RawServer::start(RawBehavior::Close).unwrap();
    assert_eq!(Client::tcp(server.addr()).read_to_end().unwrap(), b"");

    let server = RawServer::start(RawBehavior::Reset).unwrap();
    let error = Client::tcp(server.addr()).read_to_end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}
