//! An open store: the opening, and its parts.

use std::path::Path;
use std::time::Duration;

use super::clock::Clock;
use super::directory::{Directory, NEW};
use super::error::FileStoreError;
use super::holders::Holders;
use super::values::Values;
use crate::contract::{Announced, EntryName, Fence, Loaded, Swapped};
use crate::key::{StoreKey, StoreKeyError};
use crate::sealing::Seals;

const LOCK: &str = "lock";
const KEY: &str = "key";
const HOLDERS: &str = "holders";
const LOGINS: &str = "logins";
/// Is written last: a directory with this file has all others.
const FORMAT: &str = "format";
const FORMAT_PREFIX: &str = "point-auth-store ";
const FORMAT_NUMBER: u64 = 1;

/// What an opening that was killed may have left in a directory without [`FORMAT`]. A key may also
/// be put there by hand.
const OURS: [&str; 5] = [LOCK, KEY, HOLDERS, LOGINS, NEW];

pub(super) struct Opened {
    root: Directory,
    holders: Holders,
    values: Values,
    clock: Clock,
    seals: Seals,
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Self, FileStoreError> {
        let root = Directory::open_or_make(path)?;
        if !is_prepared(&root)? {
            if let Some(name) = root.names()?.into_iter().find(|name| !is_ours(name)) {
                let path = root.path().to_owned();
                // Another process may have finished meanwhile.
                if !is_prepared(&root)? {
                    return Err(FileStoreError::NotAStore { path, name });
                }
            }
            let _lock = root.lock(LOCK)?;
            if !is_prepared(&root)? {
                prepare(&root)?;
            }
        }
        let key = read_key(&root)?;
        let holders = Holders::new(root.directory_or_make(HOLDERS)?);
        let values = Values::new(root.directory_or_make(LOGINS)?);
        let clock = match Clock::read(&root)? {
            Some(clock) if clock.runs()? && !clock.is_sweep_due() => clock,
            _ => maintain(&root, &holders, &values)?,
        };
        Ok(Self { seals: Seals::new(&key), root, holders, values, clock })
    }

    pub(super) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(super) const fn seals(&self) -> &Seals {
        &self.seals
    }

    pub(super) fn load(&self, name: &EntryName) -> Result<Loaded, FileStoreError> {
        self.values.load(name, &self.clock)
    }

    pub(super) fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, FileStoreError> {
        self.values.swap(name, expected, value, keep_for, &self.clock)
    }

    pub(super) fn announce(&self, fence: Fence) -> Result<Option<Announced>, FileStoreError> {
        Ok(Some(Box::new(self.holders.announce(fence)?)))
    }

    pub(super) fn is_gone(&self, fence: Fence) -> Result<bool, FileStoreError> {
        self.holders.is_gone(fence)
    }
}

fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

fn is_prepared(root: &Directory) -> Result<bool, FileStoreError> {
    let Some(bytes) = root.read(FORMAT)? else { return Ok(false) };
    let text = std::str::from_utf8(&bytes).ok();
    let number = text.and_then(|text| text.strip_prefix(FORMAT_PREFIX));
    match number.and_then(|number| number.trim_end().parse::<u64>().ok()) {
        Some(FORMAT_NUMBER) => Ok(true),
        Some(newer) if newer > FORMAT_NUMBER => {
            Err(FileStoreError::Newer { path: root.path_of(FORMAT) })
        }
        _ => Err(FileStoreError::Damaged { path: root.path_of(FORMAT) }),
    }
}

fn prepare(root: &Directory) -> Result<(), FileStoreError> {
    root.directory_or_make(HOLDERS)?;
    root.directory_or_make(LOGINS)?;
    if root.read(KEY)?.is_none() {
        let key = StoreKey::generate().map_err(FileStoreError::NoKey)?;
        root.add(KEY, key.expose().as_bytes())?;
    }
    read_key(root)?;
    root.add(FORMAT, format!("{FORMAT_PREFIX}{FORMAT_NUMBER}\n").as_bytes())
}

fn read_key(root: &Directory) -> Result<StoreKey, FileStoreError> {
    let path = || root.path_of(KEY);
    let missing = || {
        let source = std::io::ErrorKind::NotFound.into();
        FileStoreError::Io { action: "read", path: path(), source }
    };
    let bytes = root.read(KEY)?.ok_or_else(missing)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| StoreKeyError::Malformed { name: None });
    let key = text.and_then(StoreKey::parse);
    key.map_err(|source| FileStoreError::Key { path: path(), source })
}

/// Starts the clock after a boot, and removes leftovers.
fn maintain(root: &Directory, holders: &Holders, values: &Values) -> Result<Clock, FileStoreError> {
    let _lock = root.lock(LOCK)?;
    let clock = match Clock::read(root)? {
        // Another process was faster.
        Some(clock) if clock.runs()? && !clock.is_sweep_due() => return Ok(clock),
        Some(clock) if clock.runs()? => clock.with_sweep_now(),
        last => Clock::start(last.as_ref(), values.last_written()?)?,
    };
    // Before the sweep: other processes need it, and what cannot be removed waits.
    clock.write(root)?;
    let _is_swept = values.sweep(&clock).and_then(|()| holders.sweep());
    Ok(clock)
}
