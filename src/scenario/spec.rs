//! A scenario as it is written: the types that a TOML file decodes to.
//!
//! Nothing is checked across entries here, and nothing is looked up: `resolve` does both.

use crate::base::{Bytes, Probability, Span};
use crate::cost::spec::CostSpec;
use crate::dist::Dist;
use crate::domain::Selection;
use crate::failover::spec::{FailoverSpec, SwitchoverSpec};
use crate::failure::spec::{FaultSpec, IncidentSpec};
use crate::network::connection::{ConnectionSpec, HubSpec};
use crate::network::spec::NetworkSpec;
use crate::replication::spec::StoreSpec;
use crate::rollout::management::Management;
use crate::rollout::spec::{DriftSpec, GitopsSpec, ReleaseSpec, RolloutSpec};
use crate::routing::spec::RoutingSpec;
use crate::scaling::spec::{Autoscale, NodesSpec};
use crate::scenario::window::WindowSpec;
use crate::traffic::spec::{DependencySpec, JourneySpec, PopulationSpec, Station, SurgeSpec};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scenario: a platform, its users, its failures, its prices.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioSpec {
    /// The version of this format: 1.
    pub format: u32,
    /// The scenario's name.
    pub name: String,
    /// One sentence on what it is about.
    #[serde(default)]
    pub summary: Option<String>,
    /// How long, how often, from when.
    #[serde(default)]
    pub simulation: Simulation,
    /// Regions; one of the catalogue that a cluster names need not be listed.
    #[serde(default)]
    pub region: Vec<RegionSpec>,
    /// Kubernetes clusters.
    pub cluster: Vec<ClusterSpec>,
    /// Services.
    #[serde(default)]
    pub service: Vec<ServiceSpec>,
    /// Stores.
    #[serde(default)]
    pub store: Vec<StoreSpec>,
    /// What the platform needs from outside.
    #[serde(default)]
    pub dependency: Vec<DependencySpec>,
    /// Kinds of request.
    pub journey: Vec<JourneySpec>,
    /// Users.
    pub population: Vec<PopulationSpec>,
    /// The network.
    #[serde(default)]
    pub network: NetworkSpec,
    /// What calls from cluster to cluster go over: of two that would do, the first.
    #[serde(default)]
    pub connection: Vec<ConnectionSpec>,
    /// What several connections go through.
    #[serde(default)]
    pub hub: Vec<HubSpec>,
    /// How users find a cluster.
    #[serde(default)]
    pub routing: RoutingSpec,
    /// How a standby takes over.
    #[serde(default)]
    pub failover: FailoverSpec,
    /// Faults that recur.
    #[serde(default)]
    pub fault: Vec<FaultSpec>,
    /// Faults at a set time.
    #[serde(default)]
    pub incident: Vec<IncidentSpec>,
    /// Planned changes of a store's leader.
    #[serde(default)]
    pub switchover: Vec<SwitchoverSpec>,
    /// Releases, good and bad.
    #[serde(default)]
    pub release: Vec<ReleaseSpec>,
    /// How a release goes from cluster to cluster.
    #[serde(default)]
    pub rollout: RolloutSpec,
    /// How clusters are managed: what it costs in people's time, how often changes go wrong.
    #[serde(default)]
    pub management: Option<Management>,
    /// Controllers that make clusters what the repository says; changes are pushed where it is left out.
    #[serde(default)]
    pub gitops: Option<GitopsSpec>,
    /// Manual changes that hurt.
    #[serde(default)]
    pub drift: Vec<DriftSpec>,
    /// Surges of traffic.
    #[serde(default)]
    pub surge: Vec<SurgeSpec>,
    /// Prices and losses.
    #[serde(default)]
    pub cost: CostSpec,
    /// Objectives: the report gives the probability that a year meets each.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// How long, how often, from when.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Simulation {
    /// How much simulated time each seed covers.
    #[serde(default = "default_horizon")]
    pub horizon: Span,
    /// Simulated before the horizon begins and left out of every figure.
    #[serde(default)]
    pub warm_up: Span,
    /// How many seeds.
    #[serde(default = "default_seeds")]
    pub seeds: u32,
    /// The master seed.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// When the horizon begins, in UTC: sets the hour of the week.
    #[serde(default = "default_start")]
    pub start: String,
    /// The traffic engine.
    #[serde(default)]
    pub traffic: TrafficEngine,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            horizon: default_horizon(),
            warm_up: Span::ZERO,
            seeds: default_seeds(),
            seed: default_seed(),
            start: default_start(),
            traffic: TrafficEngine::Flow,
        }
    }
}

