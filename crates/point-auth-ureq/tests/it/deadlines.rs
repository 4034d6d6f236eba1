//! A zero timeout, and the longest timeout.

use std::time::Duration;

use point_auth_transport::{SendLimits, TransportErrorKind};

use crate::support::{fails, plain, send, sign_in, tls, transport};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn in_total(total: Duration) -> SendLimits {
    SendLimits::new().with_connect_timeout(DAY).with_total_timeout(total)
}

#[test]
fn a_zero_timeout_is_a_timeout_and_an_endless_one_does_not_overflow() {
    for emulator in [plain(), tls()] {
        let transport = transport(&emulator);
        for limits in
            [in_total(Duration::ZERO), SendLimits::new().with_connect_timeout(Duration::ZERO)]
        {
            fails(
                send(&transport, &emulator.base_url(), limits),
                TransportErrorKind::Timeout,
                false,
            );
        }
        assert_eq!(emulator.requests().len(), 0);
        let endless =
            SendLimits::new().with_connect_timeout(Duration::MAX).with_total_timeout(Duration::MAX);
        assert_eq!(send(&transport, &emulator.base_url(), endless).unwrap().status(), 200);
        let short = SendLimits::new().with_connect_timeout(Duration::from_nanos(1));
        // On the pooled connection there is nothing to connect.
        assert_eq!(send(&transport, &emulator.base_url(), short).unwrap().status(), 200);
        sign_in(&transport, &emulator.base_url());
    }
}
