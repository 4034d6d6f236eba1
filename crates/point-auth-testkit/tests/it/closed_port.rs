//! The address without a listener.

use std::io::ErrorKind;
use std::net::TcpStream;

use point_auth_testkit::ClosedPort;

#[test]
fn a_closed_port_refuses_every_connection() {
    let port = ClosedPort::reserve().unwrap();
    for _ in 0..3 {
        assert_eq!(
            TcpStream::connect(port.addr()).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    }
}

#[test]
fn a_closed_port_is_given_to_no_server() {
    let port = ClosedPort::reserve().unwrap();
    assert!(std::net::TcpListener::bind(port.addr()).is_err());
}
