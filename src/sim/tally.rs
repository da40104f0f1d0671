//! What one seed adds up: time spent in each solution, multiplied out once a month for the bill, and once for all else.
//!
//! Sums run in the seed's own first-visit order, so they don't depend on what the memo already held; what is on a weekly
//! orbit comes by itself, in the orbit's order.

use super::curves::{CurveId, Kind};
use super::intern::Map;
use super::memo::{Memo, SolutionId, TransitionId};
use super::observe::Times;
use super::orbit::{Place, Turns};
use super::requests::Counts;
use super::step::Stay;
use super::views::ViewId;
use crate::base::maths::bisect;
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::observation::{
    ACCESS_QUANTILES, CURVE_NODES, DataTally, Latency, Loss, Month, Observations, QUANTILES, StationTally, StoreTally,
    add_transfer, curve_node,
};
use crate::domain::{Cluster, Journey, Population, Region, Root, Stage, Store};
use crate::plan::Plan;
use crate::replication::visibility::seen_by;
use crate::stats::Histogram;

/// A stay in a solution that isn't fine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rough {
    pub(super) stay: Stay,
    /// The interval over which the inputs' shares move.
    pub(super) span: (SimTime, SimTime),
}

/// Counts with the order in which they were first touched.
#[derive(Default, Debug)]
struct Visits<T> {
    amount: Vec<T>,
    order: Vec<u32>,
}

impl<T: Copy + Default + PartialEq + core::ops::AddAssign> Visits<T> {
    fn add(&mut self, number: u32, amount: T) {
        let position = number as usize;
        if position >= self.amount.len() {
            self.amount.resize(position + 1, T::default());
        }
        if self.amount[position] == T::default() {
            self.order.push(number);
        }
        self.amount[position] += amount;
    }

    /// Takes out everything, in the order of first visits.
    fn drain(&mut self, mut visit: impl FnMut(u32, T)) {
        for number in self.order.drain(..) {
            visit(number, core::mem::take(&mut self.amount[number as usize]));
        }
    }
}

/// Sums by key, in the order in which the keys first came.
#[derive(Debug)]
struct Sums<K> {
    known: Map<K, usize>,
    sums: Vec<(K, f64)>,
}

impl<K> Default for Sums<K> {
    fn default() -> Self {
        Self { known: Map::default(), sums: Vec::new() }
    }
}

impl<K: Copy + Eq + core::hash::Hash> Sums<K> {
    fn at(&mut self, key: K) -> &mut f64 {
        let next = self.sums.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            self.sums.push((key, 0.0));
        }
        &mut self.sums[at].1
    }
}

/// A station's waits: (probability, mean if waiting, weight).
type Waits = Vec<(f64, f64, f64)>;

/// Where one seed was, and for how long. As long as all that was ever solved, so a memo's seeds hand it on, emptied.
#[derive(Default, Debug)]
pub(super) struct Visited {
    /// Seconds in each solution: of this month, and of those that are closed.
    stays: Visits<f64>,
    lasted: Visits<f64>,
    /// How often each transition was taken this month, but for those on orbits.
    slots: Visits<u32>,
    /// By orbit.
    turns: Vec<Turns>,
}

/// What one seed adds up.
#[derive(Debug)]
pub(super) struct Tally {
    visited: Visited,
    pub(super) rough: Vec<Rough>,
    node_seconds: Table<Cluster, f64>,
    /// By cluster: the interval over which its inputs' shares move.
    pub(super) spans: Table<Cluster, (SimTime, SimTime)>,
    trace: Option<Vec<(Id<Cluster>, Rough)>>,
    /// Every stay, while somebody wants to know what was written.
    pub(super) lived: Option<Vec<Stay>>,
    /// Bytes of whole copies: from region to region.
    pub(super) copied: Vec<(Id<Region>, Id<Region>, f64)>,
    /// By cell: curve, delay, weight; in order of first visit.
    latency: Vec<Vec<(CurveId, f64, f64)>>,
    latency_at: Map<(u32, CurveId, u64), u32>,
    /// By cell: where the one before went. Mostly it is the same, and isn't looked up.
    latency_last: Vec<usize>,
    loss_at: Map<(u32, u32, Id<Root>), u32>,
    losses: Vec<Loss>,
    stations: Vec<Vec<StationTally>>,
    waits: Vec<Vec<Waits>>,
    violations: Vec<f64>,
    data: Vec<Vec<DataTally>>,
    /// Accesses to a store by their latency.
    accesses: Sums<(Id<Store>, Kind, CurveId)>,
    /// Reads of a store that may miss a write, by what they see.
    views: Sums<(Id<Store>, ViewId)>,
    months: Vec<Month>,
}

