//! What one cluster's steady state is made of, whatever the load: who makes which journey, past which hops, on which way,
//! and what one good request moves.
//!
//! Inputs that differ in numbers of users alone have one shape; what is left to solve is what the stations do. Reads of
//! caches are left to it, too: what they hit depends on load.

use super::curves::{CurveId, Curves, Kind, Way};
use super::fixed_point::{Call, Hop, Path, Walk};
use super::inputs::{Bits, Condition, Inputs, Route};
use super::intern::Map;
use super::lookups::{Hits, Lookup, cache_of};
use super::moves::{Moves, bytes};
use super::outcome::{Outcome, OutcomeId};
use super::remote;
use crate::base::Id;
use crate::domain::{Journey, Population, Root, Stage};
use crate::plan::{ClusterPlan, DEMAND, JourneyPlan, Plan, StepPlan};
use std::borrow::Cow;

/// What a cluster's steady state is made of.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The condition of each station, those elsewhere last.
    pub(super) conditions: Vec<Condition>,
    /// The journeys of all flows.
    pub(super) parts: Vec<Part>,
    /// What becomes of them while nobody waits, unless that depends on load even so.
    pub(super) calm: Option<Calm>,
}

/// What becomes of journeys while nobody waits.
#[derive(Clone, Debug)]
pub(super) struct Calm {
    pub(super) outcome: OutcomeId,
    /// Part, station, and calls that each of the part's requests makes there.
    pub(super) calls: Vec<(usize, usize, f64)>,
}

/// One journey of one flow.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    /// Position of the flow.
    pub(super) flow: usize,
    /// Share of the flow's requests.
    pub(super) share: f64,
    /// The cause for which nobody is let in, and the stage.
    refused: Option<(Stage, Id<Root>)>,
    /// What doesn't depend on load; it does where a cache is read.
    pub(super) fixed: Option<Fixed>,
}

/// What doesn't depend on load of a journey that reads no cache.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    hops: Vec<Hop>,
    calls: Vec<Call>,
    /// None where nothing gets past the hops.
    pub(super) way: Option<Way>,
    /// How long each access to a store takes, in the order of the path; none where nothing gets past the hops.
    pub(super) accesses: Vec<CurveId>,
    /// What one good request moves.
    pub(super) moves: Moves,
}

impl Shape {
    fn new(plan: &Plan, inputs: &Inputs, outcomes: &mut Vec<Outcome>, curves: &mut Curves) -> Self {
        let conditions = conditions(&plan.clusters[inputs.cluster], inputs);
        let dead =
            inputs.front.down.or((inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root));
        let mut parts = Vec::new();
        for (position, flow) in inputs.flows.iter().enumerate() {
            let refused = flow.refused.or(dead).map(|root| (flow.blame, root));
            for (journey, &share) in plan.populations[flow.population].shares.iter_enumerated() {
                if share > 0.0 {
                    let part =
                        Part { population: flow.population, journey, flow: position, share, refused, fixed: None };
                    let fixed = part.fixed(plan, inputs, &conditions, curves);
                    parts.push(Part { fixed, ..part });
                }
            }
        }
        let mut shape = Self { conditions, parts, calm: None };
        // What a cache hits depends on load, and what is called elsewhere isn't told of here.
        let known = shape.parts.iter().all(|part| part.fixed.is_some() || part.refused.is_some());
        if known && inputs.remotes.is_empty() {
            let (outcome, calls) = shape.while_nobody_waits(plan, inputs, curves);
            shape.calm = Some(Calm { outcome: OutcomeId(outcomes.len() as u32), calls });
            outcomes.push(outcome);
        }
        shape
    }

    /// What becomes of requests while nobody waits, and the calls that they make: part, station, calls of each request.
    fn while_nobody_waits(
        &self,
        plan: &Plan,
        inputs: &Inputs,
        curves: &mut Curves,
    ) -> (Outcome, Vec<(usize, usize, f64)>) {
        let mut outcome = Outcome::new(inputs.cluster, self.parts.len());
        let mut calls = Vec::new();
        let late = (Stage::Timeout, inputs.front.errors_root);
        for (number, part) in self.parts.iter().enumerate() {
            let path = part.path(plan, inputs, &self.conditions, Id::new(DEMAND), &Hits::default());
            let mut walk = Walk::new(&plan.journeys[part.journey], 1.0, path);
            let way = part.fixed.as_ref().and_then(|fixed| fixed.way.as_ref());
            let way = way.filter(|_| walk.passes() > 0.0);
            if let Some(way) = way {
                walk.comes_back(curves.at_best(way, 0.0));
            }
            walk.tries_again();
            walk.visit(|station, each| calls.push((number, station, each)));
            outcome.add(plan, inputs, (&walk, part), way.map(|way| way.base), late, curves);
        }
        (outcome, calls)
    }
}

