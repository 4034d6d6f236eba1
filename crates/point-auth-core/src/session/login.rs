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
/// What is known is known of certain credentials: the last four that were denied or got lost are held here until somebody
/// [resets](Self::reset) it, so that a source which gives now these and now those is not believed anew each time. Where many share it, those
/// that gave tokens last are held too. `Debug` shows none.
#[derive(Clone)]
pub struct Login {
    /// Of whom something bad is known, the latest last.
    suspects: Vec<Suspect>,
    /// Those that gave tokens last, where many share it.
    proven: Option<Credentials>,
    most_lost: u32,
    lost_pause: std::time::Duration,
}

/// So many are remembered.
const MOST_SUSPECTS: usize = 4;

#[derive(Clone)]
struct Suspect {
    credentials: Credentials,
    denial: Option<Denial>,
    /// Sign-ins in a row whose answer was lost.
    lost: u32,
    /// After too many of them.
    paused_until: Option<Moment>,
}

impl Login {
    /// A login of which nothing is known yet.
    pub fn new(policy: &Policy) -> Self {
        Self {
            suspects: Vec::new(),
            proven: None,
            most_lost: policy.lost_sign_ins,
            lost_pause: policy.lost_pause,
        }
    }

    /// Whether `credentials` may be sent now. The alias makes no difference, nor does the case of the username.
    ///
    /// # Errors
    /// [`NotNow`] when these were denied, or when they were sent too often of late without an answer.
    pub fn check(&self, credentials: &Credentials, now: Now) -> Result<(), NotNow> {
        let Some(suspect) =
            self.suspects.iter().find(|suspect| same(&suspect.credentials, credentials))
        else {
            return Ok(());
        };
        match (&suspect.denial, suspect.paused_until.filter(|until| !until.has_come(now))) {
            (Some(denial), _) => Err(NotNow::Denied(denial.clone())),
            (None, Some(until)) => Err(NotNow::Until(until)),
            (None, None) => Ok(()),
        }
    }

    /// Whether these are the credentials that gave tokens last, so that several sign-ins with them at once do no harm.
    pub fn is_proven(&self, credentials: &Credentials) -> bool {
        self.proven.as_ref().is_some_and(|proven| same(proven, credentials))
    }

    /// Tells it what came of a sign-in with `credentials`, once. What the session [ignored](Outcome::Ignored), because it came too
    /// late, counts as lost.
    pub fn handle(&mut self, credentials: &Credentials, outcome: &Outcome, now: Now) {
        match outcome {
            Outcome::Renewed { .. } => {
                self.clear(credentials);
                self.proven = Some(credentials.clone());
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
        self.suspects.clear();
        self.proven = None;
    }

    /// The denial of the credentials that were denied last.
    pub fn denial(&self) -> Option<&Denial> {
        self.suspects.iter().rev().find_map(|suspect| suspect.denial.as_ref())
    }

    /// One more sign-in was sent whose answer was lost, and there is no [`Outcome`] to tell: whoever was sending went away.
    pub fn lost(&mut self, credentials: &Credentials, now: Now) {
        let mut suspect = self.take(credentials);
        suspect.lost = suspect.lost.saturating_add(1);
        if suspect.lost >= self.most_lost {
            // By the monotonic clock alone: it is for the account's sake, and a step of the other clock proves nothing.
            suspect.paused_until =
                Some(Moment::on_monotonic(now.monotonic.saturating_add(self.lost_pause)));
        }
        self.suspects.push(suspect);
    }

    pub(super) fn denied(&mut self, denial: Denial, credentials: Credentials) {
        if self.is_proven(&credentials) {
            self.proven = None;
        }
        // The server has said what it thinks of them: nothing is left in doubt.
        let suspect = Suspect {
            denial: Some(denial),
            lost: 0,
            paused_until: None,
            ..self.take(&credentials)
        };
        self.suspects.push(suspect);
    }

    /// They gave tokens.
    pub(super) fn clear(&mut self, credentials: &Credentials) {
        self.suspects.retain(|suspect| !same(&suspect.credentials, credentials));
    }

    /// Takes out what is known of these, to be put back as the latest.
    fn take(&mut self, credentials: &Credentials) -> Suspect {
        let known =
            self.suspects.iter().position(|suspect| same(&suspect.credentials, credentials));
        match known {
            Some(place) => self.suspects.remove(place),
            None => {
                if self.suspects.len() >= MOST_SUSPECTS {
                    self.suspects.remove(0);
                }
                Suspect {
                    credentials: credentials.clone(),
                    denial: None,
                    lost: 0,
                    paused_until: None,
                }
            }
        }
    }

    /// Whether a sign-in before this one may have counted, with these credentials or with others of late.
    pub(super) fn has_lost(&self) -> bool {
        self.suspects.iter().any(|suspect| suspect.lost > 0)
    }

    pub(super) fn paused_until(&self, now: Now) -> Option<Moment> {
        self.suspects.last()?.paused_until.filter(|until| !until.has_come(now))
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
            .field("suspects", &self.suspects.len())
            .field("is_proven", &self.proven.is_some())
            .finish_non_exhaustive()
    }
}
