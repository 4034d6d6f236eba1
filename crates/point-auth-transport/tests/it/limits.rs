//! The limits of one request.

use std::time::Duration;

use point_auth_transport::SendLimits;

#[test]
fn the_defaults_are_64_kib_and_10_seconds_to_connect_and_30_in_total() {
    let limits = SendLimits::default();
    assert_eq!(limits, SendLimits::new());
    assert_eq!(limits.max_response_bytes(), 65_536);
    assert_eq!(limits.connect_timeout(), Duration::from_secs(10));
    assert_eq!(limits.total_timeout(), Duration::from_secs(30));
}

#[test]
fn each_limit_is_set_alone() {
    let limits = SendLimits::new().with_max_response_bytes(1);
    assert_eq!((limits.max_response_bytes(), limits.connect_timeout().as_secs()), (1, 10));
    let limits = limits.with_connect_timeout(Duration::ZERO).with_total_timeout(Duration::MAX);
    assert_eq!(limits.max_response_bytes(), 1);
    assert_eq!((limits.connect_timeout(), limits.total_timeout()), (Duration::ZERO, Duration::MAX));
}
