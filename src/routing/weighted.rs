//! Weighted routing: each population is split over the healthy clusters by weight.

use super::policy::{Candidate, Order};
use crate::base::catalogue::Described;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A split by weight.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Weight by cluster; a cluster that isn't named has none.
    pub weights: IndexMap<String, f64>,
}

impl Described for Weighted {
    const DOC: &'static str = "Splits each population over the healthy clusters by weight.";
    const EXAMPLE: &'static str = "policy = { weighted = { weights = { us = 3, eu = 1 } } }";
}

impl Order for Weighted {
    fn score(&self, candidate: Candidate<'_>) -> f64 {
        -self.weights.get(candidate.name).copied().unwrap_or(0.0)
    }

    fn weight(&self, candidate: Candidate<'_>) -> Option<f64> {
        Some(self.weights.get(candidate.name).copied().unwrap_or(0.0))
    }

    fn names(&self) -> Vec<&str> {
        self.weights.keys().map(String::as_str).collect()
    }
}
