//! A fleet of workers with one login: what it asks the server and the store, in virtual time.
//!
//! point-auth's workers are real sessions over a store in memory. The hand-made ones do what many
//! programs do with Redis. A command to the store takes a millisecond.

mod hand_made;
mod ours;
mod server;
mod store;
mod world;

use std::time::Duration;

use crate::measure::Case;

/// The number of workers.
pub const WORKERS: usize = 1_000;
/// The number of lives of a token.
pub const LIVES: u32 = 20;

/// How workers share their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// point-auth with a store.
    Store,
    /// point-auth without one: each worker has tokens of its own.
    Nothing,
    /// A token in Redis behind a lock: `SET NX PX 10000` before the exchange, a plain `DEL` after
    /// it.
    HandMade,
}

/// When workers want a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// All the time. They refresh before the token ends.
    Steady,
    /// All at once, when the last token has ended.
    AtOnce,
}

/// What came of all lives.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Exchanges for each token that was replaced.
    pub exchanges: f64,
    /// The most exchanges that were in flight at once.
    pub at_once: usize,
    /// Commands to the store for each worker and life.
    pub commands: f64,
    /// How long after the server's answer each worker used its tokens, in order. Those that
    /// exchanged themselves count, too.
    pub delays: Vec<Duration>,
    /// Calls that got a token, and calls that got none.
    pub served: (usize, usize),
}

impl Outcome {
    /// Returns the longest delay, in seconds.
    pub fn last(&self) -> f64 {
        self.delays.last().map_or(0.0, Duration::as_secs_f64)
    }

    /// Returns the median delay, in seconds.
    pub fn median(&self) -> f64 {
        self.delays.get(self.delays.len() / 2).map_or(0.0, Duration::as_secs_f64)
    }
}

/// Runs a fleet through all lives. An exchange takes `server_takes`.
pub fn run(sharing: Sharing, how: Use, server_takes: Duration) -> Outcome {
    let world = world::World::new();
    let server = server::Server::new(&world, server_takes);
    let (commands, served) = match sharing {
        Sharing::HandMade => hand_made::run(&world, &server, how),
        Sharing::Store => ours::run(&world, &server, how, true),
        Sharing::Nothing => ours::run(&world, &server, how, false),
    };
    let workers = (WORKERS as f64) * f64::from(server.generations());
    Outcome {
        exchanges: server.exchanges() as f64 / f64::from(server.generations()),
        at_once: server.at_once(),
        commands: commands as f64 / workers,
        delays: server.delays(),
        served,
    }
}

/// Returns the readers of a good token: of a session without a store, and of one with a store.
pub fn readers() -> Vec<Case> {
    [("without a store", false), ("with a store", true)]
        .map(|(name, has_store)| {
            let session = ours::session_with_token(has_store);
            Case::new(name, move || session.current_token().unwrap())
        })
        .into()
}
