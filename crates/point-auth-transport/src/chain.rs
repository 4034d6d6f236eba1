//! Walks the causes of an HTTP client's error, and copies only the harmless ones.

use std::error::Error;
use std::fmt;
use std::io;

use crate::TransportErrorKind;

/// An iterator over an error and its causes, outermost first, including those inside an
/// [`io::Error`].
///
/// `io::Error::source` skips the error that it wraps and returns the source of that error. Without
/// this iterator, a TLS failure inside an `io::Error` is never seen.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    next: Option<&'a (dyn Error + 'static)>,
    // Bounds a chain in which a `source()` leads back to itself.
    left: usize,
}

impl<'a> Chain<'a> {
    /// Starts at `error` itself. The iterator ends after 32 errors.
    pub fn new(error: &'a (dyn Error + 'static)) -> Self {
        Self { next: Some(error), left: 32 }
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn Error + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.next.take()?;
        self.left = self.left.checked_sub(1)?;
        self.next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
        Some(error)
    }
}

/// Returns the kind found in the chain of `error`, or else `fallback`.
pub(crate) fn kind_of(
    error: &(dyn Error + 'static),
    fallback: TransportErrorKind,
) -> TransportErrorKind {
    if Chain::new(error).any(is_tls) {
        return TransportErrorKind::Tls;
    }
    let found =
        Chain::new(error).find_map(|cause| kind_of_io(cause.downcast_ref::<io::Error>()?.kind()));
    match (fallback, found) {
        // A connection that breaks during the handshake was never established.
        (TransportErrorKind::Connect, Some(TransportErrorKind::Protocol)) | (_, None) => fallback,
        (_, Some(kind)) => kind,
    }
}

fn kind_of_io(kind: io::ErrorKind) -> Option<TransportErrorKind> {
    use io::ErrorKind;
    match kind {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Some(TransportErrorKind::Timeout),
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => Some(TransportErrorKind::Connect),
        // After the connection was established, these mean that the peer closed it early.
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::InvalidData => Some(TransportErrorKind::Protocol),
        _ => None,
    }
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "rustls")]
    if error.is::<rustls::Error>() {
        return true;
    }
    #[cfg(feature = "native-tls")]
    if let Some(error) = error.downcast_ref::<native_tls::Error>() {
        // A connection that closes during the handshake also arrives as one of these. With OpenSSL,
        // a plain close shows only in the text.
        let broke_off = Chain::new(error).any(|cause| cause.is::<io::Error>())
            || error.to_string() == "unexpected EOF";
        return !broke_off;
    }
    let _ = error;
    false
}

/// A copy of an error's chain that repeats only what is known to be harmless.
///
/// The copy keeps the messages of the operating system and of the TLS library, and the names of I/O
/// error kinds. It leaves out the messages of the HTTP client, which may quote a URL, a header or
/// the response. The kind of the [`TransportError`](crate::TransportError) carries that
/// information.
#[derive(Clone, Debug)]
pub struct ScrubbedError {
    message: String,
    source: Option<Box<ScrubbedError>>,
}

/// Messages of an operating system or a TLS library are far shorter. Text of a hostile peer may be
/// longer.
const MAX_MESSAGE_CHARS: usize = 300;

impl ScrubbedError {
    /// Copies the chain of `error`. Returns `None` if no part of it is known to be harmless.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        Self::without(error, |_| false)
    }

    /// Copies the chain without the I/O errors whose kinds `is_said` covers.
    pub(crate) fn without(
        error: &(dyn Error + 'static),
        is_said: impl Fn(io::ErrorKind) -> bool,
    ) -> Option<Self> {
        let is_new = |cause: &&(dyn Error + 'static)| {
            !cause.downcast_ref::<io::Error>().is_some_and(|error| is_said(error.kind()))
        };
        let mut messages: Vec<String> = Vec::new();
        for message in Chain::new(error).filter(is_new).filter_map(harmless_message) {
            let message = cap(&message);
            if messages.last() != Some(&message) {
                messages.push(message);
            }
        }
        messages
            .into_iter()
            .rev()
            .fold(None, |source, message| Some(Self { message, source: source.map(Box::new) }))
    }

    /// Creates a cause with a message of the adapter's own.
    pub fn new(message: &'static str) -> Self {
        Self { message: message.to_owned(), source: None }
    }
}

fn harmless_message(error: &(dyn Error + 'static)) -> Option<String> {
    #[cfg(feature = "rustls")]
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error.to_string());
    }
    #[cfg(feature = "native-tls")]
    if let Some(error) = error.downcast_ref::<native_tls::Error>() {
        return Some(error.to_string());
    }
    if let Some(scrubbed) = error.downcast_ref::<ScrubbedError>() {
        return Some(scrubbed.message.clone());
    }
    let error = error.downcast_ref::<io::Error>()?;
    match error.raw_os_error() {
        Some(_) => Some(error.to_string()),
        // An `io::Error` may wrap any text. The name of its kind comes from the standard library.
        None => Some(error.kind().to_string())
            .filter(|kind| !matches!(kind.as_str(), "other error" | "uncategorized error")),
    }
}

fn cap(message: &str) -> String {
    message.chars().take(MAX_MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl fmt::Display for ScrubbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ScrubbedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
