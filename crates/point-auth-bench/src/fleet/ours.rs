//! Workers with sessions of point-auth.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use point_auth::session::StoredTokens;
use point_auth::transport::{AsyncTransport, SendLimits, TransportError, async_trait};
use point_auth::{Client, MemoryStore, Observer, SecretBody, Session};

use super::server::{Server, answer, generation_in};
use super::store::Counting;
use super::world::World;
use super::{LIVES, Use, WORKERS};
use crate::ours::{InProcess, credentials};
use crate::subject::Source;

/// Returns the number of commands to the store, and of calls with and without a token.
pub(super) fn run(
    world: &World,
    server: &Server,
    how: Use,
    has_store: bool,
) -> (usize, (usize, usize)) {
    let store = Counting::new(world);
    let session = |_| {
        let builder = Session::builder(Client::new(ToServer(server.clone())))
            .with_credentials(credentials())
            .with_runtime(world.time.clone())
            .with_observer(Watching(server.clone()));
        match has_store {
            true => builder.with_store(store.clone()).build(),
            false => builder.build(),
        }
    };
    let sessions: Vec<_> = (0..WORKERS).map(session).collect();
    let served = match how {
        Use::Steady => {
            for session in &sessions {
                world.spawn(session.keep_fresh());
            }
            world.pass(Duration::from_secs(3_600) * LIVES);
            let has_token = |session: &&Session| session.current_token().is_some();
            let served = sessions.iter().filter(has_token).count();
            (served, WORKERS - served)
        }
        Use::AtOnce => {
            let (served, failed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
            for life in 1..=LIVES as usize {
                for session in &sessions {
                    let (session, served) = (session.clone(), Arc::clone(&served));
                    let failed = Arc::clone(&failed);
                    world.spawn(async move {
                        let counter = match session.access_token().await {
                            Ok(_) => served,
                            Err(_) => failed,
                        };
                        counter.fetch_add(1, Ordering::Relaxed);
                    });
                }
                world.pass_until(|| count(&served) + count(&failed) == life * WORKERS);
                world.pass(Duration::from_secs(3_700));
            }
            (count(&served), count(&failed))
        }
    };
    (store.commands(), served)
}

/// Returns a session that has its token.
pub(super) fn session_with_token(has_store: bool) -> Session {
    let builder = Session::builder(Client::new(InProcess::new(Source::at_once())));
    let builder = builder.with_credentials(credentials());
    let session = match has_store {
        true => builder.with_store(MemoryStore::new().unwrap()).build(),
        false => builder.build(),
    };
    pollster::block_on(session.access_token()).unwrap();
    session
}

struct ToServer(Server);

#[async_trait]
impl AsyncTransport for ToServer {
    async fn send(
        &self,
        request: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let generation = generation_in(request.body().as_ref(), "refresh_token");
        let next = self.0.exchange(generation).await;
        Ok(Response::new(SecretBody::new(answer(next))))
    }
}

/// Reports when a worker has new tokens.
struct Watching(Server);

impl Observer for Watching {
    fn tokens_changed(&self, _: Option<&str>, tokens: Option<&StoredTokens>) {
        let generation =
            tokens.and_then(|tokens| generation_in(tokens.expose_json().as_ref(), "access_token"));
        if let Some(generation) = generation {
            self.0.used(generation);
        }
    }
}
