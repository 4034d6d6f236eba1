//! [`Server`]: the API, which takes its time and knows which token follows which.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::world::World;
use crate::sample;

/// Clones are handles to the same server.
#[derive(Clone)]
pub(super) struct Server {
    world: World,
    takes: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    exchanges: usize,
    in_flight: usize,
    at_once: usize,
    /// When the first token of each generation was given out.
    answered: Vec<Duration>,
    delays: Vec<Duration>,
}

impl Server {
    pub(super) fn new(world: &World, takes: Duration) -> Self {
        Self { world: world.clone(), takes, state: Arc::default() }
    }

    /// Exchanges a token of this generation, or a password, for one of the next.
    pub(super) async fn exchange(&self, generation: Option<usize>) -> usize {
        {
            let mut state = self.state.lock().unwrap();
            state.exchanges += 1;
            state.in_flight += 1;
            state.at_once = state.at_once.max(state.in_flight);
        }
        self.world.sleep(self.takes).await;
        let mut state = self.state.lock().unwrap();
        state.in_flight -= 1;
        let next = generation.map_or(0, |generation| generation + 1);
        if state.answered.len() <= next {
            state.answered.push(self.world.now());
        }
        next
    }

    /// Takes note of a worker that uses a token of this generation from now on.
    pub(super) fn used(&self, generation: usize) {
        let mut state = self.state.lock().unwrap();
        let delay = self.world.now() - state.answered[generation];
        state.delays.push(delay);
    }

    pub(super) fn exchanges(&self) -> usize {
        self.state.lock().unwrap().exchanges
    }

    pub(super) fn at_once(&self) -> usize {
        self.state.lock().unwrap().at_once
    }

    /// How many tokens follow each other.
    pub(super) fn generations(&self) -> u32 {
        self.state.lock().unwrap().answered.len().try_into().unwrap()
    }

    pub(super) fn delays(&self) -> Vec<Duration> {
        let mut delays = self.state.lock().unwrap().delays.clone();
        delays.sort_unstable();
        delays
    }
}

/// Returns the answer of the API with tokens of this generation.
pub(super) fn answer(generation: usize) -> Vec<u8> {
    let (access, refresh) = (sample::token(900), sample::token(190));
    format!(
        r#"{{"access_token":"{access}-{generation}","refresh_token":"{refresh}-{generation}","scope":"user-management policy","token_type":"Bearer","expires_in":3600}}"#
    )
    .into_bytes()
}

/// Returns the generation of the token at the end of this text, up to a quote.
pub(super) fn generation_in(json: &[u8], field: &str) -> Option<usize> {
    let json: serde_json::Value = serde_json::from_slice(json).ok()?;
    json.get(field)?.as_str()?.rsplit_once('-')?.1.parse().ok()
}
