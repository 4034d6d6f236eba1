//! [`Password`]: what is known of one username and password, and of the aliases sent with them.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::super::policy::{Policy, doubled};
use super::super::time::{Moment, Now};
use super::remembered::Remembered;
use super::{LedgerSnapshot, Rejected};
use crate::{Credentials, Denial};

/// The maximum number of working aliases that are remembered: as many as sessions are kept by
/// default.
const MOST_WORKED: usize = 100_000;
/// The maximum number of denied aliases that are remembered, each with its denial.
const MOST_DENIED: usize = 10_000;

/// The aliases that a hold concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Class {
    /// Aliases that have worked with this password.
    Worked,
    /// All other aliases.
    Others,
}

#[derive(Clone)]
pub(super) struct Password {
    pub(super) credentials: Credentials,
    pub(super) is_proven: bool,
    worked: Remembered<()>,
    denied: Remembered<Denial>,
    pub(super) worked_streak: Streak,
    pub(super) others_streak: Streak,
    /// Sign-ins in a row with unknown outcome.
    pub(super) unknown: u32,
    pub(super) unknown_until: Option<Moment>,
}

/// Denials in a row of one class.
#[derive(Clone, Copy, Default)]
pub(super) struct Streak {
    pub(super) denials: u32,
    /// On the monotonic clock.
    pub(super) last: Duration,
}

/// The hold of a class after its denials.
enum Hold {
    None,
    Until(Moment),
    ForGood,
}

impl Streak {
    /// By the monotonic clock alone: a step of the wall clock must not cost the account an attempt.
    fn hold(self, is_proven: bool) -> Hold {
        if self.denials < Policy::DENIALS_IN_A_ROW {
            return Hold::None;
        }
        let holds = self.denials.saturating_sub(Policy::DENIALS_IN_A_ROW).saturating_add(1);
        let length = match is_proven {
            true => doubled(Policy::FIRST_HOLD, holds, Policy::LONGEST_HOLD),
            false if self.denials >= Policy::UNPROVEN_DENIALS => return Hold::ForGood,
            false => doubled(Policy::UNPROVEN_HOLD, holds, Duration::MAX),
        };
        Hold::Until(Moment::on_monotonic(self.last.saturating_add(length)))
    }
}

/// An alias is never empty, so an empty key stands for none.
fn key(user_alias: Option<&str>) -> &str {
    user_alias.unwrap_or_default()
}

impl Password {
    pub(super) fn new(credentials: &Credentials) -> Self {
        Self {
            credentials: credentials.clone(),
            is_proven: false,
            worked: Remembered::new(MOST_WORKED),
            denied: Remembered::new(MOST_DENIED),
            worked_streak: Streak::default(),
            others_streak: Streak::default(),
            unknown: 0,
            unknown_until: None,
        }
    }

    /// Returns whether these are its credentials. Servers accept usernames in any case.
    pub(super) fn is_of(&self, credentials: &Credentials) -> bool {
        same_password(&self.credentials, credentials)
    }

    pub(super) const fn is_proven(&self) -> bool {
        self.is_proven
    }

    pub(super) fn has_worked(&self, user_alias: Option<&str>) -> bool {
        self.worked.contains(key(user_alias))
    }

    /// Returns the class of an alias, if it may be sent now.
    pub(super) fn class(&self, user_alias: Option<&str>, now: Now) -> Result<Class, Rejected> {
        if let Some(denial) = self.denied.get(key(user_alias)) {
            return Err(Rejected::Denied { denial: denial.clone(), ask_again: None });
        }
        if let Some(until) = self.unknown_until(now) {
            return Err(Rejected::TooManyUnknown { until });
        }
        let class = if self.has_worked(user_alias) { Class::Worked } else { Class::Others };
        match self.hold(class, now) {
            Hold::Until(until) => Err(Rejected::Held { until: Some(until) }),
            Hold::ForGood => Err(Rejected::Held { until: None }),
            Hold::None => Ok(class),
        }
    }

    /// Returns the hold of a class. Denials of aliases that have worked hold the others too,
    /// because the password may have been changed. The reverse does not apply, because aliases can
    /// be invented.
    fn hold(&self, class: Class, now: Now) -> Hold {
        let held = |class| match self.streak(class).hold(self.is_proven) {
            Hold::Until(until) if until.has_come(now) => Hold::None,
            hold => hold,
        };
        match (held(class), held(Class::Worked)) {
            (Hold::Until(one), Hold::Until(other)) => Hold::Until(one.later(other)),
            (Hold::None, hold) | (hold, _) => hold,
        }
    }

