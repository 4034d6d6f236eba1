//! [`Rule`] and [`Violation`]: what of the contract of a store was broken, and how.

use std::error::Error;
use std::fmt;

use point_auth_store::StoreError;

/// What every store keeps. The numbers are those of the contract in `point-auth-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A value is read as it was written, and under no other name. All the rules stand on that.
    Values,
    /// 1. A swap is atomic.
    Swap,
    /// 2. No process reads a value from before a swap that is done.
    Fresh,
    /// 3. Times are of one clock, which is the store's.
    Clock,
    /// 4. A value stays for the time that was asked for.
    Kept,
    /// 5. A call ends, and is safe to repeat.
    Repeat,
    /// What is in the store tells nothing.
    Sealed,
    /// A fleet over the store behaves as one session.
    Fleet,
}

impl Rule {
    /// Its number in the contract, if it has one.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::Swap => Some(1),
            Self::Fresh => Some(2),
            Self::Clock => Some(3),
            Self::Kept => Some(4),
            Self::Repeat => Some(5),
            Self::Values | Self::Sealed | Self::Fleet => None,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Values => "a value is read as it was written, and under no other name",
            Self::Swap => "a swap is atomic, and compares all of the value",
            Self::Fresh => "after a swap is done, no process reads an older value",
            Self::Clock => "times are of one clock, which is the store's",
            Self::Kept => "a value stays for the time that was asked for",
            Self::Repeat => "a call ends, and is safe to repeat",
            Self::Sealed => "what is in the store tells nothing",
            Self::Fleet => "a fleet over the store behaves as one session",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => write!(f, "rule {number}: {}", self.text()),
            None => f.write_str(self.text()),
        }
    }
}

/// A rule was broken. `Display` says which, and how.
#[derive(Clone, Debug)]
pub struct Violation {
    rule: Option<Rule>,
    message: String,
}

impl Violation {
    /// A violation of the rule that the check is about.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { rule: None, message: message.into() }
    }

    /// A violation of this rule, whatever the check is about.
    pub(super) fn of(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule: Some(rule), message: message.into() }
    }

    /// A call has failed, and nothing was wrong.
    pub(super) fn failed(call: &str, error: &StoreError) -> Self {
        let mut message = format!("{call} failed: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::new(message)
    }

    pub(super) fn or_of(mut self, rule: Rule) -> Self {
        self.rule = self.rule.or(Some(rule));
        self
    }

    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule.unwrap_or(Rule::Values)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.rule(), self.message)
    }
}

impl Error for Violation {}

/// The result of a check.
pub(super) type Outcome = Result<(), Violation>;

/// Ends the check with a violation unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::stores::violation::Violation::new(format!($($message)+)));
        }
    };
}
pub(super) use ensure;
