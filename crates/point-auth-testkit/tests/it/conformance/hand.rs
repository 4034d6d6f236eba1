//! A transport over a plain socket, with nothing of ours in it, and variants with one flaw, for
//! each rule there is to break.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use point_auth_core::SecretBody;
use point_auth_transport::{
    BlockingTransport, SendLimits, TransportError, TransportErrorKind as Kind,
};

use super::reading::{self, Head};

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    FollowsRedirects,
    SendsTheBodyOfA307ToAnotherHost,
    SendsAgainOnAStaleConnection,
    SendsAgainAfterA503,
    IgnoresTheLimit,
    CountsBeforeDecoding,
    HasNoDeadline,
    HasADeadlineForEachReadOnly,
    HasADeadlineForEachWriteOnly,
    HasNoDeadlineForTheBody,
    PanicsWithAllTheTimeThereIs,
    TurnsA403IntoAnError,
    SaysThatNothingWasSent,
    CallsEverythingOther,
    BelievesABodyThatIsCutShort,
    RepairsABodyThatIsCutShort,
    SendsAgainAfterABreak,
    KeepsABrokenConnection,
    KeepsASilentConnection,
    BelievesMostOfABodyWhenTheTimeIsOver,
    HasNoDeadlineForTheRestOfTheBody,
    KeepsNoConnection,
    CallsABreakATimeout,
    PanicsOverABreak,
    ShowsTheRequestInDebug,
    ShowsTheRequestInACause,
    KeepsIdleConnections,
    LosesAHeader,
    AddsAHeader,
    SendsTheBodyTwice,
    ReservesWhatIsAnnounced,
}

pub(super) struct HandTransport {
    flaw: Flaw,
    idle: Mutex<Option<(SocketAddr, TcpStream, Instant)>>,
    last_body: Mutex<Vec<u8>>,
}

impl HandTransport {
    pub(super) fn with(flaw: Flaw) -> Self {
        Self { flaw, idle: Mutex::default(), last_body: Mutex::default() }
    }
}

impl fmt::Debug for HandTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HandTransport");
        if self.flaw == Flaw::ShowsTheRequestInDebug {
            shown.field("last_body", &self.last_body.lock().unwrap());
        }
        shown.finish_non_exhaustive()
    }
}

/// The time until which a socket may be waited for.
#[derive(Clone, Copy)]
pub(super) enum Deadline {
    At(Instant),
    EachRead(Duration),
    Never,
}

impl Deadline {
    fn of(flaw: Flaw, limit: Duration) -> Self {
        match flaw {
            Flaw::HasNoDeadline => Self::Never,
            Flaw::HasADeadlineForEachReadOnly => Self::EachRead(limit),
            Flaw::PanicsWithAllTheTimeThereIs => Self::At(Instant::now() + limit),
            _ => Instant::now().checked_add(limit).map_or(Self::Never, Self::At),
        }
    }

    /// What is left, or none for ever.
    pub(super) fn left(self) -> io::Result<Option<Duration>> {
        let left = match self {
            Self::Never => return Ok(None),
            Self::EachRead(limit) => limit,
            Self::At(at) => at.saturating_duration_since(Instant::now()),
        };
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl BlockingTransport for HandTransport {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        self.last_body.lock().unwrap().extend_from_slice(request.body().as_ref());
        let mut response = self.once(&request, limits, request.uri());
        if self.flaw == Flaw::SendsAgainAfterA503
            && response.as_ref().is_ok_and(|response| response.status() == 503)
        {
            response = self.once(&request, limits, request.uri());
        }
        if let Some(location) =
            response.as_ref().ok().and_then(|response| self.next(&request, response))
        {
            response = self.once(&request, limits, &location);
        }
        response.map_err(|error| self.spoiled(error, &request))
    }
}

impl HandTransport {
    /// Where a redirect leads, for a flaw that follows it.
    fn next(&self, request: &Request<SecretBody>, response: &Response<SecretBody>) -> Option<Uri> {
        let location = response.headers().get("location")?.to_str().ok()?;
        let location: Uri =
            location.parse().ok().filter(|uri: &Uri| uri.scheme_str() == Some("http"))?;
        let elsewhere = location.authority() != request.uri().authority();
        let follows = match self.flaw {
            Flaw::FollowsRedirects => true,
            Flaw::SendsTheBodyOfA307ToAnotherHost => elsewhere && response.status() == 307,
            _ => false,
        };
        (follows && response.status().is_redirection()).then_some(location)
    }

