//! [`Policy`]: all times and counts that a session and its ledger use, each with its reason.

use std::time::Duration;

/// Times and counts: when a session refreshes, how long callers wait, how a session backs off.
///
/// [`Policy::default`] suits most programs. Six values can be set. The others are the constants
/// below, which protect accounts and servers and need no tuning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) advisory_window: Duration,
    pub(super) mandatory_window: Duration,
    pub(super) acquire_timeout: Duration,
    pub(super) exchange_timeout: Duration,
    pub(super) attempts: u32,
    pub(super) longest_backoff: Duration,
}

/// The error of an inconsistent policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A time or a number that must not be zero is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
    /// A time is longer than another that it must not exceed.
    #[error("{0} is more than {1}")]
    Order(&'static str, &'static str),
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

impl Policy {
    /// The time before its end at which a token is last handed out: 5 seconds.
    ///
    /// It is at most a tenth of the token's lifetime. A request takes time to reach the server,
    /// whose clock may differ.
    pub const LAST_USE_MARGIN: Duration = Duration::from_secs(5);

    /// The delay before the second attempt of a round: 0.2 seconds, plus or minus a quarter.
    ///
    /// The third attempt follows after four times that. The delay lets a load balancer select
    /// another server.
    /// Long enough for a load balancer to choose another server.
    pub const FIRST_RETRY_DELAY: Duration = Duration::from_millis(200);

    /// The first backoff after a failed round: 1 second. It doubles with each further failed round.
    ///
    /// Sign-ins are at least this far apart, except for quick retries within a round.
    pub const SHORTEST_BACKOFF: Duration = SECOND;

    /// The first backoff while the token is still valid: 20 seconds.
    ///
    /// It never goes past the token's last use. No caller waits, so there is no hurry.
    pub const SHORTEST_BACKOFF_WITH_TOKEN: Duration = Duration::from_secs(20);

    /// The longest `Retry-After` that is honored: 1 hour.
    ///
    /// Up to a quarter of the delay, at most the longest backoff, is added at random. The cap
    /// limits the damage of a wrong value. The addition spreads the clients of a server that sends
    /// all of them one value.
    pub const LONGEST_RETRY_AFTER: Duration = HOUR;

    /// The minimum age at which a 401 triggers an immediate refresh: 30 seconds.
    ///
    /// The rejection of a younger token starts a backoff, so that an API that rejects every token
    /// causes no storm. It is also the longest time that a sign-in waits after one that gave
    /// tokens.
    pub const YOUNG_TOKEN: Duration = Duration::from_secs(30);

    /// The age at which a refresh token has certainly expired and is no longer sent: 49 hours.
    ///
    /// The vendor's tokens live 24 hours, rounded up to midnight US Eastern time. One more hour
    /// covers daylight saving.
    pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(49 * 60 * 60);

    /// The number of sign-ins in a row with unknown outcome after which the password is held: 3.
    ///
    /// Each of them may have counted as a wrong password.
    pub const UNKNOWN_SIGN_INS: u32 = 3;

    /// The hold of a password after that many unknown outcomes: 10 minutes on the monotonic clock.
    ///
    /// Most lockout rules count the failures within about a quarter of an hour.
    pub const UNKNOWN_HOLD: Duration = Duration::from_secs(10 * 60);

    /// The number of denials in a row, with no token in between, after which a class is held: 3.
    pub const DENIALS_IN_A_ROW: u32 = 3;

    /// The first hold of a password that has given a token: 10 minutes.
    ///
    /// It doubles with each denied trial, up to [`LONGEST_HOLD`](Self::LONGEST_HOLD).
    pub const FIRST_HOLD: Duration = Duration::from_secs(10 * 60);

    /// The longest hold of a password that has given a token: 1 hour.
    pub const LONGEST_HOLD: Duration = HOUR;

    /// The first hold of a password that has never given a token: 1 hour.
    ///
    /// It doubles with each denied trial.
    pub const UNPROVEN_HOLD: Duration = HOUR;

    /// The number of denials after which an unproven password is held permanently: 6.
    ///
    /// A password is unproven while it has never given a token. Replacing it or resetting the
    /// ledger ends the hold.
    pub const UNPROVEN_DENIALS: u32 = 6;

