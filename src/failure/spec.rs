//! What a scenario says of failures: faults that recur, common-cause shocks, scripted incidents.

use crate::base::{Probability, Span};
use crate::dist::Dist;
use crate::domain::{Degraded, Selection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault that recurs, on each of its targets independently, or on all at once if it is a `shock`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultSpec {
    /// The fault's name: its random draws belong to it.
    pub name: String,
    /// What it hits.
    pub of: TargetSpec,
    /// What it does.
    #[serde(default)]
    pub effect: EffectSpec,
    /// Up-time between a repair and the next occurrence; between two shocks, for a shock.
    pub every: Dist,
    /// How long it lasts, drawn for each target.
    pub repair: Dist,
    /// In what state its clock starts.
    #[serde(default)]
    pub clock: ClockStart,
    /// One process that hits several targets at once (Marshall–Olkin common cause).
    #[serde(default)]
    pub shock: Option<ShockSpec>,
    /// Faults of one group don't stack: a target that is down in the group absorbs. Its own by default.
    #[serde(default)]
    pub group: Option<String>,
    /// How many of its targets can be repaired at a time; the others wait, the first to fail first. All of them where it
    /// is left out.
    #[serde(default)]
    pub crews: Option<u32>,
}

/// In what state a fault's clock starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockStart {
    /// As if it had always been running: availability is exact over any horizon.
    #[default]
    Equilibrium,
    /// As new at time 0.
    New,
}

/// One process that hits several targets at once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShockSpec {
    /// The chance that a shock hits a given target.
    #[serde(default = "surely")]
    pub hit: Probability,
}

fn surely() -> Probability {
    Probability::ONE
}

/// What a fault, or an incident, hits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSpec {
    /// One region and all in it.
    Region(String),
    /// Each of these regions.
    Regions(Selection),
    /// One zone, such as "us-east-1/2": region, slash, number from 1.
    Zone(String),
    /// Each zone of these regions.
    Zones(Selection),
    /// One cluster.
    Cluster(String),
    /// Each of these clusters.
    Clusters(Selection),
    /// A service, in each of the clusters that run it.
    Service(ServiceTarget),
    /// Each pod of a service, by itself.
    Pods(PodsTarget),
    /// A store's copy, in each of its clusters.
    Store(StoreTarget),
    /// The network between two regions, both ways.
    Link([String; 2]),
    /// An external dependency.
    Dependency(String),
    /// A connection between clusters, for all that it joins.
    Connection(String),
    /// A hub, with all connections that go through it.
    Hub(String),
    /// The way of one population to one cluster, and no other's: health checks go another way.
    Access(AccessTarget),
    /// The way of the health checks to one cluster: its users go another way.
    Checks(String),
    /// What gives out answers: while it is down, those that were given stand.
    Routing(RoutingTarget),
    /// The `GitOps` controller, or those of these clusters: while one is down its clusters get no release, and nothing is
    /// rolled back or healed there.
    Gitops(GitopsTarget),
}

/// The way of one population to one cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessTarget {
    /// The population.
    pub population: String,
    /// The cluster.
    pub cluster: String,
}

/// What gives out answers: there is one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoutingTarget {}

/// The `GitOps` controllers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitopsTarget {
    /// Whose, where each cluster has one of its own.
    #[serde(default = "all")]
    pub clusters: Selection,
}

/// A service, in some of its clusters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceTarget {
    /// The service.
    pub name: String,
    /// Where.
    #[serde(default = "all")]
    pub clusters: Selection,
}

/// The pods of a service, in some of its clusters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PodsTarget {
    /// The service.
    pub service: String,
    /// Where.
    #[serde(default = "all")]
    pub clusters: Selection,
}

/// A store's copy, in some of its clusters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreTarget {
    /// The store.
    pub name: String,
    /// Where.
    #[serde(default = "all")]
    pub clusters: Selection,
}

fn all() -> Selection {
    Selection::All
}

/// What a fault does to its target.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectSpec {
    /// Nothing answers.
    Down(Down),
    /// It answers, badly: a grey failure.
    Degraded(Degraded),
    /// Stores in it answer reads and refuse writes; a region's or a cluster's are all that it holds.
    ReadOnly(ReadOnly),
}

impl Default for EffectSpec {
    fn default() -> Self {
        Self::Down(Down::default())
    }
}

/// Nothing answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Down {
    /// Connections are refused rather than lost in a black hole: probes fail without their timeout.
    #[serde(default)]
    pub refuses: bool,
    /// Of pods: what becomes of the calls that a failing one is serving. Only where requests are simulated one by one.
    #[serde(default)]
    pub calls: Interrupted,
}

/// What becomes of the calls that a failing pod is serving.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interrupted {
    /// The connection breaks: they fail, and their clients may try again.
    #[default]
    Fail,
    /// They go back to the head of the queue and begin anew: messages that are delivered again.
    Restart,
    /// They go back to the head of the queue, and what has been done of them stays done.
    Resume,
}

/// Stores answer reads and refuse writes: a full disk, a lost lease, somebody's switch. A copy still follows its
/// leader. Health checks see it if they are deep, and nothing is promoted for it otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadOnly {}

/// A fault at a set time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IncidentSpec {
    /// The incident's name.
    pub name: String,
    /// What it hits.
    pub of: TargetSpec,
    /// What it does.
    #[serde(default)]
    pub effect: EffectSpec,
    /// When it begins, from the start of the horizon.
    pub at: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// Faults of one group don't stack: a target that is down in the group absorbs. Its own by default.
    #[serde(default)]
    pub group: Option<String>,
}
