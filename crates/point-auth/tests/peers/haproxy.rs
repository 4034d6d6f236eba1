//! haproxy in front of the emulator: another HTTP/2 server, with its own refusals and shutdowns.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use http::StatusCode;
use point_auth::ErrorKind;
use point_auth_testkit::{CertificateAuthority, ClosedPort, Emulator, Fault, Operation};

use crate::clients::{BACKENDS, Site, Tally, upstream};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, LONG, Ready, Running};

struct Haproxy {
    running: Running,
    authority: CertificateAuthority,
}

impl Haproxy {
    /// `front` is added to the front end.
    fn start(server: SocketAddr, front: &str) -> Option<Self> {
        let program = program::find("haproxy")?;
        let (port, folder) = (Port::free(), Folder::new());
        let authority = CertificateAuthority::new().unwrap();
        let issued = authority.issue(["127.0.0.1"]).unwrap();
        folder.write("both.pem", &[issued.certificate_pem(), issued.private_key_pem()].concat());
        let address = port.addr();
        let text = format!(
            "global\n  maxconn 200\n\
             defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n\
             \x20 timeout http-keep-alive 30s\n\
             frontend front\n  bind {address} ssl crt both.pem alpn h2,http/1.1\n  {front}\n  default_backend back\n\
             backend back\n  server emulator {server}\n"
        );
        folder.write("haproxy.cfg", &text);
        let mut command = Command::new(program);
        command.args(["-db", "-f", "haproxy.cfg"]);
        Some(Self { running: Running::start(command, port, folder, &Ready::Accepts), authority })
    }

    fn site(&self) -> Site {
        Site::new(format!("https://{}", self.running.addr()), self.authority.pem())
    }
}

fn in_front(front: &str) -> Option<(Emulator, Haproxy)> {
    let emulator = upstream();
    let haproxy = Haproxy::start(emulator.addr(), front)?;
    Some((emulator, haproxy))
}

#[test]
fn haproxy_passes_a_sign_in_and_a_refresh_on_and_shares_out_streams() {
    let Some((emulator, haproxy)) = in_front("http-request set-header x-was-spoken %HV") else {
        return;
    };
    for client in haproxy.site().clients() {
        client.must_work();
        let requests = emulator.requests();
        let expected = if client.is_blocking() { "HTTP/1.1" } else { "HTTP/2.0" };
        assert_eq!(
            requests.last().unwrap().header("x-was-spoken"),
            Some(expected),
            "{}",
            client.name
        );
        Tally::of(&client, &emulator, 48, 12).all_worked();
    }
}

#[test]
fn a_server_that_is_down_behind_haproxy_is_a_temporary_503() {
    let port = ClosedPort::reserve().unwrap();
    let Some(haproxy) = Haproxy::start(port.addr(), "") else { return };
    for client in haproxy.site().clients() {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE), "{}", client.name);
        assert!(error.is_retryable(), "{}", client.name);
    }
}

#[test]
fn a_refusal_by_haproxy_is_no_denial_and_its_retry_after_is_read() {
    let rule = "http-request return status 403 content-type text/html string <html>no</html> hdr retry-after 7";
    let Some((emulator, haproxy)) = in_front(rule) else { return };
    for client in haproxy.site().clients() {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::FORBIDDEN), "{}", client.name);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{}", client.name);
    }
    assert_eq!(emulator.requests().len(), 0);
}

#[test]
fn a_connection_that_haproxy_drops_without_an_answer_is_a_broken_protocol_and_nothing_is_sent_again()
 {
    let rules = "http-request set-var(txn.a) int(1)\n  http-request reject";
    let Some((emulator, haproxy)) = in_front(rules) else { return };
    for client in haproxy.site().clients() {
        let error = client.must_fail(ErrorKind::Protocol);
        assert!(error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
    }
    assert_eq!(emulator.requests().len(), 0);
}

#[test]
fn idle_connections_that_haproxy_closes_send_nothing_twice() {
    // An idle HTTP/2 connection ends with GOAWAY.
    let Some((emulator, haproxy)) = in_front("timeout http-keep-alive 1ms") else {
        return;
    };
    for client in haproxy.site().clients() {
        Tally::of(&client, &emulator, 60, 1).some_worked();
    }
}

#[test]
fn a_soft_stop_of_haproxy_answers_open_requests_and_then_refuses() {
    for number in 0..BACKENDS.len() * 3 {
        let Some((emulator, mut haproxy)) = in_front("") else { return };
        let client = haproxy.site().clients().remove(number);
        client.must_work();
        emulator.push_fault(Fault::pass().delay(Duration::from_millis(300)));
        std::thread::scope(|scope| {
            let signing_in = scope.spawn(|| client.sign_in());
            assert!(emulator.wait_for_requests(3, LONG));
            haproxy.running.signal("USR1");
            let outcome = signing_in.join().unwrap();
            assert!(outcome.is_ok(), "{}: {outcome:?}", client.name);
        });
        haproxy.running.wait_until_ended();
        let error = client.must_fail(ErrorKind::Connect);
        assert!(!error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
        assert_eq!(emulator.count(Operation::SignIn), 2, "{}", client.name);
    }
}
