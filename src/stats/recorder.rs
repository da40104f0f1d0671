//! A histogram of values that come often and all have one weight: they are put in some at once, which is several times
//! as fast.

use super::Histogram;

/// Values that are put in at once.
const BATCH: usize = 32;

/// A histogram to be, and what isn't in it yet.
#[derive(Debug, Clone)]
pub struct Recorder {
    histogram: Histogram,
    weight: f64,
    waiting: [f64; BATCH],
    count: usize,
    /// Of zeros, of which there may be many, it is enough to know how many.
    zeros: usize,
}

impl Recorder {
    /// Of values of this weight.
    pub fn new(weight: f64) -> Self {
        Self { histogram: Histogram::default(), weight, waiting: [0.0; BATCH], count: 0, zeros: 0 }
    }

    /// Adds a value.
    ///
    /// # Panics
    /// If it is negative or not finite, sooner or later.
    #[inline]
    pub fn record(&mut self, value: f64) {
        if self.count == BATCH {
            self.put_in();
        }
        // Without a branch: zero or not may be anybody's guess.
        self.waiting[self.count] = value;
        self.count += usize::from(value != 0.0);
        self.zeros += usize::from(value == 0.0);
    }

    /// Adds values of which hardly any is zero.
    ///
    /// # Panics
    /// If one is negative or not finite, sooner or later.
    pub fn record_all(&mut self, mut values: &[f64]) {
        while !values.is_empty() {
            if self.count == BATCH {
                self.put_in();
            }
            let (some, rest) = values.split_at(values.len().min(BATCH - self.count));
            self.waiting[self.count..][..some.len()].copy_from_slice(some);
            self.count += some.len();
            values = rest;
        }
    }

    /// Adds so many zeros.
    pub fn record_zeros(&mut self, count: usize) {
        self.zeros += count;
    }

    /// Adds values one by one. Gives how many aren't zero.
    ///
    /// # Panics
    /// If one is negative or not finite, sooner or later.
    pub fn record_each(&mut self, values: &[f64]) -> usize {
        let (mut count, before) = (self.count, self.count);
        let mut put_in = 0;
        for &value in values {
            if count == BATCH {
                self.count = BATCH;
                self.put_in();
                (count, put_in) = (0, put_in + BATCH);
            }
            self.waiting[count] = value;
            count += usize::from(value != 0.0);
        }
        self.count = count;
        let others = count + put_in - before;
        self.zeros += values.len() - others;
        others
    }

    /// The histogram of all values, once they have been put in.
    ///
    /// # Panics
    /// If some haven't.
    pub fn histogram(&self) -> &Histogram {
        assert!(self.count + self.zeros == 0, "values wait to be put in");
        &self.histogram
    }

    /// Puts in what isn't yet.
    #[inline(never)]
    pub fn put_in(&mut self) {
        self.histogram.record_all(&self.waiting[..self.count], self.weight);
        self.count = 0;
        if self.zeros > 0 {
            self.histogram.record(0.0, self.weight * core::mem::take(&mut self.zeros) as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_histogram_of_its_values() {
        let (mut recorder, mut histogram) = (Recorder::new(2.0), Histogram::default());
        for number in 0..1000_u32 {
            let value = f64::from(number * 37 % 101) / 8.0;
            if number % 5 == 0 {
                recorder.record(value);
                histogram.record(value, 2.0);
            } else if number % 50 == 1 {
                let values: Vec<f64> = (0..number % 71).map(|more| value * f64::from(more % 4)).collect();
                if number % 100 == 1 {
                    recorder.record_all(&values);
                } else {
                    recorder.record_each(&values);
                }
                recorder.record_zeros(2);
                histogram.record(0.0, 4.0);
                for value in values {
                    histogram.record(value, 2.0);
                }
            }
            if number % 300 == 7 {
                // Eighths add up exactly.
                recorder.put_in();
                assert_eq!(*recorder.histogram(), histogram);
            }
        }
        recorder.put_in();
        assert_eq!(*recorder.histogram(), histogram);
    }
}
