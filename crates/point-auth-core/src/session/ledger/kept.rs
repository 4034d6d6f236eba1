//! [`KeptLedger`]: the form in which a store keeps a ledger that many processes share.

use std::time::Duration;

use super::super::policy::Policy;
use super::super::time::Moment;
use super::password::{Class, Password, Streak};
use super::{Ledger, Outstanding, Purpose};
use crate::{Credentials, Denial};

/// The parts of a [`Ledger`], for a store that many processes share.
///
/// Each consultation builds the ledger from it, asks or settles, and writes it back. All times are
/// those of the store's clock, like [`Now::monotonic`](super::super::Now::monotonic) in a ledger.
/// `K` identifies a password: a store keeps a fingerprint.
///
/// It does not include the aliases, which may be many. A store keeps them separately, as
/// [`KeptAlias`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store writes and reads all of it")]
pub struct KeptLedger<K> {
    /// The passwords, the last used one last.
    pub passwords: Vec<KeptPassword<K>>,
    /// The permits in use.
    pub permits: Vec<KeptPermit<K>>,
}

/// The state of one password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store writes and reads all of it")]
pub struct KeptPassword<K> {
    /// The key of the password.
    pub key: K,
    /// Whether it has given a token.
    pub is_proven: bool,
    /// Denials in a row of aliases that have worked, and when the last one came.
    pub worked_denials: (u32, Duration),
    /// Denials in a row of all other aliases, and when the last one came.
    pub other_denials: (u32, Duration),
    /// Sign-ins in a row with unknown outcome.
    pub unknown: u32,
    /// Until when it is held for these.
    pub unknown_until: Option<Duration>,
}

/// A permit in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store writes and reads all of it")]
pub struct KeptPermit<K> {
    /// The id, which is unique.
    pub id: u128,
    /// The password of the permit.
    pub key: K,
    /// Whether the alias has worked with that password.
    pub has_worked: bool,
    /// When it expires.
    pub expires: Duration,
}

/// The state of one alias with one password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum KeptAlias {
    /// The alias has worked.
    Worked,
    /// The alias was denied.
    Denied(Denial),
}

impl Ledger {
    /// Builds a ledger from the kept form. The next permit has the id `next_permit`.
    ///
    /// `credentials` returns credentials for a key: any, as long as each key has its own. A key
    /// without credentials is left out.
    pub fn from_kept<K>(
        kept: &KeptLedger<K>,
        policy: &Policy,
        next_permit: u128,
        credentials: impl Fn(&K) -> Option<Credentials>,
    ) -> Self {
        let mut ledger = Self::new(policy);
        ledger.next_permit = next_permit;
        let passwords = kept.passwords.iter().filter_map(|kept| {
            let mut password = Password::new(&credentials(&kept.key)?);
            password.is_proven = kept.is_proven;
            let streak = |(denials, last)| Streak { denials, last };
            password.worked_streak = streak(kept.worked_denials);
            password.others_streak = streak(kept.other_denials);
            password.unknown = kept.unknown;
            password.unknown_until = kept.unknown_until.map(Moment::on_monotonic);
            Some(password)
        });
        ledger.passwords = passwords.collect();
        let permits = kept.permits.iter().filter_map(|kept| {
            let class = if kept.has_worked { Class::Worked } else { Class::Others };
            let purpose = Some(Purpose { credentials: credentials(&kept.key)?, class });
            let (id, expires) = (kept.id, kept.expires);
            Some(Outstanding { id, purpose, expires, may_have_been_sent: true })
        });
        ledger.permits = permits.collect();
        ledger
    }

    /// Adds the state of the alias of `credentials` with their password.
    pub fn learn(&mut self, credentials: &Credentials, known: KeptAlias) {
        let user_alias = credentials.user_alias();
        match (self.passwords.iter_mut().find(|one| one.is_of(credentials)), known) {
            (Some(password), KeptAlias::Worked) => password.learn_worked(user_alias),
            (Some(password), KeptAlias::Denied(denial)) => {
                password.learn_denied(user_alias, denial);
            }
            (None, known) => {
                self.touch(credentials);
                // Found on the next call.
                if self.passwords.iter().any(|one| one.is_of(credentials)) {
                    self.learn(credentials, known);
                }
            }
        }
    }

    /// Returns the kept form. Only permits of exchanges that have [started](Self::start) are kept.
    ///
    /// `key` identifies the password of credentials that [`from_kept`](Self::from_kept) built, or
    /// that the ledger was asked for since.
    pub fn kept<K>(&self, key: impl Fn(&Credentials) -> K) -> KeptLedger<K> {
        let passwords = self.passwords.iter().map(|password| KeptPassword {
            key: key(&password.credentials),
            is_proven: password.is_proven,
            worked_denials: (password.worked_streak.denials, password.worked_streak.last),
            other_denials: (password.others_streak.denials, password.others_streak.last),
            unknown: password.unknown,
            unknown_until: password.unknown_until.map(Moment::monotonic),
        });
        let permits = self.permits.iter().filter(|permit| permit.may_have_been_sent);
        let permits = permits.filter_map(|permit| {
            let purpose = permit.purpose.as_ref()?;
            Some(KeptPermit {
                id: permit.id,
                key: key(&purpose.credentials),
                has_worked: purpose.class == Class::Worked,
                expires: permit.expires,
            })
        });
        KeptLedger { passwords: passwords.collect(), permits: permits.collect() }
    }
}

impl<K> Default for KeptLedger<K> {
    fn default() -> Self {
        Self { passwords: Vec::new(), permits: Vec::new() }
    }
}
