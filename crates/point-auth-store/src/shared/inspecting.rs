//! What an operator asks a store: what is there, and to forget it.

use std::time::{Duration, SystemTime};

use point_auth_core::session::StoredTokens;
use point_auth_core::{Credentials, Denial};

use super::asking::Asks;
use super::{Owner, Refusal, SharedTokens};
use crate::contract::{Fence, StoreError};
use crate::record::{AliasRecord, LoginRecord, as_wall};

/// What a store has of one user. It is for people and dashboards.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The tokens, with times of this machine's wall clock.
    pub tokens: Option<StoredTokens>,
    /// Another process exchanges tokens now, and its permit ends after this time.
    pub in_use: Option<Duration>,
    /// The last denial since the last reset, of any password.
    pub last_denial: Option<Denial>,
    /// Why the credentials that were asked for would not be sent now.
    pub refusal: Option<Refusal>,
}

impl SharedTokens {
    /// Returns what the store has of a user. It asks for no permit and changes nothing.
    ///
    /// With `credentials` it also says whether they may be sent now. `wall` is this machine's wall
    /// clock, read before the call.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say, or has a value that cannot be opened.
    pub async fn inspect(
        &self,
        owner: Owner<'_>,
        credentials: Option<&Credentials>,
        wall: SystemTime,
    ) -> Result<Inspection, StoreError> {
        let (login, alias) = self.names(owner);
        let entry = self.load::<AliasRecord>(&alias).await?;
        let of_login = self.load::<LoginRecord>(&login).await?;
        if let Some(problem) = entry.problem.or(of_login.problem) {
            return Err(StoreError::new(problem.to_string()));
        }
        let epoch = of_login.record.epoch;
        let in_use = match entry.record.permit {
            Some(held) if entry.now < held.until => {
                let is_gone = self.store.get().is_gone(held.fence).await?;
                (!is_gone).then(|| held.until.saturating_sub(entry.now))
            }
            _ => None,
        };
        let refusal = match credentials {
            Some(credentials) => {
                let asks = Asks::new(self, &login, credentials, Fence::of(0))?;
                self.refusal(&asks, &entry.record, &of_login).await?
            }
            None => None,
        };
        let of_this_epoch = entry.record.denied.iter().rev().find(|kept| kept.epoch == epoch);
        let tokens = entry.record.tokens.as_ref();
        Ok(Inspection {
            tokens: tokens.map(|kept| self.of(owner, &kept.tokens).moved(as_wall(entry.now), wall)),
            in_use,
            last_denial: of_this_epoch.map(|kept| kept.denial.clone()),
            refusal,
        })
    }

    /// Forgets the tokens of one user. What an exchange brings that is in flight is dropped.
    ///
    /// Denials and holds stay, and so do the tokens that a process has in memory.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    pub async fn forget(&self, owner: Owner<'_>) -> Result<(), StoreError> {
        let (_, alias) = self.names(owner);
        self.change_alias(&alias, |record, _| (record.tokens, record.permit) = (None, None)).await
    }
}
