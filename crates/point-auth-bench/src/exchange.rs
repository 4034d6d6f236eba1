//! The cost of one exchange of a session: a refresh, from a caller's question to the new token,
//! over a transport in this process.
//!
//! `budget` also counts it with what [`TELEMETRY`] adds while nothing listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use point_auth::session::Now;
use point_auth::transport::{AsyncTransport, SendLimits, TransportError, async_trait};
use point_auth::{Client, Runtime, SecretBody, Session, Task};

use crate::measure::Case;
use crate::ours::credentials;
use crate::sample;

/// The features of this package that turn on those of point-auth.
pub const TELEMETRY: [&str; 2] = ["metrics", "tracing"];

/// How much more an exchange may cost with one of them.
pub const MOST_MORE: f64 = 0.03;

/// Returns the one case.
pub fn cases() -> Vec<Case> {
    let clock = Clock::default();
    let client = Client::new(Numbered::new());
    let builder = Session::builder(client).with_credentials(credentials());
    let session = builder.with_runtime(clock.clone()).build();
    let renew = move || {
        clock.pass(Duration::from_secs(3601));
        pollster::block_on(session.access_token()).unwrap()
    };
    vec![Case::new("point-auth", renew)]
}

/// Answers each request with another access token: a session does not take one twice.
struct Numbered {
    body: Vec<u8>,
    /// Where the number stands.
    place: usize,
    exchanges: AtomicU64,
}

impl Numbered {
    fn new() -> Self {
        let body = sample::success().into_body();
        let key = b"\"access_token\":\"";
        let place = body.windows(key.len()).position(|part| part == key).unwrap() + key.len();
        Self { body, place, exchanges: AtomicU64::new(0) }
    }
}

#[async_trait]
impl AsyncTransport for Numbered {
    async fn send(
        &self,
        _: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let number = self.exchanges.fetch_add(1, Ordering::Relaxed);
        let mut body = self.body.clone();
        let digits = (0..16).map(|digit| b'a' + ((number >> (4 * digit)) & 15) as u8);
        body[self.place..].iter_mut().zip(digits).for_each(|(byte, digit)| *byte = digit);
        Ok(Response::new(SecretBody::new(body)))
    }
}

/// Time that passes by hand. An exchange runs to its end where it is spawned.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl Runtime for Clock {
    fn now(&self) -> Now {
        let since = Duration::from_secs(self.0.load(Ordering::Relaxed));
        Now::new(since, SystemTime::UNIX_EPOCH + since)
    }

    fn sleep_until(&self, _: Duration) -> Task {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, task: Task) {
        pollster::block_on(task);
    }
}
