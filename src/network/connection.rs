//! Connections between clusters: what a call of a service that a cluster doesn't run goes over.
//!
//! A call takes a round trip between the two regions, the connection's own latency on each of its two ways, and what
//! the service takes there. Defaults are AWS's list prices in us-east-1 (`data/prices/services.csv`, 2024-07-01) and
//! Istio's published overhead (`data/mesh/istio_overhead.csv`). Nobody publishes what a balancer, a tunnel or a gateway
//! adds to a call: that is 0 unless a scenario says what was measured.

use crate::base::{Money, Span};
use crate::dist::Dist;
use crate::domain::Selection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the clusters `from` call services that run in the clusters `to` and not in their own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectionSpec {
    /// The connection's name: faults hit it by this name.
    pub name: String,
    /// The clusters that call; all of them where it is left out.
    #[serde(default = "all")]
    pub from: Selection,
    /// The clusters that are called; all of them where it is left out.
    #[serde(default = "all")]
    pub to: Selection,
    /// What kind it is, which sets what is left out below.
    pub via: ConnectionKind,
    /// What it adds to a call on each of its two ways, beyond the round trip between the regions.
    #[serde(default)]
    pub latency: Option<Dist>,
    /// Its price by the hour: for each cluster that is called through it; of a VPN or a peering for each pair of clusters.
    #[serde(default)]
    pub per_hour: Option<Money>,
    /// Its price per GB, beyond what the bytes cost that leave a region.
    #[serde(default)]
    pub per_gb: Option<Money>,
    /// Bytes on it are encrypted.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// Each call proves who makes it.
    #[serde(default)]
    pub authenticated: Option<bool>,
    /// It can be reached from the internet.
    #[serde(default)]
    pub public: Option<bool>,
    /// The hub that it goes through.
    #[serde(default)]
    pub hub: Option<String>,
}

fn all() -> Selection {
    Selection::All
}

/// What kind of connection it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionKind {
    /// A load balancer with a public address for each service, over the internet, in the clear and for anybody. Callers
    /// hold its address.
    PublicLb(Static),
    /// A service mesh over several clusters: a proxy beside each pod, mutual TLS, calls that go to another cluster when
    /// their own target fails.
    Mesh(Mesh),
    /// A tunnel over the internet, encrypted; who is in it may call what it likes. Callers hold an address.
    Vpn(Static),
    /// The networks of two clusters joined on the provider's backbone, in the clear. Callers hold an address.
    Peering(Static),
    /// One public gateway in front of a cluster's services, over the internet, with TLS, which asks who calls. Callers
    /// hold its address.
    ApiGateway(Static),
}

/// What callers do when what they have an address of fails: nothing, until somebody changes it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Static {
    /// From when calls fail until somebody has noticed it and changed the address to that of another cluster; nobody
    /// does where it is left out. It takes as long to change it back.
    #[serde(default)]
    pub change: Option<Dist>,
}

/// A service mesh. Calls are taken away from a target that fails half of them or more (outlier detection), to the
/// nearest other that is well (locality failover).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mesh {
    /// Errors in a row after which a target is left.
    #[serde(default = "default_errors")]
    pub errors: u32,
    /// Time between two looks at a target: it is left after `errors` × `interval`.
    #[serde(default = "default_interval")]
    pub interval: Span,
    /// After the target is well again, until it gets calls again.
    #[serde(default = "default_ejection")]
    pub ejection: Span,
    /// What the two proxies of a call add to it; on each way half of it. Calls within a cluster of the mesh pay it too.
    #[serde(default = "default_proxies")]
    pub proxies: Dist,
    /// vCPUs that one proxy takes for a thousand calls per second.
    #[serde(default = "default_cpu")]
    pub cpu: f64,
}

// Envoy's outlier detection: consecutive_5xx 5, interval 10 s, base_ejection_time 30 s.
fn default_errors() -> u32 {
    5
}
fn default_interval() -> Span {
    Span::from_whole_secs(10)
}
fn default_ejection() -> Span {
    Span::from_whole_secs(30)
}
fn default_proxies() -> Dist {
    // istio112.sidecar_pair.added_p90: no median is published, so this is too slow.
    Dist::constant(Span::from_nanos(2_650_000))
}
fn default_cpu() -> f64 {
    // istio.sidecar.cpu_per_1000rps.
    0.2
}

impl Mesh {
    /// From when a target fails until calls leave it.
    pub fn detection(&self) -> Span {
        Span::from_secs(f64::from(self.errors) * self.interval.secs())
    }
}

/// What a scenario leaves out of a connection.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Defaults {
    /// USD per hour.
    pub per_hour: f64,
    /// USD per GB.
    pub per_gb: f64,
    /// Bytes are encrypted.
    pub encrypted: bool,
    /// Calls prove who makes them.
    pub authenticated: bool,
    /// It can be reached from the internet.
    pub public: bool,
}

impl ConnectionKind {
    /// What is left out.
    pub fn defaults(&self) -> Defaults {
        let (nlb, alb) = ((0.0225, 0.006), (0.0225, 0.008));
        let of = |(per_hour, per_gb), encrypted, authenticated, public| Defaults {
            per_hour,
            per_gb,
            encrypted,
            authenticated,
            public,
        };
        match self {
            // A network load balancer; one of its capacity units carries a GB in an hour.
            Self::PublicLb(_) => of(nlb, false, false, true),
            // The gateway into a cluster is behind such a load balancer, on a private address.
            Self::Mesh(_) => of(nlb, true, true, false),
            Self::Vpn(_) => of((0.05, 0.0), true, false, false),
            Self::Peering(_) => of((0.0, 0.0), false, false, false),
            // An application load balancer and its capacity units.
            Self::ApiGateway(_) => of(alb, true, true, true),
        }
    }

    /// Bytes between regions cost what those to the internet cost.
    pub const fn is_over_the_internet(&self) -> bool {
        match self {
            Self::PublicLb(_) | Self::Vpn(_) | Self::ApiGateway(_) => true,
            Self::Mesh(_) | Self::Peering(_) => false,
        }
    }

    /// It is billed for each pair of clusters, not for each that is called.
    pub const fn is_billed_by_pair(&self) -> bool {
        match self {
            Self::Vpn(_) | Self::Peering(_) => true,
            Self::PublicLb(_) | Self::Mesh(_) | Self::ApiGateway(_) => false,
        }
    }

    /// Its name in a scenario.
    pub const fn tag(&self) -> &'static str {
        match self {
            Self::PublicLb(_) => "public-lb",
            Self::Mesh(_) => "mesh",
            Self::Vpn(_) => "vpn",
            Self::Peering(_) => "peering",
            Self::ApiGateway(_) => "api-gateway",
        }
    }
}

/// Something that several connections go through, such as a transit gateway: what takes it takes them all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HubSpec {
    /// The hub's name.
    pub name: String,
    /// USD per hour for each cluster attached to it.
    #[serde(default = "default_attachment")]
    pub per_hour: Money,
    /// USD per GB through it.
    #[serde(default = "default_hub_gb")]
    pub per_gb: Money,
}

fn default_attachment() -> Money {
    // A transit gateway attachment of data/prices/services.csv.
    Money::usd(0.05)
}
fn default_hub_gb() -> Money {
    Money::usd(0.02)
}
