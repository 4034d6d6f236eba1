//! [`Rule`] and [`Violation`]: which rule of the contract was broken, how, and what the servers saw
//! meanwhile.

use std::error::Error;
use std::fmt;

/// What every transport keeps. The numbers are those of the contract in `point-auth-transport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The request arrives as it was built and the response is handed back as it came: what all the
    /// rules stand on.
    Exchange,
    /// 1. No redirect is followed.
    NoRedirect,
    /// 2. The request is sent once.
    SentOnce,
    /// 3. The response is capped, and not decoded.
    Capped,
    /// 4. Everything ends by the deadline.
    Deadline,
    /// 5. Every status is a response.
    EveryStatus,
    /// 6. Failures are classified, and say whether the request may have been sent.
    Kinds,
    /// 7. Nothing secret is shown.
    NoLeaks,
    /// 8. Proxies are treated alike.
    Proxies,
    /// 9. An idle connection is used for at most 5 s.
    Idle,
}

impl Rule {
    /// Its number in the contract; 0 for [`Exchange`](Self::Exchange), which has none.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Exchange => 0,
            Self::NoRedirect => 1,
            Self::SentOnce => 2,
            Self::Capped => 3,
            Self::Deadline => 4,
            Self::EveryStatus => 5,
            Self::Kinds => 6,
            Self::NoLeaks => 7,
            Self::Proxies => 8,
            Self::Idle => 9,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Exchange => {
                "the request arrives as it was built, and the response is handed back as it came"
            }
            Self::NoRedirect => "no redirect is followed",
            Self::SentOnce => "the request is sent once",
            Self::Capped => "the response is capped, and not decoded",
            Self::Deadline => "everything ends by the deadline",
            Self::EveryStatus => "every status is a response",
            Self::Kinds => {
                "failures are classified, and say whether the request may have been sent"
            }
            Self::NoLeaks => "nothing secret is shown",
            Self::Proxies => "proxies are treated alike",
            Self::Idle => "an idle connection is used for at most 5 s",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            0 => f.write_str(self.text()),
            number => write!(f, "rule {number}: {}", self.text()),
        }
    }
}

/// A rule was broken. `Display` says which, how, and what the servers of the check saw.
#[derive(Clone, Debug)]
pub struct Violation {
    rule: Option<Rule>,
    message: String,
    saw: Vec<String>,
}

impl Violation {
    /// A violation of the rule that the check is about.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { rule: None, message: message.into(), saw: Vec::new() }
    }

    /// A violation of this rule, which may not be the rule of the check.
    pub(super) fn of(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule: Some(rule), ..Self::new(message) }
    }

    pub(super) fn or_of(mut self, rule: Rule) -> Self {
        self.rule = self.rule.or(Some(rule));
        self
    }

    pub(super) fn seen(mut self, saw: Vec<String>) -> Self {
        self.saw = saw;
        self
    }

    pub(super) fn when(mut self, circumstance: impl fmt::Display) -> Self {
        self.message = format!("{circumstance}: {}", self.message);
        self
    }

    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule.unwrap_or(Rule::Exchange)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.rule(), self.message)?;
        for saw in &self.saw {
            write!(f, "\n  {saw}")?;
        }
        Ok(())
    }
}

impl Error for Violation {}

impl From<crate::Error> for Violation {
    fn from(error: crate::Error) -> Self {
        Self::new(format!("the check itself could not start a server: {error}"))
    }
}

/// The result of a check.
pub(super) type Outcome = Result<(), Violation>;

/// Ends the check with a violation unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::violation::Violation::new(format!($($message)+)));
        }
    };
}
pub(super) use ensure;