impl Tally {
    pub(super) fn new(plan: &Plan, trace: bool, visited: Visited) -> Self {
        let cells = plan.populations.len() * plan.journeys.len();
        let stations = plan
            .clusters
            .iter()
            .map(|cluster| vec![StationTally { empty: Some(0.0), ..StationTally::default() }; cluster.stations.len()]);
        Self {
            visited,
            rough: Vec::new(),
            node_seconds: vec![0.0; plan.clusters.len()].into(),
            spans: vec![(SimTime::ZERO, SimTime::ZERO); plan.clusters.len()].into(),
            trace: trace.then(Vec::new),
            lived: None,
            copied: Vec::new(),
            latency: vec![Vec::new(); cells],
            latency_at: Map::default(),
            latency_last: vec![0; cells],
            loss_at: Map::default(),
            losses: Vec::new(),
            stations: stations.collect(),
            waits: plan.clusters.iter().map(|cluster| vec![Vec::new(); cluster.stations.len()]).collect(),
            violations: vec![0.0; plan.populations.len()],
            data: vec![vec![DataTally::default(); plan.journeys.len()]; plan.stores.len()],
            accesses: Sums::default(),
            views: Sums::default(),
            months: Vec::new(),
        }
    }

    /// Every stay is kept, for a timeline.
    pub(super) fn tracing(&self) -> bool {
        self.trace.is_some()
    }

    /// The stays that were kept.
    pub(super) fn traced(&mut self) -> Vec<(Id<Cluster>, Rough)> {
        self.trace.take().unwrap_or_default()
    }

    /// Forgets what was added up so far: the warm-up is over.
    pub(super) fn restart(&mut self, plan: &Plan) {
        let (spans, lived) = (self.spans.clone(), self.lived.take());
        let mut visited = core::mem::take(&mut self.visited);
        visited.stays.drain(|_, _| ());
        visited.lasted.drain(|_, _| ());
        visited.slots.drain(|_, _| ());
        visited.turns.iter_mut().for_each(Turns::clear);
        *self = Self::new(plan, self.tracing(), visited);
        (self.spans, self.lived) = (spans, lived);
    }

    /// One stay that was stepped through.
    pub(super) fn stay(&mut self, cluster: Id<Cluster>, stay: Stay, nodes: u32, memo: &Memo) {
        let seconds = (stay.to - stay.from).secs();
        if seconds <= 0.0 {
            return;
        }
        self.visited.stays.add(stay.solution.0, seconds);
        self.node_seconds[cluster] += f64::from(nodes) * seconds;
        if let Some(lived) = &mut self.lived {
            lived.push(stay);
        }
        let rough = Rough { stay, span: self.spans[cluster] };
        if !memo.solution(stay.solution).fine {
            self.rough.push(rough);
        }
        if let Some(trace) = &mut self.trace {
            trace.push((cluster, rough));
        }
    }

    /// Every stay is to be told of, one by one.
    pub(super) fn tells_stays(&self) -> bool {
        self.trace.is_some() || self.lived.is_some()
    }

    /// So many whole slots on an orbit.
    pub(super) fn skip(&mut self, from: Place, count: usize, memo: &Memo) {
        let turns = &mut self.visited.turns;
        turns.resize_with(turns.len().max(from.orbit + 1), Turns::default);
        turns[from.orbit].add(memo.orbits.get(from.orbit).slots.len(), from.slot, count);
    }

