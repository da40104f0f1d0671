//! The steady state of one cluster: what share of each journey succeeds, where the rest is lost, how long the
//! good ones take, and what each station does.
//!
//! Within a slot rates are constant, so all of it follows in closed form from the inputs and the ready pods.
//! A try walks its hops in order; the first failing hop sets the stage of the loss. Sheds and retries are a
//! fixed point: load makes failures, failures make load.

use super::curves::{CurveId, Curves};
use super::data::{self, Meetings, Use};
use super::inputs::{Condition, Inputs, Route};
use crate::base::Id;
use crate::domain::{Journey, Population, Region, Root, Stage};
use crate::plan::{JourneyPlan, Plan, StepPlan};
use crate::traffic::queueing::{self, Load, Steady};
use crate::traffic::spec::Station;

/// Most rounds of the fixed point; without retries it takes as many as a path has stations.
const ROUNDS: usize = 400;
/// Rounds after which it is damped.
const UNDAMPED: usize = 40;
/// Seconds that a waiting client bears where the journey has no timeout.
const PATIENCE: f64 = 30.0;
/// Waits whose probability is below this are left out of latency curves.
const NEGLIGIBLE_WAIT: f64 = 1e-9;

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

/// A hop of a try, and what makes it fail.
struct Hop {
    fails: f64,
    stage: Stage,
    root: Id<Root>,
    /// The station that sheds here, if it is a station's queue.
    station: Option<usize>,
}

/// A journey of a flow while it is being solved.
struct Walk<'a> {
    journey: &'a JourneyPlan,
    rate: f64,
    hops: Vec<Hop>,
    /// (hop position before which it is reached, station).
    calls: Vec<(usize, usize)>,
    tries: f64,
}

/// Solves one cluster in one slot with these ready pods.
pub(super) fn solve(
    plan: &Plan,
    inputs: &Inputs,
    slot: usize,
    ready: &[u32],
    curves: &mut Curves,
    meetings: &mut Meetings,
) -> Solution {
    let cluster = &plan.clusters[inputs.cluster];
    let mut solution = Solution { fine: true, ..Solution::default() };
    let dead = inputs.front.down.or((inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root));
    let conditions: Vec<Condition> = (0..cluster.stations.len())
        .map(|position| {
            inputs
                .stations
                .iter()
                .find(|(other, _)| *other as usize == position)
                .map_or_else(Condition::good, |(_, condition)| *condition)
        })
        .collect();

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
            let (hops, calls) = match (flow.refused, dead) {
                (Some(root), _) | (None, Some(root)) => {
                    (vec![Hop { fails: 1.0, stage: flow.blame, root, station: None }], Vec::new())
                }
                (None, None) => hops_of(plan, inputs, position, journey, &conditions),
            };
            walks.push(Walk { journey, rate, hops, calls, tries: 1.0 });
            who.push((flow.population, journey_id, position));
        }
    }

    solution.stations = fixed_point(plan, inputs, ready, &conditions, &mut walks);

    for (walk, (population, journey_id, flow)) in walks.iter().zip(who) {
        let cell = solution.cells.len();
        let passes: f64 = walk.hops.iter().map(|hop| 1.0 - hop.fails).product();
        let timeout = walk.journey.timeout.unwrap_or(f64::INFINITY);
        let mut latency = Vec::new();
        let mut in_time = 1.0;
        if passes > 0.0 {
            let curve =
                curves.journey(plan, inputs, flow, journey_id, &conditions, &solution.stations, NEGLIGIBLE_WAIT);
            in_time = curves.get(curve).1.share();
            let fails = 1.0 - passes * in_time;
            // A failed try costs a round trip, then the backoff.
            let round_trip = plan.populations[population].rtt[inputs.cluster];
            let (mut delay, mut backoff, mut still) = (0.0, walk.journey.backoff, 1.0);
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
        let (success, _) = queueing::retries(fails, walk.journey.retries);
        let sum: f64 = latency.iter().map(|part| part.2).sum();
        for part in &mut latency {
            part.2 /= sum.max(f64::MIN_POSITIVE);
        }
        if success < 1.0 - 1e-4 {
            solution.fine = false;
        }
        // Losses in proportion to the hops at which a try fails.
        if fails > 0.0 {
            let lost = walk.rate * (1.0 - success) / fails;
            let mut reached = 1.0;
            for hop in &walk.hops {
                if hop.fails > 0.0 && reached > 0.0 {
                    solution.losses.push(Lost {
                        cell,
                        stage: hop.stage,
                        root: hop.root,
                        rate: lost * reached * hop.fails,
                    });
                }
                reached *= 1.0 - hop.fails;
            }
            if in_time < 1.0 {
                let waits: f64 =
                    walk.calls.iter().map(|&(_, station)| solution.stations[station].steady.mean_wait()).sum();
                let (stage, root) = if waits > 0.05 * timeout {
                    (Stage::Overload, inputs.overload_root)
                } else {
                    (Stage::Timeout, inputs.front.errors_root)
                };
                solution.losses.push(Lost { cell, stage, root, rate: lost * passes * (1.0 - in_time) });
            }
        }
        let good = walk.rate * success;
        solution.egress += good * walk.journey.response;
        bytes(plan, inputs, flow, walk.journey, good, &mut solution);
        solution.cells.push(Cell { population, journey: journey_id, flow, rate: walk.rate, success, latency });
    }
    solution.uses = data::uses(plan, inputs, slot, &solution.cells, curves, meetings);
    solution
}

