//! Reads the body of the response, up to the limit and to its exact end.

use std::io::Read;

use httparse::Status;
use point_auth::SecretBody;
use point_auth::transport::{CappedBody, TransportError, TransportErrorKind};

use super::head::{Framing, MAX_HEADERS};
use super::refused;
use super::wire::Incoming;

/// The maximum length in bytes of the line before a chunk, with its size and extensions.
const MAX_CHUNK_LINE: usize = 256;
const STEP: usize = 1024;

/// Reads a body of at most `limit` bytes. Bytes after its end are an error.
pub(super) fn read(
    wire: &mut Incoming<impl Read>,
    framing: Framing,
    limit: usize,
) -> Result<SecretBody, TransportError> {
    let mut body = CappedBody::new(limit);
    match framing {
        Framing::NoBody => {}
        // Checked before any of it is read. No memory is reserved for it.
        Framing::Length(length) if length > u64::try_from(limit).unwrap_or(u64::MAX) => {
            return Err(TransportErrorKind::TooLarge.into());
        }
        Framing::Length(length) => take(wire, &mut body, length)?,
        Framing::Chunks => chunks(wire, &mut body)?,
        Framing::Connection => loop {
            push(&mut body, wire.arrived())?;
            wire.use_up(usize::MAX);
            if !wire.more_or_end()? {
                break;
            }
        },
    }
    // Later bytes are not awaited: the connection is closed, and they are never read.
    if !wire.arrived().is_empty() {
        return Err(refused("something follows the body"));
    }
    Ok(body.finish())
}

/// Appends in small steps, so that the buffer grows from one power of two to the next and never
/// past the limit.
fn push(body: &mut CappedBody, bytes: &[u8]) -> Result<(), TransportError> {
    bytes.chunks(STEP).try_for_each(|step| body.push(step))
}

fn take(
    wire: &mut Incoming<impl Read>,
    body: &mut CappedBody,
    mut left: u64,
) -> Result<(), TransportError> {
    while left > 0 {
        let arrived = wire.arrived();
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let now = arrived.get(..arrived.len().min(most)).unwrap_or_default();
        push(body, now)?;
        let count = now.len();
        wire.use_up(count);
        left -= u64::try_from(count).unwrap_or(left);
        if count == 0 {
            wire.more()?;
        }
    }
    Ok(())
}

fn chunks(wire: &mut Incoming<impl Read>, body: &mut CappedBody) -> Result<(), TransportError> {
    loop {
        let size = chunk_size(wire)?;
        if size == 0 {
            return trailers(wire);
        }
        take(wire, body, size)?;
        while wire.arrived().len() < 2 {
            wire.more()?;
        }
        if !wire.arrived().starts_with(b"\r\n") {
            return Err(refused("a chunk is longer than it says"));
        }
        wire.use_up(2);
    }
}

fn chunk_size(wire: &mut Incoming<impl Read>) -> Result<u64, TransportError> {
    let no_size = || refused("the size of a chunk is none");
    loop {
        let arrived = wire.arrived();
        // The codec would read an empty line as zero.
        if arrived.first().is_some_and(|first| !first.is_ascii_hexdigit()) {
            return Err(no_size());
        }
        match httparse::parse_chunk_size(arrived).map_err(|_| no_size())? {
            Status::Complete((length, size)) if length <= MAX_CHUNK_LINE => {
                wire.use_up(length);
                return Ok(size);
            }
            Status::Partial if arrived.len() < MAX_CHUNK_LINE => wire.more()?,
            _ => return Err(refused("the line before a chunk is too long")),
        }
    }
}

/// Reads and drops the trailers, so that bytes after them are noticed.
fn trailers(wire: &mut Incoming<impl Read>) -> Result<(), TransportError> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(wire.arrived(), &mut headers) {
            Ok(Status::Complete((length, _))) => {
                wire.use_up(length);
                return Ok(());
            }
            Ok(Status::Partial) => wire.more()?,
            Err(_) => return Err(refused("what follows the last chunk is no header")),
        }
    }
}
