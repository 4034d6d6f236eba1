//! A replica takes over that has not seen the last write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use point_auth_store::{Intent, Settled, StoreKey, Verdict};

use crate::server::{Server, connect, query};
use crate::store::{RUNTIME, open};
use crate::worker::{Advanced, Clock, Worker, credentials, granted};

/// Two servers, of which the second follows the first.
struct Pair {
    primary: Server,
    replica: Server,
    key: StoreKey,
    clock: Arc<Clock>,
}

impl Pair {
    fn start() -> Option<Self> {
        let primary = Server::with(&["--repl-diskless-sync-delay", "0"])?;
        let port = primary.addr().port().to_string();
        let replica = Server::with(&["--replicaof", "127.0.0.1", &port])?;
        let (key, clock) = (StoreKey::generate().unwrap(), Arc::default());
        Some(Self { primary, replica, key, clock })
    }

    fn worker(&self, server: &Server) -> Worker {
        Worker::new(Advanced::new(open(&server.url(), self.key.clone()), &self.clock))
    }

    /// What was written up to now reaches the replica, and nothing that comes later.
    fn cut(&self) {
        let mut primary = connect(&self.primary.url());
        // WAIT is for the writes of its own connection, and so for all before them.
        query::<()>(&mut primary, &["SET", "barrier", "1"]);
        assert_eq!(query::<i64>(&mut primary, &["WAIT", "1", "60000"]), 1);
        self.replica.command::<()>(&["REPLICAOF", "NO", "ONE"]);
    }

    /// The primary is gone, and a worker goes on at the replica.
    fn fail_over(&mut self, worker: &mut Worker) {
        self.primary.kill();
        worker.shared = self.worker(&self.replica).shared;
    }
}

#[test]
fn a_lost_permit_to_refresh_costs_one_exchange_and_its_fence_is_used_by_no_other() {
    let Some(mut pair) = Pair::start() else { return };
    RUNTIME.block_on(async {
        let now = Duration::ZERO;
        let (mut one, mut other) = (pair.worker(&pair.primary), pair.worker(&pair.primary));
        let right = credentials("right", None);
        let mut versions = HashSet::new();
        let grant = granted(one.consult(Intent::SignIn(&right), now).await);
        assert!(versions.insert(format!("{:?}", one.renew(grant, 1, now).await)));
        let newer = other.consult(Intent::Refresh, now).await;
        other.take(newer);

        pair.cut();
        let lost = granted(one.consult(Intent::Refresh, now).await);
        pair.fail_over(&mut one);
        pair.fail_over(&mut other);
        let grant = granted(other.consult(Intent::Refresh, now).await);
        assert_ne!(format!("{lost:?}"), format!("{grant:?}"));
        // Nor is there a third one.
        assert!(matches!(one.consult(Intent::Refresh, now).await, Verdict::InUse(_)));
        assert_eq!(one.renew(lost, 2, now).await, Settled::Late);
        let settled = other.renew(grant, 3, now).await;
        assert!(matches!(settled, Settled::InTime(_)));
        assert!(versions.insert(format!("{settled:?}")));
        let newer = one.consult(Intent::Refresh, now).await;
        one.take(newer);
        assert_eq!(one.known.version, other.known.version);
    });
}

#[test]
fn lost_tokens_cost_one_exchange() {
    let Some(mut pair) = Pair::start() else { return };
    RUNTIME.block_on(async {
        let now = Duration::ZERO;
        let right = credentials("right", None);
        let (mut one, mut other) = (pair.worker(&pair.primary), pair.worker(&pair.primary));
        let grant = granted(one.consult(Intent::SignIn(&right), now).await);
        one.renew(grant, 1, now).await;
        let newer = other.consult(Intent::Refresh, now).await;
        other.take(newer);

        let grant = granted(one.consult(Intent::Refresh, now).await);
        pair.cut();
        assert!(matches!(one.renew(grant, 2, now).await, Settled::InTime(_)));
        pair.fail_over(&mut one);
        pair.fail_over(&mut other);
        // The permit is there and its tokens are not. It ends by itself.
        assert!(matches!(other.consult(Intent::Refresh, now).await, Verdict::InUse(_)));
        pair.clock.advance(45);
        let now = pair.clock.offset();
        let grant = granted(other.consult(Intent::Refresh, now).await);
        other.renew(grant, 3, now).await;
        let newer = one.consult(Intent::Refresh, now).await;
        one.take(newer);
    });
}

#[test]
fn a_lost_permit_to_sign_in_costs_one_exchange() {
    let Some(mut pair) = Pair::start() else { return };
    RUNTIME.block_on(async {
        let now = Duration::ZERO;
        let right = credentials("right", None);
        let (mut one, mut other) = (pair.worker(&pair.primary), pair.worker(&pair.primary));
        pair.cut();
        let lost = granted(one.consult(Intent::SignIn(&right), now).await);
        pair.fail_over(&mut one);
        pair.fail_over(&mut other);
        let grant = granted(other.consult(Intent::SignIn(&right), now).await);
        assert_ne!(format!("{lost:?}"), format!("{grant:?}"));
        assert!(matches!(one.consult(Intent::SignIn(&right), now).await, Verdict::InUse(_)));
        assert_eq!(one.renew(lost, 1, now).await, Settled::Late);
        other.renew(grant, 2, now).await;
        let newer = one.consult(Intent::SignIn(&right), now).await;
        one.take(newer);
    });
}
