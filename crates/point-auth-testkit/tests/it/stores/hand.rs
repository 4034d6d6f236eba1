//! A store in a map, with nothing of ours in it; and the store with one flaw, for each promise there
//! is to break.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use point_auth_store::blocking::TokenStore;
use point_auth_store::{
    EntryName, Loaded, SealError, Sealer, Seals, StoreError, StoreKey, Swapped,
};
use zeroize::Zeroizing;

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    ComparesNothing,
    CreatesOverWhatIsThere,
    ComparesTheLengthOnly,
    ComparesTheBeginningOnly,
    ComparesWithoutCase,
    ExpectsAnythingOfWhatIsMissing,
    LosesWritesUnderContention,
    SaysDoneWithoutDoing,
    DeletesWhatItDidNotExpect,
    ReadsFromACache,
    ReadsAReplica,
    TakesTheTimeOfTheProcess,
    TimeStandsStill,
    TimeIsInTheWrongUnit,
    KeepsTooShort,
    KeepsTheFirstTime,
    SetsTheTimeFirst,
    DoesARepeatedSwapAgain,
    MixesAliases,
    MixesLogins,
    HasAKeyForEachProcess,
    KeepsTextOnly,
    CutsLongValues,
    TakesNoBytesForNothing,
    TakesNothingForNoBytes,
    KeepsNothing,
    DoesNotSeal,
}

impl Flaw {
    /// Those that show without a wait.
    pub(super) const AT_ONCE: [Self; 23] = [
        Self::ComparesNothing,
        Self::CreatesOverWhatIsThere,
        Self::ComparesTheLengthOnly,
        Self::ComparesTheBeginningOnly,
        Self::ComparesWithoutCase,
        Self::ExpectsAnythingOfWhatIsMissing,
        Self::LosesWritesUnderContention,
        Self::SaysDoneWithoutDoing,
        Self::DeletesWhatItDidNotExpect,
        Self::ReadsFromACache,
        Self::ReadsAReplica,
        Self::TakesTheTimeOfTheProcess,
        Self::TimeStandsStill,
        Self::DoesARepeatedSwapAgain,
        Self::MixesAliases,
        Self::MixesLogins,
        Self::HasAKeyForEachProcess,
        Self::KeepsTextOnly,
        Self::CutsLongValues,
        Self::TakesNoBytesForNothing,
        Self::TakesNothingForNoBytes,
        Self::KeepsNothing,
        Self::DoesNotSeal,
    ];
}

#[derive(Clone, Default)]
struct Kept {
    value: Vec<u8>,
    /// What was there before.
    before: Option<Vec<u8>>,
    expires: Option<Instant>,
}

/// A swap that was done: the name, what was expected, the value.
type Done = (String, Option<Vec<u8>>, Vec<u8>);

/// A store in a map. Clones are the store of one process.
#[derive(Clone)]
pub(super) struct HandStore {
    flaw: Flaw,
    values: Arc<Mutex<HashMap<String, Kept>>>,
    start: Instant,
    calls: Arc<AtomicU32>,
    processes: Arc<AtomicU32>,
    seals: Seals,
    /// What this process alone has.
    process: u32,
    cache: Arc<Mutex<HashMap<String, Option<Vec<u8>>>>>,
    done: Arc<Mutex<Vec<Done>>>,
}

impl HandStore {
    pub(super) fn with(flaw: Flaw) -> Self {
        let key = StoreKey::generate().unwrap();
        let seals = match flaw {
            Flaw::DoesNotSeal => Seals::with_sealer(&key, Plain),
            _ => Seals::new(&key),
        };
        Self {
            flaw,
            values: Arc::default(),
            start: Instant::now(),
            calls: Arc::default(),
            processes: Arc::default(),
            seals,
            process: 0,
            cache: Arc::default(),
            done: Arc::default(),
        }
    }

    /// The store of another process.
    pub(super) fn open(&self) -> Self {
        let seals = match self.flaw {
            Flaw::HasAKeyForEachProcess => Seals::new(&StoreKey::generate().unwrap()),
            _ => self.seals.clone(),
        };
        let process = self.processes.fetch_add(1, Ordering::Relaxed);
        let (cache, done) = (Arc::default(), Arc::default());
        Self { seals, process, cache, done, ..self.clone() }
    }

    pub(super) fn dump(&self) -> Vec<Vec<u8>> {
        let values = self.values.lock().unwrap();
        let pairs =
            values.iter().map(|(name, kept)| [name.clone().into_bytes(), kept.value.clone()]);
        pairs.flatten().collect()
    }

    fn now(&self) -> Duration {
        let elapsed = self.start.elapsed();
        match self.flaw {
            Flaw::TimeStandsStill => Duration::ZERO,
            Flaw::TimeIsInTheWrongUnit => elapsed * 1000,
            // As machines have it whose clocks are wrong, each in its own way.
            Flaw::TakesTheTimeOfTheProcess => elapsed + Duration::from_secs(60) * self.process,
            _ => elapsed,
        }
    }

