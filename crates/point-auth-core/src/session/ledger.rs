//! [`Ledger`]: decides who may send a password now, so that no account is locked.

mod answers;
mod forked;
mod kept;
mod own;
mod pacing;
mod password;
mod remembered;
mod room;

use std::fmt;
use std::time::Duration;

use super::policy::Policy;
use super::time::{Moment, Now};
use crate::Credentials;
pub use answers::{LedgerSnapshot, Rejected, SignInResult};
pub use kept::{KeptAlias, KeptLedger, KeptPassword, KeptPermit};
use pacing::SourcePacing;
pub(super) use password::same_password;
use password::{Class, Password};

/// Decides who may send a password of one login, and remembers the results.
///
/// A session has a ledger of its own. Sessions of many aliases share one: each asks it for a
/// [`Permit`] before a sign-in and settles the permit afterwards. The ledger reads no clock.
///
/// # Rules
///
/// A *password* here is a username with its password. The case of the username makes no
/// difference. A *class* is either the aliases that have worked with this password, or all others.
///
/// | rule | numbers |
/// |---|---|
/// | An alias that was denied is not sent again with the same password. Other aliases are. | |
/// | After denials in a row in one class, with no token in between, that class is held. Then one alias may try. Another denial doubles the hold, and a token ends it. | 3 denials; 10 minutes, up to 1 hour |
/// | A password that has never given a token is held in this way too, and permanently after six denials. | 3 denials; 1 hour, 2 hours, 4 hours |
/// | After sign-ins in a row with unknown outcome, nothing is sent with that password. | 3 sign-ins; 10 minutes |
/// | A password that has never given a token is sent one at a time. A proven one is sent by up to the [limit](Self::with_limit) at once, until a denial: then one at a time in that class until a token. | |
/// | A permit that is not settled expires 2 seconds after the deadline of its exchange. If its request may have been sent, it counts as an unknown outcome. | |
///
/// So a wrong password is denied at most three times before a class is held, or as often as the
/// limit if that is greater. Denials of aliases that have worked hold the other aliases too,
/// because the password may have been changed at the server. Denials of other aliases, which can be
/// invented, do not hold those that have worked.
///
/// # What is remembered
///
/// The ledger remembers the last five passwords, each with at most 100,000 aliases that have worked
/// and 10,000 that were denied. Beyond that the oldest alias of its kind is forgotten, and then
/// counts as not tried. [`reset`](Self::reset) forgets denials, holds and unknown outcomes, but not
/// which aliases have worked.
///
/// `Debug` shows no secret.
#[derive(Clone)]
pub struct Ledger {
    /// In the order of their use, the last used one last.
    passwords: Vec<Password>,
    permits: Vec<Outstanding>,
    next_permit: u128,
    limit: usize,
    /// How long a permit is valid before its exchange starts.
    permit_life: Duration,
    source: SourcePacing,
}

/// The maximum number of passwords that are remembered.
const MOST_PASSWORDS: usize = 5;

/// The right to sign in once. [Settle](Ledger::settle) it after every outcome.
#[derive(Clone, Debug)]
#[must_use = "a permit that is not settled blocks others until it expires"]
pub struct Permit {
    id: u128,
    purpose: Option<Purpose>,
}

impl Permit {
    /// Returns the id of the permit, which is unique in the ledger.
    pub const fn id(&self) -> u128 {
        self.id
    }
}

/// The subject of a permit.
#[derive(Clone, Debug)]
struct Purpose {
    credentials: Credentials,
    class: Class,
}

#[derive(Clone)]
struct Outstanding {
    id: u128,
    purpose: Option<Purpose>,
    /// On the monotonic clock.
    expires: Duration,
    may_have_been_sent: bool,
}

impl Ledger {
    /// Creates an empty ledger that allows one sign-in at a time.
    pub fn new(policy: &Policy) -> Self {
        Self {
            passwords: Vec::new(),
            permits: Vec::new(),
            next_permit: 0,
            limit: 1,
            permit_life: policy.exchange_timeout().saturating_add(Policy::GRACE),
            source: SourcePacing::new(policy.longest_backoff()),
        }
    }

    /// Sets the maximum number of sign-ins in flight with a proven password (default: 1; zero
    /// counts as 1).
    ///
    /// A password is proven once it has given a token.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// Returns whether a ledger treats both as one password of one user.
    ///
    /// The alias and the case of the username make no difference.
    pub fn is_same_password(one: &Credentials, other: &Credentials) -> bool {
        same_password(one, other)
    }

    /// Asks for a permit to sign in with `credentials`.
    ///
    /// A repeated call is harmless, but each permit must be settled.
    ///
    /// # Errors
    /// [`Rejected`] has the reason, and when to ask again.
    pub fn ask(&mut self, credentials: &Credentials, now: Now) -> Result<Permit, Rejected> {
        self.expire(now);
        let class = self.class(credentials, now)?;
        self.check_room(credentials, class, None, now)?;
        self.touch(credentials);
        let purpose = Purpose { credentials: credentials.clone(), class };
        Ok(self.grant(Some(purpose), now))
    }

