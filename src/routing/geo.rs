//! Geographic routing: the nearest cluster by great-circle distance, as geolocation records do.

use super::policy::{Candidate, Order};
use crate::base::catalogue::Described;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The nearest cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Geo {}

impl Described for Geo {
    const DOC: &'static str = "The nearest cluster by great-circle distance.";
    const EXAMPLE: &'static str = "policy = { geo = {} }";
}

impl Order for Geo {
    fn score(&self, candidate: Candidate<'_>) -> f64 {
        candidate.distance_km
    }
}
