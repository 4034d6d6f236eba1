//! Rule 9: an idle connection is used for at most 5 s.
//!
//! There are two ways to keep it. A client that closes its idle connections does so while the check
//! waits for that. One that looks at a connection's age when it wants to use it keeps it open; then
//! the wait has lasted for longer than a connection may be idle, and the next request must come on
//! another one. This is real time, since a test cannot set a client's clock.

use std::thread;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::conformance::bench::{AMPLE, Bench};
use crate::conformance::check::Wire;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};

pub(in crate::conformance) const RULE: Rule = Rule::Idle;

/// Five seconds, and what a timer may be late without being wrong.
const LONGER_THAN_IDLE: Duration = Duration::from_millis(5500);

/// All wires at once, so that the wait is waited once.
pub(in crate::conformance) fn a_connection_that_was_idle_for_more_than_5_s_is_not_used_again(
    bench: &Bench<'_>,
) -> Outcome {
    let wires = [(Wire::Plain, "plain"), (Wire::Tls, "tls"), (Wire::Http2, "http2")];
    let candidate = bench.candidate();
    thread::scope(|scope| {
        let checks: Vec<_> = wires
            .into_iter()
            .filter(|(_, group)| !candidate.leaves_out(group))
            .map(|(wire, group)| {
                scope.spawn(move || {
                    let bench = Bench::new(candidate, wire, None);
                    is_not_used_again(&bench)
                        .map_err(|violation| violation.when(group).seen(bench.saw()))
                })
            })
            .collect();
        checks.into_iter().try_for_each(|check| {
            check.join().unwrap_or_else(|_| Err(Violation::new("the check panicked")))
        })
    })
}

fn is_not_used_again(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    scene.must_still_work()?;
    if scene.emulator.wait_until_no_connection_is_open(LONGER_THAN_IDLE) {
        return Ok(());
    }
    scene.must_still_work()?;
    let requests = scene.emulator.requests();
    let reused = requests.last().is_some_and(|request| request.on_reused_connection());
    ensure!(!reused, "a connection that had been idle for {LONGER_THAN_IDLE:?} was used again");
    Ok(())
}

/// How long a client may go on using a dead connection, of which only its silence tells.
const LONGER_THAN_DEAD: Duration = Duration::from_secs(20);

/// Streams come and go on one HTTP/2 connection, so that it is never idle, and a stream that timed
/// out does not close it.
pub(in crate::conformance) fn a_connection_that_has_gone_dead_is_given_up(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.must_still_work()?;
    scene.emulator.push_fault(Fault::dead());
    let until = Instant::now() + LONGER_THAN_DEAD;
    while Instant::now() < until {
        if scene
            .sign_in_within(AMPLE.with_total_timeout(Duration::from_secs(1)))?
            .response()
            .is_ok()
        {
            return Ok(());
        }
    }
    Err(Violation::new(
        "a connection on which nothing had come for a long time was used again and again",
    ))
}
