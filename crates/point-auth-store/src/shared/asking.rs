//! The question to a login's ledger: may this password be sent now?

use point_auth_core::Credentials;
use point_auth_core::session::{KeptAlias, Now, Permit, Rejected};

use super::entries::Entry;
use super::question::SignInGrant;
use super::{SharedTokens, TRIES, fingerprint_of, stand_in, verdict};
use crate::contract::{EntryName, Fence, StoreError};
use crate::record::{AliasRecord, Epoch, LoginRecord, as_wall};
use crate::{Refusal, Verdict};

/// Who asks, and with which password.
pub(super) struct Asks<'a> {
    login: &'a EntryName,
    fingerprint: String,
    /// They stand for the fingerprint.
    credentials: Credentials,
    fence: Fence,
}

/// What the ledger says, by one reading of it.
enum Step {
    Rejected(Verdict, Epoch),
    /// The ledger has a permit, which is not written yet.
    Open(LoginRecord, Permit),
    /// Another process came in between.
    Again,
}

impl<'a> Asks<'a> {
    pub(super) fn new(
        shared: &SharedTokens,
        login: &'a EntryName,
        credentials: &Credentials,
        fence: Fence,
    ) -> Result<Self, StoreError> {
        let seals = shared.store.get().seals();
        let fingerprint = seals.fingerprint(&shared.base_url, credentials);
        let credentials = stand_in(&fingerprint, credentials.user_alias())
            .ok_or_else(|| StoreError::new("the credentials have no fingerprint"))?;
        Ok(Self { login, fingerprint, credentials, fence })
    }
}

impl SharedTokens {
    /// Asks the login's ledger whether it rejects the password, without taking a permit. Returns
    /// its value as it was read if it does not.
    pub(super) async fn look_at_ledger(
        &self,
        asks: &Asks<'_>,
        alias: &AliasRecord,
    ) -> Result<(Epoch, Result<Entry<LoginRecord>, Verdict>), StoreError> {
        for _ in 0..TRIES {
            let entry = self.load(asks.login).await?;
            match self.step(asks, alias, &entry).await? {
                Step::Rejected(verdict, epoch) => return Ok((epoch, Err(verdict))),
                Step::Open(record, _) => return Ok((record.epoch, Ok(entry))),
                Step::Again => {}
            }
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }

    /// Asks the login's ledger for a permit, and records that it is about to be used. `entry` is
    /// the value as it was read last.
    pub(super) async fn ask(
        &self,
        asks: &Asks<'_>,
        alias: &AliasRecord,
        mut entry: Entry<LoginRecord>,
    ) -> Result<(Epoch, Result<SignInGrant, Verdict>), StoreError> {
        for _ in 0..TRIES {
            match self.step(asks, alias, &entry).await? {
                Step::Rejected(verdict, epoch) => return Ok((epoch, Err(verdict))),
                Step::Open(record, permit) => {
                    if self.swap(asks.login, &entry, &record).await? {
                        let (login, epoch) = (asks.login.clone(), record.epoch);
                        let fingerprint = asks.fingerprint.clone();
                        let credentials = asks.credentials.clone();
                        let grant = SignInGrant { login, fingerprint, permit, epoch, credentials };
                        return Ok((epoch, Ok(grant)));
                    }
                }
                Step::Again => {}
            }
            entry = self.load(asks.login).await?;
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }

    async fn step(
        &self,
        asks: &Asks<'_>,
        alias: &AliasRecord,
        entry: &Entry<LoginRecord>,
    ) -> Result<Step, StoreError> {
        if let Some(reason) = entry.is_foreign() {
            return Ok(Step::Rejected(Verdict::Alone(reason), None));
        }
        let (record, asked) = self.consider(asks, alias, self.current(entry, asks.fence).await?);
        let rejected = match asked {
            Ok(permit) => return Ok(Step::Open(record, permit)),
            Err(rejected) => rejected,
        };
        // A rejection is written as well where a permit has expired: the hold that follows from
        // that counts from now.
        if record.differs_from(&entry.record) && !self.swap(asks.login, entry, &record).await? {
            return Ok(Step::Again);
        }
        let now = Now::new(entry.now, as_wall(entry.now));
        Ok(Step::Rejected(verdict(rejected, now), record.epoch))
    }

    /// Returns why the ledger rejects the password, without writing anything.
    pub(super) async fn refusal(
        &self,
        asks: &Asks<'_>,
        alias: &AliasRecord,
        entry: &Entry<LoginRecord>,
    ) -> Result<Option<Refusal>, StoreError> {
        let record = self.current(entry, asks.fence).await?;
        let Err(rejected) = self.consider(asks, alias, record).1 else { return Ok(None) };
        Ok(match verdict(rejected, Now::new(entry.now, as_wall(entry.now))) {
            Verdict::Rejected(refusal) => Some(refusal),
            _ => None,
        })
    }

    /// The record as it counts now: without the permits of processes that are gone.
    async fn current(
        &self,
        entry: &Entry<LoginRecord>,
        fence: Fence,
    ) -> Result<LoginRecord, StoreError> {
        let mut record = entry.record.clone().at_time(entry.now);
        // Of an earlier question with this fence, whose answer got lost. Nothing was sent.
        record.ledger.permits.retain(|permit| permit.id != fence.number());
        for permit in &mut record.ledger.permits {
            if permit.expires > entry.now && self.store.get().is_gone(Fence::of(permit.id)).await? {
                permit.expires = entry.now;
            }
        }
        Ok(record)
    }

    /// What the ledger says, and how it is afterwards.
    fn consider(
        &self,
        asks: &Asks<'_>,
        alias: &AliasRecord,
        record: LoginRecord,
    ) -> (LoginRecord, Result<Permit, Rejected>) {
        let now = Now::new(record.written, as_wall(record.written));
        let mut ledger = self.ledger(&record, asks.fence.number());
        if alias.worked.as_ref() == Some(&asks.fingerprint) {
            ledger.learn(&asks.credentials, KeptAlias::Worked);
        }
        if let Some(denial) = alias.denial(&asks.fingerprint, record.epoch) {
            ledger.learn(&asks.credentials, KeptAlias::Denied(denial.clone()));
        }
        let asked = ledger.ask(&asks.credentials, now);
        if let Ok(permit) = &asked {
            let deadline = record.written.saturating_add(self.permit_life());
            // It was granted just now, so that it cannot have expired.
            let _is_valid = ledger.start(permit, deadline, now);
        }
        (LoginRecord { ledger: ledger.kept(fingerprint_of), ..record }, asked)
    }
}
