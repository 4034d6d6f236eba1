//! [`KeptTokens`]: the tokens of a profile in its store, without a session.

use std::time::SystemTime;

use point_auth::Credentials;
use point_auth::session::Policy;
use point_auth::token_store::{Inspection, Owner, SharedTokens, StoreError};

use crate::failure::{Exit, Failure, Result, chain};
use crate::profile::{Profile, Store};

/// The tokens of a profile's user. Asks of it send nothing.
pub(crate) struct KeptTokens<'a> {
    profile: &'a Profile,
    username: &'a str,
    pub(super) shared: SharedTokens,
}

impl<'a> KeptTokens<'a> {
    pub(crate) fn open(profile: &'a Profile) -> Result<Self> {
        Self::of(profile, profile.store.open()?)
    }

    pub(crate) fn of(profile: &'a Profile, store: Store) -> Result<Self> {
        let username = profile.username()?;
        let shared = SharedTokens::new(store.into(), &profile.base_url, Policy::default());
        Ok(Self { profile, username, shared })
    }

    /// What is in the store, and whether these credentials may be sent now.
    pub(crate) fn inspect(&self, credentials: Option<&Credentials>) -> Result<Inspection> {
        let wall = SystemTime::now();
        block(self.shared.inspect(self.owner(), credentials, wall))
    }

    /// Forgets the tokens.
    pub(crate) fn forget(&self) -> Result<()> {
        block(self.shared.forget(self.owner()))
    }

    /// Forgets denials and holds, of the login and of the alias.
    pub(crate) fn reset(&self) -> Result<()> {
        block(self.shared.reset(self.owner()))?;
        block(self.shared.reset_alias(self.owner()))
    }

    pub(super) fn owner(&self) -> Owner<'a> {
        Owner { username: self.username, user_alias: self.profile.user_alias.as_deref() }
    }
}

/// Waits for a store, which is one that blocks.
pub(super) fn block<T>(asking: impl Future<Output = Result<T, StoreError>>) -> Result<T> {
    pollster::block_on(asking)
        .map_err(|error| Failure::new(Exit::Temporary, "store", chain(&error)))
}
