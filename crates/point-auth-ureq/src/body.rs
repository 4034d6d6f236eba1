//! [`OnceReader`]: a request body that goes out once, and records when it was asked for.

use std::io::{self, Read};

use point_auth_core::SecretBody;
use point_auth_transport::SentFlag;

/// A request body that can be read once.
///
/// ureq reads the body when the connection is established and the headers are sent. It never reads
/// past the end of a body of known length, except to send the body a second time. That read is an
/// error instead of an empty body.
pub(crate) struct OnceReader {
    body: SecretBody,
    position: usize,
    sent: SentFlag,
}

impl OnceReader {
    pub(crate) fn new(body: SecretBody, sent: SentFlag) -> Self {
        Self { body, position: 0, sent }
    }
}

impl Read for OnceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let may_go_out = self.sent.raise();
        let mut left = self.body.as_ref().get(self.position..).unwrap_or_default();
        if !may_go_out || (left.is_empty() && !buffer.is_empty()) {
            return Err(io::Error::other("a request body goes out once"));
        }
        let count = left.read(buffer)?;
        self.position = self.position.saturating_add(count);
        Ok(count)
    }
}
