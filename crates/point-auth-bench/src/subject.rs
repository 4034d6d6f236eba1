//! [`Subject`]: a cache of one token, of whatever library; [`Source`]: where all of them get it
//! from.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A cache of one token. Clones are holds on the same one.
pub trait Subject: Clone + Send + Sync + 'static {
    /// What a row is called.
    const NAME: &'static str;
    /// What a caller gets.
    type Token: Send;

    /// An empty one over `source`, within a tokio runtime.
    fn start(source: Source) -> impl Future<Output = Self> + Send;

    /// The token, got if need be, or nothing if that failed.
    fn token(&self) -> impl Future<Output = Option<Self::Token>> + Send;
}

/// Where tokens come from: it takes its time, fails when it should, and counts.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    takes: Duration,
    works: fn(exchange: usize) -> bool,
    exchanges: AtomicUsize,
}

impl Source {
    /// One that takes so long, and whose exchanges work or fail by their number, from 0.
    pub fn new(takes: Duration, works: fn(usize) -> bool) -> Self {
        Self(Arc::new(Inner { takes, works, exchanges: AtomicUsize::new(0) }))
    }

    /// One that takes no time and works.
    pub fn at_once() -> Self {
        Self::new(Duration::ZERO, |_| true)
    }

    /// One exchange; whether it works.
    pub async fn answers(&self) -> bool {
        let number = self.0.exchanges.fetch_add(1, Ordering::SeqCst);
        if !self.0.takes.is_zero() {
            tokio::time::sleep(self.0.takes).await;
        }
        (self.0.works)(number)
    }

    /// How many were begun.
    pub fn exchanges(&self) -> usize {
        self.0.exchanges.load(Ordering::SeqCst)
    }
}
