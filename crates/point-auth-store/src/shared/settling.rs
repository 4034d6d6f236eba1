//! The step after an exchange.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{KeptAlias, Now, SignInResult, StoredTokens};

use super::question::SignInGrant;
use super::{Grant, SharedTokens, TRIES, fingerprint_of};
use crate::contract::{Fence, StoreError};
use crate::record::{KeptDenial, KeptTokens, LoginRecord, as_wall};

/// What came of an exchange.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the driver of a session builds it")]
pub struct Settlement<'a> {
    /// What the session has now, where the exchange has changed that: tokens, or fewer of them
    /// because the refresh token was refused. Their times are of this machine's wall clock.
    pub tokens: Option<&'a StoredTokens>,
    /// What a sign-in says about the password. Of no meaning for a refresh.
    pub sign_in: SignInResult<'a>,
    /// This machine's wall clock.
    pub wall: SystemTime,
}

/// What became of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Settled {
    /// Other processes find the tokens, under this version.
    InTime(Fence),
    /// The permit had ended, and another process was granted one. The tokens were dropped; a denial
    /// counts.
    Late,
}

impl SharedTokens {
    /// Gives a permit back with what came of the exchange.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say. It is safe to repeat, with a clone of the grant.
    /// Otherwise the permit ends by itself, and a sign-in counts as one with unknown outcome.
    pub async fn settle(
        &self,
        grant: Grant,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let fence = grant.fence;
        let mut in_time = false;
        self.change_alias(&grant.alias, |record, now| {
            in_time = record.permit.is_some_and(|held| held.fence == fence);
            if in_time {
                record.permit = None;
                if let Some(tokens) = settlement.tokens {
                    let (wall, store) = closer(grant.clocks, (settlement.wall, now));
                    let tokens = tokens.clone().moved(wall, as_wall(store));
                    record.tokens = Some(KeptTokens { version: fence, tokens });
                }
            }
            let Some(sign_in) = &grant.sign_in else { return };
            match settlement.sign_in {
                SignInResult::Accepted if in_time => {
                    record.worked = Some(sign_in.fingerprint.clone());
                    record.denied.retain(|kept| kept.fingerprint != sign_in.fingerprint);
                }
                SignInResult::Denied(denial) => record.deny(KeptDenial {
                    fingerprint: sign_in.fingerprint.clone(),
                    epoch: sign_in.epoch,
                    denial: denial.clone(),
                }),
                _ => {}
            }
        })
        .await?;
        if let Some(sign_in) = grant.sign_in {
            self.settle_login(sign_in, settlement.sign_in).await?;
        }
        Ok(if in_time { Settled::InTime(fence) } else { Settled::Late })
    }

    async fn settle_login(
        &self,
        sign_in: SignInGrant,
        result: SignInResult<'_>,
    ) -> Result<(), StoreError> {
        let SignInGrant { login, permit, epoch, credentials, .. } = sign_in;
        for _ in 0..TRIES {
            let entry = self.load::<LoginRecord>(&login).await?;
            if let Some(reason) = entry.is_foreign() {
                return Err(StoreError::new(reason.to_string()));
            }
            // A denial from before a reset counts no more.
            let is_current = entry.record.epoch.or(epoch) == epoch;
            let result = match result {
                SignInResult::Denied(_) if !is_current => SignInResult::Inconclusive,
                result => result,
            };
            let now = Now::new(entry.now, as_wall(entry.now));
            let mut ledger = self.ledger(&entry.record.clone().at_time(entry.now), 0);
            if matches!(result, SignInResult::Accepted) {
                // A class that an alias was in when it was asked for is part of the permit.
                ledger.learn(&credentials, KeptAlias::Worked);
            }
            let _hold_ended = ledger.settle(permit.clone(), result, now);
            let ledger = ledger.kept(fingerprint_of);
            let record = LoginRecord { epoch: entry.record.epoch, ledger, written: entry.now };
            if self.swap(&login, &entry, &record).await? {
                return Ok(());
            }
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }
}

/// The readings of both clocks that were taken closer together. The wall clock was read first each
/// time, so that a delay between the two makes the store's clock seem ahead, and tokens too young.
fn closer(one: (SystemTime, Duration), other: (SystemTime, Duration)) -> (SystemTime, Duration) {
    let ahead = |(wall, store): (SystemTime, Duration)| as_wall(store).duration_since(wall);
    let is_closer = match (ahead(one), ahead(other)) {
        (Ok(one), Ok(other)) => one <= other,
        (Err(one), Err(other)) => one.duration() >= other.duration(),
        (one, _) => one.is_err(),
    };
    if is_closer { one } else { other }
}
