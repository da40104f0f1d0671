//! A power tail: few very long outages carry most of the time.
//!
//! Pareto of the first kind (Johnson, Kotz and Balakrishnan, *Continuous Univariate Distributions*,
//! vol. 1, chapter 20). The shape is above 1, so that there is a mean; up to 2 the variance is infinite.

use super::{Dist, Distribution, Law, positive, scale_span, within};
use crate::base::Span;
use crate::base::catalogue::Described;
use crate::base::maths::{exp, exp_m1, ln, ln_1p, powf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// P(X > x) = (min / x)^shape above `min`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Pareto {
    written: Spec,
    shape: f64,
    min: f64,
}

/// A Pareto distribution: `shape` with `min` or `mean`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pareto")]
struct Spec {
    /// The exponent of the tail, from 1.01 to 100.
    shape: f64,
    /// The shortest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<Span>,
    /// The mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<Span>,
}

impl Pareto {
    /// The exponent.
    pub const fn shape(&self) -> f64 {
        self.shape
    }

    /// The shortest, in seconds.
    pub const fn min(&self) -> f64 {
        self.min
    }
}

impl TryFrom<Spec> for Pareto {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        let shape = within(written.shape, [1.01, 100.0], "the shape of a pareto")?;
        let min = match (written.min, written.mean) {
            (Some(min), None) => positive(min, "the min of a pareto")?,
            (None, Some(mean)) => positive(mean, "the mean of a pareto")? * ((shape - 1.0) / shape),
            (None, None) | (Some(_), Some(_)) => {
                return Err(
                    "a pareto takes its shape and one length: write { shape = 2.5, min = \"1m\" } or { shape, mean }"
                        .to_owned(),
                );
            }
        };
        Ok(Self { written, shape, min })
    }
}

impl From<Pareto> for Spec {
    fn from(law: Pareto) -> Self {
        law.written
    }
}

impl Described for Pareto {
    const DOC: &'static str = "A power tail: few very long ones carry most of the time.";
    const EXAMPLE: &'static str = r#"{ pareto = { shape = 2.5, min = "1m" } }"#;
}

impl Distribution for Pareto {
    fn mean(&self) -> f64 {
        self.min * (self.shape / (self.shape - 1.0))
    }
    fn variance(&self) -> f64 {
        if self.shape <= 2.0 {
            return f64::INFINITY;
        }
        let below = self.shape - 1.0;
        self.min * self.min * self.shape / (below * below * (self.shape - 2.0))
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= self.min { 0.0 } else { -exp_m1(self.shape * ln(self.min / x)) }
    }
    fn quantile(&self, p: f64) -> f64 {
        self.min * exp(-ln_1p(-p) / self.shape)
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        // x · x^(−shape − 1): the same tail with a shape one less.
        self.min * exp(-ln_1p(-p) / (self.shape - 1.0))
    }
    fn mean_excess(&self, a: f64) -> f64 {
        if a <= self.min { self.mean() - a } else { a / (self.shape - 1.0) * powf(self.min / a, self.shape) }
    }
    fn scaled(&self, factor: f64) -> Dist {
        let scale = |span: Option<Span>| span.map(|span| scale_span(span, factor));
        let written = Spec { shape: self.shape, min: scale(self.written.min), mean: scale(self.written.mean) };
        Law::Pareto(Self { written, shape: self.shape, min: self.min * factor }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(shape: f64) -> Pareto {
        Pareto::try_from(Spec { shape, min: Some(Span::from_whole_secs(60)), mean: None }).unwrap()
    }

    #[test]
    fn by_hand() {
        let law = with(3.0);
        assert_eq!([law.mean(), law.variance()], [90.0, 2700.0]);
        assert!((law.cdf(120.0) - 0.875).abs() < 1e-15);
        assert!((law.quantile(0.875) - 120.0).abs() < 1e-12);
        assert!((law.mean_excess(120.0) - 7.5).abs() < 1e-14);
        assert_eq!(law.mean_excess(30.0), 60.0);
    }

    #[test]
    fn a_tail_too_heavy_for_a_variance() {
        assert_eq!(with(2.0).variance(), f64::INFINITY);
        assert!(with(2.1).variance().is_finite());
    }
}
