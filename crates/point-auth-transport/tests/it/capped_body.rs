//! A response body is read up to the limit and not a byte further, and no header reserves memory.

use std::io::{self, Read};

use point_auth_core::SecretBody;
use point_auth_transport::{CappedBody, TransportError, TransportErrorKind};
use proptest::prelude::*;

use crate::CANARY;

fn read(bytes: &[u8], limit: usize) -> Result<SecretBody, TransportError> {
    CappedBody::new(limit).read_from(&mut &*bytes, |_| unreachable!("a slice does not fail"))
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    assert_eq!(read(&[7; 5000], 5000).unwrap().as_ref(), &[7; 5000]);
}

#[test]
fn a_body_of_one_byte_more_is_too_large() {
    assert_eq!(read(&[7; 5001], 5000).unwrap_err().kind(), TransportErrorKind::TooLarge);
}

#[test]
fn an_empty_body_is_no_error_even_with_a_limit_of_zero() {
    assert!(read(&[], 0).unwrap().is_empty());
    assert_eq!(read(&[7], 0).unwrap_err().kind(), TransportErrorKind::TooLarge);
}

#[test]
fn a_limit_without_bound_takes_everything_and_allocates_only_for_what_came() {
    assert_eq!(read(&[7; 100_000], usize::MAX).unwrap().len(), 100_000);
}

#[test]
fn a_chunk_past_the_limit_is_refused_and_what_was_read_before_stays() {
    let mut body = CappedBody::new(4);
    body.push(b"abc").unwrap();
    assert_eq!(body.push(b"de").unwrap_err().kind(), TransportErrorKind::TooLarge);
    body.push(b"f").unwrap();
    assert_eq!(body.finish().as_ref(), b"abcf");
}

/// Counts the reads of an endless stream, a piece at a time.
struct Endless {
    piece: usize,
    read: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.piece);
        self.read += count;
        Ok(count)
    }
}

#[test]
fn an_endless_body_is_read_one_byte_past_the_limit_and_no_further() {
    for piece in [1, 1000, 1_000_000] {
        let mut endless = Endless { piece, read: 0 };
        let error =
            CappedBody::new(10_000).read_from(&mut endless, |_| unreachable!()).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TooLarge);
        assert_eq!(endless.read, 10_001);
    }
}

/// Returns one byte between interruptions, then fails.
struct Interrupted {
    calls: usize,
}

impl Read for Interrupted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        match self.calls {
            10.. => Err(io::ErrorKind::ConnectionReset.into()),
            calls if calls.is_multiple_of(2) => {
                buffer[0] = b'x';
                Ok(1)
            }
            _ => Err(io::ErrorKind::Interrupted.into()),
        }
    }
}

#[test]
fn an_interruption_is_retried_and_a_failure_ends_the_body() {
    let error = CappedBody::new(100)
        .read_from(&mut Interrupted { calls: 0 }, |error| {
            TransportError::classify(&error, TransportErrorKind::Other)
        })
        .unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
}

#[test]
fn its_debug_shows_a_length_and_no_content() {
    let mut body = CappedBody::new(100);
    body.push(CANARY.as_bytes()).unwrap();
    let debug = format!("{body:?}");
    assert!(
        debug.contains(&format!("{} bytes", CANARY.len())) && !debug.contains(CANARY),
        "{debug}"
    );
}

proptest! {
    #[test]
    fn any_chunks_are_returned_unchanged_or_are_too_large(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..8),
        limit in 0_usize..12_000,
    ) {
        let whole = chunks.concat();
        let mut body = CappedBody::new(limit);
        let pushed = chunks.iter().try_for_each(|chunk| body.push(chunk));
        prop_assert_eq!(pushed.is_ok(), whole.len() <= limit);
        if pushed.is_ok() {
            let body = body.finish();
            prop_assert_eq!(body.as_ref(), whole.as_slice());
        }
        prop_assert_eq!(read(&whole, limit).is_ok(), whole.len() <= limit);
    }
}
