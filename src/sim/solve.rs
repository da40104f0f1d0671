//! The steady state of one cluster: what share of each journey succeeds, where the rest is lost, how long the
//! good ones take, and what each station does.
//!
//! Within a slot rates are constant, so all of it follows in closed form from the inputs and the ready pods.
//! A try walks its hops in order; the first failing hop sets the stage of the loss. Sheds and retries are a
//! fixed point: load makes failures, failures make load.

use super::backlog::{self, Level};
use super::curves::{CurveId, Curves};
use super::data::{self, Meetings, Use};
use super::inputs::{Condition, Inputs, Route};
use super::lookups::{self, Hits, Lookup, cache_of};
use crate::base::Id;
use crate::domain::{Journey, Population, Region, Root, Stage, Store};
use crate::plan::{ClusterPlan, DEMAND, JourneyPlan, Plan, StepPlan};
use crate::replication::cache::Reads;
use crate::traffic::queueing::{self, Load, Steady};
use crate::traffic::spec::Station;

/// Most rounds of the fixed point; without retries it takes as many as a path has stations.
const ROUNDS: usize = 400;
/// Rounds after which it is damped.
const UNDAMPED: usize = 40;
/// Seconds that a waiting client bears where the journey has no timeout.
const PATIENCE: f64 = 30.0;

/// One journey of one flow.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    /// Position of the flow.
    pub(super) flow: usize,
    /// Requests per second.
    pub(super) rate: f64,
    /// Share of them that succeed.
    pub(super) success: f64,
    /// Latency of the good ones: curve, delay before it, share of the good ones.
    pub(super) latency: Vec<(CurveId, f64, f64)>,
    /// By read of a cache, in the order of the path: of those that come back, the share that hit.
    pub(super) hits: Vec<f64>,
}

/// Requests lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) cell: usize,
    pub(super) stage: Stage,
    pub(super) root: Id<Root>,
    /// Requests per second.
    pub(super) rate: f64,
}

/// One station.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StationState {
    /// Calls per second.
    pub(super) arrivals: f64,
    pub(super) steady: Steady,
    pub(super) ready: u32,
    /// Calls per second that it can serve.
    pub(super) capacity: f64,
    /// It keeps a backlog.
    pub(super) fifo: bool,
    /// It has one, or begins to: all its servers are busy with it.
    pub(super) behind: bool,
}

impl StationState {
    /// Calls per second that it serves.
    pub(super) fn served(&self) -> f64 {
        if self.behind { self.capacity } else { self.arrivals * (1.0 - self.steady.rejected) }
    }

    /// Calls per second by which a backlog of so many grows.
    pub(super) fn drift(&self, calls: f64) -> f64 {
        if !self.fifo || self.capacity <= 0.0 {
            return 0.0;
        }
        let drift = self.arrivals - self.capacity;
        if calls <= 0.0 { drift.max(0.0) } else { drift }
    }
}

/// Calls per second that a station can serve with so many ready pods.
pub(super) fn capacity(plan: &Plan, own: &ClusterPlan, inputs: &Inputs, station: usize, ready: u32) -> f64 {
    let service = &plan.services[own.stations[station].service];
    let degraded = inputs.stations.iter().find(|(other, _)| *other as usize == station);
    let degraded = degraded.map_or(1.0, |(_, condition)| condition.capacity.get()) * inputs.front.capacity.get();
    f64::from(ready) * f64::from(service.concurrency) * degraded / service.time.mean().max(1e-12)
}

/// The steady state of one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    pub(super) cells: Vec<Cell>,
    pub(super) losses: Vec<Lost>,
    pub(super) stations: Vec<StationState>,
    /// Bytes per second to the internet.
    pub(super) egress: f64,
    /// Bytes per second within the cluster's region.
    pub(super) internal: f64,
    /// Bytes per second from region to region.
    pub(super) transfer: Vec<(Id<Region>, Id<Region>, f64)>,
    /// What users do to data.
    pub(super) uses: Vec<Use>,
    /// No cell loses enough to matter to an outage: under 1e-4.
    pub(super) fine: bool,
}

