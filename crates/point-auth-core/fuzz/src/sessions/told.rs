//! What a story knows from what it has told: the exchange under way, and until when each token may
//! be used.

use std::time::{Duration, SystemTime};

use point_auth_core::TokenSet;
use point_auth_core::session::{ExchangeId, ExchangeKind, Lease, Now};

use super::parts::Who;

/// The exchange under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) id: ExchangeId,
    /// `None`: credentials are wanted, and nothing has been sent.
    pub(super) kind: Option<ExchangeKind>,
    pub(super) asked_at: Now,
    pub(super) deadline: Duration,
    /// Who signs in.
    pub(super) who: Option<Who>,
    /// The password or the refresh token.
    pub(super) secret: String,
}

impl Flight {
    /// Two seconds past its deadline whoever was sending is taken for lost.
    pub(super) fn is_lost(&self, now: Now) -> bool {
        now.monotonic >= self.deadline.saturating_add(Duration::from_secs(2))
    }
}

/// A token, and when it is over by each clock for itself.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) name: String,
    monotonic: Duration,
    /// `None`: later than the clock can show.
    wall: Option<SystemTime>,
}

impl Token {
    pub(super) fn renewed(tokens: &TokenSet, asked_at: Now, margin: Duration) -> Self {
        let usable = usable(tokens.expires_in(), margin);
        Self {
            name: tokens.access_token().expose().to_owned(),
            monotonic: asked_at.monotonic.saturating_add(usable),
            wall: asked_at.wall.checked_add(usable),
        }
    }

    /// It came out of a store, and was `age` old then.
    pub(super) fn restored(
        name: String,
        life: Duration,
        age: Duration,
        now: Now,
        margin: Duration,
    ) -> Self {
        let left = usable(life, margin).saturating_sub(age);
        Self {
            name,
            monotonic: now.monotonic.saturating_add(left),
            wall: now.wall.checked_add(left),
        }
    }

    fn left(&self, now: Now) -> Duration {
        let monotonic = self.monotonic.saturating_sub(now.monotonic);
        let wall = self.wall.map(|wall| wall.duration_since(now.wall).unwrap_or_default());
        monotonic.min(wall.unwrap_or(Duration::MAX))
    }
}

fn usable(life: Duration, margin: Duration) -> Duration {
    life - margin.min(life / 10)
}

/// What is handed out is known, and not over before somebody looks again.
pub(super) fn check_lease(lease: &Lease, tokens: &[Token], now: Now) {
    let name = lease.token.expose();
    let of_that_name = tokens.iter().filter(|token| token.name == name);
    let left = of_that_name.map(|token| token.left(now)).max();
    let left = left.unwrap_or_else(|| panic!("{name} from nowhere"));
    assert!(!left.is_zero(), "{name} is over");
    assert!(lease.look_again.time_left(now) <= left, "{name} is used beyond its end");
}
