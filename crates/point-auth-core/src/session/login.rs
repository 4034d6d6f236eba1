//! [`Login`]: what is known of one username and password, so that no account gets locked.

use std::fmt;

use secrecy::ExposeSecret;

use super::outcome::{NotNow, Outcome};
use super::policy::Policy;
use super::time::{Moment, Now};
use crate::{Credentials, Denial};

/// Whether one username and password may be sent now: not after a denial, and not soon after too many sign-ins that may have
/// been counted as wrong ones.
///
/// Each session has one of its own. Who keeps many sessions of one login, such as one for each alias, shares one more among
/// them: [ask](Self::check) it before each sign-in, [tell](Self::handle) it what came of each.
///
/// Credentials that were denied or got lost are held here until others are given, so as to know them again; and if it is
/// shared, those that gave tokens last. `Debug` shows none.
#[derive(Clone)]
pub struct Login {
    denied: Option<(Denial, Credentials)>,
    /// Sign-ins in a row whose answer was lost.
    lost: u32,
    lost_with: Option<Credentials>,
    /// After too many of them.
    paused_until: Option<Moment>,
    /// Whether the last sign-in that was answered gave tokens.
    proven: bool,
    most_lost: u32,
    lost_pause: std::time::Duration,
}

impl Login {
    /// A login of which nothing is known yet.
    pub fn new(policy: &Policy) -> Self {
        Self {
            denied: None,
            lost: 0,
            lost_with: None,
            paused_until: None,
            proven: false,
            most_lost: policy.lost_sign_ins,
            lost_pause: policy.lost_pause,
        }
    }

    /// Whether `credentials` may be sent now. Others than those that were denied, or that got lost, may: everything known of
    /// the old ones is then forgotten. The alias makes no difference, nor does the case of the username.
    ///
    /// # Errors
    /// [`NotNow`] when these were denied, or when they were sent too often of late without an answer.
    pub fn check(&mut self, credentials: &Credentials, now: Now) -> Result<(), NotNow> {
        if let Some((denial, denied)) = &self.denied {
            if same(denied, credentials) {
                return Err(NotNow::Denied(denial.clone()));
            }
            self.reset();
        }
        if self.lost_with.as_ref().is_some_and(|lost| !same(lost, credentials)) {
            self.reset();
        }
        self.paused_until.take_if(|until| until.has_come(now));
        match self.paused_until {
            Some(until) => Err(NotNow::Until(until)),
            None => Ok(()),
        }
    }

    /// Whether the last sign-in that was answered gave tokens, so that several at once do no harm: the password is right, if it is
    /// still the same.
    pub const fn is_proven(&self) -> bool {
        self.proven
    }

    /// Tells it what came of a sign-in with `credentials`, once. What the session [ignored](Outcome::Ignored), because it came too
    /// late, counts as lost.
    pub fn handle(&mut self, credentials: &Credentials, outcome: &Outcome, now: Now) {
        match outcome {
            Outcome::Renewed { .. } => {
                self.reset();
                self.proven = true;
            }
            Outcome::Denied(denial) => self.denied(denial.clone(), credentials.clone()),
            Outcome::Retrying { may_have_counted: true, .. }
            | Outcome::Failed { may_have_counted: true, .. }
            | Outcome::Ignored => {
                self.lost(credentials, now);
            }
            _ => {}
        }
    }

    /// Forgets all, because somebody who knows better says so.
    pub fn reset(&mut self) {
        self.denied = None;
        self.proven = false;
        self.lost = 0;
        self.lost_with = None;
        self.paused_until = None;
    }

    /// The denial that it waits over.
    pub fn denial(&self) -> Option<&Denial> {
        self.denied.as_ref().map(|(denial, _)| denial)
    }

    pub(super) fn denied(&mut self, denial: Denial, credentials: Credentials) {
        self.reset();
        self.denied = Some((denial, credentials));
    }

    /// One more sign-in was sent whose answer was lost, and there is no [`Outcome`] to tell: whoever was sending went away.
    pub fn lost(&mut self, credentials: &Credentials, now: Now) {
        if self.lost_with.as_ref().is_none_or(|lost| !same(lost, credentials)) {
            self.lost = 0;
            self.paused_until = None;
            self.lost_with = Some(credentials.clone());
        }
        self.lost = self.lost.saturating_add(1);
        if self.lost >= self.most_lost {
            // By the monotonic clock alone: it is for the account's sake, and a step of the other clock proves nothing.
            self.paused_until = Some(Moment::on_monotonic(now.monotonic.saturating_add(self.lost_pause)));
        }
    }

    /// Whether a sign-in before this one may have counted.
    pub(super) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    pub(super) fn paused_until(&self, now: Now) -> Option<Moment> {
        self.paused_until.filter(|until| !until.has_come(now))
    }
}

/// Whether it is the same account and password: servers take usernames in any case.
pub(super) fn same(one: &Credentials, other: &Credentials) -> bool {
    one.username().to_lowercase() == other.username().to_lowercase()
        && one.password().expose_secret() == other.password().expose_secret()
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("denial", &self.denial())
            .field("lost", &self.lost)
            .field("paused_until", &self.paused_until)
            .finish_non_exhaustive()
    }
}
