//! What a server may do to a client, as values a test writes down.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// One scripted misbehaviour, or one scripted answer.
///
/// A fault says how the exchange ends (one of the constructors) and how that comes about (the
/// methods, which combine):
///
/// ```
/// # use point_auth_testkit::Fault; use std::time::Duration;
/// // The emulator's own answer, but late and torn off in the middle:
/// Fault::pass().delay(Duration::from_millis(50)).cut_after(100);
/// // A gateway's page, three times in a row:
/// Fault::html(502).header("retry-after", "1").times(3);
/// // A gibibyte with an honest Content-Length, produced while it is read:
/// Fault::respond(200).body_of(1 << 30);
/// ```
///
/// A fault applies to one request unless [`times`](Self::times) says more. Delays are real time:
/// they do not follow the emulator's clock.
#[derive(Clone)]
#[must_use]
pub struct Fault {
    pub(super) ending: Ending,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Payload,
    pub(super) chunked: bool,
    pub(super) gzip: bool,
    pub(super) content_length: Option<u64>,
    pub(super) delay: Duration,
    pub(super) drip: Option<Pace>,
    pub(super) drip_body: Option<Pace>,
    pub(super) cut_after: Option<u64>,
    pub(super) close_after_answer: bool,
    pub(super) only_reused: bool,
    pub(super) times: usize,
}

/// How an exchange ends.
#[derive(Clone)]
pub(super) enum Ending {
    /// With the answer the API would give.
    Pass,
    /// With the answer of the fault.
    Respond,
    /// With these bytes in place of HTTP, then the body if there is one.
    Raw(Bytes),
    Silent,
    Dead,
    Close,
    Reset,
    GoAway(u32),
    ResetStream(u32),
}

/// What an answer carries.
#[derive(Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// Made while it is sent; `None` never ends.
    Generated(Option<u64>),
}

/// So many bytes, then a pause.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) bytes: usize,
    pub(super) pause: Duration,
}

/// How the exchange ends.
impl Fault {
    fn new(ending: Ending) -> Self {
        Self {
            ending,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Payload::Bytes(Bytes::new()),
            chunked: false,
            gzip: false,
            content_length: None,
            delay: Duration::ZERO,
            drip: None,
            drip_body: None,
            cut_after: None,
            close_after_answer: false,
            only_reused: false,
            times: 1,
        }
    }

    /// The answer that the API would give without a fault; the place to start from for delays, cuts
    /// and the like.
    pub fn pass() -> Self {
        Self::new(Ending::Pass)
    }

    /// An answer with this status, no body and no headers but those HTTP needs.
    ///
    /// # Panics
    /// If `status` is not between 200 and 999.
    #[track_caller]
    pub fn respond(status: u16) -> Self {
        let mut fault = Self::new(Ending::Respond);
        fault.status = misuse(
            StatusCode::from_u16(status).ok().filter(|status| !status.is_informational()),
            "a status is a number between 200 and 999",
        );
        fault
    }

    /// A page of HTML, as a gateway or a captive portal sends one.
    ///
    /// # Panics
    /// As [`respond`](Self::respond).
    #[track_caller]
    pub fn html(status: u16) -> Self {
        Self::respond(status)
            .header("content-type", "text/html; charset=utf-8")
            .body("<!doctype html>\n<html><body><h1>A page from something in between</h1></body></html>\n")
    }

    /// A redirect to `location`, which may be relative.
    ///
    /// # Panics
    /// If `status` or `location` cannot be sent.
    #[track_caller]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::respond(status).header(LOCATION.as_str(), location)
    }

    /// `bytes` instead of HTTP, below HTTP's framing (inside TLS if there is TLS), then the end of
    /// the stream. A body set on this fault follows them, so an endless header is
    /// `Fault::raw("HTTP/1.1 200 OK\r\nx: ").endless_body()`.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(Ending::Raw(bytes.into()))
    }

    /// Nothing, ever. The connection stays open until the client gives up.
    pub fn silent() -> Self {
        Self::new(Ending::Silent)
    }

    /// Nothing, ever, and nothing for whatever else is asked on this connection: not a byte is read
    /// or written any more, not even HTTP/2's pings are answered. So a connection goes when a NAT
    /// or a firewall in between forgets it.
    pub fn dead() -> Self {
        Self::new(Ending::Dead)
    }

    /// The whole request is read, and then the connection is closed in good order without an
    /// answer.
    pub fn close_after_request() -> Self {
        Self::new(Ending::Close)
    }

    /// As [`close_after_request`](Self::close_after_request), but only for a request on a
    /// connection that has served one before: what a client meets when the server gives up an idle
    /// connection while the request is on its way.
    pub fn close_pooled_connection() -> Self {
        Self::close_after_request().only_on_reused_connection()
    }

    /// The whole request is read, and then the connection is reset (TCP RST) without an answer.
    pub fn reset() -> Self {
        Self::new(Ending::Reset)
    }

    /// HTTP/2: `GOAWAY` with this error code (0 is `NO_ERROR`), which says that no stream was
    /// processed, and the end of the connection. A client may take that for leave to send the
    /// request again. Over HTTP/1.1 there is no such thing, and the connection is closed without an
    /// answer.
    pub fn goaway(error_code: u32) -> Self {
        Self::new(Ending::GoAway(error_code))
    }

    /// HTTP/2: `RST_STREAM` with this error code, for instance
    /// [`REFUSED_STREAM`](Self::REFUSED_STREAM), while the connection lives on. Over HTTP/1.1 there
    /// are no streams, and the connection is reset.
    pub fn reset_stream(error_code: u32) -> Self {
        Self::new(Ending::ResetStream(error_code))
    }

    /// The HTTP/2 error code that promises that nothing was processed (RFC 9113, section 7).
    pub const REFUSED_STREAM: u32 = 0x7;
    /// The HTTP/2 error code of a server that is about to slow a client down (RFC 9113, section 7).
    pub const ENHANCE_YOUR_CALM: u32 = 0xb;
    /// The HTTP/2 error code that asks for HTTP/1.1 (RFC 9113, section 7).
    pub const HTTP_1_1_REQUIRED: u32 = 0xd;
}

