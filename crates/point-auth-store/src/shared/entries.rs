//! Reading and changing the values of a store.

use std::time::Duration;

use point_auth_core::SecretBody;

use super::{SharedTokens, TRIES};
use crate::contract::{EntryName, Fence, StoreError};
use crate::record::{AliasRecord, LoginRecord};
use crate::sealing::SealError;

/// A value as it was read.
pub(super) struct Entry<R> {
    pub(super) raw: Option<Vec<u8>>,
    /// Empty where there is none, or none that can be opened.
    pub(super) record: R,
    /// The store's time.
    pub(super) now: Duration,
    pub(super) problem: Option<SealError>,
}

impl<R> Entry<R> {
    /// Why the value must not be overwritten, though it cannot be read.
    pub(super) fn is_foreign(&self) -> Option<SealError> {
        self.problem.filter(|problem| *problem != SealError::Damaged)
    }
}

/// What is in a value.
pub(super) trait Record: Default + Send {
    fn from_json(json: &[u8]) -> Result<Self, SealError>;
    fn to_json(&self) -> SecretBody;
    /// How long the store has to keep it. `None`: for good.
    fn keep_for(&self) -> Option<Duration>;
}

impl Record for AliasRecord {
    fn from_json(json: &[u8]) -> Result<Self, SealError> {
        Self::from_json(json)
    }

    fn to_json(&self) -> SecretBody {
        self.to_json()
    }

    fn keep_for(&self) -> Option<Duration> {
        // Tokens are over after 49 hours. Denials do not expire.
        const THREE_DAYS: Duration = Duration::from_secs(3 * 24 * 60 * 60);
        self.denied.is_empty().then_some(THREE_DAYS)
    }
}

impl Record for LoginRecord {
    fn from_json(json: &[u8]) -> Result<Self, SealError> {
        Self::from_json(json)
    }

    fn to_json(&self) -> SecretBody {
        self.to_json()
    }

    fn keep_for(&self) -> Option<Duration> {
        None
    }
}

impl SharedTokens {
    pub(super) async fn load<R: Record>(&self, name: &EntryName) -> Result<Entry<R>, StoreError> {
        let loaded = self.store.get().load(name).await?;
        let opened = loaded.value.as_deref().map(|sealed| {
            let plain = self.store.get().seals().open(sealed, name)?;
            R::from_json(&plain)
        });
        let (record, problem) = match opened {
            Some(Ok(record)) => (record, None),
            Some(Err(problem)) => (R::default(), Some(problem)),
            None => (R::default(), None),
        };
        Ok(Entry { raw: loaded.value, record, now: loaded.now, problem })
    }

    /// Writes `record` if the value is still the one that was read.
    pub(super) async fn swap<R: Record>(
        &self,
        name: &EntryName,
        read: &Entry<R>,
        record: &R,
    ) -> Result<bool, StoreError> {
        let store = self.store.get();
        let sealed = store.seals().seal(record.to_json().as_ref(), name);
        let sealed = sealed
            .map_err(|error| StoreError::new("the tokens cannot be sealed").with_source(error))?;
        let swapped = store.swap(name, read.raw.as_deref(), &sealed, record.keep_for()).await;
        match swapped {
            Ok(swapped) => Ok(swapped.done),
            // The reply may be what was lost. Sealed values never repeat, so that this one says
            // whether it was done.
            Err(error) => match store.load(name).await {
                Ok(loaded) if loaded.value.as_deref() == Some(&sealed) => Ok(true),
                Ok(_) | Err(_) => Err(error),
            },
        }
    }

    /// Changes the record of an alias, as often as other processes come in between.
    pub(super) async fn change_alias(
        &self,
        name: &EntryName,
        mut change: impl FnMut(&mut AliasRecord, Duration),
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let entry = self.load::<AliasRecord>(name).await?;
            if let Some(reason) = entry.is_foreign() {
                return Err(StoreError::new(reason.to_string()));
            }
            let mut record = entry.record.clone();
            change(&mut record, entry.now);
            if self.swap(name, &entry, &record).await? {
                return Ok(());
            }
        }
        Err(StoreError::new("other processes change the same value all the time"))
    }

    /// Gives a permit of an alias back that was not used.
    pub(super) async fn give_back(&self, name: &EntryName, fence: Fence) -> Result<(), StoreError> {
        self.change_alias(name, |record, _| {
            record.permit.take_if(|held| held.fence == fence);
        })
        .await
    }
}
