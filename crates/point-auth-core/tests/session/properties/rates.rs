//! How often the password may be sent, reckoned from what was sent and what came of it.

use std::time::Duration;

/// Username and password by number: an account that counts.
pub(super) type Login = (u8, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Tokens,
    /// It passes, and cannot have counted.
    Passing,
    /// It may have counted as a wrong password.
    MayHaveCounted,
    Denied,
}

/// The sign-ins of one login since something was changed or reset by hand.
///
/// Time is that of the clock that went further at each step, since a pause ends when either clock
/// says so. Of the ten minutes it is the monotonic clock's.
#[derive(Debug, Default)]
pub(super) struct Rates {
    passed: Duration,
    login: Option<Login>,
    sent: Vec<Duration>,
    /// Those of them since tokens came, of whatever exchange.
    since_tokens: Vec<Duration>,
    last: Option<(Duration, End)>,
    /// When each got lost, by the monotonic clock, since one of them was answered by tokens or a
    /// denial.
    lost: Vec<Duration>,
}

/// The most sign-ins in a minute.
///
/// Between two there is at least 0.15 s (a first gap, a quarter less), 0.6 s (a second), or 1 s (a
/// pause, or after tokens). A round has one first and one second gap at most, and then needs the
/// third, so that the fastest are those that fail once and then give tokens of a second or two: two
/// in 1.15 s, which is 53 times two in a minute.
const MOST_IN_A_MINUTE: usize = 106;

/// The most of them if none gives tokens: three in a round, and pauses of 1, 2, 4, 8, 16 and 32 s,
/// which make a minute. (A round of one only, beside a good token, begins them with a pause that
/// doubles all the same.)
const MOST_FAILURES_IN_A_MINUTE: usize = 18;

impl Rates {
    pub(super) fn pass(&mut self, time: Duration) {
        self.passed = self.passed.saturating_add(time);
    }

    /// Somebody has changed the login or reset the session.
    pub(super) fn reset(&mut self) {
        *self = Self { passed: self.passed, ..Self::default() };
    }

    pub(super) fn sent(&mut self, login: Login, monotonic: Duration) {
        if self.login != Some(login) {
            self.reset();
            self.login = Some(login);
        }
        if let Some((ended, end)) = self.last {
            let least = match end {
                // Rounded.
                End::Passing => Duration::from_micros(149_999),
                End::Tokens | End::MayHaveCounted => Duration::from_secs(1),
                // Another alias: how often is for the model to count.
                End::Denied => Duration::ZERO,
            };
            assert!(self.passed - ended >= least, "too soon after {end:?}: {self:?}");
        }
        if let Some(third) = self.lost.iter().rev().nth(2)
            && let Some(last) = self.lost.last()
        {
            let rests = monotonic.saturating_sub(*last);
            assert!(
                rests >= Duration::from_secs(600),
                "a fourth within ten minutes, after {third:?}: {self:?}"
            );
        }
        let a_minute_ago = self.passed.checked_sub(Duration::from_secs(60));
        for (sent, most) in [
            (&mut self.sent, MOST_IN_A_MINUTE),
            (&mut self.since_tokens, MOST_FAILURES_IN_A_MINUTE),
        ] {
            sent.push(self.passed);
            sent.retain(|one| a_minute_ago.is_none_or(|ago| *one > ago));
            assert!(sent.len() <= most, "too many in a minute: {sent:?}");
        }
        self.last = Some((self.passed, End::MayHaveCounted));
    }

    /// What came of the last of them, just now.
    pub(super) fn ended(&mut self, end: End, monotonic: Duration) {
        let Some((sent, _)) = self.last else { return };
        // After tokens it counts from when it was sent.
        let since = if end == End::Tokens { sent } else { self.passed };
        self.last = Some((since, end));
        match end {
            End::Tokens | End::Denied => self.lost.clear(),
            End::MayHaveCounted => self.lost.push(monotonic),
            End::Passing => {}
        }
    }

    /// Tokens came.
    pub(super) fn tokens(&mut self) {
        self.since_tokens.clear();
    }
}
