//! Wear-out (shape above 1) and infant mortality (shape below 1): times between failures.
//!
//! Johnson, Kotz and Balakrishnan, *Continuous Univariate Distributions*, vol. 1, chapter 21.

use super::special::{gamma_quantile, gamma_upper};
use super::{Dist, Distribution, Law, positive, scale_span, within};
use crate::base::Span;
use crate::base::catalogue::Described;
use crate::base::maths::{exp, exp_m1, gamma, ln_1p, powf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// F(x) = 1 − exp(−(x / scale)^shape).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Weibull {
    written: Spec,
    shape: f64,
    scale: f64,
}

/// A Weibull distribution: `shape` with `mean` or `scale`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Weibull")]
struct Spec {
    /// The exponent, from 0.1 to 100: below 1 failures cluster, above 1 they keep their distance.
    shape: f64,
    /// The mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<Span>,
    /// The 63.2nd percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<Span>,
}

impl Weibull {
    /// The exponent.
    pub const fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale, in seconds.
    pub const fn scale(&self) -> f64 {
        self.scale
    }
}

impl TryFrom<Spec> for Weibull {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        let shape = within(written.shape, [0.1, 100.0], "the shape of a weibull")?;
        let scale = match (written.mean, written.scale) {
            (Some(mean), None) => positive(mean, "the mean of a weibull")? / gamma(1.0 + 1.0 / shape),
            (None, Some(scale)) => positive(scale, "the scale of a weibull")?,
            (None, None) | (Some(_), Some(_)) => {
                return Err(
                    "a weibull takes its shape and one length: write { shape = 0.7, mean = \"720h\" } or { shape, scale }"
                        .to_owned(),
                );
            }
        };
        Ok(Self { written, shape, scale })
    }
}

impl From<Weibull> for Spec {
    fn from(law: Weibull) -> Self {
        law.written
    }
}

impl Described for Weibull {
    const DOC: &'static str = "Times between failures that cluster (shape below 1) or wear out (above 1).";
    const EXAMPLE: &'static str = r#"{ weibull = { shape = 0.7, mean = "720h" } }"#;
}

impl Distribution for Weibull {
    fn mean(&self) -> f64 {
        self.scale * gamma(1.0 + 1.0 / self.shape)
    }
    fn variance(&self) -> f64 {
        let first = gamma(1.0 + 1.0 / self.shape);
        self.scale * self.scale * (gamma(1.0 + 2.0 / self.shape) - first * first)
    }
    fn cdf(&self, x: f64) -> f64 {
        -exp_m1(-powf(x / self.scale, self.shape))
    }
    fn quantile(&self, p: f64) -> f64 {
        self.scale * powf(-ln_1p(-p), 1.0 / self.shape)
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        // With t = (x / scale)^shape, x f(x) dx is proportional to t^(1/shape) exp(−t) dt.
        self.scale * powf(gamma_quantile(1.0 + 1.0 / self.shape, p), 1.0 / self.shape)
    }
    fn mean_excess(&self, a: f64) -> f64 {
        let t = powf(a / self.scale, self.shape);
        self.mean() * gamma_upper(1.0 + 1.0 / self.shape, t) - a * exp(-t)
    }
    fn scaled(&self, factor: f64) -> Dist {
        let scale = |span: Option<Span>| span.map(|span| scale_span(span, factor));
        let written = Spec { shape: self.shape, mean: scale(self.written.mean), scale: scale(self.written.scale) };
        Law::Weibull(Self { written, shape: self.shape, scale: self.scale * factor }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_from_the_mean() {
        let mean = Some(Span::from_whole_secs(720 * 3600));
        let law = Weibull::try_from(Spec { shape: 0.7, mean, scale: None }).unwrap();
        assert!((law.scale() / 3600.0 - 568.799_675_906_332_3).abs() < 1e-10);
        assert!((law.mean() / 3600.0 - 720.0).abs() < 1e-10);
    }

    #[test]
    fn with_shape_1_it_is_exponential() {
        let scale = Some(Span::from_whole_secs(100));
        let law = Weibull::try_from(Spec { shape: 1.0, mean: None, scale }).unwrap();
        assert!((law.variance() - 1e4).abs() < 1e-9);
        assert!((law.cdf(50.0) - (1.0 - (-0.5_f64).exp())).abs() < 1e-15);
        assert!((law.mean_excess(50.0) - 100.0 * (-0.5_f64).exp()).abs() < 1e-12);
        assert!((law.quantile(0.5) - 100.0 * 2_f64.ln()).abs() < 1e-12);
    }
}
