//! What a driver tells the store after an exchange.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use point_auth_core::Denial;
use point_auth_core::session::{Now, Outcome, SignInResult, StoredTokens};
use point_auth_store::{Grant, Settled, Settlement};

use super::super::job::AtWork;
use super::super::{Driver, wake};
use super::Granted;
use crate::store::{Link, StoreEvent};

/// After how much time the result of a sign-in is told once more. All of it is within the permit's
/// life, if the exchange was not slow.
const SETTLE_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(6), Duration::from_secs(14)];

impl AtWork {
    /// Keeps the wakers of an exchange that the store has granted. A program may end as soon as a
    /// caller has its token, and its attempt would count as one with unknown outcome.
    pub(in crate::driver) fn keep_if_granted(&mut self, woken: Vec<Waker>) -> Vec<Waker> {
        match self.store.granted {
            Some(_) => {
                self.store.to_wake = woken;
                Vec::new()
            }
            None => woken,
        }
    }

    /// Tells the store what came of the exchange, if it granted it, and then wakes the callers.
    pub(in crate::driver) async fn settle_store(&mut self, driver: &Driver, outcome: &Outcome) {
        self.tell_store(driver, outcome).await;
        wake(std::mem::take(&mut self.store.to_wake));
    }

    async fn tell_store(&mut self, driver: &Driver, outcome: &Outcome) {
        if matches!(outcome, Outcome::Renewed { .. }) {
            // The next life is put off anew.
            driver.lock().fleet.put_off = None;
        }
        let Some(Granted { grant, credentials, .. }) = self.store.granted.take() else { return };
        let Some(link) = driver.common.store.as_ref().map(Arc::clone) else { return };
        let has_changed =
            matches!(outcome, Outcome::Renewed { .. } | Outcome::RefreshRefused { .. });
        let now = driver.now();
        let tokens = has_changed.then(|| driver.stored_tokens_at(now)).flatten();
        let sign_in = match self.store.was_sent {
            true => SignInResult::of(outcome),
            false => SignInResult::Inconclusive,
        };
        if let (SignInResult::Accepted, Some(credentials)) = (&sign_in, &credentials) {
            link.proven(credentials);
        }
        let settlement = Settlement { tokens: tokens.as_ref(), sign_in, wall: now.wall };
        match link.settle(driver.runtime(), grant.clone(), settlement).await {
            Ok(Settled::InTime(version)) if tokens.is_some() => {
                driver.lock().fleet.version = Some(version);
            }
            Ok(_) => {}
            Err(error) => {
                let signs_in = credentials.is_some();
                if let Some(result) = Later::of(&sign_in).filter(|_| signs_in) {
                    driver.settle_later(link, grant, (tokens, now), result);
                }
                driver.notify_store(&StoreEvent::Unavailable(error));
            }
        }
    }
}

/// What a sign-in says about the password, for a later settlement.
enum Later {
    Accepted,
    Denied(Denial),
}

impl Later {
    fn of(result: &SignInResult<'_>) -> Option<Self> {
        match result {
            SignInResult::Accepted => Some(Self::Accepted),
            SignInResult::Denied(denial) => Some(Self::Denied((*denial).clone())),
            // The permit ends by itself, and then counts as unknown anyway.
            _ => None,
        }
    }

    fn result(&self) -> SignInResult<'_> {
        match self {
            Self::Accepted => SignInResult::Accepted,
            Self::Denied(denial) => SignInResult::Denied(denial),
        }
    }
}

impl Granted {
    /// Gives the permit back in the background: nothing was sent, and the job has ended.
    pub(in crate::driver) fn give_back(self, driver: &Arc<Driver>) {
        let this = Arc::clone(driver);
        driver.common.runtime.spawn(Box::pin(async move {
            let Some(link) = &this.common.store else { return };
            let wall = this.now().wall;
            let sign_in = SignInResult::Inconclusive;
            let settlement = Settlement { tokens: None, sign_in, wall };
            // If that fails, the permit ends by itself.
            let _is_settled = link.settle(this.runtime(), self.grant, settlement).await;
        }));
    }
}

impl Driver {
    /// Settles a sign-in in the background, after the store failed. Otherwise another process would
    /// send the password again once the permit has ended.
    fn settle_later(
        &self,
        link: Arc<Link>,
        grant: Grant,
        (tokens, taken): (Option<StoredTokens>, Now),
        result: Later,
    ) {
        let (this, runtime) = (self.this.clone(), Arc::clone(&self.common.runtime));
        self.common.runtime.spawn(Box::pin(async move {
            for pause in SETTLE_AGAIN_AFTER {
                runtime.sleep_until(runtime.now().monotonic.saturating_add(pause)).await;
                // The tokens' times are of when they were taken, whatever happened to the clock.
                let passed = passed(taken, runtime.now());
                let wall = taken.wall.checked_add(passed).unwrap_or(taken.wall);
                let sign_in = result.result();
                let settlement = Settlement { tokens: tokens.as_ref(), sign_in, wall };
                let Ok(settled) = link.settle(&*runtime, grant.clone(), settlement).await else {
                    continue;
                };
                if let (Settled::InTime(version), Some(_), Some(this)) =
                    (settled, &tokens, this.upgrade())
                {
                    this.lock().fleet.version = Some(version);
                }
                return;
            }
        }));
    }
}

/// Returns the time between two readings, by the clock that shows the longer time.
fn passed(since: Now, now: Now) -> Duration {
    let wall = now.wall.duration_since(since.wall).unwrap_or_default();
    now.monotonic.saturating_sub(since.monotonic).max(wall)
}
