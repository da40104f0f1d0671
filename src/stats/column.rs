//! A number of each seed, in seed order, in little memory.
//!
//! Numbers are in pieces of equal length: one list would have room for up to twice as many, and would be there twice
//! whenever it is moved to a larger place.

/// Numbers in a piece: four kilobytes. A power of two, so that the first one, which grows by doubling, ends without room.
const PIECE: usize = 512;

/// A number of each seed; absent where a seed has none. It takes eight bytes a seed, and none as long as all are the same.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// How many seeds at the beginning have the same.
    same: usize,
    /// What they have; NaN where it is absent, which no figure is.
    first: f64,
    /// What those after them have; all pieces but the last are full.
    rest: Vec<Vec<f64>>,
}

impl Column {
    /// How many seeds there are, with and without a number.
    pub fn len(&self) -> usize {
        let last = self.rest.last().map_or(0, |last| (self.rest.len() - 1) * PIECE + last.len());
        self.same + last
    }

    /// No seed was added.
    pub fn is_empty(&self) -> bool {
        self.same == 0
    }

    /// Adds the next seed.
    pub fn push(&mut self, value: Option<f64>) {
        let value = value.unwrap_or(f64::NAN);
        if self.rest.is_empty() && (self.same == 0 || self.first.to_bits() == value.to_bits()) {
            self.first = value;
            self.same += 1;
            return;
        }
        if let Some(last) = self.rest.last_mut().filter(|last| last.len() < PIECE) {
            last.push(value);
        } else {
            let mut piece = Vec::with_capacity(if self.rest.is_empty() { 0 } else { PIECE });
            piece.push(value);
            self.rest.push(piece);
        }
    }

    /// Adds seeds that have this, until there are `seeds`.
    pub fn fill(&mut self, value: Option<f64>, seeds: usize) {
        (self.len()..seeds).for_each(|_| self.push(value));
    }

    /// What a seed has.
    ///
    /// # Panics
    /// If there are fewer seeds.
    pub fn get(&self, seed: usize) -> Option<f64> {
        let value = match seed.checked_sub(self.same) {
            None => self.first,
            Some(after) => self.rest[after / PIECE][after % PIECE],
        };
        (!value.is_nan()).then_some(value)
    }

    /// What each seed has, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<f64>> + '_ {
        (0..self.len()).map(|seed| self.get(seed))
    }

    /// The numbers of those that have one, in order.
    pub fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.iter().flatten()
    }
}

impl FromIterator<Option<f64>> for Column {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(values: I) -> Self {
        let mut column = Self::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, PIECE};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_gives_back_what_it_was_given(
            values in prop::collection::vec(prop::option::of(prop::sample::select(vec![0.0, -0.0, 1.5])), 0..40),
            times in 0..2 * PIECE,
        ) {
            // Over several pieces, too.
            let values = || values.iter().copied().cycle().take(values.len() * (times / 10));
            let column: Column = values().collect();
            prop_assert_eq!(column.len(), values().count());
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            prop_assert!(column.iter().map(bits).eq(values().map(bits)));
            prop_assert!(column.present().eq(values().flatten()));
        }
    }

    #[test]
    fn what_all_seeds_have_takes_no_memory() {
        let mut column = Column::default();
        column.fill(Some(0.1), 100_000);
        assert_eq!((column.len(), column.rest.len(), column.get(99_999)), (100_000, 0, Some(0.1)));
        column.push(None);
        assert_eq!((column.len(), column.get(100_000)), (100_001, None));
    }

    #[test]
    fn no_room_is_left_but_in_the_last_piece() {
        let column: Column = (0..10 * PIECE + 2).map(|seed| Some(seed as f64)).collect();
        assert!(column.rest[..10].iter().all(|piece| (piece.len(), piece.capacity()) == (PIECE, PIECE)));
        assert_eq!((column.rest.len(), column.get(10 * PIECE + 1)), (11, Some((10 * PIECE + 1) as f64)));
    }
}