impl Solution {
    /// A backlog begins here.
    pub(super) fn grows(&self) -> bool {
        self.stations.iter().any(|state| state.drift(0.0) > 0.0)
    }
}

/// A hop of a try, and what makes it fail.
struct Hop {
    fails: f64,
    stage: Stage,
    root: Id<Root>,
    /// The station that sheds here, if it is a station's queue.
    station: Option<usize>,
    /// Of the tries that get so far, those that come to this hop: all, or those that miss a cache. What fails here is
    /// a share of the former.
    share: f64,
}

/// A call of a station.
struct Call {
    /// The hop before which it is reached.
    before: usize,
    station: usize,
    /// Of the tries that get so far, those that call it.
    share: f64,
    /// Only those that miss a cache do.
    missed: bool,
}

/// What a try does: its hops, the stations it calls, the caches it reads.
type Path = (Vec<Hop>, Vec<Call>, Vec<Lookup>);

/// A journey of a flow while it is being solved.
struct Walk<'a> {
    journey: &'a JourneyPlan,
    rate: f64,
    hops: Vec<Hop>,
    calls: Vec<Call>,
    lookups: Vec<Lookup>,
    tries: f64,
    /// Seconds that it waits in backlogs.
    delay: f64,
    /// Share of the tries that come back in time all the same.
    in_time: f64,
}

impl Walk<'_> {
    /// Success probability and tries per request, if a try fails with this probability.
    fn outcome(&self, fails: f64) -> (f64, f64) {
        let (success, tries) = queueing::retries_within(fails, self.journey.retries, self.journey.budget);
        match self.journey.breaker {
            // What opens it is what doesn't depend on how many are sent: dead parts, and answers that come too late.
            Some((opens_at, probes)) if 1.0 - self.standing() >= opens_at => (success * probes, tries * probes),
            Some(_) | None => (success, tries),
        }
    }

    /// Calls per second that it makes to a station.
    fn offers(&self, station: usize) -> f64 {
        let mut reached = self.rate * self.tries;
        let mut calls = 0.0;
        for hop in &self.hops {
            if hop.station == Some(station) {
                calls += reached * hop.share;
            }
            reached *= 1.0 - hop.fails;
        }
        calls
    }

    /// Adds its reads to those of the caches; by lookup, the share that hit of what comes back.
    fn look_up(&self, reads: &mut [Reads]) -> Vec<f64> {
        let pass = |hops: &[Hop]| hops.iter().map(|hop| 1.0 - hop.fails).product::<f64>();
        let one = |lookup: &Lookup| {
            let (fetched, hits) = lookup.answered(pass(&self.hops[lookup.hops.clone()]));
            let reached = self.rate * self.tries * pass(&self.hops[..lookup.hops.start]);
            if let Some(reads) = reads.get_mut(lookup.entry) {
                reads.all += reached;
                reads.filling += reached * fetched;
            }
            hits
        };
        self.lookups.iter().map(one).collect()
    }

    /// Share of tries that get past all that isn't a queue's shedding.
    fn standing(&self) -> f64 {
        let steady = self.hops.iter().filter(|hop| hop.station.is_none());
        self.in_time * steady.map(|hop| 1.0 - hop.fails).product::<f64>()
    }
}

/// Solves one cluster in one slot with these ready pods.
pub(super) fn solve(
    plan: &Plan,
    inputs: &Inputs,
    slot: usize,
    state: &[u32],
    curves: &mut Curves,
    meetings: &mut Meetings,
) -> Solution {
    let mut hits = Hits::expected(plan, inputs, slot);
    let mut turn = 0;
    loop {
        turn += 1;
        let last = turn >= lookups::TURNS;
        if let Some(solution) = solve_with(plan, inputs, slot, state, (&mut hits, last), curves, meetings) {
            return solution;
        }
    }
}

