//! Rule 2: the request is sent once, however much the protocol would allow another try.

use std::time::Duration;

use point_auth_transport::TransportErrorKind::{Connect, Protocol};

use crate::conformance::bench::{AMPLE, Bench, SOON, Scene, sign_in_at};
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{EmulatorBuilder, Fault};

pub(in crate::conformance) const RULE: Rule = Rule::SentOnce;

pub(in crate::conformance) fn a_pooled_connection_that_closes_under_the_request_ends_it(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.must_still_work()?;
    scene.emulator.push_fault(Fault::close_pooled_connection());
    // A client may be a moment late to put its connection back, or keep none at all.
    for sent in 2..=20 {
        let attempt = scene.sign_in()?;
        let arrived = scene.posts();
        ensure!(arrived == sent, "{arrived} requests arrived where {sent} were sent");
        if scene.emulator.pending_faults() == 0 {
            attempt.failed(&[Protocol])?.may_have_been_sent()?;
            return scene.must_still_work();
        }
        attempt.response()?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_connection_closed_while_idle_carries_no_second_request(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    for round in 1..=3 {
        scene.emulator.push_fault(Fault::pass().close_after_answer());
        let first = scene.sign_in()?.response()?;
        ensure!(first.status() == 200, "the first got {}", first.status());
        // Every other time the client may not have seen yet that the connection is gone.
        if round % 2 == 0 {
            let is_closed = scene.emulator.wait_until_no_connection_is_open(SOON);
            ensure!(is_closed, "the client kept a connection open that the server had closed");
        }
        let before = scene.posts();
        let attempt = scene.sign_in()?;
        match (attempt.0.is_ok(), scene.posts() - before) {
            (true, 1) => {}
            (false, 0) => {
                attempt.failed(&[Protocol, Connect])?;
            }
            (false, 1) => attempt.failed(&[Protocol])?.may_have_been_sent()?,
            (_, arrived) => {
                return Err(Violation::new(format!("one request was sent and {arrived} arrived")));
            }
        }
    }
    Ok(())
}

pub(in crate::conformance) fn a_connection_that_says_close_is_not_used_again(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::pass().connection_close());
    scene.sign_in()?.response()?;
    scene.must_still_work()?;
    ensure!(scene.posts() == 2, "{} requests arrived where 2 were sent", scene.posts());
    Ok(())
}

pub(in crate::conformance) fn a_request_without_an_answer_is_sent_once(
    bench: &Bench<'_>,
) -> Outcome {
    ends_unanswered(bench, Fault::close_after_request)
}

pub(in crate::conformance) fn a_request_that_is_answered_by_a_reset_is_sent_once(
    bench: &Bench<'_>,
) -> Outcome {
    ends_unanswered(bench, Fault::reset)
}

pub(in crate::conformance) fn a_goaway_that_says_nothing_was_processed_is_not_believed(
    bench: &Bench<'_>,
) -> Outcome {
    ends_unanswered(bench, || Fault::goaway(0))?;
    ends_unanswered(bench, || Fault::goaway(Fault::ENHANCE_YOUR_CALM))
}

pub(in crate::conformance) fn a_refused_stream_is_not_tried_again(bench: &Bench<'_>) -> Outcome {
    ends_unanswered(bench, || Fault::reset_stream(Fault::REFUSED_STREAM))
}

pub(in crate::conformance) fn a_stream_that_wants_http_1_is_not_tried_again(
    bench: &Bench<'_>,
) -> Outcome {
    ends_unanswered(bench, || Fault::reset_stream(Fault::HTTP_1_1_REQUIRED))?;
    ends_unanswered(bench, || Fault::reset_stream(Fault::ENHANCE_YOUR_CALM))
}

/// The first request on a connection, and one on a connection that has served another.
fn ends_unanswered(bench: &Bench<'_>, fault: impl Fn() -> Fault) -> Outcome {
    for others in [0, 1] {
        let scene = bench.scene()?;
        for _ in 0..others {
            scene.must_still_work()?;
        }
        scene.emulator.push_fault(fault());
        let attempt = scene.sign_in()?;
        let arrived = scene.posts() - others;
        ensure!(arrived == 1, "one request was sent, and {arrived} arrived");
        attempt.failed(&[Protocol])?.may_have_been_sent()?;
        scene.must_still_work()?;
    }
    Ok(())
}

/// What has no body, or has a method that changes nothing when it comes twice, a client may take
/// for harmless. It still carries an access token.
pub(in crate::conformance) fn a_request_of_another_kind_is_sent_once(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    let faults = [
        Fault::close_after_request(),
        Fault::reset(),
        Fault::goaway(0),
        Fault::reset_stream(Fault::REFUSED_STREAM),
    ];
    for kind in Kind::distinct() {
        for fault in &faults {
            let when = |violation: Violation| violation.when(format!("{kind} and {fault:?}"));
            // So that a connection is there to be used again. The next request has a new one.
            scene.send(&kind)?.response().map_err(when)?;
            for _ in 0..2 {
                let before = scene.arrived();
                scene.emulator.push_fault(fault.clone());
                let attempt = scene.send(&kind)?;
                let arrived = scene.arrived() - before;
                ensure!(arrived == 1, "{kind} was sent once, and {arrived} arrived: {fault:?}");
                let failed = attempt.failed(kind.unanswered()).map_err(when)?;
                failed.may_have_been_sent().map_err(when)?;
            }
        }
    }
    Ok(())
}

/// What comes before the end of a TLS handshake can be sent again by an attacker that saw it (RFC 8446,
/// section 8).
pub(in crate::conformance) fn nothing_is_sent_before_the_handshake_is_over(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator_with(EmulatorBuilder::take_early_data)?;
    let transport = bench.transport_for(&emulator)?;
    let scene = Scene::new(emulator, transport)?;
    let limits = AMPLE.with_total_timeout(Duration::from_secs(5));
    for request in [sign_in_at(&scene.base)?, Kind::GET.request(&scene.base)?] {
        // The next has a connection of its own, which can resume the session of this one.
        scene.emulator.push_fault(Fault::pass().connection_close());
        scene.sign_in()?.response()?;
        let attempt = scene.transport.send(request, limits)?;
        let early = scene.emulator.early_bytes();
        ensure!(early == 0, "{early} bytes came before the handshake was over");
        attempt.response()?;
    }
    Ok(())
}

/// What some client sends again: redirects, challenges, and failures that may pass.
const STATUSES: [u16; 30] = [
    204, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 407, 408, 409, 413, 417, 421, 423,
    425, 426, 429, 500, 501, 502, 503, 504, 507, 520, 529,
];
/// Those to which a client may heed a `Retry-After`.
const WITH_RETRY_AFTER: [u16; 12] = [301, 302, 307, 408, 413, 425, 429, 500, 502, 503, 504, 529];
const RETRY_AFTER: [&str; 3] = ["1", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"];

pub(in crate::conformance) fn no_status_makes_it_send_again(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in STATUSES {
        is_answered_once(&scene, status, None)?;
        is_answered_once(&scene, status, Some("0"))?;
    }
    Ok(())
}

pub(in crate::conformance) fn no_retry_after_makes_it_send_again(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in WITH_RETRY_AFTER {
        for retry_after in RETRY_AFTER {
            is_answered_once(&scene, status, Some(retry_after))?;
        }
    }
    Ok(())
}

/// A sign-in, and what has no body.
fn is_answered_once(scene: &Scene, status: u16, retry_after: Option<&str>) -> Outcome {
    let mut fault = Fault::respond(status)
        .header("www-authenticate", "Basic realm=\"x\"")
        .header("proxy-authenticate", "Basic realm=\"x\"");
    if let Some(retry_after) = retry_after {
        fault = fault.header("retry-after", retry_after);
    }
    if status != 204 && status != 304 {
        fault = fault.body("later");
    }
    for request in [sign_in_at(&scene.base)?, Kind::GET.request(&scene.base)?] {
        let (before, method) = (scene.arrived(), request.method().clone());
        scene.emulator.push_fault(fault.clone());
        // What comes of it is another rule's.
        drop(scene.transport.send(request, AMPLE)?);
        let arrived = scene.arrived() - before;
        ensure!(
            arrived == 1,
            "after a {status} with Retry-After {retry_after:?} there were {arrived} requests ({method})"
        );
    }
    Ok(())
}