    fn spoiled(&self, error: TransportError, request: &Request<SecretBody>) -> TransportError {
        match self.flaw {
            Flaw::SaysThatNothingWasSent => error.not_sent(),
            Flaw::CallsEverythingOther if !error.may_have_been_sent() => {
                TransportError::new(Kind::Other).not_sent()
            }
            Flaw::CallsEverythingOther => TransportError::new(Kind::Other),
            Flaw::CallsABreakATimeout => TransportError::new(Kind::Timeout),
            Flaw::PanicsOverABreak => panic!("as a transport with this flaw does"),
            Flaw::ShowsTheRequestInACause => {
                let body = String::from_utf8_lossy(request.body().as_ref()).into_owned();
                error.with_source(io::Error::other(io::Error::other(body)))
            }
            _ => error,
        }
    }

    fn once(
        &self,
        request: &Request<SecretBody>,
        limits: &SendLimits,
        target: &Uri,
    ) -> Result<Response<SecretBody>, TransportError> {
        let deadline = Deadline::of(self.flaw, limits.total_timeout());
        let refused = || TransportError::new(Kind::Other).not_sent();
        let authority = target
            .authority()
            .filter(|authority| !authority.as_str().contains('@'))
            .ok_or_else(refused)?;
        if target.scheme_str() != Some("http") {
            return Err(refused());
        }
        let connect = |error: io::Error| failed(&error, Kind::Connect).not_sent();
        let port = authority.port_u16().unwrap_or(80);
        let host = authority.host().trim_matches(['[', ']']);
        let addresses: Vec<_> = (host, port).to_socket_addrs().map_err(connect)?.collect();
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        let address = *address.ok_or_else(|| TransportError::new(Kind::Connect).not_sent())?;

        let idle = self.idle.lock().unwrap().take();
        let longest = if self.flaw == Flaw::KeepsIdleConnections { 3600 } else { 5 };
        let idle = idle.filter(|(to, _, since)| {
            *to == address && since.elapsed() < Duration::from_secs(longest)
        });
        let is_reused = idle.is_some();
        let mut stream = match idle {
            Some((_, stream, _)) => stream,
            None => dial(address, deadline, limits.connect_timeout()).map_err(connect)?,
        };
        let mut outcome = self.exchange(&mut stream, request, target, limits, deadline);
        let is_stale =
            is_reused && outcome.as_ref().is_err_and(|error| error.kind() == Kind::Protocol);
        let is_broken = outcome.as_ref().is_err_and(|error| error.kind() == Kind::Protocol);
        let is_silent = outcome.as_ref().is_err_and(|error| error.kind() == Kind::Timeout);
        if (is_broken && self.flaw == Flaw::KeepsABrokenConnection)
            || (is_silent && self.flaw == Flaw::KeepsASilentConnection)
        {
            *self.idle.lock().unwrap() =
                Some((address, stream.try_clone().unwrap(), Instant::now()));
        }
        if (is_stale && self.flaw == Flaw::SendsAgainOnAStaleConnection)
            || (is_broken && self.flaw == Flaw::SendsAgainAfterABreak)
        {
            stream = dial(address, deadline, limits.connect_timeout()).map_err(connect)?;
            outcome = self.exchange(&mut stream, request, target, limits, deadline);
        }
        let (response, may_be_kept) = outcome?;
        if may_be_kept && self.flaw != Flaw::KeepsNoConnection {
            *self.idle.lock().unwrap() = Some((address, stream, Instant::now()));
        }
        Ok(response)
    }

