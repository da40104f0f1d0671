//! The memoryless distribution: times between independent rare happenings.

use super::special::erlang2_quantile;
use super::{Dist, Distribution, Law, positive, scale_span};
use crate::base::Span;
use crate::base::catalogue::Described;
use crate::base::maths::{exp, exp_m1, ln_1p};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// F(x) = 1 − exp(−x / mean).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Exponential {
    written: Spec,
    mean: f64,
}

/// An exponential distribution by its mean.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exponential")]
struct Spec {
    /// The mean.
    mean: Span,
}

impl Exponential {
    /// With this mean; `None` unless it is above 0.
    pub fn new(mean: Span) -> Option<Self> {
        Self::try_from(Spec { mean }).ok()
    }
}

impl TryFrom<Spec> for Exponential {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        let mean = positive(written.mean, "the mean of an exponential")?;
        Ok(Self { written, mean })
    }
}

impl From<Exponential> for Spec {
    fn from(law: Exponential) -> Self {
        law.written
    }
}

impl Described for Exponential {
    const DOC: &'static str = "Memoryless: independent rare happenings.";
    const EXAMPLE: &'static str = r#"{ exponential = { mean = "12.7y" } }"#;
}

impl Distribution for Exponential {
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        self.mean * self.mean
    }
    fn cdf(&self, x: f64) -> f64 {
        -exp_m1(-x / self.mean)
    }
    fn quantile(&self, p: f64) -> f64 {
        -ln_1p(-p) * self.mean
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        // x exp(−x) is the gamma density of shape 2.
        self.mean * erlang2_quantile(p)
    }
    fn mean_excess(&self, a: f64) -> f64 {
        self.mean * exp(-a / self.mean)
    }
    fn scaled(&self, factor: f64) -> Dist {
        let written = Spec { mean: scale_span(self.written.mean, factor) };
        Law::Exponential(Self { written, mean: self.mean * factor }).into()
    }
}
