//! The connect limit and the deadline, in tokio's paused time.

use std::future::pending;
use std::time::Duration;

use point_auth_transport::{
    SendLimits, SentFlag, TransportError, TransportErrorKind, with_deadlines,
};
use tokio::time::{Instant, sleep};

type Outcome = Result<&'static str, TransportError>;

/// 10 seconds to connect, 30 in total.
const LIMITS: SendLimits = SendLimits::new();

async fn within(
    limits: SendLimits,
    sent: &SentFlag,
    exchange: impl Future<Output = Outcome>,
) -> (Outcome, u64) {
    let start = Instant::now();
    let outcome = with_deadlines(&limits, sent, true, exchange).await;
    (outcome, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn an_exchange_within_the_limits_is_returned() {
    let sent = SentFlag::new();
    let (outcome, seconds) = within(LIMITS, &sent, async {
        sleep(Duration::from_secs(9)).await;
        sent.raise();
        sleep(Duration::from_secs(20)).await;
        Ok("answer")
    })
    .await;
    assert_eq!((outcome.unwrap(), seconds), ("answer", 29));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_never_established_ends_at_the_connect_limit_with_nothing_sent() {
    let (outcome, seconds) = within(LIMITS, &SentFlag::new(), pending()).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_been_sent(), seconds),
        (TransportErrorKind::Timeout, false, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_ends_at_the_deadline_and_may_have_the_request() {
    let sent = SentFlag::new();
    let (outcome, seconds) = within(LIMITS, &sent, async {
        sent.raise();
        pending().await
    })
    .await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_been_sent(), seconds),
        (TransportErrorKind::Timeout, true, 30)
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_before_the_connect_limit_comes_first() {
    let limits = LIMITS.with_total_timeout(Duration::from_secs(3));
    let (outcome, seconds) = within(limits, &SentFlag::new(), pending()).await;
    assert_eq!((outcome.unwrap_err().kind(), seconds), (TransportErrorKind::Timeout, 3));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_body_has_only_the_total_limit_and_may_have_been_sent() {
    let start = Instant::now();
    let outcome: Outcome = with_deadlines(&LIMITS, &SentFlag::new(), false, pending()).await;
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(outcome.unwrap_err().may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn a_zero_timeout_ends_at_once_and_an_endless_one_does_not_overflow() {
    let none = LIMITS.with_connect_timeout(Duration::ZERO).with_total_timeout(Duration::ZERO);
    let (outcome, seconds) = within(none, &SentFlag::new(), pending()).await;
    assert_eq!((outcome.unwrap_err().kind(), seconds), (TransportErrorKind::Timeout, 0));

    let endless = LIMITS.with_connect_timeout(Duration::MAX).with_total_timeout(Duration::MAX);
    let (outcome, seconds) = within(endless, &SentFlag::new(), async {
        sleep(Duration::from_secs(1_000_000)).await;
        Ok("late")
    })
    .await;
    assert_eq!((outcome.unwrap(), seconds), ("late", 1_000_000));
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_body_was_asked_for_has_sent_nothing() {
    let refused = async { Err(TransportErrorKind::Connect.into()) };
    let (outcome, _) = within(LIMITS, &SentFlag::new(), refused).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Connect, false));
}

#[tokio::test(start_paused = true)]
async fn after_the_end_a_body_that_was_not_asked_for_is_withdrawn() {
    let sent = SentFlag::new();
    let (outcome, _) = within(LIMITS, &sent, pending()).await;
    outcome.unwrap_err();
    assert!(!sent.raise());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exchange_withdraws_the_body() {
    let sent = SentFlag::new();
    let exchange = within(LIMITS, &sent, pending());
    tokio::time::timeout(Duration::from_secs(1), exchange).await.unwrap_err();
    assert!(!sent.raise());
}

#[tokio::test(start_paused = true)]
async fn a_busy_exchange_ends_at_the_deadline_too() {
    let limits = LIMITS.with_total_timeout(Duration::from_secs(2));
    let (outcome, _) = within(limits, &SentFlag::new(), async {
        loop {
            // Without this the paused clock would stand still: it advances only while all tasks
            // wait.
            sleep(Duration::from_millis(1)).await;
            for _ in 0..1000 {
                tokio::task::consume_budget().await;
            }
        }
    })
    .await;
    assert_eq!(outcome.unwrap_err().kind(), TransportErrorKind::Timeout);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let sent = SentFlag::new();
    let mut exchange = Box::pin(with_deadlines(&LIMITS, &sent, true, async { Ok("answer") }));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = exchange.as_mut().poll(&mut context) else {
        panic!("it waits")
    };
    let error: TransportError = outcome.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (TransportErrorKind::Other, false));
}
