//! A store that sessions share with other processes: [`Link`] and what it tells observers.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use point_auth_core::session::{Ledger, Now, Policy};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_store::{
    AnyStore, Fence, Grant, Intent, Known, Look, NewerTokens, Owner, SealError, Settled,
    Settlement, SharedTokens, StoreError, Verdict,
};
use point_auth_transport::Runtime;

use crate::driver::by;
use crate::handle::seed;

/// How long a store may take for one consultation or settlement.
const LIMIT: Duration = Duration::from_secs(2);
/// After a failure the store is left alone for so long, doubling.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// What a session tells an [`Observer`](crate::Observer) about its store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreEvent {
    /// The store did not answer in time, or with an error. Good tokens go on being handed out;
    /// refreshes go on without it.
    Unavailable(StoreUnavailable),
    /// A value could not be opened, and counts as none.
    Unreadable(SealError),
    /// A value is sealed with a key that this process does not have, or written by a newer version.
    /// It stays as it is, and this process goes on without the store.
    Alone(SealError),
    /// An operator has reset the login, here or in another process.
    Reset,
}

/// The store cannot be used now.
#[derive(Clone, Debug)]
pub struct StoreUnavailable(Option<Arc<StoreError>>);

impl StoreUnavailable {
    pub(crate) fn unreadable(reason: SealError) -> Self {
        Self(Some(Arc::new(StoreError::new(reason.to_string()))))
    }
}

impl fmt::Display for StoreUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(_) => f.write_str("the token store failed"),
            None => f.write_str("the token store took too long"),
        }
    }
}

impl std::error::Error for StoreUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|error| error as &(dyn std::error::Error + 'static))
    }
}

/// What the builder of a session says of a store.
#[derive(Debug, Default)]
pub(crate) struct PlannedStore {
    pub(crate) store: Option<AnyStore>,
    pub(crate) signs_in_without: bool,
}

/// A store, and what the sessions of one login know of it.
pub(crate) struct Link {
    shared: SharedTokens,
    signs_in_without: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Until when the store is left alone, on the monotonic clock, and why.
    rests: Option<(Duration, StoreUnavailable)>,
    /// The epoch of the login, once it was looked at.
    epoch: Option<Option<Fence>>,
    resets: Vec<Reset>,
    /// Whether one of them is being passed on.
    is_resetting: bool,
    /// The password that this process has seen accepted last.
    proven: Option<Credentials>,
}

/// A reset that the store has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reset {
    Login,
    Alias(String),
}

/// What a store said.
pub(crate) struct Said<T> {
    pub(crate) what: T,
    pub(crate) was_reset: bool,
    pub(crate) problem: Option<SealError>,
}

impl Link {
    pub(crate) fn new(
        planned: PlannedStore,
        base_url: &BaseUrl,
        policy: Arc<Policy>,
        limit: usize,
    ) -> Option<Arc<Self>> {
        let shared = SharedTokens::new(planned.store?, base_url, policy).with_limit(limit);
        let signs_in_without = planned.signs_in_without;
        Some(Arc::new(Self { shared, signs_in_without, state: Mutex::default() }))
    }

    /// Asks what to do in place of an exchange.
    pub(crate) async fn consult(
        &self,
        runtime: &dyn Runtime,
        owner: Owner<'_>,
        intent: Intent<'_>,
        version: Option<Fence>,
        fence: Option<Fence>,
    ) -> Result<Said<Verdict>, StoreUnavailable> {
        let now = runtime.now();
        if self.lock().is_resetting {
            // What the store knows is about to be cleared.
            let what = Verdict::InUse(FIRST_REST);
            return Ok(Said { what, was_reset: false, problem: None });
        }
        let consulting = async {
            self.pass_on_resets(owner).await?;
            let known = Known { version, epoch: self.epoch(), fence };
            self.shared.consult(owner, intent, known, now.wall).await
        };
        let consultation = self.limited(runtime, now, consulting).await?;
        let was_reset = match intent {
            Intent::SignIn(_) => self.sees(consultation.epoch),
            Intent::Refresh => false,
        };
        let what = match consultation.verdict {
            Verdict::Newer(newer) => Verdict::Newer(kept_up(newer, now, runtime.now())),
            other => other,
        };
        Ok(Said { what, was_reset, problem: consultation.problem })
    }

