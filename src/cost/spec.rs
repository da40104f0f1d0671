//! What a scenario says of money: prices where the catalogue's aren't meant, people, and being down.

use crate::base::{Bytes, Money, Probability, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Prices and losses. What is left out comes from the catalogue.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CostSpec {
    /// Kubernetes control plane, per cluster-hour.
    #[serde(default)]
    pub control_plane: Option<Money>,
    /// Load balancers of one cluster, per hour.
    #[serde(default)]
    pub load_balancer: Option<Money>,
    /// How many load balancers a cluster has.
    #[serde(default = "one")]
    pub load_balancers: u32,
    /// Internet egress, tier by tier of a month, per region; the catalogue's tiers where it is left out.
    #[serde(default)]
    pub egress: Option<Vec<Tier>>,
    /// Transfer to another region, per GB; the sending region's catalogue price where it is left out.
    #[serde(default)]
    pub inter_region: Option<Money>,
    /// Transfer to another zone, per GB and way.
    #[serde(default)]
    pub cross_zone: Option<Money>,
    /// Share of in-cluster bytes that cross zones; (zones - 1) / zones where it is left out.
    #[serde(default)]
    pub cross_zone_share: Option<Probability>,
    /// DNS queries, per million.
    #[serde(default)]
    pub dns_queries: Option<Money>,
    /// How many DNS queries there are; one per hundred requests where it is left out (assumed: a
    /// session of a hundred requests resolves once).
    #[serde(default)]
    pub dns_query_rate: Option<Rate>,
    /// One health check, per month.
    #[serde(default)]
    pub health_check: Option<Money>,
    /// Hours of people per cluster and month.
    #[serde(default)]
    pub people_hours: f64,
    /// Price of an hour of people.
    #[serde(default)]
    pub people_price: Money,
    /// Business loss per minute of outage, for all users: shared out by the share of requests that fail.
    #[serde(default)]
    pub outage_per_minute: Money,
    /// Credits owed to customers, by availability of a month.
    #[serde(default)]
    pub sla: Option<SlaSpec>,
}

fn one() -> u32 {
    1
}

/// One price tier.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tier {
    /// Where the tier ends, counted from the start of the month; the last tier has no end.
    #[serde(default)]
    pub up_to: Option<Bytes>,
    /// Price per GB.
    pub price: Money,
}

/// Credits owed to customers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlaSpec {
    /// What customers pay per month.
    pub revenue: Money,
    /// Credits: the lowest `below` that the month's availability is under counts.
    pub credits: Vec<Credit>,
}

/// One step of an SLA.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credit {
    /// Availability of the month under which the credit is owed.
    pub below: Probability,
    /// Share of the month's revenue.
    pub share: Probability,
}
