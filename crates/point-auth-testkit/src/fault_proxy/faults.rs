//! What can happen to a connection on its way, in each direction.

use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Direction {
    /// From the client to the server: requests.
    ToServer,
    /// From the server to the client: answers.
    ToClient,
}

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// Both sides see a proper end (TCP FIN), after all that was passed on.
    Close,
    /// Both sides see a reset (TCP RST). What was passed on and not read yet may be lost with it.
    Reset,
    /// Neither side notices: what comes in this direction from now on is swallowed, the end of it
    /// included, while the other direction goes on.
    Silence,
    /// Nothing more is read in this direction, so that the sender's buffers fill up and it cannot
    /// send on, while the other direction goes on. The end of it is not noticed, and the connection
    /// stays open, until other faults are in force or the proxy is dropped.
    Stall,
}

/// What happens to the bytes that go one way. By default they pass as soon as they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Flow {
    pub(super) latency: Duration,
    pub(super) bytes_per_second: Option<u64>,
    pub(super) slice: Option<usize>,
    pub(super) pause: Duration,
    pub(super) slow_close: Duration,
    pub(super) cut: Option<(u64, Cut)>,
}

impl Flow {
    /// Everything passes.
    pub const fn new() -> Self {
        Self {
            latency: Duration::ZERO,
            bytes_per_second: None,
            slice: None,
            pause: Duration::ZERO,
            slow_close: Duration::ZERO,
            cut: None,
        }
    }

    /// Holds each piece back for so long. A piece is what has come in since the last one, up to 16
    /// KiB.
    pub const fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Passes no more than so many bytes a second, in portions of a twentieth of a second; at least
    /// 1.
    pub const fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bytes_per_second = Some(if bytes_per_second == 0 { 1 } else { bytes_per_second });
        self
    }

    /// Passes no more than so many bytes in one write, at least 1. The reader may still see some of
    /// them together; a [pause](Self::pause) keeps them apart.
    pub const fn slices_of(mut self, bytes: usize) -> Self {
        self.slice = Some(if bytes == 0 { 1 } else { bytes });
        self
    }

    /// Waits for so long after each write; by default not at all.
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Passes the end of this direction on only after so long.
    pub const fn slow_close(mut self, delay: Duration) -> Self {
        self.slow_close = delay;
        self
    }

    /// Cuts the connection as soon as so many bytes have been passed on in this direction, and not
    /// one more: with 0 at once.
    pub const fn cut_after(mut self, bytes: u64, cut: Cut) -> Self {
        self.cut = Some((bytes, cut));
        self
    }

    /// How many bytes of so many may be passed on in the next write, when `passed` have been
    /// already.
    pub(super) fn portion(&self, waiting: usize, passed: u64) -> usize {
        let mut portion = waiting;
        if let Some((limit, _)) = self.cut {
            portion =
                portion.min(usize::try_from(limit.saturating_sub(passed)).unwrap_or(usize::MAX));
        }
        if let Some(slice) = self.slice {
            portion = portion.min(slice);
        }
        if let Some(rate) = self.bytes_per_second {
            portion = portion.min(usize::try_from((rate / 20).max(1)).unwrap_or(usize::MAX));
        }
        portion
    }

    /// How long to wait after a write of so many bytes.
    pub(super) fn pause_after(&self, written: usize) -> Duration {
        let Some(rate) = self.bytes_per_second else { return self.pause };
        let nanoseconds = (written as u64).saturating_mul(1_000_000_000) / rate;
        self.pause.max(Duration::from_nanos(nanoseconds))
    }

    /// The cut that is due when `passed` bytes have been passed on.
    pub(super) fn cut_due(&self, passed: u64) -> Option<Cut> {
        self.cut.and_then(|(limit, cut)| (passed >= limit).then_some(cut))
    }
}

/// What happens to a connection: a [`Flow`] for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct LinkFaults {
    flows: Both<Flow>,
}

impl LinkFaults {
    /// Everything passes, both ways.
    pub const fn new() -> Self {
        Self { flows: Both { to_server: Flow::new(), to_client: Flow::new() } }
    }

    /// With this flow in this direction.
    pub const fn with(mut self, direction: Direction, flow: Flow) -> Self {
        match direction {
            Direction::ToServer => self.flows.to_server = flow,
            Direction::ToClient => self.flows.to_client = flow,
        }
        self
    }

    pub(super) fn flow(&self, direction: Direction) -> Flow {
        self.flows.of(direction)
    }
}

/// One of something for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Both<T> {
    to_server: T,
    to_client: T,
}

impl<T> Both<T> {
    pub(super) const fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    pub(super) const fn get_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    pub(super) const fn of(&self, direction: Direction) -> T
    where
        T: Copy,
    {
        *self.get(direction)
    }
}
