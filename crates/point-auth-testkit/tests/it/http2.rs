//! HTTP/2, plain with prior knowledge and over TLS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Error, Reason};
use http::{Method, Request, Version};
use point_auth_testkit::{Emulator, Fault, HttpVersions, Operation};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use crate::client::{
    Client, PASSWORD, PATIENCE, USER, emulator, sign_in_body, tls_emulator, trusting,
};

struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// A client whose connection is driven by a task of its own.
struct Http2 {
    requests: SendRequest<Bytes>,
    url: String,
    connection: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Http2 {
    async fn of(emulator: &Emulator) -> Self {
        let tcp = TcpStream::connect(emulator.addr()).await.unwrap();
        let url = emulator.url(Operation::SignIn);
        if url.starts_with("http:") {
            return Self::over(tcp, url).await;
        }
        let mut config = trusting(emulator.ca_der());
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let tls =
            tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        Self::over(tls, url).await
    }

    async fn over<T>(stream: T, url: String) -> Self
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        Self { requests, url, connection: tokio::spawn(connection) }
    }

    async fn sign_in(&mut self) -> Result<Answer, Error> {
        self.send(sign_in_body(USER, PASSWORD).into()).await
    }

    /// Sends all of `body`, as fast as the server takes it, and then reads the answer.
    async fn send(&mut self, mut body: Bytes) -> Result<Answer, Error> {
        self.requests = self.requests.clone().ready().await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .version(Version::HTTP_2)
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        let (response, mut stream) = self.requests.send_request(request, false)?;
        while !body.is_empty() {
            stream.reserve_capacity(body.len());
            let capacity = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap()?;
            let part = body.split_to(capacity.min(body.len()));
            stream.send_data(part, body.is_empty())?;
        }
        let (parts, mut stream) = response.await?.into_parts();
        let mut body = Vec::new();
        while let Some(bytes) = stream.data().await {
            let bytes = bytes?;
            stream.flow_control().release_capacity(bytes.len())?;
            body.extend(bytes);
        }
        Ok(Answer { status: parts.status.as_u16(), body })
    }
}

/// Runs a test's client and fails instead of hanging.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() });
}

#[test]
fn sign_in_works_plain_and_over_tls_on_one_connection() {
    for emulator in [emulator(), tls_emulator()] {
        run(async {
            let mut client = Http2::of(&emulator).await;
            for _ in 0..3 {
                let answer = client.sign_in().await.unwrap();
                assert_eq!(answer.status, 200);
                assert!(answer.body.len() > 1000);
            }
        });
        assert_eq!((emulator.connections(), emulator.count(Operation::SignIn)), (1, 3));
        assert!(emulator.requests().iter().all(|request| request.version() == Version::HTTP_2));
        assert!(emulator.requests()[2].on_reused_connection());
    }
}

#[test]
fn a_body_over_a_mebibyte_gets_a_413_and_its_connection_may_go_on() {
    for emulator in [emulator(), tls_emulator()] {
        run(async {
            let mut client = Http2::of(&emulator).await;
            let answer = client.send(vec![b' '; 32 << 20].into()).await.unwrap();
            assert_eq!(answer.status, 413);
            assert!(String::from_utf8(answer.body).unwrap().contains("request_too_large"));
            assert_eq!(client.sign_in().await.unwrap().status, 200);
        });
        assert_eq!((emulator.connections(), emulator.count(Operation::SignIn)), (1, 1));
    }
}

#[test]
fn a_server_of_http2_alone_hangs_up_on_http1_and_the_other_way_round() {
    let emulator = Emulator::builder().http(HttpVersions::Http2Only).start().unwrap();
    let mut client = Client::of(&emulator);
    client.send_sign_in();
    let _ = client.read_to_end();
    assert!(emulator.requests().is_empty());

    let emulator = Emulator::builder().http(HttpVersions::Http1Only).start().unwrap();
    run(async { assert!(Http2::of(&emulator).await.sign_in().await.is_err()) });
    assert_eq!(emulator.count(Operation::SignIn), 0);
}

