//! The sweep: a sign-in is cut after every byte, in both directions, with FIN, with RST and by
//! silence, and each time there must be a typed error or the whole answer, one request at most, and
//! a transport that works again.

mod plan;
mod report;
mod scene;
mod silence;
mod usage;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use self::plan::Plan;
use self::scene::SweepScene;
use super::bench::Bench;
use super::candidate::Candidate;
use super::check::Wire;
use super::violation::Violation;
use crate::server_thread::lock;

pub use self::report::SweepReport;

/// Which connection the sign-in that is cut goes out on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SweptConnection {
    /// A new one, of a new transport: with TLS the whole handshake is swept, too.
    New,
    /// One that has carried a sign-in before, where sending again is most tempting.
    Kept,
}

/// How many of the bytes of an exchange are cut after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SweepExtent {
    /// Every one in both ways, each cut followed by a sign-in. Takes a minute or two for all wires,
    /// in a debug build on two cores.
    EveryByte,
    /// In the clear every one, on a kept connection in the one way or the other; with TLS every one
    /// around the edges of records, and a part of those between. Where each cut needs a connection
    /// of its own, a sign-in follows on several. Takes a quarter of the time. A transport that
    /// takes longer than 15 ms to be made meets fewer cuts on new connections.
    Most,
}

/// What a connection is cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// An end or a reset, which a client can notice.
    End,
    /// Nothing comes any more, so that there is nothing to notice but the time.
    Silence,
}

impl Means {
    /// How many scenes there are at once.
    const fn scenes(self, extent: SweepExtent) -> usize {
        match (self, extent) {
            // They wait for each other's sockets as much as they compute.
            (Self::End, _) => 4,
            // They do nothing but wait until their time is over.
            (Self::Silence, SweepExtent::Most) => 8,
            (Self::Silence, SweepExtent::EveryByte) => 32,
        }
    }
}

/// Cuts a sign-in by this transport after every byte, in both directions, with FIN and with RST.
///
/// Each cut is followed by a sign-in by the same transport that nothing happens to. With
/// [`SweptConnection::Kept`] the report of a transport that keeps no connections has no cuts.
///
/// # Errors
/// The [`Violation`] that was found first. It says where the cut was.
pub fn sweep(
    candidate: &Candidate,
    wire: Wire,
    connection: SweptConnection,
    extent: SweepExtent,
) -> Result<SweepReport, Violation> {
    let bench = Bench::new(candidate, wire, None);
    sweep_on(&bench, connection, extent, Means::End)
}

/// Lets a connection fall silent in the middle of a sign-in: it stays open, and nothing goes
/// through any more in the one direction or the other.
///
/// Each time takes until a deadline, so [`SweepExtent::Most`] has only the places that differ: the
/// edges of lines, heads, bodies and TLS's records, and what is in the middle of them. There has to
/// be an error of the kind `Timeout`, or the whole answer, by the deadline; and a sign-in
/// afterwards that nothing happens to, while the connection stays as silent as it was. Of HTTP/2,
/// where one stream says nothing of the connection, that is not asked before the connection is
/// closed.
///
/// # Errors
/// As [`sweep()`].
pub fn sweep_silence(
    candidate: &Candidate,
    wire: Wire,
    connection: SweptConnection,
    extent: SweepExtent,
) -> Result<SweepReport, Violation> {
    let bench = Bench::new(candidate, wire, None);
    sweep_on(&bench, connection, extent, Means::Silence)
}

pub(super) fn sweep_on(
    bench: &Bench<'_>,
    connection: SweptConnection,
    extent: SweepExtent,
    means: Means,
) -> Result<SweepReport, Violation> {
    let started = Instant::now();
    let plan = SweepScene::new(bench)?.plan(connection, extent, means)?;
    let new_report = || SweepReport::new(bench.wire(), connection, means, plan.lengths());
    let mut report = new_report();
    if let Some(plan) = plan.filled() {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..means.scenes(extent) {
                scope.spawn(|| {
                    let result = take_part(bench, connection, plan, &next, new_report());
                    if result.is_err() {
                        // One is enough.
                        next.store(plan.cuts().len(), Ordering::Relaxed);
                    }
                    lock(&results).push(result);
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        for result in results {
            report.add(&result?);
        }
    }
    report.took(started.elapsed());
    Ok(report)
}

/// Makes cuts of the plan until there are none left.
fn take_part(
    bench: &Bench<'_>,
    connection: SweptConnection,
    plan: &Plan,
    next: &AtomicUsize,
    mut report: SweepReport,
) -> Result<SweepReport, Violation> {
    let mut scene = SweepScene::new(bench)?;
    while let Some(cut) = plan.cuts().get(next.fetch_add(1, Ordering::Relaxed)) {
        scene.cut(connection, *cut, plan, &mut report).map_err(|violation| violation.when(cut))?;
    }
    Ok(report)
}
