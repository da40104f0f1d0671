//! The steady state of one cluster: what share of each journey succeeds, where the rest is lost, how long the
//! good ones take, and what each station does.
//!
//! Within a slot rates are constant, so all of it follows in closed form from the inputs, the ready pods and what
//! waits. A try walks its hops in order; the first failing hop sets the stage of the loss.

use super::backlog::Level;
use super::curves::{CurveId, Way};
use super::data::{self, Known, Uses};
use super::fixed_point::{self, Walk};
use super::inputs::{Condition, Inputs};
use super::lookups::{self, Hits};
use super::moves::{Moves, bytes};
use super::remote;
use super::shape::{Part, Shape};
use super::shed::losses;
use super::station::{Server, StationState};
use super::tries;
use crate::base::Id;
use crate::domain::observation::{Month, add_transfer};
use crate::domain::{Cluster, Journey, Population, Root, Stage};
use crate::plan::{DEMAND, Plan};
use std::borrow::Cow;

/// Most rounds in which late answers make load and load makes late answers.
const LATE_ROUNDS: usize = 40;
/// A share of late answers that makes no difference.
const NEGLIGIBLE: f64 = 1e-9;

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
    /// Where its latency begins and ends in [`Solution::latency`].
    latency: (u32, u32),
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

/// The steady state of one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    pub(super) cells: Vec<Cell>,
    /// Latency of the good requests, cell by cell: curve, delay before it, share of the cell's good ones.
    pub(super) latency: Vec<(CurveId, f64, f64)>,
    /// By cell, at `population * journeys + journey`: requests per second, and good ones.
    pub(super) served: Vec<(u32, f64, f64)>,
    pub(super) losses: Vec<Lost>,
    pub(super) stations: Vec<StationState>,
    /// Bytes per second to the internet.
    pub(super) egress: f64,
    /// What good requests move per second.
    pub(super) moved: Moves,
    /// What users do to data.
    pub(super) uses: Uses,
    /// No cell loses enough to matter to an outage: under 1e-4.
    pub(super) fine: bool,
    /// A backlog begins here, if there is none.
    pub(super) grows: bool,
}

impl Solution {
    /// Latency of the good requests of a cell: curve, delay before it in seconds, share of them.
    pub(super) fn latency_of(&self, cell: &Cell) -> &[(CurveId, f64, f64)] {
        &self.latency[cell.latency.0 as usize..cell.latency.1 as usize]
    }

    /// Adds so many seconds of another to what a month is billed: here are amounts, there are rates.
    pub(super) fn add_billed(&mut self, other: &Self, seconds: f64) {
        for &(cell, offered, good) in &other.served {
            match self.served.iter_mut().find(|entry| entry.0 == cell) {
                Some(entry) => (entry.1, entry.2) = (entry.1 + offered * seconds, entry.2 + good * seconds),
                None => self.served.push((cell, offered * seconds, good * seconds)),
            }
        }
        self.egress += other.egress * seconds;
        self.moved.add(&other.moved, seconds);
    }

    /// Adds so many seconds of it, in a cluster, to what is billed by the month.
    pub(super) fn bill(&self, cluster: Id<Cluster>, seconds: f64, month: &mut Month) {
        for &(cell, offered, good) in &self.served {
            month.offered[cell as usize] += offered * seconds;
            month.good[cell as usize] += good * seconds;
        }
        let cluster = cluster.index();
        month.egress[cluster] += self.egress * seconds;
        let Moves { internal, transfer, carried } = &self.moved;
        month.internal[cluster] += internal * seconds;
        month.carried.add(carried, seconds);
        carried.egress.iter().for_each(|&(id, rate)| month.egress[id.index()] += rate * seconds);
        for &(from, to, rate) in transfer {
            add_transfer(&mut month.transfer, from, to, rate * seconds);
        }
    }
}

/// Solves one cluster in one slot with these ready pods.
pub(super) fn solve(
    plan: &Plan,
    inputs: &Inputs,
    shape: &Shape,
    slot: usize,
    state: &[u32],
    known: &mut Known<'_>,
) -> Solution {
    let mut hits = Hits::expected(plan, inputs, slot);
    let mut turn = 0;
    loop {
        turn += 1;
        let last = turn >= lookups::TURNS;
        if let Some(solution) = solve_with(plan, inputs, shape, slot, state, (&mut hits, last), known) {
            return solution;
        }
    }
}

