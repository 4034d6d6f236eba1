//! [`Remembered`]: a map of aliases that forgets the oldest when it is full.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Facts about aliases, of which only so many are kept.
///
/// Ordered maps, since aliases may come from outside: no choice of names makes them slow.
#[derive(Clone, Debug)]
pub(super) struct Remembered<V> {
    most: usize,
    facts: BTreeMap<Arc<str>, (u64, V)>,
    ages: BTreeMap<u64, Arc<str>>,
    next_age: u64,
}

impl<V> Remembered<V> {
    /// An empty map that keeps at most `most` aliases.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, facts: BTreeMap::new(), ages: BTreeMap::new(), next_age: 0 }
    }

    pub(super) fn get(&self, alias: &str) -> Option<&V> {
        self.facts.get(alias).map(|(_, fact)| fact)
    }

    pub(super) fn contains(&self, alias: &str) -> bool {
        self.facts.contains_key(alias)
    }

    pub(super) fn len(&self) -> usize {
        self.facts.len()
    }

    /// Remembers a fact about `alias`, which becomes the youngest.
    pub(super) fn insert(&mut self, alias: &str, fact: V) {
        self.remove(alias);
        if self.facts.len() >= self.most
            && let Some((_, oldest)) = self.ages.pop_first()
        {
            self.facts.remove(&oldest);
        }
        let (alias, age) = (Arc::<str>::from(alias), self.next_age);
        self.next_age = age.wrapping_add(1);
        self.ages.insert(age, Arc::clone(&alias));
        self.facts.insert(alias, (age, fact));
    }

    pub(super) fn remove(&mut self, alias: &str) {
        if let Some((age, _)) = self.facts.remove(alias) {
            self.ages.remove(&age);
        }
    }

    pub(super) fn clear(&mut self) {
        self.facts.clear();
        self.ages.clear();
    }
}
