//! One request: checked, given its token, sent, and sent once more after a 401.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::UPGRADE;
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use point_auth::{AccessToken, Session};
use point_auth_transport::{TransportError, TransportErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::access::Access;
use crate::activity::Activity;
use crate::headers::{clean_request, clean_response};
use crate::proxy::Shared;
use crate::refusal::Refusal;
use crate::request_body::{BodyFailure, Progress, Resumed, Sending};
use crate::response_body::ResponseBody;

/// Returns the response to a request of a client.
pub(crate) async fn respond(
    shared: Arc<Shared>,
    access: Arc<Access>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let began = Instant::now();
    let exchange = activity.begin(shared.metrics.begin_request());
    // Boxed, so that a connection without a request has no room for it.
    let outcome = Box::pin(forward(&shared, &access, request)).await;
    let response = match outcome {
        Ok(response) => {
            let silence = shared.limits.idle_timeout;
            response.map(|body| ResponseBody::upstream(body, silence, exchange))
        }
        Err(refusal) => {
            shared.metrics.refused(&refusal);
            refusal.into_response().map(|body| ResponseBody::own(body, exchange))
        }
    };
    shared.metrics.responded(response.status(), began.elapsed());
    Ok(response)
}

async fn forward(
    shared: &Shared,
    access: &Access,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Refusal> {
    let (mut head, body) = request.into_parts();
    access.check(&head)?;
    let url = shared.target.url(&head.method, &head.uri, head.version)?;
    check_upgrade(&head)?;
    let session = shared.tokens.session(&head.headers)?;
    clean_request(&mut head.headers);
    head.uri = url;
    // Extensions carry types of hyper's own.
    head.extensions.clear();
    // Before the body is read, so that a client without a token sends none.
    let token = session.access_token().await.map_err(|error| Refusal::no_token(&error))?;
    let mut response = Attempts { shared, session: &session, head }.run(token, body).await?;
    clean_response(response.headers_mut());
    response.extensions_mut().clear();
    *response.version_mut() = Version::HTTP_11;
    Ok(response)
}

/// Refuses all upgrades but the one to HTTP/2 that clients offer on plain connections, Java's among
/// them. That one may be ignored, and is.
fn check_upgrade(head: &Parts) -> Result<(), Refusal> {
    let is_offer_of_http2 =
        |value: &http::HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"h2c");
    if head.headers.get_all(UPGRADE).iter().all(is_offer_of_http2) {
        return Ok(());
    }
    Err(Refusal::bad_request("upgrade", "upgrades of the connection are not served"))
}

/// A request that is sent at most twice.
struct Attempts<'a> {
    shared: &'a Shared,
    session: &'a Session,
    head: Parts,
}

impl Attempts<'_> {
    async fn run(self, token: AccessToken, body: Incoming) -> Result<Response<Incoming>, Refusal> {
        let silence = self.shared.limits.idle_timeout;
        let sending = Sending::new(body, &self.shared.budget, silence);
        let progress = sending.progress();
        let response = self.first(&token, sending, &progress).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            progress.forget();
            return Ok(response);
        }
        self.session.invalidate(&token);
        let Some(resumed) = progress.take_back(silence) else { return Ok(response) };
        // Without another token, the API's own response is more informative.
        let Ok(other) = self.session.access_token().await else { return Ok(response) };
        drop(response);
        self.shared.metrics.retried();
        let response = self.second(&other, resumed).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // The token is young, so a backoff follows and no storm.
            self.session.invalidate(&other);
        }
        Ok(response)
    }

    async fn first(
        &self,
        token: &AccessToken,
        body: Sending,
        progress: &Progress,
    ) -> Result<Response<Incoming>, Refusal> {
        let sending = self.shared.upstream.send(self.request(token, body), self.head.version);
        let limit = self.shared.limits.response_timeout;
        let sent = in_time(sending, limit, || progress.last()).await;
        sent.map_err(|error| match progress.failure() {
            None => Refusal::upstream(&self.shared.upstream.named(error, &self.head.uri)),
            Some(BodyFailure::Silent) => {
                let description = "the rest of the body did not come in time";
                Refusal::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", description)
            }
            Some(BodyFailure::Broken) => {
                Refusal::bad_request("body", "the body did not come whole")
            }
        })
    }

    async fn second(
        &self,
        token: &AccessToken,
        body: Resumed,
    ) -> Result<Response<Incoming>, Refusal> {
        let sending = self.shared.upstream.send(self.request(token, body), self.head.version);
        let began = Instant::now();
        // What is not yet there of a body of at most a mebibyte counts as well.
        let sent = in_time(sending, self.shared.limits.response_timeout, || began).await;
        sent.map_err(|error| Refusal::upstream(&self.shared.upstream.named(error, &self.head.uri)))
    }

    /// The version stays the default: the connection determines it.
    fn request<B>(&self, token: &AccessToken, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = self.head.method.clone();
        *request.uri_mut() = self.head.uri.clone();
        *request.headers_mut() = self.head.headers.clone();
        token.authorize(request.headers_mut());
        request
    }
}

/// Waits for a response until nothing has happened for `limit` since the last progress.
async fn in_time(
    sending: impl Future<Output = Result<Response<Incoming>, TransportError>>,
    limit: Duration,
    last_progress: impl Fn() -> Instant,
) -> Result<Response<Incoming>, TransportError> {
    let mut sending = pin!(sending);
    loop {
        let seen = last_progress();
        match timeout_at(seen + limit, &mut sending).await {
            Ok(sent) => return sent,
            Err(_) if last_progress() > seen => {}
            Err(_) => return Err(TransportError::new(TransportErrorKind::Timeout)),
        }
    }
}