    fn exchange(
        &self,
        stream: &mut TcpStream,
        request: &Request<SecretBody>,
        target: &Uri,
        limits: &SendLimits,
        deadline: Deadline,
    ) -> Result<(Response<SecretBody>, bool), TransportError> {
        let broke = |error: io::Error| failed(&error, Kind::Protocol);
        let message = self.message(request, target);
        self.write(stream, &message, deadline).map_err(broke)?;
        if self.flaw == Flaw::SendsTheBodyTwice {
            self.write(stream, &message, deadline).map_err(broke)?;
        }
        let mut socket = reading::Socket::new(stream, deadline);
        let head = socket.head()?;
        if self.flaw == Flaw::HasNoDeadlineForTheBody {
            socket.deadline = Deadline::Never;
        }
        socket.believes_most = self.flaw == Flaw::BelievesMostOfABodyWhenTheTimeIsOver;
        socket.forgets_the_time = self.flaw == Flaw::HasNoDeadlineForTheRestOfTheBody;
        socket.reserves = self.flaw == Flaw::ReservesWhatIsAnnounced;
        let mut limit = limits.max_response_bytes();
        if self.flaw == Flaw::IgnoresTheLimit {
            // There is only so much memory.
            limit = limit.max(16 << 20);
        }
        let lenient = matches!(
            self.flaw,
            Flaw::BelievesABodyThatIsCutShort | Flaw::RepairsABodyThatIsCutShort
        );
        let is_head = *request.method() == Method::HEAD;
        let (mut body, may_be_kept) = socket.body(&head, is_head, limit, lenient)?;
        if self.flaw == Flaw::RepairsABodyThatIsCutShort {
            body = repaired(body)?;
        }
        let body =
            if self.flaw == Flaw::CountsBeforeDecoding { decoded(&head, body) } else { body };
        if self.flaw == Flaw::TurnsA403IntoAnError && head.status == StatusCode::FORBIDDEN {
            return Err(TransportError::new(Kind::Protocol));
        }
        let mut response = Response::new(SecretBody::new(body));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        Ok((response, may_be_kept))
    }

    fn write(
        &self,
        stream: &mut TcpStream,
        mut message: &[u8],
        deadline: Deadline,
    ) -> io::Result<()> {
        if self.flaw == Flaw::HasADeadlineForEachWriteOnly {
            stream.set_write_timeout(deadline.left()?)?;
            return stream.write_all(message);
        }
        while !message.is_empty() {
            stream.set_write_timeout(deadline.left()?)?;
            let written = stream.write(message)?;
            message = &message[written..];
        }
        Ok(())
    }

    fn message(&self, request: &Request<SecretBody>, target: &Uri) -> Vec<u8> {
        let path = target.path_and_query().map_or("/", |path| path.as_str());
        let mut message = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            message.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        add("host", target.authority().map_or("", |authority| authority.as_str()).as_bytes());
        for (name, value) in request.headers() {
            if self.flaw != Flaw::LosesAHeader || name != "x-tracking" {
                add(name.as_str(), value.as_bytes());
            }
        }
        if self.flaw == Flaw::AddsAHeader {
            add("accept-language", b"en");
        }
        if !request.body().is_empty() {
            add("content-length", request.body().len().to_string().as_bytes());
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(request.body().as_ref());
        message
    }
}

fn dial(address: SocketAddr, deadline: Deadline, connect: Duration) -> io::Result<TcpStream> {
    if connect.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let left = deadline.left()?.unwrap_or(connect).min(connect).min(Duration::from_secs(60));
    let stream = TcpStream::connect_timeout(&address, left)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn failed(error: &io::Error, fallback: Kind) -> TransportError {
    TransportError::classify(error, fallback)
}

fn decoded(head: &Head, body: Vec<u8>) -> Vec<u8> {
    let is_gzip = head.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let mut decoded = Vec::new();
    match is_gzip && flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut decoded).is_ok()
    {
        true => decoded,
        false => body,
    }
}

/// An object that ends in the middle of a string, with an invented end.
fn repaired(body: Vec<u8>) -> Result<Vec<u8>, TransportError> {
    // With some of the token in it.
    let is_usable =
        |body: &[u8]| body.len() > 50 && serde_json::from_slice::<serde_json::Value>(body).is_ok();
    let closed = [&body, &b"\"}"[..]].concat();
    [body, closed]
        .into_iter()
        .find(|body| is_usable(body))
        .ok_or_else(|| TransportError::new(Kind::Protocol))
}

/// For the head, here so that `http`'s types are met in one place.
pub(super) fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}
