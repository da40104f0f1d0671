//! The facts of one seed: what the simulation emits and every metric is made from.
//!
//! Counts are expected numbers, not whole: the flow engine has no request noise. Times are seconds from the
//! start of the horizon; what happened in the warm-up isn't here. Tables are dense: a *cell* is a population
//! and a journey, at `population * journeys + journey`.

use super::rollout::{Revision, RolloutTally};
use super::{Cluster, Connection, Journey, Population, Region, Root, Stage, Store};
use crate::base::Id;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Nodes of the latency curves, in seconds: 1 ms × 1.1^k.
pub const CURVE_NODES: usize = 128;

/// The nodes of latency curves, in seconds.
static NODES: LazyLock<[f64; CURVE_NODES]> =
    LazyLock::new(|| core::array::from_fn(|k| 1e-3 * crate::base::maths::powf(1.1, k as f64)));

/// The nodes of latency curves, in seconds.
pub fn curve_nodes() -> &'static [f64; CURVE_NODES] {
    &NODES
}

/// The k-th node of a latency curve, in seconds.
pub fn curve_node(k: usize) -> f64 {
    NODES[k]
}

/// Everything that one seed observed.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Observations {
    /// Which replication.
    pub replication: u64,
    /// Events taken from the event list.
    pub events: u64,
    /// Requests by billing month (730 h), in order; the last one may be short.
    pub months: Vec<Month>,
    /// Requests lost, by cell, stage and root; in order of first loss.
    pub losses: Vec<Loss>,
    /// Latency of good requests: each cell, each population over all journeys, each journey over all
    /// populations, and all.
    pub latency: Vec<Latency>,
    /// By population, then one for all: share of good requests at most [`curve_node`] slow.
    pub curves: Vec<Vec<f64>>,
    /// Intervals below 99 % success, in order of start.
    pub outages: Vec<Outage>,
    /// By cell: seconds below 99 % success.
    pub below: Vec<f64>,
    /// Seconds in which any cell was below 99 %.
    pub any_below: f64,
    /// Promotions of followers that could lose writes.
    pub promotions: Vec<Promotion>,
    /// Copies that were brought up to date.
    pub resyncs: Vec<Resync>,
    /// By store, then journey: what was done to data.
    pub data: Vec<Vec<DataTally>>,
    /// By store: how its accesses went.
    pub stores: Vec<StoreTally>,
    /// By cluster, then station in the plan's order.
    pub stations: Vec<Vec<StationTally>>,
    /// By root: times it went from up to down, and seconds that it held.
    pub faults: Vec<(u64, f64)>,
    /// What became of releases.
    pub rollouts: RolloutTally,
    /// What each cluster ran when, cluster by cluster; empty where there are neither releases nor drift.
    pub revisions: Vec<Revision>,
    /// The share of all users on a bad release, as it changed: (seconds, share).
    #[serde(default)]
    pub exposures: Vec<(f64, f64)>,
    /// By population: requests served, or written, where it doesn't like them to be.
    pub violations: Vec<f64>,
}

/// A billing month.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Month {
    /// Length in seconds.
    pub seconds: f64,
    /// Requests by cell.
    pub offered: Vec<f64>,
    /// Good requests by cell.
    pub good: Vec<f64>,
    /// Node-hours by cluster.
    pub node_hours: Vec<f64>,
    /// Bytes sent to the internet, by cluster.
    pub egress: Vec<f64>,
    /// Bytes between services and stores within a cluster's region, by cluster.
    pub internal: Vec<f64>,
    /// Bytes to another region: (from, to, bytes), sorted.
    pub transfer: Vec<(Id<Region>, Id<Region>, f64)>,
    /// What went between clusters.
    pub carried: Carried,
}

/// What calls of good requests carry between clusters, and through the proxies of a mesh.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Carried {
    /// Calls over each connection, and their bytes both ways.
    pub connections: Vec<(Id<Connection>, f64, f64)>,
    /// Bytes that a cluster sent to another over the internet; they are in its egress too.
    pub egress: Vec<(Id<Cluster>, f64)>,
    /// Calls that a proxy in a cluster passed on; the two of one call count twice.
    pub proxied: Vec<(Id<Cluster>, f64)>,
}

impl Carried {
    /// Adds so many calls, and their bytes, to those over a connection.
    pub fn over(&mut self, connection: Id<Connection>, calls: f64, bytes: f64) {
        match self.connections.iter_mut().find(|entry| entry.0 == connection) {
            Some(entry) => (entry.1, entry.2) = (entry.1 + calls, entry.2 + bytes),
            None => self.connections.push((connection, calls, bytes)),
        }
    }

