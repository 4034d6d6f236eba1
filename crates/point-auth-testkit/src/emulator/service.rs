//! One request: recorded, looked up in the script, and answered, or whatever the script has
//! instead.

use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc::UnboundedSender;

use super::Shared;
use super::api::Answer;
use super::body::AnswerBody;
use super::connection::Command;
use super::faults::{Ending, Fault, Payload};
use super::record::RecordedRequest;
use super::stream::WriteControl;
use crate::server_thread::lock;

/// Ends a request without an answer: over HTTP/2 with this reason, over HTTP/1.1 with the
/// connection.
pub(super) type Unanswered = Box<dyn std::error::Error + Send + Sync>;

/// What the requests of one connection have in common.
pub(super) struct Connection {
    pub(super) number: usize,
    pub(super) reused: AtomicBool,
    pub(super) control: Arc<WriteControl>,
    pub(super) commands: UnboundedSender<Command>,
    pub(super) server_name: Option<String>,
    pub(super) client_certificate: Option<Bytes>,
}

impl Connection {
    /// Has the connection's task end the connection in place of an answer.
    async fn end(&self, command: Command) -> Result<Response<AnswerBody>, Unanswered> {
        // Without a receiver the connection is gone already.
        let _ = self.commands.send(command);
        future::pending().await
    }
}

pub(super) async fn handle(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Unanswered> {
    let (parts, mut body) = request.into_parts();
    let Some(body) = read(&mut body, shared.max_request_bytes).await? else {
        return Ok(refuse_too_large(&connection, body));
    };

    let operation = shared.api.operation(parts.uri.path());
    let reused = connection.reused.swap(true, Ordering::Relaxed);
    let (username, user_alias) = shared.api.subject(operation, &parts.headers, &body);
    // Before the request is recorded, so that a test which saw the request can script the next one.
    let fault = lock(&shared.script).take(operation, reused).unwrap_or_else(Fault::pass);
    if shared.records_requests {
        let request = RecordedRequest {
            operation,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            version: parts.version,
            headers: parts.headers.clone(),
            body: body.clone(),
            username,
            user_alias,
            connection: connection.number,
            reused,
            server_name: connection.server_name.clone(),
            client_certificate: connection.client_certificate.clone(),
        };
        shared.record.update(|tallies| tallies.requests.push(request));
    }

    let is_http2 = parts.version == Version::HTTP_2;
    connection.control.begin(fault.cut_after, fault.drip, fault.close_after_answer && !is_http2);
    // The sign-in counts although its answer may come late or not at all.
    let passed =
        matches!(fault.ending, Ending::Pass).then(|| shared.api.answer(operation, &parts, &body));
    if !fault.delay.is_zero() {
        tokio::time::sleep(fault.delay).await;
    }

    let (status, headers, payload) = match (passed, &fault.ending) {
        (Some(answer), _) => {
            let mut headers = answer.headers;
            headers.extend(fault.headers.clone());
            (answer.status, headers, Payload::Bytes(answer.body))
        }
        (None, Ending::Pass | Ending::Respond) => {
            (fault.status, fault.headers.clone(), fault.body.clone())
        }
        (None, ending) => return end(&connection, &fault, ending, is_http2).await,
    };
    // For HTTP/1.1 hyper leaves it out, and announces its length.
    let payload = match parts.method {
        Method::HEAD if is_http2 => Payload::Bytes(Bytes::new()),
        _ => payload,
    };
    let mut response = Response::new(body_of(&fault, payload));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if fault.gzip {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(length) = fault.content_length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let is_framed_by_script = [CONTENT_LENGTH, TRANSFER_ENCODING]
        .iter()
        .any(|name| response.headers().contains_key(name));
    if is_framed_by_script && !is_http2 {
        // hyper sends no length that it knows to be wrong.
        let (parts, body) = response.into_parts();
        return connection
            .end(Command::Send(head(parts.status, &parts.headers), Box::new(body)))
            .await;
    }
    if is_http2 && (fault.close_after_answer || response.headers_mut().remove(CONNECTION).is_some())
    {
        // Without a receiver the connection is gone already.
        let _ = connection.commands.send(Command::GoAwayAfterAnswers);
    }
    Ok(response.map(|body| body.reporting_to(Arc::clone(&connection.control))))
}

/// Reads a request body; `None` as soon as it is longer than `limit`.
async fn read(body: &mut Incoming, limit: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await.transpose()? {
        if let Ok(data) = frame.into_data() {
            if data.len() > limit - bytes.len() {
                return Ok(None);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Some(bytes.freeze()))
}

/// Answers at once, for a client that waits for it, and discards the rest of the body meanwhile,
/// for a client that writes all of it first. Unread input would turn the end of the connection into
/// a reset, which destroys the answer.
fn refuse_too_large(connection: &Connection, mut rest: Incoming) -> Response<AnswerBody> {
    // The rest ends with the connection, at the latest.
    tokio::spawn(async move { while let Some(Ok(_)) = rest.frame().await {} });
    connection.reused.store(true, Ordering::Relaxed);
    connection.control.begin(None, None, false);
    let answer = Answer::too_large();
    let mut response = Response::new(AnswerBody::new(Payload::Bytes(answer.body)));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// Ends the exchange without a proper answer.
async fn end(
    connection: &Connection,
    fault: &Fault,
    ending: &Ending,
    is_http2: bool,
) -> Result<Response<AnswerBody>, Unanswered> {
    match ending {
        Ending::Raw(bytes) => {
            let body = body_of(fault, fault.body.clone());
            connection.end(Command::Send(bytes.clone(), Box::new(body))).await
        }
        Ending::GoAway(code) if is_http2 => connection.end(Command::GoAway(*code)).await,
        Ending::ResetStream(code) if is_http2 => {
            Err(h2::Error::from(h2::Reason::from(*code)).into())
        }
        Ending::Close | Ending::GoAway(_) => connection.end(Command::Close).await,
        Ending::Reset | Ending::ResetStream(_) => connection.end(Command::Reset).await,
        Ending::Dead => {
            connection.control.go_dead();
            future::pending().await
        }
        Ending::Silent | Ending::Pass | Ending::Respond => future::pending().await,
    }
}

fn body_of(fault: &Fault, payload: Payload) -> AnswerBody {
    let mut body = AnswerBody::new(payload);
    if fault.gzip {
        body = body.compressed();
    }
    if fault.chunked {
        body = body.undeclared();
    }
    body.paced(fault.drip_body)
}

/// The head of an HTTP/1.1 response.
fn head(status: StatusCode, headers: &HeaderMap) -> Bytes {
    let mut head = BytesMut::new();
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.extend_from_slice(b" ");
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    for (name, value) in headers {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
    }
    head.extend_from_slice(b"\r\n\r\n");
    head.freeze()
}
