//! [`Policy`]: every constant of a session, with its reason.

use std::time::Duration;

/// When a session refreshes, how long callers wait, and how long it leaves a failing server alone.
///
/// [`Policy::default`] is what most should use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) advisory_window: Duration,
    pub(crate) mandatory_window: Duration,
    pub(crate) last_use_margin: Duration,
    pub(crate) attempts: u32,
    pub(crate) first_gap: Duration,
    pub(crate) patience: Duration,
    pub(crate) exchange_timeout: Duration,
    pub(crate) shortest_pause: Duration,
    pub(crate) shortest_pause_with_token: Duration,
    pub(crate) longest_pause: Duration,
    pub(crate) longest_retry_after: Duration,
    pub(crate) lost_sign_ins: u32,
    pub(crate) lost_pause: Duration,
    pub(crate) young_token: Duration,
    pub(crate) refresh_token_life: Duration,
}

/// A policy that no session could keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A time or a number that must not be zero is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
    /// A time or a number is greater than another that it must not exceed.
    #[error("{0} is more than {1}")]
    Order(&'static str, &'static str),
}

/// How much longer a driver may take than its exchange before another takes over.
pub(crate) const LOST_GRACE: Duration = Duration::from_secs(2);

impl Policy {
    /// Starts from the defaults.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder(Self::default())
    }

    /// How long before its end a token is first refreshed, while it is still handed out (default: 5 minutes).
    ///
    /// One caller refreshes then and nobody waits. For a short life it is at most half of it; and each session takes between half
    /// and all of it, by its jitter seed, so that many that began together do not refresh together.
    pub const fn advisory_window(&self) -> Duration {
        self.advisory_window
    }

    /// How long before its end a token is not handed out any more while an exchange is under way (default: 1 minute, as the vendor asks; at most a quarter of the life).
    ///
    /// Callers then wait for the exchange. If it fails in passing they get the token all the same.
    pub const fn mandatory_window(&self) -> Duration {
        self.mandatory_window
    }

    /// How long before its end a token is handed out for the last time (default: 5 seconds; at most a tenth of the life).
    ///
    /// A request takes a while to reach the server, whose clock is not ours.
    pub const fn last_use_margin(&self) -> Duration {
        self.last_use_margin
    }

    /// How many exchanges are tried in a row while there is no good token (default: 3).
    ///
    /// So that one hiccup fails nobody.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long after the first failed attempt the second begins (default: 0.2 seconds, give or take a quarter). Each further gap is four times as long.
    ///
    /// Long enough for a load balancer to choose another server.
    pub const fn first_gap(&self) -> Duration {
        self.first_gap
    }

    /// How long a caller waits for a token who does not say otherwise (default: 15 seconds).
    ///
    /// It covers a slow sign-in, and ends before most callers' own callers give up.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// In which time one exchange must be done (default: 30 seconds).
    ///
    /// A driver that is 2 seconds past it is taken for lost.
    pub const fn exchange_timeout(&self) -> Duration {
        self.exchange_timeout
    }

    /// How long nothing is sent after the attempts have failed (default: 1 second). Doubles with each failure, up to the longest pause.
    ///
    /// Callers get the error at once meanwhile. It is also the least that sign-ins are apart, but for a quick retry.
    pub const fn shortest_pause(&self) -> Duration {
        self.shortest_pause
    }

    /// The same while there still is a good token (default: 20 seconds). It ends when the token does.
    ///
    /// Nobody is waiting, so there is no hurry.
    pub const fn shortest_pause_with_token(&self) -> Duration {
        self.shortest_pause_with_token
    }

    /// The longest pause that failures alone lead to (default: 1 minute).
    ///
    /// A server that is back is found back within that.
    pub const fn longest_pause(&self) -> Duration {
        self.longest_pause
    }

    /// The most that a server's `Retry-After` is honoured (default: 1 hour), and up to a quarter more, at most the longest pause: each
    /// session takes a part of that, since the server may have told the same to a thousand others.
    ///
    /// A typing error at the other end should not last until somebody restarts this one.
    pub const fn longest_retry_after(&self) -> Duration {
        self.longest_retry_after
    }

    /// After how many sign-ins in a row whose answers were lost the pause is at least [`lost_pause`](Self::lost_pause) (default: 3).
    ///
    /// Each of them may have been a wrong password that was counted.
    pub const fn lost_sign_ins(&self) -> u32 {
        self.lost_sign_ins
    }

    /// The least pause after so many lost sign-ins (default: 10 minutes).
    ///
    /// Most accounts that lock themselves count the failures of a quarter of an hour or so.
    pub const fn lost_pause(&self) -> Duration {
        self.lost_pause
    }

    /// How old a token must be for its rejection to be believed to be its own fault (default: 30 seconds).
    ///
    /// Rejecting a younger one starts a pause, so that an API that rejects every token causes no storm. It is also the most that a
    /// sign-in waits after one that gave tokens.
    pub const fn young_token(&self) -> Duration {
        self.young_token
    }

    /// After how long a refresh token is certainly dead and not sent any more (default: 49 hours).
    ///
    /// The vendor has them live 24 hours, rounded up to midnight US Eastern time; with an hour for the change of the clocks.
    pub const fn refresh_token_life(&self) -> Duration {
        self.refresh_token_life
    }
}