    /// Asks for a permit before the credentials are known. Continue with
    /// [`present`](Self::present).
    ///
    /// In this way the credentials are fetched for one caller at a time. The ledger expects the
    /// last used password again. While that would be rejected for `user_alias`, it grants a permit
    /// only at growing intervals (1 second up to the longest backoff), to find out whether the
    /// credentials have changed.
    ///
    /// # Errors
    /// [`Rejected`] has the reason, and when to ask again.
    pub fn reserve(&mut self, user_alias: Option<&str>, now: Now) -> Result<Permit, Rejected> {
        self.expire(now);
        self.may_fetch(user_alias, now)?;
        let expected = self.passwords.last();
        let class = expected.map_or(Ok(Class::Others), |last| last.class(user_alias, now));
        let unpresented = || self.permits.iter().filter(|permit| permit.purpose.is_none()).count();
        let has_room = match (expected, class) {
            (Some(last), Ok(class)) if last.is_proven() => {
                unpresented().saturating_add(self.in_class(last, class, None))
                    < last.room(class, self.limit)
                    && self.permits.len() < self.limit
            }
            (_, Ok(_)) => unpresented() == 0 && !self.is_trying_a_password(None),
            // To find out whether the credentials have changed.
            (_, Err(_)) => unpresented() == 0,
        };
        if !has_room {
            return Err(self.busy(now));
        }
        Ok(self.grant(None, now))
    }

    /// Asks whether a reserved permit may be used with `credentials`, which were fetched for it.
    ///
    /// # Errors
    /// [`Rejected`] has the reason, and when to ask again. Settle the permit then as
    /// [`Inconclusive`](SignInResult::Inconclusive).
    pub fn present(
        &mut self,
        permit: &mut Permit,
        credentials: &Credentials,
        now: Now,
    ) -> Result<(), Rejected> {
        self.expire(now);
        let class = match self.class(credentials, now) {
            Ok(class) => class,
            Err(rejected) => {
                // The next caller then expects these credentials, and not the previous ones.
                self.touch(credentials);
                self.source.rejected(now);
                return Err(match rejected {
                    Rejected::TooManyUnknown { .. } => rejected,
                    other => self.source.asked_again_later(other),
                });
            }
        };
        let id = permit.id;
        if let Err(busy) = self.check_room(credentials, class, Some(id), now) {
            // The next caller then waits for these, and does not fetch them again and again.
            self.touch(credentials);
            return Err(busy);
        }
        if !self.permits.iter().any(|outstanding| outstanding.id == id) {
            return Err(self.busy(now));
        }
        self.source.has_others = false;
        if self.passwords.last().is_none_or(|last| !last.is_of(credentials)) {
            self.source.gave_others();
        }
        self.touch(credentials);
        let purpose = Purpose { credentials: credentials.clone(), class };
        permit.purpose = Some(purpose.clone());
        if let Some(outstanding) = self.outstanding(id) {
            outstanding.purpose = Some(purpose);
        }
        Ok(())
    }

    /// Records that the exchange of a permit starts now. Returns whether the permit is still valid.
    ///
    /// `deadline` is that of the exchange, on the monotonic clock. Call this before the request can
    /// leave. If the permit is no longer valid, send nothing and ask again.
    #[must_use]
    pub fn start(&mut self, permit: &Permit, deadline: Duration, now: Now) -> bool {
        self.expire(now);
        match self.outstanding(permit.id) {
            Some(outstanding) if outstanding.purpose.is_some() => {
                outstanding.may_have_been_sent = true;
                outstanding.expires = deadline.saturating_add(Policy::GRACE);
                true
            }
            _ => false,
        }
    }

    /// Settles a permit with the result of its sign-in. Returns whether a hold has ended.
    ///
    /// If so, rejected callers may ask again. A permit that expired after its exchange started has
    /// already counted as an unknown outcome. Tokens or a denial that are reported later still
    /// count.
    pub fn settle(&mut self, permit: Permit, result: SignInResult<'_>, now: Now) -> bool {
        let place = self.permits.iter().position(|outstanding| outstanding.id == permit.id);
        let outstanding = place.map(|place| self.permits.swap_remove(place));
        let Some(Purpose { credentials, class }) = permit.purpose else { return false };
        let user_alias = credentials.user_alias();
        match result {
            SignInResult::Accepted => {
                self.source.accepted();
                return self.password(&credentials).accepted(user_alias, class);
            }
            SignInResult::Denied(denial) => {
                self.source.rejected(now);
                self.password(&credentials).denied(user_alias, class, denial.clone(), now);
            }
            SignInResult::Unknown if outstanding.is_some() => {
                self.password(&credentials).unknown(now);
            }
            SignInResult::Unknown | SignInResult::Inconclusive => {}
        }
        false
    }

