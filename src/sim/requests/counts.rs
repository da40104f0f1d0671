//! What the requests of one seed add up to: the same observations as the flow engine makes, as counts.

use super::Why;
use super::entry::Entry;
use super::minutes::Minutes;
use super::units::seconds;
use crate::base::maths::sum;
use crate::base::{Id, SimTime, Table};
use crate::domain::observation::{DataTally, Loss, Month, StationTally};
use crate::domain::traced::TracedRequest;
use crate::domain::{Cluster, Journey, Population, Root, Stage, Store};
use crate::plan::{ClusterPlan, Plan};
use crate::sim::inputs::Inputs;
use crate::sim::intern::Map;
use crate::sim::lookups::Hits;
use crate::sim::moves::{Moves, bytes};
use crate::stats::{Histogram, Recorder};

/// What is added up. Requests that began before `since` don't count, whatever they do later.
#[derive(Debug)]
pub(in crate::sim) struct Counts {
    origin: SimTime,
    pub(super) since: SimTime,
    /// What one request stands for.
    pub(super) weight: f64,
    journeys: usize,
    month: Month,
    pub(in crate::sim) months: Vec<Month>,
    month_began: SimTime,
    /// By cell.
    pub(in crate::sim) latency: Vec<Recorder>,
    loss_at: Map<(u32, Stage, Id<Root>), u32>,
    pub(in crate::sim) losses: Vec<Loss>,
    pub(in crate::sim) violations: Vec<f64>,
    pub(in crate::sim) data: Vec<Vec<DataTally>>,
    /// By store: how long its reads and writes took.
    pub(in crate::sim) accesses: Vec<[Recorder; 2]>,
    /// By cluster and station: what windows that are over added up, and how long calls waited.
    pub(in crate::sim) stations: Vec<Vec<(StationTally, Histogram)>>,
    /// Events and arrivals of windows that are over.
    pub(in crate::sim) processed: u64,
    /// Good requests by cluster, cell and whether by the current answer, whose bytes have yet to be counted.
    unsettled: Table<Cluster, Vec<[f64; 2]>>,
    disliked: Vec<Table<Cluster, bool>>,
    response: Vec<f64>,
    pub(in crate::sim) minutes: Minutes,
    /// Where requests are traced: the first that end, and how many of them are kept.
    traced: Option<(Vec<TracedRequest>, usize)>,
}

/// Requests that have begun in one minute and need no entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Straightforward {
    /// When the first of them began.
    pub(super) began: SimTime,
    pub(super) good: u32,
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    pub(super) cluster: Id<Cluster>,
    pub(super) current: bool,
}

impl Counts {
    pub(in crate::sim) fn new(plan: &Plan, scale: f64) -> Self {
        let origin = SimTime::ZERO + plan.warm_up;
        let stations = |own: &ClusterPlan| {
            let nothing = StationTally { empty: Some(0.0), ..StationTally::default() };
            vec![(nothing, Histogram::default()); own.stations.len()]
        };
        let cells = plan.populations.len() * plan.journeys.len();
        Self {
            origin,
            since: origin,
            weight: 1.0 / scale,
            journeys: plan.journeys.len(),
            month: Month::empty(cells, plan.clusters.len()),
            months: Vec::new(),
            month_began: origin,
            latency: vec![Recorder::new(1.0 / scale); cells],
            loss_at: Map::default(),
            losses: Vec::new(),
            violations: vec![0.0; plan.populations.len()],
            data: vec![vec![DataTally::default(); plan.journeys.len()]; plan.stores.len()],
            accesses: vec![[Recorder::new(1.0 / scale), Recorder::new(1.0 / scale)]; plan.stores.len()],
            unsettled: vec![vec![[0.0; 2]; cells]; plan.clusters.len()].into(),
            disliked: plan.populations.iter().map(|own| own.disliked.clone()).collect(),
            response: plan.journeys.iter().map(|journey| journey.response).collect(),
            stations: plan.clusters.iter().map(stations).collect(),
            processed: 0,
            minutes: Minutes::new(cells, origin, 1.0 / scale),
            traced: None,
        }
    }

    fn cell(&self, population: Id<Population>, journey: Id<Journey>) -> usize {
        population.index() * self.journeys + journey.index()
    }

    /// A request begins.
    pub(super) fn offered(&mut self, now: SimTime, population: Id<Population>, journey: Id<Journey>, current: bool) {
        if now >= self.since {
            let cell = self.cell(population, journey);
            self.month.offered[cell] += self.weight;
            self.minutes.offered(now, cell, current);
        }
    }

    /// Requests that begin from now on count.
    pub(in crate::sim) fn since(&mut self, now: SimTime) {
        self.since = now;
    }

    /// Keeps so many of the requests that end.
    pub(in crate::sim) fn trace(&mut self, most: usize) {
        self.traced = Some((Vec::new(), most));
    }

    /// The requests that were kept.
    pub(in crate::sim) fn traced(&mut self) -> Vec<TracedRequest> {
        self.traced.take().map_or_else(Vec::new, |(requests, _)| requests)
    }

