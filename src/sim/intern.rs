//! Equal things get equal small numbers. The hash is fixed and never iterated, so results don't depend on it.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::collections::HashMap;
use std::sync::Arc;

/// A hash map with a fixed, fast hash; only ever looked up.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fold>>;

/// Folds each word in by a rotation, a xor and a multiplication (as `FxHash` does), with a final avalanche.
#[derive(Default, Clone, Copy)]
pub(super) struct Fold(u64);

impl Fold {
    fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for &word in words {
            self.word(u64::from_le_bytes(word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, word: u8) {
        self.word(u64::from(word));
    }
    fn write_u32(&mut self, word: u32) {
        self.word(u64::from(word));
    }
    fn write_u64(&mut self, word: u64) {
        self.word(word);
    }
    fn write_usize(&mut self, word: usize) {
        self.word(word as u64);
    }
    fn write_isize(&mut self, word: isize) {
        self.word(word as u64);
    }
    fn finish(&self) -> u64 {
        let z = self.0 ^ (self.0 >> 32);
        z.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// A table of distinct things.
#[derive(Clone, Debug)]
pub(super) struct Interner<T> {
    known: Map<Arc<T>, u32>,
    things: Vec<Arc<T>>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { known: Map::default(), things: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The number of a thing.
    pub(super) fn of(&mut self, thing: &T) -> u32 {
        if let Some(&number) = self.known.get(thing) {
            return number;
        }
        let number = self.things.len() as u32;
        let thing = Arc::new(thing.clone());
        self.things.push(Arc::clone(&thing));
        self.known.insert(thing, number);
        number
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    /// Forgets all but the first so many.
    pub(super) fn truncate(&mut self, most: usize) {
        self.things.truncate(most);
        self.known.retain(|_, number| (*number as usize) < most);
    }

    /// The thing of a number.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.things[number as usize]
    }
}
