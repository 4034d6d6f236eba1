//! The tokens that a session holds, and the moments at which their use is restricted.

use std::time::{Duration, SystemTime};

use super::policy::Policy;
use super::time::{Moment, Now};
use crate::{AccessToken, RefreshToken};

/// An access token and the moments of its life.
#[derive(Clone, Debug)]
pub(super) struct HeldToken {
    pub(super) token: AccessToken,
    pub(super) asked_at: Now,
    pub(super) life: Duration,
    /// From here on one caller refreshes it, and none waits.
    pub(super) advisory: Moment,
    /// From here on callers wait for an exchange in flight.
    pub(super) mandatory: Moment,
    /// From here on it is not handed out.
    pub(super) last_use: Moment,
    /// Whether its last use was seen to have passed, even if a clock goes back later.
    pub(super) has_ended: bool,
}

/// What may be done with a token now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Good,
    Advisory,
    Mandatory,
    Over,
}

impl HeldToken {
    /// The lifetime counts from when the request was sent, `age` before `now`, because the server
    /// can only have created the token later. `share` (0 to 1) is this token's part of the jitter.
    pub(super) fn new(
        token: AccessToken,
        now: Now,
        age: Duration,
        life: Duration,
        policy: &Policy,
        share: f64,
    ) -> Self {
        let last_use = Policy::LAST_USE_MARGIN.min(life / 10);
        let mandatory = policy.mandatory_window().min(life / 4).max(last_use);
        let widest = policy.advisory_window().min(life / 2).max(mandatory);
        let narrowest = (widest / 2).max(mandatory);
        let advisory = narrowest + (widest - narrowest).mul_f64(share.clamp(0.0, 1.0));
        let before_end =
            |margin| Moment::after(now, life.saturating_sub(margin).saturating_sub(age));
        Self {
            token,
            asked_at: before(now, age),
            life,
            advisory: before_end(advisory),
            mandatory: before_end(mandatory),
            last_use: before_end(last_use),
            has_ended: false,
        }
    }

    pub(super) fn phase(&self, now: Now) -> Phase {
        if self.has_ended || self.last_use.has_come(now) {
            Phase::Over
        } else if self.mandatory.has_come(now) {
            Phase::Mandatory
        } else if self.advisory.has_come(now) {
            Phase::Advisory
        } else {
            Phase::Good
        }
    }

    /// Returns how long it may still be used.
    pub(super) fn time_left(&self, now: Now) -> Duration {
        if self.has_ended { Duration::ZERO } else { self.last_use.time_left(now) }
    }

    /// Returns when the server stops accepting it, on the wall clock.
    pub(super) fn expires_at(&self) -> SystemTime {
        self.asked_at.wall.checked_add(self.life).unwrap_or(self.asked_at.wall)
    }

    /// Returns when it was requested, on the wall clock as it is now.
    pub(super) fn asked_before(&self, now: Now) -> SystemTime {
        before(now, self.age(now)).wall
    }

    /// Returns the time since it was requested, by the clock that shows the longer time.
    pub(super) fn age(&self, now: Now) -> Duration {
        age(self.asked_at, now)
    }
}

/// A refresh token, and when it has certainly expired.
#[derive(Clone, Debug)]
pub(super) struct HeldRefresh {
    pub(super) token: RefreshToken,
    pub(super) came_at: Now,
    dead: Moment,
}

impl HeldRefresh {
    /// Creates a refresh token that arrived `age` before `now`.
    pub(super) fn new(token: RefreshToken, now: Now, age: Duration) -> Self {
        let dead = Moment::after(now, Policy::REFRESH_TOKEN_LIFE.saturating_sub(age));
        Self { token, came_at: before(now, age), dead }
    }

    /// Returns when it arrived, on the wall clock as it is now.
    pub(super) fn came_before(&self, now: Now) -> SystemTime {
        before(now, age(self.came_at, now)).wall
    }

    /// Returns whether it may still be valid. If only the server knows, it may.
    pub(super) fn may_be_good(&self, now: Now) -> bool {
        !self.dead.has_come(now)
    }
}

/// Returns the time since `since`, by the clock that shows the longer time.
pub(super) fn age(since: Now, now: Now) -> Duration {
    let wall = now.wall.duration_since(since.wall).unwrap_or_default();
    now.monotonic.saturating_sub(since.monotonic).max(wall)
}

/// Returns the readings of both clocks `age` before `now`, as far back as they go.
fn before(now: Now, age: Duration) -> Now {
    Now::new(
        now.monotonic.saturating_sub(age),
        now.wall.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH),
    )
}
