//! An agent that the user brings: which rules hold whatever its configuration, and which are up to
//! it.

use std::time::{Duration, Instant};

use http::Request;
use point_auth_testkit::{Fault, Operation, RawBehavior, RawServer};
use point_auth_transport::{SendLimits, TransportErrorKind};
use point_auth_ureq::UreqTransport;
use point_auth_ureq::ureq::config::ConfigBuilder;
use point_auth_ureq::ureq::middleware::MiddlewareNext;
use point_auth_ureq::ureq::typestate::AgentScope;
use point_auth_ureq::ureq::{self, Agent, SendBody};

use crate::support::{BRIEF, PATIENCE, fails, plain, send, sign_in, tls};

/// ureq's default: it follows redirects, treats a status as an error, and has no timeout. Only a
/// proxy from the environment is disabled, which would redirect the tests.
fn agent(
    setup: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
) -> UreqTransport {
    let agent: Agent = setup(Agent::config_builder().proxy(None)).build().into();
    agent.into()
}

fn by_default() -> UreqTransport {
    agent(|config| config)
}

#[test]
fn it_signs_in_and_reuses_its_connection() {
    let emulator = plain();
    let transport = by_default();
    for _ in 0..2 {
        sign_in(&transport, &emulator.base_url());
    }
    assert_eq!(emulator.connections(), 1);
    assert!(format!("{transport:?}").contains("brought: true"));
}

#[test]
fn every_status_is_a_response() {
    let emulator = plain();
    for status in [400, 401, 403, 404, 429, 500, 503] {
        emulator.push_fault(Fault::respond(status).json("{}"));
        let response = send(&by_default(), &emulator.base_url(), SendLimits::new()).unwrap();
        assert_eq!(
            (response.status().as_u16(), response.body().as_ref()),
            (status, b"{}".as_slice())
        );
    }
}

#[test]
fn a_redirect_is_returned_and_not_followed() {
    let elsewhere = RawServer::start(RawBehavior::Silent).unwrap();
    let emulator = plain();
    for status in [301, 302, 303, 307, 308] {
        emulator.push_fault(Fault::redirect(status, &format!("http://{}/", elsewhere.addr())));
        emulator.push_fault(Fault::redirect(status, "/elsewhere"));
        for _ in 0..2 {
            let response = send(&by_default(), &emulator.base_url(), SendLimits::new()).unwrap();
            assert_eq!(response.status(), status);
        }
    }
    assert_eq!(elsewhere.connections() + emulator.count(Operation::Other), 0);
}

#[test]
fn the_limits_are_kept() {
    let start = Instant::now();
    let emulator = plain();
    emulator.push_fault(Fault::silent());
    let limits = SendLimits::new().with_total_timeout(BRIEF);
    fails(send(&by_default(), &emulator.base_url(), limits), TransportErrorKind::Timeout, true);
    assert!(start.elapsed() < PATIENCE);

    emulator.push_fault(Fault::respond(200).endless_body());
    fails(
        send(&by_default(), &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::TooLarge,
        true,
    );
    let endless =
        SendLimits::new().with_connect_timeout(Duration::MAX).with_total_timeout(Duration::MAX);
    assert_eq!(send(&by_default(), &emulator.base_url(), endless).unwrap().status(), 200);
}

#[test]
fn its_own_stricter_limits_hold_too() {
    let emulator = plain();
    emulator.push_fault(Fault::silent());
    let transport = agent(|config| config.timeout_recv_response(Some(BRIEF)));
    fails(
        send(&transport, &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::Timeout,
        true,
    );
}

#[test]
fn a_pooled_connection_that_breaks_gets_one_post() {
    let emulator = plain();
    let transport = by_default();
    sign_in(&transport, &emulator.base_url());
    emulator.push_fault(Fault::close_pooled_connection());
    fails(
        send(&transport, &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::Protocol,
        true,
    );
    assert_eq!(emulator.count(Operation::SignIn), 2);
}

#[test]
fn failures_have_the_same_kinds() {
    let emulator = plain();
    let base = emulator.base_url();
    emulator.push_fault(Fault::raw("garbage\r\n\r\n"));
    fails(send(&by_default(), &base, SendLimits::new()), TransportErrorKind::Protocol, true);
    emulator.stop();
    fails(send(&by_default(), &base, SendLimits::new()), TransportErrorKind::Connect, false);
    fails(
        send(&by_default(), "https://unknown.invalid", SendLimits::new()),
        TransportErrorKind::Connect,
        false,
    );
}

#[test]
fn an_agent_without_tls_refuses_https_and_sends_nothing() {
    let emulator = tls();
    fails(
        send(&by_default(), &emulator.base_url(), SendLimits::new()),
        TransportErrorKind::Tls,
        false,
    );
    assert_eq!(emulator.bytes_received(), 0);
}

#[test]
fn its_middleware_is_run() {
    let emulator = plain();
    let transport = agent(|config| {
        config.middleware(|mut request: Request<SendBody<'_>>, next: MiddlewareNext<'_>| {
            request.headers_mut().insert("x-corporate", "1".parse().unwrap());
            next.handle(request)
        })
    });
    sign_in(&transport, &emulator.base_url());
    assert_eq!(emulator.requests().remove(0).header("x-corporate"), Some("1"));
}

/// A middleware that drops the settings of a request, so that the agent follows redirects again.
fn forgetful(
    request: Request<SendBody<'_>>,
    next: MiddlewareNext<'_>,
) -> Result<http::Response<ureq::Body>, ureq::Error> {
    let (mut head, body) = request.into_parts();
    head.extensions.clear();
    next.handle(Request::from_parts(head, body))
}

#[test]
fn a_middleware_that_makes_the_agent_follow_a_redirect_sends_no_second_body_and_returns_no_answer()
{
    for status in [302, 303, 307, 308] {
        let elsewhere = plain();
        let emulator = plain();
        emulator.push_fault(Fault::redirect(status, &elsewhere.url(Operation::SignIn)));
        let outcome = send(
            &agent(|config| config.middleware(forgetful)),
            &emulator.base_url(),
            SendLimits::new(),
        );
        assert!(outcome.unwrap_err().may_have_been_sent());
        assert!(elsewhere.requests().iter().all(|request| request.body().is_empty()), "{status}");
    }
}
