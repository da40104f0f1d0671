//! Products of many small factors: repair times, human delays, service times.
//!
//! ln X is normal with mean ln(median) and standard deviation σ. From mean and cv: σ² = ln(1 + cv²)
//! (Johnson, Kotz and Balakrishnan, *Continuous Univariate Distributions*, vol. 1, chapter 14).

use super::special::normal_quantile;
use super::{Dist, Distribution, Law, positive, scale_span, within};
use crate::base::Span;
use crate::base::catalogue::Described;
use crate::base::maths::{exp, exp_m1, ln, ln_1p, normal_cdf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The standard normal quantiles at 0.95 and 0.99.
const Z95: f64 = 1.644_853_626_951_472_2;
const Z99: f64 = 2.326_347_874_040_841;

/// median · exp(σZ), Z standard normal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Lognormal {
    written: Spec,
    median: f64,
    sigma: f64,
}

/// A lognormal distribution: `median` with `p95` or `p99`, or `mean` with `cv` or `scv`.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Lognormal")]
struct Spec {
    /// The median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    median: Option<Span>,
    /// The 95th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p95: Option<Span>,
    /// The 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p99: Option<Span>,
    /// The mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<Span>,
    /// The standard deviation over the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cv: Option<f64>,
    /// The variance over the squared mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scv: Option<f64>,
}

impl Lognormal {
    /// With this median and 99th percentile; `None` unless they are above 0 and in order.
    pub fn new(median: Span, p99: Span) -> Option<Self> {
        Self::try_from(Spec { median: Some(median), p99: Some(p99), ..Spec::default() }).ok()
    }

    /// The standard deviation of ln X.
    pub const fn sigma(&self) -> f64 {
        self.sigma
    }

    /// The median, in seconds.
    pub const fn median(&self) -> f64 {
        self.median
    }

    /// The normal score of `x`: positive infinity at and above a median without spread.
    fn score(&self, x: f64) -> f64 {
        let above = ln(x / self.median);
        if self.sigma > 0.0 {
            above / self.sigma
        } else if above < 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }
    }
}

impl TryFrom<Spec> for Lognormal {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        let from_quantile = |median: Span, upper: Span, z: f64, name: &str| {
            let median = positive(median, "the median of a lognormal")?;
            if upper.secs() < median {
                return Err(format!("the {name} of a lognormal must not be below its median: swap them"));
            }
            Ok((median, ln(upper.secs() / median) / z))
        };
        let from_moments = |mean: Span, scv: f64| {
            let mean = positive(mean, "the mean of a lognormal")?;
            Ok((mean / (1.0 + scv).sqrt(), ln_1p(scv).sqrt()))
        };
        let (median, sigma) = match written {
            Spec { median: Some(median), p95: Some(upper), p99: None, mean: None, cv: None, scv: None } => {
                from_quantile(median, upper, Z95, "p95")
            }
            Spec { median: Some(median), p95: None, p99: Some(upper), mean: None, cv: None, scv: None } => {
                from_quantile(median, upper, Z99, "p99")
            }
            Spec { median: None, p95: None, p99: None, mean: Some(mean), cv: Some(cv), scv: None } => {
                let cv = within(cv, [0.0, 1000.0], "the cv of a lognormal")?;
                from_moments(mean, cv * cv)
            }
            Spec { median: None, p95: None, p99: None, mean: Some(mean), cv: None, scv: Some(scv) } => {
                from_moments(mean, within(scv, [0.0, 1e6], "the scv of a lognormal")?)
            }
            Spec { .. } => Err("a lognormal takes two parameters: write { median = \"60s\", p95 = \"3m\" }, \
                 { median, p99 }, { mean = \"60s\", cv = 1.5 } or { mean, scv }"
                .to_owned()),
        }?;
        Ok(Self { written, median, sigma })
    }
}

impl From<Lognormal> for Spec {
    fn from(law: Lognormal) -> Self {
        law.written
    }
}

impl Described for Lognormal {
    const DOC: &'static str = "A product of many small factors: repairs, human delays, service times.";
    const EXAMPLE: &'static str = r#"{ lognormal = { median = "60s", p95 = "3m" } }"#;
}

impl Distribution for Lognormal {
    fn mean(&self) -> f64 {
        self.median * exp(0.5 * self.sigma * self.sigma)
    }
    fn variance(&self) -> f64 {
        let mean = self.mean();
        mean * mean * exp_m1(self.sigma * self.sigma)
    }
    fn cdf(&self, x: f64) -> f64 {
        normal_cdf(self.score(x))
    }
    fn quantile(&self, p: f64) -> f64 {
        if self.sigma == 0.0 { self.median } else { self.median * exp(self.sigma * normal_quantile(p)) }
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        // x f(x) / mean is lognormal again, with the median moved by exp(σ²).
        exp(self.sigma * self.sigma) * self.quantile(p)
    }
    fn mean_excess(&self, a: f64) -> f64 {
        let score = self.score(a);
        self.mean() * normal_cdf(self.sigma - score) - a * normal_cdf(-score)
    }
    fn scaled(&self, factor: f64) -> Dist {
        let scale = |span: Option<Span>| span.map(|span| scale_span(span, factor));
        let Spec { median, p95, p99, mean, cv, scv } = self.written;
        let written = Spec { median: scale(median), p95: scale(p95), p99: scale(p99), mean: scale(mean), cv, scv };
        Law::Lognormal(Self { written, median: self.median * factor, sigma: self.sigma }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_scv(hours: u64, scv: f64) -> Lognormal {
        let mean = Some(Span::from_whole_secs(hours * 3600));
        Lognormal::try_from(Spec { mean, scv: Some(scv), ..Spec::default() }).unwrap()
    }

    #[test]
    fn parameters_from_moments() {
        // σ² = ln(1 + scv), μ = ln(mean) − σ²/2, with 40 digits in mpmath; μ is of hours.
        let ln_hour = 3600_f64.ln();
        let wide = with_scv(2, 4.0);
        assert!((wide.sigma() - 1.268_636_241_179_519_6).abs() < 1e-15);
        assert!((ln(wide.median()) - ln_hour + 0.111_571_775_657_104_88).abs() < 4e-15);
        let narrow = with_scv(1, 2.25);
        assert!((narrow.sigma() - 1.085_658_784_490_618).abs() < 1e-15);
        assert!((ln(narrow.median()) - ln_hour + 0.589_327_498_170_823_1).abs() < 4e-15);
        assert!((wide.mean() / 7200.0 - 1.0).abs() < 1e-15);
        assert!((wide.variance() / (4.0 * 7200.0 * 7200.0) - 1.0).abs() < 4e-15);
    }

    #[test]
    fn without_spread_it_is_constant() {
        let law = with_scv(1, 0.0);
        assert_eq!(law.variance(), 0.0);
        assert_eq!([law.quantile(0.1), law.length_biased_quantile(0.9)], [3600.0, 3600.0]);
        assert_eq!([law.cdf(3599.0), law.cdf(3600.0)], [0.0, 1.0]);
        assert_eq!([law.mean_excess(1000.0), law.mean_excess(4000.0)], [2600.0, 0.0]);
    }
}
