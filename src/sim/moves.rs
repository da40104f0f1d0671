//! What good requests move: bytes within a region, between regions, and over connections to other clusters.

use super::inputs::{Inputs, Route};
use super::lookups::cache_of;
use super::remote;
use crate::base::Id;
use crate::domain::observation::{Carried, Month, add_transfer};
use crate::domain::{Cluster, Region, Store};
use crate::plan::{JourneyPlan, Plan, StepPlan};

/// Bytes and calls: of one request, or of all in a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// Bytes within the cluster's region.
    pub(super) internal: f64,
    /// Bytes from region to region.
    pub(super) transfer: Vec<(Id<Region>, Id<Region>, f64)>,
    /// What calls carry to other clusters.
    pub(super) carried: Carried,
}

impl Moves {
    /// Adds so many times another.
    pub(super) fn add(&mut self, other: &Self, times: f64) {
        self.internal += other.internal * times;
        for &(from, to, bytes) in &other.transfer {
            add_transfer(&mut self.transfer, from, to, bytes * times);
        }
        self.carried.add(&other.carried, times);
    }

    /// Adds so many times it, from a cluster, to what is billed by the month.
    pub(super) fn bill(&self, cluster: Id<Cluster>, times: f64, month: &mut Month) {
        month.internal[cluster.index()] += self.internal * times;
        month.carried.add(&self.carried, times);
        self.carried.egress.iter().for_each(|&(id, bytes)| month.egress[id.index()] += bytes * times);
        for &(from, to, bytes) in &self.transfer {
            add_transfer(&mut month.transfer, from, to, bytes * times);
        }
    }
}

/// Adds what `good` requests of a journey of a flow move, where so many reads of caches hit.
pub(super) fn bytes(
    plan: &Plan,
    inputs: &Inputs,
    flow: usize,
    journey: &JourneyPlan,
    good: f64,
    hits: &[f64],
    moves: &mut Moves,
) {
    let here = plan.clusters[inputs.cluster].region;
    let population = inputs.flows[flow].population;
    let mut add = |from: Id<Region>, to: Id<Region>, bytes: f64| {
        if bytes <= 0.0 {
            return;
        }
        if from == to {
            moves.internal += bytes;
            return;
        }
        add_transfer(&mut moves.transfer, from, to, bytes);
    };
    let (mut inside, mut elsewhere) = (0.0, Vec::new());
    let mut first = true;
    let mut hits = hits.iter();
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                // The first call is the front itself: its bytes are the client's.
                let mut inner = services.len() - usize::from(first);
                first = false;
                for &service in services {
                    let called = remote::called(plan, inputs, population, service);
                    if let Some((remote, _)) = called.and_then(|called| called.remote) {
                        inner = inner.saturating_sub(1);
                        elsewhere.push(*remote);
                    }
                }
                inside += inner as f64;
                add(here, here, good * inner as f64 * (journey.request + journey.response));
            }
            StepPlan::Read(store, size) => {
                let routes = |store: Id<Store>| inputs.flows[flow].stores[store.index()].read;
                let (mut store, mut good) = (*store, good);
                if let Some(cache) = cache_of(plan, store, routes(store)) {
                    add(here, here, good * size);
                    (store, good) = (cache.of, good * (1.0 - hits.next().unwrap_or(&0.0)));
                }
                match routes(store) {
                    Route::Via(copy, _) | Route::Near(copy) | Route::Deposed(copy) => {
                        add(plan.clusters[copy].region, here, good * size);
                    }
                    Route::Vote(through, copies, _) => {
                        let via = plan.clusters[through].region;
                        add(via, here, good * size);
                        // All are asked; the first to answer count.
                        for (position, &copy) in plan.stores[store].copies.iter().enumerate() {
                            if copy != through && copies >> position & 1 == 1 {
                                add(plan.clusters[copy].region, via, good * size);
                            }
                        }
                    }
                    Route::Cache(_) | Route::Fail(..) => {}
                }
            }
            StepPlan::Write(store, size) => {
                let first = match inputs.flows[flow].stores[store.index()].write {
                    Route::Via(first, _) | Route::Vote(first, ..) => first,
                    Route::Near(_) | Route::Deposed(_) | Route::Cache(_) | Route::Fail(..) => continue,
                };
                let led = plan.clusters[first].region;
                add(here, led, good * size);
                let store = &plan.stores[*store];
                for member in store.partitions[store.partition_of(population)].members() {
                    if member != first {
                        add(led, plan.clusters[member].region, good * size);
                    }
                }
            }
            StepPlan::Dependency(_) => {}
        }
    }
    for remote in elsewhere {
        let there = plan.clusters[remote.to].region;
        if !plan.connections[remote.connection].internet {
            add(here, there, good * journey.request);
            add(there, here, good * journey.response);
        }
        remote::carry(plan, inputs.cluster, &remote, journey, good, &mut moves.carried);
    }
    if plan.clusters[inputs.cluster].proxies.is_some() && inside > 0.0 {
        moves.carried.through_proxies(inputs.cluster, 2.0 * inside * good);
    }
}
