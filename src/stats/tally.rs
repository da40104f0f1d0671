//! Running statistics of a stream of values, and of a level that holds between changes.

use crate::base::SimTime;
use serde::{Deserialize, Serialize};

/// Count, mean, variance and extremes of values added one by one (Welford 1962).
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Tally {
    n: u64,
    mean: f64,
    squares: f64,
    extent: Option<[f64; 2]>,
}

impl Tally {
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (x - self.mean);
        self.extent = Some(self.extent.map_or([x, x], |[low, high]| [low.min(x), high.max(x)]));
    }

    /// Adds another tally's values (Chan, Golub and `LeVeque` 1983). Merging in another order may change
    /// the last bits.
    pub fn merge(&mut self, other: &Self) {
        let (Some([low, high]), Some([other_low, other_high])) = (self.extent, other.extent) else {
            if self.extent.is_none() {
                *self = *other;
            }
            return;
        };
        let (n, m) = (self.n as f64, other.n as f64);
        let apart = other.mean - self.mean;
        self.mean += apart * (m / (n + m));
        self.squares += other.squares + apart * apart * (n * m / (n + m));
        self.n += other.n;
        self.extent = Some([low.min(other_low), high.max(other_high)]);
    }

    /// How many values.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// The mean, if there are values.
    pub fn mean(&self) -> Option<f64> {
        self.extent.map(|_| self.mean)
    }

    /// The sample variance (over n − 1), if there are two values.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / (self.n - 1) as f64)
    }

    /// The smallest and the largest value.
    pub const fn extent(&self) -> Option<[f64; 2]> {
        self.extent
    }
}

/// A quantity that holds its value until it is set anew, weighted by how long it held.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Level {
    value: f64,
    since: SimTime,
    start: SimTime,
    /// Value times seconds, up to `since`.
    area: f64,
    /// Of values that held for some time.
    extent: Option<[f64; 2]>,
}

/// A level over a stretch of time.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct LevelSummary {
    /// The mean over time.
    pub mean: f64,
    /// The lowest value that held for some time.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

impl Level {
    /// A level that is `value` from `start` on.
    pub const fn new(start: SimTime, value: f64) -> Self {
        Self { value, since: start, start, area: 0.0, extent: None }
    }

    /// The value now.
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// Changes the value. A value replaced at the same instant never held.
    ///
    /// # Panics
    /// If time runs backwards.
    pub fn set(&mut self, at: SimTime, value: f64) {
        self.hold_until(at);
        self.value = value;
    }

    /// Value times seconds from the start to `at`.
    pub fn area(&self, at: SimTime) -> f64 {
        self.area + self.value * (at - self.since).secs()
    }

    /// The level from its start to `at`, `None` if no time has passed.
    pub fn summary(&self, at: SimTime) -> Option<LevelSummary> {
        let mut closed = *self;
        closed.hold_until(at);
        let [min, max] = closed.extent?;
        Some(LevelSummary { mean: closed.area / (at - self.start).secs(), min, max })
    }

    fn hold_until(&mut self, at: SimTime) {
        if at != self.since {
            self.area = self.area(at);
            self.extent =
                Some(self.extent.map_or([self.value; 2], |[low, high]| [low.min(self.value), high.max(self.value)]));
            self.since = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: &[f64]) -> Tally {
        let mut tally = Tally::default();
        for x in values {
            tally.add(*x);
        }
        tally
    }

    #[test]
    fn by_hand() {
        let t = tally(&[4.0, 2.0, 5.0, 9.0, 5.0]);
        assert_eq!((t.n(), t.mean(), t.extent()), (5, Some(5.0), Some([2.0, 9.0])));
        assert!((t.variance().unwrap() - 6.5).abs() < 1e-14);
        assert_eq!((Tally::default().mean(), tally(&[1.0]).variance()), (None, None));
    }

    #[test]
    fn merging_is_adding_all() {
        let values: Vec<f64> = (0..100).map(|i| 1e6 + f64::from(i * i % 37)).collect();
        let all = tally(&values);
        for cut in [0, 1, 50, 99, 100] {
            let mut merged = tally(&values[..cut]);
            merged.merge(&tally(&values[cut..]));
            assert_eq!((merged.n(), merged.extent()), (all.n(), all.extent()));
            assert!((merged.mean().unwrap() / all.mean().unwrap() - 1.0).abs() < 1e-15);
            assert!((merged.variance().unwrap() / all.variance().unwrap() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_level_weighs_by_time() {
        let at = |secs: u64| SimTime::from_nanos(secs * 1_000_000_000);
        let mut level = Level::new(at(10), 4.0);
        assert_eq!(level.summary(at(10)), None);
        level.set(at(12), 100.0);
        level.set(at(12), 1.0);
        level.set(at(18), 10.0);
        assert_eq!(level.value(), 10.0);
        // 2 s of 4, 6 s of 1, 2 s of 10; the 100 never held.
        assert_eq!(level.summary(at(20)), Some(LevelSummary { mean: 3.4, min: 1.0, max: 10.0 }));
        assert_eq!(level.summary(at(18)), Some(LevelSummary { mean: 14.0 / 8.0, min: 1.0, max: 4.0 }));
        assert_eq!(level.area(at(20)), 34.0);
    }
}
