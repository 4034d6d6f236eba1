//! Transports that are right but for one thing that they do around an exchange, each found by one
//! check and by no other.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use point_auth_core::SecretBody;
use point_auth_testkit::conformance::Candidate;
use point_auth_transport::{
    BlockingTransport, SendLimits, TransportError, TransportErrorKind as Kind,
};

use super::broken_by;
use super::hand::{Flaw, HandTransport};

type Answer = Result<Response<SecretBody>, TransportError>;

struct Around<F> {
    right: Arc<HandTransport>,
    exchange: F,
}

impl<F> fmt::Debug for Around<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Around")
    }
}

impl<F> BlockingTransport for Around<F>
where
    F: Fn(&Arc<HandTransport>, Request<SecretBody>, &SendLimits) -> Answer + Send + Sync,
{
    fn send(&self, request: Request<SecretBody>, limits: &SendLimits) -> Answer {
        (self.exchange)(&self.right, request, limits)
    }
}

/// The checks that a transport with this exchange fails are these and no others.
#[track_caller]
fn is_found_by_alone<F>(checks: &[&str], exchange: F)
where
    F: Fn(&Arc<HandTransport>, Request<SecretBody>, &SendLimits) -> Answer
        + Clone
        + Send
        + Sync
        + 'static,
{
    let candidate = Candidate::blocking(move |_| {
        let right = Arc::new(HandTransport::with(Flaw::None));
        Ok::<_, Infallible>(Around { right, exchange: exchange.clone() })
    });
    are_found(checks, candidate);
}

/// The checks that this transport fails are these and no others.
#[track_caller]
fn are_found(checks: &[&str], candidate: Candidate) {
    let broken = broken_by(candidate, &["plain", "keep_alive"]);
    let found: BTreeSet<_> = broken.iter().map(|(_, name, _)| *name).collect();
    let report: Vec<_> = broken.iter().map(|(_, _, violation)| violation.to_string()).collect();
    assert_eq!(found, checks.iter().copied().collect(), "\n{}", report.join("\n"));
}

#[test]
fn a_transport_that_follows_redirects_of_a_get_is_found() {
    let check = "a_redirect_of_a_request_of_another_kind_is_handed_back";
    is_found_by_alone(&[check], |right, mut request, limits| {
        let response = right.send(request.clone(), limits)?;
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        let location = location.and_then(|location| location.parse::<Uri>().ok());
        match location.filter(|uri| uri.scheme_str() == Some("http")) {
            Some(location) if response.status() == 302 && request.method() == Method::GET => {
                *request.uri_mut() = location;
                right.send(request, limits)
            }
            _ => Ok(response),
        }
    });
}

#[test]
fn a_transport_that_sends_what_has_no_body_again_is_found() {
    is_found_by_alone(&["a_request_of_another_kind_is_sent_once"], |right, request, limits| {
        match right.send(request.clone(), limits) {
            Err(error) if error.kind() == Kind::Protocol && request.body().is_empty() => {
                right.send(request, limits)
            }
            answer => answer,
        }
    });
}

#[test]
fn a_transport_that_sends_a_put_again_is_found() {
    is_found_by_alone(&["a_request_of_another_kind_is_sent_once"], |right, request, limits| {
        match right.send(request.clone(), limits) {
            Err(error) if error.kind() == Kind::Protocol && request.method() == Method::PUT => {
                right.send(request, limits)
            }
            answer => answer,
        }
    });
}

#[test]
fn a_transport_that_makes_every_request_a_post_is_found() {
    let checks = [
        "requests_of_other_kinds_arrive_exactly_as_they_were_built",
        "a_redirect_of_a_request_of_another_kind_is_handed_back",
        "an_ipv6_literal_is_a_host_like_any_other",
        "nothing_of_an_exchange_is_in_the_next",
    ];
    is_found_by_alone(&checks, |right, mut request, limits| {
        *request.method_mut() = Method::POST;
        right.send(request, limits)
    });
}

