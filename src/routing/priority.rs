//! Priority routing: the first healthy cluster of a list, the same for everybody, as failover records do.

use super::policy::{Candidate, Order};
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first healthy cluster of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Clusters, first choice first; one that isn't named comes after those that are.
    pub order: Vec<String>,
}

impl Described for Priority {
    const DOC: &'static str = "The first healthy cluster of a list, the same for every population.";
    const EXAMPLE: &'static str = "policy = { priority = { order = [\"us\", \"eu\"] } }";
}

impl Order for Priority {
    fn score(&self, candidate: Candidate<'_>) -> f64 {
        self.order.iter().position(|name| name == candidate.name).unwrap_or(self.order.len()) as f64
    }

    fn names(&self) -> Vec<&str> {
        self.order.iter().map(String::as_str).collect()
    }
}
