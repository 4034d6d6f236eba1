//! [`SweepReport`]: how many cuts there were, and what came of them.

use std::fmt;
use std::time::Duration;

use point_auth_transport::{TransportError, TransportErrorKind};

use super::plan::Lengths;
use super::{Means, SweptConnection};
use crate::conformance::check::Wire;

/// What came of the cuts of a [`sweep`](super::sweep()) or a
/// [`sweep_silence`](super::sweep_silence). `Display` makes a row of it, for a table with
/// [`HEADER`](Self::HEADER) on top.
#[derive(Clone, Debug)]
pub struct SweepReport {
    wire: Wire,
    connection: SweptConnection,
    means: Means,
    lengths: Lengths,
    cuts: usize,
    whole: usize,
    errors: Vec<(TransportErrorKind, usize)>,
    not_sent: usize,
    follow_ups: usize,
    stale: usize,
    longest: Duration,
    elapsed: Duration,
}

impl SweepReport {
    /// The two lines above the rows, in Markdown.
    pub const HEADER: &'static str = "\
        | wire | connection | bytes there | back | cuts | whole answers | Connect | Protocol | Timeout | of these not sent \
        | sign-ins afterwards | of these stale | longest | in all |\n\
        |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    pub(super) const fn new(
        wire: Wire,
        connection: SweptConnection,
        means: Means,
        lengths: Lengths,
    ) -> Self {
        Self {
            wire,
            connection,
            means,
            lengths,
            cuts: 0,
            whole: 0,
            errors: Vec::new(),
            not_sent: 0,
            follow_ups: 0,
            stale: 0,
            longest: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }

    /// How many cuts there were. Those that would have come after the last byte do not count.
    #[must_use]
    pub const fn cuts(&self) -> usize {
        self.cuts
    }

    /// How many cuts came too late to harm the answer.
    #[must_use]
    pub const fn whole_answers(&self) -> usize {
        self.whole
    }

    /// How many cuts ended in an error of this kind.
    #[must_use]
    pub fn errors(&self, kind: TransportErrorKind) -> usize {
        self.errors
            .iter()
            .find_map(|(of, count)| (*of == kind).then_some(*count))
            .unwrap_or_default()
    }

    /// How many errors said that the request was certainly not sent.
    #[must_use]
    pub const fn not_sent(&self) -> usize {
        self.not_sent
    }

    /// How many sign-ins there were afterwards by the transport that had been cut off.
    #[must_use]
    pub const fn follow_ups(&self) -> usize {
        self.follow_ups
    }

    /// How many times the next sign-in met the connection that had been cut after a whole answer,
    /// and failed: a transport need not look before it uses a connection again, but it is better if
    /// it does.
    #[must_use]
    pub const fn stale(&self) -> usize {
        self.stale
    }

    /// The longest that one exchange took.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    pub(super) fn count_whole(&mut self) {
        self.cuts += 1;
        self.whole += 1;
    }

    pub(super) fn count_error(&mut self, error: &TransportError) {
        self.cuts += 1;
        self.not_sent += usize::from(!error.may_have_been_sent());
        self.count_errors(error.kind(), 1);
    }

    pub(super) const fn count_follow_up(&mut self) {
        self.follow_ups += 1;
    }

    pub(super) fn count_stale(&mut self) {
        self.stale += 1;
    }

    pub(super) fn count_time(&mut self, time: Duration) {
        self.longest = self.longest.max(time);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.cuts += other.cuts;
        self.whole += other.whole;
        self.not_sent += other.not_sent;
        self.follow_ups += other.follow_ups;
        self.stale += other.stale;
        self.longest = self.longest.max(other.longest);
        for (kind, count) in &other.errors {
            self.count_errors(*kind, *count);
        }
    }

    pub(super) const fn took(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    fn count_errors(&mut self, kind: TransportErrorKind, count: usize) {
        match self.errors.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, counted)) => *counted += count,
            None => self.errors.push((kind, count)),
        }
    }
}

impl fmt::Display for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = match self.wire {
            Wire::Plain => "HTTP/1.1",
            Wire::Tls => "HTTP/1.1 over TLS",
            Wire::Http2 => "HTTP/2 over TLS",
        };
        let connection = match self.connection {
            SweptConnection::New => "new",
            SweptConnection::Kept => "kept",
        };
        let silence = if self.means == Means::Silence { ", silence" } else { "" };
        write!(
            f,
            "| {wire} | {connection}{silence} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} ms | {:.1} s |",
            self.lengths.to_server,
            self.lengths.to_client,
            self.cuts,
            self.whole,
            self.errors(TransportErrorKind::Connect),
            self.errors(TransportErrorKind::Protocol),
            self.errors(TransportErrorKind::Timeout),
            self.not_sent,
            self.follow_ups,
            self.stale,
            self.longest.as_millis(),
            self.elapsed.as_secs_f64(),
        )
    }
}
