//! Layer 5: a scenario compiled. Names become dense ids, everything that a run needs is looked up once, and
//! what is left is immutable, serialisable and shared by all threads.

mod compile;
pub(crate) mod connections;
mod rollout;

pub use compile::compile;
pub use connections::{AddressPlan, ConnectionPlan, Failover, HubPlan, ProxyPlan};
pub use rollout::{DriftPlan, OrphanPlan, ReleasePlan, RolloutPlan};

use crate::base::{Id, Span, Table};
use crate::dist::Dist;
use crate::domain::{Cluster, Connection, Dependency, Hub, Journey, Population, Region, Root, Service, Store};
use crate::failover::spec::{Decide, Failback, ScaleWhen};
use crate::failure::spec::{ClockStart, EffectSpec};
use crate::replication::keys::Popularity;
use crate::replication::spec::Replication;
use crate::routing::dns::Expiry;
use crate::routing::health::Prober;
use crate::routing::spec::Depth;
use crate::scaling::hpa::Rule;
use crate::scaling::nodes::{Pool, Request};
use crate::traffic::spec::{PATIENCE, Station};
use serde::{Deserialize, Serialize};

/// The root of what no fault caused.
pub const DEMAND: usize = 0;

/// One variant, ready to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The variant's name.
    pub variant: String,
    /// Simulated time that counts.
    pub horizon: Span,
    /// Simulated time before it that doesn't.
    pub warm_up: Span,
    /// Time from Monday 00:00 UTC to time 0, the start of the warm-up.
    pub week_offset: Span,
    /// Length of a slot: rates are constant within one.
    pub slot: Span,
    /// Requests one by one; `None` for rates.
    pub requests: Option<RequestsPlan>,
    /// Regions.
    pub regions: Table<Region, RegionPlan>,
    /// Clusters.
    pub clusters: Table<Cluster, ClusterPlan>,
    /// Services.
    pub services: Table<Service, ServicePlan>,
    /// Stores.
    pub stores: Table<Store, StorePlan>,
    /// External dependencies.
    pub dependencies: Table<Dependency, DependencyPlan>,
    /// Journeys.
    pub journeys: Table<Journey, JourneyPlan>,
    /// Populations.
    pub populations: Table<Population, PopulationPlan>,
    /// Round-trip times in seconds between regions.
    pub region_rtt: Table<Region, Table<Region, f64>>,
    /// p99 over p50 of a round-trip time.
    pub jitter: f64,
    /// Connections between clusters.
    pub connections: Table<Connection, ConnectionPlan>,
    /// What they go through.
    pub hubs: Table<Hub, HubPlan>,
    /// Addresses of services that callers don't run.
    pub addresses: Table<AddressPlan>,
    /// Primaries with their standbys; a cluster without one is a pair of its own.
    pub pairs: Vec<PairPlan>,
    /// How users find a cluster.
    pub routing: RoutingPlan,
    /// How a standby takes over.
    pub failover: FailoverPlan,
    /// Roots: demand, then each fault on each of its targets, each incident on each of its targets.
    pub roots: Table<Root, RootPlan>,
    /// What can be hit: one slot per (element, group).
    pub holds: Vec<HoldPlan>,
    /// Faults.
    pub faults: Vec<FaultPlan>,
    /// How many crews there are of each kind.
    pub crews: Vec<u32>,
    /// Scripted incidents.
    pub incidents: Vec<IncidentPlan>,
    /// Planned switchovers.
    pub switchovers: Vec<SwitchoverPlan>,
    /// Releases and drift.
    pub rollout: RolloutPlan,
    /// Surges of traffic.
    pub surges: Vec<SurgePlan>,
    /// By cluster: the root of its check's false alarms; empty where there are none.
    pub false_alarms: Vec<Id<Root>>,
    /// Prices and losses.
    pub cost: CostPlan,
}

/// A region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegionPlan {
    /// Its name.
    pub name: String,
    /// Latitude and longitude in degrees, where anything needs them.
    pub at: Option<(f64, f64)>,
    /// Prices; see [`crate::scenario::resolved::ResolvedRegion`].
    pub control_plane: f64,
    /// USD per hour and load balancer.
    pub load_balancer: f64,
    /// Internet egress tiers of a month: (GB up to which, USD per GB).
    pub egress: Vec<(Option<f64>, f64)>,
    /// USD per GB to each region.
    pub transfer: Table<Region, f64>,
    /// USD per GB that crosses zones.
    pub cross_zone: f64,
    /// USD per GB and month.
    pub storage: f64,
}

