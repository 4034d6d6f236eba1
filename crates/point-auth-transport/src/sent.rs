//! [`SentFlag`]: whether anybody asked for the request body yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the HTTP client has asked for the request body: until it does, no secret can have left the process.
///
/// Every client asks for the body only once its connection stands, TLS included, so this also says when the connect limit
/// has been kept.
#[derive(Clone, Debug, Default)]
pub struct SentFlag(Arc<AtomicBool>);

impl SentFlag {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that the body was asked for.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the body was asked for.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