    /// As many requests have ended as are kept.
    pub(in crate::sim) fn has_traced(&self) -> bool {
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
        if entry.begun < self.since {
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
        self.latency[cell].record(seconds(answer - entry.begun));
        self.unsettled[entry.cluster][cell][usize::from(!entry.current)] += self.weight;
        self.month.egress[entry.cluster.index()] += self.weight * self.response[entry.journey.index()];
        if self.disliked[entry.population.index()][entry.cluster] {
            self.violations[entry.population.index()] += self.weight;
        }
        self.minutes.good(entry.begun, cell, entry.current);
    }

    /// Requests that begin from then on count, and none is looked at by itself.
    pub(super) fn takes_straight(&self, begun: SimTime) -> bool {
        begun >= self.since && !self.is_traced()
    }

    /// Requests are looked at one by one.
    pub(super) fn is_traced(&self) -> bool {
        self.traced.is_some()
    }

    /// Requests have begun and will have their answers; their latencies are recorded already.
    pub(super) fn went_straight(&mut self, requests: Straightforward) {
        let Straightforward { began, good, population, journey, cluster, current } = requests;
        if good == 0 {
            return;
        }
        let (cell, weight) = (self.cell(population, journey), f64::from(good) * self.weight);
        self.month.offered[cell] += weight;
        self.month.good[cell] += weight;
        self.unsettled[cluster][cell][usize::from(!current)] += weight;
        self.month.egress[cluster.index()] += weight * self.response[journey.index()];
        if self.disliked[population.index()][cluster] {
            self.violations[population.index()] += weight;
        }
        self.minutes.went_straight(began, cell, current, good);
    }

    /// A request is lost.
    pub(super) fn lost(&mut self, at: SimTime, entry: &Entry, (stage, root): Why) {
        if entry.begun < self.since {
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
        self.minutes.lost(entry.begun, cell, stage, root);
    }

    /// A store was read or written by a request that began then.
    pub(super) fn accessed(
        &mut self,
        begun: SimTime,
        store: Id<Store>,
        journey: Id<Journey>,
        writes: bool,
        seconds: f64,
    ) {
        if begun < self.since {
            return;
        }
        self.took(begun, store, writes, seconds);
        self.add_accesses(store, journey, writes, (1.0, seconds));
    }

    /// A store was read or written by requests that count.
    pub(super) fn accessed_each(&mut self, store: Id<Store>, journey: Id<Journey>, writes: bool, seconds: &[f64]) {
        self.accesses[store.index()][usize::from(writes)].record_all(seconds);
        self.add_accesses(store, journey, writes, (seconds.len() as f64, sum(seconds, |seconds| seconds)));
    }

    /// So many accesses took so many seconds together.
    fn add_accesses(&mut self, store: Id<Store>, journey: Id<Journey>, writes: bool, (count, seconds): (f64, f64)) {
        let tally = &mut self.data[store.index()][journey.index()];
        if writes {
            tally.writes += self.weight * count;
            tally.latency += self.weight * seconds;
        } else {
            tally.reads += self.weight * count;
        }
    }

    /// An access to a store took so long.
    pub(super) fn took(&mut self, begun: SimTime, store: Id<Store>, writes: bool, seconds: f64) {
        if begun >= self.since {
            self.accesses[store.index()][usize::from(writes)].record(seconds);
        }
    }

    /// A cache was read: by one who hit, or who read the cached store after that.
    pub(super) fn read(&mut self, begun: SimTime, cache: Id<Store>, journey: Id<Journey>, hit: bool) {
        if begun >= self.since {
            let tally = &mut self.data[cache.index()][journey.index()];
            tally.reads += self.weight;
            tally.hits += if hit { self.weight } else { 0.0 };
        }
    }

    /// Counts the bytes of what was served under these inputs, with what caches answer.
    pub(super) fn settle(&mut self, plan: &Plan, cluster: Id<Cluster>, given: Option<(&Inputs, &Hits<'_>)>) {
        let Some((inputs, hits)) = given else { return };
        let mut moved = Moves::default();
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
        // Amounts, not rates.
        moved.bill(cluster, 1.0, &mut self.month);
    }

    /// A month ends now; its clusters had so many node-hours.
    pub(in crate::sim) fn close_month(&mut self, plan: &Plan, now: SimTime, node_hours: Vec<f64>) {
        let cells = plan.populations.len() * self.journeys;
        let next = Month::empty(cells, plan.clusters.len());
        let mut month = core::mem::replace(&mut self.month, next);
        month.seconds = (now - self.month_began).secs();
        month.node_hours = node_hours;
        month.transfer.sort_by_key(|&(from, to, _)| (from, to));
        self.months.push(month);
        self.month_began = now;
    }

    /// A window is over.
    pub(super) fn close(&mut self) {
        self.minutes.close();
        self.latency.iter_mut().chain(self.accesses.iter_mut().flatten()).for_each(Recorder::put_in);
    }

    /// A window is over at a station.
    pub(super) fn add_station(&mut self, (cluster, position): (usize, usize), tally: &StationTally, waits: &Histogram) {
        let (sum, all) = &mut self.stations[cluster][position];
        sum.add(&unscaled(tally, 1.0 / self.weight), 1.0);
        all.merge(waits);
    }
}

/// A station's tally with counts multiplied out.
fn unscaled(tally: &StationTally, scale: f64) -> StationTally {
    let mut tally = tally.clone();
    for count in [
        &mut tally.arrivals,
        &mut tally.served,
        &mut tally.wait,
        &mut tally.wait_square,
        &mut tally.wait_again,
        &mut tally.interrupted,
        &mut tally.waited,
        &mut tally.met,
        &mut tally.service,
        &mut tally.in_system,
    ] {
        *count /= scale;
    }
    tally
}
