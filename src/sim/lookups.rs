//! Reads of caches: how many hit depends on how many come, and how many come on how many that miss are lost.
//!
//! So the hit ratios of a cluster's caches and its steady state are found in turns. Where nothing that misses is lost
//! the first guess is right.

use super::inputs::{Flow, Inputs, Route};
use crate::base::Id;
use crate::domain::Store;
use crate::plan::{CachePlan, JourneyPlan, Plan, StepPlan};
use crate::replication::cache::{Held, Reads};

/// Most turns.
pub(super) const TURNS: usize = 100;

/// One cache of the cluster, for one partition.
#[derive(Clone, Debug)]
struct Entry<'a> {
    store: Id<Store>,
    partition: usize,
    held: Held<'a>,
    reads: Reads,
    /// Share of reads that hit.
    hits: f64,
}

/// The hit ratios of a cluster's caches.
#[derive(Clone, Default, Debug)]
pub(super) struct Hits<'a> {
    entries: Vec<Entry<'a>>,
}

impl<'a> Hits<'a> {
    /// As if every request came to its last step.
    pub(super) fn expected(plan: &'a Plan, inputs: &Inputs, slot: usize) -> Self {
        let mut hits = Self { entries: Vec::new() };
        if plan.stores.iter().all(|store| store.cache.is_none()) {
            return hits;
        }
        for flow in inputs.flows.iter().filter(|flow| flow.refused.is_none()) {
            let population = &plan.populations[flow.population];
            let rate = population.rate * population.profile[slot] * flow.share() * flow.factor.get();
            for (journey, share) in plan.journeys.iter().zip(&population.shares) {
                for step in &journey.steps {
                    let StepPlan::Read(store, _) = step else { continue };
                    let Route::Cache(warmth) = flow.stores[store.index()].read else { continue };
                    let own = &plan.stores[*store];
                    let Some(cache) = own.cache else { continue };
                    let partition = own.partition_of(flow.population);
                    let entry = hits.position(*store, partition).unwrap_or_else(|| {
                        let held = Held { keys: &own.cached_keys, ttl: cache.ttl.secs(), warmth };
                        hits.entries.push(Entry { store: *store, partition, held, reads: Reads::default(), hits: 0.0 });
                        hits.entries.len() - 1
                    });
                    let reads = &mut hits.entries[entry].reads;
                    reads.all += rate * share;
                    reads.filling = reads.all;
                }
            }
        }
        for entry in &mut hits.entries {
            entry.hits = entry.held.hits(entry.reads);
        }
        hits
    }

    fn position(&self, store: Id<Store>, partition: usize) -> Option<usize> {
        self.entries.iter().position(|entry| entry.store == store && entry.partition == partition)
    }

    /// A cache, and the share of reads that hit.
    pub(super) fn of(&self, store: Id<Store>, partition: usize) -> (usize, f64) {
        self.position(store, partition).map_or((0, 0.0), |entry| (entry, self.entries[entry].hits))
    }

    /// By read of a cache, in the order of a journey's path: the share that hits.
    pub(super) fn of_path(&self, plan: &Plan, flow: &Flow, journey: &JourneyPlan) -> Vec<f64> {
        let of = |step: &StepPlan| {
            let StepPlan::Read(store, _) = *step else { return None };
            cache_of(plan, store, flow.stores[store.index()].read)?;
            Some(self.of(store, plan.stores[store].partition_of(flow.population)).1)
        };
        journey.steps.iter().filter_map(of).collect()
    }

    /// No reads yet, by cache.
    pub(super) fn nothing(&self) -> Vec<Reads> {
        vec![Reads::default(); self.entries.len()]
    }

    /// Takes how the caches are read; true once that doesn't change any more.
    pub(super) fn settle(&mut self, reads: &[Reads]) -> bool {
        let mut settled = true;
        let differ = |now: f64, then: f64| (now - then).abs() > 1e-10 * then;
        for (entry, &reads) in self.entries.iter_mut().zip(reads) {
            if differ(reads.all, entry.reads.all) || differ(reads.filling, entry.reads.filling) {
                entry.reads = reads;
                entry.hits = entry.held.hits(reads);
                settled = false;
            }
        }
        settled
    }

    /// Share of hits that find an old entry, at so many writes per second to the partition.
    pub(super) fn stale(&self, store: Id<Store>, partition: usize, writes: f64) -> f64 {
        match self.position(store, partition).map(|entry| &self.entries[entry]) {
            Some(entry) if entry.hits > 0.0 && writes > 0.0 => entry.held.stale(entry.reads, writes) / entry.hits,
            Some(_) | None => 0.0,
        }
    }
}

/// A read of a cache on the path of a try.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The cache.
    pub(super) entry: usize,
    /// Probability that it hits.
    pub(super) hits: f64,
    /// The hops of those that miss.
    pub(super) hops: core::ops::Range<usize>,
}

impl Lookup {
    /// Of reads that miss, the share that comes back; and of all that come back, the share that hit. From the
    /// probability that a read comes back.
    pub(super) fn answered(&self, comes_back: f64) -> (f64, f64) {
        let misses = 1.0 - self.hits;
        let fetched = if misses > 0.0 { 1.0 - (1.0 - comes_back) / misses } else { 1.0 };
        (fetched.max(0.0), if comes_back > 0.0 { (self.hits / comes_back).min(1.0) } else { 0.0 })
    }
}

/// The cache that a step reads, if it reads one.
pub(super) fn cache_of(plan: &Plan, store: Id<Store>, route: Route) -> Option<CachePlan> {
    match route {
        Route::Cache(_) => plan.stores[store].cache,
        Route::Via(..) | Route::Near(_) | Route::Deposed(_) | Route::Vote(..) | Route::Fail(..) => None,
    }
}
