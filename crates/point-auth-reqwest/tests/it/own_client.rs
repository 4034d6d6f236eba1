//! A client for the user's own requests: TLS and proxy from the settings, everything else
//! reqwest's.

use std::env;
use std::process::Command;
use std::time::Duration;

use point_auth_reqwest::client_builder;
use point_auth_testkit::{Certificate, ConnectProxy, ConnectProxyBuilder, Emulator, Fault};
use point_auth_testkit::{HttpVersions, Operation};
use point_auth_transport::{ProxySettings, SettingsError, TransportSettings};
use reqwest::{Client, StatusCode, Version};

use crate::support::{emulator, settings, tls};

const HOST: &str = "api.example.test";

fn client(settings: &TransportSettings) -> Client {
    client_builder(settings).unwrap().build().unwrap()
}

/// A request of the user's own. The emulator has no such path.
async fn get(client: &Client, base: &str) -> reqwest::Result<reqwest::Response> {
    client.get(format!("{base}/quotes")).send().await
}

fn emulator_with_a_name() -> Emulator {
    emulator().with_tls().host_name(HOST).start().unwrap()
}

fn proxy_to(emulator: &Emulator) -> ConnectProxyBuilder {
    let authority = format!("{HOST}:{}", emulator.addr().port());
    ConnectProxy::builder().map(authority, emulator.addr()).credentials("proxy-user", "p@ss/word")
}

fn through(url: &str, emulator: &Emulator) -> TransportSettings {
    settings(emulator).with_proxy(ProxySettings::url(url).unwrap())
}

#[tokio::test]
async fn it_trusts_the_private_root_and_no_other() {
    let trusted = emulator().with_tls().start().unwrap();
    let client = client(&settings(&trusted));
    let response = get(&client, &trusted.base_url()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.version(), Version::HTTP_2);

    let other = emulator().tls(Certificate::UnknownCa).start().unwrap();
    assert!(get(&client, &other.base_url()).await.unwrap_err().is_connect());
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn it_shows_the_client_certificate() {
    let emulator = emulator().with_tls().require_client_certificate().start().unwrap();
    let issued = emulator.authority().issue_client("point-auth client").unwrap();
    let identity = tls(&emulator)
        .with_identity_pem(issued.certificate_pem().as_bytes(), issued.private_key_pem().as_bytes())
        .unwrap();
    let with_identity = client(&settings(&emulator).with_tls(identity));
    let response = get(&with_identity, &emulator.base_url()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);

    get(&client(&settings(&emulator)), &emulator.base_url()).await.unwrap_err();
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test]
async fn it_goes_through_the_proxy_with_the_credentials() {
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).start().unwrap();
    let url = proxy.url_with_userinfo("proxy-user:p%40ss%2Fword");
    let response =
        get(&client(&through(&url, &emulator)), &emulator.base_url_for(HOST)).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!((proxy.connections(), emulator.requests().len()), (1, 1));

    for url in [proxy.url(), proxy.url_with_userinfo("proxy-user:wrong")] {
        let refused = get(&client(&through(&url, &emulator)), &emulator.base_url_for(HOST)).await;
        assert!(refused.unwrap_err().is_connect());
    }
    assert_eq!((proxy.connections(), emulator.requests().len()), (3, 1));
}

#[tokio::test]
async fn listed_hosts_are_reached_without_the_proxy() {
    let emulator = emulator().with_tls().start().unwrap();
    let proxy = ConnectProxy::builder().start().unwrap();
    get(&client(&through(&proxy.url(), &emulator)), &emulator.base_url()).await.unwrap();
    assert_eq!(proxy.connections(), 0, "loopback never goes through a proxy");
}