    /// One whole slot from the memo.
    pub(super) fn slot(&mut self, cluster: Id<Cluster>, id: TransitionId, from: SimTime, memo: &Memo) {
        match memo.orbits.place(id) {
            Some(place) => self.skip(place, 1, memo),
            None => self.visited.slots.add(id.0, 1),
        }
        let transition = memo.transition(id);
        if let Some(lived) = &mut self.lived {
            let mut start = from;
            for &(solution, _, ends) in &transition.stays {
                let to = from + Span::from_nanos(ends);
                if start < to {
                    lived.push(Stay { from: start, to, solution });
                }
                start = to;
            }
        }
        if transition.rough {
            let mut start = from;
            for &(solution, _, ends) in &transition.stays {
                let to = from + Span::from_nanos(ends);
                if !memo.solution(solution).fine {
                    self.rough.push(Rough { stay: Stay { from: start, to, solution }, span: self.spans[cluster] });
                }
                start = to;
            }
        }
    }

    /// Multiplies out a month that ends now and was `seconds` long.
    pub(super) fn close_month(&mut self, seconds: f64, plan: &Plan, memo: &Memo) {
        let cells = plan.populations.len() * plan.journeys.len();
        let mut month = Month { seconds, ..Month::empty(cells, plan.clusters.len()) };
        let Visited { stays, lasted, slots, turns } = &mut self.visited;
        for (number, turns) in turns.iter_mut().enumerate() {
            let orbit = memo.orbits.get(number);
            turns.close_month(|slots, count| {
                let (from, to, count) = (&orbit.billed[slots.start], &orbit.billed[slots.end], count as f64);
                to.amounts.bill(orbit.cluster, count, &mut month);
                from.amounts.bill(orbit.cluster, -count, &mut month);
                self.node_seconds[orbit.cluster] += (to.node_seconds - from.node_seconds) * count;
            });
        }
        slots.drain(|number, count| {
            let transition = memo.transition(TransitionId(number));
            let count = f64::from(count);
            for &(solution, seconds, _) in &transition.stays {
                stays.add(solution.0, seconds * count);
            }
            if let Some(&(solution, ..)) = transition.stays.first() {
                self.node_seconds[memo.inputs_of(solution).cluster] += transition.node_seconds * count;
            }
        });
        stays.drain(|number, seconds| {
            let id = SolutionId(number);
            memo.solution(id).bill(memo.inputs_of(id).cluster, seconds, &mut month);
            lasted.add(number, seconds);
        });
        for (hours, seconds) in month.node_hours.iter_mut().zip(&mut self.node_seconds) {
            *hours = *seconds / 3600.0;
            *seconds = 0.0;
        }
        for (from, to, bytes) in self.copied.drain(..) {
            if from != to && bytes > 0.0 {
                add_transfer(&mut month.transfer, from, to, bytes);
            }
        }
        month.transfer.sort_by_key(|&(from, to, _)| (from, to));
        self.months.push(month);
    }

