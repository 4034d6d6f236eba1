//! Time: the connect limit, the total, and a runtime that is not there.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use point_auth_testkit::Fault;
use point_auth_transport::{AsyncTransport, SendLimits, TransportErrorKind};

use crate::support::{emulator, sign_in_request, transport};

/// Far above any limit set here, and far below what a hang would take.
const GENEROUS: Duration = Duration::from_secs(20);

#[test]
fn without_a_runtime_sending_is_an_error_and_no_panic() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    let limits = SendLimits::new();
    let mut sending = pin!(transport.send(sign_in_request(&emulator.base_url()), &limits));
    let Poll::Ready(outcome) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits for something")
    };
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert!(!error.may_have_been_sent());
    assert_eq!(emulator.connections(), 0);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_by_the_total_alone() {
    let emulator = emulator().start().unwrap();
    emulator.push_fault(Fault::silent());
    let limits = SendLimits::new()
        .with_connect_timeout(Duration::from_millis(50))
        .with_total_timeout(Duration::from_millis(400));
    let began = Instant::now();
    let error = transport(&emulator).send(sign_in_request(&emulator.base_url()), &limits).await.unwrap_err();
    assert!(
        began.elapsed() >= Duration::from_millis(400),
        "the connect limit ended an exchange that had begun"
    );
    assert!(began.elapsed() < GENEROUS);
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn a_body_without_an_end_is_too_large_and_a_slow_one_times_out() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    emulator.push_fault(Fault::respond(200).endless_body());
    let error = transport.send(sign_in_request(&emulator.base_url()), &SendLimits::new()).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::TooLarge);

    emulator.push_fault(Fault::pass().drip_body(1, Duration::from_millis(20)));
    let limits = SendLimits::new().with_total_timeout(Duration::from_millis(300));
    let error = transport.send(sign_in_request(&emulator.base_url()), &limits).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Timeout);
    assert!(error.may_have_been_sent());
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod before_tls {
    use point_auth_testkit::{RawBehavior, RawServer};

    use super::*;
    use crate::support::{PASSWORD, assert_tells_nothing};

    #[tokio::test]
    async fn a_server_that_hangs_before_tls_is_given_up_by_the_connect_limit() {
        let trusted = emulator().start().unwrap();
        let server = RawServer::start(RawBehavior::Silent).unwrap();
        let limits = SendLimits::new()
            .with_connect_timeout(Duration::from_millis(200))
            .with_total_timeout(Duration::from_secs(60));
        let began = Instant::now();
        let request = sign_in_request(&format!("https://{}", server.addr()));
        let error = transport(&trusted).send(request, &limits).await.unwrap_err();
        assert!(began.elapsed() < GENEROUS);
        assert_eq!(error.kind(), TransportErrorKind::Timeout);
        assert!(!error.may_have_been_sent());
        assert_tells_nothing(&error);
        assert!(server.wait_for_bytes(1, GENEROUS), "TLS did not begin");
        let received = server.received().concat();
        assert_eq!(received.first(), Some(&0x16), "not a TLS handshake");
        assert!(!received.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
    }
}
