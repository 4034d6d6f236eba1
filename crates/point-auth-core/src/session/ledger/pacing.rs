//! [`SourcePacing`]: how often a credential source is asked for other credentials.

use std::time::Duration;

use super::super::policy::{Policy, doubled};
use super::super::time::{Moment, Now};
use super::Rejected;

/// When a credential source is asked again while what it gave last is rejected.
#[derive(Clone)]
pub(super) struct SourcePacing {
    longest: Duration,
    times: u32,
    pub(super) next: Option<Moment>,
    /// It is known to have other credentials than it gave last.
    pub(super) has_others: bool,
    /// What it gave last is not what it gave before, and has not been denied yet.
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

    /// It gave other credentials, which may be tried. Only if they work does the pacing start anew:
    /// a source may go round many wrong ones.
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

    /// The same rejection, which ends no later than the source is asked again.
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
