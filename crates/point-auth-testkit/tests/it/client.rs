//! A client that writes what it is told and shows what came back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use point_auth_testkit::{Emulator, IssuedCertificate, Operation};
#[cfg(feature = "aws-lc-rs")]
use rustls::crypto::aws_lc_rs::default_provider;
#[cfg(not(feature = "aws-lc-rs"))]
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// Longer than anything here takes, so that a test which would hang fails instead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const USER: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) fn emulator() -> Emulator {
    Emulator::builder().user(USER, PASSWORD).start().unwrap()
}

pub(crate) fn tls_emulator() -> Emulator {
    Emulator::builder().user(USER, PASSWORD).with_tls().start().unwrap()
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field}")).to_owned()
    }
}

impl Client {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Self::over(tcp(address))
    }

    /// A client that speaks what the emulator speaks, and trusts it.
    pub(crate) fn of(emulator: &Emulator) -> Self {
        if emulator.base_url().starts_with("https") {
            Self::tls(emulator.addr(), trusting(emulator.ca_der()), "localhost")
        } else {
            Self::tcp(emulator.addr())
        }
    }

    pub(crate) fn tls(address: SocketAddr, config: ClientConfig, name: &str) -> Self {
        Self::over(tls(address, config, name))
    }

    pub(crate) fn over(stream: impl Read + Write + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self.stream.flush().unwrap();
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n"
        );
        self.write([head.as_bytes(), body].concat());
    }

    pub(crate) fn post(&mut self, operation: Operation, body: &[u8]) {
        self.send("POST", operation.path(), "content-type: application/json\r\n", body);
    }

    pub(crate) fn send_sign_in(&mut self) {
        self.post(Operation::SignIn, &sign_in_body(USER, PASSWORD));
    }

    pub(crate) fn sign_in(&mut self) -> Response {
        self.send_sign_in();
        self.response()
    }

    pub(crate) fn refresh(&mut self, token: &str) -> Response {
        self.post(Operation::Refresh, json!({ "refresh_token": token }).to_string().as_bytes());
        self.response()
    }

    pub(crate) fn who_am_i(&mut self, token: &str) -> Response {
        self.send(
            "GET",
            Operation::WhoAmI.path(),
            &format!("authorization: Bearer {token}\r\n"),
            b"",
        );
        self.response()
    }

    /// One whole response, or a panic.
    pub(crate) fn response(&mut self) -> Response {
        self.try_response().unwrap()
    }

    pub(crate) fn try_response(&mut self) -> io::Result<Response> {
        let head = self.head()?;
        let status = head[9..12].parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        if response.status == 204 {
            // No body, and nothing that says so.
        } else if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            response.body = self.take(length)?;
        } else if response.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk()? {
                response.body.extend(chunk);
            }
        } else {
            response.body = self.read_to_end()?;
        }
        Ok(response)
    }

    /// Status line and headers, with the line ends, without the empty line.
    pub(crate) fn head(&mut self) -> io::Result<String> {
        while !self.read.windows(4).any(|window| window == b"\r\n\r\n") {
            self.fill()?;
        }
        let end = self.read.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = self.take(end + 4)?;
        Ok(String::from_utf8(head[..end].to_vec()).unwrap())
    }

    /// A chunk; `None` for the last, empty one.
    pub(crate) fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.read.contains(&b'\n') {
            self.fill()?;
        }
        let end = self.read.iter().position(|byte| *byte == b'\n').unwrap();
        let line = self.take(end + 1)?;
        let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
        let mut chunk = self.take(size + 2)?;
        chunk.truncate(size);
        Ok((size > 0).then_some(chunk))
    }

    /// Everything until the server ends the stream.
    pub(crate) fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error)
                    if error.kind() == io::ErrorKind::UnexpectedEof
                        && error.get_ref().is_none() =>
                {
                    return Ok(std::mem::take(&mut self.read));
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < count {
            self.fill()?;
        }
        Ok(self.read.drain(..count).collect())
    }

    /// Reads once more; the end of the stream is `UnexpectedEof` without a message.
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.read.extend(&buffer[..count]);
                Ok(())
            }
        }
    }
}

pub(crate) fn sign_in_body(username: &str, password: &str) -> Vec<u8> {
    json!({ "username": username, "password": password }).to_string().into_bytes()
}

pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

pub(crate) fn tls(
    address: SocketAddr,
    config: ClientConfig,
    name: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), tcp(address))
}

pub(crate) fn trusting(ca: &[u8]) -> ClientConfig {
    with_roots(ca).with_no_client_auth()
}

pub(crate) fn trusting_with_identity(ca: &[u8], identity: &IssuedCertificate) -> ClientConfig {
    let chain = vec![CertificateDer::from(identity.certificate_der().to_vec())];
    let key = PrivatePkcs8KeyDer::from(identity.private_key_der().to_vec()).into();
    with_roots(ca).with_client_auth_cert(chain, key).unwrap()
}

fn with_roots(ca: &[u8]) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.to_vec())).unwrap();
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}
