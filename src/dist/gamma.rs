//! A sum of memoryless phases: times that vary less (shape above 1) or more than an exponential.
//!
//! Johnson, Kotz and Balakrishnan, *Continuous Univariate Distributions*, vol. 1, chapter 17.

use super::special::{gamma_lower, gamma_quantile, gamma_upper};
use super::{Dist, Distribution, Law, positive, scale_span, within};
use crate::base::Span;
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The density is proportional to x^(shape − 1) exp(−x / scale).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Gamma {
    written: Spec,
    shape: f64,
    scale: f64,
}

/// A gamma distribution: `mean` with `shape` or `cv`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Gamma")]
struct Spec {
    /// The number of phases, from 0.01 to 10000, not only whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<f64>,
    /// The standard deviation over the mean, from 0.01 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cv: Option<f64>,
    /// The mean.
    mean: Span,
}

impl Gamma {
    /// The exponent, plus 1.
    pub const fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale, in seconds.
    pub const fn scale(&self) -> f64 {
        self.scale
    }
}

impl TryFrom<Spec> for Gamma {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        let mean = positive(written.mean, "the mean of a gamma")?;
        let shape = match (written.shape, written.cv) {
            (Some(shape), None) => within(shape, [0.01, 10_000.0], "the shape of a gamma")?,
            (None, Some(cv)) => {
                let cv = within(cv, [0.01, 10.0], "the cv of a gamma")?;
                1.0 / (cv * cv)
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(
                    "a gamma takes its mean and one number: write { shape = 2, mean = \"1h\" } or { cv = 0.7, mean = \"1h\" }"
                        .to_owned(),
                );
            }
        };
        Ok(Self { written, shape, scale: mean / shape })
    }
}

impl From<Gamma> for Spec {
    fn from(law: Gamma) -> Self {
        law.written
    }
}

impl Described for Gamma {
    const DOC: &'static str = "A sum of memoryless phases.";
    const EXAMPLE: &'static str = r#"{ gamma = { shape = 2, mean = "1h" } }"#;
}

impl Distribution for Gamma {
    fn mean(&self) -> f64 {
        self.shape * self.scale
    }
    fn variance(&self) -> f64 {
        self.shape * self.scale * self.scale
    }
    fn cdf(&self, x: f64) -> f64 {
        gamma_lower(self.shape, x / self.scale)
    }
    fn quantile(&self, p: f64) -> f64 {
        self.scale * gamma_quantile(self.shape, p)
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        self.scale * gamma_quantile(self.shape + 1.0, p)
    }
    fn mean_excess(&self, a: f64) -> f64 {
        let t = a / self.scale;
        self.mean() * gamma_upper(self.shape + 1.0, t) - a * gamma_upper(self.shape, t)
    }
    fn scaled(&self, factor: f64) -> Dist {
        let written = Spec { mean: scale_span(self.written.mean, factor), ..self.written };
        Law::Gamma(Self { written, shape: self.shape, scale: self.scale * factor }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_phases_by_hand() {
        // Erlang 2 with phases of mean 1: P(X > x) = (1 + x) exp(−x), E[(X − x)⁺] = (2 + x) exp(−x).
        let law = Gamma::try_from(Spec { shape: Some(2.0), cv: None, mean: Span::from_whole_secs(2) }).unwrap();
        for x in [0.1_f64, 1.0, 2.5, 10.0] {
            let tail = (-x).exp();
            assert!((law.cdf(x) - (1.0 - (1.0 + x) * tail)).abs() < 1e-15);
            assert!((law.mean_excess(x) - (2.0 + x) * tail).abs() < 2e-15);
        }
        assert_eq!([law.mean(), law.variance()], [2.0, 2.0]);
    }

    #[test]
    fn shape_from_the_cv() {
        let law = Gamma::try_from(Spec { shape: None, cv: Some(0.5), mean: Span::from_whole_secs(8) }).unwrap();
        assert_eq!([law.shape, law.scale, law.variance()], [4.0, 2.0, 16.0]);
    }
}
