//! What one seed adds up: time spent in each solution, multiplied out once a month for the bill, and once for all else.
//!
//! Sums run in the seed's own first-visit order, so they don't depend on what the memo already held; what is on a weekly
//! orbit comes by itself, in the orbit's order.

use super::curves::Kind;
use super::memo::{Memo, SolutionId, TransitionId};
use super::observe::Times;
use super::orbit::{Place, Turns};
use super::outcome::Requests;
use super::requests::Counts;
use super::step::Stay;
use super::sums::{Sums, Waits};
use crate::base::maths::bisect;
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::observation::{
    ACCESS_QUANTILES, CURVE_NODES, Latency, Loss, Month, Observations, QUANTILES, StoreTally, add_transfer,
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
#[derive(Clone, Default, Debug)]
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

/// Where one seed was, and for how long. As long as all that was ever solved, so a memo's seeds hand it on, emptied.
#[derive(Clone, Default, Debug)]
pub(super) struct Visited {
    /// Seconds in each solution: of this month, and of those that are closed.
    stays: Visits<f64>,
    lasted: Visits<f64>,
    /// Requests of the stays of this month, and of the months that are closed.
    requests: Requests,
    all_requests: Requests,
    /// How often each transition was taken this month, but for those on orbits.
    slots: Visits<u32>,
    /// By orbit.
    turns: Vec<Turns>,
    /// Memory for what a seed finds.
    rough: Vec<Rough>,
    sums: Sums,
}

impl Visited {
    /// Takes back a seed's list of rough stays, once they were looked at.
    pub(super) fn take_back(&mut self, mut rough: Vec<Rough>) {
        rough.clear();
        self.rough = rough;
    }
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
    sums: Sums,
    months: Vec<Month>,
}

impl Tally {
    pub(super) fn new(plan: &Plan, trace: bool, mut visited: Visited) -> Self {
        let (rough, mut sums) = (core::mem::take(&mut visited.rough), core::mem::take(&mut visited.sums));
        sums.restart(plan);
        Self {
            visited,
            rough,
            node_seconds: vec![0.0; plan.clusters.len()].into(),
            spans: vec![(SimTime::ZERO, SimTime::ZERO); plan.clusters.len()].into(),
            trace: trace.then(Vec::new),
            lived: None,
            copied: Vec::new(),
            sums,
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
        visited.all_requests.drain(|_, _| ());
        visited.slots.drain(|_, _| ());
        visited.turns.iter_mut().for_each(Turns::clear);
        visited.take_back(core::mem::take(&mut self.rough));
        visited.sums = core::mem::take(&mut self.sums);
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
        if !memo.outcome_of(stay.solution).fine {
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
                if !memo.outcome_of(solution).fine {
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
        let Visited { stays, lasted, requests, all_requests, slots, turns, .. } = &mut self.visited;
        for (number, turns) in turns.iter_mut().enumerate() {
            let orbit = memo.orbits.get(number);
            turns.close_month(|slots, count| {
                let (billed, count) = (&orbit.billed[slots], count as f64);
                billed.amounts.bill(orbit.cluster, count, &mut month);
                self.node_seconds[orbit.cluster] += billed.node_seconds * count;
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
            let (outcome, rates) = memo.rates(SolutionId(number));
            requests.add(outcome, rates, seconds);
            lasted.add(number, seconds);
        });
        requests.drain(|outcome, requests| {
            memo.outcome(outcome).bill(requests, plan.journeys.len(), &mut month);
            all_requests.add(outcome, requests, 1.0);
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
            // Mostly nothing happens: whole weeks, and slots that were taken more or less often than they say.
            let orbit = memo.orbits.get(number);
            let (weeks, closed) = turns.take_closed();
            self.sums.merge(&orbit.week, weeks as f64);
            for (count, slots) in closed.into_iter().filter(|run| run.0 != weeks) {
                for &(solution, seconds, _) in orbit.slots[slots].iter().flat_map(|&slot| &memo.transition(slot).stays)
                {
                    let more = seconds * (count as f64 - weeks as f64);
                    let solution = memo.solution(solution);
                    visited.all_requests.add(solution.outcome, solution.rates, more);
                    self.sums.add_seconds(orbit.cluster, &solution, more, plan);
                }
            }
        }
        visited.lasted.drain(|number, seconds| {
            let id = SolutionId(number);
            self.sums.add_seconds(memo.inputs_of(id).cluster, &memo.solution(id), seconds, plan);
        });
        visited.all_requests.drain(|outcome, requests| self.sums.add_requests(memo.outcome(outcome), requests, plan));
        self.tell_latency(plan, memo, counts.as_ref(), observations);
        observations.stores = plan.stores.keys().map(|store| self.one_store(store, memo, counts.as_ref())).collect();
        let nothing = Histogram::default();
        let mut stations = core::mem::take(&mut self.sums.stations);
        for (cluster, (tallies, waits)) in stations.iter_mut().zip(&self.sums.waits).enumerate() {
            for (position, (tally, waits)) in tallies.iter_mut().zip(waits).enumerate() {
                let counted = counts.as_ref().map(|counts| &counts.stations[cluster][position]);
                let waited = counted.map_or((&nothing, 1.0), |(counted, waited)| {
                    tally.add(counted, 1.0);
                    (waited, counted.served / waited.weight())
                });
                tally.wait_quantiles = [0.5, 0.95, 0.99].map(|p| wait_quantile(waits, waited, p));
            }
        }
        if let Some(counts) = counts {
            self.add_counts(counts);
        }
        observations.months = self.months;
        let loss = |((population, journey, stage, root), requests)| Loss { population, journey, stage, root, requests };
        observations.losses = self.sums.losses.iter().map(loss).collect();
        observations.stations = stations;
        observations.violations = core::mem::take(&mut self.sums.violations);
        observations.data = core::mem::take(&mut self.sums.data);
        visited.sums = self.sums;
        visited
    }

    /// Latency of each cell, each population over all journeys, each journey over all populations, and all.
    fn tell_latency(&self, plan: &Plan, memo: &Memo, counts: Option<&Counts>, observations: &mut Observations) {
        let mut tell = |population: Option<Id<Population>>, journey: Option<Id<Journey>>, times: &Times| {
            if let Some(mean) = times.mean() {
                let quantiles = times.quantiles(QUANTILES);
                observations.latency.push(Latency { population, journey, mean, quantiles });
            }
        };
        // Those of all are those of each population.
        let (mut charts, mut below_of_all) = (Vec::with_capacity(plan.populations.len() + 1), vec![0.0; CURVE_NODES]);
        let shares =
            |below: &[f64], all: f64| below.iter().map(|below| if all > 0.0 { below / all } else { 0.0 }).collect();
        let (mut by_journey, mut all) = (vec![Times::default(); plan.journeys.len()], Times::default());
        let mut cells = self.sums.latency.iter().enumerate();
        for population in plan.populations.keys() {
            let mut of_population = Times::default();
            for (journey, of_journey) in plan.journeys.keys().zip(&mut by_journey) {
                let Some((cell, parts)) = cells.next() else { continue };
                let mut times = Times::default();
                for &(curve, delay, weight) in parts {
                    let (curve, within) = memo.curves.get(curve);
                    times.rates.add(curve, within, delay, weight);
                }
                if let Some(counts) = counts {
                    times.counted.merge(counts.latency[cell].histogram());
                }
                tell(Some(population), Some(journey), &times);
                of_population.merge(&times);
                of_journey.merge(&times);
            }
            tell(Some(population), None, &of_population);
            let below = of_population.below_nodes();
            below_of_all.iter_mut().zip(&below).for_each(|(sum, below)| *sum += below);
            charts.push(shares(&below, of_population.weight()));
        }
        for (journey, times) in plan.journeys.keys().zip(&by_journey) {
            tell(None, Some(journey), times);
            all.merge(times);
        }
        tell(None, None, &all);
        charts.push(shares(&below_of_all, all.weight()));
        observations.curves = charts;
    }

    /// Adds what requests counted.
    fn add_counts(&mut self, counts: Counts) {
        for (month, more) in self.months.iter_mut().zip(&counts.months) {
            month.add(more);
        }
        for more in counts.losses {
            *self.sums.losses.at((more.population, more.journey, more.stage, more.root)) += more.requests;
        }
        self.sums.violations.iter_mut().zip(counts.violations).for_each(|(sum, more)| *sum += more);
        for (sum, more) in self.sums.data.iter_mut().flatten().zip(counts.data.iter().flatten()) {
            sum.add(more, 1.0);
        }
    }

    /// How long a store's accesses took, and how soon its reads see a write.
    fn one_store(&self, store: Id<Store>, memo: &Memo, counts: Option<&Counts>) -> StoreTally {
        let access = |kind: Kind| {
            let mut times = Times::default();
            for ((other, of, curve), count) in self.sums.accesses.iter() {
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
        let reads: f64 = self.sums.data[store.index()].iter().map(|done| done.reads).sum();
        let views = self.sums.views.iter().filter(|((other, _), _)| *other == store);
        let views: Vec<_> = views.map(|((_, view), reads)| (memo.views.visibility(view), reads)).collect();
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
    let waits =
        || waits.iter().map(|((waiting, wait), served)| (f64::from_bits(waiting), f64::from_bits(wait), served));
    let by_rates: f64 = waits().map(|entry| entry.2).sum();
    if by_rates <= 0.0 {
        return counted.quantile(p).unwrap_or(0.0);
    }
    let calls = if counted.is_empty() { 0.0 } else { counted.weight() * each };
    let beyond = |t: f64| -> f64 {
        let waiting: f64 = waits()
            .filter(|entry| entry.1 > 0.0)
            .map(|(waiting, wait, served)| served * waiting * crate::base::maths::exp(-t / wait))
            .sum();
        let counted = counted.cdf(t).map_or(0.0, |below| calls * (1.0 - below));
        (waiting + counted) / (by_rates + calls)
    };
    if beyond(0.0) <= 1.0 - p {
        return 0.0;
    }
    let mut high = waits().map(|entry| entry.1).fold(counted.extent().map_or(0.0, |[_, most]| most), f64::max);
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
