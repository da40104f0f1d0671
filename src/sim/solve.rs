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
use super::outcome::{Outcome, OutcomeId};
use super::remote;
use super::shape::{Calm, Part, Shape};
use super::station::{Server, StationState};
use crate::base::Id;
use crate::domain::{Root, Stage};
use crate::plan::{DEMAND, Plan};
use std::borrow::Cow;

/// Most rounds in which late answers make load and load makes late answers.
const LATE_ROUNDS: usize = 40;
/// A share of late answers that makes no difference.
const NEGLIGIBLE: f64 = 1e-9;

/// The steady state of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) outcome: OutcomeId,
    /// By cell of the outcome: requests per second.
    pub(super) rates: Vec<f64>,
    pub(super) stations: Vec<StationState>,
    /// What users do to data.
    pub(super) uses: Uses,
    /// A backlog begins here, if there is none.
    pub(super) grows: bool,
}

/// Solves one cluster in one slot with these ready pods.
pub(super) fn solve(
    plan: &Plan,
    inputs: &Inputs,
    shape: &Shape,
    slot: usize,
    state: &[u32],
    outcomes: &mut Vec<Outcome>,
    known: &mut Known<'_>,
) -> Solution {
    if let Some(calm) = &shape.calm
        && let Some(solution) = calm_solution(plan, inputs, (shape, calm), slot, state, outcomes, known)
    {
        debug_assert!({
            let of = (&mut Hits::default(), true);
            let long = solve_with(plan, inputs, shape, slot, state, of, known);
            long.is_some_and(|long| agree((&outcomes[calm.outcome.0 as usize], &solution), (&long.0, &long.1)))
        });
        return solution;
    }
    let mut hits = Hits::expected(plan, inputs, slot);
    let mut turn = 0;
    loop {
        turn += 1;
        let last = turn >= lookups::TURNS;
        if let Some((outcome, solution)) = solve_with(plan, inputs, shape, slot, state, (&mut hits, last), known) {
            let number = OutcomeId(outcomes.len() as u32);
            outcomes.push(outcome);
            return Solution { outcome: number, ..solution };
        }
    }
}

/// The same if nobody waits, and all journeys are made: what becomes of requests follows from the shape. Debug builds hold
/// it to the long way.
fn calm_solution(
    plan: &Plan,
    inputs: &Inputs,
    (shape, calm): (&Shape, &Calm),
    slot: usize,
    state: &[u32],
    outcomes: &[Outcome],
    known: &mut Known<'_>,
) -> Option<Solution> {
    let rates: Vec<f64> = shape.parts.iter().map(|part| rate(plan, inputs, part, slot)).collect();
    if state.len() > plan.clusters[inputs.cluster].stations.len() || rates.iter().any(|&rate| rate <= 0.0) {
        return None;
    }
    let states = calm_stations(plan, inputs, (shape, calm), state, &rates)?;
    let of = (&outcomes[calm.outcome.0 as usize].cells[..], &rates[..]);
    let uses = data::uses(plan, inputs, slot, of, &mut shape.parts.iter(), &Hits::default(), known);
    Some(Solution { outcome: calm.outcome, rates, stations: states, uses, grows: false })
}

/// The stations with so many ready pods and so many requests a second of each part, if nobody waits.
fn calm_stations(
    plan: &Plan,
    inputs: &Inputs,
    (shape, calm): (&Shape, &Calm),
    ready: &[u32],
    rates: &[f64],
) -> Option<Vec<StationState>> {
    if !inputs.outside.is_empty() {
        return None;
    }
    let mut states = vec![StationState::default(); ready.len()];
    for &(part, station, calls) in &calm.calls {
        states[station].arrivals += rates[part] * calls;
    }
    for (position, (state, &ready)) in states.iter_mut().zip(ready).enumerate() {
        let server = Server::new(plan, inputs, position, ready, 0, &shape.conditions[position]);
        *state = server.calm(state.arrivals)?;
    }
    Some(states)
}

/// The stations with so many ready pods and the greatest shares between the ends of the interval, if nobody waits there. Then
/// what happens in between is linear in the shares.
pub(super) fn at_most(
    plan: &Plan,
    inputs: &Inputs,
    shape: &Shape,
    slot: usize,
    ready: &[u32],
) -> Option<Vec<StationState>> {
    let calm = shape.calm.as_ref()?;
    let most = |part: &Part| {
        let flow = &inputs.flows[part.flow];
        flow.start.get().max(flow.end.get()) * rate_of_all(plan, inputs, part, slot)
    };
    let rates: Vec<f64> = shape.parts.iter().map(most).collect();
    calm_stations(plan, inputs, (shape, calm), ready, &rates)
}

