//! A client that writes bytes.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LONG;

/// A connection on which the test writes each byte.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

/// A response over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the value of a header, which is there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (one, value) = line.split_once(':')?;
            one.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }

    /// Returns the code of the proxy's own response, or `""` for one of the API.
    pub(crate) fn code(&self) -> &str {
        self.header("point-auth-proxy-error").unwrap_or("")
    }
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Writes what the other side may refuse to take.
    pub(crate) async fn try_write(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.stream.write_all(bytes.as_ref()).await);
    }

    /// Reads one response with a declared length or in chunks.
    pub(crate) async fn answer(&mut self) -> Answer {
        let end = loop {
            let found = self.read.windows(4).position(|window| window == b"\r\n\r\n");
            match found {
                Some(at) => break at + 4,
                None => assert!(self.more().await, "no response: {:?}", self.text()),
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        if status == 100 {
            return answer;
        }
        let length: Option<usize> =
            answer.header("content-length").map(|length| length.parse().unwrap());
        let body = match length {
            Some(length) => {
                while self.read.len() < length {
                    assert!(self.more().await, "the body is cut off");
                }
                self.read.drain(..length).collect()
            }
            None if answer.header("transfer-encoding").is_some() => self.chunks().await,
            None => Vec::new(),
        };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match self.read.windows(2).position(|window| window == b"\r\n") {
                    Some(at) => break at,
                    None => assert!(self.more().await, "the body is cut off"),
                }
            };
            let size: Vec<u8> = self.read.drain(..line + 2).take(line).collect();
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap(), 16).unwrap();
            while self.read.len() < size + 2 {
                assert!(self.more().await, "the body is cut off");
            }
            body.extend(self.read.drain(..size + 2).take(size));
            if size == 0 {
                return body;
            }
        }
    }

    /// Reads all that comes until the other side closes.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await {}
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        // A reset is an end too.
        let read = timeout(LONG, self.stream.read(&mut buffer)).await.expect("nothing comes");
        let count = read.unwrap_or(0);
        self.read.extend_from_slice(&buffer[..count]);
        count > 0
    }
}
