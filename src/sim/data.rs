//! What a cluster's users do to data: writes that are acknowledged, reads that may be stale, writes that meet others.

use super::curves::Curves;
use super::inputs::{Access, Inputs, Route};
use super::intern::Map;
use super::lookups::{Hits, cache_of};
use super::solve::Cell;
use crate::base::Id;
use crate::domain::{Journey, Population, Store};
use crate::plan::{Plan, StepPlan};
use crate::replication::spec::{Conflicts, Replication};

/// Accesses of one journey to one store, per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub(super) store: Id<Store>,
    pub(super) journey: Id<Journey>,
    pub(super) reads: f64,
    /// Of the reads: those that miss a write that was acknowledged.
    pub(super) stale: f64,
    /// Of the reads: those that a cache answered itself.
    pub(super) hits: f64,
    /// Writes that were acknowledged.
    pub(super) writes: f64,
    /// Of the writes: those that a concurrent one undoes.
    pub(super) undone: f64,
    /// Of the writes: those that are joined with a concurrent one.
    pub(super) merged: f64,
    /// Seconds that the writes took, added up.
    pub(super) latency: f64,
}

/// How often accesses meet writes under way, worked out once each.
#[derive(Default, Debug)]
pub(super) struct Meetings {
    known: Map<(u32, u64), f64>,
}

impl Meetings {
    fn of(&mut self, plan: &Plan, store: Id<Store>, under_way: f64) -> f64 {
        let key = (store.index() as u32, under_way.to_bits());
        *self.known.entry(key).or_insert_with(|| plan.stores[store].popularity.meets(under_way))
    }
}

/// Writes of one request of a journey to a store.
fn writes_of(plan: &Plan, journey: Id<Journey>, store: Id<Store>) -> f64 {
    let writes = |step: &&StepPlan| matches!(step, StepPlan::Write(other, _) if *other == store);
    plan.journeys[journey].steps.iter().filter(writes).count() as f64
}

/// Writes per second to a population's partition in a slot, from everywhere, when all is well.
fn everyone(plan: &Plan, store: Id<Store>, population: Id<Population>, slot: usize) -> f64 {
    let own = &plan.stores[store];
    let partition = own.partition_of(population);
    let of_population = |id: Id<Population>| {
        let population = &plan.populations[id];
        let requests = population.rate * population.profile[slot];
        let shares = population.shares.iter_enumerated();
        requests * shares.map(|(journey, share)| share * writes_of(plan, journey, store)).sum::<f64>()
    };
    plan.populations.keys().filter(|&id| own.partition_of(id) == partition).map(of_population).sum()
}

/// What the cells of one cluster do to the stores. Rates elsewhere are taken to be as when all is well.
pub(super) fn uses(
    plan: &Plan,
    inputs: &Inputs,
    slot: usize,
    cells: &[Cell],
    hits: &Hits<'_>,
    curves: &mut Curves,
    meetings: &mut Meetings,
) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for cell in cells {
        let good = cell.rate * cell.success;
        if good <= 0.0 {
            continue;
        }
        let flow = &inputs.flows[cell.flow];
        let mut lookups = cell.hits.iter();
        for step in &plan.journeys[cell.journey].steps {
            let (store, is_write) = match step {
                StepPlan::Read(store, _) => (*store, false),
                StepPlan::Write(store, _) => (*store, true),
                StepPlan::Call(_) | StepPlan::Dependency(_) => continue,
            };
            let (mut store, mut good) = (store, good);
            if let (false, Some(cache)) = (is_write, cache_of(plan, store, flow.stores[store.index()].read)) {
                // What misses reads the cached store; here only the age of what hits makes a read stale.
                let hit = good * lookups.next().unwrap_or(&0.0);
                let writes = everyone(plan, cache.of, cell.population, slot) * flow.factor.get();
                let partition = plan.stores[store].partition_of(cell.population);
                let entry = entry_of(&mut uses, store, cell.journey);
                entry.reads += good;
                entry.hits += hit;
                entry.stale += hit * hits.stale(store, partition, writes);
                (store, good) = (cache.of, good - hit);
            }
            let access: Access = flow.stores[store.index()];
            let all = || everyone(plan, store, cell.population, slot) * flow.factor.get();
            let entry = entry_of(&mut uses, store, cell.journey);
            if is_write {
                entry.writes += good;
                entry.latency += good * curves.access(plan, inputs.cluster, store, access.write);
                if let Route::Deposed(_) = access.write {
                    // The new leader's history is the one that stays.
                    entry.undone += good;
                }
                if let Replication::MultiLeader(multi) = &plan.stores[store].replication {
                    // A later write at another copy, made before this one got there, undoes it; a merge joins both.
                    let others = (all() - here(plan, inputs, store, cell.population, cells)).max(0.0);
                    let later = meetings.of(plan, store, others * multi.lag.mean());
                    match multi.conflicts {
                        Conflicts::LastWriteWins => entry.undone += good * later,
                        Conflicts::Merge => entry.merged += good * later,
                    }
                }
            } else {
                entry.reads += good;
                let (writes, lag) = match (&plan.stores[store].replication, access.read) {
                    (Replication::Async(asynchronous), Route::Near(_)) => (all(), asynchronous.lag.mean()),
                    (Replication::SemiSync(semi), Route::Near(_)) => (all(), semi.lag.mean()),
                    (Replication::MultiLeader(multi), Route::Via(..)) => {
                        ((all() - here(plan, inputs, store, cell.population, cells)).max(0.0), multi.lag.mean())
                    }
                    _ => (0.0, 0.0),
                };
                entry.stale += good * meetings.of(plan, store, writes * lag);
            }
        }
    }
    uses
}

/// What a journey does to a store.
fn entry_of(uses: &mut Vec<Use>, store: Id<Store>, journey: Id<Journey>) -> &mut Use {
    let known = uses.iter().position(|entry| entry.store == store && entry.journey == journey);
    let position = known.unwrap_or_else(|| {
        let (reads, stale, hits, writes, undone, merged, latency) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        uses.push(Use { store, journey, reads, stale, hits, writes, undone, merged, latency });
        uses.len() - 1
    });
    &mut uses[position]
}

/// Writes per second of this cluster's users to a population's partition.
fn here(plan: &Plan, inputs: &Inputs, store: Id<Store>, population: Id<Population>, cells: &[Cell]) -> f64 {
    let own = &plan.stores[store];
    let partition = own.partition_of(population);
    cells
        .iter()
        .filter(|cell| own.partition_of(inputs.flows[cell.flow].population) == partition)
        .map(|cell| cell.rate * cell.success * writes_of(plan, cell.journey, store))
        .sum()
}
