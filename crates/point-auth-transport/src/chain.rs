//! Causes of causes: finding what matters in an HTTP client's error, and copying it without what
//! must not be told.

use std::error::Error;
use std::fmt;
use std::io;

use crate::TransportErrorKind;

/// An error and its causes, outermost first, including those that hide inside an [`io::Error`].
///
/// `io::Error::source` skips the error it wraps and answers that one's source, so a TLS failure
/// inside of it is otherwise never seen.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    next: Option<&'a (dyn Error + 'static)>,
    // A `source()` that leads back to itself would go on for ever.
    left: usize,
}

impl<'a> Chain<'a> {
    /// Starts at `error` itself. Ends after 32 errors.
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

/// The kind that the chain of `error` gives away, or else `fallback`.
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
        // A connection that breaks while it is being made never was one.
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
        // What breaks after the connection stood is the other side leaving in the middle.
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
        // A connection that breaks off during the handshake is wrapped in one of these too, and a
        // plain end has no other sign than its words in OpenSSL.
        let broke_off = Chain::new(error).any(|cause| cause.is::<io::Error>())
            || error.to_string() == "unexpected EOF";
        return !broke_off;
    }
    let _ = error;
    false
}

/// A copy of an error's chain that repeats only what is known to be harmless.
///
/// Kept are the words of the operating system, of the TLS library and the names of I/O error kinds.
/// What an HTTP client says is left out, since it may quote a URL, a header or what the server
/// sent; the kind of the [`TransportError`](crate::TransportError) says as much.
#[derive(Clone, Debug)]
pub struct ScrubbedError {
    message: String,
    source: Option<Box<ScrubbedError>>,
}

/// No message of an operating system or TLS library comes near this; text of a hostile peer in it
/// could.
const MAX_MESSAGE_CHARS: usize = 300;

impl ScrubbedError {
    /// Copies the chain of `error`, or nothing if none of it is known to be harmless.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        Self::without(error, |_| false)
    }

    /// Copies the chain but for I/O errors of kinds of which all `is_said`.
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

    /// A cause in the words of the adapter itself.
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
        // The text of what an `io::Error` wraps is anybody's; its kind is the standard library's.
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
