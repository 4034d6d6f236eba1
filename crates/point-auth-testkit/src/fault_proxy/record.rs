//! What went through the proxy.

use std::fmt;

use super::faults::{Both, Direction};
use crate::kept::keep;
use crate::watched::Watched;

pub(super) type Record = Watched<Tallies>;

#[derive(Default)]
pub(super) struct Tallies {
    pub(super) links: Vec<RecordedLink>,
    pub(super) closed: usize,
    pub(super) cuts: usize,
    pub(super) arrived: Both<u64>,
    pub(super) passed: Both<u64>,
}

impl Tallies {
    pub(super) fn arrived(&mut self, link: usize, direction: Direction, count: usize) {
        *self.arrived.get_mut(direction) += count as u64;
        if let Some(link) = self.links.get_mut(link) {
            *link.arrived.get_mut(direction) += count as u64;
        }
    }

    pub(super) fn passed(&mut self, link: usize, direction: Direction, bytes: &[u8]) {
        *self.passed.get_mut(direction) += bytes.len() as u64;
        if let Some(link) = self.links.get_mut(link) {
            *link.passed.get_mut(direction) += bytes.len() as u64;
            keep(link.kept.get_mut(direction), bytes);
        }
    }
}

/// A connection through the proxy. `Debug` shows how much was carried, and nothing of it.
#[derive(Clone, Default)]
pub struct RecordedLink {
    arrived: Both<u64>,
    passed: Both<u64>,
    kept: Both<Vec<u8>>,
}

impl RecordedLink {
    /// How many bytes were read to be passed on in this direction.
    #[must_use]
    pub fn bytes_arrived(&self, direction: Direction) -> u64 {
        self.arrived.of(direction)
    }

    /// How many bytes were passed on in this direction.
    #[must_use]
    pub fn bytes_passed(&self, direction: Direction) -> u64 {
        self.passed.of(direction)
    }

    /// The first 64 KiB that were passed on in this direction.
    #[must_use]
    pub fn passed(&self, direction: Direction) -> &[u8] {
        self.kept.get(direction)
    }
}

impl fmt::Debug for RecordedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedLink")
            .field("to_server", &format_args!("[{} bytes]", self.passed.of(Direction::ToServer)))
            .field("to_client", &format_args!("[{} bytes]", self.passed.of(Direction::ToClient)))
            .finish_non_exhaustive()
    }
}
