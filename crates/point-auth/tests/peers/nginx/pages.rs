//! nginx's own responses: HTML pages that are not the API's, each with its status.

use http::StatusCode;
use point_auth::ErrorKind;
use point_auth_testkit::{ClosedPort, Fault, Operation};

use super::{Config, Nginx, in_front};

#[test]
fn a_server_that_is_down_behind_nginx_is_a_temporary_502() {
    let port = ClosedPort::reserve().unwrap();
    let Some(nginx) = Nginx::start(port.addr(), &Config::default()) else { return };
    for client in nginx.site().clients() {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY), "{}", client.name);
        assert!(error.is_retryable(), "{}", client.name);
    }
}

#[test]
fn a_server_that_breaks_off_behind_nginx_is_a_502_and_got_the_request_once() {
    let Some((emulator, nginx)) = in_front(&Config::default()) else { return };
    for fault in [Fault::close_after_request(), Fault::reset()] {
        for client in nginx.site().clients() {
            let before = emulator.count(Operation::SignIn);
            emulator.push_fault(fault.clone());
            let error = client.must_fail(ErrorKind::Unexpected);
            assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY), "{} {fault:?}", client.name);
            assert_eq!(emulator.count(Operation::SignIn), before + 1, "{} {fault:?}", client.name);
        }
    }
}

#[test]
fn a_server_that_speaks_no_http_behind_nginx_gives_no_token_and_got_the_request_once() {
    let Some((emulator, nginx)) = in_front(&Config::default()) else { return };
    for client in nginx.site().clients() {
        let before = emulator.count(Operation::SignIn);
        // nginx treats it as HTTP/0.9.
        emulator.push_fault(Fault::raw("SSH-2.0-OpenSSH_9.6\r\n"));
        let error = client.sign_in().map(drop).expect_err(&client.name);
        assert!(error.may_have_been_sent(), "{}: {error:?}", client.name);
        assert!(error.denial().is_none(), "{}: {error:?}", client.name);
        assert_eq!(emulator.count(Operation::SignIn), before + 1, "{}", client.name);
    }
}

#[test]
fn an_answer_that_breaks_off_behind_nginx_is_a_broken_protocol() {
    // Small pieces, so that the head is sent before the end comes.
    let Some((emulator, nginx)) = in_front(&Config::location("proxy_buffering off;")) else {
        return;
    };
    for client in nginx.site().clients() {
        emulator.push_fault(Fault::respond(200).json(r#"{"access_token":"a"#).content_length(1000));
        let error = client.must_fail(ErrorKind::Protocol);
        assert!(error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
    }
}

#[test]
fn a_server_that_is_slow_behind_nginx_is_a_temporary_504() {
    let Some((emulator, nginx)) = in_front(&Config::location("proxy_read_timeout 100ms;")) else {
        return;
    };
    emulator.always(Fault::silent());
    for client in nginx.site().clients() {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::GATEWAY_TIMEOUT), "{}", client.name);
        assert!(error.is_retryable(), "{}", client.name);
    }
}

#[test]
fn a_body_that_is_too_large_for_nginx_is_a_413_and_reaches_no_server() {
    for config in [
        Config::server("client_max_body_size 10;"),
        Config::server("client_max_body_size 10;").http1_only(),
    ] {
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            let error = client.must_fail(ErrorKind::Unexpected);
            assert_eq!(error.status(), Some(StatusCode::PAYLOAD_TOO_LARGE), "{}", client.name);
            assert!(!error.is_retryable(), "{}", client.name);
        }
        assert_eq!(emulator.requests().len(), 0);
    }
}

#[test]
fn a_limit_on_requests_is_a_temporary_429() {
    let config = Config {
        http: "limit_req_zone $server_port zone=all:1m rate=1r/m; limit_req_status 429;".to_owned(),
        ..Config::location("limit_req zone=all; add_header Retry-After 7 always;")
    };
    let Some((emulator, nginx)) = in_front(&config) else { return };
    let clients = nginx.site().clients();
    clients[0].sign_in().unwrap();
    for client in &clients {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS), "{}", client.name);
        assert!(error.is_retryable() && error.retry_after().is_some(), "{}", client.name);
    }
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_redirect_by_nginx_is_not_followed() {
    let elsewhere = crate::clients::upstream();
    for status in [301, 302, 303, 307, 308] {
        let config =
            Config::server(&format!("return {status} {}$request_uri;", elsewhere.base_url()));
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            let error = client.must_fail(ErrorKind::Unexpected);
            assert_eq!(
                error.status().map(|status| status.as_u16()),
                Some(status),
                "{}",
                client.name
            );
        }
        assert_eq!(emulator.connections() + elsewhere.connections(), 0, "{status}");
    }
}

#[test]
fn nginx_accepts_only_clients_with_a_certificate() {
    let config = Config::server("ssl_client_certificate authority.pem; ssl_verify_client on;");
    let Some((emulator, nginx)) = in_front(&config) else { return };
    for client in nginx.site().clients() {
        let error = client.must_fail(ErrorKind::Unexpected);
        assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST), "{}", client.name);
    }
    assert_eq!(emulator.requests().len(), 0);
    let issued = nginx.authority.issue_client("me").unwrap();
    let (certificate, key) =
        (issued.certificate_pem().as_bytes(), issued.private_key_pem().as_bytes());
    for client in nginx.site().clients_with(|tls| tls.with_identity_pem(certificate, key).unwrap())
    {
        client.must_work();
    }
}
