//! The output of a program so far, and waiting for a text in it.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The text of both outputs.
#[derive(Default)]
pub(crate) struct Said {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Said {
    /// Reads an output to its end on a separate thread.
    pub(crate) fn listen(self: &Arc<Self>, mut output: impl Read + Send + 'static) {
        let said = Arc::clone(self);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                said.bytes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&piece[..count]);
                said.more.notify_all();
            }
        });
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    /// Waits for more output, or for this long.
    pub(crate) fn wait_for_more(&self, at_most: Duration) {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.more.wait_timeout(bytes, at_most).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until `is_so` holds for the output; `false` if it does not within `limit`.
    pub(crate) fn wait_until(&self, limit: Duration, is_so: impl Fn(&str) -> bool) -> bool {
        let end = Instant::now() + limit;
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if is_so(&String::from_utf8_lossy(&bytes)) {
                return true;
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
            (bytes, _) =
                self.more.wait_timeout(bytes, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
