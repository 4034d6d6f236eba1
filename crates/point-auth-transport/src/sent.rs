//! [`SentFlag`]: whether anybody asked for the request body yet, and the way to see that nobody
//! will any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const ASKED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Whether the HTTP client has asked for the request body: until it does, no secret can have left
/// the process.
///
/// Every client asks for the body only once its connection stands, TLS included, so this also says
/// when the connect limit has been kept. A client may still hold the body, in a task of its own,
/// when the caller has given up; [`withdraw`](Self::withdraw) settles which of the two came first.
#[derive(Clone, Debug, Default)]
pub struct SentFlag(Arc<AtomicU8>);

impl SentFlag {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that the body was asked for, and answers whether it may be handed out: not once it was
    /// withdrawn.
    pub fn raise(&self) -> bool {
        self.0.compare_exchange(WAITING, ASKED, Ordering::AcqRel, Ordering::Acquire)
            != Err(WITHDRAWN)
    }

    /// Takes the body back if nobody has asked for it yet, and answers whether that is so.
    ///
    /// After `true` it will never be handed out.
    pub fn withdraw(&self) -> bool {
        self.0.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire)
            != Err(ASKED)
    }

    /// Whether the body was asked for.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire) == ASKED
    }
}