/// The hops of one try, and the stations it calls.
fn hops_of(
    plan: &Plan,
    inputs: &Inputs,
    flow: usize,
    journey: &JourneyPlan,
    conditions: &[Condition],
) -> (Vec<Hop>, Vec<(usize, usize)>) {
    let cluster = &plan.clusters[inputs.cluster];
    let flow = &inputs.flows[flow];
    let mut hops = Vec::new();
    let mut calls = Vec::new();
    let errors = |hops: &mut Vec<Hop>, condition: &Condition, down: Stage| {
        if let Some(root) = condition.down {
            hops.push(Hop { fails: 1.0, stage: down, root, station: None });
        } else if condition.errors.get() > 0.0 {
            let (fails, root) = (condition.errors.get(), condition.errors_root);
            hops.push(Hop { fails, stage: Stage::Errors, root, station: None });
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
                    calls.push((reached, station));
                    if listed > 0.0 {
                        let (stage, root) = (Stage::Undetected, inputs.zones_root);
                        hops.push(Hop { fails: listed, stage, root, station: None });
                    }
                    errors(&mut hops, &conditions[station], flow.blame);
                    let (stage, root) = (Stage::Overload, inputs.overload_root);
                    hops.push(Hop { fails: 0.0, stage, root, station: Some(station) });
                }
            }
            StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                let access = flow.stores[store.index()];
                let route = if matches!(step, StepPlan::Read(..)) { access.read } else { access.write };
                if let Route::Fail(stage, root) = route {
                    hops.push(Hop { fails: 1.0, stage, root, station: None });
                }
            }
            StepPlan::Dependency(dependency) => {
                if let Some((_, condition)) = inputs.dependencies.iter().find(|(other, _)| other == dependency) {
                    errors(&mut hops, condition, Stage::Dependency);
                }
            }
        }
    }
    (hops, calls)
}

/// Load makes sheds, sheds make retries, retries make load: until nothing moves.
fn fixed_point(
    plan: &Plan,
    inputs: &Inputs,
    ready: &[u32],
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
                while next < walk.calls.len() && walk.calls[next].0 <= position {
                    arrivals[walk.calls[next].1] += reached;
                    next += 1;
                }
                reached *= 1.0 - hop.fails;
            }
            for &(_, station) in &walk.calls[next..] {
                arrivals[station] += reached;
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
                let steady = match service.station {
                    Station::Mmc => queueing::mmc(load),
                    Station::Fluid => queueing::fluid(load),
                };
                StationState { arrivals: arrivals[position], steady, ready: ready[position] }
            })
            .collect();
        for walk in walks.iter_mut() {
            for hop in &mut walk.hops {
                if let Some(station) = hop.station {
                    hop.fails = states[station].steady.rejected;
                }
            }
            let passes: f64 = walk.hops.iter().map(|hop| 1.0 - hop.fails).product();
            walk.tries = queueing::retries(1.0 - passes, walk.journey.retries).1;
        }
        before = arrivals;
    }
    states
}

/// Adds the bytes that `good` requests per second move.
fn bytes(plan: &Plan, inputs: &Inputs, flow: usize, journey: &JourneyPlan, good: f64, solution: &mut Solution) {
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
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                // The first call is the front itself: its bytes are the client's.
                let inner = services.len() - usize::from(first);
                first = false;
                add(here, here, good * inner as f64 * (journey.request + journey.response));
            }
            StepPlan::Read(store, size) => match inputs.flows[flow].stores[store.index()].read {
                Route::Via(copy, _) | Route::Near(copy) => add(plan.clusters[copy].region, here, good * size),
                Route::Vote(through, copies, _) => {
                    let via = plan.clusters[through].region;
                    add(via, here, good * size);
                    // All are asked; the first to answer count.
                    for (position, &copy) in plan.stores[*store].copies.iter().enumerate() {
                        if copy != through && copies >> position & 1 == 1 {
                            add(plan.clusters[copy].region, via, good * size);
                        }
                    }
                }
                Route::Fail(..) => {}
            },
            StepPlan::Write(store, size) => {
                let (Route::Via(first, _) | Route::Vote(first, ..)) = inputs.flows[flow].stores[store.index()].write
                else {
                    continue;
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
