//! What an operator asks a store: what is there, and to forget it.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{KeptAlias, Ledger, Now, StoredTokens};
use point_auth_core::{Credentials, Denial};

use super::{Owner, Refusal, SharedTokens, Verdict, stand_in, verdict};
use crate::contract::StoreError;
use crate::record::{AliasRecord, Epoch, LoginRecord, as_wall};

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
        let mut of_login = self.load::<LoginRecord>(&login).await?;
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
                self.expire_gone(&mut of_login).await?;
                self.refusal(&of_login.record, &entry.record, credentials, of_login.now)
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

    /// Why these credentials would not be sent now.
    fn refusal(
        &self,
        login: &LoginRecord,
        alias: &AliasRecord,
        credentials: &Credentials,
        now: Duration,
    ) -> Option<Refusal> {
        let seals = self.store.get().seals();
        let fingerprint = seals.fingerprint(&self.base_url, credentials);
        let credentials = stand_in(&fingerprint, credentials.user_alias())?;
        let mut ledger = self.informed(login, alias, (&fingerprint, &credentials), login.epoch, 0);
        let now = Now::new(now, as_wall(now));
        match verdict(ledger.ask(&credentials, now).err()?, now) {
            Verdict::Rejected(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The ledger, with what is known of these credentials.
    pub(super) fn informed(
        &self,
        login: &LoginRecord,
        alias: &AliasRecord,
        (fingerprint, credentials): (&String, &Credentials),
        epoch: Epoch,
        next_permit: u128,
    ) -> Ledger {
        let mut ledger = self.ledger(login, next_permit);
        if alias.worked.as_ref() == Some(fingerprint) {
            ledger.learn(credentials, KeptAlias::Worked);
        }
        if let Some(denial) = alias.denial(fingerprint, epoch) {
            ledger.learn(credentials, KeptAlias::Denied(denial.clone()));
        }
        ledger
    }
}