#[test]
fn a_transport_that_loses_the_query_is_found() {
    let checks = [
        "requests_of_other_kinds_arrive_exactly_as_they_were_built",
        "an_ipv6_literal_is_a_host_like_any_other",
        "nothing_of_an_exchange_is_in_the_next",
    ];
    is_found_by_alone(&checks, |right, mut request, limits| {
        let uri = request.uri().to_string();
        let path = uri.split_once('?').map_or(uri.as_str(), |(path, _)| path);
        *request.uri_mut() = path.parse().unwrap_or_default();
        right.send(request, limits)
    });
}

#[test]
fn a_transport_that_sends_the_first_mib_alone_is_found() {
    is_found_by_alone(&["a_body_of_several_mib_arrives_whole"], |right, request, limits| {
        let (head, body) = request.into_parts();
        let bytes = body.as_ref();
        let start = bytes.get(..1 << 20).unwrap_or(bytes).to_vec();
        right.send(Request::from_parts(head, SecretBody::new(start)), limits)
    });
}

#[test]
fn a_transport_that_knows_no_ipv6_is_found() {
    let check = "an_ipv6_literal_is_a_host_like_any_other";
    is_found_by_alone(&[check], |right, request, limits| {
        if request.uri().host().is_some_and(|host| host.starts_with('[')) {
            return Err(TransportError::new(Kind::Connect).not_sent());
        }
        right.send(request, limits)
    });
}

#[test]
fn a_transport_without_a_limit_for_the_answer_to_a_get_is_found() {
    let check = "an_endless_answer_to_a_get_is_too_large";
    is_found_by_alone(&[check], |right, request, limits| {
        let mut limits = *limits;
        if request.method() == Method::GET {
            limits = limits.with_max_response_bytes(usize::MAX);
        }
        right.send(request, &limits)
    });
}

#[test]
fn a_transport_without_a_deadline_for_a_get_is_found() {
    let check = "a_get_that_is_never_answered_meets_the_deadline";
    is_found_by_alone(&[check], |right, request, limits| {
        let limits = match *request.method() {
            Method::GET => SendLimits::new().with_max_response_bytes(limits.max_response_bytes()),
            _ => *limits,
        };
        right.send(request, &limits)
    });
}

/// A transport that sends again after such an answer.
fn sends_again_after(
    is_such: impl Fn(&Response<SecretBody>) -> bool + Clone + Send + Sync + 'static,
    check: &str,
) {
    is_found_by_alone(&[check], move |right, request, limits| {
        let response = right.send(request.clone(), limits)?;
        if is_such(&response) { right.send(request, limits) } else { Ok(response) }
    });
}

#[test]
fn a_transport_that_sends_again_after_a_status_is_found() {
    for status in [307, 408, 421, 425, 504] {
        sends_again_after(
            move |response| {
                response.status() == status
                    && !response.headers().contains_key("retry-after")
                    && response.headers().contains_key("proxy-authenticate")
            },
            "no_status_makes_it_send_again",
        );
    }
}

#[test]
fn a_transport_that_sends_again_when_a_date_has_passed_is_found() {
    let is_date = |response: &Response<SecretBody>| {
        let retry_after = response.headers().get("retry-after");
        retry_after.is_some_and(|value| value.as_bytes().ends_with(b"GMT"))
    };
    sends_again_after(is_date, "no_retry_after_makes_it_send_again");
}

#[test]
fn a_transport_that_goes_on_in_the_background_is_found() {
    is_found_by_alone(&["nothing_goes_on_after_a_timeout"], |right, request, limits| {
        let (right, within) = (Arc::clone(right), limits.total_timeout());
        let longer = limits.with_total_timeout(within.saturating_mul(100));
        let (sender, answer) = channel();
        thread::spawn(move || drop(sender.send(right.send(request, &longer))));
        answer.recv_timeout(within).unwrap_or_else(|_| Err(TransportError::new(Kind::Timeout)))
    });
}

#[test]
fn a_transport_that_sends_after_it_said_not_sent_is_found() {
    is_found_by_alone(&["no_time_at_all_is_a_timeout"], |right, request, limits| {
        if limits.total_timeout().is_zero() {
            let _ = right.send(request, &SendLimits::new());
            return Err(TransportError::new(Kind::Timeout).not_sent());
        }
        right.send(request, limits)
    });
}