/// A cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterPlan {
    /// Its name.
    pub name: String,
    /// Digest of its name, for streams.
    pub digest: u64,
    /// Its region.
    pub region: Id<Region>,
    /// Zones it spans, numbered from 0 as its region's.
    pub zones: u32,
    /// Its services, as stations.
    pub stations: Vec<StationPlan>,
    /// Position in `stations` by service.
    pub station_of: Table<Service, Option<u32>>,
    /// By population and service: the address under which it calls what it doesn't run; empty without connections.
    pub addresses: Vec<Vec<Option<Id<AddressPlan>>>>,
    /// The proxies beside its pods, if it is in a mesh.
    pub proxies: Option<ProxyPlan>,
    /// Its nodes.
    pub pool: Option<Pool>,
    /// The chance that no node is to be had when another region is lost, and for how long.
    pub shortage: Option<(f64, Dist)>,
    /// It serves nobody until it is promoted.
    pub standby: bool,
    /// Fewest nodes while it is a standby.
    pub standby_min_nodes: u32,
    /// From the loss of a zone until its endpoints are dropped.
    pub endpoints_drop: Span,
    /// From then until the lost pods are started elsewhere.
    pub eviction: Span,
}

/// A service in a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StationPlan {
    /// The service.
    pub service: Id<Service>,
    /// Pods when the cluster is active.
    pub replicas: u32,
    /// Pods while it is an unpromoted standby.
    pub standby_replicas: u32,
    /// The autoscaler.
    pub hpa: Option<Rule>,
    /// How its backlog's wait is told apart; none where nothing ever waits.
    pub levels: Option<Levels>,
}

/// Levels of a backlog's wait.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Levels {
    /// Seconds of one level: an eighth of the shortest timeout.
    pub step: f64,
    /// The level beyond every timeout.
    pub last: u32,
}

/// A service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServicePlan {
    /// Its name.
    pub name: String,
    /// Requests that one pod serves at a time.
    pub concurrency: u32,
    /// Service time.
    pub time: Dist,
    /// Its mean in seconds, and its coefficient of variation: asked for at every turn.
    pub mean: f64,
    /// See `mean`.
    pub cv: f64,
    /// How it queues.
    pub station: Station,
    /// Requests that may wait.
    pub queue: Option<u64>,
    /// What a pod asks for.
    pub request: Request,
    /// From placement until it serves.
    pub startup: Span,
    /// Wait that is reported against.
    pub wait_objective: Option<f64>,
}

/// A store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StorePlan {
    /// Its name.
    pub name: String,
    /// Digest of its name, for streams.
    pub digest: u64,
    /// Clusters that hold a copy.
    pub copies: Vec<Id<Cluster>>,
    /// Its partitions: one, or one per population.
    pub partitions: Vec<PartitionPlan>,
    /// Reads go to the local copy where there is one.
    pub local_reads: bool,
    /// How writes reach the followers.
    pub replication: Replication,
    /// What it caches, if it is a cache.
    pub cache: Option<CachePlan>,
    /// Keys of a cache that stand for all: (share of the accesses, popularity).
    pub cached_keys: Vec<(f64, f64)>,
    /// How many times as fast as writes come a follower catches up.
    pub catch_up: f64,
    /// Bytes per second of a whole copy.
    pub copy_speed: f64,
    /// A deposed leader takes no more writes.
    pub fencing: bool,
    /// Which keys are accessed.
    pub popularity: Popularity,
    /// Seconds after a write's acknowledgement that are reported against.
    pub read_after: Option<f64>,
    /// USD per acknowledged write that is lost or undone.
    pub loss_per_write: f64,
    /// How long one access takes.
    pub time: Dist,
    /// How long a promotion takes.
    pub promote: Dist,
    /// In-region failover when the zone of a copy's instance is lost.
    pub zone_failover: Dist,
    /// Gigabytes per copy.
    pub size: f64,
    /// USD per copy and hour.
    pub instance_price: f64,
    /// USD per GB and month, where the region's price isn't meant.
    pub storage_price: Option<f64>,
}

