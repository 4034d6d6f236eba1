//! Where to cut: after every byte that an exchange has, and a few more, since TLS does not always
//! need the same number; or, where all of them would take too long, after those around the edges of
//! TLS's records and a part of the others.

use std::collections::BTreeSet;
use std::fmt;

use super::{SweepExtent, SweptConnection};
use crate::conformance::check::Wire;
use crate::{Cut, Direction, Flow, LinkFaults};

/// How many bytes an exchange has in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) to_server: u64,
    pub(super) to_client: u64,
}

/// What went over the wire in an exchange without a fault.
pub(super) struct Carried {
    pub(super) to_server: Vec<u8>,
    pub(super) to_client: Vec<u8>,
}

impl Carried {
    pub(super) const fn lengths(&self) -> Lengths {
        Lengths { to_server: self.to_server.len() as u64, to_client: self.to_client.len() as u64 }
    }
}

/// How far around the edge of a record every byte counts: the header of one has five.
const EDGE: u64 = 6;

/// How many bytes less or more an exchange may have than another: signatures have 70 to 72, serial
/// numbers of certificates differ, too, and over HTTP/2 there are frames that come when they come,
/// such as acknowledgements of settings.
const fn margin(wire: Wire) -> u64 {
    match wire {
        Wire::Plain => 8,
        Wire::Tls => 24,
        Wire::Http2 => 96,
    }
}

/// Where TLS's records begin and end (RFC 8446, section 5.1: type, version, and a length of two
/// bytes).
pub(super) fn record_edges(mut stream: &[u8]) -> Vec<u64> {
    let mut edges = vec![0];
    let mut at = 0;
    while let [_, _, _, high, low, rest @ ..] = stream {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        at += 5 + length as u64;
        edges.push(at);
        stream = rest.get(length..).unwrap_or_default();
    }
    edges
}

#[derive(Clone, Copy)]
pub(super) struct PlannedCut {
    pub(super) direction: Direction,
    pub(super) cut: Cut,
    pub(super) after: u64,
    of: u64,
}

impl PlannedCut {
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self.cut, Cut::Silence)
    }

    pub(super) const fn faults(&self) -> LinkFaults {
        LinkFaults::new().with(self.direction, Flow::new().cut_after(self.after, self.cut))
    }
}

impl fmt::Display for PlannedCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.cut {
            Cut::Close => "FIN",
            Cut::Reset => "RST",
            Cut::Silence => "silence",
            Cut::Stall => "a stall",
        };
        let whereto = if self.direction == Direction::ToServer { "server" } else { "client" };
        write!(f, "cut by {how} after {} of about {} bytes to the {whereto}", self.after, self.of)
    }
}

pub(super) struct Plan {
    lengths: Lengths,
    /// Of a request in the clear: where its body begins.
    head: Option<u64>,
    /// How much less or more than the lengths there may be.
    margin: u64,
    stride: u64,
    /// After one of so many strides the transport has to show that it still works.
    follow_up_every: u64,
    cuts: Vec<PlannedCut>,
}

