//! Rule 8: proxies are asked to CONNECT and see no plaintext, loopback is never proxied, and a
//! proxy that fails is a failure to connect.

use std::sync::Arc;
use std::time::Duration;

use point_auth_transport::TransportErrorKind::{Connect, Protocol, Timeout, Tls};

use super::deadline::ends_by;
use crate::conformance::bench::{
    AMPLE, Bench, SHORT, Scene, Transport, base, setup_with, sign_in_at,
};
use crate::conformance::canary;
use crate::conformance::candidate::ProxyChoice;
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{
    Certificate, ClosedPort, ConnectProxy, ConnectProxyBuilder, Emulator, Fault, ProxyBehavior,
    ProxyCredentials,
};

pub(in crate::conformance) const RULE: Rule = Rule::Proxies;

/// RFC 6761, section 6.2: no name server has it, so only the proxy can know where it is.
pub(super) const HOST: &str = "api.example.test";
pub(super) const AUTHORITY: &str = "api.example.test:443";

/// An emulator that only the proxy knows how to reach.
struct Behind {
    emulator: Arc<Emulator>,
    proxy: Arc<ConnectProxy>,
}

impl Behind {
    fn new(
        bench: &Bench<'_>,
        set_up: impl FnOnce(ConnectProxyBuilder) -> ConnectProxyBuilder,
    ) -> Result<Self, Violation> {
        Self::with_certificate(bench, Certificate::Valid, set_up)
    }

    fn with_certificate(
        bench: &Bench<'_>,
        certificate: Certificate,
        set_up: impl FnOnce(ConnectProxyBuilder) -> ConnectProxyBuilder,
    ) -> Result<Self, Violation> {
        let emulator = bench.emulator_with(|builder| builder.host_name(HOST).tls(certificate))?;
        let proxy = bench.proxy(set_up(ConnectProxy::builder().map(AUTHORITY, emulator.addr())))?;
        Ok(Self { emulator, proxy })
    }

    fn transport(
        &self,
        bench: &Bench<'_>,
        url: String,
        no_proxy: Option<&str>,
    ) -> Result<Transport, Violation> {
        bench.transport(&setup_with(
            Some(self.emulator.ca_pem()),
            None,
            ProxyChoice::Url(url),
            no_proxy,
        )?)
    }

    fn scene(
        &self,
        bench: &Bench<'_>,
        url: String,
        no_proxy: Option<&str>,
    ) -> Result<Scene, Violation> {
        let transport = self.transport(bench, url, no_proxy)?;
        Ok(Scene {
            emulator: Arc::clone(&self.emulator),
            transport,
            base: base(&format!("https://{HOST}"))?,
        })
    }

    /// The emulator was reached by the proxy alone, which saw no plaintext.
    fn was_tunnelled(&self) -> Outcome {
        let connects = self.proxy.count(AUTHORITY);
        ensure!(connects >= 1, "the proxy was not asked to connect");
        ensure!(self.proxy.other_requests() == 0, "the proxy was sent a request to forward");
        ensure!(
            self.emulator.connections() == connects,
            "the server was reached without the proxy"
        );
        for secret in [canary::PASSWORD, canary::USERNAME, canary::HEADER, "signInWithPassword"] {
            ensure!(!self.proxy.saw(secret), "the proxy saw what belongs to the server");
        }
        let to_server = self.emulator.requests();
        let told =
            to_server.iter().any(|request| request.headers().contains_key("proxy-authorization"));
        ensure!(!told, "the server was told the proxy's credentials");
        Ok(())
    }

    fn was_not_reached(&self) -> Outcome {
        let connections = self.emulator.connections();
        ensure!(connections == 0, "the server was reached by {connections} connections");
        Ok(())
    }
}

pub(in crate::conformance) fn a_proxy_tunnels_and_alone_knows_the_host(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    let scene = behind.scene(bench, behind.proxy.url(), None)?;
    scene.must_still_work()?;
    behind.was_tunnelled()?;
    let credentials = behind.proxy.connects().first().map(|connect| connect.credentials());
    ensure!(credentials == Some(ProxyCredentials::Missing), "the credentials are {credentials:?}");
    Ok(())
}

pub(in crate::conformance) fn requests_of_other_kinds_go_through_the_proxy(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    let scene = behind.scene(bench, behind.proxy.url(), None)?;
    scene.emulator.always(Fault::respond(200).body("{}"));
    for kind in Kind::distinct() {
        let response = scene.send(&kind)?.response().map_err(|violation| violation.when(&kind))?;
        ensure!(response.status() == 200, "{kind} got {}", response.status());
    }
    behind.was_tunnelled()
}