/// The same where so many reads of caches hit; nothing if others would, unless this is the last turn.
fn solve_with(
    plan: &Plan,
    inputs: &Inputs,
    slot: usize,
    state: &[u32],
    (hits, last): (&mut Hits<'_>, bool),
    curves: &mut Curves,
    meetings: &mut Meetings,
) -> Option<Solution> {
    let cluster = &plan.clusters[inputs.cluster];
    // Ready pods; then, while something waits, levels of backlogs and what began them.
    let (ready, waiting) = state.split_at(cluster.stations.len());
    let levels = waiting.get(..cluster.stations.len()).unwrap_or_default();
    let overload_root = match waiting.last() {
        Some(&root) if inputs.overload_root.index() == DEMAND => Id::new(root as usize),
        Some(_) | None => inputs.overload_root,
    };
    let mut solution = Solution { fine: true, ..Solution::default() };
    let dead = inputs.front.down.or((inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root));
    let conditions = conditions(cluster, inputs);

    let mut walks = Vec::new();
    let mut who = Vec::new();
    for (position, flow) in inputs.flows.iter().enumerate() {
        let population = &plan.populations[flow.population];
        let rate = population.rate * population.profile[slot] * flow.share() * flow.factor.get();
        for (journey_id, &share) in population.shares.iter_enumerated() {
            let rate = rate * share;
            if rate <= 0.0 {
                continue;
            }
            let journey = &plan.journeys[journey_id];
            let (hops, calls, lookups) = match (flow.refused, dead) {
                (Some(root), _) | (None, Some(root)) => {
                    let hop = Hop { fails: 1.0, stage: flow.blame, root, station: None, share: 1.0 };
                    (vec![hop], Vec::new(), Vec::new())
                }
                (None, None) => hops_of(plan, inputs, position, journey, &conditions, overload_root, hits),
            };
            // What misses wait for is part of the curve.
            let delay: f64 = calls
                .iter()
                .filter(|call| !call.missed)
                .map(|call| backlog::wait(cluster, call.station, levels.get(call.station).copied().unwrap_or(0)).0)
                .sum();
            let mut in_time = 1.0;
            if delay > 0.0 {
                let idle = vec![StationState::default(); cluster.stations.len()];
                let hits: Vec<f64> = lookups.iter().map(|lookup| lookup.hits).collect();
                let curve = curves.journey(plan, inputs, position, journey_id, &conditions, &idle, &hits, delay);
                in_time = curves.get(curve).1.share();
            }
            walks.push(Walk { journey, rate, hops, calls, lookups, tries: 1.0, delay, in_time });
            who.push((flow.population, journey_id, position));
        }
    }

    solution.stations = fixed_point(plan, inputs, ready, levels, &conditions, &mut walks);

    let mut reads = hits.nothing();
    let answered: Vec<Vec<f64>> = walks.iter().map(|walk| walk.look_up(&mut reads)).collect();
    if !hits.settle(&reads) && !last {
        return None;
    }
    for ((walk, answered), (population, journey_id, flow)) in walks.iter().zip(answered).zip(who) {
        let cell = solution.cells.len();
        let passes: f64 = walk.hops.iter().map(|hop| 1.0 - hop.fails).product();
        let mut latency = Vec::new();
        let mut in_time = 1.0;
        if passes > 0.0 {
            let stations = &solution.stations;
            let curve = curves.journey(plan, inputs, flow, journey_id, &conditions, stations, &answered, walk.delay);
            in_time = curves.get(curve).1.share();
            let fails = 1.0 - passes * in_time;
            // A failed try costs a round trip, then the backoff.
            let round_trip = plan.populations[population].rtt[inputs.cluster];
            let (mut delay, mut backoff, mut still) = (walk.delay, walk.journey.backoff, 1.0);
            for _ in 0..=walk.journey.retries {
                latency.push((curve, delay, still * passes * in_time));
                still *= fails;
                delay += round_trip + backoff;
                backoff *= 2.0;
                if still < 1e-12 {
                    break;
                }
            }
        }
        let fails = 1.0 - passes * in_time;
        let (success, _) = walk.outcome(fails);
        let sum: f64 = latency.iter().map(|part| part.2).sum();
        for part in &mut latency {
            part.2 /= sum.max(f64::MIN_POSITIVE);
        }
        if success < 1.0 - 1e-4 {
            solution.fine = false;
        }
        let late = if late_for_waits(walk, &solution.stations) {
            (Stage::Overload, overload_root)
        } else {
            (Stage::Timeout, inputs.front.errors_root)
        };
        losses(walk, cell, (success, in_time), late, &mut solution.losses);
        let good = walk.rate * success;
        solution.egress += good * walk.journey.response;
        bytes(plan, inputs, flow, walk.journey, good, &answered, &mut solution);
        let hits = answered;
        solution.cells.push(Cell { population, journey: journey_id, flow, rate: walk.rate, success, latency, hits });
    }
    solution.uses = data::uses(plan, inputs, slot, &solution.cells, hits, curves, meetings);
    Some(solution)
}

/// The condition of each station.
fn conditions(cluster: &ClusterPlan, inputs: &Inputs) -> Vec<Condition> {
    let mut conditions = vec![Condition::good(); cluster.stations.len()];
    for (position, condition) in &inputs.stations {
        conditions[*position as usize] = *condition;
    }
    conditions
}

/// Answers come too late for what they wait in queues, not for the service itself.
fn late_for_waits(walk: &Walk<'_>, stations: &[StationState]) -> bool {
    let waits: f64 = walk.calls.iter().map(|call| stations[call.station].steady.mean_wait()).sum();
    waits > 0.05 * walk.journey.timeout.unwrap_or(f64::INFINITY)
}

/// What a walk loses, in proportion to the hops at which a try fails; last, as `late`, what comes too late.
fn losses(
    walk: &Walk<'_>,
    cell: usize,
    (success, in_time): (f64, f64),
    (stage, root): (Stage, Id<Root>),
    losses: &mut Vec<Lost>,
) {
    let passes: f64 = walk.hops.iter().map(|hop| 1.0 - hop.fails).product();
    let fails = 1.0 - passes * in_time;
    if fails <= 0.0 {
        return;
    }
    let lost = walk.rate * (1.0 - success) / fails;
    let mut reached = 1.0;
    for hop in &walk.hops {
        if hop.fails > 0.0 && reached > 0.0 {
            losses.push(Lost { cell, stage: hop.stage, root: hop.root, rate: lost * reached * hop.fails });
        }
        reached *= 1.0 - hop.fails;
    }
    if in_time < 1.0 {
        losses.push(Lost { cell, stage, root, rate: lost * passes * (1.0 - in_time) });
    }
}

/// The hops of one try, and the stations it calls.
fn hops_of(
    plan: &Plan,
    inputs: &Inputs,
    flow: usize,
    journey: &JourneyPlan,
    conditions: &[Condition],
    overload_root: Id<Root>,
    hits: &Hits<'_>,
) -> Path {
    let cluster = &plan.clusters[inputs.cluster];
    let flow = &inputs.flows[flow];
    let mut hops = Vec::new();
    let mut calls = Vec::new();
    let mut lookups = Vec::new();
    let errors = |hops: &mut Vec<Hop>, condition: &Condition, down: Stage| {
        if let Some((fails, stage, root)) = failing(condition, down) {
            hops.push(Hop { fails, stage, root, station: None, share: 1.0 });
        }
    };
    errors(&mut hops, &inputs.front, flow.blame);
    let listed = f64::from(inputs.zones_listed) / f64::from((inputs.zones_up + inputs.zones_listed).max(1));
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                let reached = hops.len();
                for &service in services {
                    let Some(station) = cluster.station_of[service].map(|position| position as usize) else {
                        continue;
                    };
                    calls.push(Call { before: reached, station, share: 1.0, missed: false });
                    if listed > 0.0 {
                        let (stage, root) = (Stage::Undetected, inputs.zones_root);
                        hops.push(Hop { fails: listed, stage, root, station: None, share: 1.0 });
                    }
                    errors(&mut hops, &conditions[station], flow.blame);
                    let (stage, root) = (Stage::Overload, overload_root);
                    hops.push(Hop { fails: 0.0, stage, root, station: Some(station), share: 1.0 });
                }
            }
            StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                let access = flow.stores[store.index()];
                let route = if matches!(step, StepPlan::Read(..)) { access.read } else { access.write };
                if let Route::Fail(stage, root) = route {
                    hops.push(Hop { fails: 1.0, stage, root, station: None, share: 1.0 });
                }
                let Some(cache) = cache_of(plan, *store, route) else { continue };
                let (entry, hit) = hits.of(*store, plan.stores[*store].partition_of(flow.population));
                let first = hops.len();
                // The share of those that get so far and have missed.
                let mut share = 1.0 - hit;
                let stumble = |hops: &mut Vec<Hop>, share: &mut f64, (fails, stage, root): (f64, Stage, Id<Root>)| {
                    let fails_here = *share * fails;
                    hops.push(Hop { fails: fails_here, stage, root, station: None, share: *share });
                    *share = if fails_here < 1.0 { *share * (1.0 - fails) / (1.0 - fails_here) } else { 0.0 };
                };
                let station = cache.through.and_then(|service| cluster.station_of[service]);
                if let Some(station) = station.map(|position| position as usize) {
                    calls.push(Call { before: first, station, share, missed: true });
                    if listed > 0.0 {
                        stumble(&mut hops, &mut share, (listed, Stage::Undetected, inputs.zones_root));
                    }
                    if let Some(failing) = failing(&conditions[station], flow.blame) {
                        stumble(&mut hops, &mut share, failing);
                    }
                }
                // A store that can't be read fails them before what is in front of it sheds any.
                if let Route::Fail(stage, root) = flow.stores[cache.of.index()].read {
                    stumble(&mut hops, &mut share, (1.0, stage, root));
                }
                if let Some(station) = station.map(|position| position as usize) {
                    let (stage, root) = (Stage::Overload, overload_root);
                    hops.push(Hop { fails: 0.0, stage, root, station: Some(station), share });
                }
                lookups.push(Lookup { entry, hits: hit, hops: first..hops.len() });
            }
            StepPlan::Dependency(dependency) => {
                if let Some((_, condition)) = inputs.dependencies.iter().find(|(other, _)| other == dependency) {
                    errors(&mut hops, condition, Stage::Dependency);
                }
            }
        }
    }
    (hops, calls, lookups)
}

