//! The combined demands of a corporate network, and tests of libcurl alone.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use point_auth::transport::{BlockingTransport, ProxySettings, SendLimits, TransportErrorKind};
use point_auth::{AccessToken, BaseUrl, Credentials, Operation as _, SecretBody, SignIn};
use point_auth_examples::WhoAmI;
use point_auth_examples::enterprise::{Enterprise, Settings};
use point_auth_testkit::{
    CertificateAuthority, ConnectProxy, Emulator, Fault, Operation, ProxyCredentials,
};

const HOST: &str = "api.example.test";

fn sign_in(base: &str) -> http::Request<SecretBody> {
    let credentials = Credentials::new("user", "password").unwrap();
    SignIn::new(&credentials).to_request(&BaseUrl::parse(base).unwrap()).unwrap()
}

fn trusting(emulator: &Emulator) -> Settings {
    Settings::new()
        .with_proxy(ProxySettings::none())
        .with_private_ca_pem(emulator.ca_pem().as_bytes())
}

#[test]
fn a_proxy_with_credentials_a_private_authority_a_client_certificate_and_http_2_work_together() {
    let emulator = Emulator::builder().user("user", "password").with_tls().host_name(HOST);
    let emulator = emulator.require_client_certificate().start().unwrap();
    let proxy = ConnectProxy::builder().map(format!("{HOST}:443"), emulator.addr());
    let proxy = proxy.credentials("employee", "s3cret/@:").start().unwrap();
    let issued = emulator.authority().issue_client("branch office 7").unwrap();

    let url = proxy.url_with_userinfo("employee:s3cret%2F%40%3A");
    let settings =
        trusting(&emulator).with_proxy(ProxySettings::url(&url).unwrap()).with_identity_pem(
            issued.certificate_pem().as_bytes(),
            issued.private_key_pem().as_bytes(),
        );
    let transport = Enterprise::with_settings(&settings).unwrap();
    let response = transport.send(sign_in(&format!("https://{HOST}")), &SendLimits::new()).unwrap();

    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("proxy")));
    let requests = emulator.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].client_certificate(), Some(issued.certificate_der()));
    assert_eq!(requests[0].server_name(), Some(HOST));
    assert_eq!(proxy.count(&format!("{HOST}:443")), 1);
    assert_eq!(proxy.connects()[0].credentials(), ProxyCredentials::Right);
    assert!(!proxy.saw("password"));
}

#[test]
fn a_server_that_refuses_our_certificate_is_tls_and_no_other_try() {
    let emulator = Emulator::builder().user("user", "password").with_tls();
    let emulator = emulator.require_client_certificate().start().unwrap();
    let stranger = CertificateAuthority::new().unwrap().issue_client("a stranger").unwrap();
    let as_stranger = trusting(&emulator).with_identity_pem(
        stranger.certificate_pem().as_bytes(),
        stranger.private_key_pem().as_bytes(),
    );
    for settings in [trusting(&emulator), as_stranger] {
        let transport = Enterprise::with_settings(&settings).unwrap();
        let error = transport.send(sign_in(&emulator.base_url()), &SendLimits::new()).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{error:?}");
    }
    assert_eq!(emulator.count(Operation::SignIn), 0);
}

const SERVER: &str = "POINT_AUTH_TEST_SERVER";

/// The file name that OpenSSL looks for in a folder of authorities: the hash of the name of the
/// testkit's authorities, by `openssl x509 -hash`.
const HASH_OF_THE_AUTHORITY: &str = "a11799fc.0";

/// In separate processes, where OpenSSL's variables make the machine trust the server's authority.
#[test]
fn a_private_authority_is_trusted_alone() {
    if let Ok(server) = env::var(SERVER) {
        let settings = Settings::new().with_proxy(ProxySettings::none());
        let send = |settings: &Settings| {
            Enterprise::with_settings(settings).unwrap().send(sign_in(&server), &SendLimits::new())
        };
        assert_eq!(send(&settings).unwrap().status(), 200, "the machine trusts the server");
        // All authorities of the testkit have one name. Another name would not be confused with it.
        let other = CertificateAuthority::new().unwrap().issue_client("another authority").unwrap();
        let other = settings.with_private_ca_pem(other.certificate_pem().as_bytes());
        let error = send(&other).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(!error.may_have_been_sent());
        return;
    }
    let emulator = Emulator::builder().user("user", "password").with_tls().start().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trusted-by-the-machine");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(HASH_OF_THE_AUTHORITY);
    fs::write(&file, emulator.ca_pem()).unwrap();
    let this = module_path!().split_once("::").unwrap().1.to_owned()
        + "::a_private_authority_is_trusted_alone";
    for (variable, path) in [("SSL_CERT_FILE", &file), ("SSL_CERT_DIR", &folder)] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", &this])
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env(variable, path)
            .env(SERVER, emulator.base_url())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{variable}: {said}");
    }
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

/// A body cannot be sent twice because it cannot be read twice; this request has none.
#[test]
fn a_request_without_a_body_is_sent_once_whatever_http_2_allows() {
    let emulator = Emulator::builder().user("user", "password").with_tls().start().unwrap();
    let transport = Enterprise::with_settings(&trusting(&emulator)).unwrap();
    let token = AccessToken::new("a-token").unwrap();
    for host in ["127.0.0.1", "localhost"] {
        for fault in [
            Fault::reset_stream(Fault::REFUSED_STREAM),
            Fault::reset_stream(Fault::HTTP_1_1_REQUIRED),
            Fault::goaway(0),
        ] {
            let before = emulator.count(Operation::WhoAmI);
            emulator.push_fault(fault);
            let base = BaseUrl::parse(&emulator.base_url_for(host)).unwrap();
            let mut request =
                WhoAmI::new(&token).to_request(&base).unwrap().map(|_| SecretBody::default());
            *request.method_mut() = http::Method::GET;
            let error = transport.send(request, &SendLimits::new()).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Protocol, "{error:?}");
            assert!(error.may_have_been_sent());
            assert_eq!(emulator.count(Operation::WhoAmI), before + 1, "{host}");
        }
    }
}

#[test]
fn two_lengths_are_refused() {
    for head in [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: 2\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 2",
    ] {
        let emulator = Emulator::builder().start().unwrap();
        let body = if head.contains("chunked") { "2\r\n{}\r\n0\r\n\r\n" } else { "{}" };
        emulator.push_fault(Fault::raw(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")));
        let transport = Enterprise::with_settings(&trusting(&emulator)).unwrap();
        let error = transport.send(sign_in(&emulator.base_url()), &SendLimits::new()).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Protocol, "{head}");
        assert!(error.may_have_been_sent());
    }
}

#[test]
fn trailers_and_an_empty_header_do_no_harm() {
    let emulator = Emulator::builder().start().unwrap();
    let transport = Enterprise::with_settings(&trusting(&emulator)).unwrap();
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-empty:\r\n\r\n";
    emulator.push_fault(Fault::raw(format!("{head}2\r\n{{}}\r\n0\r\nx-trailer: late\r\n\r\n")));
    let mut request = sign_in(&emulator.base_url());
    request.headers_mut().insert("x-nothing", http::HeaderValue::from_static(""));
    let response = transport.send(request, &SendLimits::new()).unwrap();
    assert_eq!(response.body().as_ref(), b"{}");
    assert_eq!(response.headers().get("x-empty").unwrap(), "");
    assert!(response.headers().get("x-trailer").is_none());
    assert_eq!(emulator.requests()[0].header("x-nothing"), Some(""));
}
