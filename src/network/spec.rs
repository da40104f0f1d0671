//! What a scenario says of the network: round-trip times where the catalogue's aren't meant, and jitter.

use crate::base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkSpec {
    /// Ratio of p99 to p50 of a round-trip time (lognormal); 1 for none.
    #[serde(default = "default_jitter")]
    pub jitter: f64,
    /// Between services in one cluster: the mean over zones.
    #[serde(default = "default_in_region")]
    pub in_region: Span,
    /// Round-trip times that replace the catalogue's.
    #[serde(default)]
    pub rtt: Vec<RttSpec>,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self { jitter: default_jitter(), in_region: default_in_region(), rtt: Vec::new() }
    }
}

fn default_jitter() -> f64 {
    // azure.rtt_p95_over_p50 of data/failures/derived_rates.csv is 1.03; a lognormal's p99 is then
    // 1.03^(2.326/1.645) = 1.043 of its median.
    1.043
}
fn default_in_region() -> Span {
    // ibm.inter_zone_rtt_p50 of data/failures/derived_rates.csv.
    Span::from_nanos(760_000)
}

/// One round-trip time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RttSpec {
    /// A population or a region.
    pub from: String,
    /// A region.
    pub to: String,
    /// The round-trip time. A population's `access` is not added to it.
    pub rtt: Span,
}