    /// Adds what doesn't have to be known by the month.
    fn add(&mut self, id: SolutionId, seconds: f64, plan: &Plan, memo: &Memo) {
        let solution = memo.solution(id);
        let inputs = memo.inputs_of(id);
        let cluster = inputs.cluster.index();
        let journeys = plan.journeys.len();
        for cell in &solution.cells {
            let position = cell.population.index() * journeys + cell.journey.index();
            let good = cell.rate * seconds * cell.success;
            for &(curve, delay, share) in &cell.latency {
                let (entries, last) = (&mut self.latency[position], &mut self.latency_last[position]);
                let same = |entry: &&mut (CurveId, f64, f64)| entry.0 == curve && entry.1.to_bits() == delay.to_bits();
                if let Some(entry) = entries.get_mut(*last).filter(same) {
                    entry.2 += good * share;
                    continue;
                }
                let next = entries.len() as u32;
                let at = *self.latency_at.entry((position as u32, curve, delay.to_bits())).or_insert(next);
                if at == next {
                    entries.push((curve, delay, 0.0));
                }
                *last = at as usize;
                entries[*last].2 += good * share;
            }
            if plan.populations[cell.population].disliked[inputs.cluster] {
                self.violations[cell.population.index()] += good;
            }
        }
        for lost in &solution.losses {
            let cell = &solution.cells[lost.cell];
            let position = (cell.population.index() * journeys + cell.journey.index()) as u32;
            let next = self.losses.len() as u32;
            let at = *self.loss_at.entry((position, lost.stage.index() as u32, lost.root)).or_insert(next);
            if at == next {
                self.losses.push(Loss {
                    population: cell.population,
                    journey: cell.journey,
                    stage: lost.stage,
                    root: lost.root,
                    requests: 0.0,
                });
            }
            self.losses[at as usize].requests += lost.rate * seconds;
        }
        for done in &solution.uses.by_journey {
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
        for &(store, kind, curve, rate) in &solution.uses.latency {
            *self.accesses.at((store, kind, curve)) += rate * seconds;
        }
        for &(store, view, rate) in &solution.uses.views {
            *self.views.at((store, view)) += rate * seconds;
        }
        for (position, state) in solution.stations.iter().enumerate() {
            let tally = &mut self.stations[cluster][position];
            let service = &plan.services[plan.clusters[inputs.cluster].stations[position].service];
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
            let waits = &mut self.waits[cluster][position];
            let (waiting, wait) =
                if steady.waiting > 1e-12 { (steady.waiting, steady.wait_if_waiting) } else { (0.0, 0.0) };
            match waits.iter_mut().find(|entry| entry.0 == waiting && entry.1 == wait) {
                Some(entry) => entry.2 += served,
                None => waits.push((waiting, wait, served)),
            }
        }
    }

    /// Everything, once the last month is closed, with what requests counted. What it returns is empty again.
    pub(super) fn finish(
        mut self,
        plan: &Plan,
        memo: &Memo,
        counts: Option<Counts>,
        observations: &mut Observations,
    ) -> Visited {
        let mut visited = core::mem::take(&mut self.visited);
        for (number, turns) in visited.turns.iter_mut().enumerate() {
            for (slot, count) in memo.orbits.get(number).slots.iter().zip(turns.take_closed()).filter(|slot| slot.1 > 0)
            {
                for &(solution, seconds, _) in &memo.transition(*slot).stays {
                    visited.lasted.add(solution.0, seconds * count as f64);
                }
            }
        }
        visited.lasted.drain(|number, seconds| self.add(SolutionId(number), seconds, plan, memo));
        let journeys = plan.journeys.len();
        let everyone: Vec<Option<Id<Population>>> = plan.populations.keys().map(Some).chain([None]).collect();
        let everything: Vec<Option<Id<Journey>>> = plan.journeys.keys().map(Some).chain([None]).collect();
        let nodes: Vec<f64> = (0..CURVE_NODES).map(curve_node).collect();
        for &population in &everyone {
            for &journey in &everything {
                let mut times = Times::default();
                for (position, parts) in self.latency.iter().enumerate() {
                    let of_population = population.is_none_or(|id| position / journeys == id.index());
                    let of_journey = journey.is_none_or(|id| position % journeys == id.index());
                    if of_population && of_journey {
                        for &(curve, delay, weight) in parts {
                            let (curve, within) = memo.curves.get(curve);
                            times.rates.add(curve, within, delay, weight);
                        }
                        if let Some(counts) = &counts {
                            times.counted.merge(counts.latency[position].histogram());
                        }
                    }
                }
                if let Some(mean) = times.mean() {
                    let quantiles = times.quantiles(QUANTILES);
                    observations.latency.push(Latency { population, journey, mean, quantiles });
                }
                if journey.is_none() {
                    observations.curves.push(times.cdfs(&nodes));
                }
            }
        }
        observations.stores = plan.stores.keys().map(|store| self.one_store(store, memo, counts.as_ref())).collect();
        let nothing = Histogram::default();
        for (cluster, (tallies, waits)) in self.stations.iter_mut().zip(&self.waits).enumerate() {
            for (position, (tally, waits)) in tallies.iter_mut().zip(waits).enumerate() {
                let counted = counts.as_ref().map(|counts| &counts.stations[cluster][position]);
                let waited = counted.map_or((&nothing, 1.0), |(counted, waited)| {
                    tally.add(counted);
                    (waited, counted.served / waited.weight())
                });
                tally.wait_quantiles = [0.5, 0.95, 0.99].map(|p| wait_quantile(waits, waited, p));
            }
        }
        if let Some(counts) = counts {
            self.add_counts(counts);
        }
        observations.months = self.months;
        observations.losses = self.losses;
        observations.stations = self.stations;
        observations.violations = self.violations;
        observations.data = self.data;
        visited
    }

    /// Adds what requests counted.
    fn add_counts(&mut self, counts: Counts) {
        for (month, more) in self.months.iter_mut().zip(&counts.months) {
            month.add(more);
        }
        for more in counts.losses {
            let key = |loss: &Loss| (loss.population, loss.journey, loss.stage, loss.root);
            match self.losses.iter_mut().find(|loss| key(loss) == key(&more)) {
                Some(loss) => loss.requests += more.requests,
                None => self.losses.push(more),
            }
        }
        self.violations.iter_mut().zip(counts.violations).for_each(|(sum, more)| *sum += more);
        for (sum, more) in self.data.iter_mut().flatten().zip(counts.data.iter().flatten()) {
            sum.add(more);
        }
    }

    /// How long a store's accesses took, and how soon its reads see a write.
    fn one_store(&self, store: Id<Store>, memo: &Memo, counts: Option<&Counts>) -> StoreTally {
        let access = |kind: Kind| {
            let mut times = Times::default();
            for &((other, of, curve), count) in &self.accesses.sums {
                if other == store && of == kind {
                    let (curve, within) = memo.curves.get(curve);
                    times.rates.add(curve, within, 0.0, count);
                }
            }
            if let Some(counts) = counts {
                times.counted.merge(counts.accesses[store.index()][usize::from(kind == Kind::Write)].histogram());
            }
            times.mean().map(|mean| (mean, times.quantiles(ACCESS_QUANTILES)))
        };
        let reads: f64 = self.data[store.index()].iter().map(|done| done.reads).sum();
        let views = self.views.sums.iter().filter(|((other, _), _)| *other == store);
        let views: Vec<_> = views.map(|&((_, view), reads)| (memo.views.visibility(view), reads)).collect();
        StoreTally {
            reads: access(Kind::Read),
            writes: access(Kind::Write),
            visible: (reads > 0.0).then(|| seen_by(0.999, &views, reads)),
        }
    }
}

/// The wait that a share `p` of calls doesn't exceed: 0 while enough don't wait, else by bisection. Of waits that were
/// counted each stands for so many calls.
fn wait_quantile(waits: &Waits, (counted, each): (&Histogram, f64), p: f64) -> f64 {
    let by_rates: f64 = waits.iter().map(|entry| entry.2).sum();
    if by_rates <= 0.0 {
        return counted.quantile(p).unwrap_or(0.0);
    }
    let calls = if counted.is_empty() { 0.0 } else { counted.weight() * each };
    let beyond = |t: f64| -> f64 {
        let waiting: f64 = waits
            .iter()
            .filter(|entry| entry.1 > 0.0)
            .map(|&(waiting, wait, served)| served * waiting * crate::base::maths::exp(-t / wait))
            .sum();
        let counted = counted.cdf(t).map_or(0.0, |below| calls * (1.0 - below));
        (waiting + counted) / (by_rates + calls)
    };
    if beyond(0.0) <= 1.0 - p {
        return 0.0;
    }
    let mut high = waits.iter().map(|entry| entry.1).fold(counted.extent().map_or(0.0, |[_, most]| most), f64::max);
    while beyond(high) > 1.0 - p {
        high *= 2.0;
    }
    bisect((0.0, high), 1e-12, |wait| beyond(wait) > 1.0 - p)
}

/// A loss for reading: the stage and root with the most requests.
pub(super) fn main_cause(losses: impl Iterator<Item = (Stage, Id<Root>, f64)>) -> Option<(Stage, Id<Root>)> {
    let mut sums: Vec<(Stage, Id<Root>, f64)> = Vec::new();
    for (stage, root, requests) in losses {
        match sums.iter_mut().find(|entry| entry.0 == stage && entry.1 == root) {
            Some(entry) => entry.2 += requests,
            None => sums.push((stage, root, requests)),
        }
    }
    sums.into_iter().max_by(|a, b| a.2.total_cmp(&b.2).then(b.1.cmp(&a.1))).map(|(stage, root, _)| (stage, root))
}
