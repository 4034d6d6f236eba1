//! Requests by hand, over HTTP/1.1.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use crate::running::{LONG, Program};

/// A request that ends its connection.
pub(crate) fn head(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
}

/// Reads to the end of the connection; a reset is one.
pub(crate) fn read(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8(bytes).unwrap()
}

/// Returns the response to a request on TCP.
pub(crate) fn get(address: &str, path: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let head = head(path, more).replace("Host: localhost", &format!("Host: {address}"));
    stream.write_all(head.as_bytes()).unwrap();
    read(&mut stream)
}

/// Returns the response to a request on a Unix socket.
pub(crate) fn get_unix(proxy: &Program, path: &str, target: &str) -> String {
    let stream = UnixStream::connect(path);
    let mut stream = stream.unwrap_or_else(|error| panic!("{error}: {}", proxy.said()));
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(head(target, "").as_bytes()).unwrap();
    read(&mut stream)
}
