//! [`SourcePacing`]: how often a credential source is asked for other credentials.

use std::time::Duration;

use super::super::policy::{Policy, doubled};
use super::super::time::{Moment, Now};
use super::Rejected;

/// The intervals at which a credential source is asked while its last credentials are rejected.
#[derive(Clone)]
pub(super) struct SourcePacing {
    longest: Duration,
    times: u32,
    pub(super) next: Option<Moment>,
    /// Whether it is known to have other credentials than the last ones.
    pub(super) has_others: bool,
    /// Whether its last credentials differ from the previous ones and have not been denied yet.
    is_new: bool,
}

impl SourcePacing {
    pub(super) const fn new(longest: Duration) -> Self {
        Self { longest, times: 0, next: None, has_others: false, is_new: false }
    }

    pub(super) fn may_be_asked(&self, now: Now) -> bool {
        self.next.is_none_or(|next| next.has_come(now))
    }

    pub(super) fn rejected(&mut self, now: Now) {
        self.times = self.times.saturating_add(1);
        (self.has_others, self.is_new) = (false, false);
        let delay = doubled(Policy::SHORTEST_BACKOFF, self.times, self.longest);
        self.next = Some(Moment::after(now, delay));
    }

    /// Records that the source gave other credentials, which may be tried. The pacing restarts only
    /// if they work, because a source may go through many wrong ones.
    pub(super) const fn gave_others(&mut self) {
        (self.next, self.is_new) = (None, true);
    }

    pub(super) const fn accepted(&mut self) {
        if self.is_new {
            self.reset();
        }
    }

    pub(super) const fn reset(&mut self) {
        (self.times, self.next) = (0, None);
        (self.has_others, self.is_new) = (false, false);
    }

    /// Returns the rejection with an end no later than the next request to the source.
    pub(super) fn asked_again_later(&self, rejected: Rejected) -> Rejected {
        match rejected {
            Rejected::Denied { denial, .. } => Rejected::Denied { denial, ask_again: self.next },
            Rejected::Held { until } => Rejected::Held {
                until: match (until, self.next) {
                    (Some(until), Some(next)) => Some(until.earlier(next)),
                    (until, next) => next.or(until),
                },
            },
            other => other,
        }
    }
}
