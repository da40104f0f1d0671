//! What answers, badly: a grey failure, whether a fault makes it or a change.

use crate::base::Probability;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// It answers, badly.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Degraded {
    /// Share of requests through it that fail.
    #[serde(default)]
    pub errors: Probability,
    /// What its time is multiplied by. It occupies no more servers: that is `capacity`.
    #[serde(default = "unchanged")]
    pub latency: f64,
    /// What its capacity is multiplied by.
    #[serde(default = "unchanged")]
    pub capacity: f64,
    /// The chance that an occurrence is seen by shallow checks. Deep ones see it if it has errors.
    #[serde(default)]
    pub seen_by_shallow_checks: Probability,
}

fn unchanged() -> f64 {
    1.0
}
