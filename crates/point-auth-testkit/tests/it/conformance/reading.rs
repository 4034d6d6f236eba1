//! The reading half of a transport over a plain socket: HTTP/1.1 with a deadline.

use std::io::Read;
use std::net::TcpStream;

use http::{HeaderMap, StatusCode};
use point_auth_transport::{TransportError, TransportErrorKind as Kind};

use super::hand::{Deadline, header};

const MAX_HEAD_BYTES: usize = 32 * 1024;

pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

pub(super) struct Socket<'a> {
    stream: &'a mut TcpStream,
    pub(super) deadline: Deadline,
    /// Once most of the body is there.
    pub(super) forgets_the_time: bool,
    /// When the time is over.
    pub(super) believes_most: bool,
    /// For as long a body as the server announces.
    pub(super) reserves: bool,
    unread: Vec<u8>,
}

impl<'a> Socket<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, deadline: Deadline) -> Self {
        Self {
            stream,
            deadline,
            forgets_the_time: false,
            believes_most: false,
            reserves: false,
            unread: Vec::new(),
        }
    }

    /// The bytes that come next; none at the end of the stream.
    fn more(&mut self) -> Result<Vec<u8>, TransportError> {
        if !self.unread.is_empty() {
            return Ok(std::mem::take(&mut self.unread));
        }
        let broke = |error: std::io::Error| TransportError::classify(&error, Kind::Protocol);
        let left = self.deadline.left().map_err(broke)?;
        self.stream.set_read_timeout(left).map_err(broke)?;
        let mut chunk = vec![0; 16 * 1024];
        let count = self.stream.read(&mut chunk).map_err(broke)?;
        chunk.truncate(count);
        Ok(chunk)
    }

    fn line(&mut self, budget: &mut usize) -> Result<Vec<u8>, TransportError> {
        let mut line = Vec::new();
        loop {
            let mut bytes = self.more()?;
            if bytes.is_empty() {
                return Err(protocol());
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            self.unread = end.map_or_else(Vec::new, |end| bytes.split_off(end + 1));
            line.extend(bytes);
            *budget = budget.checked_sub(line.len()).ok_or_else(protocol)?;
            if end.is_some() {
                return Ok(line.trim_ascii_end().to_vec());
            }
        }
    }

    /// The head of the final response.
    pub(super) fn head(&mut self) -> Result<Head, TransportError> {
        let mut budget = MAX_HEAD_BYTES;
        loop {
            let line = self.line(&mut budget)?;
            let rest = line.strip_prefix(b"HTTP/1.1 ").ok_or_else(protocol)?;
            let digits = rest
                .get(..3)
                .filter(|_| rest.get(3).is_none_or(|byte| *byte == b' '))
                .ok_or_else(protocol)?;
            let status = StatusCode::from_bytes(digits).map_err(|_| protocol())?;
            let mut headers = HeaderMap::new();
            loop {
                let line = self.line(&mut budget)?;
                if line.is_empty() {
                    break;
                }
                let (name, value) = header(&line).ok_or_else(protocol)?;
                headers.append(name, value);
            }
            if !status.is_informational() {
                return Ok(Head { status, headers });
            }
        }
    }

    /// The body, and whether the connection may carry another request.
    pub(super) fn body(
        &mut self,
        head: &Head,
        is_head: bool,
        limit: usize,
        lenient: bool,
    ) -> Result<(Vec<u8>, bool), TransportError> {
        let is_kept = head.headers.get("connection").is_none_or(|value| value != "close");
        let lengths: Vec<_> = head.headers.get_all("content-length").iter().collect();
        let mut body = Vec::new();
        if is_head || matches!(head.status.as_u16(), 204 | 304) {
            return Ok((body, is_kept));
        }
        if let Some(encoding) = head.headers.get("transfer-encoding") {
            if encoding != "chunked" {
                return Err(protocol());
            }
            self.forgets_the_time = false;
            self.chunks(&mut body, limit, lenient)?;
            return Ok((body, is_kept));
        }
        let length = match lengths.as_slice() {
            [] => None,
            [length] => Some(
                length
                    .to_str()
                    .ok()
                    .and_then(|length| length.parse::<u64>().ok())
                    .ok_or_else(protocol)?,
            ),
            _ => return Err(protocol()),
        };
        if let Some(length) = length.filter(|_| self.reserves) {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(limit);
            // What cannot be had shows as nothing reserved.
            let _ = body.try_reserve_exact(length);
        }
        self.some(&mut body, length, limit, lenient)?;
        Ok((body, is_kept && length.is_some() && self.unread.is_empty()))
    }

    fn chunks(
        &mut self,
        body: &mut Vec<u8>,
        limit: usize,
        lenient: bool,
    ) -> Result<(), TransportError> {
        loop {
            let mut budget = 100;
            let size = match self.line(&mut budget) {
                Err(error) if error.kind() == Kind::Protocol && lenient => return Ok(()),
                line => line?,
            };
            let size =
                std::str::from_utf8(&size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
            let size = size.ok_or_else(protocol)?;
            if size > 0 {
                self.some(body, Some(size), limit, lenient)?;
            }
            if !self.line(&mut budget)?.is_empty() {
                return Err(protocol());
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// So many bytes, or all there are.
    fn some(
        &mut self,
        body: &mut Vec<u8>,
        length: Option<u64>,
        limit: usize,
        lenient: bool,
    ) -> Result<(), TransportError> {
        let mut left = length.unwrap_or(u64::MAX);
        while left > 0 {
            let is_most = self.believes_most && length.is_some() && body.len() as u64 > left;
            let mut bytes = match self.more() {
                Err(error) if is_most && error.kind() == Kind::Timeout => return Ok(()),
                bytes => bytes?,
            };
            if bytes.is_empty() {
                return if length.is_none() || lenient { Ok(()) } else { Err(protocol()) };
            }
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            self.unread = bytes.split_off(wanted);
            left -= wanted as u64;
            if bytes.len() > limit - body.len() {
                return Err(TransportError::new(Kind::TooLarge));
            }
            body.extend(bytes);
            if self.forgets_the_time && length.is_some() && body.len() as u64 > left {
                self.deadline = Deadline::Never;
            }
        }
        Ok(())
    }
}

fn protocol() -> TransportError {
    TransportError::new(Kind::Protocol)
}