    /// Forgets denials, holds and unknown outcomes. Call it once an operator has confirmed the
    /// credentials.
    ///
    /// Permits stay valid, and the ledger still knows which aliases have worked.
    pub fn reset(&mut self) {
        self.passwords.iter_mut().for_each(Password::reset);
        self.source.reset();
    }

    /// Forgets the denial of one alias. Holds stay.
    pub fn reset_alias(&mut self, user_alias: Option<&str>) {
        self.passwords.iter_mut().for_each(|password| password.reset_alias(user_alias));
        self.source.reset();
    }

    /// Returns whether `user_alias` has worked with the last used password.
    ///
    /// Such aliases go first when several wait for a permit.
    pub fn has_worked(&self, user_alias: Option<&str>) -> bool {
        self.passwords.last().is_some_and(|last| last.has_worked(user_alias))
    }

    /// Returns when the next permit expires unless it is settled, on the monotonic clock.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.permits.iter().map(|outstanding| outstanding.expires).min()
    }

    /// Returns what is known of the last used password.
    pub fn snapshot(&self, now: Now) -> LedgerSnapshot {
        let permits = self.permits.len();
        match self.passwords.last() {
            Some(last) => LedgerSnapshot { permits, ..last.snapshot(now) },
            None => LedgerSnapshot {
                is_proven: false,
                permits,
                worked: 0,
                denied: 0,
                worked_held_until: None,
                others_held_until: None,
                unknown: 0,
            },
        }
    }

    /// Returns whether a credential source may be asked now for an alias.
    pub(super) fn may_fetch(&self, user_alias: Option<&str>, now: Now) -> Result<(), Rejected> {
        match self.passwords.last().map(|last| last.class(user_alias, now)) {
            _ if self.source.has_others => Ok(()),
            Some(Err(rejected @ (Rejected::Denied { .. } | Rejected::Held { .. })))
                if !self.source.may_be_asked(now) =>
            {
                Err(self.source.asked_again_later(rejected))
            }
            Some(Err(rejected @ Rejected::TooManyUnknown { .. })) => Err(rejected),
            _ => Ok(()),
        }
    }

    /// Takes back the permits that were not settled in time.
    fn expire(&mut self, now: Now) {
        let is_over = |outstanding: &Outstanding| now.monotonic >= outstanding.expires;
        while let Some(place) = self.permits.iter().position(is_over) {
            let outstanding = self.permits.swap_remove(place);
            self.ended_unsettled(outstanding, now);
        }
    }

    /// Counts a sign-in that may have been sent, and whose outcome is never reported.
    fn ended_unsettled(&mut self, outstanding: Outstanding, now: Now) {
        if let Some(purpose) = outstanding.purpose.filter(|_| outstanding.may_have_been_sent) {
            self.password(&purpose.credentials).unknown(now);
        }
    }

    fn busy(&self, now: Now) -> Rejected {
        let next = self.next_expiry().unwrap_or(now.monotonic);
        Rejected::Busy { until: Moment::on_monotonic(next) }
    }

    fn grant(&mut self, purpose: Option<Purpose>, now: Now) -> Permit {
        let id = self.next_permit;
        self.next_permit = id.wrapping_add(1);
        let expires = now.monotonic.saturating_add(self.permit_life);
        let may_have_been_sent = false;
        let outstanding = Outstanding { id, purpose: purpose.clone(), expires, may_have_been_sent };
        self.permits.push(outstanding);
        Permit { id, purpose }
    }

    fn outstanding(&mut self, id: u128) -> Option<&mut Outstanding> {
        self.permits.iter_mut().find(|outstanding| outstanding.id == id)
    }

    /// Makes the password of these credentials the last used one.
    fn touch(&mut self, credentials: &Credentials) {
        let place = self.passwords.iter().position(|password| password.is_of(credentials));
        let password = match place {
            Some(place) => self.passwords.remove(place),
            None => Password::new(credentials),
        };
        if self.passwords.len() >= MOST_PASSWORDS {
            // Removes the least recently used one, proven or not: the denials of a wrong password
            // must not be forgotten first.
            self.passwords.remove(0);
        }
        self.passwords.push(password);
    }

    /// Returns the password of these credentials, last used or not.
    fn password(&mut self, credentials: &Credentials) -> &mut Password {
        let place = match self.passwords.iter().position(|one| one.is_of(credentials)) {
            Some(place) => place,
            None => {
                self.touch(credentials);
                self.passwords.len().saturating_sub(1)
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the place was found or just filled")]
        &mut self.passwords[place]
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("passwords", &self.passwords.len())
            .field("permits", &self.permits.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
