//! A number of each seed, in seed order, in little memory.
//!
//! Numbers are in pieces of equal length: one list would have room for up to twice as many, and would be there twice
//! whenever it is moved to a larger place. Full pieces can be put away, and are read again one at a time.

use super::shelf::Shelf;
use std::sync::Arc;

/// Numbers in a piece: four kilobytes. A power of two, so that the first one, which grows by doubling, ends without room.
pub const PIECE: usize = 512;

/// A number of each seed; absent where a seed has none. It takes eight bytes a seed, and none as long as all are the same
/// or for what was put away.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// How many seeds at the beginning have the same.
    same: usize,
    /// What they have; NaN where it is absent, which no figure is.
    first: f64,
    /// The places of the pieces after them that were put away, and where.
    away: Vec<u64>,
    shelf: Option<Arc<dyn Shelf>>,
    /// The pieces after these; all but the last are full.
    rest: Vec<Vec<f64>>,
}

impl Column {
    /// How many seeds there are, with and without a number.
    pub fn len(&self) -> usize {
        let last = self.rest.last().map_or(0, |last| (self.rest.len() - 1) * PIECE + last.len());
        self.same + self.away.len() * PIECE + last
    }

    /// No seed was added.
    pub fn is_empty(&self) -> bool {
        self.same == 0
    }

    /// Adds the next seed.
    pub fn push(&mut self, value: Option<f64>) {
        let value = value.unwrap_or(f64::NAN);
        let is_one = self.rest.is_empty() && self.away.is_empty();
        if is_one && (self.same == 0 || self.first.to_bits() == value.to_bits()) {
            self.first = value;
            self.same += 1;
            return;
        }
        if let Some(last) = self.rest.last_mut().filter(|last| last.len() < PIECE) {
            last.push(value);
        } else {
            let mut piece = Vec::with_capacity(if is_one { 0 } else { PIECE });
            piece.push(value);
            self.rest.push(piece);
        }
    }

    /// Adds seeds that have this, until there are `seeds`.
    pub fn fill(&mut self, value: Option<f64>, seeds: usize) {
        (self.len()..seeds).for_each(|_| self.push(value));
    }

    /// Full pieces in memory.
    pub fn full(&self) -> usize {
        self.rest.len() - usize::from(self.rest.last().is_some_and(|last| last.len() < PIECE))
    }

    /// Puts away all full pieces, as far as there is a place for them.
    pub fn put_away(&mut self, shelf: &Arc<dyn Shelf>) {
        let places: Vec<u64> = self.rest[..self.full()].iter().map_while(|piece| shelf.put(piece)).collect();
        self.rest.drain(..places.len());
        self.away.extend(places);
        self.shelf = Some(shelf.clone());
    }

    /// What each seed from this one on has, in order.
    pub fn iter_from(&self, seed: usize) -> impl Iterator<Item = Option<f64>> + '_ {
        let same = core::iter::repeat_n(self.first, self.same.saturating_sub(seed));
        let after = seed.saturating_sub(self.same);
        let (piece, within) = (after / PIECE, after % PIECE);
        let away = self.away.iter().skip(piece).flat_map(|&place| self.read(place));
        let rest = self.rest.iter().skip(piece.saturating_sub(self.away.len())).flatten().copied();
        same.chain(away.chain(rest).skip(within)).map(|value| (!value.is_nan()).then_some(value))
    }

    /// A piece that was put away.
    fn read(&self, place: u64) -> Vec<f64> {
        let mut piece = vec![f64::NAN; PIECE];
        if let Some(shelf) = &self.shelf {
            shelf.read(place, &mut piece);
        }
        piece
    }

    /// What each seed has, in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.iter_from(0)
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
    use super::*;
    use crate::stats::shelf::tests::Room;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_gives_back_what_it_was_given(
            values in prop::collection::vec(prop::option::of(prop::sample::select(vec![0.0, -0.0, 1.5])), 0..40),
            times in 0..4 * PIECE,
            room in 0..6_usize,
            from in 0..6 * PIECE,
        ) {
            // Over several pieces, too, of which some are away.
            let shelf: Arc<dyn Shelf> = Arc::new(Room::of(room));
            let values: Vec<_> = values.iter().copied().cycle().take(values.len() * (times / 10)).collect();
            let mut column = Column::default();
            for (seed, value) in values.iter().enumerate() {
                column.push(*value);
                if seed % (PIECE + 7) == 0 {
                    column.put_away(&shelf);
                    prop_assert!(column.full() == 0 || column.away.len() == room);
                }
            }
            prop_assert_eq!(column.len(), values.len());
            let bits = |value: &Option<f64>| value.map(f64::to_bits);
            prop_assert!(column.iter().map(|value| bits(&value)).eq(values.iter().map(bits)));
            let expected = values.iter().skip(from).map(bits);
            prop_assert!(column.iter_from(from).map(|value| bits(&value)).eq(expected));
            prop_assert!(column.present().eq(values.iter().flatten().copied()));
        }
    }

    #[test]
    fn what_all_seeds_have_takes_no_memory() {
        let mut column = Column::default();
        column.fill(Some(0.1), 100_000);
        assert_eq!((column.len(), column.rest.len(), column.iter().last()), (100_000, 0, Some(Some(0.1))));
        column.push(None);
        assert_eq!((column.len(), column.iter().last()), (100_001, Some(None)));
    }

    #[test]
    fn no_room_is_left_but_in_the_last_piece() {
        let column: Column = (0..10 * PIECE + 2).map(|seed| Some(seed as f64)).collect();
        assert!(column.rest[..10].iter().all(|piece| (piece.len(), piece.capacity()) == (PIECE, PIECE)));
        assert_eq!(
            (column.rest.len(), column.full(), column.iter().last()),
            (11, 10, Some(Some((10 * PIECE + 1) as f64)))
        );
    }
}
