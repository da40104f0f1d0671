//! Always the same length: timers, intervals set in a configuration.

use super::{Dist, Distribution, scale_span};
use crate::base::Span;
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length that does not vary.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Span", into = "Span")]
#[schemars(with = "Span")]
pub struct Constant {
    written: Span,
    secs: f64,
}

impl From<Span> for Constant {
    fn from(written: Span) -> Self {
        Self { written, secs: written.secs() }
    }
}

impl From<Constant> for Span {
    fn from(constant: Constant) -> Self {
        constant.written
    }
}

impl Described for Constant {
    const DOC: &'static str = "Always the same length; a plain duration means the same.";
    const EXAMPLE: &'static str = r#"{ constant = "60s" }"#;
}

impl Distribution for Constant {
    fn mean(&self) -> f64 {
        self.secs
    }
    fn variance(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        if x < self.secs { 0.0 } else { 1.0 }
    }
    fn quantile(&self, _: f64) -> f64 {
        self.secs
    }
    fn length_biased_quantile(&self, _: f64) -> f64 {
        self.secs
    }
    fn mean_excess(&self, a: f64) -> f64 {
        self.secs - a
    }
    fn scaled(&self, factor: f64) -> Dist {
        super::Law::Constant(Self { written: scale_span(self.written, factor), secs: self.secs * factor }).into()
    }
}
