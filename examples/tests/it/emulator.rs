//! The book's examples of tests with the emulator.

// ANCHOR: gateway
use point_auth::blocking::Client;
use point_auth::{BaseUrl, Credentials, ErrorKind, UreqTransport};
use point_auth_testkit::{Emulator, Fault, Operation};

#[test]
fn a_gateway_that_is_down_is_worth_another_attempt() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;
    let base_url = BaseUrl::parse(&emulator.base_url())?;
    let client = Client::new(UreqTransport::new()?).with_base_url(base_url);
    let credentials = Credentials::new("user@example.com", "correct horse")?;

    emulator.push_fault(Fault::html(502).header("retry-after", "7"));
    let error = client.sign_in(&credentials).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.is_retryable() && error.retry_after().is_some());

    client.sign_in(&credentials)?;
    assert_eq!(emulator.count_for("user@example.com", Operation::SignIn), 2);
    assert_eq!(emulator.pending_faults(), 0);
    Ok(())
}
// ANCHOR_END: gateway

mod clock {
    // ANCHOR: clock
    use std::time::Duration;

    use point_auth::blocking::Client;
    use point_auth::{BaseUrl, Credentials, ErrorKind, UreqTransport};
    use point_auth_testkit::Emulator;

    #[test]
    fn a_refresh_token_is_dead_after_49_hours() -> Result<(), Box<dyn std::error::Error>> {
        let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;
        let base_url = BaseUrl::parse(&emulator.base_url())?;
        let client = Client::new(UreqTransport::new()?).with_base_url(base_url);
        let tokens = client.sign_in(&Credentials::new("user@example.com", "correct horse")?)?;
        let refresh_token = tokens.refresh_token().ok_or("no refresh token")?;

        emulator.clock().advance(Duration::from_secs(23 * 3600));
        client.refresh(refresh_token)?;

        emulator.clock().advance(Duration::from_secs(26 * 3600));
        assert_eq!(client.refresh(refresh_token).unwrap_err().kind(), ErrorKind::Denied);
        Ok(())
    }
    // ANCHOR_END: clock
}

mod virtual_time {
    // ANCHOR: virtual_time
    use std::time::Duration;

    use point_auth::blocking::{Client, Session};
    use point_auth::{BaseUrl, Credentials, ThreadRuntime, UreqTransport};
    use point_auth_testkit::{Emulator, Operation, VirtualTime};

    #[test]
    fn a_day_is_one_sign_in() -> Result<(), Box<dyn std::error::Error>> {
        let emulator = Emulator::builder().user("user@example.com", "correct horse").start()?;
        let time = VirtualTime::new(emulator.clock(), ThreadRuntime::new());
        let base_url = BaseUrl::parse(&emulator.base_url())?;
        let client = Client::new(UreqTransport::new()?).with_base_url(base_url);
        let session = Session::builder(client)
            .with_credentials(Credentials::new("user@example.com", "correct horse")?)
            .with_runtime(time.clone())
            .build();

        for _ in 0..24 {
            session.access_token()?;
            time.advance(Duration::from_secs(60 * 60));
        }
        assert_eq!(emulator.count(Operation::SignIn), 1);
        assert_eq!(emulator.count(Operation::Refresh), 23);
        Ok(())
    }
    // ANCHOR_END: virtual_time
}
