//! What a cluster's users do to data: writes that are acknowledged, reads that may be stale, writes that meet others.

use super::curves::{CurveId, Curves, Kind};
use super::inputs::{Access, Inputs, Route};
use super::intern::Map;
use super::lookups::{Hits, cache_of};
use super::outcome::Cell;
use super::shape::Part;
use super::views::{ViewId, Views};
use crate::base::{Id, maths};
use crate::domain::{Cluster, Journey, Population, Store};
use crate::plan::{Plan, StepPlan};
use crate::replication::spec::{Async, Conflicts, Quorum, Replication, SemiSync};

/// What users do to data, per second.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pub(super) by_journey: Vec<Use>,
    /// Accesses to a store by their latency, and how many.
    pub(super) accesses: Vec<(Id<Store>, Kind, CurveId, f64)>,
    /// Reads of a store that may miss a write, by what they see, and how many.
    pub(super) views: Vec<(Id<Store>, ViewId, f64)>,
}

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
    /// Of the reads: those that would miss a write acknowledged as long ago as is reported against.
    pub(super) unseen: f64,
    /// Writes that were acknowledged.
    pub(super) writes: f64,
    /// Of the writes: those that a concurrent one undoes.
    pub(super) undone: f64,
    /// Of the writes: those that are joined with a concurrent one.
    pub(super) merged: f64,
    /// Seconds that the writes took, added up.
    pub(super) latency: f64,
}

/// What is worked out once for many solutions.
pub(super) struct Known<'a> {
    pub(super) curves: &'a mut Curves,
    pub(super) meetings: &'a mut Meetings,
    pub(super) views: &'a mut Views,
    pub(super) written: &'a mut Written,
    /// Memory for what is worked out.
    pub(super) uses: &'a mut Uses,
}

/// Nodes of [`Meetings::near`]: so many for each e-fold.
const PER_E: f64 = 50.0;

/// How often accesses meet writes under way, worked out once each.
#[derive(Clone, Default, Debug)]
pub(super) struct Meetings {
    known: Map<(u32, u64), f64>,
    /// Logarithms at nodes.
    nodes: Map<(u32, i32), f64>,
}

impl Meetings {
    /// Forgets what was asked for; the nodes are few.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    pub(super) fn of(&mut self, plan: &Plan, store: Id<Store>, under_way: f64) -> f64 {
        let key = (store.index() as u32, under_way.to_bits());
        *self.known.entry(key).or_insert_with(|| plan.stores[store].popularity.meets(under_way))
    }

    /// The same, for many values: geometric between nodes 2 % apart, which is within 1e-4.
    pub(super) fn near(&mut self, plan: &Plan, store: Id<Store>, under_way: f64) -> f64 {
        if under_way <= 0.0 {
            return 0.0;
        }
        let position = maths::ln(under_way) * PER_E;
        let below = position.floor();
        let mut node = |k: i32| {
            let at = || maths::ln(plan.stores[store].popularity.meets(maths::exp(f64::from(k) / PER_E)));
            *self.nodes.entry((store.index() as u32, k)).or_insert_with(at)
        };
        let (low, high) = (node(below as i32), node(below as i32 + 1));
        maths::exp(low + (high - low) * (position - below))
    }
}

/// What is written to partitions when all is well, worked out once each.
#[derive(Clone, Default, Debug)]
pub(super) struct Written {
    /// By store, partition and slot.
    known: Map<(Id<Store>, usize, usize), f64>,
}

impl Written {
    /// Writes per second to a population's partition in a slot, from everywhere.
    fn by_everyone(&mut self, plan: &Plan, store: Id<Store>, population: Id<Population>, slot: usize) -> f64 {
        let partition = plan.stores[store].partition_of(population);
        *self.known.entry((store, partition, slot)).or_insert_with(|| everyone(plan, store, population, slot))
    }
}

/// Writes of one request of a journey to a store.
fn writes_of(plan: &Plan, journey: Id<Journey>, store: Id<Store>) -> f64 {
    let writes = |step: &&StepPlan| matches!(step, StepPlan::Write(other, _) if *other == store);
    plan.journeys[journey].steps.iter().filter(writes).count() as f64
}

/// Writes per second of a population to a store in a slot, when all is well.
fn written_by(plan: &Plan, store: Id<Store>, population: Id<Population>, slot: usize) -> f64 {
    let population = &plan.populations[population];
    let shares = population.shares.iter_enumerated();
    let each = shares.map(|(journey, share)| share * writes_of(plan, journey, store)).sum::<f64>();
    population.rate * population.profile[slot] * each
}

/// The populations that share a partition with this one.
fn sharing(plan: &Plan, store: Id<Store>, population: Id<Population>) -> impl Iterator<Item = Id<Population>> {
    let own = &plan.stores[store];
    let partition = own.partition_of(population);
    plan.populations.keys().filter(move |&id| own.partition_of(id) == partition)
}

