//! [`Usage`]: which connections an exchange went out on, and how far it got, seen from the proxy
//! between.

use super::SweptConnection;
use super::plan::{Plan, PlannedCut};
use crate::{Direction, Emulator, FaultProxy, Operation};

/// A client keeps no more than this many connections where it sends one request after the other.
const RECENT: usize = 4;

/// How much a connection was used.
#[derive(Clone, Copy, Default)]
pub(super) struct LinkUse {
    arrived: u64,
    to_server: u64,
    to_client: u64,
}

impl LinkUse {
    pub(super) const fn passed(&self, direction: Direction) -> u64 {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::ToClient => self.to_client,
        }
    }

    const fn since(&self, before: Self) -> Self {
        Self {
            arrived: self.arrived - before.arrived,
            to_server: self.to_server - before.to_server,
            to_client: self.to_client - before.to_client,
        }
    }
}

/// What there was before an exchange.
pub(super) struct Before {
    pub(super) posts: usize,
    pub(super) closed: usize,
    pub(super) cuts: usize,
    open: usize,
    /// The number of the first of the recent links.
    first: usize,
    recent: Vec<LinkUse>,
}

impl Before {
    pub(super) fn look(emulator: &Emulator, proxy: &FaultProxy) -> Self {
        let first = proxy.connections().saturating_sub(RECENT);
        Self {
            posts: emulator.count(Operation::SignIn),
            closed: emulator.closed_connections(),
            cuts: proxy.cuts(),
            open: proxy.open_connections(),
            first,
            recent: links_since(proxy, first),
        }
    }
}

/// What an exchange used of the connections that there were before it, and of those that were made
/// for it.
pub(super) struct Usage {
    old: Vec<LinkUse>,
    new: Vec<LinkUse>,
    is_any_open: bool,
}

impl Usage {
    pub(super) fn since(before: &Before, connection: SweptConnection, proxy: &FaultProxy) -> Self {
        let mut old = links_since(proxy, before.first);
        let new = old.split_off(before.recent.len().min(old.len()));
        for (link, before) in old.iter_mut().zip(&before.recent) {
            *link = link.since(*before);
        }
        match connection {
            // The old ones were another transport's.
            SweptConnection::New => Self { old: Vec::new(), new, is_any_open: false },
            SweptConnection::Kept => Self { old, new, is_any_open: before.open > 0 },
        }
    }

    /// The number of the connection that carried the exchange, and how much it had been used
    /// before.
    pub(super) fn carrier(&self, before: &Before) -> Option<(usize, LinkUse)> {
        if self.old.is_empty() {
            return Some((before.first + before.recent.len(), LinkUse::default()));
        }
        let index = self.old.iter().position(|link| link.arrived > 0)?;
        Some((before.first + index, before.recent.get(index).copied()?))
    }

    /// Whether nothing was sent on a connection that there was before.
    pub(super) fn is_all_new(&self) -> bool {
        self.old.iter().all(|link| link.arrived == 0)
    }

    /// Whether it went out on a connection that there was before. What an old one is told at its
    /// end is nothing of it.
    pub(super) fn is_kept(&self) -> bool {
        self.new.is_empty() && !self.is_all_new()
    }

    /// Whether the exchange got as far as the cut.
    pub(super) fn reaches(&self, cut: &PlannedCut) -> bool {
        let reached = |link: &LinkUse| link.passed(cut.direction) >= cut.after;
        match cut.after {
            0 => self.is_any_open || !self.new.is_empty(),
            // A kept connection is cut where it is; one that the client has made meanwhile is not.
            _ if self.old.is_empty() => self.new.iter().any(reached),
            _ => self.old.iter().any(reached),
        }
    }

    /// On how many connections a request was written.
    pub(super) fn requests(&self, plan: &Plan) -> usize {
        let is_comparable = plan.is_in_the_clear() || self.old.is_empty();
        let new = self.new.iter().filter(|link| is_comparable && plan.is_a_request(link.arrived));
        self.old.iter().filter(|link| plan.is_a_request(link.arrived)).chain(new).count()
    }

    /// Whether a request was written to a connection that there was before, and cut off before its
    /// last byte.
    pub(super) fn is_cut_off(&self, plan: &Plan) -> bool {
        let is_cut_off = |link: &LinkUse| {
            plan.is_a_request(link.arrived) && plan.is_less_than_a_request(link.to_server)
        };
        self.old.iter().any(is_cut_off)
    }

    pub(super) fn reaches_the_body(&self, plan: &Plan) -> bool {
        self.links().any(|link| plan.reaches_the_body(link.to_server))
    }

    /// Whether the client wrote something of the body, whether it was passed on or not.
    pub(super) fn writes_the_body(&self, plan: &Plan) -> bool {
        self.links().any(|link| plan.reaches_the_body(link.arrived))
    }

    /// Whether not a byte came back.
    pub(super) fn is_unanswered(&self) -> bool {
        self.links().all(|link| link.to_client == 0)
    }

    fn links(&self) -> impl Iterator<Item = &LinkUse> {
        self.old.iter().chain(&self.new)
    }
}

fn links_since(proxy: &FaultProxy, number: usize) -> Vec<LinkUse> {
    let links = proxy.links_since(number);
    let used = links.iter().map(|link| LinkUse {
        arrived: link.bytes_arrived(Direction::ToServer),
        to_server: link.bytes_passed(Direction::ToServer),
        to_client: link.bytes_passed(Direction::ToClient),
    });
    used.collect()
}