    /// Adds calls to those that the proxies of a cluster passed on.
    pub fn through_proxies(&mut self, cluster: Id<Cluster>, calls: f64) {
        add(&mut self.proxied, cluster, calls);
    }

    /// Adds bytes to what a cluster sent over the internet.
    pub fn to_internet(&mut self, cluster: Id<Cluster>, bytes: f64) {
        add(&mut self.egress, cluster, bytes);
    }

    /// Adds so many times another.
    pub fn add(&mut self, other: &Self, times: f64) {
        other.connections.iter().for_each(|&(id, calls, bytes)| self.over(id, calls * times, bytes * times));
        other.egress.iter().for_each(|&(id, bytes)| self.to_internet(id, bytes * times));
        other.proxied.iter().for_each(|&(id, calls)| self.through_proxies(id, calls * times));
    }
}

/// Adds bytes to those from a region to another.
pub fn add_transfer(transfer: &mut Vec<(Id<Region>, Id<Region>, f64)>, from: Id<Region>, to: Id<Region>, bytes: f64) {
    match transfer.iter_mut().find(|entry| entry.0 == from && entry.1 == to) {
        Some(entry) => entry.2 += bytes,
        None => transfer.push((from, to, bytes)),
    }
}

fn add(list: &mut Vec<(Id<Cluster>, f64)>, cluster: Id<Cluster>, amount: f64) {
    match list.iter_mut().find(|entry| entry.0 == cluster) {
        Some(entry) => entry.1 += amount,
        None => list.push((cluster, amount)),
    }
}

impl Month {
    /// A month in which nothing happened yet.
    pub fn empty(cells: usize, clusters: usize) -> Self {
        Self {
            seconds: 0.0,
            offered: vec![0.0; cells],
            good: vec![0.0; cells],
            node_hours: vec![0.0; clusters],
            egress: vec![0.0; clusters],
            internal: vec![0.0; clusters],
            transfer: Vec::new(),
            carried: Carried::default(),
        }
    }

    /// Adds what another engine counted in the same month.
    pub fn add(&mut self, more: &Self) {
        for (sum, more) in [
            (&mut self.offered, &more.offered),
            (&mut self.good, &more.good),
            (&mut self.node_hours, &more.node_hours),
            (&mut self.egress, &more.egress),
            (&mut self.internal, &more.internal),
        ] {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        self.carried.add(&more.carried, 1.0);
        for &(from, to, bytes) in &more.transfer {
            add_transfer(&mut self.transfer, from, to, bytes);
        }
        self.transfer.sort_by_key(|&(from, to, _)| (from, to));
    }
}

/// Requests lost.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Loss {
    /// Whose.
    pub population: Id<Population>,
    /// Of what.
    pub journey: Id<Journey>,
    /// In which stage of the failure.
    pub stage: Stage,
    /// For which cause.
    pub root: Id<Root>,
    /// How many.
    pub requests: f64,
}

/// Latency of good requests, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Whose; everyone's where it is `None`.
    pub population: Option<Id<Population>>,
    /// Of what; of everything where it is `None`.
    pub journey: Option<Id<Journey>>,
    /// Mean.
    pub mean: f64,
    /// p50, p90, p95, p99, p99.9.
    pub quantiles: [f64; 5],
}

/// The shares that [`Latency::quantiles`] are of.
pub const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// An interval below 99 % success of one cell; gaps under 60 s don't end it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// Whose.
    pub population: Id<Population>,
    /// Of what.
    pub journey: Id<Journey>,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// Seconds below 99 % in it.
    pub below: f64,
    /// Requests lost in it.
    pub lost: f64,
    /// Seconds that one client was without an answer: one drawn at random of those that it hit.
    pub client: f64,
    /// Drawn at random: of several outages, a client drawn of all that they hit is that of the lowest lot.
    pub lot: f64,
    /// What began it.
    pub root: Id<Root>,
    /// The recovery, where a fault began it.
    pub recovery: Option<Recovery>,
}

/// How an outage that a fault began came to its end, in seconds from the fault.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recovery {
    /// Until those who reach the target are served; `None` if the repair came first.
    pub service: Option<f64>,
    /// Until all users are served; `None` if the repair came first.
    pub users: Option<f64>,
    /// Parts of `service`: detect, decide, promote, route, scale.
    pub stages: [f64; 5],
}

/// A follower took over.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Promotion {
    /// The store.
    pub store: Id<Store>,
    /// The population whose partition it was, if it was one's.
    pub population: Option<Id<Population>>,
    /// When it took over, in seconds.
    pub at: f64,
    /// The old leader.
    pub from: Id<Cluster>,
    /// The new one.
    pub to: Id<Cluster>,
    /// Age in seconds of the oldest write that was lost; 0 if none was.
    pub rpo: f64,
    /// Acknowledged writes that were lost.
    pub lost: f64,
    /// What it was for.
    pub root: Id<Root>,
}