    /// The time past its deadline at which an exchange or a permit counts as abandoned: 2 seconds.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// Returns a builder with the defaults.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder(Self::default())
    }

    /// Returns the time before its end at which a token is first refreshed (default: 5 minutes).
    ///
    /// It is at most half of the token's lifetime. The token is still handed out: one caller starts
    /// the refresh and none waits. Each token gets between half and all of the window at random, so
    /// that processes that started together do not refresh together.
    pub const fn advisory_window(&self) -> Duration {
        self.advisory_window
    }

    /// Returns the time before its end at which callers wait for a refresh (default: 1 minute).
    ///
    /// The vendor asks for that value. It is at most a quarter of the token's lifetime. Callers
    /// wait only while a refresh is in flight, and get the old token if it fails.
    pub const fn mandatory_window(&self) -> Duration {
        self.mandatory_window
    }

    /// Returns how long a caller waits for a token without its own deadline (default: 15 seconds).
    ///
    /// This covers a slow sign-in, and ends before the timeouts of most callers' own clients.
    pub const fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    /// Returns how long one exchange may take (default: 30 seconds).
    ///
    /// An exchange that is [`GRACE`](Self::GRACE) past it counts as abandoned.
    pub const fn exchange_timeout(&self) -> Duration {
        self.exchange_timeout
    }

    /// Returns the number of exchanges in a round while there is no good token (default: 3).
    ///
    /// With more than one, a brief failure fails no caller.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the longest backoff after failures (default: 1 minute; at least 1 second).
    ///
    /// A server that recovers is noticed within that time.
    pub const fn longest_backoff(&self) -> Duration {
        self.longest_backoff
    }

    /// Returns `shortest`, doubled for each time after the first, up to the longest backoff.
    pub(super) fn backoff(&self, shortest: Duration, times: u32) -> Duration {
        doubled(shortest, times, self.longest_backoff)
    }
}

/// Returns `first`, doubled for each time after the first, up to `longest`.
pub(super) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let doublings = times.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(longest)
}

/// Changes single values of a [`Policy`]. The accessors of the policy describe each value.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PolicyBuilder(Policy);

impl PolicyBuilder {
    /// Sets [`Policy::advisory_window`].
    pub fn with_advisory_window(mut self, value: Duration) -> Self {
        self.0.advisory_window = value;
        self
    }

    /// Sets [`Policy::mandatory_window`].
    pub fn with_mandatory_window(mut self, value: Duration) -> Self {
        self.0.mandatory_window = value;
        self
    }

    /// Sets [`Policy::acquire_timeout`].
    pub fn with_acquire_timeout(mut self, value: Duration) -> Self {
        self.0.acquire_timeout = value;
        self
    }

    /// Sets [`Policy::exchange_timeout`].
    pub fn with_exchange_timeout(mut self, value: Duration) -> Self {
        self.0.exchange_timeout = value;
        self
    }

    /// Sets [`Policy::attempts`].
    pub fn with_attempts(mut self, value: u32) -> Self {
        self.0.attempts = value;
        self
    }

    /// Sets [`Policy::longest_backoff`].
    pub fn with_longest_backoff(mut self, value: Duration) -> Self {
        self.0.longest_backoff = value;
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    /// [`PolicyError`] when a value is zero, or exceeds its upper limit.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let policy = self.0;
        for (name, is_zero) in [
            ("the number of attempts", policy.attempts == 0),
            ("the acquire timeout", policy.acquire_timeout.is_zero()),
            ("the exchange timeout", policy.exchange_timeout.is_zero()),
        ] {
            if is_zero {
                return Err(PolicyError::Zero(name));
            }
        }
        let (mandatory, advisory) = (policy.mandatory_window, policy.advisory_window);
        for (less, name, more, other) in [
            (Policy::LAST_USE_MARGIN, "the last-use margin", mandatory, "the mandatory window"),
            (mandatory, "the mandatory window", advisory, "the advisory window"),
            (
                Policy::SHORTEST_BACKOFF,
                "the shortest backoff",
                policy.longest_backoff,
                "the longest backoff",
            ),
        ] {
            if less > more {
                return Err(PolicyError::Order(name, other));
            }
        }
        Ok(policy)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            advisory_window: 5 * MINUTE,
            mandatory_window: MINUTE,
            acquire_timeout: Duration::from_secs(15),
            exchange_timeout: Duration::from_secs(30),
            attempts: 3,
            longest_backoff: MINUTE,
        }
    }
}
