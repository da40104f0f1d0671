//! Draws of durations, with what is the same for every draw worked out before.

use crate::base::maths::{exp, ln};
use crate::base::stream::{Rng, uniform};
use crate::dist::special::normal_quantile;
use crate::dist::{Dist, Law};

/// Draws from one distribution, in seconds.
#[derive(Clone, Debug)]
pub(super) enum Sampler {
    Constant(f64),
    Exponential(f64),
    Lognormal(f64, f64),
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
            _ => Self::Other(dist.clone()),
        }
    }

    /// One draw.
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Constant(seconds) => *seconds,
            Self::Exponential(mean) => -mean * ln(uniform(rng)),
            Self::Lognormal(mu, sigma) => exp(mu + sigma * normal_quantile(uniform(rng))),
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

    /// One round trip of this median, in seconds.
    pub(super) fn draw(self, median: f64, rng: &mut Rng) -> f64 {
        if self.sigma == 0.0 || median == 0.0 {
            return median;
        }
        median * exp(self.sigma * normal_quantile(uniform(rng)))
    }
}
