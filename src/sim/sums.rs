//! What doesn't have to be known by the month: latency, losses, data, stations, added up over the solutions that a cluster
//! was in.

use super::curves::{CurveId, Kind};
use super::intern::Map;
use super::outcome::Outcome;
use super::solutions::Solved;
use super::views::ViewId;
use crate::base::Id;
use crate::domain::observation::{DataTally, StationTally};
use crate::domain::{Cluster, Journey, Population, Root, Stage, Store};
use crate::plan::Plan;
use core::hash::Hash;

/// Sums by key, in the order in which the keys first came.
#[derive(Clone, Debug)]
pub(super) struct Keyed<K> {
    known: Map<K, usize>,
    sums: Vec<(K, f64)>,
    /// The one after that which came last. Keys mostly come in the order in which they came before, and then aren't
    /// looked up.
    next: usize,
}

impl<K> Default for Keyed<K> {
    fn default() -> Self {
        Self { known: Map::default(), sums: Vec::new(), next: 0 }
    }
}

impl<K: Copy + Eq + Hash> Keyed<K> {
    pub(super) fn at(&mut self, key: K) -> &mut f64 {
        if self.sums.get(self.next).is_none_or(|next| next.0 != key) {
            let end = self.sums.len();
            self.next = *self.known.entry(key).or_insert(end);
            if self.next == end {
                self.sums.push((key, 0.0));
            }
        }
        let at = self.next;
        self.next = if at + 1 < self.sums.len() { at + 1 } else { 0 };
        &mut self.sums[at].1
    }

    fn merge(&mut self, other: &Self, times: f64) {
        for &(key, sum) in &other.sums {
            *self.at(key) += sum * times;
        }
    }

    /// Forgets everything.
    fn clear(&mut self) {
        self.known.clear();
        self.sums.clear();
        self.next = 0;
    }

    /// Keys and sums.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, f64)> {
        self.sums.iter().copied()
    }
}

/// A station's calls served by their wait: the bits of its probability and of its mean if they wait.
pub(super) type Waits = Keyed<(u64, u64)>;

/// Requests lost: whose, of what, in which stage, for which cause.
type Losses = Keyed<(Id<Population>, Id<Journey>, Stage, Id<Root>)>;

/// What is added up.
#[derive(Clone, Default, Debug)]
pub(super) struct Sums {
    /// By cell: curve, delay, weight; in order of first visit.
    pub(super) latency: Vec<Vec<(CurveId, f64, f64)>>,
    latency_at: Map<(u32, CurveId, u64), u32>,
    /// By cell: where the one before went. Mostly it is the same, and isn't looked up.
    latency_last: Vec<usize>,
    pub(super) losses: Losses,
    pub(super) stations: Vec<Vec<StationTally>>,
    pub(super) waits: Vec<Vec<Waits>>,
    pub(super) violations: Vec<f64>,
    pub(super) data: Vec<Vec<DataTally>>,
    /// Accesses to a store by their latency.
    pub(super) accesses: Keyed<(Id<Store>, Kind, CurveId)>,
    /// Reads of a store that may miss a write, by what they see.
    pub(super) views: Keyed<(Id<Store>, ViewId)>,
}