/// The environment of a process cannot be changed safely, so the test runs itself again with other
/// variables.
#[tokio::test]
async fn the_environment_is_used_only_where_the_settings_say_so() {
    const BASE: &str = "POINT_AUTH_OWN_CLIENT_BASE";
    const ROOT: &str = "POINT_AUTH_OWN_CLIENT_ROOT";
    const NAME: &str = "own_client::the_environment_is_used_only_where_the_settings_say_so";
    if let (Ok(base), Ok(root)) = (env::var(BASE), env::var(ROOT)) {
        let tls = point_auth_transport::TlsSettings::new()
            .with_roots(point_auth_transport::Roots::ExtraOnly)
            .with_extra_roots_pem(root.as_bytes())
            .unwrap();
        let settings = TransportSettings::new().with_tls(tls);
        get(&client(&settings), &base).await.unwrap();
        get(&client(&settings.with_proxy(ProxySettings::none())), &base).await.unwrap_err();
        return;
    }
    let emulator = emulator_with_a_name();
    let proxy = proxy_to(&emulator).start().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(BASE, emulator.base_url_for(HOST))
        .env(ROOT, emulator.ca_pem())
        .env("https_proxy", proxy.url_with_userinfo("proxy-user:p%40ss%2Fword"))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!((proxy.connections(), emulator.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let elsewhere = emulator().with_tls().start().unwrap();
    let emulator = emulator().start().unwrap();
    emulator.push_fault(Fault::redirect(302, &elsewhere.url(Operation::SignIn)));
    let response = get(&client(&settings(&elsewhere)), &emulator.base_url()).await.unwrap();
    assert_eq!(response.url().as_str(), elsewhere.url(Operation::SignIn));
    assert_eq!(elsewhere.requests().len(), 1);
}

#[tokio::test]
async fn a_stream_that_the_server_refused_is_retried() {
    let emulator = emulator().with_tls().http(HttpVersions::Http2Only).start().unwrap();
    let client = client(&settings(&emulator));
    get(&client, &emulator.base_url()).await.unwrap();
    emulator.push_fault(Fault::reset_stream(Fault::REFUSED_STREAM));
    get(&client, &emulator.base_url()).await.unwrap();
    assert_eq!((emulator.pending_faults(), emulator.requests().len()), (0, 3));
}

#[tokio::test]
async fn an_idle_connection_is_used_for_longer_than_a_sign_in_would() {
    let emulator = emulator().with_tls().start().unwrap();
    let client = client(&settings(&emulator));
    for idle in [0, 60] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        get(&client, &emulator.base_url()).await.unwrap();
    }
    assert_eq!(emulator.connections(), 1);
}

#[tokio::test]
async fn the_caller_adds_other_settings() {
    let emulator = emulator().with_tls().start().unwrap();
    let builder = client_builder(&settings(&emulator)).unwrap().user_agent("quotes/1");
    get(&builder.build().unwrap(), &emulator.base_url()).await.unwrap();
    assert_eq!(emulator.requests().first().unwrap().header("user-agent"), Some("quotes/1"));
}

#[tokio::test]
async fn later_tls_settings_of_the_builder_have_no_effect() {
    let emulator = emulator().with_tls().start().unwrap();
    let other = crate::support::emulator().with_tls().start().unwrap();
    let root = reqwest::Certificate::from_der(other.ca_der()).unwrap();
    let builder = client_builder(&settings(&emulator)).unwrap();
    let client = builder.tls_certs_merge([root]).http1_only().build().unwrap();
    let response = get(&client, &emulator.base_url()).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert!(get(&client, &other.base_url()).await.unwrap_err().is_connect());
}

#[test]
fn settings_that_no_transport_is_built_from_are_refused_too() {
    let proxy = ProxySettings::url("http://999.999.999.999:1").unwrap();
    let refused = client_builder(&TransportSettings::new().with_proxy(proxy));
    assert!(matches!(refused, Err(SettingsError::ProxyUrl { variable: None, .. })));

    let root = point_auth_transport::TlsSettings::new().with_extra_root_der(vec![1, 2, 3]);
    let refused = client_builder(&TransportSettings::new().with_tls(root));
    assert!(matches!(refused, Err(SettingsError::Certificate { .. })));
}