/// A copy was brought up to date.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Resync {
    /// The store.
    pub store: Id<Store>,
    /// The population whose partition it was, if it was one's.
    pub population: Option<Id<Population>>,
    /// When it was level, in seconds.
    pub at: f64,
    /// Where the copy is.
    pub cluster: Id<Cluster>,
    /// Seconds that it took, from when it could be reached.
    pub seconds: f64,
    /// Bytes that it lacked; all there are if it was copied whole.
    pub bytes: f64,
}

/// What one journey did to one store.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct DataTally {
    /// Reads that were answered.
    pub reads: f64,
    /// Of those: reads that missed a write that was acknowledged.
    pub stale: f64,
    /// Of the reads: those that a cache answered itself.
    pub hits: f64,
    /// Of the reads: those that would miss a write acknowledged as long ago as the store's `read-after`.
    pub unseen: f64,
    /// Writes that were acknowledged.
    pub writes: f64,
    /// Of those: writes that a concurrent one undid.
    pub undone: f64,
    /// Of those: writes that were joined with a concurrent one.
    pub merged: f64,
    /// Seconds that writes took, added up.
    pub latency: f64,
}

/// How the accesses to one store went, from the clusters that serve users; in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StoreTally {
    /// Time that a read takes: its mean, and the quantiles [`ACCESS_QUANTILES`]; `None` if there was none.
    pub reads: Option<(f64, [f64; 3])>,
    /// The same of an acknowledged write.
    pub writes: Option<(f64, [f64; 3])>,
    /// From a write's acknowledgement until 99.9 % of reads see it; `None` if there was no read.
    pub visible: Option<f64>,
}

/// The shares that the quantiles of [`StoreTally`] are of.
pub const ACCESS_QUANTILES: [f64; 3] = [0.5, 0.99, 0.999];

/// One station over the horizon.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StationTally {
    /// Calls offered, retries included.
    pub arrivals: f64,
    /// Calls served.
    pub served: f64,
    /// Sum of service times over served calls, in seconds.
    pub service: f64,
    /// Integral of calls waiting or being served, in seconds.
    pub in_system: f64,
    /// Integral of busy servers over ready servers, in seconds.
    pub utilisation: f64,
    /// Integral of ready pods, in pod-seconds.
    pub ready: f64,
    /// Sum of waits over served calls, in seconds.
    pub wait: f64,
    /// Sum of squared waits, in seconds squared.
    pub wait_square: f64,
    /// Of calls whose pod failed: the sum of their waits after that, in seconds.
    pub wait_again: f64,
    /// Calls whose pod failed while it served them.
    pub interrupted: f64,
    /// Served calls that waited.
    pub waited: f64,
    /// Served calls that waited no longer than the service's objective.
    pub met: f64,
    /// Integral of the probability of being empty, in seconds; `None` if some state couldn't tell.
    pub empty: Option<f64>,
    /// p50, p95, p99 of the wait in seconds.
    pub wait_quantiles: [f64; 3],
    /// At the end: pods asked for, pods ready, utilisation.
    pub last: (u32, u32, f64),
}

impl StationTally {
    /// Adds so many times what another time saw, but for the quantiles and the end.
    pub fn add(&mut self, more: &Self, times: f64) {
        for (sum, more) in [
            (&mut self.arrivals, more.arrivals),
            (&mut self.served, more.served),
            (&mut self.service, more.service),
            (&mut self.in_system, more.in_system),
            (&mut self.utilisation, more.utilisation),
            (&mut self.ready, more.ready),
            (&mut self.wait, more.wait),
            (&mut self.wait_square, more.wait_square),
            (&mut self.wait_again, more.wait_again),
            (&mut self.interrupted, more.interrupted),
            (&mut self.waited, more.waited),
            (&mut self.met, more.met),
        ] {
            *sum += more * times;
        }
        self.empty = self.empty.zip(more.empty).map(|(sum, empty)| sum + empty * times);
    }
}

impl DataTally {
    /// Adds so many times what another time saw.
    pub fn add(&mut self, more: &Self, times: f64) {
        for (sum, more) in [
            (&mut self.reads, more.reads),
            (&mut self.stale, more.stale),
            (&mut self.hits, more.hits),
            (&mut self.unseen, more.unseen),
            (&mut self.writes, more.writes),
            (&mut self.undone, more.undone),
            (&mut self.merged, more.merged),
            (&mut self.latency, more.latency),
        ] {
            *sum += more * times;
        }
    }
}
