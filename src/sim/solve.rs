//! The steady state of one cluster: what share of each journey succeeds, where the rest is lost, how long the
//! good ones take, and what each station does.
//!
//! Within a slot rates are constant, so all of it follows in closed form from the inputs, the ready pods and what
//! waits. A try walks its hops in order; the first failing hop sets the stage of the loss.

use super::backlog::Level;
use super::curves::CurveId;
use super::data::{self, Known, Uses};
use super::fixed_point::{self, Call, Hop, Path, Walk};
use super::inputs::{Condition, Inputs, Route};
use super::lookups::{self, Hits, Lookup, cache_of};
use super::remote;
use super::shed::losses;
use super::station::{Server, StationState};
use super::tries;
use crate::base::Id;
use crate::domain::observation::{Carried, Month, add_transfer};
use crate::domain::{Cluster, Journey, Population, Region, Root, Stage, Store};
use crate::plan::{ClusterPlan, DEMAND, JourneyPlan, Plan, StepPlan};

/// Most rounds in which late answers make load and load makes late answers.
const LATE_ROUNDS: usize = 40;
/// A share of late answers that makes no difference.
const NEGLIGIBLE: f64 = 1e-9;

/// Whose walk it is: population, journey, position of the flow.
type Who = (Id<Population>, Id<Journey>, usize);

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

/// The steady state of one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    pub(super) cells: Vec<Cell>,
    /// By cell, at `population * journeys + journey`: requests per second, and good ones.
    pub(super) served: Vec<(u32, f64, f64)>,
    pub(super) losses: Vec<Lost>,
    pub(super) stations: Vec<StationState>,
    /// Bytes per second to the internet.
    pub(super) egress: f64,
    /// Bytes per second within the cluster's region.
    pub(super) internal: f64,
    /// Bytes per second from region to region.
    pub(super) transfer: Vec<(Id<Region>, Id<Region>, f64)>,
    /// What calls carry to other clusters, per second.
    pub(super) carried: Carried,
    /// What users do to data.
    pub(super) uses: Uses,
    /// No cell loses enough to matter to an outage: under 1e-4.
    pub(super) fine: bool,
    /// A backlog begins here, if there is none.
    pub(super) grows: bool,
}

impl Solution {
    /// Adds so many seconds of another to what a month is billed: here are amounts, there are rates.
    pub(super) fn add_billed(&mut self, other: &Self, seconds: f64) {
        for &(cell, offered, good) in &other.served {
            match self.served.iter_mut().find(|entry| entry.0 == cell) {
                Some(entry) => (entry.1, entry.2) = (entry.1 + offered * seconds, entry.2 + good * seconds),
                None => self.served.push((cell, offered * seconds, good * seconds)),
            }
        }
        self.egress += other.egress * seconds;
        self.internal += other.internal * seconds;
        for &(from, to, rate) in &other.transfer {
            add_transfer(&mut self.transfer, from, to, rate * seconds);
        }
        self.carried.add(&other.carried, seconds);
    }

    /// Adds so many seconds of it, in a cluster, to what is billed by the month.
    pub(super) fn bill(&self, cluster: Id<Cluster>, seconds: f64, month: &mut Month) {
        for &(cell, offered, good) in &self.served {
            month.offered[cell as usize] += offered * seconds;
            month.good[cell as usize] += good * seconds;
        }
        let cluster = cluster.index();
        month.egress[cluster] += self.egress * seconds;
        month.internal[cluster] += self.internal * seconds;
        month.carried.add(&self.carried, seconds);
        self.carried.egress.iter().for_each(|&(id, rate)| month.egress[id.index()] += rate * seconds);
        for &(from, to, rate) in &self.transfer {
            add_transfer(&mut month.transfer, from, to, rate * seconds);
        }
    }
}

