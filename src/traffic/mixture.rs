//! Requests whose latencies follow several curves: what all of them together see.

use super::latency::{Curve, Within};
use crate::base::maths::crossing;

/// Ratio of the times between which a quantile is first looked for.
const STRIDE: f64 = 1.1;
/// To what share of itself a quantile is found.
const RELATIVE: f64 = 1e-9;

/// One part of a mixture.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    curve: &'a Curve,
    within: Within,
    /// Seconds before the curve begins.
    delay: f64,
    weight: f64,
}

impl Piece<'_> {
    fn cdf(&self, t: f64) -> f64 {
        let t = t - self.delay;
        if t >= self.within.limit { 1.0 } else { self.curve.cdf(t) / self.within.share }
    }
}

/// A weighted mixture of curves, each delayed by some seconds and cut off at a limit.
#[derive(Clone, Debug, Default)]
pub struct Mixture<'a> {
    pieces: Vec<Piece<'a>>,
    weight: f64,
}

impl<'a> Mixture<'a> {
    /// Adds `weight` requests that follow `curve` as far as it counts, `delay` seconds later.
    pub fn add(&mut self, curve: &'a Curve, within: Within, delay: f64, weight: f64) {
        if weight > 0.0 && within.share > 0.0 {
            self.pieces.push(Piece { curve, within, delay, weight });
            self.weight += weight;
        }
    }

    /// True if nothing was added.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many requests were added.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// Mean in seconds.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0)
            .then(|| self.pieces.iter().map(|p| (p.within.mean + p.delay) * p.weight).sum::<f64>() / self.weight)
    }

    /// P(latency ≤ t).
    pub fn cdf(&self, t: f64) -> f64 {
        self.pieces.iter().map(|piece| piece.cdf(t) * piece.weight).sum::<f64>() / self.weight
    }

    /// P(latency ≤ t) for each of these times, which don't fall.
    pub fn cdfs(&self, rising: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; rising.len()];
        for piece in &self.pieces {
            let ends = rising.partition_point(|t| t - piece.delay < piece.within.limit);
            let (inside, beyond) = sums.split_at_mut(ends);
            let weight = piece.weight / piece.within.share;
            let mut inside = inside.iter_mut();
            piece.curve.cdfs(rising[..ends].iter().map(|t| t - piece.delay), |below| {
                if let Some(sum) = inside.next() {
                    *sum += below * weight;
                }
            });
            for sum in beyond {
                *sum += piece.weight;
            }
        }
        sums.into_iter().map(|sum| sum / self.weight).collect()
    }

    /// The latencies that these rising shares of requests don't exceed, to a relative 1e-9.
    ///
    /// # Panics
    /// If the mixture is empty.
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        assert!(!self.is_empty(), "an empty mixture has no quantiles");
        let (mut low, mut top) = (f64::INFINITY, 0.0_f64);
        for piece in &self.pieces {
            let (least, most) = piece.curve.range();
            low = low.min(least + piece.delay);
            top = top.max(most.min(piece.within.limit) + piece.delay);
        }
        let mut times = vec![low];
        let mut next = low.max(top * 1e-7);
        while next * STRIDE < top {
            next *= STRIDE;
            times.push(next);
        }
        times.push(top);
        let below = self.cdfs(&times);
        shares.map(|share| {
            let k = below.partition_point(|&below| below < share).min(times.len() - 1);
            if k == 0 {
                return low;
            }
            crossing((times[k - 1], below[k - 1]), (times[k], below[k]), share, RELATIVE, |t| self.cdf(t))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::dist::Dist;
    use crate::traffic::latency::Part;

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance * expected.abs(), "{actual} is not {expected}");
    }

    #[test]
    fn a_mixture_weighs_its_parts() {
        let fast = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(1)))]);
        let slow = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(2)))]);
        let mut mixture = Mixture::default();
        mixture.add(&fast, fast.within(f64::INFINITY), 0.0, 3.0);
        mixture.add(&slow, slow.within(f64::INFINITY), 0.5, 1.0);
        let [low, high] = mixture.quantiles([0.74, 0.76]);
        close(low, 1.0, 1e-6);
        close(high, 2.5, 1e-6);
        close(mixture.mean().unwrap(), 1.375, 1e-12);
    }

    #[test]
    fn many_times_at_once_are_each_by_itself() {
        let lognormal = Curve::sum(&[Part::One(Dist::lognormal(Span::from_secs(0.05), 0.3))]);
        let waits = lognormal.then_wait(0.4, 0.02);
        let constant = Curve::sum(&[Part::One(Dist::constant(Span::from_secs(0.07)))]).then_wait(0.1, 0.5);
        let mut mixture = Mixture::default();
        mixture.add(&waits, waits.within(0.2), 0.01, 3.0);
        mixture.add(&constant, constant.within(f64::INFINITY), 0.0, 1.0);
        let times: Vec<f64> = (0..400).map(|k| 0.001 * f64::from(k)).collect();
        for (&t, below) in times.iter().zip(mixture.cdfs(&times)) {
            assert!((below - mixture.cdf(t)).abs() < 1e-14, "{t}");
        }
        for share in [0.01, 0.5, 0.7499, 0.751, 0.99, 0.9999] {
            let [quantile] = mixture.quantiles([share]);
            assert!(mixture.cdf(quantile) >= share, "{share}");
            assert!(mixture.cdf(quantile * (1.0 - 2e-6)) <= share, "{share}");
        }
    }
}
