//! The maximum memory of a sign-in, on its thread. The book has these numbers.

use std::thread;

use allocation_counter::measure;
use point_auth::transport::{
    BlockingTransport, Roots, SendLimits, TlsSettings, TransportError, TransportErrorKind,
};
use point_auth::{BaseUrl, Credentials, Operation as _, SecretBody, SignIn};
use point_auth_examples::connections::{PlainSockets, RustlsSockets};
use point_auth_examples::device::Device;
use point_auth_testkit::{Emulator, Fault};

const KIB: u64 = 1024;

fn plain() -> Emulator {
    Emulator::builder().user("user", "password").start().unwrap()
}

/// Returns the peak of allocated bytes during a sign-in, including the request and the response.
fn peak(
    device: &impl BlockingTransport,
    emulator: &Emulator,
) -> (u64, Result<http::Response<SecretBody>, TransportError>) {
    let base = BaseUrl::parse(&emulator.base_url()).unwrap();
    let credentials = Credentials::new("user", "password").unwrap();
    let mut outcome = None;
    let memory = measure(|| {
        let request = SignIn::new(&credentials).to_request(&base).unwrap();
        outcome = Some(device.send(request, &SendLimits::new()));
    });
    (memory.bytes_max, outcome.unwrap())
}

#[test]
fn a_sign_in_over_a_plain_socket_takes_at_most_12_kib() {
    let (peak, response) = peak(&Device::new(PlainSockets), &plain());
    assert_eq!(response.unwrap().status(), 200);
    assert!(peak <= 12 * KIB, "{peak} bytes");
    assert!(peak >= 8 * KIB, "{peak} bytes do not even hold the buffer: nothing was counted");
}

#[test]
fn a_sign_in_over_rustls_takes_at_most_32_kib() {
    let emulator = Emulator::builder().user("user", "password").with_tls().start().unwrap();
    let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
    let tls = tls.with_extra_roots_pem(emulator.ca_pem().as_bytes()).unwrap();
    let (peak, response) = peak(&Device::new(RustlsSockets::new(&tls).unwrap()), &emulator);
    assert_eq!(response.unwrap().status(), 200);
    assert!(peak <= 32 * KIB, "{peak} bytes");
}

#[test]
fn the_largest_answer_that_is_taken_needs_at_most_112_kib() {
    let emulator = plain();
    emulator.push_fault(Fault::respond(200).body_of(64 * KIB));
    let (peak, response) = peak(&Device::new(PlainSockets), &emulator);
    assert_eq!(response.unwrap().body().len(), 64 * 1024);
    assert!(peak <= 112 * KIB, "{peak} bytes");
}

#[test]
fn a_server_that_never_stops_needs_no_more_than_that() {
    for fault in [
        Fault::respond(200).endless_body(),
        Fault::raw("HTTP/1.1 200 OK\r\n\r\n").endless_body(),
        Fault::raw("HTTP/1.1 200 OK\r\nx: ").endless_body(),
        Fault::respond(200).content_length(1 << 40),
    ] {
        let emulator = plain();
        emulator.push_fault(fault);
        let (peak, response) = peak(&Device::new(PlainSockets), &emulator);
        let kind = response.map(|_| ()).unwrap_err().kind();
        assert!(
            matches!(kind, TransportErrorKind::TooLarge | TransportErrorKind::Protocol),
            "{kind:?}"
        );
        assert!(peak <= 112 * KIB, "{peak} bytes");
    }
}

/// The stack is not counted above. A request over a plain socket needs so little of it that this
/// would overflow otherwise, even without optimization.
#[test]
fn a_stack_of_128_kib_is_enough() {
    let emulator = plain();
    let status = thread::scope(|scope| {
        let device = thread::Builder::new().stack_size(128 * 1024);
        let device = device.spawn_scoped(scope, || peak(&Device::new(PlainSockets), &emulator).1);
        device.unwrap().join().unwrap().unwrap().status()
    });
    assert_eq!(status, 200);
}
