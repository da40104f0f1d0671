//! Any length between two bounds alike: jitter, polling phases.

use super::{Dist, Distribution, Law, scale_span};
use crate::base::Span;
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A constant density between the bounds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Spec", into = "Spec")]
#[schemars(with = "Spec")]
pub struct Uniform {
    written: Spec,
    from: f64,
    to: f64,
}

/// A uniform distribution between two bounds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Uniform")]
struct Spec {
    /// The shortest.
    from: Span,
    /// The longest.
    to: Span,
}

impl Uniform {
    /// Between these; `None` unless the first is the shorter.
    pub fn new(from: Span, to: Span) -> Option<Self> {
        Self::try_from(Spec { from, to }).ok()
    }
}

impl TryFrom<Spec> for Uniform {
    type Error = String;
    fn try_from(written: Spec) -> Result<Self, String> {
        if written.to < written.from {
            return Err(format!(
                "a uniform goes from the shorter to the longer: write {{ from = \"{}\", to = \"{}\" }}",
                written.to, written.from
            ));
        }
        Ok(Self { from: written.from.secs(), to: written.to.secs(), written })
    }
}

impl From<Uniform> for Spec {
    fn from(law: Uniform) -> Self {
        law.written
    }
}

impl Described for Uniform {
    const DOC: &'static str = "Any length between two bounds alike.";
    const EXAMPLE: &'static str = r#"{ uniform = { from = "5s", to = "15s" } }"#;
}

impl Distribution for Uniform {
    fn mean(&self) -> f64 {
        0.5 * (self.from + self.to)
    }
    fn variance(&self) -> f64 {
        let width = self.to - self.from;
        width * width / 12.0
    }
    fn cdf(&self, x: f64) -> f64 {
        if x >= self.to { 1.0 } else { ((x - self.from) / (self.to - self.from)).max(0.0) }
    }
    fn quantile(&self, p: f64) -> f64 {
        self.from + p * (self.to - self.from)
    }
    fn length_biased_quantile(&self, p: f64) -> f64 {
        let (low, high) = (self.from * self.from, self.to * self.to);
        (low + p * (high - low)).sqrt()
    }
    fn mean_excess(&self, a: f64) -> f64 {
        if a <= self.from {
            self.mean() - a
        } else {
            let above = (self.to - a).max(0.0);
            0.5 * above * above / (self.to - self.from)
        }
    }
    fn scaled(&self, factor: f64) -> Dist {
        let written = Spec { from: scale_span(self.written.from, factor), to: scale_span(self.written.to, factor) };
        Law::Uniform(Self { written, from: self.from * factor, to: self.to * factor }).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let spec = Spec { from: Span::from_whole_secs(5), to: Span::from_whole_secs(15) };
        let law = Uniform::try_from(spec).unwrap();
        assert_eq!([law.mean(), law.variance()], [10.0, 100.0 / 12.0]);
        assert_eq!([law.cdf(4.0), law.cdf(7.5), law.cdf(15.0)], [0.0, 0.25, 1.0]);
        assert_eq!([law.mean_excess(2.0), law.mean_excess(13.0), law.mean_excess(20.0)], [8.0, 0.2, 0.0]);
        assert_eq!([law.length_biased_quantile(0.0), law.length_biased_quantile(1.0)], [5.0, 15.0]);
    }

    #[test]
    fn bounds_that_meet_leave_one_length() {
        let spec = Spec { from: Span::HOUR, to: Span::HOUR };
        let law = Uniform::try_from(spec).unwrap();
        assert_eq!([law.cdf(3599.0), law.cdf(3600.0), law.quantile(0.3)], [0.0, 1.0, 3600.0]);
        assert_eq!([law.mean_excess(3600.0), law.mean_excess(3000.0), law.variance()], [0.0, 600.0, 0.0]);
    }
}