/// What the answer says.
impl Fault {
    /// Adds a header; for [`pass`](Self::pass) it joins the API's own, in place of one of the same
    /// name. Over HTTP/1.1 a `Content-Length` or `Transfer-Encoding` is sent as it is, whether the
    /// body agrees or not, and the connection is closed after the body.
    ///
    /// # Panics
    /// If name or value are not a header's.
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = misuse(HeaderName::from_bytes(name.as_bytes()).ok(), "not the name of a header");
        let value =
            misuse(HeaderValue::from_bytes(value.as_ref()).ok(), "not the value of a header");
        self.headers.append(name, value);
        self
    }

    /// Sets the body. On [`pass`](Self::pass) it has no effect.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Payload::Bytes(body.into());
        self
    }

    /// Sets the body and `Content-Type: application/json`.
    pub fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body(body)
    }

    /// A body of exactly `bytes` bytes, made while it is sent and announced by a true
    /// `Content-Length`. From 19 bytes on it is a JSON object with one enormous access token.
    pub fn body_of(mut self, bytes: u64) -> Self {
        self.body = Payload::Generated(Some(bytes));
        self
    }

    /// A body that ends when the client closes the connection, and not before.
    pub fn endless_body(mut self) -> Self {
        self.body = Payload::Generated(None);
        self
    }

    /// Sends the body without a `Content-Length` (over HTTP/1.1: in chunks).
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Compresses the body and says so in `Content-Encoding`, whether the client wanted that or
    /// not.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Announces a body of `bytes` bytes, true or not. What the body has is sent, then the
    /// connection is closed (over HTTP/2: the stream is ended).
    pub fn content_length(mut self, bytes: u64) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Announces the end of the connection (`Connection: close`; over HTTP/2 a `GOAWAY`) and closes
    /// it after the answer.
    pub fn connection_close(mut self) -> Self {
        self.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        self
    }
}

/// How it comes about.
impl Fault {
    /// Waits before the answer, or before the end that replaces it.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends everything, head and body, `bytes` bytes at a time with a pause after each.
    pub fn drip(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip = Some(Pace { bytes: bytes.max(1), pause });
        self
    }

    /// Sends the head at once and the body `bytes` bytes at a time with a pause after each.
    pub fn drip_body(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip_body = Some(Pace { bytes: bytes.max(1), pause });
        self
    }

    /// Ends the connection after `bytes` bytes of the answer (head and body as they go over the
    /// wire, inside TLS), without TLS's goodbye, as a server that crashed would. With 0 the request
    /// counts and no answer comes.
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Closes the connection as soon as the answer is sent, though the answer did not say so: a
    /// client that keeps the connection meets a dead one.
    pub fn close_after_answer(mut self) -> Self {
        self.close_after_answer = true;
        self
    }

    /// Leaves requests alone that are the first on their connection; the fault stays in the script.
    pub fn only_on_reused_connection(mut self) -> Self {
        self.only_reused = true;
        self
    }

    /// Applies to this many requests instead of one.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match self.ending {
            Ending::Pass => "pass".to_owned(),
            Ending::Respond => format!("respond {}", self.status.as_u16()),
            Ending::Raw(_) => "raw".to_owned(),
            Ending::Silent => "silent".to_owned(),
            Ending::Dead => "dead".to_owned(),
            Ending::Close => "close".to_owned(),
            Ending::Reset => "reset".to_owned(),
            Ending::GoAway(code) => format!("goaway {code}"),
            Ending::ResetStream(code) => format!("reset stream {code}"),
        };
        f.debug_struct("Fault")
            .field("ending", &ending)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "a script that cannot be sent is a mistake in the test that holds it, and best reported there"
)]
fn misuse<T>(value: Option<T>, what: &str) -> T {
    match value {
        Some(value) => value,
        None => panic!("{what}"),
    }
}