#[test]
fn a_transport_whose_deadline_is_seconds_late_is_found() {
    let checks = [
        "a_server_that_never_says_a_word_meets_the_deadline",
        "a_request_that_is_never_answered_meets_the_deadline",
        "a_get_that_is_never_answered_meets_the_deadline",
        "headers_that_drip_meet_the_deadline",
        "a_body_that_drips_meets_the_deadline",
        "a_body_that_stops_meets_the_deadline",
        "a_body_that_never_ends_meets_the_deadline",
        "interim_responses_without_end_are_an_error",
    ];
    is_found_by_alone(&checks, |right, request, limits| {
        let is_to_wait = !limits.total_timeout().is_zero();
        let answer = right.send(request, limits);
        if is_to_wait && answer.as_ref().is_err_and(|error| error.kind() == Kind::Timeout) {
            // Nothing comes; the sender lives on.
            let (_sender, nothing) = channel::<()>();
            let _ = nothing.recv_timeout(Duration::from_secs(3));
        }
        answer
    });
}

#[test]
fn a_transport_that_reads_on_past_the_limit_is_found() {
    is_found_by_alone(&["the_first_byte_over_the_limit_is_enough"], |right, request, limits| {
        let limit = limits.max_response_bytes();
        let response =
            right.send(request, &limits.with_max_response_bytes(limit.saturating_add(2048)))?;
        match response.body().len() > limit {
            true => Err(TransportError::new(Kind::TooLarge)),
            false => Ok(response),
        }
    });
}

#[test]
fn a_transport_that_reserves_what_is_announced_is_found() {
    let check = "a_length_that_is_only_announced_reserves_nothing";
    let reserves = || HandTransport::with(Flaw::ReservesWhatIsAnnounced);
    are_found(&[check], Candidate::blocking(move |_| Ok::<_, Infallible>(reserves())));
}

#[test]
fn a_transport_that_decodes_deflate_is_found() {
    is_found_by_alone(&["no_other_encoding_is_decoded"], |right, request, limits| {
        let response = right.send(request, limits)?;
        let mut decoded = Vec::new();
        let is_deflate = response.headers().get("content-encoding");
        let is_deflate = is_deflate.is_some_and(|encoding| encoding == "deflate");
        let mut decoder = flate2::read::ZlibDecoder::new(response.body().as_ref());
        if is_deflate && decoder.read_to_end(&mut decoded).is_ok() {
            return Ok(response.map(|_| SecretBody::new(decoded)));
        }
        Ok(response)
    });
}

/// A transport that remembers something of an exchange, and says it in a header of each later
/// request to that server which has none.
#[track_caller]
fn remembers(
    header: &'static str,
    of: impl Fn(&HeaderMap, &Response<SecretBody>) -> Option<HeaderValue>
    + Clone
    + Send
    + Sync
    + 'static,
) {
    let memory = Arc::new(Mutex::new(HashMap::new()));
    is_found_by_alone(
        &["nothing_of_an_exchange_is_in_the_next"],
        move |right, mut request, limits| {
            let server = request.uri().authority().map(ToString::to_string);
            if let Some(value) = memory.lock().unwrap().get(&server)
                && !request.headers().contains_key(header)
            {
                request.headers_mut().insert(header, HeaderValue::clone(value));
            }
            let sent = request.headers().clone();
            let response = right.send(request, limits)?;
            memory.lock().unwrap().extend(of(&sent, &response).map(|value| (server, value)));
            Ok(response)
        },
    );
}

#[test]
fn a_transport_that_sends_cookies_back_is_found() {
    remembers("cookie", |_, response| response.headers().get("set-cookie").cloned());
}

#[test]
fn a_transport_that_asks_whether_its_copy_is_still_good_is_found() {
    remembers("if-none-match", |_, response| response.headers().get("etag").cloned());
}

#[test]
fn a_transport_that_keeps_the_token_of_a_request_that_was_challenged_is_found() {
    remembers("authorization", |sent, response| {
        let is_challenge = response.headers().contains_key("www-authenticate");
        sent.get("authorization").filter(|_| is_challenge).cloned()
    });
}
