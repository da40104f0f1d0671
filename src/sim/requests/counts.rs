//! What the requests of one seed add up to: the same observations as the flow engine makes, as counts.

use super::sample::seconds;
use super::windows::Windows;
use super::{Entry, Why};
use crate::base::stream::Rng;
use crate::base::{Id, SimTime, Table};
use crate::domain::observation::{
    ACCESS_QUANTILES, CURVE_NODES, DataTally, Latency, Loss, Month, Observations, QUANTILES, StationTally, StoreTally,
    curve_node,
};
use crate::domain::traced::TracedRequest;
use crate::domain::{Cluster, Journey, Population, Root, Stage, Store};
use crate::plan::Plan;
use crate::sim::inputs::Inputs;
use crate::sim::intern::Map;
use crate::sim::log::Log;
use crate::sim::lookups::Hits;
use crate::sim::solve::{Solution, bytes};
use crate::stats::Histogram;

/// What is added up. Requests that began in the warm-up don't count.
#[derive(Debug)]
pub(super) struct Counts {
    origin: SimTime,
    /// What one request stands for.
    weight: f64,
    journeys: usize,
    month: Month,
    months: Vec<Month>,
    month_began: SimTime,
    latency: Vec<Histogram>,
    loss_at: Map<(u32, Stage, Id<Root>), u32>,
    losses: Vec<Loss>,
    violations: Vec<f64>,
    data: Vec<Vec<DataTally>>,
    /// By store: how long its reads and writes took.
    accesses: Vec<[Histogram; 2]>,
    /// Good requests by cluster, cell and whether by the current answer, whose bytes have yet to be counted.
    unsettled: Table<Cluster, Vec<[f64; 2]>>,
    disliked: Vec<Table<Cluster, bool>>,
    response: Vec<f64>,
    pub(super) windows: Windows,
    /// Where requests are traced: the first that end, and how many of them are kept.
    traced: Option<(Vec<TracedRequest>, usize)>,
}

impl Counts {
    pub(super) fn new(plan: &Plan, origin: SimTime, scale: f64) -> Self {
        let cells = plan.populations.len() * plan.journeys.len();
        Self {
            origin,
            weight: 1.0 / scale,
            journeys: plan.journeys.len(),
            month: Month::empty(cells, plan.clusters.len()),
            months: Vec::new(),
            month_began: SimTime::ZERO,
            latency: vec![Histogram::default(); cells],
            loss_at: Map::default(),
            losses: Vec::new(),
            violations: vec![0.0; plan.populations.len()],
            data: vec![vec![DataTally::default(); plan.journeys.len()]; plan.stores.len()],
            accesses: vec![Default::default(); plan.stores.len()],
            unsettled: vec![vec![[0.0; 2]; cells]; plan.clusters.len()].into(),
            disliked: plan.populations.iter().map(|own| own.disliked.clone()).collect(),
            response: plan.journeys.iter().map(|journey| journey.response).collect(),
            windows: Windows::new(cells, origin),
            traced: None,
        }
    }

    fn cell(&self, population: Id<Population>, journey: Id<Journey>) -> usize {
        population.index() * self.journeys + journey.index()
    }

    /// A request begins.
    pub(super) fn offered(&mut self, now: SimTime, population: Id<Population>, journey: Id<Journey>, current: bool) {
        if now >= self.origin {
            let cell = self.cell(population, journey);
            self.month.offered[cell] += self.weight;
            self.windows.offered(now, cell, current);
        }
    }

    /// Keeps so many of the requests that end.
    pub(super) fn trace(&mut self, most: usize) {
        self.traced = Some((Vec::new(), most));
    }

    /// The requests that were kept.
    pub(super) fn traced(&mut self) -> Vec<TracedRequest> {
        self.traced.take().map_or_else(Vec::new, |(requests, _)| requests)
    }

    /// As many requests have ended as are kept.
    pub(super) fn has_traced(&self) -> bool {
        self.traced.as_ref().is_some_and(|(requests, most)| requests.len() >= *most)
    }