fn default_horizon() -> Span {
    Span::from_whole_secs(365 * 86_400)
}
fn default_seeds() -> u32 {
    100
}
fn default_seed() -> u64 {
    1
}
fn default_start() -> String {
    // A Monday.
    "2026-01-05T00:00:00Z".to_owned()
}

/// The traffic engine.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficEngine {
    /// Rates between events, in closed form: for days to years.
    #[default]
    Flow,
    /// Every request on its own: for minutes to hours; or within windows of a run that is rates elsewhere.
    Requests(RequestsSpec),
}

impl TrafficEngine {
    /// Some of the run, or all of it, is rates.
    pub fn uses_rates(&self) -> bool {
        match self {
            Self::Flow => true,
            Self::Requests(requests) => requests.window.is_some(),
        }
    }
}

/// Every request on its own.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestsSpec {
    /// The share of the requests that is simulated, on as large a share of the servers; counts are multiplied out. Fewer
    /// servers wait longer at the same utilisation, so waits come out too long.
    #[serde(default = "whole")]
    pub scale: Probability,
    /// Only around what is planned in the scenario; everything else is rates. The whole run where it is left out.
    #[serde(default)]
    pub window: Option<WindowSpec>,
}

fn whole() -> Probability {
    Probability::ONE
}

/// A region.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegionSpec {
    /// A catalogue code ("us-east-1", "azure:westeurope") brings all the rest.
    pub name: String,
    /// The catalogue region that it is, where the name isn't its code.
    #[serde(default)]
    pub code: Option<String>,
    /// Latitude in degrees.
    #[serde(default)]
    pub lat: Option<f64>,
    /// Longitude in degrees.
    #[serde(default)]
    pub lon: Option<f64>,
    /// Whose law applies: "EU", "US", "UK", …
    #[serde(default)]
    pub jurisdiction: Option<String>,
    /// Availability zones.
    #[serde(default)]
    pub zones: Option<u32>,
}

/// A Kubernetes cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterSpec {
    /// The cluster's name.
    pub name: String,
    /// Its region; the cluster's name where it is left out.
    #[serde(default)]
    pub region: Option<String>,
    /// How many zones it spans: the first ones of its region; at most three where it is left out.
    #[serde(default)]
    pub zones: Option<u32>,
    /// Its nodes; pods find room at once where it is left out, and nodes aren't billed.
    #[serde(default)]
    pub nodes: Option<NodesSpec>,
    /// The cluster that it stands by for: it serves nobody until it is promoted.
    #[serde(default)]
    pub standby_for: Option<String>,
    /// Of the service's replicas, the share that run until it takes over.
    #[serde(default)]
    pub scale: Option<Probability>,
    /// Users come to it. `false` is for development and staging: it is billed, and releases go through it.
    #[serde(default = "yes")]
    pub serves: bool,
    /// From the loss of a zone until its endpoints are dropped.
    #[serde(default = "default_endpoints")]
    pub endpoints_drop: Span,
    /// From then until the lost pods are started elsewhere.
    #[serde(default = "default_eviction")]
    pub eviction: Span,
}

fn yes() -> bool {
    true
}
fn default_eviction() -> Span {
    // k8s.pod_eviction_timeout of data/controls/control_loop_defaults.csv.
    Span::from_whole_secs(300)
}
fn default_endpoints() -> Span {
    // k8s.node_monitor_grace_period of data/controls/control_loop_defaults.csv.
    Span::from_whole_secs(40)
}

