//! Latency routing: the cluster with the lowest round-trip time, as latency records do.

use super::policy::{Candidate, Order};
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster with the lowest round-trip time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {}

impl Described for Latency {
    const DOC: &'static str = "The cluster with the lowest round-trip time to the population.";
    const EXAMPLE: &'static str = "policy = { latency = {} }";
}

impl Order for Latency {
    fn score(&self, candidate: Candidate<'_>) -> f64 {
        candidate.rtt
    }
}