    fn keep(&mut self, entry: &Entry, ended: SimTime, lost: Option<Why>) {
        let Some((requests, _)) = self.traced.as_mut().filter(|(requests, most)| requests.len() < *most) else {
            return;
        };
        let origin = self.origin;
        let secs = |at: SimTime| at.since(origin).secs();
        requests.push(TracedRequest {
            begun: secs(entry.begun),
            ended: secs(ended),
            population: entry.population,
            journey: entry.journey,
            cluster: entry.cluster,
            tries: entry.tries,
            waited: entry.waited,
            lost,
        });
    }

    /// A request has its answer.
    pub(super) fn good(&mut self, entry: &Entry, answer: SimTime) {
        if entry.begun < self.origin {
            return;
        }
        self.keep(entry, answer, None);
        let cell = self.cell(entry.population, entry.journey);
        // A request that ends in the next month is one of the month in which it began, but for bytes.
        if entry.begun < self.month_began {
            if let Some(before) = self.months.last_mut() {
                before.good[cell] += self.weight;
            }
        } else {
            self.month.good[cell] += self.weight;
        }
        self.latency[cell].record(seconds(answer - entry.begun), self.weight);
        self.unsettled[entry.cluster][cell][usize::from(!entry.current)] += self.weight;
        self.month.egress[entry.cluster.index()] += self.weight * self.response[entry.journey.index()];
        if self.disliked[entry.population.index()][entry.cluster] {
            self.violations[entry.population.index()] += self.weight;
        }
        self.windows.good(entry.begun, cell, entry.current);
    }

    /// A request is lost.
    pub(super) fn lost(&mut self, at: SimTime, entry: &Entry, (stage, root): Why) {
        if entry.begun < self.origin {
            return;
        }
        self.keep(entry, at, Some((stage, root)));
        let cell = self.cell(entry.population, entry.journey);
        let next = self.losses.len() as u32;
        let at = *self.loss_at.entry((cell as u32, stage, root)).or_insert(next);
        if at == next {
            let (population, journey) = (entry.population, entry.journey);
            self.losses.push(Loss { population, journey, stage, root, requests: 0.0 });
        }
        self.losses[at as usize].requests += self.weight;
        self.windows.lost(entry.begun, cell, stage, root);
    }

    /// A store was read or written.
    pub(super) fn accessed(
        &mut self,
        now: SimTime,
        store: Id<Store>,
        journey: Id<Journey>,
        writes: bool,
        seconds: f64,
    ) {
        if now < self.origin {
            return;
        }
        self.took(now, store, writes, seconds);
        let tally = &mut self.data[store.index()][journey.index()];
        if writes {
            tally.writes += self.weight;
            tally.latency += self.weight * seconds;
        } else {
            tally.reads += self.weight;
        }
    }

    /// An access to a store took so long.
    pub(super) fn took(&mut self, now: SimTime, store: Id<Store>, writes: bool, seconds: f64) {
        if now >= self.origin {
            self.accesses[store.index()][usize::from(writes)].record(seconds, self.weight);
        }
    }

    /// A cache was read: by one who hit, or who read the cached store after that.
    pub(super) fn read(&mut self, now: SimTime, cache: Id<Store>, journey: Id<Journey>, hit: bool) {
        if now >= self.origin {
            let tally = &mut self.data[cache.index()][journey.index()];
            tally.reads += self.weight;
            tally.hits += if hit { self.weight } else { 0.0 };
        }
    }