/// The same where so many reads of caches hit; nothing if others would, unless this is the last turn.
fn solve_with(
    plan: &Plan,
    inputs: &Inputs,
    shape: &Shape,
    slot: usize,
    state: &[u32],
    (hits, last): (&mut Hits<'_>, bool),
    known: &mut Known<'_>,
) -> Option<Solution> {
    let cluster = &plan.clusters[inputs.cluster];
    // Ready pods; then, while something waits, levels of backlogs and what began them.
    let (ready, waiting) = state.split_at(cluster.stations.len());
    let levels = waiting.get(..cluster.stations.len()).unwrap_or_default();
    let overload_root = match waiting.last() {
        Some(&root) if inputs.overload_root.index() == DEMAND => Id::new(root as usize),
        Some(_) | None => inputs.overload_root,
    };
    let conditions = &shape.conditions;
    let mut solution = Solution { fine: true, ..Solution::default() };
    let mut servers = servers(plan, inputs, ready, levels, conditions);
    let (mut walks, who) = walks_of(plan, inputs, shape, slot, overload_root, hits);
    // Only who is served here is told of: what calls from elsewhere is told of there.
    remote::outside(plan, inputs, slot, conditions, &mut walks);
    let mut delay = |servers: &[Server<'_>], walks: &mut [Walk<'_>]| {
        for (walk, &part) in walks.iter_mut().zip(&who) {
            // What misses wait for is part of the curve.
            let calls = walk.calls.iter().filter(|call| !call.missed);
            walk.delay = calls.map(|call| servers[call.station].wait()).sum();
            if walk.minds_the_late() && walk.passes() > 0.0 {
                let way = way(plan, inputs, shape, part, walk, known);
                walk.at_best = known.curves.at_best(&way, walk.delay);
                walk.in_time = walk.at_best;
            }
        }
    };
    delay(&servers, &mut walks);
    let mut fluid = fixed_point::fluid(&servers, &mut walks);
    let behind = servers.iter_mut().zip(&fluid).filter(|(_, state)| state.behind);
    if behind.fold(false, |begins, (server, _)| server.begin() || begins) {
        delay(&servers, &mut walks);
        fluid = fixed_point::fluid(&servers, &mut walks);
    }
    let (stations, found) = with_the_late((plan, inputs, shape), (&servers, &fluid), (&mut walks, &who), known);
    solution.stations = stations;
    let own = &solution.stations[..cluster.stations.len()];
    solution.grows = own.iter().any(|state| state.drift(0.0) > 0.0);

    let mut reads = hits.nothing();
    for walk in &walks {
        walk.look_up(&mut reads);
    }
    if !hits.settle(&reads) && !last {
        return None;
    }
    solution.latency.reserve_exact(who.len());
    solution.cells.reserve_exact(who.len());
    solution.served.reserve_exact(who.len());
    for ((walk, part), found) in walks.iter().zip(&who).zip(found) {
        let cell = solution.cells.len();
        let passes = walk.passes();
        let begins = solution.latency.len() as u32;
        let mut in_time = 1.0;
        if passes > 0.0 {
            let curve = found.unwrap_or_else(|| {
                let way = way(plan, inputs, shape, part, walk, known);
                known.curves.journey(&way, &solution.stations, walk.delay)
            });
            in_time = known.curves.get(curve).1.share();
            let round_trip = plan.populations[part.population].rtt[inputs.cluster];
            let (latency, odds) = (&mut solution.latency, (passes, in_time));
            tries::latency(walk, odds, round_trip, curve, known.curves, latency);
        }
        let (success, _) = walk.outcome(1.0 - passes * in_time);
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
        let hits = walk.hits();
        match &part.fixed {
            Some(fixed) => solution.moved.add(&fixed.moves, good),
            None => bytes(plan, inputs, part.flow, walk.journey, good, &hits, &mut solution.moved),
        }
        let Part { population, journey, flow, .. } = **part;
        let position = population.index() * plan.journeys.len() + journey.index();
        solution.served.push((position as u32, walk.rate, good));
        let latency = (begins, solution.latency.len() as u32);
        solution.cells.push(Cell { population, journey, flow, rate: walk.rate, success, latency, hits });
    }
    solution.stations.truncate(cluster.stations.len());
    solution.uses = data::uses(plan, inputs, slot, (&solution.cells, &who), hits, known);
    Some(solution)
}

/// The stations' states once late answers make as much load as there are, and the curves of those who try again: those of
/// the last round, which are the ones that are wanted once nothing moves.
fn with_the_late(
    (plan, inputs, shape): (&Plan, &Inputs, &Shape),
    (servers, fluid): (&[Server<'_>], &[StationState]),
    (walks, who): (&mut [Walk<'_>], &[&Part]),
    known: &mut Known<'_>,
) -> (Vec<StationState>, Vec<Option<CurveId>>) {
    let mut stations = Vec::new();
    let mut found: Vec<Option<CurveId>> = vec![None; walks.len()];
    for round in 0..LATE_ROUNDS {
        stations = fixed_point::with_chance(servers, fluid, walks);
        let mut moved = false;
        let tried_again = walks.iter_mut().zip(who).zip(&mut found);
        for ((walk, part), found) in tried_again.filter(|((walk, _), _)| walk.journey.retries() > 0) {
            if walk.passes() > 0.0 {
                let way = way(plan, inputs, shape, part, walk, known);
                // Mostly nothing is late, and the first round's curve is the one that is wanted.
                let in_time = if round == 0 {
                    let curve = known.curves.journey(&way, &stations, walk.delay);
                    *found = Some(curve);
                    known.curves.get(curve).1.share()
                } else {
                    *found = None;
                    known.curves.in_time(&way, &stations, walk.delay)
                };
                moved |= (in_time - walk.in_time).abs() > NEGLIGIBLE;
                walk.in_time = in_time;
            }
        }
        if !moved {
            break;
        }
    }
    (stations, found)
}

/// The way of a walk: that of its part, or by what hits now.
fn way<'s>(
    plan: &Plan,
    inputs: &Inputs,
    shape: &Shape,
    part: &'s Part,
    walk: &Walk<'_>,
    known: &mut Known<'_>,
) -> Cow<'s, Way> {
    match part.fixed.as_ref().and_then(|fixed| fixed.way.as_ref()) {
        Some(way) => Cow::Borrowed(way),
        None => Cow::Owned(known.curves.way(plan, inputs, part.flow, part.journey, &shape.conditions, &walk.hits())),
    }
}

/// What each station is given, those elsewhere last.
fn servers<'p>(
    plan: &'p Plan,
    inputs: &Inputs,
    ready: &[u32],
    levels: &[u32],
    conditions: &[Condition],
) -> Vec<Server<'p>> {
    let own = ready.iter().enumerate().map(|(position, &ready)| {
        let level: Level = levels.get(position).copied().unwrap_or(0);
        Server::new(plan, inputs, position, ready, level, &conditions[position])
    });
    own.chain(remote::servers(plan, inputs)).collect()
}

/// The journeys that users of all flows make now, and the parts of the shape that they are.
fn walks_of<'s>(
    plan: &'s Plan,
    inputs: &Inputs,
    shape: &'s Shape,
    slot: usize,
    overload_root: Id<Root>,
    hits: &Hits<'_>,
) -> (Vec<Walk<'s>>, Vec<&'s Part>) {
    let mut walks = Vec::with_capacity(shape.parts.len() + inputs.outside.len());
    let mut who = Vec::with_capacity(shape.parts.len());
    for part in &shape.parts {
        let flow = &inputs.flows[part.flow];
        let population = &plan.populations[flow.population];
        let rate = population.rate * population.profile[slot] * flow.share() * flow.factor.get() * part.share;
        if rate <= 0.0 {
            continue;
        }
        let path = part.path(plan, inputs, &shape.conditions, overload_root, hits);
        walks.push(Walk::new(&plan.journeys[part.journey], rate, path));
        who.push(part);
    }
    (walks, who)
}

/// Answers come too late for what they wait in queues, not for the service itself.
fn late_for_waits(walk: &Walk<'_>, stations: &[StationState]) -> bool {
    let waits: f64 = walk.calls.iter().map(|call| stations[call.station].steady.mean_wait()).sum();
    waits > 0.05 * walk.journey.patience()
}