/// Writes per second to a population's partition in a slot, from everywhere, when all is well.
fn everyone(plan: &Plan, store: Id<Store>, population: Id<Population>, slot: usize) -> f64 {
    sharing(plan, store, population).map(|id| written_by(plan, store, id, slot)).sum()
}

/// The copies that the writes to a population's partition go through, of those in `mask`, with their shares.
fn writers(
    plan: &Plan,
    store: Id<Store>,
    population: Id<Population>,
    slot: usize,
    mask: u64,
) -> Vec<(Id<Cluster>, f64)> {
    let all = everyone(plan, store, population, slot);
    let mut writers: Vec<(Id<Cluster>, f64)> = Vec::new();
    for id in sharing(plan, store, population) {
        let rate = written_by(plan, store, id, slot);
        if rate <= 0.0 {
            continue;
        }
        for (home, share) in plan.populations[id].homes(&plan.pairs) {
            let Some(through) = nearest(plan, store, home, mask) else { continue };
            let share = share * rate / all;
            match writers.iter_mut().find(|writer| writer.0 == through) {
                Some(writer) => writer.1 += share,
                None => writers.push((through, share)),
            }
        }
    }
    writers
}

/// The copy of those in `mask` that is nearest to a cluster: its own, if it has one.
fn nearest(plan: &Plan, store: Id<Store>, from: Id<Cluster>, mask: u64) -> Option<Id<Cluster>> {
    let there = plan.stores[store].copies.iter().enumerate().filter(|(position, _)| mask >> position & 1 == 1);
    let region = |cluster: Id<Cluster>| plan.clusters[cluster].region;
    let distance = |copy: Id<Cluster>| if copy == from { -1.0 } else { plan.region_rtt[region(from)][region(copy)] };
    there.map(|(_, &copy)| copy).min_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)))
}