/// Changes single values of a [`Policy`]; what each means and its default is said there.
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

    /// Sets [`Policy::last_use_margin`].
    pub fn with_last_use_margin(mut self, value: Duration) -> Self {
        self.0.last_use_margin = value;
        self
    }

    /// Sets [`Policy::attempts`].
    pub fn with_attempts(mut self, value: u32) -> Self {
        self.0.attempts = value;
        self
    }

    /// Sets [`Policy::first_gap`].
    pub fn with_first_gap(mut self, value: Duration) -> Self {
        self.0.first_gap = value;
        self
    }

    /// Sets [`Policy::patience`].
    pub fn with_patience(mut self, value: Duration) -> Self {
        self.0.patience = value;
        self
    }

    /// Sets [`Policy::exchange_timeout`].
    pub fn with_exchange_timeout(mut self, value: Duration) -> Self {
        self.0.exchange_timeout = value;
        self
    }

    /// Sets [`Policy::shortest_pause`].
    pub fn with_shortest_pause(mut self, value: Duration) -> Self {
        self.0.shortest_pause = value;
        self
    }

    /// Sets [`Policy::shortest_pause_with_token`].
    pub fn with_shortest_pause_with_token(mut self, value: Duration) -> Self {
        self.0.shortest_pause_with_token = value;
        self
    }

    /// Sets [`Policy::longest_pause`].
    pub fn with_longest_pause(mut self, value: Duration) -> Self {
        self.0.longest_pause = value;
        self
    }

    /// Sets [`Policy::longest_retry_after`].
    pub fn with_longest_retry_after(mut self, value: Duration) -> Self {
        self.0.longest_retry_after = value;
        self
    }

    /// Sets [`Policy::lost_sign_ins`].
    pub fn with_lost_sign_ins(mut self, value: u32) -> Self {
        self.0.lost_sign_ins = value;
        self
    }

    /// Sets [`Policy::lost_pause`].
    pub fn with_lost_pause(mut self, value: Duration) -> Self {
        self.0.lost_pause = value;
        self
    }

    /// Sets [`Policy::young_token`].
    pub fn with_young_token(mut self, value: Duration) -> Self {
        self.0.young_token = value;
        self
    }

    /// Sets [`Policy::refresh_token_life`].
    pub fn with_refresh_token_life(mut self, value: Duration) -> Self {
        self.0.refresh_token_life = value;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyError`] when a value is zero, or greater than another that it must not exceed.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let policy = self.0;
        for (name, is_zero) in [
            ("the number of attempts", policy.attempts == 0),
            ("the number of lost sign-ins", policy.lost_sign_ins == 0),
            ("the last-use margin", policy.last_use_margin.is_zero()),
            ("the first gap", policy.first_gap.is_zero()),
            ("the patience", policy.patience.is_zero()),
            ("the exchange timeout", policy.exchange_timeout.is_zero()),
            ("the shortest pause", policy.shortest_pause.is_zero()),
            ("the shortest pause with a token", policy.shortest_pause_with_token.is_zero()),
            ("the pause after lost sign-ins", policy.lost_pause.is_zero()),
            ("the age of a young token", policy.young_token.is_zero()),
            ("the refresh token's life", policy.refresh_token_life.is_zero()),
        ] {
            if is_zero {
                return Err(PolicyError::Zero(name));
            }
        }
        for (less, name, more, other) in [
            (
                policy.last_use_margin,
                "the last-use margin",
                policy.mandatory_window,
                "the mandatory window",
            ),
            (
                policy.mandatory_window,
                "the mandatory window",
                policy.advisory_window,
                "the advisory window",
            ),
            (
                policy.shortest_pause,
                "the shortest pause",
                policy.longest_pause,
                "the longest pause",
            ),
            (
                policy.shortest_pause_with_token,
                "the shortest pause with a token",
                policy.longest_pause,
                "the longest pause",
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
            advisory_window: Duration::from_secs(5 * 60),
            mandatory_window: Duration::from_secs(60),
            last_use_margin: Duration::from_secs(5),
            attempts: 3,
            first_gap: Duration::from_millis(200),
            patience: Duration::from_secs(15),
            exchange_timeout: Duration::from_secs(30),
            shortest_pause: Duration::from_secs(1),
            shortest_pause_with_token: Duration::from_secs(20),
            longest_pause: Duration::from_secs(60),
            longest_retry_after: Duration::from_secs(60 * 60),
            lost_sign_ins: 3,
            lost_pause: Duration::from_secs(10 * 60),
            young_token: Duration::from_secs(30),
            refresh_token_life: Duration::from_secs(49 * 60 * 60),
        }
    }
}
