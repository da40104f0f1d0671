//! Laws whose density rises to one point and falls from there, at scale 1: what tables of draws are made from.
//!
//! A law is `scale` times its standard form, so laws that differ by their scale alone share a table.

use super::special::{gamma_lower, gamma_quantile, normal_quantile};
use super::{Distribution, Law};
use crate::base::maths::{exp, exp_m1, ln, ln_1p, ln_gamma, normal_cdf, powf};
use core::f64::consts::TAU;

/// A law at scale 1, with what gives it its shape.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Standard {
    /// With mean 1.
    Exponential,
    /// With median 1, and this standard deviation of ln X.
    Lognormal(f64),
    /// F(x) = 1 − exp(−x^shape).
    Weibull(f64),
    /// The density is proportional to x^(shape − 1) exp(−x).
    Gamma(f64),
    /// P(X > x) = x^−shape above 1.
    Pareto(f64),
}

impl Law {
    /// The standard form and the scale of a law whose density has one hump.
    pub fn standard(&self) -> Option<(Standard, f64)> {
        match self {
            Self::Exponential(law) => Some((Standard::Exponential, law.mean())),
            Self::Lognormal(law) => {
                Some((Standard::Lognormal(law.sigma()), law.median())).filter(|_| law.sigma() > 0.0)
            }
            Self::Weibull(law) => Some((Standard::Weibull(law.shape()), law.scale())),
            Self::Gamma(law) => Some((Standard::Gamma(law.shape()), law.scale())),
            Self::Pareto(law) => Some((Standard::Pareto(law.shape()), law.min())),
            Self::Constant(_) | Self::Uniform(_) | Self::Empirical(_) | Self::Mixture(_) => None,
        }
    }
}

impl Standard {
    /// Where the density is highest; there it may be infinite.
    pub fn mode(&self) -> f64 {
        match *self {
            Self::Lognormal(sigma) => exp(-sigma * sigma),
            Self::Weibull(shape) if shape > 1.0 => powf((shape - 1.0) / shape, 1.0 / shape),
            Self::Exponential | Self::Weibull(_) => 0.0,
            Self::Gamma(shape) => (shape - 1.0).max(0.0),
            Self::Pareto(_) => 1.0,
        }
    }

    /// The density at an `x` above 0.
    pub fn density(&self, x: f64) -> f64 {
        match *self {
            Self::Exponential => exp(-x),
            Self::Lognormal(sigma) => {
                let score = ln(x) / sigma;
                exp(-0.5 * score * score) / (x * sigma * TAU.sqrt())
            }
            Self::Weibull(shape) => {
                let power = powf(x, shape);
                shape * power / x * exp(-power)
            }
            Self::Gamma(shape) => exp((shape - 1.0) * ln(x) - x - ln_gamma(shape)),
            Self::Pareto(shape) if x >= 1.0 => shape * powf(x, -shape - 1.0),
            Self::Pareto(_) => 0.0,
        }
    }

    /// P(X ≤ x), for `x` of at least 0.
    pub fn cdf(&self, x: f64) -> f64 {
        match *self {
            Self::Exponential => -exp_m1(-x),
            Self::Lognormal(sigma) => normal_cdf(ln(x) / sigma),
            Self::Weibull(shape) => -exp_m1(-powf(x, shape)),
            Self::Gamma(shape) => gamma_lower(shape, x),
            Self::Pareto(shape) => -exp_m1(-shape * ln(x.max(1.0))),
        }
    }

    /// The smallest `x` with `cdf(x)` of at least `p`, for `p` from 0 to 1.
    pub fn quantile(&self, p: f64) -> f64 {
        match *self {
            Self::Exponential => -ln_1p(-p),
            Self::Lognormal(sigma) => exp(sigma * normal_quantile(p)),
            Self::Weibull(shape) => powf(-ln_1p(-p), 1.0 / shape),
            Self::Gamma(shape) => gamma_quantile(shape, p),
            Self::Pareto(shape) => exp(-ln_1p(-p) / shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dist::Dist;

    #[test]
    fn a_law_is_its_standard_form_scaled() {
        for (written, scale) in [
            (r#"{ exponential = { mean = "90s" } }"#, 90.0),
            (r#"{ lognormal = { median = "60s", p95 = "3m" } }"#, 60.0),
            (r#"{ weibull = { shape = 0.7, scale = "10m" } }"#, 600.0),
            (r#"{ weibull = { shape = 3.0, scale = "10m" } }"#, 600.0),
            (r#"{ gamma = { shape = 2.5, mean = "10m" } }"#, 240.0),
            (r#"{ pareto = { shape = 2.5, min = "1m" } }"#, 60.0),
        ] {
            let dist: Dist = toml::from_str::<std::collections::BTreeMap<String, Dist>>(&format!("of = {written}"))
                .unwrap()["of"]
                .clone();
            let (law, found) = dist.law().standard().unwrap();
            assert!((found / scale - 1.0).abs() < 1e-15, "{written}: {found}");
            for p in [0.001, 0.2, 0.5, 0.9, 0.999] {
                let x = law.quantile(p);
                assert!((scale * x / dist.quantile(p) - 1.0).abs() < 4e-15, "{written} at {p}");
                assert!((law.cdf(x) - p).abs() < 1e-13, "{written} at {p}");
                // The density is the slope of the distribution function: a central difference is off by its step squared.
                let step = 1e-5 * x;
                let slope = (law.cdf(x + step) - law.cdf(x - step)) / (2.0 * step);
                assert!((law.density(x) / slope - 1.0).abs() < 1e-6, "{written} at {p}: {} {slope}", law.density(x));
                assert!(law.density(x) <= law.density(law.mode().max(1e-3 * x)), "{written} at {p}");
            }
        }
    }
}
