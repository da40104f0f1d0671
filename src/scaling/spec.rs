//! What a scenario says of scaling: the horizontal pod autoscaler and the nodes of a cluster.

use crate::base::{Bytes, Money, Probability, Rate, Span};
use crate::dist::Dist;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The horizontal pod autoscaler of a service. Defaults are Kubernetes' own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Autoscale {
    /// Target utilisation of the ready pods' servers, from 0 to 1. Or give `per-pod`.
    #[serde(default)]
    pub target: Option<Probability>,
    /// Target request rate per pod: a metric that doesn't saturate. Or give `target`.
    #[serde(default)]
    pub per_pod: Option<Rate>,
    /// Fewest pods; times `scale` in an unpromoted standby.
    pub min: u32,
    /// Most pods.
    pub max: u32,
    /// Time between two decisions, on a grid that all autoscalers share.
    #[serde(default = "default_sync")]
    pub sync: Span,
    /// No change while the ratio of metric to target is this near to 1.
    #[serde(default = "default_tolerance")]
    pub tolerance: f64,
    /// At most this share more pods per sync, or `max-growth-pods`, whichever is more.
    #[serde(default = "default_growth")]
    pub max_growth: f64,
    /// At most this many more pods per sync, or `max-growth`, whichever is more.
    #[serde(default = "default_growth_pods")]
    pub max_growth_pods: u32,
    /// A scale-down follows the highest recommendation of this long.
    #[serde(default = "default_stabilization")]
    pub stabilization: Span,
}

fn default_sync() -> Span {
    Span::from_whole_secs(15)
}
fn default_tolerance() -> f64 {
    0.1
}
fn default_growth() -> f64 {
    1.0
}
fn default_growth_pods() -> u32 {
    4
}
fn default_stabilization() -> Span {
    Span::from_whole_secs(300)
}

/// The nodes of a cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodesSpec {
    /// An instance type of the catalogue, which brings vCPUs, memory and price.
    #[serde(default, rename = "type")]
    pub instance: Option<String>,
    /// vCPUs of one node, where the catalogue doesn't say.
    #[serde(default)]
    pub vcpu: Option<f64>,
    /// Memory of one node, where the catalogue doesn't say.
    #[serde(default)]
    pub memory: Option<Bytes>,
    /// Price of one node for an hour, where the catalogue's isn't meant.
    #[serde(default)]
    pub price: Option<Money>,
    /// Fewest nodes; times `scale` in an unpromoted standby.
    #[serde(default)]
    pub min: u32,
    /// Most nodes.
    #[serde(default = "default_max_nodes")]
    pub max: u32,
    /// From asking for a node until it takes pods.
    #[serde(default = "default_provisioning")]
    pub provisioning: Dist,
    /// When another region is lost, everybody who was there asks for nodes here. None by default.
    #[serde(default)]
    pub shortage: Option<Shortage>,
}

/// When another region is lost, everybody who was there asks for nodes here.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shortage {
    /// The chance, for each loss of a region, that no node is to be had.
    pub chance: Probability,
    /// For how long.
    pub lasts: Dist,
}

fn default_max_nodes() -> u32 {
    5000
}
fn default_provisioning() -> Dist {
    Dist::constant(Span::from_whole_secs(240))
}