    /// Gives a permit back.
    pub(crate) async fn settle(
        &self,
        runtime: &dyn Runtime,
        grant: Grant,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreUnavailable> {
        let settling = self.shared.settle(grant, settlement);
        self.limited(runtime, runtime.now(), settling).await
    }

    /// Looks for newer tokens and for a reset.
    pub(crate) async fn look(
        &self,
        runtime: &dyn Runtime,
        owner: Owner<'_>,
        denied: Option<(&Credentials, &Denial)>,
        version: Option<Fence>,
    ) -> Result<Said<Look>, StoreUnavailable> {
        let now = runtime.now();
        let looking = async {
            self.pass_on_resets(owner).await?;
            let known = Known { version, epoch: self.epoch(), fence: None };
            self.shared.look(owner, denied, known, now.wall).await
        };
        let mut look = self.limited(runtime, now, looking).await?;
        look.newer = look.newer.map(|newer| kept_up(newer, now, runtime.now()));
        let was_reset = self.sees(look.epoch);
        Ok(Said { what: look, was_reset, problem: None })
    }

    /// The login was reset in this process: the store is told before it is asked again.
    pub(crate) fn login_reset(&self) {
        self.lock().resets = vec![Reset::Login];
    }

    /// The same of one alias.
    pub(crate) fn alias_reset(&self, user_alias: &str) {
        let reset = Reset::Alias(user_alias.to_owned());
        let mut state = self.lock();
        if !state.resets.contains(&reset) {
            state.resets.push(reset);
        }
    }

    /// Tells the store of them in the background. If it cannot be told now, the next question to it
    /// tells it.
    pub(crate) fn pass_on_in_background(
        self: &Arc<Self>,
        runtime: &Arc<dyn Runtime>,
        username: Option<String>,
    ) {
        let Some(username) = username else { return };
        let (this, for_task) = (Arc::clone(self), Arc::clone(runtime));
        runtime.spawn(Box::pin(async move {
            let owner = Owner { username: &username, user_alias: None };
            let now = for_task.now();
            let _is_told = this.limited(&*for_task, now, this.pass_on_resets(owner)).await;
        }));
    }

    /// The server has accepted this password.
    pub(crate) fn proven(&self, credentials: &Credentials) {
        self.lock().proven = Some(credentials.clone());
    }

    /// Whether these credentials may be sent while the store cannot be asked.
    pub(crate) fn may_sign_in_without(&self, credentials: &Credentials) -> bool {
        let state = self.lock();
        let is_same = |proven| Ledger::is_same_password(proven, credentials);
        self.signs_in_without || state.proven.as_ref().is_some_and(is_same)
    }

    /// Passes on what was reset in this process, one job at a time.
    async fn pass_on_resets(&self, owner: Owner<'_>) -> Result<(), StoreError> {
        while let Some(resetting) = Resetting::next(self) {
            match &resetting.reset {
                Reset::Login => {
                    let epoch = self.shared.reset(owner).await?;
                    self.lock().epoch = Some(Some(epoch));
                }
                Reset::Alias(user_alias) => {
                    let of_alias = Owner { user_alias: Some(user_alias), ..owner };
                    self.shared.reset_alias(of_alias).await?;
                }
            }
            resetting.finish();
        }
        Ok(())
    }

    /// Waits for the store as long as is reasonable, and not at all while it is left alone.
    async fn limited<T>(
        &self,
        runtime: &dyn Runtime,
        now: Now,
        asking: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreUnavailable> {
        if let Some((until, why)) = &self.lock().rests
            && now.monotonic < *until
        {
            return Err(why.clone());
        }
        let why = match by(runtime, now.monotonic.saturating_add(LIMIT), asking).await {
            Some(Ok(answer)) => {
                let mut state = self.lock();
                (state.failures, state.rests) = (0, None);
                return Ok(answer);
            }
            Some(Err(error)) => StoreUnavailable(Some(Arc::new(error))),
            None => StoreUnavailable(None),
        };
        let mut state = self.lock();
        let doublings = state.failures.min(10);
        state.failures = state.failures.saturating_add(1);
        let rest = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
        let until = runtime.now().monotonic.saturating_add(rest);
        state.rests = Some((until, why.clone()));
        Err(why)
    }

    fn epoch(&self) -> Option<Fence> {
        self.lock().epoch.flatten()
    }

    /// Takes note of the epoch. Returns whether it means a reset by another process. A store
    /// without any has lost its values, or never had a reset.
    fn sees(&self, epoch: Option<Fence>) -> bool {
        let mut state = self.lock();
        let was_reset = epoch.is_some() && state.epoch.is_some_and(|known| known != epoch);
        if epoch.is_some() || state.epoch.is_none() {
            state.epoch = Some(epoch);
        }
        was_reset
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reset that one job passes on. If that fails or the job ends, another one does.
struct Resetting<'a> {
    link: &'a Link,
    reset: Reset,
    is_done: bool,
}

impl<'a> Resetting<'a> {
    fn next(link: &'a Link) -> Option<Self> {
        let mut state = link.lock();
        if state.is_resetting || state.resets.is_empty() {
            return None;
        }
        state.is_resetting = true;
        Some(Self { link, reset: state.resets.remove(0), is_done: false })
    }

    fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for Resetting<'_> {
    fn drop(&mut self) {
        let mut state = self.link.lock();
        state.is_resetting = false;
        if !self.is_done && !state.resets.contains(&self.reset) {
            state.resets.insert(0, self.reset.clone());
        }
    }
}

/// The tokens of a question that was asked at `asked`. If the wall clock was set back since, they
/// would seem younger than they are.
fn kept_up(mut newer: NewerTokens, asked: Now, now: Now) -> NewerTokens {
    let passed = now.monotonic.saturating_sub(asked.monotonic);
    if let Some(expected) = asked.wall.checked_add(passed).filter(|time| now.wall < *time) {
        newer.tokens = newer.tokens.moved(expected, now.wall);
    }
    newer
}

/// A random part of `time`, which spreads what many processes would do together.
pub(crate) fn random_part(time: Duration) -> Duration {
    // The upper half, as a fraction.
    let share = (seed() >> 32) as f64 / f64::from(u32::MAX);
    time.mul_f64(share.clamp(0.0, 1.0))
}