    fn key(&self, name: &EntryName) -> String {
        match self.flaw {
            Flaw::MixesAliases => name.login().to_owned(),
            Flaw::MixesLogins => name.entry().to_owned(),
            _ => name.to_string(),
        }
    }

    fn is_expected(&self, there: Option<&[u8]>, expected: Option<&[u8]>) -> bool {
        match (self.flaw, there, expected) {
            (Flaw::ComparesNothing, ..) | (Flaw::CreatesOverWhatIsThere, _, None) => true,
            (Flaw::ExpectsAnythingOfWhatIsMissing, None, _) => true,
            (Flaw::ComparesTheLengthOnly, Some(there), Some(expected)) => {
                there.len() == expected.len()
            }
            (Flaw::ComparesTheBeginningOnly, Some(there), Some(expected)) => {
                there.starts_with(expected)
            }
            (Flaw::ComparesWithoutCase, Some(there), Some(expected)) => {
                there.eq_ignore_ascii_case(expected)
            }
            _ => there == expected,
        }
    }

    /// As it is kept.
    fn changed(&self, value: &[u8]) -> Vec<u8> {
        match self.flaw {
            Flaw::KeepsTextOnly => String::from_utf8_lossy(value).into_owned().into_bytes(),
            Flaw::CutsLongValues => value.iter().copied().take(32 * 1024).collect(),
            _ => value.to_vec(),
        }
    }

    fn read(&self, values: &HashMap<String, Kept>, key: &str) -> Option<Vec<u8>> {
        let kept = values.get(key)?;
        let is_over = kept.expires.is_some_and(|expires| Instant::now() >= expires);
        let is_nothing = self.flaw == Flaw::TakesNoBytesForNothing && kept.value.is_empty();
        (!is_over && !is_nothing).then(|| kept.value.clone())
    }
}

impl TokenStore for HandStore {
    fn load(&self, name: &EntryName) -> Result<Loaded, StoreError> {
        let key = self.key(name);
        let values = self.values.lock().unwrap();
        let mut value = self.read(&values, &key);
        match self.flaw {
            Flaw::ReadsFromACache => {
                let mut cache = self.cache.lock().unwrap();
                value = cache.entry(key).or_insert(value).clone();
            }
            Flaw::ReadsAReplica if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(5) => {
                value = values.get(&key).and_then(|kept| kept.before.clone());
            }
            Flaw::TakesNothingForNoBytes => value = value.or(Some(Vec::new())),
            _ => {}
        }
        Ok(Loaded { value, now: self.now() })
    }

    fn swap(
        &self,
        name: &EntryName,
        expected: Option<&[u8]>,
        value: &[u8],
        keep_for: Option<Duration>,
    ) -> Result<Swapped, StoreError> {
        let key = self.key(name);
        let mut values = self.values.lock().unwrap();
        let before = self.read(&values, &key);
        let this = (key.clone(), expected.map(<[u8]>::to_vec), value.to_vec());
        let is_repeated =
            self.flaw == Flaw::DoesARepeatedSwapAgain && self.done.lock().unwrap().contains(&this);
        let done = self.is_expected(before.as_deref(), expected) || is_repeated;
        if self.flaw == Flaw::LosesWritesUnderContention {
            drop(values);
            for _ in 0..20 {
                thread::yield_now();
            }
            values = self.values.lock().unwrap();
        }
        let keep_for = match self.flaw {
            Flaw::KeepsTooShort => keep_for.map(|keep_for| keep_for / 2),
            _ => keep_for,
        };
        let mut expires = keep_for.map(|keep_for| Instant::now() + keep_for);
        match self.flaw {
            Flaw::KeepsTheFirstTime => {
                expires = values.get(&key).map_or(expires, |kept| kept.expires);
            }
            Flaw::SetsTheTimeFirst => {
                if let Some(kept) = values.get_mut(&key) {
                    kept.expires = expires;
                }
            }
            Flaw::DeletesWhatItDidNotExpect if !done => {
                values.remove(&key);
            }
            _ => {}
        }
        let is_skipped = self.flaw == Flaw::SaysDoneWithoutDoing
            && self.calls.fetch_add(1, Ordering::Relaxed) % 10 == 9;
        if done && !is_skipped && self.flaw != Flaw::KeepsNothing {
            let value = self.changed(value);
            self.done.lock().unwrap().push(this);
            self.cache.lock().unwrap().insert(key.clone(), Some(value.clone()));
            values.insert(key, Kept { value, before, expires });
        }
        Ok(Swapped { done, now: self.now() })
    }

    fn seals(&self) -> &Seals {
        &self.seals
    }
}

/// Seals nothing.
struct Plain;

impl Sealer for Plain {
    fn seal(&self, plain: &[u8], _: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.to_vec())
    }

    fn open(&self, sealed: &[u8], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(sealed.to_vec()))
    }
}