/// What the cells of one cluster do to the stores. Rates elsewhere are taken to be as when all is well.
pub(super) fn uses(
    plan: &Plan,
    inputs: &Inputs,
    slot: usize,
    (cells, rates): (&[Cell], &[f64]),
    parts: &mut dyn Iterator<Item = &Part>,
    hits: &Hits<'_>,
    known: &mut Known<'_>,
) -> Uses {
    let mut uses = core::mem::take(known.uses);
    uses.by_journey.clear();
    uses.accesses.clear();
    uses.views.clear();
    for ((cell, rate), part) in cells.iter().zip(rates).zip(parts) {
        let good = rate * cell.success;
        if good <= 0.0 {
            continue;
        }
        let flow = &inputs.flows[cell.flow];
        let mut lookups = cell.hits.iter();
        let mut accesses = part.fixed.iter().flat_map(|fixed| &fixed.accesses);
        for step in &plan.journeys[cell.journey].steps {
            let (store, kind) = match step {
                StepPlan::Read(store, _) => (*store, Kind::Read),
                StepPlan::Write(store, _) => (*store, Kind::Write),
                StepPlan::Call(_) | StepPlan::Dependency(_) => continue,
            };
            let (mut store, mut good) = (store, good);
            if let (Kind::Read, Some(cache)) = (kind, cache_of(plan, store, flow.stores[store.index()].read)) {
                // What misses reads the cached store; here only the age of what hits makes a read stale.
                let hit = good * lookups.next().unwrap_or(&0.0);
                let writes = known.written.by_everyone(plan, cache.of, cell.population, slot) * flow.factor.get();
                let partition = plan.stores[store].partition_of(cell.population);
                let position = uses.entry(store, cell.journey);
                let entry = &mut uses.by_journey[position];
                entry.reads += good;
                entry.hits += hit;
                entry.stale += hit * hits.stale(store, partition, writes);
                let curve = known.curves.access(plan, inputs.cluster, store, kind, flow.stores[store.index()].read);
                uses.took(store, kind, curve, good);
                (store, good) = (cache.of, good - hit);
                if good <= 0.0 {
                    continue;
                }
            }
            let position = uses.entry(store, cell.journey);
            let access: Access = flow.stores[store.index()];
            let route = match kind {
                Kind::Read => access.read,
                Kind::Write => access.write,
            };
            let of = || known.curves.access(plan, inputs.cluster, store, kind, route);
            let curve = accesses.next().copied().unwrap_or_else(of);
            uses.took(store, kind, curve, good);
            let mut all = || known.written.by_everyone(plan, store, cell.population, slot) * flow.factor.get();
            let elsewhere = |all: f64| (all - here(plan, inputs, (store, cell.population), (cells, rates))).max(0.0);
            let replication = &plan.stores[store].replication;
            match kind {
                Kind::Write => {
                    let entry = &mut uses.by_journey[position];
                    entry.writes += good;
                    entry.latency += good * known.curves.get(curve).0.mean();
                    if let Route::Deposed(_) = access.write {
                        // The new leader's history is the one that stays.
                        entry.undone += good;
                    }
                    if let Replication::MultiLeader(multi) = replication {
                        // A later write at another copy, made before this one got there, undoes it; a merge joins both.
                        let elsewhere = elsewhere(all());
                        let later = known.meetings.of(plan, store, elsewhere * multi.lag.mean());
                        match multi.conflicts {
                            Conflicts::LastWriteWins => entry.undone += good * later,
                            Conflicts::Merge => entry.merged += good * later,
                        }
                    }
                }
                Kind::Read => {
                    uses.by_journey[position].reads += good;
                    match (replication, access.read) {
                        (
                            Replication::Async(Async { lag }) | Replication::SemiSync(SemiSync { lag, .. }),
                            Route::Near(_),
                        ) => {
                            let all = all();
                            let view = known.views.after_lag(plan, store, lag);
                            uses.sees(plan, (store, position), view, good, (all, 1.0), known);
                        }
                        (Replication::MultiLeader(multi), Route::Via(..)) => {
                            // What is written at the copy itself is seen at once.
                            let all = all();
                            let elsewhere = elsewhere(all);
                            if all > 0.0 {
                                let view = known.views.after_lag(plan, store, &multi.lag);
                                uses.sees(plan, (store, position), view, good, (elsewhere, elsewhere / all), known);
                            }
                        }
                        (Replication::Quorum(quorum), Route::Vote(through, mask, _)) if may_be_stale(quorum, mask) => {
                            let rate = all();
                            for (writer, share) in writers(plan, store, cell.population, slot, mask) {
                                let view = known.views.votes(plan, store, quorum, mask, (writer, through));
                                uses.sees(plan, (store, position), view, good * share, (rate, 1.0), known);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    uses
}

/// What the cells of one cluster write to leaders: store, population, acknowledged writes per second, bytes of each.
pub(super) fn written(
    plan: &Plan,
    inputs: &Inputs,
    (cells, rates): (&[Cell], &[f64]),
    mut add: impl FnMut(Id<Store>, Id<Population>, f64, f64),
) {
    for (cell, rate) in cells.iter().zip(rates) {
        for step in &plan.journeys[cell.journey].steps {
            if let StepPlan::Write(store, bytes) = *step
                && let Route::Via(..) = inputs.flows[cell.flow].stores[store.index()].write
            {
                add(store, cell.population, rate * cell.success, bytes);
            }
        }
    }
}

/// A read need not meet a copy that acknowledged the write, of those that can be reached.
fn may_be_stale(quorum: &Quorum, mask: u64) -> bool {
    quorum.read + quorum.write <= mask.count_ones()
}

impl Uses {
    /// The position of what a journey does to a store.
    fn entry(&mut self, store: Id<Store>, journey: Id<Journey>) -> usize {
        let known = self.by_journey.iter().position(|entry| entry.store == store && entry.journey == journey);
        known.unwrap_or_else(|| {
            self.by_journey.push(Use {
                store,
                journey,
                reads: 0.0,
                stale: 0.0,
                hits: 0.0,
                unseen: 0.0,
                writes: 0.0,
                undone: 0.0,
                merged: 0.0,
                latency: 0.0,
            });
            self.by_journey.len() - 1
        })
    }

    /// Accesses of this latency.
    fn took(&mut self, store: Id<Store>, kind: Kind, curve: CurveId, rate: f64) {
        match self.accesses.iter_mut().find(|entry| (entry.0, entry.1, entry.2) == (store, kind, curve)) {
            Some(entry) => entry.3 += rate,
            None => self.accesses.push((store, kind, curve, rate)),
        }
    }

    /// Reads that may miss one of `writes` a second; they may miss this share of all writes.
    fn sees(
        &mut self,
        plan: &Plan,
        (store, position): (Id<Store>, usize),
        view: ViewId,
        reads: f64,
        (writes, share): (f64, f64),
        known: &mut Known<'_>,
    ) {
        let entry = &mut self.by_journey[position];
        entry.stale += reads * known.views.stale(plan, store, view, writes, known.meetings);
        entry.unseen += reads * share * known.views.unseen(view);
        match self.views.iter_mut().find(|entry| (entry.0, entry.1) == (store, view)) {
            Some(entry) => entry.2 += reads * share,
            None => self.views.push((store, view, reads * share)),
        }
    }
}

/// Writes per second of this cluster's users to a population's partition.
fn here(
    plan: &Plan,
    inputs: &Inputs,
    (store, population): (Id<Store>, Id<Population>),
    (cells, rates): (&[Cell], &[f64]),
) -> f64 {
    let own = &plan.stores[store];
    let partition = own.partition_of(population);
    let cells = cells.iter().zip(rates);
    cells
        .filter(|(cell, _)| own.partition_of(inputs.flows[cell.flow].population) == partition)
        .map(|(cell, rate)| rate * cell.success * writes_of(plan, cell.journey, store))
        .sum()
}