pub(in crate::conformance) fn a_proxy_that_wants_credentials_gets_them(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| {
        proxy.credentials(canary::PROXY_USERNAME, canary::PROXY_PASSWORD)
    })?;
    let url = behind.proxy.url_with_userinfo(canary::PROXY_USERINFO);
    let scene = behind.scene(bench, url, None)?;
    scene.must_still_work()?;
    behind.was_tunnelled()?;
    let right = behind
        .proxy
        .connects()
        .iter()
        .any(|connect| connect.credentials() == ProxyCredentials::Right);
    ensure!(right, "the credentials were wrong or missing");
    Ok(())
}

pub(in crate::conformance) fn wrong_credentials_for_the_proxy_are_connect(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| {
        proxy.credentials(canary::PROXY_USERNAME, canary::PROXY_PASSWORD)
    })?;
    let url = behind.proxy.url_with_userinfo("canary-proxy-user:canary-wrong");
    behind.scene(bench, url, None)?.sign_in()?.failed(&[Connect])?.not_sent()?;
    let attempts = behind.proxy.count(AUTHORITY);
    ensure!(attempts == 1, "wrong credentials were shown {attempts} times");
    behind.was_not_reached()
}

pub(in crate::conformance) fn no_credentials_for_the_proxy_are_connect(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| {
        proxy.credentials(canary::PROXY_USERNAME, canary::PROXY_PASSWORD)
    })?;
    behind.scene(bench, behind.proxy.url(), None)?.sign_in()?.failed(&[Connect])?.not_sent()?;
    behind.was_not_reached()
}

/// Without the proxy the name is unknown, and that is how it shows.
pub(in crate::conformance) fn what_no_proxy_lists_is_reached_without(bench: &Bench<'_>) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    for list in [
        HOST,
        "API.Example.TEST",
        "example.test",
        ".example.test",
        "other.test, example.test",
        "*",
        AUTHORITY,
    ] {
        let scene = behind.scene(bench, behind.proxy.url(), Some(list))?;
        scene
            .sign_in()?
            .failed(&[Connect])
            .map_err(|violation| violation.when(list))?
            .not_sent()?;
        let connections = behind.proxy.connections();
        ensure!(connections == 0, "with NO_PROXY={list} the proxy got {connections} connections");
    }
    behind.was_not_reached()
}

pub(in crate::conformance) fn what_no_proxy_does_not_list_is_proxied(bench: &Bench<'_>) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    for list in ["", "ample.test", "le.test", "other.test", "127.0.0.1", "api.example.test:8443"] {
        let scene = behind.scene(bench, behind.proxy.url(), Some(list))?;
        scene.must_still_work().map_err(|violation| violation.when(format!("NO_PROXY={list}")))?;
    }
    behind.was_tunnelled()
}

pub(in crate::conformance) fn loopback_is_never_proxied(bench: &Bench<'_>) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    let transport = behind.transport(bench, behind.proxy.url(), Some(""))?;
    for host in ["127.0.0.1", "localhost"] {
        let base = base(&behind.emulator.base_url_for(host))?;
        let response = transport.send(sign_in_at(&base)?, AMPLE)?.response()?;
        ensure!(response.status() == 200, "{host} got {}", response.status());
        let response = transport.send(Kind::GET.request(&base)?, AMPLE)?.response()?;
        ensure!(response.status() == 404, "{host} got {}", response.status());
    }
    let plain = Emulator::builder().user(canary::USERNAME, canary::PASSWORD).start()?;
    transport.send(sign_in_at(&base(&plain.base_url())?)?, AMPLE)?.response()?;
    let connections = behind.proxy.connections();
    ensure!(connections == 0, "the proxy got {connections} connections");
    Ok(())
}

pub(in crate::conformance) fn a_proxy_that_is_down_is_connect(bench: &Bench<'_>) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy)?;
    let closed = ClosedPort::reserve()?;
    let url = format!("http://{}@{}", canary::PROXY_USERINFO, closed.addr());
    behind.scene(bench, url, None)?.sign_in()?.failed(&[Connect])?.not_sent()?;
    behind.was_not_reached()
}

