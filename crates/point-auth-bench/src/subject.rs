//! [`Subject`]: a cache of one token, of any library; [`Source`]: where all of them get it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A cache of one token. Clones share it.
pub trait Subject: Clone + Send + Sync + 'static {
    /// The name of the row.
    const NAME: &'static str;
    /// The token that a caller gets.
    type Token: Send;

    /// Creates an empty cache over `source`, within a tokio runtime.
    fn start(source: Source) -> impl Future<Output = Self> + Send;

    /// Returns the token, obtained if necessary, or `None` if that failed.
    fn token(&self) -> impl Future<Output = Option<Self::Token>> + Send;
}

/// A source of tokens with a delay, failures and a counter.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    takes: Duration,
    works: fn(exchange: usize) -> bool,
    exchanges: AtomicUsize,
}

impl Source {
    /// Creates a source with this delay. `works` is whether an exchange succeeds, by its number
    /// from 0.
    pub fn new(takes: Duration, works: fn(usize) -> bool) -> Self {
        Self(Arc::new(Inner { takes, works, exchanges: AtomicUsize::new(0) }))
    }

    /// Creates a source without delay and without failures.
    pub fn at_once() -> Self {
        Self::new(Duration::ZERO, |_| true)
    }

    /// Runs one exchange. Returns whether it succeeds.
    pub async fn answers(&self) -> bool {
        let number = self.0.exchanges.fetch_add(1, Ordering::SeqCst);
        if !self.0.takes.is_zero() {
            tokio::time::sleep(self.0.takes).await;
        }
        (self.0.works)(number)
    }

    /// Returns how many were started.
    pub fn exchanges(&self) -> usize {
        self.0.exchanges.load(Ordering::SeqCst)
    }
}
