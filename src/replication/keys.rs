//! Which keys are popular, and how often two accesses meet on one.
//!
//! Key i of n is accessed with probability q ∝ i^−s (Zipf; s = 0 is all alike). Writes to it come at λ q and each is
//! on its way for a lag of its own, so their number under way is that of an M/G/∞ queue: Poisson with mean
//! λ q times the mean lag, whatever the lag's law. So an access meets at least one with probability
//! Σ q (1 − exp(−x q)), where x is λ times the mean lag.

use super::spec::Keys;
use crate::base::maths::{exp, exp_m1, ln, powf};

/// So many keys are summed one by one; what follows is integrated.
const HEAD: u64 = 1000;
/// The same where it is done over and over.
const FEW: u64 = 64;
/// Width in ln(key) of a panel of the integral.
const PANEL: f64 = 0.5;
/// Nodes and weights of Gauss and Legendre's rule of eight points on (−1, 1): Abramowitz and Stegun, table 25.4.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_650, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887),
    (0.796_666_477_413_627, 0.222_381_034_453_374),
    (0.960_289_856_497_536, 0.101_228_536_290_376),
];

/// How accesses fall on keys.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Popularity {
    count: u64,
    zipf: f64,
    /// Sum of i^−s.
    whole: f64,
}

impl Popularity {
    /// From the scenario.
    pub fn new(keys: &Keys) -> Self {
        let whole = sum(keys.count, |key| powf(key, -keys.zipf));
        Self { count: keys.count, zipf: keys.zipf, whole }
    }

    /// The probability that an access meets one of the writes under way, of which there are `under_way` in the mean
    /// over all keys. To a relative 1e-6.
    pub fn meets(&self, under_way: f64) -> f64 {
        if under_way <= 0.0 {
            return 0.0;
        }
        self.mean(|popularity| -exp_m1(-under_way * popularity))
    }

    /// A few keys that stand for all, each as (share of the accesses, popularity): for sums over keys that are needed
    /// over and over. To about 1e-6.
    pub fn nodes(&self) -> Vec<(f64, f64)> {
        if self.zipf == 0.0 {
            return vec![(1.0, 1.0 / self.count as f64)];
        }
        let popularity = |key: f64| powf(key, -self.zipf) / self.whole;
        let mut nodes: Vec<(f64, f64)> =
            (1..=self.count.min(FEW)).map(|key| popularity(key as f64)).map(|q| (q, q)).collect();
        if self.count > FEW {
            each_panel(FEW, self.count, |u, weight| {
                nodes.push((weight * exp(u) * popularity(exp(u)), popularity(exp(u))));
            });
        }
        nodes
    }

    /// The mean over accesses of something that depends on the popularity q of the key: Σ q f(q).
    fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        if self.zipf == 0.0 {
            return f(1.0 / self.count as f64);
        }
        sum(self.count, |key| {
            let popularity = powf(key, -self.zipf) / self.whole;
            popularity * f(popularity)
        })
    }
}

/// Nodes, in ln(key), and weights of the integral from one key to another.
fn each_panel(from: u64, to: u64, mut node: impl FnMut(f64, f64)) {
    let (low, high) = (ln(from as f64 + 0.5), ln(to as f64 + 0.5));
    let panels = ((high - low) / PANEL).ceil().max(1.0);
    let half = 0.5 * (high - low) / panels;
    for panel in 0..panels as u64 {
        let middle = low + (2.0 * panel as f64 + 1.0) * half;
        for (at, weight) in GAUSS {
            node(middle - half * at, half * weight);
            node(middle + half * at, half * weight);
        }
    }
}

/// Σ f(i) for i from 1 to `count`: the head term by term, then the integral from half a key before to half a key
/// after (the midpoint rule backwards), in ln(key).
fn sum(count: u64, f: impl Fn(f64) -> f64) -> f64 {
    let head: f64 = (1..=count.min(HEAD)).rev().map(|key| f(key as f64)).sum();
    if count <= HEAD {
        return head;
    }
    let mut tail = 0.0;
    each_panel(HEAD, count, |u, weight| tail += weight * exp(u) * f(exp(u)));
    head + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_agree_with_adding_up() {
        for (count, zipf) in [(10, 1.0), (5000, 0.99), (200_000, 0.7), (200_000, 1.3)] {
            let popularity = Popularity::new(&Keys { count, zipf });
            let whole: f64 = (1..=count).map(|key| (key as f64).powf(-zipf)).sum();
            for under_way in [1e-3, 1.0, 1e3, 1e6] {
                let plain: f64 = (1..=count)
                    .map(|key| (key as f64).powf(-zipf) / whole)
                    .map(|q| q * -(-under_way * q).exp_m1())
                    .sum();
                let got = popularity.meets(under_way);
                assert!((got / plain - 1.0).abs() < 1e-6, "{count} {zipf} {under_way}: {got}, not {plain}");
            }
        }
    }

    #[test]
    fn a_few_keys_stand_for_all() {
        for (count, zipf) in [(2, 1.0), (100_000, 0.99), (1_000_000, 0.7), (1_000_000, 1.3), (500, 0.0)] {
            let popularity = Popularity::new(&Keys { count, zipf });
            let nodes = popularity.nodes();
            assert!(nodes.len() < 300, "{}", nodes.len());
            for under_way in [1e-3, 1.0, 1e3, 1e6] {
                let few: f64 = nodes.iter().map(|&(share, q)| share * -(-under_way * q).exp_m1()).sum();
                let all = popularity.meets(under_way);
                assert!((few / all - 1.0).abs() < 1e-5, "{count} {zipf} {under_way}: {few}, not {all}");
            }
        }
    }

    #[test]
    fn by_hand() {
        // Two keys, 2/3 and 1/3: 2/3 (1 − e^−2) + 1/3 (1 − e^−1) with three writes under way.
        let two = Popularity::new(&Keys { count: 2, zipf: 1.0 });
        assert!((two.meets(3.0) - 0.787_149_997_452).abs() < 1e-9, "{}", two.meets(3.0));
        // One key: the chance that a Poisson count of mean 0.5 isn't 0.
        let one = Popularity::new(&Keys { count: 1, zipf: 0.0 });
        assert!((one.meets(0.5) - 0.393_469_340_287).abs() < 1e-9);
        assert_eq!(one.meets(0.0), 0.0);
    }
}