/// What a cache caches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CachePlan {
    /// How long an entry may be used.
    pub ttl: Span,
    /// Where reads that miss go.
    pub of: Id<Store>,
    /// What they call on their way.
    pub through: Option<Id<Service>>,
}

impl StorePlan {
    /// Somebody leads each partition, and somebody else may be promoted.
    pub const fn is_led(&self) -> bool {
        match self.replication {
            Replication::Sync(_) | Replication::SemiSync(_) | Replication::Async(_) => true,
            Replication::Quorum(_) | Replication::MultiLeader(_) | Replication::Cache(_) => false,
        }
    }

    /// The partition that holds a population's data.
    pub fn partition_of(&self, population: Id<Population>) -> usize {
        if self.partitions.len() == 1 { 0 } else { population.index() }
    }
}

/// A partition of a store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartitionPlan {
    /// The cluster that leads it when all is well.
    pub leader: Id<Cluster>,
    /// The clusters that follow, the preferred successor first.
    pub followers: Vec<Id<Cluster>>,
}

impl PartitionPlan {
    /// The clusters that hold it.
    pub fn members(&self) -> impl Iterator<Item = Id<Cluster>> + Clone + '_ {
        core::iter::once(self.leader).chain(self.followers.iter().copied())
    }
}

/// An external dependency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DependencyPlan {
    /// Its name.
    pub name: String,
    /// How long it takes to answer.
    pub time: Dist,
}

/// How long a client waits before it tries again, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Backoff {
    /// So long for sure, and up to so much more, evenly.
    Even(f64, f64),
    /// Exponential, of this mean.
    Memoryless(f64),
}

/// A journey.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JourneyPlan {
    /// Its name.
    pub name: String,
    /// Seconds after which the client gives up.
    pub timeout: Option<f64>,
    /// How long it waits in a queue before it leaves it.
    pub patience: Option<Dist>,
    /// Seconds without an answer after which it asks once more.
    pub hedge: Option<f64>,
    /// The wait before each retry.
    pub backoffs: Vec<Backoff>,
    /// Most retries for each request.
    pub budget: f64,
    /// Failing share at which clients give up, and share of requests that they send then.
    pub breaker: Option<(f64, f64)>,
    /// Where capacity is short the lowest are shed first.
    pub priority: u32,
    /// Bytes of a request.
    pub request: f64,
    /// Bytes of a response.
    pub response: f64,
    /// What it does: in order, unless `program` says otherwise.
    pub steps: Vec<StepPlan>,
    /// In which order, where chance has a say in it; empty where it hasn't.
    pub program: Vec<Instruction>,
    /// USD per failed request.
    pub loss: f64,
    /// Share of failed requests that come back.
    pub recaptured: f64,
}

impl JourneyPlan {
    /// Tries after the first.
    pub fn retries(&self) -> u32 {
        self.backoffs.len() as u32
    }

    /// Seconds that a client waits in backlogs.
    pub fn patience(&self) -> f64 {
        self.timeout.unwrap_or(PATIENCE.secs())
    }
}

/// What a request does next.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Instruction {
    /// The step at this position of [`JourneyPlan::steps`].
    Step(usize),
    /// With this probability goes on at that instruction instead of the next.
    Jump(f64, usize),
}

/// A step of a journey.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum StepPlan {
    /// Calls to services, at once if there are several.
    Call(Vec<Id<Service>>),
    /// A read, and the bytes of its answer.
    Read(Id<Store>, f64),
    /// A write, and its bytes.
    Write(Id<Store>, f64),
    /// A call to something outside.
    Dependency(Id<Dependency>),
}

/// A population.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PopulationPlan {
    /// Its name.
    pub name: String,
    /// Latitude and longitude in degrees, where anything needs them.
    pub at: Option<(f64, f64)>,
    /// Mean requests per second.
    pub rate: f64,
    /// Requests that come at once.
    pub batch: u32,
    /// Recorded arrivals, where they are replayed: (from time 0, requests).
    pub replay: Option<Vec<(Span, u32)>>,
    /// Multiplier by slot of the week.
    pub profile: Vec<f64>,
    /// Growth per year.
    pub growth: f64,
    /// Share of each journey.
    pub shares: Table<Journey, f64>,
    /// Round-trip time in seconds to each cluster.
    pub rtt: Table<Cluster, f64>,
    /// Clusters that residency forbids.
    pub forbidden: Table<Cluster, bool>,
    /// Clusters outside what residency prefers.
    pub disliked: Table<Cluster, bool>,
    /// Positions of pairs, best first.
    pub order: Vec<usize>,
    /// Weight by pair, for policies that split a population.
    pub weights: Option<Vec<f64>>,
}

