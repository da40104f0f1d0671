//! What a scenario says of data: stores, who leads them, how they replicate.

use crate::base::{Bytes, Money, Span};
use crate::dist::Dist;
use crate::domain::Selection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A store: a database, a table, a cache, with a copy in each of its clusters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSpec {
    /// The store's name.
    pub name: String,
    /// The clusters that hold a copy; all of them where it is left out.
    #[serde(default = "all")]
    pub clusters: Selection,
    /// How it is split and who leads.
    #[serde(default)]
    pub partitions: Partitions,
    /// The clusters that follow a partition's leader, of those that hold a copy; every other one of them
    /// that residency allows, where it is left out.
    #[serde(default = "all")]
    pub followers: Selection,
    /// At most this many followers per partition: the standby of the leader's cluster first, then the
    /// nearest. No limit where it is left out.
    #[serde(default)]
    pub max_followers: Option<u32>,
    /// Where reads go.
    #[serde(default)]
    pub reads: Reads,
    /// How writes reach the followers.
    #[serde(default)]
    pub replication: Replication,
    /// How many times as fast as it is written to a follower catches up once it, or the network to it, is back.
    /// Assumed.
    #[serde(default = "twice")]
    pub catch_up: f64,
    /// Bytes per second at which a copy is made whole: one whose own history is no longer the leader's, such as that of
    /// a deposed leader with writes that the new one never got. Then it catches up. Assumed: a network of 1 Gbit/s.
    #[serde(default = "gigabit")]
    pub copy_speed: Bytes,
    /// A leader that was deposed while it is there takes no more writes. Without that it goes on until it is seen to
    /// be up again, and what it took is thrown away: split brain.
    #[serde(default = "yes")]
    pub fencing: bool,
    /// Which keys are popular: what stale reads and conflicts depend on.
    #[serde(default)]
    pub keys: Keys,
    /// A time that is reported against: the share of reads that see a write, begun so long after it was acknowledged.
    #[serde(default)]
    pub read_after: Option<Span>,
    /// Business loss per acknowledged write that is lost or undone.
    #[serde(default)]
    pub loss_per_write: Money,
    /// Holds personal data: `must-stay-in` then binds its copies too.
    #[serde(default)]
    pub personal: bool,
    /// How long one access takes at the copy that serves it.
    #[serde(default = "instantly")]
    pub time: Dist,
    /// How long a promotion of a follower takes; `failover.promote` where it is left out.
    #[serde(default)]
    pub promote: Option<Dist>,
    /// In-region failover when the zone of the copy's instance is lost.
    #[serde(default = "default_zone_failover")]
    pub zone_failover: Dist,
    /// Data held, per copy.
    #[serde(default)]
    pub size: Bytes,
    /// Price of one copy's instances for an hour, in-region redundancy included.
    #[serde(default)]
    pub instance_price: Money,
    /// Price of one GB for a month, in-region redundancy included; the catalogue's where it is left out.
    #[serde(default)]
    pub storage_price: Option<Money>,
}

impl StoreSpec {
    /// What it caches, if it is a cache.
    pub const fn cache(&self) -> Option<&Cache> {
        match &self.replication {
            Replication::Cache(cache) => Some(cache),
            Replication::Sync(_)
            | Replication::SemiSync(_)
            | Replication::Async(_)
            | Replication::Quorum(_)
            | Replication::MultiLeader(_) => None,
        }
    }
}

fn all() -> Selection {
    Selection::All
}
fn instantly() -> Dist {
    Dist::constant(Span::ZERO)
}
fn default_zone_failover() -> Dist {
    // rds.multi_az_instance_failover_min and _max of data/controls/replication_and_failover.csv.
    Dist::uniform(Span::from_whole_secs(60), Span::from_whole_secs(120))
}

/// How a store is split and who leads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Partitions {
    /// One partition with one leader.
    SingleLeader(SingleLeader),
    /// One partition per population, led where its users are served when all is well.
    Geo {},
}

impl Default for Partitions {
    fn default() -> Self {
        Self::SingleLeader(SingleLeader::default())
    }
}

/// One leader for everyone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SingleLeader {
    /// The leader's cluster; the first of the store's clusters where it is left out.
    #[serde(default)]
    pub leader: Option<String>,
}

