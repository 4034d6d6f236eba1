//! How often the password may be sent, computed from the sign-ins and their results.

use std::time::Duration;

/// Username and password by number: an account with a lockout.
pub(super) type Login = (u8, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Tokens,
    /// Temporary, and cannot have counted.
    Passing,
    /// It may have counted as a wrong password.
    MayHaveCounted,
    Denied,
}

/// The sign-ins of one login since the last change or reset by an operator.
///
/// Time is that of the clock that advanced more at each step, because a backoff ends on either
/// clock. The ten minutes count on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Rates {
    passed: Duration,
    login: Option<Login>,
    sent: Vec<Duration>,
    /// Those since tokens came, from any exchange.
    since_tokens: Vec<Duration>,
    last: Option<(Duration, End)>,
    /// When each outcome became unknown, on the monotonic clock, since one of them was answered by
    /// tokens or a denial.
    unknown_at: Vec<Duration>,
}

/// The maximum number of sign-ins in a minute.
///
/// Between two there is at least 0.15 s (the first retry delay, a quarter less), 0.6 s (the second)
/// or 1 s (a backoff, or after tokens). A round has at most one first and one second retry delay,
/// and then a backoff. So the fastest sequence fails once and then gets tokens of a second or two.
/// That is two sign-ins in 1.15 s, or 53 times two in a minute.
const MOST_IN_A_MINUTE: usize = 106;

/// The maximum if none gives tokens: three in a round, and backoffs of 1, 2, 4, 8, 16 and 32 s,
/// which make a minute. A round of one, beside a good token, starts them with a backoff that also
/// doubles.
const MOST_FAILURES_IN_A_MINUTE: usize = 18;

impl Rates {
    pub(super) fn pass(&mut self, time: Duration) {
        self.passed = self.passed.saturating_add(time);
    }

    /// An operator has changed the login or reset the session.
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
                // Another alias: the model counts these.
                End::Denied => Duration::ZERO,
            };
            assert!(self.passed - ended >= least, "too soon after {end:?}: {self:?}");
        }
        if let Some(third) = self.unknown_at.iter().rev().nth(2)
            && let Some(last) = self.unknown_at.last()
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

    /// The result of the last of them, just now.
    pub(super) fn ended(&mut self, end: End, monotonic: Duration) {
        let Some((sent, _)) = self.last else { return };
        // After tokens it counts from the request.
        let since = if end == End::Tokens { sent } else { self.passed };
        self.last = Some((since, end));
        match end {
            End::Tokens | End::Denied => self.unknown_at.clear(),
            End::MayHaveCounted => self.unknown_at.push(monotonic),
            End::Passing => {}
        }
    }

    /// Tokens came.
    pub(super) fn tokens(&mut self) {
        self.since_tokens.clear();
    }
}
