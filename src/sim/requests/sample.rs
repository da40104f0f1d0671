//! Draws of durations, with what is the same for every draw worked out before.

use super::draws::Draws;
use super::strips::Strips;
use crate::base::maths::ln;
use crate::base::stream::{Rng, uniform};
use crate::dist::special::normal_quantile;
use crate::dist::{Dist, Law, Standard};
use std::sync::Arc;

/// Tables of the laws that requests draw from; laws that differ by their scale alone share one. What is in it depends on
/// the laws alone.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Tables(Vec<(Standard, Arc<Strips>)>);

impl Tables {
    /// The table of a law.
    pub(super) fn of(&mut self, law: Standard) -> Arc<Strips> {
        if let Some((_, strips)) = self.0.iter().find(|(other, _)| *other == law) {
            return Arc::clone(strips);
        }
        let strips = Arc::new(Strips::new(law));
        self.0.push((law, Arc::clone(&strips)));
        strips
    }
}

/// Draws from one distribution, in seconds.
#[derive(Clone, Debug)]
pub(super) enum Sampler {
    Constant(f64),
    /// From a table, times a scale.
    Law(Arc<Strips>, f64),
    /// Each component with the weight of all up to it.
    Mixture(Vec<(f64, Sampler)>),
    Other(Dist),
}

impl Sampler {
    pub(super) fn new(dist: &Dist, tables: &mut Tables) -> Self {
        if dist.is_constant() {
            return Self::Constant(dist.mean());
        }
        if let Some((law, scale)) = dist.law().standard() {
            return Self::Law(tables.of(law), scale);
        }
        if let Law::Mixture(law) = dist.law() {
            let mut weight = 0.0;
            let parts = law.parts().map(|(own, of)| {
                weight += own;
                (weight, Self::new(of, tables))
            });
            return Self::Mixture(parts.collect());
        }
        Self::Other(dist.clone())
    }

    /// One draw.
    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Constant(seconds) => *seconds,
            Self::Law(strips, scale) => scale * strips.draw(rng),
            Self::Mixture(parts) => {
                let u = uniform(rng);
                // The last one also takes what rounding leaves.
                let part = parts.iter().find(|(weight, _)| u < *weight).or(parts.last());
                part.map_or(0.0, |(_, of)| of.draw(rng))
            }
            Self::Other(dist) => dist.sample(rng),
        }
    }

    /// As many draws as there is room for.
    pub(super) fn fill(&self, rng: &mut Rng, draws: &mut [f64]) {
        match self {
            Self::Law(strips, scale) => strips.fill(*scale, rng, draws),
            Self::Constant(_) | Self::Mixture(_) | Self::Other(_) => {
                for draw in draws {
                    *draw = self.draw(rng);
                }
            }
        }
    }

    /// Adds a draw to each of these sums, times a factor.
    pub(super) fn add(&self, factor: f64, rng: &mut Rng, sums: &mut [f64]) {
        match self {
            Self::Law(strips, scale) => strips.add(factor * scale, rng, sums),
            Self::Constant(_) | Self::Mixture(_) | Self::Other(_) => {
                for sum in sums {
                    *sum += factor * self.draw(rng);
                }
            }
        }
    }
}

/// Draws of round trips: lognormal with one ratio of p99 to median.
#[derive(Debug)]
pub(super) struct Trips {
    /// What medians are multiplied by; none where all trips take as long.
    factors: Option<Draws>,
}

impl Trips {
    pub(super) fn new(p99_over_median: f64, rng: Rng, tables: &mut Tables) -> Self {
        let sigma = ln(p99_over_median.max(1.0)) / normal_quantile(0.99);
        let sampler = (sigma > 0.0).then(|| Sampler::Law(tables.of(Standard::Lognormal(sigma)), 1.0));
        Self { factors: sampler.map(|sampler| Draws::new(sampler, rng)) }
    }

    /// What every round trip of this median takes, in seconds, where all take as long.
    pub(super) fn constant(&self, median: f64) -> Option<f64> {
        (self.factors.is_none() || median == 0.0).then_some(median)
    }

    /// Adds a round trip of this median, in seconds, to each of these, times a factor; from another stream than its own.
    pub(super) fn add(&self, factor: f64, median: f64, rng: &mut Rng, sums: &mut [f64]) {
        match &self.factors {
            Some(factors) if median > 0.0 => factors.add(factor * median, rng, sums),
            Some(_) | None if median == 0.0 => {}
            Some(_) | None => sums.iter_mut().for_each(|sum| *sum += factor * median),
        }
    }

    /// One round trip of this median, in seconds.
    #[inline]
    pub(super) fn draw(&mut self, median: f64) -> f64 {
        match &mut self.factors {
            Some(factors) if median > 0.0 => median * factors.draw(),
            Some(_) | None => median,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    #[test]
    fn a_mixture_draws_from_each_component_as_often_as_it_weighs() {
        // Kolmogorov and Smirnov: sqrt(n) D exceeds 1.95 once in a thousand samples.
        let dist: Dist = toml::from_str::<std::collections::BTreeMap<String, Dist>>(
            r#"of = { mixture = [{ weight = 0.9, of = { exponential = { mean = "1s" } } },
                                 { weight = 0.1, of = { uniform = { from = "2s", to = "9s" } } }] }"#,
        )
        .unwrap()["of"]
            .clone();
        let sampler = Sampler::new(&dist, &mut Tables::default());
        assert!(matches!(sampler, Sampler::Mixture(_)));
        let mut rng = Seed { master: 12, replication: 0 }.stream().with(1).rng();
        let n = 100_000;
        let mut draws: Vec<f64> = (0..n).map(|_| sampler.draw(&mut rng)).collect();
        draws.sort_by(f64::total_cmp);
        let at = |i: usize| (i as f64 + 0.5) / f64::from(n);
        let worst = draws.iter().enumerate().map(|(i, x)| (dist.cdf(*x) - at(i)).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n).sqrt() < 1.95, "{worst}");
    }
}
