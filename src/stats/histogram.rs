//! A mergeable histogram of latencies and durations, with weights.
//!
//! A bucket is 1/1024 of an octave, read off the number's own bits: every histogram has the same buckets,
//! so merging adds weights. Whatever the data, a quantile is in its true bucket and at most 0.098 % off;
//! interpolation makes it closer where the data are smooth.

use crate::base::maths::{extent, sum};
use serde::{Deserialize, Serialize};

/// Bits of the mantissa that choose the bucket in an octave.
const SUB_BITS: u32 = 10;
const SUBS: usize = 1 << SUB_BITS;
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - SUB_BITS;
/// The bit of a bucket that only -0 has.
const SIGN: u32 = 1 << (u64::BITS - 1 - SHIFT);

/// Weighted values of at least 0.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "Sparse", into = "Sparse")]
pub struct Histogram {
    total: f64,
    /// Sum of value times weight.
    sum: f64,
    extent: Option<[f64; 2]>,
    /// By binary exponent; each octave's buckets are dense, and there only where something fell into it. The first
    /// bucket is that of 0.
    octaves: Vec<Option<Box<[f64; SUBS]>>>,
}

/// The stored form: only buckets with weight.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sparse {
    total: f64,
    sum: f64,
    zero: f64,
    extent: Option<[f64; 2]>,
    buckets: Vec<(u32, f64)>,
}

/// The bucket of a number: exponent and leading mantissa bits.
#[inline]
fn bucket(value: f64) -> u32 {
    (value.to_bits() >> SHIFT) as u32
}

/// Where a bucket begins; where the one before it ends.
fn edge(bucket: u32) -> f64 {
    f64::from_bits(u64::from(bucket) << SHIFT)
}

impl Histogram {
    /// Adds a value with a weight: a count, a rate times a time, or a share.
    ///
    /// # Panics
    /// If the value or the weight is negative or not finite.
    #[inline]
    pub fn record(&mut self, value: f64, weight: f64) {
        assert!(value >= 0.0 && value.is_finite(), "a histogram of {value}");
        assert!(weight >= 0.0 && weight.is_finite(), "a weight of {weight}");
        if weight == 0.0 {
            return;
        }
        self.total += weight;
        self.sum += value * weight;
        match &mut self.extent {
            Some([low, high]) => {
                if value < *low {
                    *low = value;
                }
                if value > *high {
                    *high = value;
                }
            }
            None => self.extent = Some([value, value]),
        }
        let bucket = bucket(value + 0.0);
        if let Some(Some(octave)) = self.octaves.get_mut((bucket >> SUB_BITS) as usize) {
            octave[bucket as usize % SUBS] += weight;
        } else {
            *self.slot(bucket) += weight;
        }
    }

    /// Adds values of one weight: as one by one, but for how sums round.
    ///
    /// # Panics
    /// If a value or the weight is negative or not finite.
    pub fn record_all(&mut self, values: &[f64], weight: f64) {
        assert!(weight >= 0.0 && weight.is_finite(), "a weight of {weight}");
        let Some(&first) = values.first().filter(|_| weight > 0.0) else { return };
        let total = sum(values, |value| value);
        assert!(total.is_finite(), "a histogram of what adds up to {total}");
        self.total += weight * values.len() as f64;
        self.sum += total * weight;
        let [least, most] = extent(values);
        assert!(least >= 0.0, "a histogram of {least}");
        let [low, high] = self.extent.unwrap_or([first; 2]);
        self.extent = Some([if least < low { least } else { low }, if most > high { most } else { high }]);
        for &value in values {
            let bucket = bucket(value);
            if let Some(Some(octave)) = self.octaves.get_mut((bucket >> SUB_BITS) as usize) {
                octave[bucket as usize % SUBS] += weight;
            } else {
                // Of -0 too there is no octave.
                *self.slot(bucket & !SIGN) += weight;
            }
        }
    }

    /// The weight of 0.
    fn zero(&self) -> f64 {
        self.octaves.first().and_then(Option::as_ref).map_or(0.0, |octave| octave[0])
    }

    /// Adds another histogram's weights. Whole weights merge exactly in any order.
    pub fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.sum += other.sum;
        self.extent = match (self.extent, other.extent) {
            (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
            (one, None) | (None, one) => one,
        };
        for (octave, weights) in other.octaves.iter().enumerate() {
            let Some(weights) = weights else { continue };
            let mine = self.octave(octave);
            mine.iter_mut().zip(weights.iter()).for_each(|(mine, weight)| *mine += weight);
        }
    }

    /// The sum of the weights.
    pub const fn weight(&self) -> f64 {
        self.total
    }

    /// True if nothing was recorded.
    pub const fn is_empty(&self) -> bool {
        self.extent.is_none()
    }

    /// The sum of the values themselves, each times its weight.
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// The mean of the values themselves, not of the buckets.
    pub fn mean(&self) -> Option<f64> {
        self.extent.map(|_| self.sum / self.total)
    }

    /// The smallest and the largest value, exactly.
    pub const fn extent(&self) -> Option<[f64; 2]> {
        self.extent
    }