    /// Counts the bytes of what was served under these inputs, with what caches answer.
    pub(super) fn settle(&mut self, plan: &Plan, cluster: Id<Cluster>, given: Option<(&Inputs, &Hits<'_>)>) {
        let Some((inputs, hits)) = given else { return };
        let mut moved = Solution::default();
        for (cell, counts) in self.unsettled[cluster].iter_mut().enumerate() {
            for (old, count) in counts.iter_mut().enumerate() {
                if *count == 0.0 {
                    continue;
                }
                let population = Id::new(cell / self.journeys);
                let of = |flow: &crate::sim::inputs::Flow| flow.population == population;
                let exact = inputs.flows.iter().position(|flow| of(flow) && flow.current == (old == 0));
                if let Some(flow) = exact.or_else(|| inputs.flows.iter().position(of)) {
                    let journey = &plan.journeys[Id::new(cell % self.journeys)];
                    let hits = hits.of_path(plan, &inputs.flows[flow], journey);
                    bytes(plan, inputs, flow, journey, *count, &hits, &mut moved);
                }
                *count = 0.0;
            }
        }
        self.month.internal[cluster.index()] += moved.internal;
        self.month.carried.add(&moved.carried, 1.0);
        moved.carried.egress.iter().for_each(|&(id, bytes)| self.month.egress[id.index()] += bytes);
        for (from, to, bytes) in moved.transfer {
            match self.month.transfer.iter_mut().find(|entry| entry.0 == from && entry.1 == to) {
                Some(entry) => entry.2 += bytes,
                None => self.month.transfer.push((from, to, bytes)),
            }
        }
    }

    /// The warm-up is over.
    pub(super) fn restart(&mut self, plan: &Plan, now: SimTime) {
        let traced = self.traced.take();
        *self = Self { month_began: now, traced, ..Self::new(plan, self.origin, 1.0 / self.weight) };
    }

    /// A month ends now; its clusters had so many node-hours.
    pub(super) fn close_month(&mut self, plan: &Plan, now: SimTime, node_hours: Vec<f64>) {
        let cells = plan.populations.len() * self.journeys;
        let next = Month::empty(cells, plan.clusters.len());
        let mut month = core::mem::replace(&mut self.month, next);
        month.seconds = (now - self.month_began).secs();
        month.node_hours = node_hours;
        month.transfer.sort_by_key(|&(from, to, _)| (from, to));
        self.months.push(month);
        self.month_began = now;
    }

    /// Everything, once nobody is on the way any more.
    pub(super) fn finish(mut self, plan: &Plan, log: &Log, clients: &mut Rng, observations: &mut Observations) {
        // What was served after the end belongs to the last month.
        if let Some(last) = self.months.last_mut() {
            last.carried.add(&self.month.carried, 1.0);
            for (sum, more) in [
                (&mut last.good, &self.month.good),
                (&mut last.egress, &self.month.egress),
                (&mut last.internal, &self.month.internal),
            ] {
                sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
        }
        let everyone: Vec<Option<Id<Population>>> = plan.populations.keys().map(Some).chain([None]).collect();
        let everything: Vec<Option<Id<Journey>>> = plan.journeys.keys().map(Some).chain([None]).collect();
        for &population in &everyone {
            for &journey in &everything {
                let mut sum = Histogram::default();
                for (cell, histogram) in self.latency.iter().enumerate() {
                    let of_population = population.is_none_or(|id| cell / self.journeys == id.index());
                    let of_journey = journey.is_none_or(|id| cell % self.journeys == id.index());
                    if of_population && of_journey {
                        sum.merge(histogram);
                    }
                }
                if let Some(mean) = sum.mean() {
                    let quantiles = QUANTILES.map(|p| sum.quantile(p).unwrap_or(0.0));
                    observations.latency.push(Latency { population, journey, mean, quantiles });
                }
                if journey.is_none() {
                    let node = |k| sum.cdf(curve_node(k)).unwrap_or(0.0);
                    observations.curves.push((0..CURVE_NODES).map(node).collect());
                }
            }
        }
        let found = self.windows.outages(plan, log, self.journeys, self.weight, clients);
        observations.outages = found.outages;
        observations.below = found.below;
        observations.any_below = found.any_below;
        let took = |times: &Histogram| {
            times.mean().map(|mean| (mean, ACCESS_QUANTILES.map(|p| times.quantile(p).unwrap_or(0.0))))
        };
        let stores = self.accesses.iter();
        let tally =
            |[reads, writes]: &[Histogram; 2]| StoreTally { reads: took(reads), writes: took(writes), visible: None };
        observations.stores = stores.map(tally).collect();
        observations.months = self.months;
        observations.losses = self.losses;
        observations.violations = self.violations;
        observations.data = self.data;
    }
}

/// A station's tally with counts multiplied out.
pub(super) fn unscaled(tally: &StationTally, scale: f64) -> StationTally {
    let mut tally = tally.clone();
    for count in [
        &mut tally.arrivals,
        &mut tally.served,
        &mut tally.wait,
        &mut tally.wait_square,
        &mut tally.waited,
        &mut tally.met,
        &mut tally.service,
        &mut tally.in_system,
    ] {
        *count /= scale;
    }
    tally
}