/// Solves one cluster in one slot with these ready pods.
pub(super) fn solve(plan: &Plan, inputs: &Inputs, slot: usize, state: &[u32], known: &mut Known<'_>) -> Solution {
    let mut hits = Hits::expected(plan, inputs, slot);
    let mut turn = 0;
    loop {
        turn += 1;
        let last = turn >= lookups::TURNS;
        if let Some(solution) = solve_with(plan, inputs, slot, state, (&mut hits, last), known) {
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
    let mut solution = Solution { fine: true, ..Solution::default() };
    let conditions = conditions(cluster, inputs);

    let mut servers = servers(plan, inputs, ready, levels, &conditions);
    let idle = vec![StationState::default(); servers.len()];

    let (mut walks, who) = walks_of(plan, inputs, slot, &conditions, overload_root, hits);
    // Only who is served here is told of: what calls from elsewhere is told of there.
    remote::outside(plan, inputs, slot, &conditions, &mut walks);
    let mut delay = |servers: &[Server<'_>], walks: &mut [Walk<'_>]| {
        for (walk, &(_, journey, flow)) in walks.iter_mut().zip(&who) {
            // What misses wait for is part of the curve.
            let calls = walk.calls.iter().filter(|call| !call.missed);
            walk.delay = calls.map(|call| servers[call.station].wait()).sum();
            if walk.minds_the_late() && walk.passes() > 0.0 {
                let (hits, delay) = (walk.hits(), walk.delay);
                walk.at_best = known.curves.in_time(plan, inputs, flow, journey, &conditions, &idle, &hits, delay);
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
    // The curves of the last round, which are those that are wanted once nothing moves.
    let mut found: Vec<Option<CurveId>> = vec![None; walks.len()];
    for round in 0..LATE_ROUNDS {
        solution.stations = fixed_point::with_chance(&servers, &fluid, &mut walks);
        let mut moved = false;
        let tried_again = walks.iter_mut().zip(&who).zip(&mut found);
        for ((walk, &(_, journey, flow)), found) in tried_again.filter(|((walk, _), _)| walk.journey.retries() > 0) {
            if walk.passes() > 0.0 {
                let (stations, hits, delay) = (&solution.stations, walk.hits(), walk.delay);
                // Mostly nothing is late, and the first round's curve is the one that is wanted.
                let in_time = if round == 0 {
                    let curve = known.curves.journey(plan, inputs, flow, journey, &conditions, stations, &hits, delay);
                    *found = Some(curve);
                    known.curves.get(curve).1.share()
                } else {
                    *found = None;
                    known.curves.in_time(plan, inputs, flow, journey, &conditions, stations, &hits, delay)
                };
                moved |= (in_time - walk.in_time).abs() > NEGLIGIBLE;
                walk.in_time = in_time;
            }
        }
        if !moved {
            break;
        }
    }
    let own = &solution.stations[..cluster.stations.len()];
    solution.grows = own.iter().any(|state| state.drift(0.0) > 0.0);

    let mut reads = hits.nothing();
    for walk in &walks {
        walk.look_up(&mut reads);
    }
    if !hits.settle(&reads) && !last {
        return None;
    }
    solution.cells.reserve_exact(walks.len());
    solution.served.reserve_exact(walks.len());
    for ((walk, (population, journey_id, flow)), found) in walks.iter().zip(who).zip(found) {
        let cell = solution.cells.len();
        let (passes, hits) = (walk.passes(), walk.hits());
        let mut latency = Vec::new();
        let mut in_time = 1.0;
        if passes > 0.0 {
            let stations = &solution.stations;
            let curve = found.unwrap_or_else(|| {
                known.curves.journey(plan, inputs, flow, journey_id, &conditions, stations, &hits, walk.delay)
            });
            in_time = known.curves.get(curve).1.share();
            let round_trip = plan.populations[population].rtt[inputs.cluster];
            latency = tries::latency(walk, (passes, in_time), round_trip, curve, known.curves);
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
        bytes(plan, inputs, flow, walk.journey, good, &hits, &mut solution);
        let position = population.index() * plan.journeys.len() + journey_id.index();
        solution.served.push((position as u32, walk.rate, good));
        solution.cells.push(Cell { population, journey: journey_id, flow, rate: walk.rate, success, latency, hits });
    }
    solution.stations.truncate(cluster.stations.len());
    solution.uses = data::uses(plan, inputs, slot, &solution.cells, hits, known);
    Some(solution)
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

/// The condition of each station, those elsewhere last.
fn conditions(cluster: &ClusterPlan, inputs: &Inputs) -> Vec<Condition> {
    let mut conditions = vec![Condition::good(); cluster.stations.len()];
    for (position, condition) in &inputs.stations {
        conditions[*position as usize] = *condition;
    }
    conditions.extend(inputs.mirrors.iter().map(|mirror| mirror.condition));
    conditions
}

/// The journeys of all flows, and whose they are.
fn walks_of<'p>(
    plan: &'p Plan,
    inputs: &Inputs,
    slot: usize,
    conditions: &[Condition],
    overload_root: Id<Root>,
    hits: &Hits<'_>,
) -> (Vec<Walk<'p>>, Vec<Who>) {
    let dead = inputs.front.down.or((inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root));
    let (mut walks, mut who) = (Vec::new(), Vec::new());
    for (position, flow) in inputs.flows.iter().enumerate() {
        let population = &plan.populations[flow.population];
        let rate = population.rate * population.profile[slot] * flow.share() * flow.factor.get();
        for (journey_id, &share) in population.shares.iter_enumerated() {
            let rate = rate * share;
            if rate <= 0.0 {
                continue;
            }
            let journey = &plan.journeys[journey_id];
            let path = match (flow.refused, dead) {
                (Some(root), _) | (None, Some(root)) => {
                    Path { hops: vec![Hop::new(1.0, flow.blame, root, None)], ..Path::default() }
                }
                (None, None) => hops_of(plan, inputs, position, journey, conditions, overload_root, hits),
            };
            walks.push(Walk::new(journey, rate, path));
            who.push((flow.population, journey_id, position));
        }
    }
    (walks, who)
}

/// Answers come too late for what they wait in queues, not for the service itself.
fn late_for_waits(walk: &Walk<'_>, stations: &[StationState]) -> bool {
    let waits: f64 = walk.calls.iter().map(|call| stations[call.station].steady.mean_wait()).sum();
    waits > 0.05 * walk.journey.patience()
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
    let mut hops = Vec::with_capacity(journey.steps.len() + 1);
    let mut calls = Vec::with_capacity(journey.steps.len());
    let mut lookups = Vec::new();
    let errors = |hops: &mut Vec<Hop>, condition: &Condition, down: Stage| {
        if let Some((fails, stage, root)) = failing(condition, down) {
            hops.push(Hop::new(fails, stage, root, None));
        }
    };
    errors(&mut hops, &inputs.front, flow.blame);
    let listed = f64::from(inputs.zones_listed) / f64::from((inputs.zones_up + inputs.zones_listed).max(1));
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                let reached = hops.len();
                for &service in services {
                    let Some(called) = remote::called(plan, inputs, flow.population, service) else { continue };
                    let station = called.station;
                    if let Some(there) = called.remote {
                        let mut path = Path { hops, calls, lookups };
                        remote::hops(there, station, reached, &mut path);
                        Path { hops, calls, lookups } = path;
                        continue;
                    }
                    calls.push(Call { before: reached, station, share: 1.0, missed: false });
                    if listed > 0.0 {
                        let (stage, root) = (Stage::Undetected, inputs.zones_root);
                        hops.push(Hop::new(listed, stage, root, None));
                    }
                    errors(&mut hops, &conditions[station], flow.blame);
                    let (stage, root) = (Stage::Overload, overload_root);
                    hops.push(Hop::new(0.0, stage, root, Some(station)));
                }
            }
            StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                let access = flow.stores[store.index()];
                let route = if matches!(step, StepPlan::Read(..)) { access.read } else { access.write };
                if let Route::Fail(stage, root) = route {
                    hops.push(Hop::new(1.0, stage, root, None));
                }
                let Some(cache) = cache_of(plan, *store, route) else { continue };
                let (entry, hit) = hits.of(*store, plan.stores[*store].partition_of(flow.population));
                let first = hops.len();
                // The share of those that get so far and have missed.
                let mut share = 1.0 - hit;
                let stumble = |hops: &mut Vec<Hop>, share: &mut f64, (fails, stage, root): (f64, Stage, Id<Root>)| {
                    let fails_here = *share * fails;
                    hops.push(Hop { share: *share, ..Hop::new(fails_here, stage, root, None) });
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
                    hops.push(Hop { share, ..Hop::new(0.0, stage, root, Some(station)) });
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
    Path { hops, calls, lookups }
}

/// How what is in this condition fails: probability, stage, root.
pub(super) fn failing(condition: &Condition, down: Stage) -> Option<(f64, Stage, Id<Root>)> {
    match condition.down {
        Some(root) => Some((1.0, down, root)),
        None if condition.errors.get() > 0.0 => Some((condition.errors.get(), Stage::Errors, condition.errors_root)),
        None => None,
    }
}

/// Adds the bytes that `good` requests per second move.
pub(super) fn bytes(
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
        add_transfer(&mut solution.transfer, from, to, bytes);
    };
    let (mut inside, mut elsewhere) = (0.0, Vec::new());
    let mut first = true;
    let mut hits = hits.iter();
    for step in &journey.steps {
        match step {
            StepPlan::Call(services) => {
                // The first call is the front itself: its bytes are the client's.
                let mut inner = services.len() - usize::from(first);
                first = false;
                for &service in services {
                    let called = remote::called(plan, inputs, population, service);
                    if let Some((remote, _)) = called.and_then(|called| called.remote) {
                        inner = inner.saturating_sub(1);
                        elsewhere.push(*remote);
                    }
                }
                inside += inner as f64;
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
    for remote in elsewhere {
        let there = plan.clusters[remote.to].region;
        if !plan.connections[remote.connection].internet {
            add(here, there, good * journey.request);
            add(there, here, good * journey.response);
        }
        remote::carry(plan, inputs.cluster, &remote, journey, good, &mut solution.carried);
    }
    if plan.clusters[inputs.cluster].proxies.is_some() && inside > 0.0 {
        solution.carried.through_proxies(inputs.cluster, 2.0 * inside * good);
    }
}