pub(in crate::conformance) fn a_proxy_that_refuses_is_connect(bench: &Bench<'_>) -> Outcome {
    for status in [200 + 100, 400, 403, 404, 407, 500, 502, 503] {
        let behind = Behind::new(bench, |proxy| proxy.behavior(ProxyBehavior::Refuse(status)))?;
        let scene =
            behind.scene(bench, behind.proxy.url_with_userinfo(canary::PROXY_USERINFO), None)?;
        scene
            .sign_in()?
            .failed(&[Connect])
            .map_err(|violation| violation.when(status))?
            .not_sent()?;
        behind.was_not_reached()?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_proxy_that_talks_nonsense_is_an_error_and_not_sent(
    bench: &Bench<'_>,
) -> Outcome {
    let echo = format!("HTTP/1.1 {}\r\n\r\n", canary::PROXY_PASSWORD);
    let endless = "HTTP/1.1 200 OK\r\nx: ".to_owned() + &"x".repeat(1 << 20);
    for behavior in [
        ProxyBehavior::Garbage("garbage\r\n\r\n".into()),
        ProxyBehavior::Garbage(echo.into()),
        ProxyBehavior::Garbage("HTTP/1.1 200".into()),
        ProxyBehavior::Garbage(endless.into()),
        ProxyBehavior::Close,
    ] {
        let behind = Behind::new(bench, |proxy| proxy.behavior(behavior))?;
        let scene =
            behind.scene(bench, behind.proxy.url_with_userinfo(canary::PROXY_USERINFO), None)?;
        scene.sign_in()?.failed(&[Connect, Protocol])?.not_sent()?;
        behind.was_not_reached()?;
    }
    Ok(())
}

/// 0.0.0.0 is not loopback, so it is proxied. Where the system takes it for this machine, a client
/// that leaves out the proxy reaches the server.
pub(in crate::conformance) fn no_failure_of_the_proxy_leads_around_it(
    bench: &Bench<'_>,
) -> Outcome {
    const HERE: &str = "0.0.0.0";
    let emulator = bench.emulator_with(|builder| builder.host_name(HERE))?;
    let closed = ClosedPort::reserve()?;
    let mut proxies = vec![("a closed port".to_owned(), format!("http://{}", closed.addr()))];
    let mut running = Vec::new();
    for behavior in [
        ProxyBehavior::Refuse(403),
        ProxyBehavior::Refuse(407),
        ProxyBehavior::Refuse(502),
        ProxyBehavior::Garbage("garbage\r\n\r\n".into()),
        ProxyBehavior::Close,
        ProxyBehavior::Silent,
    ] {
        let name = format!("{behavior:?}");
        let proxy = bench.proxy(ConnectProxy::builder().behavior(behavior))?;
        proxies.push((name, proxy.url()));
        running.push(proxy);
    }
    let base = base(&emulator.base_url_for(HERE))?;
    // Some cannot tell when the connection for a request without a body stands.
    let limits = AMPLE.with_connect_timeout(SHORT).with_total_timeout(2 * SHORT);
    for (name, url) in proxies {
        let setup = setup_with(Some(emulator.ca_pem()), None, ProxyChoice::Url(url), None)?;
        let transport = bench.transport(&setup)?;
        for request in [sign_in_at(&base)?, Kind::GET.request(&base)?] {
            transport
                .send(request, limits)?
                .failed(&[Connect, Protocol, Timeout])
                .map_err(|violation| violation.when(&name))?;
            let connections = emulator.connections();
            ensure!(connections == 0, "{name}: the server was reached without the proxy");
        }
    }
    Ok(())
}

pub(in crate::conformance) fn a_proxy_that_is_silent_meets_the_connect_limit(
    bench: &Bench<'_>,
) -> Outcome {
    let behind = Behind::new(bench, |proxy| proxy.behavior(ProxyBehavior::Silent))?;
    let scene = behind.scene(bench, behind.proxy.url(), None)?;
    let limits = AMPLE.with_connect_timeout(SHORT).with_total_timeout(Duration::from_secs(4));
    ends_by(SHORT, || scene.sign_in_within(limits)?.failed(&[Timeout])?.not_sent())?;
    behind.was_not_reached()
}

pub(in crate::conformance) fn a_proxy_is_no_authority_on_certificates(
    bench: &Bench<'_>,
) -> Outcome {
    for certificate in [Certificate::UnknownCa, Certificate::WrongHost] {
        let behind = Behind::with_certificate(bench, certificate, |proxy| proxy)?;
        behind.scene(bench, behind.proxy.url(), None)?.sign_in()?.failed(&[Tls])?.not_sent()?;
        ensure!(behind.emulator.bytes_received() == 0, "the server got some of the request");
    }
    Ok(())
}
