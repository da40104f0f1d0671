//! A scenario that passed every check: what was written, and what was looked up for it.
//!
//! Positions are those of the lists in [`ScenarioSpec`]; regions that a cluster names without listing them
//! come after those that are listed.

use super::spec::ScenarioSpec;
use crate::base::Span;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A checked scenario: one variant, ready to be compiled.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// The variant's name.
    pub variant: String,
    /// The variant's one sentence.
    pub variant_summary: Option<String>,
    /// What was written, defaults filled in; every name in it refers to something.
    pub spec: ScenarioSpec,
    /// Regions.
    pub regions: Vec<ResolvedRegion>,
    /// By cluster.
    pub clusters: Vec<ResolvedCluster>,
    /// By population.
    pub populations: Vec<ResolvedPopulation>,
    /// Round-trip time in seconds by population and cluster, access network included.
    pub population_rtt: Vec<Vec<f64>>,
    /// Round-trip time in seconds by region and region; `network.in-region` on the diagonal.
    pub region_rtt: Vec<Vec<f64>>,
    /// USD per million DNS queries.
    pub dns_queries: f64,
    /// USD per health check and month.
    pub health_check: f64,
    /// Time from Monday 00:00 UTC to the start of the horizon.
    pub start_in_week: Span,
    /// Where looked-up values came from, by path.
    pub citations: IndexMap<String, String>,
}

/// A region with its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResolvedRegion {
    /// The region's name.
    pub name: String,
    /// Degrees; none where it isn't known, and then nothing needs it.
    pub lat: Option<f64>,
    /// Degrees.
    pub lon: Option<f64>,
    /// Whose law applies.
    pub jurisdiction: Option<String>,
    /// Availability zones.
    pub zones: u32,
    /// USD per cluster-hour of the Kubernetes control plane.
    pub control_plane: f64,
    /// USD per hour of one load balancer.
    pub load_balancer: f64,
    /// Internet egress: (gigabytes of the month up to which, USD per GB), rising; the last has no end.
    pub egress: Vec<(Option<f64>, f64)>,
    /// USD per GB to each region, by position.
    pub transfer: Vec<f64>,
    /// USD per GB that crosses zones, both sides together.
    pub cross_zone: f64,
    /// USD per GB and month of block storage, in-region redundancy included.
    pub storage: f64,
}

/// A cluster with what its nodes are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResolvedCluster {
    /// Position of its region.
    pub region: usize,
    /// Zones it spans.
    pub zones: u32,
    /// Position of the cluster it stands by for.
    pub standby_for: Option<usize>,
    /// One node, where the cluster has nodes.
    pub node: Option<ResolvedNode>,
}

/// One node.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResolvedNode {
    /// vCPUs.
    pub vcpu: f64,
    /// Bytes.
    pub memory: f64,
    /// USD per hour.
    pub price: f64,
}

/// A population with its place and profile.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResolvedPopulation {
    /// Degrees; none where it isn't known, and then nothing needs it.
    pub lat: Option<f64>,
    /// Degrees.
    pub lon: Option<f64>,
    /// Whose law applies where it is.
    pub jurisdiction: Option<String>,
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// 168 hourly multipliers in local time, Monday 00:00 first, mean 1; `None` for the same rate always.
    pub profile: Option<Vec<f64>>,
    /// Recorded arrivals, where they are replayed: (seconds from the start of the horizon, requests).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Vec<(f64, u32)>>,
}
