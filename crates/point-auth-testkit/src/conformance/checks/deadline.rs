//! Rule 4: everything ends by the deadline, and the connection stands by the connect limit.

use std::time::{Duration, Instant};

use point_auth_core::operation::json_post;
use point_auth_core::{SecretBody, SignIn};
use point_auth_transport::SendLimits;
use point_auth_transport::TransportErrorKind::{self, Protocol, Timeout};

use crate::conformance::bench::{AMPLE, Bench, SHORT, SOON, Scene, sign_in_at};
use crate::conformance::canary;
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{Cut, Direction, Fault, FaultProxy, Flow, LinkFaults, RawBehavior};

pub(in crate::conformance) const RULE: Rule = Rule::Deadline;

const A_LITTLE: Duration = Duration::from_millis(20);
const TOTAL: SendLimits = AMPLE.with_total_timeout(SHORT);
/// The deadline is near enough that a client which knows no connect limit can be waited for.
const CONNECT: SendLimits =
    AMPLE.with_connect_timeout(SHORT).with_total_timeout(Duration::from_secs(4));

/// Holds what an exchange that meets a limit takes against that limit. A machine that is busy with
/// other things makes an exchange late, and hardly each of several.
pub(super) fn ends_by(limit: Duration, exchange: impl Fn() -> Outcome) -> Outcome {
    const LATE: Duration = Duration::from_millis(1500);
    const TRIES: usize = 4;
    let mut shortest = Duration::MAX;
    for _ in 0..TRIES {
        let start = Instant::now();
        exchange()?;
        shortest = shortest.min(start.elapsed());
        if shortest < limit.saturating_add(LATE) {
            return Ok(());
        }
    }
    let message = format!("with a limit of {limit:?} it took {shortest:?} or more, {TRIES} times");
    Err(Violation::of(Rule::Deadline, message))
}

pub(in crate::conformance) fn a_server_that_never_says_a_word_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    let server = bench.raw_server(RawBehavior::Silent)?;
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let base = bench.base_at(server.addr())?;
    ends_by(SHORT, || {
        transport.send(sign_in_at(&base)?, TOTAL)?.failed(&[Timeout])?;
        Ok(())
    })
}

pub(in crate::conformance) fn a_tls_handshake_that_hangs_meets_the_connect_limit(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    // A record that announces 16 KiB of ServerHello and has none.
    let half_a_record: &[u8] = &[22, 3, 3, 64, 0, 2, 0, 63];
    for behavior in [RawBehavior::Silent, RawBehavior::Send(half_a_record.into())] {
        let server = bench.raw_server(behavior)?;
        let base = bench.base_at(server.addr())?;
        ends_by(SHORT, || {
            transport.send(sign_in_at(&base)?, CONNECT)?.failed(&[Timeout])?.not_sent()
        })?;
        ensure!(server.wait_for_bytes(1, SOON), "TLS did not begin");
        let received = server.received().concat();
        // The first byte of a record of the handshake (RFC 8446, section 5.1).
        ensure!(received.first() == Some(&22), "what the server got is no handshake");
        ensure!(
            !canary::is_in(&String::from_utf8_lossy(&received)),
            "the server got a secret in the clear"
        );
    }
    Ok(())
}

pub(in crate::conformance) fn a_request_that_is_never_answered_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    meets_the_deadline(&bench.scene()?, Fault::silent())
}

pub(in crate::conformance) fn a_get_that_is_never_answered_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.must_still_work()?;
    ends_by(SHORT, || {
        let before = scene.arrived();
        scene.emulator.push_fault(Fault::silent());
        let request = Kind::GET.request(&scene.base)?;
        let failed = scene.transport.send(request, TOTAL)?.failed(&[Timeout])?;
        if scene.arrived() > before { failed.may_have_been_sent() } else { Ok(()) }
    })
}

/// A connection on which an answer is still to come is of no use to another request. One that
/// stays open says that the exchange goes on.
pub(in crate::conformance) fn nothing_goes_on_after_a_timeout(bench: &Bench<'_>) -> Outcome {
    const WITHIN: Duration = Duration::from_secs(5);
    let scene = bench.scene()?;
    for fault in [Fault::silent(), Fault::pass().drip_body(100, AMPLE.total_timeout())] {
        let before = scene.arrived();
        scene.emulator.push_fault(fault);
        scene.sign_in_within(TOTAL)?.failed(&[Timeout])?;
        let has_ended = scene.emulator.wait_until_no_connection_is_open(WITHIN);
        ensure!(has_ended, "{WITHIN:?} after a timeout the connection was still open");
        let arrived = scene.arrived() - before;
        ensure!(arrived <= 1, "one request was sent, and {arrived} arrived");
        // A fault that met no request would be for the next.
        scene.emulator.clear_faults();
    }
    Ok(())
}

/// The server's part of the handshake comes after the connect limit.
pub(in crate::conformance) fn what_was_not_sent_is_not_sent_later(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let link = FaultProxy::start(emulator.addr())?;
    let late = Flow::new().latency(2 * SHORT);
    link.set_faults(LinkFaults::new().with(Direction::ToClient, late));
    let base = bench.base_at(link.addr())?;
    transport.send(sign_in_at(&base)?, CONNECT)?.failed(&[Timeout])?.not_sent()?;
    // A client that gives the connection up closes it. Otherwise the handshake is over by then.
    let _ = link.wait_for_closed_connections(1, 5 * SHORT);
    let arrived = emulator.count_where(|_| true);
    ensure!(arrived == 0, "a request arrived after it was said that nothing was sent");
    Ok(())
}