/// A service: pods that answer calls in each of its clusters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceSpec {
    /// The service's name.
    pub name: String,
    /// The clusters that run it; all of them where it is left out. The others call it over a connection.
    #[serde(default = "all")]
    pub clusters: Selection,
    /// Pods in each cluster, before a standby's `scale`.
    pub replicas: u32,
    /// Requests that one pod serves at a time.
    #[serde(default = "one_server")]
    pub concurrency: u32,
    /// Service time of one request on an idle pod.
    pub time: Dist,
    /// How the station queues.
    #[serde(default)]
    pub station: Station,
    /// Requests that may wait in one cluster; more are shed. No limit where it is left out.
    #[serde(default)]
    pub queue: Option<u64>,
    /// vCPUs that one pod asks for.
    #[serde(default = "default_cpu")]
    pub cpu: f64,
    /// Memory that one pod asks for.
    #[serde(default = "default_memory")]
    pub memory: Bytes,
    /// From a pod's placement on a ready node until it serves.
    #[serde(default = "default_startup")]
    pub startup: Span,
    /// Horizontal pod autoscaling; a fixed number of pods where it is left out.
    #[serde(default)]
    pub autoscale: Option<Autoscale>,
    /// A wait that is reported against: the share of requests that wait no longer, per station.
    #[serde(default)]
    pub wait_objective: Option<Span>,
    /// What differs in a cluster, by the cluster's name.
    #[serde(default, rename = "override")]
    pub overrides: IndexMap<String, ServiceOverride>,
}

impl ServiceSpec {
    /// The most pods that it may have in a cluster.
    pub fn most_pods(&self, cluster: &str) -> u32 {
        let replicas = self.overrides.get(cluster).and_then(|own| own.replicas).unwrap_or(self.replicas);
        self.autoscale.as_ref().map_or(replicas, |scale| scale.max.max(replicas))
    }
}

fn all() -> Selection {
    Selection::All
}
fn one_server() -> u32 {
    1
}
fn default_cpu() -> f64 {
    0.5
}
fn default_memory() -> Bytes {
    Bytes::new(512.0 * 1024.0 * 1024.0)
}
fn default_startup() -> Span {
    Span::from_whole_secs(40)
}

/// What differs for a service in one cluster.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceOverride {
    /// Pods in this cluster.
    #[serde(default)]
    pub replicas: Option<u32>,
    /// The share of the replicas that run until the standby takes over.
    #[serde(default)]
    pub scale: Option<Probability>,
}

/// An objective: a bound on one metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectation {
    /// The metric's name, as `regionsim list metrics` prints it.
    pub metric: String,
    /// Of this population; all of them where it is left out.
    #[serde(default)]
    pub population: Option<String>,
    /// Of this journey; all of them where it is left out.
    #[serde(default)]
    pub journey: Option<String>,
    /// Of this cluster; of no one cluster where it is left out.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Of this service; of no one service where it is left out.
    #[serde(default)]
    pub service: Option<String>,
    /// Of this store; of no one store where it is left out.
    #[serde(default)]
    pub store: Option<String>,
    /// The least that is good enough: a number, a share, or text with a unit.
    #[serde(default)]
    pub at_least: Option<Target>,
    /// The most that is good enough.
    #[serde(default)]
    pub at_most: Option<Target>,
    /// The confidence that `check` asks for.
    #[serde(default = "default_confidence")]
    pub confidence: Probability,
}

fn default_confidence() -> Probability {
    Probability::new(0.95).unwrap_or(Probability::ONE)
}

/// A bound in SI units: a number, or text with a unit ("250ms", "18 USD").
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target(f64);

impl Target {
    /// The bound in seconds, bytes, USD, or as a plain number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Target;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a number, or text with a unit such as \"250ms\" or \"18 USD\"")
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Target, E> {
                Ok(Target(number))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Target, E> {
                Ok(Target(number as f64))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Target, E> {
                Ok(Target(number as f64))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Target, E> {
                use serde::de::IntoDeserializer;
                if let Ok(span) = crate::base::time::parse_span(text) {
                    return Ok(Target(span.secs()));
                }
                crate::base::Money::deserialize(text.into_deserializer())
                    .map(|money: crate::base::Money| Target(money.get()))
                    .map_err(|_: serde::de::value::Error| {
                        E::custom("expected a number, or text with a unit such as \"250ms\" or \"18 USD\"")
                    })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number in SI units, or text with a unit (\"250ms\", \"18 USD\").",
            "type": ["number", "string"]
        })
    }
}