/// Where reads go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// To the leader: never stale.
    #[default]
    Leader,
    /// To the copy in the cluster that serves the request, where there is one.
    Local,
}

/// How writes reach the followers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// A write is acknowledged when every follower has it.
    Sync(Sync),
    /// A write is acknowledged when some followers have it; it reaches the others after the lag.
    SemiSync(SemiSync),
    /// A write is acknowledged by the leader; it reaches the followers after the lag.
    Async(Async),
    /// No leader: a write is acknowledged when W of the N copies have it, a read when R have answered.
    Quorum(Box<Quorum>),
    /// Every copy leads: a write is acknowledged where it is made, and reaches the others after the lag.
    MultiLeader(MultiLeader),
    /// A cache of another store: every copy is its cluster's own, filled by the reads that miss, replicated by nobody.
    Cache(Cache),
}

impl Default for Replication {
    fn default() -> Self {
        Self::Sync(Sync::default())
    }
}

/// A write is acknowledged when every follower has it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sync {
    /// Go on without a follower that is gone, instead of stopping writes.
    #[serde(default)]
    pub degrade: bool,
}

/// A write is acknowledged when some followers have it; it reaches the others after the lag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SemiSync {
    /// Followers that must have a write: the fastest that can be reached.
    #[serde(default = "one")]
    pub acks: u32,
    /// From a write's acknowledgement until the other followers have it, per write.
    pub lag: Dist,
    /// Go on with fewer followers when so many aren't there, instead of stopping writes.
    #[serde(default = "yes")]
    pub degrade: bool,
}

fn gigabit() -> Bytes {
    Bytes::new(100e6)
}
fn twice() -> f64 {
    2.0
}
fn one() -> u32 {
    1
}
fn yes() -> bool {
    true
}

/// No leader: the copies of a partition vote.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quorum {
    /// Copies that must have answered a read.
    pub read: u32,
    /// Copies that must have a write.
    pub write: u32,
    /// How long messages take between the copy that an access goes through and each of the copies, itself included.
    #[serde(default)]
    pub delays: Delays,
}

/// One-way delays of messages, the same to and from every copy. Half the round trip, with its jitter, where one is left
/// out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delays {
    /// Of a write to a copy.
    #[serde(default)]
    pub write: Option<Dist>,
    /// Of its acknowledgement.
    #[serde(default)]
    pub ack: Option<Dist>,
    /// Of a read to a copy.
    #[serde(default)]
    pub read: Option<Dist>,
    /// Of its answer.
    #[serde(default)]
    pub response: Option<Dist>,
}

/// Every copy leads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MultiLeader {
    /// From a write's acknowledgement until another copy has it, per write.
    pub lag: Dist,
    /// What becomes of two writes to one key that didn't know of each other.
    #[serde(default)]
    pub conflicts: Conflicts,
}

/// A cache of another store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cache {
    /// How long an entry may be used once it was fetched.
    pub ttl: Span,
    /// The store that it caches: where reads that miss go, and all writes.
    pub of: String,
    /// A service in front of that store, called once for each read that misses.
    #[serde(default)]
    pub through: Option<String>,
}

/// What becomes of two writes to one key that didn't know of each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conflicts {
    /// The later one stays, and the other is undone though it was acknowledged.
    #[default]
    LastWriteWins,
    /// Both stay, joined: counters, sets, documents that merge.
    Merge,
}

/// Which keys are accessed: key i of `count` in proportion to i^−zipf.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// How many keys.
    #[serde(default = "million")]
    pub count: u64,
    /// How uneven: 0 for all alike. The cloud serving benchmark takes 0.99 (Cooper et al. 2010).
    #[serde(default = "ycsb")]
    pub zipf: f64,
}

fn million() -> u64 {
    1_000_000
}
fn ycsb() -> f64 {
    0.99
}

impl Default for Keys {
    fn default() -> Self {
        Self { count: million(), zipf: ycsb() }
    }
}

/// A write is acknowledged by the leader; it reaches the followers after the lag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Async {
    /// From a write's acknowledgement until the follower has it, per write.
    pub lag: Dist,
}
