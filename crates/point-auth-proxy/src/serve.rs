//! Accepts the connections of a listener, and drains them.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Listener;
use crate::access::Access;
use crate::connection::{self, Server};
use crate::listener::Socket;
use crate::proxy::Shared;

/// The pause after a failure to accept, such as a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn run(shared: Arc<Shared>, listener: Listener, stop: impl Future<Output = ()>) {
    let drain_timeout = shared.limits.drain_timeout;
    let mut accepting = Accepting::new(Arc::clone(&shared), listener);
    let serving = Serving::begin(&shared.serving);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = stop.as_mut() => break,
            () = accepting.next() => {}
        }
    }
    drop(serving);
    accepting.drain(drain_timeout).await;
}

/// Counts a listener while it takes requests.
struct Serving<'a>(&'a AtomicUsize);

impl<'a> Serving<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Accepting {
    shared: Arc<Shared>,
    listener: Listener,
    access: Arc<Access>,
    server: Arc<Server>,
    stopping: watch::Sender<bool>,
    /// Aborted when this drops.
    connections: JoinSet<()>,
}

impl Accepting {
    fn new(shared: Arc<Shared>, mut listener: Listener) -> Self {
        let access = std::mem::replace(&mut listener.access, Access::Unix);
        Self {
            server: Arc::new(connection::server(&shared.limits)),
            shared,
            listener,
            access: Arc::new(access),
            stopping: watch::Sender::new(false),
            connections: JoinSet::new(),
        }
    }

    /// Accepts one connection. It may be dropped while it waits.
    async fn next(&mut self) {
        while self.connections.try_join_next().is_some() {}
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&self.shared.connections).acquire_owned().await else { return };
        if let Err(_error) = self.accept(permit).await {
            sleep(PAUSE).await;
        }
    }

    async fn accept(&mut self, permit: OwnedSemaphorePermit) -> io::Result<()> {
        match &self.listener.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // It fails on some systems if the client has gone already.
                let _is_set = stream.set_nodelay(true);
                self.spawn(stream, permit);
            }
            #[cfg(unix)]
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let user = stream.peer_cred().map(|peer| peer.uid());
                if user.is_ok_and(|user| self.listener.users.contains(&user)) {
                    self.spawn(stream, permit);
                } else {
                    self.shared.metrics.refused_peer();
                }
            }
        }
        Ok(())
    }

    fn spawn<S>(&mut self, stream: S, permit: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let connection = connection::run(
            Arc::clone(&self.shared),
            Arc::clone(&self.access),
            Arc::clone(&self.server),
            stream,
            self.stopping.subscribe(),
            permit,
        );
        self.connections.spawn(connection);
    }

    async fn drain(self, longest: Duration) {
        let Self { listener, stopping, mut connections, .. } = self;
        drop(listener);
        stopping.send_replace(true);
        let all = async { while connections.join_next().await.is_some() {} };
        // What is left is aborted when the set drops.
        let _is_drained = timeout(longest, all).await;
    }
}
