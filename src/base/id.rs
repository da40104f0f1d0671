//! Typed ids and the tables they index: a cluster's number can't be used where a store's is meant.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The index of a `T` in its [`Table`].
pub struct Id<T> {
    index: u32,
    of: PhantomData<fn() -> T>,
}

/// A dense table indexed by [`Id<T>`]; `T` marks what the ids mean, `V` is what is stored.
pub type Table<T, V = T> = typed_index_collections::TiVec<Id<T>, V>;

impl<T> Id<T> {
    /// The id of the entry at `index`.
    ///
    /// # Panics
    /// If there are more than `u32::MAX` entries, which the scenario's limits rule out.
    pub fn new(index: usize) -> Self {
        Self { index: u32::try_from(index).expect("a table of at most 2^32 entries"), of: PhantomData }
    }

    /// The position in the table.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.index.cmp(&other.index)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}
impl<T> From<usize> for Id<T> {
    fn from(index: usize) -> Self {
        Self::new(index)
    }
}
impl<T> From<Id<T>> for usize {
    fn from(id: Id<T>) -> Self {
        id.index()
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.index.serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { index: u32::deserialize(deserializer)?, of: PhantomData })
    }
}