pub(in crate::conformance) fn headers_that_drip_meet_the_deadline(bench: &Bench<'_>) -> Outcome {
    meets_the_deadline(&bench.scene()?, Fault::pass().drip(1, A_LITTLE))
}

pub(in crate::conformance) fn a_body_that_drips_meets_the_deadline(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    meets_the_deadline(&scene, Fault::pass().drip_body(1, A_LITTLE))?;
    meets_the_deadline(&scene, Fault::pass().chunked().drip_body(1, A_LITTLE))
}

pub(in crate::conformance) fn a_body_that_stops_meets_the_deadline(bench: &Bench<'_>) -> Outcome {
    meets_the_deadline(&bench.scene()?, Fault::pass().drip_body(100, AMPLE.total_timeout()))
}

/// Bytes that come as fast as they are read reset every timeout between two reads.
pub(in crate::conformance) fn a_body_that_never_ends_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let fault = Fault::respond(200).endless_body().drip_body(1000, A_LITTLE);
    ends_in_time(&scene, fault, TOTAL.with_max_response_bytes(usize::MAX), &[Timeout])
}

pub(in crate::conformance) fn interim_responses_without_end_are_an_error(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let fault = Fault::raw(interim.repeat(2000)).drip(interim.len(), A_LITTLE);
    // Some count them before the time is over.
    ends_in_time(&scene, fault, TOTAL, &[Timeout, Protocol])
}

pub(in crate::conformance) fn a_server_that_stops_reading_a_large_request_meets_the_deadline(
    bench: &Bench<'_>,
) -> Outcome {
    // A write that waits and then sends a part is a success, and the next must not get all the time
    // again. The latest end lies well before the limit has passed twice.
    const LIMIT: Duration = Duration::from_secs(4);
    const LATEST: Duration = Duration::from_secs(7);
    const MORE_THAN_BUFFERS_HOLD: usize = 20 * 1024 * 1024;
    // Whether there is room for a part depends on what was read. The emulator takes more than this.
    const READ_BYTES: [u64; 4] = [100_000, 300_000, 700_000, 900_000];
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let link = FaultProxy::start(emulator.addr())?;
    for bytes in READ_BYTES {
        let stall = Flow::new().cut_after(bytes, Cut::Stall);
        link.push_faults(LinkFaults::new().with(Direction::ToServer, stall));
    }
    let base = bench.base_at(link.addr())?;
    let body = SecretBody::new(vec![b' '; MORE_THAN_BUFFERS_HOLD]);
    let request = || {
        json_post(&base, SignIn::PATH, body.clone())
            .map_err(|error| Violation::new(error.to_string()))
    };
    let requests = READ_BYTES.iter().map(|_| request()).collect::<Result<_, _>>()?;
    let start = Instant::now();
    let attempts = transport.send_all(requests, AMPLE.with_total_timeout(LIMIT))?;
    let took = start.elapsed();
    for attempt in attempts {
        attempt.failed(&[Timeout])?.may_have_been_sent()?;
    }
    ensure!(took < LATEST, "with a limit of {LIMIT:?} it took {took:?}");
    Ok(())
}

fn meets_the_deadline(scene: &Scene, fault: Fault) -> Outcome {
    ends_in_time(scene, fault, TOTAL, &[Timeout])
}

fn ends_in_time(
    scene: &Scene,
    fault: Fault,
    limits: SendLimits,
    kinds: &[TransportErrorKind],
) -> Outcome {
    ends_by(limits.total_timeout(), || {
        // So that the time is not used up by a handshake on a busy machine.
        scene.must_still_work()?;
        let before = scene.posts();
        scene.emulator.push_fault(fault.clone());
        let failed = scene.sign_in_within(limits)?.failed(kinds)?;
        if scene.posts() > before { failed.may_have_been_sent() } else { Ok(()) }
    })
}

pub(in crate::conformance) fn the_connect_limit_is_not_for_the_answer(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.must_still_work()?;
    scene.emulator.push_fault(Fault::pass().delay(Duration::from_millis(900)));
    scene.sign_in_within(AMPLE.with_connect_timeout(Duration::from_millis(600)))?.response()?;
    Ok(())
}

pub(in crate::conformance) fn no_time_at_all_is_a_timeout(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    let total = AMPLE.with_total_timeout(Duration::ZERO);
    let mut may_arrive = 1;
    for limits in [total, total.with_connect_timeout(Duration::ZERO)] {
        let failed = scene.sign_in_within(limits)?.failed(&[Timeout])?;
        may_arrive += usize::from(failed.may_have_been_sent().is_ok());
    }
    scene.must_still_work()?;
    let arrived = scene.posts();
    ensure!(arrived <= may_arrive, "{arrived} requests arrived where {may_arrive} may have");
    Ok(())
}

pub(in crate::conformance) fn all_the_time_there_is_does_no_harm(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for time in [Duration::MAX, Duration::MAX / 2, Duration::from_secs(u64::from(u32::MAX) * 1000)]
    {
        let limits = SendLimits::new().with_connect_timeout(time).with_total_timeout(time);
        let response = scene.sign_in_within(limits)?.response()?;
        ensure!(response.status() == 200, "with {time:?} it got {}", response.status());
    }
    Ok(())
}
