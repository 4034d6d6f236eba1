//! A transport over rustls that is right, or sends what it can before the handshake is over.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use point_auth_core::SecretBody;
use point_auth_testkit::conformance::{Candidate, Rule, checks};
use point_auth_transport::{
    BlockingTransport, SendLimits, TransportError, TransportErrorKind as Kind,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Stream};

use crate::client::trusting;

#[derive(Debug)]
struct OverRustls(Arc<ClientConfig>);

impl BlockingTransport for OverRustls {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        self.exchange(&request, limits)
            .map_err(|error| TransportError::classify(&error, Kind::Protocol))
    }
}

impl OverRustls {
    /// Takes the answer for the status and what follows the head, up to the end of the connection.
    fn exchange(
        &self,
        request: &Request<SecretBody>,
        limits: &SendLimits,
    ) -> io::Result<Response<SecretBody>> {
        let authority = request.uri().authority().unwrap();
        let mut tcp = TcpStream::connect(authority.as_str())?;
        tcp.set_read_timeout(Some(limits.total_timeout()))?;
        let name = ServerName::try_from(authority.host().to_owned()).unwrap();
        let mut tls = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        let message = message(request);
        let early = match tls.early_data() {
            Some(mut early) => early.write(&message)?,
            None => 0,
        };
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let sent = if tls.is_early_data_accepted() { early } else { 0 };
        let mut stream = Stream::new(&mut tls, &mut tcp);
        stream.write_all(&message[sent..])?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let status = answer.get(9..12).and_then(|code| StatusCode::from_bytes(code).ok());
        let body = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let body = body.map(|head| answer[head + 4..].to_vec());
        let (Some(status), Some(body)) = (status, body) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let mut response = Response::new(SecretBody::new(body));
        *response.status_mut() = status;
        Ok(response)
    }
}

fn message(request: &Request<SecretBody>) -> Vec<u8> {
    let path = request.uri().path_and_query().unwrap();
    let mut message = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    let (host, length) = (request.uri().authority().unwrap(), request.body().len());
    let own = format!("host: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    message.extend(own.as_bytes());
    for (name, value) in request.headers() {
        message.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    message.extend(b"\r\n");
    message.extend(request.body().as_ref());
    message
}

#[test]
fn a_transport_that_sends_before_the_handshake_is_over_is_found() {
    let check = checks().into_iter().find(|check| {
        check.group() == "tls" && check.name() == "nothing_is_sent_before_the_handshake_is_over"
    });
    let check = check.unwrap();
    for sends_early in [false, true] {
        let candidate = Candidate::blocking(move |setup| {
            let root = setup.root_certificate_pem().unwrap();
            let root = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
            let mut config = trusting(&root);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.enable_early_data = sends_early;
            Ok::<_, Infallible>(OverRustls(Arc::new(config)))
        });
        let violation = check.run(&candidate).err();
        assert_eq!(
            violation.as_ref().map(|violation| violation.rule()),
            sends_early.then_some(Rule::SentOnce),
            "{violation:?}"
        );
    }
}
