//! Draws of durations, with what is the same for every draw worked out before.
//!
//! A request's draws need not be coupled between variants as those of faults are, so exponentials come from a ziggurat
//! (Marsaglia and Tsang 2000): 256 layers of equal area under e^−x, of which 99 draws in 100 take one number and no
//! logarithm.

use crate::base::Span;
use crate::base::maths::{exp, ln};
use crate::base::stream::{Rng, uniform};
use crate::dist::special::normal_quantile;
use crate::dist::{Dist, Law};
use std::sync::LazyLock;

const LAYERS: usize = 256;
/// Where the tail begins, and the area of a layer, for 256 of them (Marsaglia and Tsang 2000, section 4).
const TAIL: f64 = 7.697_117_470_131_05;
const AREA: f64 = 0.003_949_659_822_581_557;

/// The layers' right ends, from the widest down to 0, and the density there.
type Layers = [(f64, f64); LAYERS + 1];
static LAYER: LazyLock<Layers> = LazyLock::new(|| {
    let mut layers = [(0.0, 1.0); LAYERS + 1];
    layers[0] = (AREA / exp(-TAIL), exp(-TAIL));
    layers[1] = (TAIL, exp(-TAIL));
    for layer in 2..LAYERS {
        let (right, density) = layers[layer - 1];
        let next = density + AREA / right;
        layers[layer] = (-ln(next), next);
    }
    layers
});

/// An exponential draw with mean 1.
#[inline]
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    let layers = &*LAYER;
    let (x, layer) = in_layer(rng, layers);
    if x < layers[layer + 1].0 { x } else { outside(rng, layers, (x, layer)) }
}

/// A point in a layer, each as likely.
#[inline]
fn in_layer(rng: &mut Rng, layers: &Layers) -> (f64, usize) {
    use rand::Rng as _;
    let bits = rng.next_u64();
    let layer = (bits & (LAYERS as u64 - 1)) as usize;
    (((bits >> 11).cast_signed() as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64) * layers[layer].0, layer)
}

/// A draw whose first point may be beyond the density.
#[cold]
#[inline(never)]
fn outside(rng: &mut Rng, layers: &Layers, (mut x, mut layer): (f64, usize)) -> f64 {
    loop {
        if x < layers[layer + 1].0 {
            return x;
        }
        if layer == 0 {
            return TAIL - ln(uniform(rng));
        }
        let (low, high) = (layers[layer].1, layers[layer + 1].1);
        if low + (high - low) * uniform(rng) < exp(-x) {
            return x;
        }
        (x, layer) = in_layer(rng, layers);
    }
}

/// A span of so many seconds, at least 0, to the nearest nanosecond.
pub(super) fn span(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9 + 0.5) as u64)
}

/// Draws from one distribution, in seconds.
#[derive(Clone, Debug)]
pub(super) enum Sampler {
    Constant(f64),
    Exponential(f64),
    Lognormal(f64, f64),
    /// Each component with the weight of all up to it.
    Mixture(Vec<(f64, Sampler)>),
    Other(Dist),
}

impl Sampler {
    pub(super) fn new(dist: &Dist) -> Self {
        if dist.is_constant() {
            return Self::Constant(dist.mean());
        }
        match dist.law() {
            Law::Exponential(_) => Self::Exponential(dist.mean()),
            Law::Lognormal(law) => Self::Lognormal(law.mu(), law.sigma()),
            Law::Mixture(law) => {
                let mut weight = 0.0;
                let parts = law.parts().map(|(own, of)| {
                    weight += own;
                    (weight, Self::new(of))
                });
                Self::Mixture(parts.collect())
            }
            _ => Self::Other(dist.clone()),
        }
    }

