//! Sending without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use point_auth_transport::{AsyncTransport, SendLimits, TransportErrorKind};

use crate::support::{emulator, sign_in_request, transport};

#[test]
fn without_a_runtime_sending_is_an_error_and_no_panic() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    let limits = SendLimits::new();
    let mut sending = pin!(transport.send(sign_in_request(&emulator.base_url()), &limits));
    let Poll::Ready(outcome) = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("it is pending")
    };
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    assert!(!error.may_have_been_sent());
    assert_eq!(emulator.connections(), 0);
}