impl PopulationPlan {
    /// The clusters that serve it when all is well, each with its share.
    pub fn homes(&self, pairs: &[PairPlan]) -> Vec<(Id<Cluster>, f64)> {
        let allowed = |pair: &&usize| !self.forbidden[pairs[**pair].primary];
        let primary = |&pair: &usize| pairs[pair].primary;
        match &self.weights {
            None => self.order.iter().find(allowed).map(|pair| (primary(pair), 1.0)).into_iter().collect(),
            Some(weights) => {
                let sum: f64 = self.order.iter().filter(allowed).map(|&pair| weights[pair]).sum();
                let weighed = self.order.iter().filter(allowed).filter(|&&pair| weights[pair] > 0.0);
                weighed.map(|pair| (primary(pair), weights[*pair] / sum)).collect()
            }
        }
    }
}

/// A primary and its standby.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PairPlan {
    /// The primary.
    pub primary: Id<Cluster>,
    /// Its standby.
    pub standby: Option<Id<Cluster>>,
}

/// How users find a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoutingPlan {
    /// Past its first pair.
    pub fallback: bool,
    /// How clients leave an old answer.
    pub expiry: Expiry,
    /// From a changed record until every name server has it.
    pub propagation: Span,
    /// The health check.
    pub prober: Prober,
    /// The phase of every checker, where it isn't drawn.
    pub phase: Option<Span>,
    /// How many checkers.
    pub checkers: u32,
    /// What a probe sees.
    pub depth: Depth,
    /// How long a cluster that was marked down stays so at least.
    pub hold_down: Span,
    /// Time between false alarms of a cluster's check.
    pub false_alarms: Option<Dist>,
    /// Share of capacity above which load spills to the next cluster.
    pub spill: Option<f64>,
}

/// How a standby takes over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailoverPlan {
    /// Who decides.
    pub decide: Decide,
    /// How long a promotion takes.
    pub promote: Dist,
    /// The chance that it works.
    pub promote_success: f64,
    /// The chance that it covers a failure, and how long a promotion takes where it doesn't; `None` where it always does.
    pub coverage: Option<(f64, Dist)>,
    /// Whether and when to go back.
    pub failback: Failback,
    /// When the standby's services grow.
    pub scale_when: ScaleWhen,
    /// The region without which nothing fails over.
    pub runs_in: Option<Id<Region>>,
}

/// A cause: one fault on one target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RootPlan {
    /// The fault's or incident's name.
    pub fault: String,
    /// The target's name; empty for demand.
    pub target: String,
    /// Digest of both, for streams.
    pub digest: u64,
}

impl RootPlan {
    /// How reports call it.
    pub fn label(&self) -> String {
        if self.target.is_empty() { self.fault.clone() } else { format!("{}: {}", self.fault, self.target) }
    }
}

/// What can be hit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Element {
    /// A region and all in it.
    Region(Id<Region>),
    /// A zone of a region.
    Zone(Id<Region>, u32),
    /// A cluster.
    Cluster(Id<Cluster>),
    /// A service in a cluster.
    Service(Id<Cluster>, Id<Service>),
    /// A pod of a service in a cluster, by its number.
    Pod(Id<Cluster>, Id<Service>, u32),
    /// A store's copy in a cluster.
    Copy(Id<Cluster>, Id<Store>),
    /// The network between two regions.
    Link(Id<Region>, Id<Region>),
    /// The way of a population to a cluster.
    Access(Id<Population>, Id<Cluster>),
    /// The way of the health checks to a cluster.
    Checks(Id<Cluster>),
    /// What gives out answers.
    Routing,
    /// The one `GitOps` controller of all clusters.
    Gitops,
    /// The `GitOps` controller of a cluster.
    Controller(Id<Cluster>),
    /// An external dependency.
    Dependency(Id<Dependency>),
    /// A connection.
    Connection(Id<Connection>),
    /// A hub and all connections through it.
    Hub(Id<Hub>),
}