impl Plan {
    pub(super) fn new(
        wire: Wire,
        connection: SweptConnection,
        extent: SweepExtent,
        is_costly: bool,
        carried: &Carried,
        head: Option<u64>,
    ) -> Self {
        let margin = margin(wire);
        let is_thinned =
            is_costly && extent == SweepExtent::Most && connection == SweptConnection::New;
        let edge = if is_thinned { 1 } else { EDGE };
        let stride = match (extent, wire, connection) {
            _ if is_thinned => 64,
            (SweepExtent::EveryByte, ..) | (_, Wire::Plain, SweptConnection::New) => 1,
            (_, Wire::Plain, SweptConnection::Kept) => 2,
            (_, Wire::Tls, SweptConnection::New) => 4,
            _ => 16,
        };
        // A transport and a handshake more for each cut would be most of the time that all of it
        // takes. A kept connection is had by nothing else.
        let follow_up_every = match (extent, wire, connection) {
            (SweepExtent::EveryByte, ..) | (_, _, SweptConnection::Kept) => 1,
            (_, Wire::Plain, _) => 4,
            (_, Wire::Tls | Wire::Http2, _) => 2,
        };
        let mut cuts = Vec::new();
        for (direction, carried) in
            [(Direction::ToServer, &carried.to_server), (Direction::ToClient, &carried.to_client)]
        {
            let of = carried.len() as u64;
            let edges = if wire == Wire::Plain { Vec::new() } else { record_edges(carried) };
            for cut in [Cut::Close, Cut::Reset] {
                let is_planned = |after: &u64| {
                    let is_edge = edges.iter().any(|at| at.abs_diff(*after) <= edge);
                    // The two ways to cut take turns.
                    let turn = if cut == Cut::Close { 0 } else { stride / 2 };
                    is_edge || after % stride == turn || *after > of
                };
                let planned = (0..=of + margin).filter(is_planned);
                cuts.extend(planned.map(|after| PlannedCut { direction, cut, after, of }));
            }
        }
        Self { lengths: carried.lengths(), head, margin, stride, follow_up_every, cuts }
    }

    /// Silence after these bytes in each direction, or after every one.
    pub(super) fn of_silence(
        wire: Wire,
        extent: SweepExtent,
        carried: &Carried,
        head: Option<u64>,
        places: impl Fn(&[u8]) -> BTreeSet<u64>,
    ) -> Self {
        let margin = margin(wire);
        let mut cuts = Vec::new();
        for (direction, carried) in
            [(Direction::ToServer, &carried.to_server), (Direction::ToClient, &carried.to_client)]
        {
            let of = carried.len() as u64;
            let places = match extent {
                SweepExtent::EveryByte => (0..=of + margin).collect(),
                SweepExtent::Most => places(carried),
            };
            cuts.extend(places.into_iter().map(|after| PlannedCut {
                direction,
                cut: Cut::Silence,
                after,
                of,
            }));
        }
        Self { lengths: carried.lengths(), head, margin, stride: 1, follow_up_every: 1, cuts }
    }

    /// For a transport that keeps no connection.
    pub(super) const fn empty() -> Self {
        Self {
            lengths: Lengths { to_server: 0, to_client: 0 },
            head: None,
            margin: 0,
            stride: 1,
            follow_up_every: 1,
            cuts: Vec::new(),
        }
    }

    pub(super) fn filled(&self) -> Option<&Self> {
        (!self.cuts.is_empty()).then_some(self)
    }

    pub(super) const fn lengths(&self) -> Lengths {
        self.lengths
    }

    pub(super) fn cuts(&self) -> &[PlannedCut] {
        &self.cuts
    }

    pub(super) const fn is_in_the_clear(&self) -> bool {
        self.head.is_some()
    }

    /// Whether this cut cannot but happen.
    pub(super) const fn is_certain(&self, cut: &PlannedCut) -> bool {
        cut.after + self.margin <= cut.of
    }

    pub(super) const fn is_followed_up(&self, cut: &PlannedCut) -> bool {
        (cut.after / self.stride).is_multiple_of(self.follow_up_every)
    }

    /// Whether the server got something of the body when this much was passed on to it; false where
    /// a client cannot tell.
    pub(super) fn reaches_the_body(&self, passed: u64) -> bool {
        self.head.is_some_and(|head| passed > head)
    }

    /// Whether a request was written to a connection from which this much arrived, a handshake
    /// before it included. In the clear it takes one byte; with TLS a handshake alone or a goodbye
    /// is no request.
    pub(super) fn is_a_request(&self, arrived: u64) -> bool {
        match self.head {
            Some(_) => arrived > 0,
            None => arrived + self.margin >= self.lengths.to_server,
        }
    }

    /// Whether so much is less than what a whole request takes.
    pub(super) const fn is_less_than_a_request(&self, passed: u64) -> bool {
        passed + self.margin < self.lengths.to_server
    }
}