impl Part {
    /// What doesn't depend on load, if it reads no cache.
    fn fixed(&self, plan: &Plan, inputs: &Inputs, conditions: &[Condition], curves: &mut Curves) -> Option<Fixed> {
        let flow = &inputs.flows[self.flow];
        let journey = &plan.journeys[self.journey];
        let mut routes = Vec::new();
        for step in &journey.steps {
            match *step {
                StepPlan::Read(store, _) => routes.push((store, Kind::Read, flow.stores[store.index()].read)),
                StepPlan::Write(store, _) => routes.push((store, Kind::Write, flow.stores[store.index()].write)),
                StepPlan::Call(_) | StepPlan::Dependency(_) => {}
            }
        }
        if routes.iter().any(|&(store, _, route)| cache_of(plan, store, route).is_some()) {
            return None;
        }
        let nothing = Hits::default();
        let Path { hops, calls, .. } = self.path(plan, inputs, conditions, inputs.overload_root, &nothing);
        let mut fixed =
            Fixed { hops, calls: calls.into_owned(), way: None, accesses: Vec::new(), moves: Moves::default() };
        if fixed.hops.iter().all(|hop| hop.fails < 1.0) {
            // Curves take long to make, so only those are made that somebody sees.
            fixed.way = Some(curves.way(plan, inputs, self.flow, self.journey, conditions, &[]));
            let access = |(store, kind, route)| curves.access(plan, inputs.cluster, store, kind, route);
            fixed.accesses = routes.into_iter().map(access).collect();
            bytes(plan, inputs, self.flow, journey, 1.0, &[], &mut fixed.moves);
        }
        Some(fixed)
    }

    /// The hops and calls of a try, where more load than capacity is due to this root.
    pub(super) fn path<'s>(
        &'s self,
        plan: &Plan,
        inputs: &Inputs,
        conditions: &[Condition],
        overload_root: Id<Root>,
        hits: &Hits<'_>,
    ) -> Path<'s> {
        if let Some((stage, root)) = self.refused {
            return Path { hops: vec![Hop::new(1.0, stage, root, None)], ..Path::default() };
        }
        let mut path = match &self.fixed {
            Some(Fixed { hops, calls, .. }) => {
                Path { hops: hops.clone(), calls: Cow::Borrowed(calls), lookups: Vec::new() }
            }
            None => hops_of(plan, inputs, self.flow, &plan.journeys[self.journey], conditions, hits),
        };
        let here = plan.clusters[inputs.cluster].stations.len();
        for hop in path.hops.iter_mut().filter(|hop| hop.station.is_some_and(|station| station < here)) {
            hop.root = overload_root;
        }
        path
    }
}

/// Shapes, made once each.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    known: Map<Inputs, u32>,
    all: Vec<Shape>,
    /// By number of the inputs.
    of: Vec<Option<u32>>,
}

impl Shapes {
    /// The shape of these inputs, by their number.
    pub(super) fn of(
        &mut self,
        plan: &Plan,
        number: u32,
        inputs: &Inputs,
        outcomes: &mut Vec<Outcome>,
        curves: &mut Curves,
    ) -> &Shape {
        let number = number as usize;
        if number >= self.of.len() {
            self.of.resize(number + 1, None);
        }
        let next = self.all.len() as u32;
        let shape = *self.of[number].get_or_insert_with(|| *self.known.entry(without_numbers(inputs)).or_insert(next));
        if shape == next {
            self.all.push(Shape::new(plan, inputs, outcomes, curves));
        }
        &self.all[shape as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Forgets all but the first so many, of the first so many inputs.
    pub(super) fn truncate(&mut self, most: usize, inputs: usize) {
        self.all.truncate(most);
        self.known.retain(|_, number| (*number as usize) < most);
        self.of.truncate(inputs);
        for shape in &mut self.of {
            shape.take_if(|number| *number as usize >= most);
        }
    }
}

/// The same inputs without what a shape doesn't depend on.
fn without_numbers(inputs: &Inputs) -> Inputs {
    let mut inputs = inputs.clone();
    for flow in &mut inputs.flows {
        (flow.start, flow.end, flow.factor) = (Bits::ZERO, Bits::ZERO, Bits::ZERO);
    }
    inputs.outside.clear();
    (inputs.active, inputs.short, inputs.overload_root) = (true, false, Id::new(DEMAND));
    inputs
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

/// The hops of one try, and the stations it calls. What overloads those here is said when it is known.
fn hops_of(
    plan: &Plan,
    inputs: &Inputs,
    flow: usize,
    journey: &JourneyPlan,
    conditions: &[Condition],
    hits: &Hits<'_>,
) -> Path<'static> {
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
                        remote::hops(there, station, reached, &mut hops, &mut calls);
                        continue;
                    }
                    calls.push(Call { before: reached, station, share: 1.0, missed: false });
                    if listed > 0.0 {
                        let (stage, root) = (Stage::Undetected, inputs.zones_root);
                        hops.push(Hop::new(listed, stage, root, None));
                    }
                    errors(&mut hops, &conditions[station], flow.blame);
                    let (stage, root) = (Stage::Overload, inputs.overload_root);
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
                    let (stage, root) = (Stage::Overload, inputs.overload_root);
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
    Path { hops, calls: Cow::Owned(calls), lookups }
}

/// How what is in this condition fails: probability, stage, root.
pub(super) fn failing(condition: &Condition, down: Stage) -> Option<(f64, Stage, Id<Root>)> {
    match condition.down {
        Some(root) => Some((1.0, down, root)),
        None if condition.errors.get() > 0.0 => Some((condition.errors.get(), Stage::Errors, condition.errors_root)),
        None => None,
    }
}
