//! One of several distributions, each with its chance: a fast path and a slow one, ordinary repairs and disasters.
//!
//! F(x) = Σ wᵢ Fᵢ(x). Its quantile lies between the least and the greatest of the components' quantiles, and is found
//! there by bisection to the last bit. The length-biased density Σ wᵢ x fᵢ(x) / mean has the distribution function
//! 1 − (E[(X − x)⁺] + x P(X > x)) / mean, inverted in the same way.

use super::{Dist, Distribution, Law};
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sum of weights that is off by less was rounded.
const ROUNDED: f64 = 1e-9;

/// One of the components, each as often as its weight says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Mixture {
    components: Vec<Component>,
}

/// A mixture: the weights of its components add up to 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Mixture")]
struct Spec(Vec<Component>);

/// A component of a mixture.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MixtureComponent")]
struct Component {
    /// Its share of all draws, above 0.
    weight: f64,
    /// What is drawn then.
    of: Dist,
}

impl TryFrom<Spec> for Mixture {
    type Error = String;
    fn try_from(Spec(components): Spec) -> Result<Self, String> {
        if components.is_empty() {
            return Err("a mixture needs at least one component: write [{ weight = 1.0, of = \"1s\" }]".to_owned());
        }
        if let Some(wrong) = components.iter().find(|component| !(component.weight > 0.0 && component.weight <= 1.0)) {
            return Err(format!("the weight of a component must be above 0, up to 1, found {}", wrong.weight));
        }
        let sum: f64 = components.iter().map(|component| component.weight).sum();
        if (sum - 1.0).abs() > ROUNDED {
            return Err(format!("the weights of a mixture must add up to 1, found {sum}"));
        }
        Ok(Self { components })
    }
}

impl From<Mixture> for Spec {
    fn from(law: Mixture) -> Self {
        Self(law.components)
    }
}

impl Described for Mixture {
    const DOC: &'static str = "One of several distributions, each with its chance.";
    const EXAMPLE: &'static str =
        r#"{ mixture = [{ weight = 0.9, of = "1ms" }, { weight = 0.1, of = { exponential = { mean = "5ms" } } }] }"#;
}

impl Mixture {
    /// The mean over the components of what they say.
    fn weighted(&self, of: impl Fn(&Dist) -> f64) -> f64 {
        self.components.iter().map(|component| component.weight * of(&component.of)).sum()
    }

    /// The smallest `x` with `cdf(x)` of at least `p`, between the least and the greatest of the components' answers.
    fn invert(&self, p: f64, cdf: impl Fn(f64) -> f64, quantile: impl Fn(&Dist) -> f64) -> f64 {
        let each = || self.components.iter().map(|component| quantile(&component.of));
        let (mut low, mut high) = (each().fold(f64::INFINITY, f64::min), each().fold(0.0, f64::max));
        if !high.is_finite() || cdf(low) >= p {
            return if high.is_finite() { low } else { high };
        }
        loop {
            let middle = low + 0.5 * (high - low);
            if middle <= low || middle >= high {
                return high;
            }
            if cdf(middle) >= p {
                high = middle;
            } else {
                low = middle;
            }
        }
    }
}

impl Distribution for Mixture {
    fn mean(&self) -> f64 {
        self.weighted(Dist::mean)
    }
    fn variance(&self) -> f64 {
        let first = self.components[0].of.mean();
        if self.components.iter().all(|component| component.of.is_constant() && component.of.mean() == first) {
            return 0.0;
        }
        let mean = self.mean();
        self.weighted(|of| of.variance() + (of.mean() - mean) * (of.mean() - mean))
    }
    fn cdf(&self, x: f64) -> f64 {
        self.weighted(|of| of.cdf(x)).min(1.0)
    }
    fn quantile(&self, p: f64) -> f64 {
        self.invert(p, |x| self.cdf(x), |of| of.quantile(p))
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        let mean = self.mean();
        let beyond = |x: f64| (self.weighted(|of| of.mean_excess(x)) + x * (1.0 - self.cdf(x))) / mean;
        self.invert(p, |x| 1.0 - beyond(x), |of| of.law.kind().length_biased_quantile(p))
    }
    fn mean_excess(&self, a: f64) -> f64 {
        self.weighted(|of| of.mean_excess(a))
    }
    fn scaled(&self, factor: f64) -> Dist {
        let scale = |component: &Component| Component { weight: component.weight, of: component.of.scaled(factor) };
        Law::Mixture(Self { components: self.components.iter().map(scale).collect() }).into()
    }
}

impl Mixture {
    /// The components with their weights.
    pub fn parts(&self) -> impl Iterator<Item = (f64, &Dist)> {
        self.components.iter().map(|component| (component.weight, &component.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    fn of(parts: &[(f64, Dist)]) -> Mixture {
        let component = |(weight, of): &(f64, Dist)| Component { weight: *weight, of: of.clone() };
        Spec(parts.iter().map(component).collect()).try_into().unwrap()
    }

    fn constant(secs: u64) -> Dist {
        Dist::constant(Span::from_whole_secs(secs))
    }

    #[test]
    fn by_hand() {
        // 1 s with 0.75, 5 s with 0.25: mean 2, variance 0.75 + 0.25 × 9.
        let law = of(&[(0.75, constant(1)), (0.25, constant(5))]);
        assert_eq!([law.mean(), law.variance()], [2.0, 3.0]);
        assert_eq!([law.cdf(0.5), law.cdf(1.0), law.cdf(5.0)], [0.0, 0.75, 1.0]);
        assert_eq!([0.0, 0.7, 0.75, 0.76, 1.0].map(|p| law.quantile(p)), [1.0, 1.0, 1.0, 5.0, 5.0]);
        // Weighed by length: 0.75 of 2 and 1.25 of 2.
        assert_eq!([0.3, 0.37, 0.38, 0.9].map(|p| law.length_biased_quantile(p)), [1.0, 1.0, 5.0, 5.0]);
        assert_eq!([law.mean_excess(2.0), law.mean_excess(6.0)], [0.75, 0.0]);
        assert_eq!(of(&[(0.3, constant(7)), (0.7, constant(7))]).variance(), 0.0);
    }

    #[test]
    fn half_of_an_exponential_is_a_quantile_of_all_of_it() {
        // 0.5 at 0 s and 0.5 exponential: P(X > x) = 0.5 exp(-x), so the 0.75 quantile is ln 2.
        let law = of(&[(0.5, constant(0)), (0.5, Dist::exponential(Span::from_whole_secs(1)))]);
        assert!((law.quantile(0.75) - core::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!([law.quantile(0.5), law.quantile(1.0)], [0.0, f64::INFINITY]);
    }
}