    /// One draw.
    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Constant(seconds) => *seconds,
            Self::Exponential(mean) => mean * exponential(rng),
            Self::Lognormal(mu, sigma) => exp(mu + sigma * normal_quantile(uniform(rng))),
            Self::Mixture(parts) => {
                let u = uniform(rng);
                // The last one also takes what rounding leaves.
                let part = parts.iter().find(|(weight, _)| u < *weight).or(parts.last());
                part.map_or(0.0, |(_, of)| of.draw(rng))
            }
            Self::Other(dist) => dist.sample(rng),
        }
    }
}

/// Draws of round trips: lognormal with one ratio of p99 to median.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter {
    sigma: f64,
}

impl Jitter {
    pub(super) fn new(p99_over_median: f64) -> Self {
        let sigma = if p99_over_median > 1.0 { ln(p99_over_median) / normal_quantile(0.99) } else { 0.0 };
        Self { sigma }
    }

    /// What every round trip of this median takes, in seconds, where all take as long.
    pub(super) fn constant(self, median: f64) -> Option<f64> {
        (self.sigma == 0.0 || median == 0.0).then_some(median)
    }

    /// One round trip of this median, in seconds.
    pub(super) fn draw(self, median: f64, rng: &mut Rng) -> f64 {
        if self.sigma == 0.0 || median == 0.0 {
            return median;
        }
        median * exp(self.sigma * normal_quantile(uniform(rng)))
    }
}

/// The seconds of a span; exact up to a hundred days.
pub(super) fn seconds(span: Span) -> f64 {
    span.nanos() as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    #[test]
    fn layers_fill_the_area_under_the_density() {
        // The top layer ends at 0 with a density of 1: the published constants fit.
        let (right, density) = LAYER[LAYERS - 1];
        assert!((density + AREA / right - 1.0).abs() < 1e-9, "{right} {density}");
        assert!(LAYER.windows(2).all(|pair| pair[0].0 > pair[1].0 && pair[0].1 <= pair[1].1));
    }

    #[test]
    fn a_mixture_draws_from_each_component_as_often_as_it_weighs() {
        // Kolmogorov and Smirnov as below.
        let dist: Dist = toml::from_str::<std::collections::BTreeMap<String, Dist>>(
            r#"of = { mixture = [{ weight = 0.9, of = { exponential = { mean = "1s" } } },
                                 { weight = 0.1, of = { uniform = { from = "2s", to = "9s" } } }] }"#,
        )
        .unwrap()["of"]
            .clone();
        let sampler = Sampler::new(&dist);
        assert!(matches!(sampler, Sampler::Mixture(_)));
        let mut rng = Seed { master: 12, replication: 0 }.stream().with(1).rng();
        let n = 100_000;
        let mut draws: Vec<f64> = (0..n).map(|_| sampler.draw(&mut rng)).collect();
        draws.sort_by(f64::total_cmp);
        let at = |i: usize| (i as f64 + 0.5) / f64::from(n);
        let worst = draws.iter().enumerate().map(|(i, x)| (dist.cdf(*x) - at(i)).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n).sqrt() < 1.95, "{worst}");
    }

    #[test]
    fn draws_are_exponential() {
        // Kolmogorov and Smirnov: sqrt(n) D exceeds 1.95 once in a thousand samples. And the tail by itself.
        let mut rng = Seed { master: 11, replication: 0 }.stream().with(1).rng();
        let n = 1_000_000;
        let mut draws: Vec<f64> = (0..n).map(|_| exponential(&mut rng)).collect();
        draws.sort_by(f64::total_cmp);
        let at = |i: usize| (i as f64 + 0.5) / f64::from(n);
        let worst = draws.iter().enumerate().map(|(i, x)| (1.0 - exp(-x) - at(i)).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n).sqrt() < 1.95, "{worst}");
        let beyond = draws.iter().filter(|x| **x > TAIL).count() as f64;
        let expected = f64::from(n) * exp(-TAIL);
        assert!((beyond - expected).abs() < 4.0 * expected.sqrt(), "{beyond}, not {expected}");
    }
}
