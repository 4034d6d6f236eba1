//! What a process asks a store, and what it is told.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use point_auth_core::session::{Permit, StoredTokens};
use point_auth_core::{Credentials, Denial};

use crate::contract::{Announced, EntryName, Fence};
use crate::record::Epoch;
use crate::sealing::SealError;

/// Whose tokens it is about.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a user is a username and perhaps an alias")]
pub struct Owner<'a> {
    /// The username of the login, in any case.
    pub username: &'a str,
    /// The alias, if there is one.
    pub user_alias: Option<&'a str>,
}

/// What a process knows already.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the driver of a session builds it")]
pub struct Known {
    /// The version of the tokens that it has from the store, or has put there.
    pub version: Option<Fence>,
    /// The epoch of the login: it changes with each reset. Only a look asks for it.
    pub epoch: Option<Fence>,
    /// The fence to ask with: that of an earlier question whose answer got lost, so that it is
    /// answered alike. `None` for a new one. Nothing may have been sent with it.
    pub fence: Option<Fence>,
}

/// What an exchange would be.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Intent<'a> {
    /// A refresh.
    Refresh,
    /// A sign-in with these credentials.
    SignIn(&'a Credentials),
}

/// What a store says before an exchange.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Consultation {
    /// Whether the process may go on.
    pub verdict: Verdict,
    /// The epoch of the login, where it was looked at. Another one than before means a reset.
    pub epoch: Option<Fence>,
    /// A value that could not be opened, and counts as none.
    pub problem: Option<SealError>,
}

/// Whether a process may exchange now.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must act on each of them")]
pub enum Verdict {
    /// There are tokens that the process does not have.
    Newer(NewerTokens),
    /// It may, and no other process does. [Settle](crate::SharedTokens::settle) it.
    Granted(Grant),
    /// Another process is at it. Its permit ends after this time, unless it is settled before.
    InUse(Duration),
    /// All permits of the login are taken. The next one ends after this time, unless it is settled
    /// before.
    Busy(Duration),
    /// The password must not be sent.
    Rejected(Refusal),
    /// The value is there and this process cannot open it: it stands alone, and must not overwrite
    /// it.
    Alone(SealError),
}

/// Tokens that another process has obtained.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewerTokens {
    /// The tokens, with times of this machine's wall clock.
    pub tokens: StoredTokens,
    /// Their version.
    pub version: Fence,
}

/// Why the password must not be sent. Times are from when the store was asked.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "as the ledger has them")]
pub enum Refusal {
    /// It was denied with this alias.
    Denied(Denial),
    /// Too many other aliases were denied in a row. `None`: until the password changes, or a reset.
    Held(Option<Duration>),
    /// Too many sign-ins in a row had an unknown outcome.
    TooManyUnknown(Duration),
}

/// The right to exchange tokens once. A clone is the same right: it is there to settle once more
/// after an error.
#[derive(Clone)]
#[must_use = "a grant that is not settled blocks other processes until it ends"]
pub struct Grant {
    pub(crate) fence: Fence,
    pub(crate) alias: EntryName,
    pub(crate) sign_in: Option<SignInGrant>,
    /// This machine's wall clock before the store was asked, and the store's time.
    pub(crate) clocks: (SystemTime, Duration),
    pub(crate) _announced: Option<Arc<Announced>>,
}

#[derive(Clone)]
pub(crate) struct SignInGrant {
    pub(crate) login: EntryName,
    pub(crate) fingerprint: String,
    pub(crate) permit: Permit,
    pub(crate) epoch: Epoch,
    pub(crate) credentials: Credentials,
}

impl Grant {
    /// The exchange must start within this time of when the store was asked.
    pub const START_WITHIN: Duration = Duration::from_secs(10);
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("fence", &self.fence).finish_non_exhaustive()
    }
}

/// What a session that was denied finds in the store.
#[derive(Debug)]
#[non_exhaustive]
pub struct Look {
    /// Tokens that it does not have.
    pub newer: Option<NewerTokens>,
    /// The epoch of the login. Another one than before means a reset.
    pub epoch: Option<Fence>,
}