/// How what is in this condition fails: probability, stage, root.
fn failing(condition: &Condition, down: Stage) -> Option<(f64, Stage, Id<Root>)> {
    match condition.down {
        Some(root) => Some((1.0, down, root)),
        None if condition.errors.get() > 0.0 => Some((condition.errors.get(), Stage::Errors, condition.errors_root)),
        None => None,
    }
}

/// Load makes sheds, sheds make retries, retries make load: until nothing moves.
fn fixed_point(
    plan: &Plan,
    inputs: &Inputs,
    ready: &[u32],
    levels: &[Level],
    conditions: &[Condition],
    walks: &mut [Walk<'_>],
) -> Vec<StationState> {
    let cluster = &plan.clusters[inputs.cluster];
    let patience = walks.iter().filter_map(|walk| walk.journey.timeout).fold(PATIENCE, f64::min);
    let mut states: Vec<StationState> = Vec::new();
    let mut before = vec![0.0; cluster.stations.len()];
    for round in 0..ROUNDS {
        let mut arrivals = vec![0.0; cluster.stations.len()];
        for walk in walks.iter() {
            let mut reached = walk.rate * walk.tries;
            let mut next = 0;
            for (position, hop) in walk.hops.iter().enumerate() {
                while next < walk.calls.len() && walk.calls[next].before <= position {
                    arrivals[walk.calls[next].station] += reached * walk.calls[next].share;
                    next += 1;
                }
                reached *= 1.0 - hop.fails;
            }
            for call in &walk.calls[next..] {
                arrivals[call.station] += reached * call.share;
            }
        }
        if round >= UNDAMPED {
            for (now, then) in arrivals.iter_mut().zip(&before) {
                *now = 0.5 * (*now + then);
            }
        }
        let moved = arrivals.iter().zip(&before).any(|(now, then)| (now - then).abs() > 1e-13 * now.abs());
        if round > 0 && !moved {
            break;
        }
        states = cluster
            .stations
            .iter()
            .enumerate()
            .map(|(position, station)| {
                let service = &plan.services[station.service];
                let capacity = conditions[position].capacity.get() * inputs.front.capacity.get();
                // Less capacity is slower servers: the same as fewer, without their rounding.
                let mean = service.time.mean() / capacity.max(1e-9);
                let load = Load {
                    arrivals: arrivals[position],
                    service: mean,
                    cv: service.time.cv(),
                    servers: u64::from(ready[position]) * u64::from(service.concurrency),
                    queue: service.queue,
                    patience,
                };
                let level = levels.get(position).copied().unwrap_or(0);
                let capacity = self::capacity(plan, cluster, inputs, position, ready[position]);
                let behind =
                    service.station == Station::Fifo && capacity > 0.0 && (level > 0 || load.arrivals >= capacity);
                let steady = match service.station {
                    Station::Fifo if behind => {
                        let (wait, full) = backlog::wait(cluster, position, level);
                        let rejected = if full { (1.0 - capacity / load.arrivals).max(0.0) } else { 0.0 };
                        Steady { rejected, waiting: 1.0, wait_if_waiting: wait, utilisation: 1.0, empty: Some(0.0) }
                    }
                    Station::Mmc | Station::Fifo => queueing::mmc(load),
                    Station::Fluid => queueing::fluid(load),
                };
                StationState {
                    arrivals: arrivals[position],
                    steady,
                    ready: ready[position],
                    capacity,
                    fifo: service.station == Station::Fifo,
                    behind,
                }
            })
            .collect();
        shed(walks, &states, &arrivals);
        for walk in walks.iter_mut() {
            let passes: f64 = walk.hops.iter().map(|hop| 1.0 - hop.fails).product();
            walk.tries = walk.outcome(1.0 - passes * walk.in_time).1;
        }
        before = arrivals;
    }
    states
}

/// Shares out what the stations shed: alike, or from the lowest priority up.
fn shed(walks: &mut [Walk<'_>], states: &[StationState], arrivals: &[f64]) {
    let first = walks.first().map_or(0, |walk| walk.journey.priority);
    if walks.iter().all(|walk| walk.journey.priority == first) {
        for hop in walks.iter_mut().flat_map(|walk| &mut walk.hops) {
            if let Some(station) = hop.station {
                hop.fails = hop.share * states[station].steady.rejected;
            }
        }
        return;
    }
    let mut classes: Vec<u32> = walks.iter().map(|walk| walk.journey.priority).collect();
    classes.sort_unstable();
    classes.dedup();
    for (station, state) in states.iter().enumerate() {
        let mut left = state.steady.rejected * arrivals[station];
        for &class in &classes {
            let of_class = |walk: &&mut Walk<'_>| walk.journey.priority == class;
            let offered: f64 = walks.iter_mut().filter(of_class).map(|walk| walk.offers(station)).sum();
            let fails = if offered > 0.0 { (left / offered).min(1.0) } else { 0.0 };
            left = (left - offered).max(0.0);
            for hop in walks.iter_mut().filter(of_class).flat_map(|walk| &mut walk.hops) {
                if hop.station == Some(station) {
                    hop.fails = hop.share * fails;
                }
            }
        }
    }
}

/// Adds the bytes that `good` requests per second move.
fn bytes(
    plan: &Plan,
    inputs: &Inputs,
    flow: usize,
    journey: &JourneyPlan,
    good: f64,
    hits: &[f64],
    solution: &mut Solution,
) {
    let here = plan.clusters[inputs.cluster].region;
    let population = inputs.flows[flow].population;
    let mut add = |from: Id<Region>, to: Id<Region>, bytes: f64| {
        if bytes <= 0.0 {
            return;
        }
        if from == to {
            solution.internal += bytes;
            return;
        }
        match solution.transfer.iter_mut().find(|entry| entry.0 == from && entry.1 == to) {
            Some(entry) => entry.2 += bytes,
            None => solution.transfer.push((from, to, bytes)),
        }
    };
    let mut first = true;
    let mut hits = hits.iter();
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                // The first call is the front itself: its bytes are the client's.
                let inner = services.len() - usize::from(first);
                first = false;
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
}