/// Two ways of solving come to the same, but for rounding.
fn agree((calm, short): (&Outcome, &Solution), (outcome, long): (&Outcome, &Solution)) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let lost = |outcome: &Outcome| outcome.losses.iter().map(|lost| lost.share).sum::<f64>();
    let mut cells = calm.cells.iter().zip(&outcome.cells);
    let mut stations = short.stations.iter().zip(&long.stations);
    (calm.cells.len(), short.stations.len()) == (outcome.cells.len(), long.stations.len())
        && short.rates == long.rates
        && cells.all(|(a, b)| near(a.success, b.success) && calm.latency_of(a) == outcome.latency_of(b))
        && stations.all(|(a, b)| near(a.arrivals, b.arrivals) && a.behind == b.behind)
        && (lost(calm) - lost(outcome)).abs() < 1e-12
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
) -> Option<(Outcome, Solution)> {
    let cluster = &plan.clusters[inputs.cluster];
    // Ready pods; then, while something waits, levels of backlogs and what began them.
    let (ready, waiting) = state.split_at(cluster.stations.len());
    let levels = waiting.get(..cluster.stations.len()).unwrap_or_default();
    let overload_root = match waiting.last() {
        Some(&root) if inputs.overload_root.index() == DEMAND => Id::new(root as usize),
        Some(_) | None => inputs.overload_root,
    };
    let conditions = &shape.conditions;
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
                walk.comes_back(known.curves.at_best(&way, walk.delay));
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
    let (mut stations, found) = with_the_late((plan, inputs, shape), (&servers, &fluid), (&mut walks, &who), known);
    let grows = stations[..cluster.stations.len()].iter().any(|state| state.drift(0.0) > 0.0);

    let mut reads = hits.nothing();
    for walk in &walks {
        walk.look_up(&mut reads);
    }
    if !hits.settle(&reads) && !last {
        return None;
    }
    let mut outcome = Outcome::new(inputs.cluster, who.len());
    for ((walk, &part), found) in walks.iter().zip(&who).zip(found) {
        let curve = (walk.passes() > 0.0).then(|| {
            found.unwrap_or_else(|| {
                let way = way(plan, inputs, shape, part, walk, known);
                known.curves.journey(&way, &stations, walk.delay)
            })
        });
        let late = if late_for_waits(walk, &stations) {
            (Stage::Overload, overload_root)
        } else {
            (Stage::Timeout, inputs.front.errors_root)
        };
        outcome.add(plan, inputs, (walk, part), curve, late, known.curves);
    }
    stations.truncate(cluster.stations.len());
    let rates: Vec<f64> = walks.iter().zip(&who).map(|(walk, _)| walk.rate).collect();
    let uses = data::uses(plan, inputs, slot, (&outcome.cells, &rates), &mut who.into_iter(), hits, known);
    Some((outcome, Solution { outcome: OutcomeId(0), rates, stations, uses, grows }))
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
        let rate = rate(plan, inputs, part, slot);
        if rate <= 0.0 {
            continue;
        }
        let path = part.path(plan, inputs, &shape.conditions, overload_root, hits);
        walks.push(Walk::new(&plan.journeys[part.journey], rate, path));
        who.push(part);
    }
    (walks, who)
}

/// Requests per second of a part.
fn rate(plan: &Plan, inputs: &Inputs, part: &Part, slot: usize) -> f64 {
    rate_of_all(plan, inputs, part, slot) * inputs.flows[part.flow].share()
}

/// The same if the whole population were here.
fn rate_of_all(plan: &Plan, inputs: &Inputs, part: &Part, slot: usize) -> f64 {
    let flow = &inputs.flows[part.flow];
    let population = &plan.populations[flow.population];
    population.rate * population.profile[slot] * flow.factor.get() * part.share
}

/// Answers come too late for what they wait in queues, not for the service itself.
fn late_for_waits(walk: &Walk<'_>, stations: &[StationState]) -> bool {
    let waits: f64 = walk.calls.iter().map(|call| stations[call.station].steady.mean_wait()).sum();
    waits > 0.05 * walk.journey.patience()
}