impl Sums {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut sums = Self::default();
        sums.restart(plan);
        sums
    }

    /// Forgets everything, but not what its lists have room for.
    pub(super) fn restart(&mut self, plan: &Plan) {
        let cells = plan.populations.len() * plan.journeys.len();
        self.latency.iter_mut().for_each(Vec::clear);
        self.latency.resize(cells, Vec::new());
        self.latency_at.clear();
        self.latency_last.clear();
        self.latency_last.resize(cells, 0);
        self.losses.clear();
        let stations = plan
            .clusters
            .iter()
            .map(|cluster| vec![StationTally { empty: Some(0.0), ..StationTally::default() }; cluster.stations.len()]);
        self.stations.clear();
        self.stations.extend(stations);
        self.waits.resize(plan.clusters.len(), Vec::new());
        for (waits, cluster) in self.waits.iter_mut().zip(&plan.clusters) {
            waits.iter_mut().for_each(Waits::clear);
            waits.resize(cluster.stations.len(), Waits::default());
        }
        self.violations = vec![0.0; plan.populations.len()];
        self.data = vec![vec![DataTally::default(); plan.journeys.len()]; plan.stores.len()];
        self.accesses.clear();
        self.views.clear();
    }

    /// The good requests of a cell that follow a curve after a delay in seconds.
    fn latency_of(&mut self, cell: usize, curve: CurveId, delay: f64) -> &mut f64 {
        let (entries, last) = (&mut self.latency[cell], &mut self.latency_last[cell]);
        let same = |entry: &(CurveId, f64, f64)| entry.0 == curve && entry.1.to_bits() == delay.to_bits();
        if !entries.get(*last).is_some_and(same) {
            let next = entries.len() as u32;
            let at = *self.latency_at.entry((cell as u32, curve, delay.to_bits())).or_insert(next);
            if at == next {
                entries.push((curve, delay, 0.0));
            }
            *last = at as usize;
        }
        &mut entries[*last].2
    }

    /// Adds so many times another.
    pub(super) fn merge(&mut self, other: &Self, times: f64) {
        if times == 0.0 {
            return;
        }
        for (cell, entries) in other.latency.iter().enumerate() {
            for &(curve, delay, weight) in entries {
                *self.latency_of(cell, curve, delay) += weight * times;
            }
        }
        for (sum, more) in self.stations.iter_mut().flatten().zip(other.stations.iter().flatten()) {
            sum.add(more, times);
        }
        for (sum, more) in self.waits.iter_mut().flatten().zip(other.waits.iter().flatten()) {
            sum.merge(more, times);
        }
        for (sum, more) in self.violations.iter_mut().zip(&other.violations) {
            *sum += more * times;
        }
        for (sum, more) in self.data.iter_mut().flatten().zip(other.data.iter().flatten()) {
            sum.add(more, times);
        }
        self.losses.merge(&other.losses, times);
        self.accesses.merge(&other.accesses, times);
        self.views.merge(&other.views, times);
    }

    /// Adds so many requests of each cell.
    pub(super) fn add_requests(&mut self, outcome: &Outcome, requests: &[f64], plan: &Plan) {
        for (cell, &requests) in outcome.cells.iter().zip(requests) {
            let position = cell.position(plan.journeys.len());
            let good = requests * cell.success;
            for &(curve, delay, share) in outcome.latency_of(cell) {
                *self.latency_of(position, curve, delay) += good * share;
            }
            if plan.populations[cell.population].disliked[outcome.cluster] {
                self.violations[cell.population.index()] += good;
            }
        }
        for lost in &outcome.losses {
            let cell = &outcome.cells[lost.cell];
            let sum = self.losses.at((cell.population, cell.journey, lost.stage, lost.root));
            *sum += requests[lost.cell] * lost.share;
        }
    }

    /// Adds what else happens in so many seconds of a solution of a cluster: at stores and stations.
    pub(super) fn add_seconds(&mut self, cluster: Id<Cluster>, solution: &Solved<'_>, seconds: f64, plan: &Plan) {
        for done in solution.by_journey {
            let tally = &mut self.data[done.store.index()][done.journey.index()];
            tally.reads += done.reads * seconds;
            tally.stale += done.stale * seconds;
            tally.hits += done.hits * seconds;
            tally.unseen += done.unseen * seconds;
            tally.writes += done.writes * seconds;
            tally.undone += done.undone * seconds;
            tally.merged += done.merged * seconds;
            tally.latency += done.latency * seconds;
        }
        for &(store, kind, curve, rate) in solution.accesses {
            *self.accesses.at((store, kind, curve)) += rate * seconds;
        }
        for &(store, view, rate) in solution.views {
            *self.views.at((store, view)) += rate * seconds;
        }
        let (tallies, waits) = (&mut self.stations[cluster.index()], &mut self.waits[cluster.index()]);
        let own = plan.clusters[cluster].stations.iter().zip(tallies.iter_mut().zip(waits));
        for (state, (own, (tally, waits))) in solution.stations.iter().zip(own) {
            let service = &plan.services[own.service];
            let steady = &state.steady;
            let calls = state.arrivals * seconds;
            let served = state.served() * seconds;
            tally.arrivals += calls;
            tally.served += served;
            tally.utilisation += steady.utilisation * seconds;
            tally.ready += f64::from(state.ready) * seconds;
            tally.wait += served * steady.mean_wait();
            tally.service += served * service.mean;
            tally.in_system += served * (steady.mean_wait() + service.mean);
            tally.wait_square += served * 2.0 * steady.waiting * steady.wait_if_waiting * steady.wait_if_waiting;
            tally.waited += served * steady.waiting;
            if let Some(objective) = service.wait_objective {
                tally.met += served * steady.wait_cdf(objective);
            }
            tally.empty = tally.empty.zip(steady.empty).map(|(sum, empty)| sum + empty * seconds);
            let wait = if steady.waiting > 1e-12 { (steady.waiting, steady.wait_if_waiting) } else { (0.0, 0.0) };
            *waits.at((wait.0.to_bits(), wait.1.to_bits())) += served;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keyed;

    #[test]
    fn sums_are_by_key_in_whatever_order_keys_come() {
        let mut sums = Keyed::default();
        for (key, amount) in [(7, 1.0), (5, 2.0), (9, 4.0), (7, 8.0), (5, 16.0), (5, 32.0), (7, 64.0), (9, 128.0)] {
            *sums.at(key) += amount;
        }
        assert_eq!(sums.iter().collect::<Vec<_>>(), [(7, 73.0), (5, 50.0), (9, 132.0)]);
    }
}
