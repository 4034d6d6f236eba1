//! [`SentFlag`]: whether the request body was asked for, and a way to withdraw it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const ASKED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Records whether the HTTP client has asked for the request body.
///
/// Until it does, no secret can have left the process. Every client asks for the body only after
/// its connection is established, TLS included, so the flag also ends the connect limit. A
/// background task of the client may still hold the body after the caller gave up.
/// [`withdraw`](Self::withdraw) settles which came first.
#[derive(Clone, Debug, Default)]
pub struct SentFlag(Arc<AtomicU8>);

impl SentFlag {
    /// Creates a flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records that the body was asked for. Returns whether it may be handed out: `false` after
    /// [`withdraw`](Self::withdraw).
    pub fn raise(&self) -> bool {
        self.0.compare_exchange(WAITING, ASKED, Ordering::AcqRel, Ordering::Acquire)
            != Err(WITHDRAWN)
    }

    /// Withdraws the body if it was not asked for. Returns whether it did so.
    ///
    /// After `true`, the body is never handed out.
    pub fn withdraw(&self) -> bool {
        self.0.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire)
            != Err(ASKED)
    }

    /// Returns whether the body was asked for.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire) == ASKED
    }
}