    /// Returns the maximum number of sign-ins of this class in flight.
    pub(super) const fn room(&self, class: Class, limit: usize) -> usize {
        if self.is_proven && self.streak(class).denials == 0 { limit } else { 1 }
    }

    /// Returns whether a hold has ended.
    pub(super) fn accepted(&mut self, user_alias: Option<&str>, class: Class) -> bool {
        let was_held =
            self.unknown_until.is_some() || self.streak(class).denials >= Policy::DENIALS_IN_A_ROW;
        self.is_proven = true;
        (self.unknown, self.unknown_until) = (0, None);
        *self.streak_mut(class) = Streak::default();
        self.denied.remove(key(user_alias));
        self.worked.insert(key(user_alias), ());
        was_held
    }

    pub(super) fn denied(
        &mut self,
        user_alias: Option<&str>,
        class: Class,
        denial: Denial,
        now: Now,
    ) {
        self.denied.insert(key(user_alias), denial);
        let is_proven = self.is_proven;
        let streak = self.streak_mut(class);
        // A sign-in that was in flight when the hold began is not a trial, and does not double it.
        let is_held = matches!(streak.hold(is_proven), Hold::Until(until) if !until.has_come(now));
        if !(is_proven && is_held) {
            streak.denials = streak.denials.saturating_add(1);
        }
        streak.last = now.monotonic;
    }

    /// Adopts the result of another process.
    pub(super) fn learn_worked(&mut self, user_alias: Option<&str>) {
        self.worked.insert(key(user_alias), ());
    }

    /// Adopts the result of another process.
    pub(super) fn learn_denied(&mut self, user_alias: Option<&str>, denial: Denial) {
        self.denied.insert(key(user_alias), denial);
    }

    pub(super) fn unknown(&mut self, now: Now) {
        self.unknown = self.unknown.saturating_add(1);
        if self.unknown >= Policy::UNKNOWN_SIGN_INS {
            // By the monotonic clock alone, like all holds.
            let until = now.monotonic.saturating_add(Policy::UNKNOWN_HOLD);
            self.unknown_until = Some(Moment::on_monotonic(until));
        }
    }

    /// Returns whether denials or unknown outcomes are known of it or of one of its aliases.
    pub(super) fn is_suspect(&self) -> bool {
        let denials = self.worked_streak.denials.saturating_add(self.others_streak.denials);
        self.denied.len() > 0 || denials > 0 || self.unknown > 0
    }

    pub(super) const fn has_unknown(&self) -> bool {
        self.unknown > 0
    }

    pub(super) fn unknown_until(&self, now: Now) -> Option<Moment> {
        self.unknown_until.filter(|until| !until.has_come(now))
    }

    pub(super) fn reset(&mut self) {
        self.denied.clear();
        self.worked_streak = Streak::default();
        self.others_streak = Streak::default();
        (self.unknown, self.unknown_until) = (0, None);
    }

    pub(super) fn reset_alias(&mut self, user_alias: Option<&str>) {
        self.denied.remove(key(user_alias));
    }

    pub(super) fn snapshot(&self, now: Now) -> LedgerSnapshot {
        let held = |class| match self.hold(class, now) {
            Hold::Until(until) => Some(until),
            Hold::ForGood => Some(Moment::NEVER),
            Hold::None => None,
        };
        LedgerSnapshot {
            is_proven: self.is_proven,
            permits: 0,
            worked: self.worked.len(),
            denied: self.denied.len(),
            worked_held_until: held(Class::Worked),
            others_held_until: held(Class::Others),
            unknown: self.unknown,
        }
    }

    const fn streak(&self, class: Class) -> Streak {
        match class {
            Class::Worked => self.worked_streak,
            Class::Others => self.others_streak,
        }
    }

    const fn streak_mut(&mut self, class: Class) -> &mut Streak {
        match class {
            Class::Worked => &mut self.worked_streak,
            Class::Others => &mut self.others_streak,
        }
    }
}

/// Returns whether both have one username, in any case, and one password. The alias makes no
/// difference.
pub(in super::super) fn same_password(one: &Credentials, other: &Credentials) -> bool {
    let lowercase = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    one.password().expose_secret() == other.password().expose_secret()
        && (one.username() == other.username()
            || lowercase(one.username()) == lowercase(other.username()))
}
