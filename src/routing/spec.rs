//! What a scenario says of routing: the policy, health checks, and how an answer reaches the clients.

use super::policy::Policy;
use crate::base::{Probability, Span};
use crate::dist::Dist;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How users find a cluster.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoutingSpec {
    /// How the clusters are ordered for a population.
    #[serde(default)]
    pub policy: Policy,
    /// Whether other pairs take over when the first is down: `none` where pairs exist, else `any`.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// How an answer reaches the clients.
    #[serde(default)]
    pub via: Via,
    /// Clients that stay with their cluster while it can be reached, though a new answer leads elsewhere; none where
    /// it is left out.
    #[serde(default)]
    pub sticky: Option<StickySpec>,
    /// How a dead cluster is noticed.
    #[serde(default)]
    pub health: HealthSpec,
}

/// Whether a population may be sent past its first pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// To the next healthy cluster in the policy's order.
    Any,
    /// Never: it waits for its pair's promotion.
    None,
}

/// How an answer reaches the clients.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// DNS records with a time to live.
    Dns(DnsSpec),
    /// One address that every cluster announces: when one goes, the network's own routes lead elsewhere.
    Anycast(EdgeSpec),
    /// A global load balancer, whose edges take each request to a cluster.
    GlobalLb(EdgeSpec),
}

impl Default for Via {
    fn default() -> Self {
        Self::Dns(DnsSpec::default())
    }
}

/// DNS records with a time to live.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsSpec {
    /// Time to live of a record.
    #[serde(default = "default_ttl")]
    pub ttl: Span,
    /// Share of clients behind resolvers that keep records for longer.
    #[serde(default)]
    pub stretched: Probability,
    /// How long those keep a record.
    #[serde(default = "default_stretched_ttl")]
    pub stretched_ttl: Span,
    /// From a changed record until every name server has it.
    #[serde(default)]
    pub propagation: Span,
}

fn default_ttl() -> Span {
    Span::from_whole_secs(60)
}
fn default_stretched_ttl() -> Span {
    Span::from_whole_secs(1800)
}

impl Default for DnsSpec {
    fn default() -> Self {
        Self {
            ttl: default_ttl(),
            stretched: Probability::ZERO,
            stretched_ttl: default_stretched_ttl(),
            propagation: Span::ZERO,
        }
    }
}

/// An edge that sees load, and whose clients hold no old answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EdgeSpec {
    /// From a changed answer until every edge, or every route, follows it: all clients move then.
    pub converge: Span,
    /// Share of a cluster's capacity above which load spills to the next cluster in the policy's order; nothing
    /// spills where it is left out.
    #[serde(default)]
    pub spill_above: Option<Probability>,
}

/// Clients that hold connections, or sessions that stick to a cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StickySpec {
    /// Share of clients that hold one.
    pub share: Probability,
    /// How long one lasts, from its beginning. One to a cluster that can't be reached breaks at once.
    pub lasts: Span,
}

/// How a dead cluster is noticed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthSpec {
    /// Time between two probes of one checker.
    #[serde(default = "default_interval")]
    pub interval: Span,
    /// How long a probe waits for an answer. A black hole costs it; a refused connection doesn't.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// Failed probes in a row that mark a cluster down.
    #[serde(default = "three")]
    pub failures: u32,
    /// Good probes in a row that mark it up.
    #[serde(default = "three")]
    pub successes: u32,
    /// When probes fall: this long after each multiple of the interval. Drawn per cluster where left out.
    #[serde(default)]
    pub phase: Option<Span>,
    /// Checkers that probe independently.
    #[serde(default = "one")]
    pub checkers: u32,
    /// Checkers that must agree to change the verdict.
    #[serde(default = "one")]
    pub quorum: u32,
    /// What a probe sees.
    #[serde(default)]
    pub check: Depth,
    /// A cluster that was marked down stays so for at least this long: damps flapping.
    #[serde(default)]
    pub hold_down: Span,
    /// Time between two false alarms of a cluster's check, which mark it down though nothing is wrong; none where it
    /// is left out.
    #[serde(default)]
    pub false_alarms: Option<Dist>,
}

/// What a probe sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// The front alone: the region, the cluster, and the first service of the paths.
    #[default]
    Shallow,
    /// Also every service of the paths, the stores and the dependencies.
    Deep,
}

fn default_interval() -> Span {
    Span::from_whole_secs(30)
}
fn default_timeout() -> Span {
    Span::from_whole_secs(4)
}
fn three() -> u32 {
    3
}
fn one() -> u32 {
    1
}

impl Default for HealthSpec {
    fn default() -> Self {
        Self {
            interval: default_interval(),
            timeout: default_timeout(),
            failures: 3,
            successes: 3,
            phase: None,
            checkers: 1,
            quorum: 1,
            check: Depth::Shallow,
            hold_down: Span::ZERO,
            false_alarms: None,
        }
    }
}
