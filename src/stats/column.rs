//! A number of each seed, in seed order, in little memory.

/// A number of each seed; absent where a seed has none. It takes eight bytes a seed, and none as long as all are the same.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// How many seeds at the beginning have the same.
    same: usize,
    /// What they have; NaN where it is absent, which no figure is.
    first: f64,
    /// What those after them have.
    rest: Vec<f64>,
}

impl Column {
    /// How many seeds there are, with and without a number.
    pub fn len(&self) -> usize {
        self.same + self.rest.len()
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
        } else {
            self.rest.push(value);
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
        let value = if seed < self.same { self.first } else { self.rest[seed - self.same] };
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
    use super::Column;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_gives_back_what_it_was_given(values in prop::collection::vec(prop::option::of(prop::sample::select(vec![0.0, -0.0, 1.5])), 0..40)) {
            let column: Column = values.iter().copied().collect();
            prop_assert_eq!(column.len(), values.len());
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            prop_assert!(column.iter().map(bits).eq(values.iter().copied().map(bits)));
            prop_assert!(column.present().eq(values.iter().copied().flatten()));
        }
    }

    #[test]
    fn what_all_seeds_have_takes_no_memory() {
        let mut column = Column::default();
        column.fill(Some(0.1), 100_000);
        assert_eq!((column.len(), column.rest.capacity(), column.get(99_999)), (100_000, 0, Some(0.1)));
        column.push(None);
        assert_eq!((column.rest.len(), column.get(100_000)), (1, None));
    }
}