#[test]
fn a_scripted_answer_works_as_over_http1() {
    let emulator = emulator();
    emulator.push_fault(Fault::html(502));
    emulator.push_fault(Fault::respond(200).body_of(3 << 20));
    emulator.push_fault(Fault::respond(200).body("0123456789").drip(3, Duration::from_millis(1)));
    emulator
        .push_fault(Fault::respond(200).body("0123456789").drip_body(3, Duration::from_millis(1)));
    run(async {
        let mut client = Http2::of(&emulator).await;
        assert_eq!(client.sign_in().await.unwrap().status, 502);
        assert_eq!(client.sign_in().await.unwrap().body.len(), 3 << 20);
        assert_eq!(client.sign_in().await.unwrap().body, b"0123456789");
        assert_eq!(client.sign_in().await.unwrap().body, b"0123456789");
    });
}

#[test]
fn a_stream_is_reset_with_the_reason_of_the_script_and_the_connection_lives_on() {
    for emulator in [emulator(), tls_emulator()] {
        emulator.push_fault(Fault::reset_stream(Fault::REFUSED_STREAM));
        emulator.push_fault(Fault::reset_stream(Fault::ENHANCE_YOUR_CALM));
        emulator.push_fault(Fault::reset_stream(Fault::HTTP_1_1_REQUIRED));
        run(async {
            let mut client = Http2::of(&emulator).await;
            for reason in
                [Reason::REFUSED_STREAM, Reason::ENHANCE_YOUR_CALM, Reason::HTTP_1_1_REQUIRED]
            {
                let error = client.sign_in().await.err().unwrap();
                assert!(error.is_reset() && error.is_remote());
                assert_eq!(error.reason(), Some(reason));
            }
            assert_eq!(client.sign_in().await.unwrap().status, 200);
        });
        assert_eq!((emulator.connections(), emulator.count(Operation::SignIn)), (1, 4));
    }
}

#[test]
fn a_goaway_says_that_nothing_was_processed_and_ends_the_connection() {
    for emulator in [emulator(), tls_emulator()] {
        for code in [Reason::NO_ERROR, Reason::ENHANCE_YOUR_CALM] {
            emulator.push_fault(Fault::goaway(code.into()));
            run(async {
                let mut client = Http2::of(&emulator).await;
                let error = client.sign_in().await.err().unwrap();
                assert!(error.is_go_away() && error.is_remote(), "{error}");
                assert_eq!(error.reason(), Some(code));
                drop(client.requests);
                let _ = client.connection.await.unwrap();
            });
        }
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
        assert_eq!(emulator.count(Operation::SignIn), 2);
    }
}

#[test]
fn a_connection_that_ends_after_the_answer_ends_with_a_goaway() {
    for emulator in [emulator(), tls_emulator()] {
        for fault in [Fault::pass().close_after_answer(), Fault::pass().connection_close()] {
            emulator.push_fault(fault);
            run(async {
                let mut client = Http2::of(&emulator).await;
                assert_eq!(client.sign_in().await.unwrap().status, 200);
                assert!(client.connection.await.unwrap().is_ok());
            });
        }
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn endings_below_http_end_the_connection() {
    for emulator in [emulator(), tls_emulator()] {
        let faults = [
            Fault::reset(),
            Fault::close_after_request(),
            Fault::pass().cut_after(20),
            Fault::raw("HTTP/1.1 200 OK\r\n\r\n"),
        ];
        for fault in faults {
            let shown = format!("{fault:?}");
            emulator.push_fault(fault);
            run(async {
                let mut client = Http2::of(&emulator).await;
                assert!(client.sign_in().await.is_err(), "{shown}");
            });
        }
        assert_eq!(emulator.count(Operation::SignIn), 4);
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}

#[test]
fn a_wrong_length_is_announced_as_it_was_written() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(200).body("0123456789").content_length(5));
    emulator.push_fault(Fault::respond(200).body("0123456789").content_length(50));
    run(async {
        for _ in 0..2 {
            let error = Http2::of(&emulator).await.sign_in().await.err().unwrap();
            assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
        }
    });
}

#[test]
fn silence_and_endless_bodies_end_with_the_client() {
    let emulator = emulator();
    for fault in [Fault::silent(), Fault::respond(200).endless_body()] {
        emulator.push_fault(fault);
        let before = emulator.requests().len();
        run(async {
            let mut client = Http2::of(&emulator).await;
            let signing_in = tokio::time::timeout(Duration::from_millis(50), client.sign_in());
            assert!(signing_in.await.is_err());
            client.connection.abort();
        });
        assert!(emulator.wait_for_requests(before + 1, PATIENCE));
        assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
    }
}
