//! Sign-ins over loopback, with each adapter and with the same client driven by hand, in pairs that take turns. The server is
//! a process of its own, so that what is counted is the client's.

mod by_hand;
mod server;

use std::alloc::System;
use std::time::{Duration, Instant};

use nix::sys::resource::UsageWho;
use point_auth::{BaseUrl, Client, HyperTransport, ReqwestTransport, UreqTransport, blocking};
use stats_alloc::{Region, StatsAlloc};
use tokio::runtime::Runtime;

pub use server::{Server, serve};

use crate::machine::cpu_time;
use crate::measure::{Heap, median};
use crate::ours::credentials;

/// Sign-ins of one turn, and turns.
const TURN: u64 = 250;
const TURNS: usize = 41;

/// So many sign-ins, one after another.
type SignIns = Box<dyn Fn(u64)>;

/// The same client by hand and in an adapter.
pub struct Pair {
    /// The client's name.
    pub name: &'static str,
    by_hand: SignIns,
    ours: SignIns,
}

/// What one sign-in costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time of this process, in microseconds.
    pub cpu: f64,
    /// By the clock, in microseconds.
    pub wall: f64,
}

/// All three clients, on their way to a server at this base URL.
pub fn pairs(base: &str) -> Vec<Pair> {
    let url = BaseUrl::parse(base).unwrap();
    let uri = url.join(point_auth::SignIn::PATH).unwrap();

    let reqwest = Client::new(ReqwestTransport::new().unwrap()).with_base_url(url.clone());
    let hyper = Client::new(HyperTransport::new().unwrap()).with_base_url(url.clone());
    let ureq = blocking::Client::new(UreqTransport::new().unwrap()).with_base_url(url);
    let ureq_credentials = credentials();
    vec![
        Pair { name: "reqwest", by_hand: by_hand::reqwest(&uri), ours: ours(reqwest) },
        Pair { name: "hyper", by_hand: by_hand::hyper(&uri), ours: ours(hyper) },
        Pair {
            name: "ureq",
            by_hand: by_hand::ureq(&uri),
            ours: Box::new(move |times| {
                for _ in 0..times {
                    drop(ureq.sign_in(&ureq_credentials).unwrap());
                }
            }),
        },
    ]
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
    /// By hand, with the adapter, and the ratio of the CPU times: each the median of all turns.
    pub fn cost(&self) -> (Cost, Cost, f64) {
        (self.by_hand)(TURN);
        (self.ours)(TURN);
        let turns: Vec<(Cost, Cost)> = (0..TURNS)
            .map(|turn| match turn % 2 {
                // Whoever goes first may have the warmer server.
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

    /// What each takes from the heap, by hand and with the adapter.
    pub fn heap(&self, allocator: &StatsAlloc<System>) -> (Heap, Heap) {
        let heap = |sign_ins: &SignIns| {
            sign_ins(20);
            let region = Region::new(allocator);
            sign_ins(TURN);
            Heap::of(&region.change(), TURN)
        };
        (heap(&self.by_hand), heap(&self.ours))
    }
}

fn cost(sign_ins: &SignIns) -> Cost {
    let (start, cpu) = (Instant::now(), cpu_time(UsageWho::RUSAGE_SELF));
    sign_ins(TURN);
    let each = |taken: Duration| taken.as_secs_f64() * 1e6 / TURN as f64;
    Cost { cpu: each(cpu_time(UsageWho::RUSAGE_SELF) - cpu), wall: each(start.elapsed()) }
}
