//! Sign-ins over loopback, with each adapter and with its client driven by hand, in alternating
//! pairs. One table uses plain connections that are kept, the other a TLS connection each. The
//! server is a separate process, so that only the client is measured.

mod by_hand;
mod server;

use std::alloc::System;
use std::time::{Duration, Instant};

use nix::sys::resource::UsageWho;
use point_auth::transport::{Roots, TlsSettings, TransportSettings};
use point_auth::{BaseUrl, Client, HyperTransport, ReqwestTransport, UreqTransport, blocking};
use stats_alloc::{Region, StatsAlloc};
use tokio::runtime::Runtime;

pub use server::{Server, Target, serve};

use crate::machine::cpu_time;
use crate::measure::{Heap, median};
use crate::ours::credentials;

/// The number of turns of each side of a pair.
const TURNS: usize = 41;

/// This many sign-ins, one after another.
type SignIns = Box<dyn Fn(u64)>;

/// A client by hand and in an adapter.
pub struct Pair {
    /// The name of the client.
    pub name: &'static str,
    by_hand: SignIns,
    ours: SignIns,
}

/// The cost of one sign-in.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time of this process, in microseconds.
    pub cpu: f64,
    /// Elapsed time, in microseconds.
    pub wall: f64,
}

/// Returns the pairs of all three clients, for one server.
pub fn pairs(target: &Target) -> Vec<Pair> {
    let url = BaseUrl::parse(&target.base_url).unwrap();
    let uri = url.join(point_auth::SignIn::PATH).unwrap();
    let settings = TransportSettings::new().with_tls(target.tls());

    let reqwest =
        Client::new(ReqwestTransport::with_settings(&settings).unwrap()).with_base_url(url.clone());
    let hyper =
        Client::new(HyperTransport::with_settings(&settings).unwrap()).with_base_url(url.clone());
    let ureq =
        blocking::Client::new(UreqTransport::with_settings(&settings).unwrap()).with_base_url(url);
    let ureq_credentials = credentials();
    vec![
        Pair { name: "reqwest", by_hand: by_hand::reqwest(&uri, target), ours: ours(reqwest) },
        Pair { name: "hyper", by_hand: by_hand::hyper(&uri, target), ours: ours(hyper) },
        Pair {
            name: "ureq",
            by_hand: by_hand::ureq(&uri, target),
            ours: Box::new(move |times| {
                for _ in 0..times {
                    drop(ureq.sign_in(&ureq_credentials).unwrap());
                }
            }),
        },
    ]
}

impl Target {
    /// Returns settings that trust only the server's authority, if it uses TLS.
    fn tls(&self) -> TlsSettings {
        let tls = TlsSettings::new();
        match &self.authority {
            Some(pem) => {
                tls.with_roots(Roots::ExtraOnly).with_extra_roots_pem(pem.as_bytes()).unwrap()
            }
            None => tls,
        }
    }

    /// Returns the sign-ins of one turn: those with a handshake take a hundred times as long.
    fn turn(&self) -> u64 {
        if self.authority.is_some() { 25 } else { 250 }
    }
}

fn ours<T: point_auth::transport::AsyncTransport + 'static>(client: Client<T>) -> SignIns {
    let (runtime, credentials) = (runtime(), credentials());
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                drop(client.sign_in(&credentials).await.unwrap());
            }
        });
    })
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl Pair {
    /// Returns the cost by hand and with the adapter, and the ratio of the CPU times, each as the
    /// median of all turns.
    pub fn cost(&self, target: &Target) -> (Cost, Cost, f64) {
        let turn = target.turn();
        let cost = |sign_ins: &SignIns| cost(sign_ins, turn);
        (self.by_hand)(turn);
        (self.ours)(turn);
        let turns: Vec<(Cost, Cost)> = (0..TURNS)
            .map(|turn| match turn % 2 {
                // The order alternates, because the second one may find a warmer server.
                0 => (cost(&self.by_hand), cost(&self.ours)),
                _ => {
                    let ours = cost(&self.ours);
                    (cost(&self.by_hand), ours)
                }
            })
            .collect();
        let of = |value: fn(&(Cost, Cost)) -> f64| median(turns.iter().map(value).collect());
        let by_hand = Cost { cpu: of(|turn| turn.0.cpu), wall: of(|turn| turn.0.wall) };
        let ours = Cost { cpu: of(|turn| turn.1.cpu), wall: of(|turn| turn.1.wall) };
        (by_hand, ours, of(|turn| turn.1.cpu / turn.0.cpu))
    }

    /// Returns the heap use by hand and with the adapter.
    pub fn heap(&self, target: &Target, allocator: &StatsAlloc<System>) -> (Heap, Heap) {
        let turn = target.turn();
        let heap = |sign_ins: &SignIns| {
            sign_ins(20);
            let region = Region::new(allocator);
            sign_ins(turn);
            Heap::of(&region.change(), turn)
        };
        (heap(&self.by_hand), heap(&self.ours))
    }
}

fn cost(sign_ins: &SignIns, turn: u64) -> Cost {
    let (start, cpu) = (Instant::now(), cpu_time(UsageWho::RUSAGE_SELF));
    sign_ins(turn);
    let each = |taken: Duration| taken.as_secs_f64() * 1e6 / turn as f64;
    Cost { cpu: each(cpu_time(UsageWho::RUSAGE_SELF) - cpu), wall: each(start.elapsed()) }
}
