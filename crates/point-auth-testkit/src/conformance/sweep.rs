//! The sweep: a sign-in is cut after every byte, in both directions, with FIN and with RST, and each time there must be a
//! typed error or the whole answer, one request at most, and a transport that works again.

mod plan;
mod report;
mod scene;
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
    /// Every one in both ways, each cut followed by a sign-in. Takes a minute or two for all wires, in a debug build on two
    /// cores.
    EveryByte,
    /// In the clear every one, on a kept connection in the one way or the other; with TLS every one around the edges of
    /// records, and a part of those between. Where each cut needs a connection of its own, a sign-in follows on several.
    /// Takes a quarter of the time. A transport that takes longer than 15 ms to be made meets fewer cuts on new connections.
    Most,
}

/// At once. They wait for each other's sockets as much as they compute.
const SCENES: usize = 4;

/// Cuts a sign-in by this transport after every byte, in both directions, with FIN and with RST.
///
/// Each cut is followed by a sign-in by the same transport that nothing happens to. With [`SweptConnection::Kept`] the
/// report of a transport that keeps no connections has no cuts.
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
    sweep_on(&bench, connection, extent)
}

pub(super) fn sweep_on(
    bench: &Bench<'_>,
    connection: SweptConnection,
    extent: SweepExtent,
) -> Result<SweepReport, Violation> {
    let started = Instant::now();
    let plan = SweepScene::new(bench)?.plan(connection, extent)?;
    let mut report = SweepReport::new(bench.wire(), connection, plan.lengths());
    if let Some(plan) = plan.filled() {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..SCENES {
                scope.spawn(|| {
                    let result = take_part(bench, connection, plan, &next);
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
) -> Result<SweepReport, Violation> {
    let mut report = SweepReport::new(bench.wire(), connection, plan.lengths());
    let mut scene = SweepScene::new(bench)?;
    while let Some(cut) = plan.cuts().get(next.fetch_add(1, Ordering::Relaxed)) {
        scene.cut(connection, *cut, plan, &mut report).map_err(|violation| violation.when(cut))?;
    }
    Ok(report)
}