/// One element under one group of faults: within it, what is down absorbs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HoldPlan {
    /// The element.
    pub element: Element,
    /// The group.
    pub group: u32,
}

/// One member of a fault: where it hits, and as which root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// Position in [`Plan::holds`].
    pub hold: u32,
    /// The root.
    pub root: Id<Root>,
    /// Its stream: the root's, but that pods of one root have each their own.
    pub digest: u64,
}

/// A fault process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultPlan {
    /// Its stream.
    pub digest: u64,
    /// What it does.
    pub effect: EffectSpec,
    /// Up-time, or time between shocks.
    pub every: Dist,
    /// How long it lasts.
    pub repair: Dist,
    /// In what state it starts.
    pub clock: ClockStart,
    /// The chance that a shock hits each member; `None` for a fault of one target.
    pub shock: Option<f64>,
    /// Who repairs it: a position in [`Plan::crews`]; `None` where nobody has to wait.
    pub crews: Option<usize>,
    /// Its targets: one, unless it is a shock.
    pub members: Vec<Hit>,
}

/// Requests one by one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestsPlan {
    /// The share of them that is simulated, on as large a share of the servers.
    pub scale: f64,
    /// When, from the start of the horizon: in order, apart, in whole minutes but for the horizon's end. All the time
    /// where it is `None`.
    pub windows: Option<Vec<(Span, Span)>>,
}

/// A scripted incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IncidentPlan {
    /// What it does.
    pub effect: EffectSpec,
    /// When, from time 0.
    pub at: Span,
    /// For how long.
    pub lasts: Span,
    /// Its targets.
    pub members: Vec<Hit>,
}

/// A planned change of a store's leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SwitchoverPlan {
    /// Its root.
    pub root: Id<Root>,
    /// The store.
    pub store: Id<Store>,
    /// The new leader.
    pub to: Id<Cluster>,
    /// When it is commanded, from time 0.
    pub at: Span,
    /// From the command until the old leader takes no more writes.
    pub writes_stop: Span,
    /// From the command until the old leader answers no more reads.
    pub reads_stop: Span,
    /// From the command until the new leader takes writes.
    pub writable: Span,
    /// From the command until clients reach it.
    pub resolves: Span,
}

/// A surge of traffic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SurgePlan {
    /// When, from time 0.
    pub at: Span,
    /// For how long.
    pub lasts: Span,
    /// What rates are multiplied by.
    pub factor: f64,
    /// Which populations.
    pub populations: Table<Population, bool>,
}

/// Prices and losses that belong to no region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CostPlan {
    /// Load balancers per cluster.
    pub load_balancers: u32,
    /// Share of in-cluster bytes that cross zones, where it isn't (zones − 1)/zones.
    pub cross_zone_share: Option<f64>,
    /// USD per million DNS queries.
    pub dns_queries: f64,
    /// DNS queries per second, where they aren't a hundredth of the requests.
    pub dns_query_rate: Option<f64>,
    /// USD per health check and month.
    pub health_check: f64,
    /// Hours of people per cluster and month.
    pub people_hours: f64,
    /// USD per hour of people.
    pub people_price: f64,
    /// USD per minute in which everything fails.
    pub outage_per_minute: f64,
    /// USD of revenue per month, and credits by availability: (below, share), lowest first.
    pub sla: Option<(f64, Vec<(f64, f64)>)>,
}

impl Plan {
    /// The windows in which requests are simulated one by one, in seconds from the start of the horizon; none where all
    /// of it is one engine's.
    pub fn windows(&self) -> impl Iterator<Item = (f64, f64)> {
        let windows = self.requests.iter().flat_map(|requests| requests.windows.iter().flatten());
        windows.map(|&(from, to)| (from.secs(), to.secs()))
    }

    /// The number of each store's first partition, where the partitions of all stores are counted in one row.
    pub fn first_partitions(&self) -> Table<Store, usize> {
        let after =
            |next: &mut usize, store: &StorePlan| Some(core::mem::replace(next, *next + store.partitions.len()));
        self.stores.iter().scan(0, after).collect()
    }

    /// Slots of a week.
    pub fn slots(&self) -> usize {
        (Span::WEEK.nanos() / self.slot.nanos()) as usize
    }
}
