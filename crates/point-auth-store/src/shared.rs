//! [`SharedTokens`]: what a session does with a store before and after each exchange.

mod asking;
mod entries;
mod inspecting;
mod question;
mod settling;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use point_auth_core::session::{Ledger, Now, Policy, Rejected, StoredTokens};
use point_auth_core::{BaseUrl, Credentials, Denial};

use crate::any_store::AnyStore;
use crate::contract::{EntryName, Fence, StoreError};
use crate::record::{AliasRecord, HeldPermit, KeptDenial, KeptTokens, LoginRecord, as_wall};
use asking::Asks;
pub use inspecting::Inspection;
pub use question::{
    Consultation, Grant, Intent, Known, Look, NewerTokens, Owner, Refusal, Verdict,
};
pub use settling::{Settled, Settlement};

/// The tokens of one API that the processes of a fleet share in a store.
///
/// [`consult`](Self::consult) before each exchange and [`settle`](Self::settle) after it. Who may
/// send a password is the [`Ledger`]'s to say, which is built from the store each time, with the
/// time of the store's clock.
#[derive(Clone)]
pub struct SharedTokens {
    store: AnyStore,
    base_url: String,
    policy: Arc<Policy>,
    limit: usize,
}

/// So often a change is tried when other processes change the same value.
const TRIES: usize = 20;

impl SharedTokens {
    /// Creates the tokens of this API in `store`.
    pub fn new(store: AnyStore, base_url: &BaseUrl, policy: impl Into<Arc<Policy>>) -> Self {
        Self { store, base_url: base_url.as_str().to_owned(), policy: policy.into(), limit: 1 }
    }