    /// The value with the share `p` of the weight at or below it.
    ///
    /// # Panics
    /// If `p` is not a probability.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.quantiles([p]).map(|[value]| value)
    }

    /// The same for each of these shares, which don't fall.
    ///
    /// # Panics
    /// If one is not a probability.
    pub fn quantiles<const N: usize>(&self, rising: [f64; N]) -> Option<[f64; N]> {
        let [min, max] = self.extent?;
        let mut octaves =
            self.octaves().map(|(first, weights)| (first, weights, sum(&weights[..], |weight| weight))).peekable();
        let mut below = 0.0;
        let value = |p: f64| {
            assert!((0.0..=1.0).contains(&p), "{p} is not a probability");
            let wanted = p * self.total;
            if p == 0.0 || wanted <= self.zero() {
                return min;
            }
            while let Some(&(first, weights, all)) = octaves.peek() {
                let mut before = below;
                let own = if below + all >= wanted { &weights[..] } else { &[] };
                for (bucket, &weight) in (first..).zip(own) {
                    if weight > 0.0 && before + weight >= wanted {
                        let (low, high) = (edge(bucket).max(min), edge(bucket + 1).min(max));
                        return low + (high - low) * ((wanted - before) / weight);
                    }
                    before += weight;
                }
                below += all;
                octaves.next();
            }
            max
        };
        Some(rising.map(value))
    }

    /// The share of the weight at or below `x`, `None` if nothing was recorded.
    pub fn cdf(&self, x: f64) -> Option<f64> {
        self.cdfs([x]).pop()
    }

    /// The share of the weight at or below each of these, which don't fall; empty if nothing was recorded.
    pub fn cdfs(&self, rising: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let Some([min, max]) = self.extent else { return Vec::new() };
        let mut octaves = self.octaves().peekable();
        // What is in the buckets before this one.
        let (mut below, mut next) = (0.0, 0);
        let share = |x: f64| {
            if x < min {
                return 0.0;
            }
            if x >= max {
                return 1.0;
            }
            if x == 0.0 {
                return self.zero() / self.total;
            }
            let own = bucket(x);
            while let Some(&(first, weights)) = octaves.peek() {
                let (from, to) = (next.max(first) - first, own.max(first) - first);
                next = own;
                let Some(&weight) = weights.get(to as usize) else {
                    below += sum(&weights[from as usize..], |weight| weight);
                    next = first + SUBS as u32;
                    octaves.next();
                    continue;
                };
                below += sum(&weights[from as usize..to as usize], |weight| weight);
                if own < first {
                    break;
                }
                let (low, high) = (edge(own).max(min), edge(own + 1).min(max));
                return ((below + weight * ((x - low) / (high - low)).max(0.0)) / self.total).min(1.0);
            }
            (below / self.total).min(1.0)
        };
        rising.into_iter().map(share).collect()
    }

    /// Octaves with something in them, ascending: the first bucket, and what is in each.
    fn octaves(&self) -> impl Iterator<Item = (u32, &[f64; SUBS])> {
        let octaves = self.octaves.iter().enumerate();
        octaves.filter_map(|(octave, weights)| Some(((octave as u32) << SUB_BITS, &**weights.as_ref()?)))
    }

    /// Buckets of positive numbers with weight, ascending.
    fn buckets(&self) -> impl Iterator<Item = (u32, f64)> {
        let all = self.octaves().flat_map(|(first, weights)| (first..).zip(weights.iter().copied()));
        all.filter(|&(bucket, weight)| bucket > 0 && weight > 0.0)
    }

    fn slot(&mut self, bucket: u32) -> &mut f64 {
        &mut self.octave((bucket >> SUB_BITS) as usize)[bucket as usize % SUBS]
    }

    #[cold]
    fn octave(&mut self, octave: usize) -> &mut [f64; SUBS] {
        if octave >= self.octaves.len() {
            self.octaves.resize(octave + 1, None);
        }
        self.octaves[octave].get_or_insert_with(|| Box::new([0.0; SUBS]))
    }
}

impl From<Histogram> for Sparse {
    fn from(full: Histogram) -> Self {
        let buckets = full.buckets().collect();
        Self { total: full.total, sum: full.sum, zero: full.zero(), extent: full.extent, buckets }
    }
}

