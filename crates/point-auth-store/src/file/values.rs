//! The values: a file for each, in a directory for each login.

use std::time::Duration;

use super::clock::Clock;
use super::directory::Directory;
use super::error::FileStoreError;
use crate::contract::{EntryName, Loaded, Swapped};

const LOCK: &str = ".lock";

/// The directory of all logins.
pub(super) struct Values(Directory);

impl Values {
    pub(super) const fn new(directory: Directory) -> Self {
        Self(directory)
    }

    pub(super) fn load(&self, name: &EntryName, clock: &Clock) -> Result<Loaded, FileStoreError> {
        let file = match self.0.directory(name.login())? {
            Some(login) => login.read(name.entry())?,
            None => None,
        };
        let found = Found::new(file.as_ref().map(|bytes| bytes.as_slice()), clock);
        Ok(Loaded { value: found.value.map(<[u8]>::to_vec), now: found.now })
    }

    pub(super) fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
        clock: &Clock,
    ) -> Result<Swapped, FileStoreError> {
        let login = self.0.directory_or_make(name.login())?;
        let _lock = login.lock(LOCK)?;
        let file = login.read(name.entry())?;
        let found = Found::new(file.as_ref().map(|bytes| bytes.as_slice()), clock);
        let done = found.value == expected;
        if done {
            let written = found.now;
            let expires = keep_for.and_then(|keep_for| written.checked_add(keep_for));
            login.replace(name.entry(), &Head { written, expires }.before(value))?;
        }
        Ok(Swapped { done, now: found.now })
    }

    /// When the last value was written.
    pub(super) fn last_written(&self) -> Result<Duration, FileStoreError> {
        let mut last = Duration::ZERO;
        self.each(|login, name| {
            if let Some(bytes) = login.read(name)? {
                last = last.max(Head::split(&bytes).0.written);
            }
            Ok(())
        })?;
        Ok(last)
    }

    /// Removes the values that have expired.
    pub(super) fn sweep(&self, clock: &Clock) -> Result<(), FileStoreError> {
        let is_expired = |login: &Directory, name: &str| {
            let bytes = login.read(name)?;
            let found = Found::new(bytes.as_ref().map(|bytes| bytes.as_slice()), clock);
            Ok(bytes.is_some() && found.value.is_none())
        };
        self.each(|login, name| {
            if is_expired(login, name)? {
                let _lock = login.lock(LOCK)?;
                if is_expired(login, name)? {
                    login.remove(name)?;
                }
            }
            Ok(())
        })
    }

    fn each(
        &self,
        mut visit: impl FnMut(&Directory, &str) -> Result<(), FileStoreError>,
    ) -> Result<(), FileStoreError> {
        for login in self.0.names()? {
            let Some(login) = self.0.directory(&login)? else { continue };
            for name in login.names()? {
                // The lock, and what is being written.
                if !name.starts_with('.') {
                    visit(&login, &name)?;
                }
            }
        }
        Ok(())
    }
}

/// What is there, and the time.
struct Found<'a> {
    value: Option<&'a [u8]>,
    now: Duration,
}

impl<'a> Found<'a> {
    fn new(file: Option<&'a [u8]>, clock: &Clock) -> Self {
        let now = clock.now();
        let Some(bytes) = file else { return Self { value: None, now } };
        let (head, value) = Head::split(bytes);
        // No time before the value was written: where the wall clock is the only one, it may go
        // back.
        let now = now.max(head.written);
        let is_kept = head.expires.is_none_or(|expires| now < expires);
        Self { value: is_kept.then_some(value), now }
    }
}

/// What stands before a value in its file: two times in milliseconds, 8 bytes each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Head {
    written: Duration,
    /// From then on the value counts as missing. All bits set: never.
    expires: Option<Duration>,
}

impl Head {
    /// A file that is too short for a head has none, and is all value: then that cannot be opened,
    /// and is replaced.
    fn split(bytes: &[u8]) -> (Self, &[u8]) {
        let head = bytes.split_first_chunk().and_then(|(written, rest)| {
            let (expires, value) = rest.split_first_chunk()?;
            let [written, expires] = [written, expires].map(|bytes| u64::from_be_bytes(*bytes));
            let expires = (expires != u64::MAX).then_some(Duration::from_millis(expires));
            Some((Self { written: Duration::from_millis(written), expires }, value))
        });
        head.unwrap_or((Self::default(), bytes))
    }

    fn before(self, value: &[u8]) -> Vec<u8> {
        let written = millis(self.written);
        // Kept a little longer rather than shorter.
        let expires = self.expires.map_or(u64::MAX, |expires| millis(expires).saturating_add(1));
        [&written.to_be_bytes(), expires.to_be_bytes().as_slice(), value].concat()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    use super::*;

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        #[test]
        fn any_bytes_have_a_head_or_are_all_value(bytes in vec(any::<u8>(), 0..40)) {
            let (head, value) = Head::split(&bytes);
            prop_assert!(bytes.ends_with(value));
            if bytes.len() < 16 {
                prop_assert_eq!((head, value), (Head::default(), bytes.as_slice()));
            }
        }

        #[test]
        fn a_value_is_read_as_it_was_written_and_kept_no_shorter(
            value in vec(any::<u8>(), 0..40),
            written in any::<u64>(),
            expires in proptest::option::of(0..u64::MAX),
        ) {
            let [written, expires] = [Some(written), expires].map(|nanos| {
                nanos.map(Duration::from_nanos)
            });
            let head = Head { written: written.unwrap(), expires };
            let bytes = head.before(&value);
            let (read, rest) = Head::split(&bytes);
            prop_assert_eq!(rest, value.as_slice());
            prop_assert!(read.written <= head.written);
            prop_assert!(read.expires.zip(expires).is_none_or(|(read, asked)| read >= asked));
            prop_assert_eq!(read.expires.is_some(), expires.is_some());
        }
    }
}
