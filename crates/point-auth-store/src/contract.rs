//! The contract of a store: [`TokenStore`], and what it is asked for.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::Seals;

/// Keeps small values that many processes share.
///
/// A store needs no knowledge of tokens or passwords: names are hashes and values are sealed before
/// they reach it. What it has to keep is this:
///
/// 1. [`swap`](Self::swap) is atomic. Of two that expect the same value, at most one is done.
/// 2. After a swap is done, no process reads an older value.
/// 3. Times are of one clock, which belongs to the store and not to the process that asks. They
///    never go back by more than a failover makes them.
/// 4. A value stays until it is swapped, or until the time that was given for it is over.
/// 5. A call ends within a time of the store's own, and is safe to repeat.
///
/// The store suite of `point-auth-testkit` checks a store against all of these. A blocking store
/// implements [`blocking::TokenStore`](crate::blocking::TokenStore).
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Reads a value.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say.
    async fn load(&self, name: &EntryName) -> Result<Loaded, StoreError>;

    /// Writes `value` if what is there is exactly `expected`, or nothing is there for `None`.
    ///
    /// With `keep_for`, the store may drop the value after that time.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot say whether it was done.
    async fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError>;

    /// Returns what seals the values and hashes the names.
    fn seals(&self) -> &Seals;

    /// Announces that this process holds `fence` as long as the returned value lives. A store that
    /// cannot notice the end of a process returns `None`, as the default does.
    ///
    /// # Errors
    /// [`StoreError`] when it could notice, and cannot now.
    async fn announce(&self, fence: Fence) -> Result<Option<Announced>, StoreError> {
        let _ = fence;
        Ok(None)
    }

    /// Returns whether the process that held `fence` is known to have ended. The default does not
    /// know, and returns false.
    ///
    /// # Errors
    /// [`StoreError`] when it could know, and cannot now.
    async fn is_gone(&self, fence: Fence) -> Result<bool, StoreError> {
        let _ = fence;
        Ok(false)
    }
}

/// Says that a process holds a fence, until it is dropped.
pub type Announced = Box<dyn Any + Send + Sync>;

/// A random number of 128 bits that names one permit in a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence(
    // Bytes take half of a number's place in a session without a fence, and there are many.
    [u8; 16],
);

impl Fence {
    /// Creates a random one.
    ///
    /// # Errors
    /// [`StoreError`] when the system gives no random numbers.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|_| StoreError::new("the system gives no random numbers"))?;
        Ok(Self(bytes))
    }

    pub(crate) const fn of(number: u128) -> Self {
        Self(number.to_be_bytes())
    }

    pub(crate) const fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    pub(crate) const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.number())
    }
}

/// The name of a value: hashes, so that it shows neither a username nor an alias.
///
/// `Display` gives a name such as `point-auth:{2f…}:login`. All names of one login have the same
/// part in braces, so that they share a hash slot of a Redis cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryName {
    pub(crate) login: String,
    pub(crate) entry: String,
}

impl EntryName {
    /// Returns the part that all names of one login have: hexadecimal digits.
    pub fn login(&self) -> &str {
        &self.login
    }

    /// Returns the part that is different for each value of a login: letters, digits and dashes.
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "point-auth:{{{}}}:{}", self.login, self.entry)
    }
}

/// What a store has under a name.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it")]
pub struct Loaded {
    /// The value, if there is one.
    pub value: Option<Vec<u8>>,
    /// The time by the store's clock, since any fixed moment.
    pub now: Duration,
}

/// What came of a swap.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it")]
pub struct Swapped {
    /// Whether it was done.
    pub done: bool,
    /// The time by the store's clock, since the same fixed moment as in [`Loaded`].
    pub now: Duration,
}

/// A store cannot say what it was asked.
///
/// Its text and its cause hold nothing secret: a store that connects with a password keeps that out
/// of them.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Creates an error with a text for people, such as `the store could not be reached`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