    /// Sets how many processes may sign in at once with a password that has given a token (default:
    /// 1; zero counts as 1).
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// Asks what to do in place of an exchange, or for the permit to start it.
    ///
    /// `wall` is this machine's wall clock, read before the call. It is safe to repeat after an
    /// error: a permit that was granted unheard ends by itself.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    pub async fn consult(
        &self,
        owner: Owner<'_>,
        intent: Intent<'_>,
        known: Known,
        wall: SystemTime,
    ) -> Result<Consultation, StoreError> {
        let (login, alias) = self.names(owner);
        let fence = known.fence.map_or_else(Fence::random, Ok)?;
        let mut problem = None;
        for _ in 0..TRIES {
            let entry = self.load::<AliasRecord>(&alias).await?;
            problem = problem.or(entry.problem);
            let says = |verdict, epoch| Ok(Consultation { verdict, epoch, problem });
            if let Some(reason) = entry.is_foreign() {
                return says(Verdict::Alone(reason), None);
            }
            if let Some(KeptTokens { version, tokens }) = &entry.record.tokens
                && known.version != Some(*version)
            {
                let tokens = self.of(owner, tokens).moved(as_wall(entry.now), wall);
                return says(Verdict::Newer(NewerTokens { tokens, version: *version }), None);
            }
            if let Some(held) = entry.record.permit
                && entry.now < held.until
                && held.fence != fence
                && !self.store.get().is_gone(held.fence).await?
            {
                let left = held.until.saturating_sub(entry.now);
                if left > held.life {
                    // The store's clock has gone back since it was given.
                    let until = entry.now.saturating_add(held.life);
                    let permit = Some(HeldPermit { until, ..held });
                    let record = AliasRecord { permit, ..entry.record.clone() };
                    // A process that came in between has changed the permit.
                    let _is_done = self.swap(&alias, &entry, &record).await?;
                }
                return says(Verdict::InUse(left.min(held.life)), None);
            }
            // Most questions of a fleet end here: a rejection needs no permit.
            let asking = match intent {
                Intent::Refresh => None,
                Intent::SignIn(credentials) => {
                    let asks = Asks::new(self, &login, credentials, fence)?;
                    match self.look_at_ledger(&asks, &entry.record).await? {
                        (epoch, Err(verdict)) => {
                            if entry.record.permit.is_some_and(|held| held.fence == fence) {
                                // Granted before, unheard.
                                let _is_given_back = self.give_back(&alias, fence).await;
                            }
                            return says(verdict, epoch);
                        }
                        (_, Ok(read)) => Some((asks, read)),
                    }
                }
            };
            let announced = self.store.get().announce(fence).await?.map(Arc::new);
            let mut record = entry.record.clone();
            let life = self.permit_life();
            record.permit = Some(HeldPermit { fence, until: entry.now.saturating_add(life), life });
            // The alias first: only one process asks the ledger on its behalf.
            if !self.swap(&alias, &entry, &record).await? {
                continue;
            }
            let clocks = (wall, entry.now);
            let granted = |alias, sign_in| {
                Verdict::Granted(Grant { fence, alias, sign_in, clocks, _announced: announced })
            };
            let Some((asks, read)) = asking else { return says(granted(alias, None), None) };
            let (epoch, verdict) = match self.ask(&asks, &record, read).await {
                Ok((epoch, Ok(sign_in))) => return says(granted(alias, Some(sign_in)), epoch),
                Ok((epoch, Err(verdict))) => (epoch, Ok(verdict)),
                Err(error) => (None, Err(error)),
            };
            // If that fails, the permit ends by itself. What the ledger said counts.
            let _is_given_back = self.give_back(&alias, fence).await;
            return says(verdict?, epoch);
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }

    /// Looks for newer tokens and for a reset, without a permit. For a session that sends nothing,
    /// because its password was denied or is held.
    ///
    /// `denied` is what the session knows of its password. A store that has lost its values gets it
    /// back.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    pub async fn look(
        &self,
        owner: Owner<'_>,
        denied: Option<(&Credentials, &Denial)>,
        known: Known,
        wall: SystemTime,
    ) -> Result<Look, StoreError> {
        let (login, alias) = self.names(owner);
        let entry = self.load::<AliasRecord>(&alias).await?;
        let of_login = self.load::<LoginRecord>(&login).await?;
        let epoch = of_login.record.epoch;
        let newer = entry.record.tokens.as_ref().filter(|kept| known.version != Some(kept.version));
        let newer = newer.map(|kept| NewerTokens {
            tokens: self.of(owner, &kept.tokens).moved(as_wall(entry.now), wall),
            version: kept.version,
        });
        let was_reset = epoch.is_some() && epoch != known.epoch;
        // Tokens or a permit mean that another process has found a way since.
        let is_idle = newer.is_none() && entry.record.permit.is_none();
        if let Some((credentials, denial)) = denied
            && !was_reset
            && is_idle
            && entry.is_foreign().is_none()
        {
            let seals = self.store.get().seals();
            let fingerprint = seals.fingerprint(&self.base_url, credentials);
            if entry.record.denial(&fingerprint, epoch).is_none() {
                let mut record = entry.record.clone();
                record.deny(KeptDenial { fingerprint, epoch, denial: denial.clone() });
                // A process that came in between knows more.
                let _is_done = self.swap(&alias, &entry, &record).await?;
            }
        }
        Ok(Look { newer, epoch })
    }

    /// Forgets denials, holds and unknown outcomes of the whole login, for all processes: each
    /// notices at its next look. Returns the new epoch.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    pub async fn reset(&self, owner: Owner<'_>) -> Result<Fence, StoreError> {
        let (name, _) = self.names(owner);
        let epoch = Fence::random()?;
        for _ in 0..TRIES {
            let entry = self.load::<LoginRecord>(&name).await?;
            if let Some(reason) = entry.is_foreign() {
                return Err(StoreError::new(reason.to_string()));
            }
            let mut ledger = self.ledger(&entry.record.clone().at_time(entry.now), 0);
            ledger.reset();
            let ledger = ledger.kept(fingerprint_of);
            let record = LoginRecord { epoch: Some(epoch), ledger, written: entry.now };
            if self.swap(&name, &entry, &record).await? {
                return Ok(epoch);
            }
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }

    /// Forgets the denial of one alias. Holds of the login stay.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    pub async fn reset_alias(&self, owner: Owner<'_>) -> Result<(), StoreError> {
        let (_, alias) = self.names(owner);
        self.change_alias(&alias, |record, _| record.denied.clear()).await
    }

    /// The tokens, as those of this owner.
    fn of(&self, owner: Owner<'_>, tokens: &StoredTokens) -> StoredTokens {
        tokens.clone().with_owner(&self.base_url, Some(owner.username), owner.user_alias)
    }

    /// A permit outlives the exchange that it is for, which may start some time after it was given.
    fn permit_life(&self) -> Duration {
        let exchange = self.policy.exchange_timeout().saturating_add(Policy::GRACE);
        exchange.saturating_add(Grant::START_WITHIN)
    }

    fn ledger(&self, record: &LoginRecord, next_permit: u128) -> Ledger {
        let credentials = |fingerprint: &String| stand_in(fingerprint, None);
        let ledger = Ledger::from_kept(&record.ledger, &self.policy, next_permit, credentials);
        ledger.with_limit(self.limit)
    }

    fn names(&self, owner: Owner<'_>) -> (EntryName, EntryName) {
        let seals = self.store.get().seals();
        let login = seals.login(&self.base_url, owner.username);
        let alias = seals.alias(&login, owner.user_alias);
        (login, alias)
    }
}

impl fmt::Debug for SharedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTokens").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

fn verdict(rejected: Rejected, now: Now) -> Verdict {
    let left = |moment: point_auth_core::session::Moment| moment.time_left(now);
    match rejected {
        Rejected::Denied { denial, .. } => Verdict::Rejected(Refusal::Denied(denial)),
        Rejected::Held { until } => Verdict::Rejected(Refusal::Held(until.map(left))),
        Rejected::TooManyUnknown { until } => {
            Verdict::Rejected(Refusal::TooManyUnknown(left(until)))
        }
        Rejected::Busy { until } => Verdict::Busy(left(until)),
        // No ledger says anything else yet.
        _ => Verdict::Busy(Duration::from_secs(1)),
    }
}

/// Credentials that stand for a fingerprint in a ledger, which only compares them.
fn stand_in(fingerprint: &str, user_alias: Option<&str>) -> Option<Credentials> {
    let credentials = Credentials::new(fingerprint, "a fingerprint").ok()?;
    match user_alias {
        Some(user_alias) => credentials.with_user_alias(user_alias).ok(),
        None => Some(credentials),
    }
}

fn fingerprint_of(credentials: &Credentials) -> String {
    credentials.username().to_owned()
}
