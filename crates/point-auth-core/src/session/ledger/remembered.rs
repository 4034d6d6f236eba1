//! [`Remembered`]: a map of aliases that forgets the oldest when it is full.

/// A bounded map from aliases to facts.
///
/// A sorted list, because no choice of names makes it slow. With 100,000 aliases an insertion moves
/// 2 MB, which is little compared with a sign-in.
#[derive(Clone, Debug)]
pub(super) struct Remembered<V> {
    most: usize,
    /// In the order of the aliases.
    entries: Vec<Entry<V>>,
    next_age: u64,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    alias: Box<str>,
    age: u64,
    fact: V,
}

impl<V> Remembered<V> {
    /// Creates an empty map that keeps at most `most` aliases.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, entries: Vec::new(), next_age: 0 }
    }

    pub(super) fn get(&self, alias: &str) -> Option<&V> {
        self.entries.get(self.place(alias).ok()?).map(|entry| &entry.fact)
    }

    pub(super) fn contains(&self, alias: &str) -> bool {
        self.place(alias).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Stores a fact about `alias`, which becomes the youngest.
    pub(super) fn insert(&mut self, alias: &str, fact: V) {
        self.remove(alias);
        if self.entries.len() >= self.most {
            self.remove_oldest();
        }
        let place = self.place(alias).unwrap_or_else(|place| place);
        self.entries.insert(place, Entry { alias: alias.into(), age: self.next_age, fact });
        self.next_age = self.next_age.wrapping_add(1);
    }

    pub(super) fn remove(&mut self, alias: &str) {
        if let Ok(place) = self.place(alias) {
            self.entries.remove(place);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn remove_oldest(&mut self) {
        let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.age);
        if let Some((place, _)) = oldest {
            self.entries.remove(place);
        }
    }

    /// Returns the position of `alias`, or where it would be inserted.
    fn place(&self, alias: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| (*entry.alias).cmp(alias))
    }
}
