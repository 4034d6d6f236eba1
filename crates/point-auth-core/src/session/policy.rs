//! [`Policy`]: every time and count that a session and its ledger go by, each with its reason.

use std::time::Duration;

/// When a session refreshes, how long callers wait, and how long a failing server is left alone.
///
/// [`Policy::default`] suits most programs. Six values can be set; the others are the constants
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

/// A policy that no session could follow.
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
    /// How long before its end a token is handed out for the last time: 5 seconds, and at most a
    /// tenth of its life.
    ///
    /// A request takes a while to reach the server, whose clock may differ.
    pub const LAST_USE_MARGIN: Duration = Duration::from_secs(5);

    /// The delay before the second attempt of a round: 0.2 seconds, give or take a quarter. The
    /// third follows after four times that.
    ///
    /// Long enough for a load balancer to choose another server.
    pub const FIRST_RETRY_DELAY: Duration = Duration::from_millis(200);

    /// The first backoff after a failed round, which doubles with each further one: 1 second.
    ///
    /// Sign-ins are at least this far apart, except for quick retries within a round.
    pub const SHORTEST_BACKOFF: Duration = SECOND;

    /// The first backoff while the token is still good: 20 seconds, and never past the token's
    /// last use.
    ///
    /// No caller is waiting, so there is no hurry.
    pub const SHORTEST_BACKOFF_WITH_TOKEN: Duration = Duration::from_secs(20);

    /// The longest `Retry-After` that is honored: 1 hour. Up to a quarter of it, at most the
    /// longest backoff, is added at random.
    ///
    /// A typing error at the server must not last until this process is restarted. The addition
    /// keeps a thousand clients that were told the same from coming back at once.
    pub const LONGEST_RETRY_AFTER: Duration = HOUR;

    /// How old a token must be for a 401 to start a refresh at once: 30 seconds. The rejection of
    /// a younger one starts a backoff.
    ///
    /// An API that rejects every token must not cause a storm. It is also the longest that a
    /// sign-in waits after one that gave tokens.
    pub const YOUNG_TOKEN: Duration = Duration::from_secs(30);

    /// After how long a refresh token is certainly expired and no longer sent: 49 hours.
    ///
    /// The vendor lets it live 24 hours, rounded up to midnight US Eastern time; one hour more
    /// covers daylight saving.
    pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(49 * 60 * 60);

    /// After how many sign-ins in a row with unknown outcome the password is held: 3.
    ///
    /// Each of them may have been counted as a wrong password.
    pub const UNKNOWN_SIGN_INS: u32 = 3;

    /// How long a password is held after that many unknown outcomes: 10 minutes, by the monotonic
    /// clock.
    ///
    /// Most accounts that lock themselves count the failures of about a quarter of an hour.
    pub const UNKNOWN_HOLD: Duration = Duration::from_secs(10 * 60);

    /// After how many denials in a row, with no token in between, a class of aliases is held: 3.
    pub const DENIALS_IN_A_ROW: u32 = 3;

    /// The first hold of a password that has given a token: 10 minutes. It doubles with each
    /// denied trial, up to [`LONGEST_HOLD`](Self::LONGEST_HOLD).
    pub const FIRST_HOLD: Duration = Duration::from_secs(10 * 60);

    /// The longest hold of a password that has given a token: 1 hour.
    pub const LONGEST_HOLD: Duration = HOUR;

    /// The first hold of a password that has never given a token: 1 hour. It doubles with each
    /// denied trial.
    pub const UNPROVEN_HOLD: Duration = HOUR;

    /// How often a password that has never given a token may be denied in all: 6 times. After
    /// that it is held until it is replaced or the ledger is reset.
    pub const UNPROVEN_DENIALS: u32 = 6;

    /// How far past its deadline an exchange or a permit counts as abandoned: 2 seconds.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// Starts from the defaults.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder(Self::default())
    }

    /// How long before its end a token is first refreshed, while it is still handed out
    /// (default: 5 minutes; at most half of the token's life).
    ///
    /// One caller starts the refresh and none waits. Each token gets between half and all of the
    /// window at random, so that processes that started together do not refresh together.
    pub const fn advisory_window(&self) -> Duration {
        self.advisory_window
    }

    /// How long before its end callers wait for a refresh that is in flight instead of getting
    /// the token (default: 1 minute, as the vendor asks; at most a quarter of the token's life).
    ///
    /// If that refresh fails, callers get the token after all.
    pub const fn mandatory_window(&self) -> Duration {
        self.mandatory_window
    }

    /// How long a caller waits for a token unless it sets a deadline of its own (default:
    /// 15 seconds).
    ///
    /// It covers a slow sign-in and ends before most callers' own clients give up.
    pub const fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    /// How long one exchange may take (default: 30 seconds).
    ///
    /// An exchange that is [`GRACE`](Self::GRACE) past it counts as abandoned.
    pub const fn exchange_timeout(&self) -> Duration {
        self.exchange_timeout
    }

    /// How many exchanges a round has while there is no good token (default: 3).
    ///
    /// One brief failure then fails no caller.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The longest backoff that failures alone lead to (default: 1 minute; at least 1 second).
    ///
    /// A server that recovers is noticed within that time.
    pub const fn longest_backoff(&self) -> Duration {
        self.longest_backoff
    }

    /// `shortest`, doubled for each time after the first, up to the longest backoff.
    pub(super) fn backoff(&self, shortest: Duration, times: u32) -> Duration {
        doubled(shortest, times, self.longest_backoff)
    }
}

/// `first`, doubled for each time after the first, up to `longest`.
pub(super) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let doublings = times.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(longest)
}

/// Changes single values of a [`Policy`], which says what each means.
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
    /// [`PolicyError`] when a value is zero, or greater than another that it must not exceed.
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
