//! Workers as they are often made by hand: a token in Redis, and a lock around its exchange.
//!
//! They are fair: they look for a newer token before they lock and after, and do not all refresh at
//! the same moment. The lock is `SET NX PX 10000`, and a plain `DEL` releases it, even if another
//! worker holds it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::Server;
use super::world::World;
use super::{LIVES, Use, WORKERS};

const LOCK: Duration = Duration::from_secs(10);
const COMMAND: Duration = Duration::from_millis(1);
/// How often a worker asks again while another one has the lock.
const RETRY: Duration = Duration::from_millis(200);
const LIFE: Duration = Duration::from_secs(3_600);

#[derive(Clone)]
struct Redis {
    world: World,
    state: Arc<Mutex<State>>,
    commands: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    locked_until: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Token {
    generation: usize,
    ends: Duration,
}

impl Redis {
    async fn command<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        self.commands.fetch_add(1, Ordering::Relaxed);
        self.world.sleep(COMMAND).await;
        run(&mut self.state.lock().unwrap())
    }

    async fn get(&self) -> Option<Token> {
        self.command(|state| state.token).await
    }

    async fn set_nx_px(&self) -> bool {
        let now = self.world.now() + COMMAND;
        self.command(|state| {
            let is_free = state.locked_until.is_none_or(|until| now >= until);
            if is_free {
                state.locked_until = Some(now + LOCK);
            }
            is_free
        })
        .await
    }

    /// Returns a newer token than that of `known`, exchanged by this worker or by another.
    async fn renew(&self, server: &Server, known: Option<Token>) -> Token {
        let generation = known.map(|token| token.generation);
        let is_newer = |found: &Token| generation.is_none_or(|known| found.generation > known);
        loop {
            if let Some(found) = self.get().await.filter(is_newer) {
                return found;
            }
            if self.set_nx_px().await {
                if let Some(found) = self.get().await.filter(is_newer) {
                    self.command(|state| state.locked_until = None).await;
                    return found;
                }
                let asked = self.world.now();
                let next = server.exchange(generation).await;
                let token = Token { generation: next, ends: asked + LIFE };
                self.command(|state| state.token = Some(token)).await;
                self.command(|state| state.locked_until = None).await;
                return token;
            }
            self.world.sleep(RETRY).await;
        }
    }
}

/// Returns the number of commands to the store, and of calls with and without a token.
pub(super) fn run(world: &World, server: &Server, how: Use) -> (usize, (usize, usize)) {
    let redis = Redis { world: world.clone(), state: Arc::default(), commands: Arc::default() };
    let served = Arc::<AtomicUsize>::default();
    let spawn = |number: usize| {
        let (redis, server, served) = (redis.clone(), server.clone(), Arc::clone(&served));
        world.spawn(async move {
            let mut token: Option<Token> = None;
            for _ in 0..LIVES {
                let renewed = redis.renew(&server, token).await;
                server.used(renewed.generation);
                served.fetch_add(1, Ordering::Relaxed);
                token = Some(renewed);
                // Each worker at a moment of its own, between 300 and 150 seconds before the end.
                let early = 300.0 - 150.0 * number as f64 / WORKERS as f64;
                let next = match how {
                    Use::Steady => renewed.ends - Duration::from_secs_f64(early),
                    Use::AtOnce => renewed.ends + Duration::from_secs(100),
                };
                redis.world.sleep(next.saturating_sub(redis.world.now())).await;
            }
        });
    };
    (0..WORKERS).for_each(spawn);
    let all = WORKERS * LIVES as usize;
    world.pass_until(|| served.load(Ordering::Relaxed) == all);
    (redis.commands.load(Ordering::Relaxed), (all, 0))
}