impl TryFrom<Sparse> for Histogram {
    type Error = String;
    fn try_from(sparse: Sparse) -> Result<Self, String> {
        let Sparse { total, sum, zero, extent, buckets } = sparse;
        let mut full = Self { total, sum, extent, octaves: Vec::new() };
        if zero > 0.0 {
            *full.slot(0) = zero;
        }
        for (bucket, weight) in buckets {
            if !edge(bucket).is_finite() || bucket >= 1 << 21 {
                return Err(format!("{bucket} is no bucket of a histogram"));
            }
            *full.slot(bucket) += weight;
        }
        Ok(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::maths::exp;
    use crate::base::stream::uniform;

    fn values(n: usize) -> Vec<f64> {
        // Log-uniform over 1e-4 to 22.
        let mut rng = Seed { master: 3, replication: 0 }.stream().rng();
        (0..n).map(|_| 1e-4 * exp(12.3 * uniform(&mut rng))).collect()
    }

    fn of(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::default();
        for x in values {
            histogram.record(*x, 1.0);
        }
        histogram
    }

    #[test]
    fn a_quantile_is_within_a_thousandth() {
        let mut values = values(5000);
        let histogram = of(&values);
        values.sort_by(f64::total_cmp);
        for rank in 1..=values.len() {
            // Between two ranks, where rounding cannot step over a gap.
            let p = (rank as f64 - 0.5) / values.len() as f64;
            let found = histogram.quantile(p).unwrap();
            let exact = values[rank - 1];
            assert!((found / exact - 1.0).abs() <= 1.0 / 1024.0, "{p}: {found} {exact}");
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((histogram.mean().unwrap() / mean - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_worst_data_stay_within_a_thousandth() {
        // Two values at the ends of one bucket: interpolation between them is still inside it.
        let low = edge(bucket(1.0));
        let high = edge(bucket(1.0) + 1) * (1.0 - f64::EPSILON);
        let mut histogram = Histogram::default();
        histogram.record(low, 1e-6);
        histogram.record(high, 1.0);
        let median = histogram.quantile(0.5).unwrap();
        assert!(low < median && (median / high - 1.0).abs() <= 1.0 / 1024.0);
        assert_eq!([0.0, 1.0].map(|p| histogram.quantile(p).unwrap()), [low, high]);
    }

    #[test]
    fn merging_is_recording_all() {
        let values = values(2000);
        let all = of(&values);
        let mut merged = of(&values[..700]);
        merged.merge(&of(&values[700..]));
        merged.merge(&Histogram::default());
        // All but the sum of values is exact with whole weights.
        assert!((merged.sum / all.sum - 1.0).abs() < 1e-12);
        merged.sum = all.sum;
        assert_eq!(merged, all);
    }

    #[test]
    fn weights_weigh() {
        let mut histogram = Histogram::default();
        histogram.record(0.0, 0.25);
        histogram.record(1.0, 0.5);
        histogram.record(8.0, 0.25);
        histogram.record(99.0, 0.0);
        assert_eq!((histogram.weight(), histogram.mean(), histogram.extent()), (1.0, Some(2.5), Some([0.0, 8.0])));
        assert_eq!([0.2, 0.25, 1.0].map(|p| histogram.quantile(p).unwrap()), [0.0, 0.0, 8.0]);
        assert!((histogram.quantile(0.7).unwrap() - 1.0).abs() < 1e-3);
        assert_eq!([-1.0, 0.0, 0.5, 2.0, 8.0].map(|x| histogram.cdf(x).unwrap()), [0.0, 0.25, 0.25, 0.75, 1.0]);
        assert!(Histogram::default().quantile(0.5).is_none() && Histogram::default().is_empty());
    }

    #[test]
    fn cdf_inverts_quantile() {
        let histogram = of(&values(5000));
        for i in 1..100 {
            let p = f64::from(i) / 100.0;
            assert!((histogram.cdf(histogram.quantile(p).unwrap()).unwrap() - p).abs() < 1e-9, "{p}");
        }
    }

    #[test]
    fn many_at_once_are_each_by_itself() {
        // With a gap of several octaves, and zeros.
        let mut histogram = of(&values(3000));
        histogram.record(0.0, 40.0);
        histogram.record(1e6, 7.0);
        let shares = [0.0, 0.013, 0.014, 0.2, 0.201, 0.9, 0.997, 0.9975, 1.0];
        let each = shares.map(|p| histogram.quantile(p).unwrap());
        assert_eq!(histogram.quantiles(shares).unwrap(), each);
        assert!(each.is_sorted() && (each[0], each[8]) == (0.0, 1e6), "{each:?}");
        let rising = [-1.0, 0.0, 1e-9, 1e-4, 2e-4, 2.0001e-4, 0.3, 21.0, 500.0, 600.0, 1e6, 1e7];
        let each = rising.map(|x| histogram.cdf(x).unwrap());
        assert_eq!(histogram.cdfs(rising), each);
        let all = 3047.0;
        assert_eq!([0, 1, 2, 8, 9, 10].map(|at| each[at] * all), [0.0, 40.0, 40.0, 3040.0, 3040.0, all]);
    }

    #[test]
    fn json_round_trip_is_sparse() {
        let histogram = of(&[0.0, 0.1, 0.1, 3.0]);
        let json = serde_json::to_string(&histogram).unwrap();
        assert!(json.len() < 200, "{json}");
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), histogram);
        let empty = serde_json::to_string(&Histogram::default()).unwrap();
        assert!(serde_json::from_str::<Histogram>(&empty).unwrap().is_empty());
        let broken = json.replace("\"buckets\":[[", "\"buckets\":[[4000000000,1.0],[");
        assert!(serde_json::from_str::<Histogram>(&broken).unwrap_err().to_string().contains("no bucket"));
    }
}
