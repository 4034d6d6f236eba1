//! Where a connection falls silent, and what has to come of it.

use std::collections::BTreeSet;
use std::time::Duration;

use point_auth_transport::{SendLimits, TransportError, TransportErrorKind};

use super::plan::record_edges;
use crate::conformance::bench::{AMPLE, SHORT};
use crate::conformance::canary;
use crate::conformance::check::Wire;
use crate::conformance::violation::{Outcome, Rule, Violation};

/// There is nothing but the time to end it.
pub(super) const LIMITS: SendLimits = AMPLE.with_total_timeout(SHORT);

/// For the sign-in afterwards: a client that uses the silent connection again waits for all of it.
pub(super) const AFTERWARDS: SendLimits = AMPLE.with_total_timeout(Duration::from_secs(5));

/// How much earlier than its limit an exchange may end that ends by its limit: clocks are not all
/// of one grain.
const GRAIN: Duration = Duration::from_millis(50);

/// The places that differ, of what goes in one direction.
pub(super) fn places(wire: Wire, stream: &[u8]) -> BTreeSet<u64> {
    let edges = if wire == Wire::Plain { text_edges(stream) } else { record_edges(stream) };
    let end = stream.len() as u64;
    let begin_of_last = edges.iter().copied().filter(|edge| *edge < end).max().unwrap_or_default();
    let middle = begin_of_last.midpoint(end);
    edges
        .into_iter()
        .chain([middle, end.saturating_sub(1), end])
        .filter(|place| *place <= end)
        .collect()
}

/// Of a message in the clear: its begin, the edges of its first line's end, and the edges of its
/// head's end.
fn text_edges(stream: &[u8]) -> Vec<u64> {
    let after = |end: &[u8]| {
        stream.windows(end.len()).position(|window| window == end).map(|at| (at + end.len()) as u64)
    };
    let edges = [after(b"\r\n"), after(b"\r\n\r\n")];
    std::iter::once(0)
        .chain(edges.into_iter().flatten().flat_map(|edge| [edge - 1, edge]))
        .collect()
}

/// What the wire has seen of an exchange that met silence.
pub(super) struct Seen {
    pub(super) was_cut: bool,
    /// The client has written something of the body.
    pub(super) is_body_written: bool,
    /// There cannot have been a handshake, without which nothing is sent.
    pub(super) is_before_the_handshake: bool,
    pub(super) took: Duration,
}

pub(super) fn look_at_the_error(error: &TransportError, seen: &Seen) -> Outcome {
    let told = canary::describe(error);
    let wrong = |message: String| Err(Violation::of(Rule::Kinds, message));
    if error.kind() != TransportErrorKind::Timeout {
        return match seen.was_cut {
            true => wrong(format!("instead of Timeout there is {told}")),
            false => Err(Violation::of(
                Rule::Exchange,
                format!("there was no silence, and there is {told}"),
            )),
        };
    }
    if seen.took + GRAIN < SHORT {
        return wrong(format!("after {:?} of {SHORT:?} there is already {told}", seen.took));
    }
    if seen.is_body_written && !error.may_have_been_sent() {
        return wrong(format!(
            "something of the body was sent, but the error says that nothing was: {told}"
        ));
    }
    if seen.is_before_the_handshake && error.may_have_been_sent() {
        return wrong(format!(
            "there was no handshake, but the error says that something may have been sent: {told}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_clear_it_falls_silent_around_the_edges_of_lines_head_and_body() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
        let expected = [0, 16, 17, 37, 38, 40, 41, 42].map(|place| place.min(answer.len() as u64));
        assert_eq!(places(Wire::Plain, answer), BTreeSet::from(expected));
    }

    #[test]
    fn with_tls_it_falls_silent_at_the_edges_of_records_and_in_the_last() {
        let records = [&[22, 3, 3, 0, 1, 0][..], &[23, 3, 3, 0, 5, 1, 2, 3, 4, 5]].concat();
        assert_eq!(places(Wire::Tls, &records), BTreeSet::from([0, 6, 11, 15, 16]));
    }

    #[test]
    fn where_nothing_goes_it_is_silent_from_the_beginning() {
        assert_eq!(places(Wire::Plain, b""), BTreeSet::from([0]));
    }
}
