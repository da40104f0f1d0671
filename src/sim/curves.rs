//! Latency curves by what they depend on: convolved once per path, waits applied on demand.

use super::convolved::Convolved;
use super::inputs::{Condition, Inputs, Route};
use super::intern::Map;
use super::lookups::cache_of;
use super::remote::{self, Called};
use super::station::StationState;
use super::views::ways;
use crate::base::{Id, Span};
use crate::dist::Dist;
use crate::domain::{Cluster, Journey, Service, Store};
use crate::plan::{JourneyPlan, Plan, StepPlan};
use crate::replication::quorum::Ways;
use crate::replication::spec::Replication;
use crate::traffic::ended::Endings;
use crate::traffic::latency::{Curve, Part, Within};
use std::sync::Arc;

/// Waits whose probability isn't above this are left out.
pub(super) const NEGLIGIBLE_WAIT: f64 = 1e-9;

/// Words that the key of a path mostly has room in, so that it doesn't grow while it is made.
const KEY: usize = 32;

/// What is done to a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Read,
    Write,
}

/// A curve in [`Curves`], as far as it counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CurveId(u32);

/// A curve in [`Curves`], whatever of it counts: journeys that take the same time share it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct ShapeId(u32);

/// Latency curves, made once each.
#[derive(Clone, Default, Debug)]
pub(super) struct Curves {
    pub(super) convolved: Convolved,
    known: Map<Box<[u64]>, ShapeId>,
    shapes: Vec<Arc<Curve>>,
    /// By shape and limit.
    known_within: Map<(ShapeId, u64), CurveId>,
    kept: Vec<Kept>,
    /// The curve that was wanted last but isn't kept, and its key.
    passing: Option<(Vec<u64>, Curve)>,
    /// What was worked out of waits.
    endings: Endings,
    /// Memory for keys, and for waits.
    key: Vec<u64>,
    waits: Vec<(f64, f64)>,
}

/// A shape, and what counts of it.
#[derive(Clone, Copy, Debug)]
struct Kept {
    shape: ShapeId,
    within: Within,
}

/// How many there are.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Count {
    shapes: usize,
    kept: usize,
}

impl Curves {
    /// A curve, and what the client's timeout leaves of it.
    pub(super) fn get(&self, id: CurveId) -> (&Curve, Within) {
        let Kept { shape, within } = self.kept[id.0 as usize];
        (self.shape(shape), within)
    }

    fn shape(&self, id: ShapeId) -> &Curve {
        &self.shapes[id.0 as usize]
    }

    pub(super) fn count(&self) -> Count {
        Count { shapes: self.shapes.len(), kept: self.kept.len() }
    }

    /// Forgets all but the first so many. Those that take long to make stay in the table that threads share.
    pub(super) fn truncate(&mut self, most: Count) {
        self.shapes.truncate(most.shapes);
        self.known.retain(|_, id| (id.0 as usize) < most.shapes);
        self.kept.truncate(most.kept);
        self.known_within.retain(|_, id| (id.0 as usize) < most.kept);
    }

    /// A curve made of others.
    fn make(&mut self, key: &[u64], curve: impl FnOnce(&Self) -> Curve) -> ShapeId {
        match self.known.get(key) {
            Some(&id) => id,
            None => self.keep(key, Arc::new(curve(self))),
        }
    }

    /// A curve that is convolved from its parts.
    fn convolve(&mut self, key: &[u64], parts: impl FnOnce() -> Vec<Part>) -> ShapeId {
        match self.known.get(key) {
            Some(&id) => id,
            None => self.keep(key, self.convolved.curve(&parts())),
        }
    }

    fn keep(&mut self, key: &[u64], shape: Arc<Curve>) -> ShapeId {
        let id = ShapeId(self.shapes.len() as u32);
        self.shapes.push(shape);
        self.known.insert(key.into(), id);
        id
    }

    /// What is left of a shape within a limit.
    fn within(&mut self, shape: ShapeId, limit: f64) -> CurveId {
        let next = CurveId(self.kept.len() as u32);
        let id = *self.known_within.entry((shape, limit.to_bits())).or_insert(next);
        if id == next {
            self.kept.push(Kept { shape, within: self.shape(shape).within(limit) });
        }
        id
    }

    /// The latency of one access to a store from a cluster.
    pub(super) fn access(
        &mut self,
        plan: &Plan,
        from: Id<Cluster>,
        store: Id<Store>,
        kind: Kind,
        route: Route,
    ) -> CurveId {
        let mut key = vec![u64::MAX, from.index() as u64, store.index() as u64 * 2 + u64::from(kind == Kind::Write)];
        route_key(&mut key, route);
        let shape = self.convolve(&key, || {
            let mut parts = Vec::new();
            access(plan, from, store, kind, route, &mut parts);
            parts
        });
        self.within(shape, f64::INFINITY)
    }

    /// What is left of a curve within its limit, and then an even time of up to so many seconds.
    pub(super) fn then_even(&mut self, id: CurveId, seconds: f64) -> CurveId {
        if seconds <= 0.0 {
            return id;
        }
        let key = [u64::MAX - 1, u64::from(id.0), seconds.to_bits()];
        let shape = self.make(&key, |curves| {
            let (curve, within) = curves.get(id);
            curve.then_even(within, seconds)
        });
        self.within(shape, f64::INFINITY)
    }

    /// What is left of a curve within its limit, and then an exponential time of a mean of so many seconds.
    pub(super) fn then_exponential(&mut self, id: CurveId, mean: f64) -> CurveId {
        if mean <= 0.0 {
            return id;
        }
        let key = [u64::MAX - 3, u64::from(id.0), mean.to_bits()];
        let shape = self.make(&key, |curves| {
            let (curve, within) = curves.get(id);
            curve.then_exponential(within, mean)
        });
        self.within(shape, f64::INFINITY)
    }

    /// The share of tries that come back in time on a way, of those that succeed otherwise, after a `delay` in seconds.
    pub(super) fn in_time(&mut self, way: &Way, stations: &[StationState], delay: f64) -> f64 {
        let limit = way.limit(delay);
        if limit == f64::INFINITY {
            return 1.0;
        }
        let base = self.kept[way.base.0 as usize].shape;
        way.waits(stations, &mut self.waits);
        if self.waits.is_empty() {
            return self.shape(base).cdf(limit);
        }
        // Not kept: it is asked for loads on the way to one that stays. But journeys that share it come one after another.
        key_of_waits(base, &self.waits, &mut self.key);
        let passing = self.passing.take().filter(|passing| passing.0 == self.key);
        let passing = passing.unwrap_or_else(|| {
            let base = &self.shapes[base.0 as usize];
            (self.key.clone(), base.then_waits(&self.waits, &mut self.endings))
        });
        self.passing.insert(passing).1.cdf(limit)
    }

    /// The same where nobody waits but for the delay.
    pub(super) fn at_best(&self, way: &Way, delay: f64) -> f64 {
        let limit = way.limit(delay);
        if limit == f64::INFINITY { 1.0 } else { self.get(way.base).0.cdf(limit) }
    }

    /// The latency of a try that succeeds on a way, beyond a `delay` in seconds that its timeout bears too.
    pub(super) fn journey(&mut self, way: &Way, stations: &[StationState], delay: f64) -> CurveId {
        let (mut waits, mut key) = (core::mem::take(&mut self.waits), core::mem::take(&mut self.key));
        way.waits(stations, &mut waits);
        let mut shape = self.kept[way.base.0 as usize].shape;
        if !waits.is_empty() {
            let base = shape;
            key_of_waits(base, &waits, &mut key);
            let mut endings = core::mem::take(&mut self.endings);
            shape = self.make(&key, |curves| curves.shape(base).then_waits(&waits, &mut endings));
            self.endings = endings;
        }
        (self.waits, self.key) = (waits, key);
        self.within(shape, way.limit(delay))
    }

    /// The way of a journey of a flow, of whose reads of caches so many hit.
    pub(super) fn way(
        &mut self,
        plan: &Plan,
        inputs: &Inputs,
        flow: usize,
        journey: Id<Journey>,
        conditions: &[Condition],
        hits: &[f64],
    ) -> Way {
        let cluster = &plan.clusters[inputs.cluster];
        let own = &plan.journeys[journey];
        let flow = &inputs.flows[flow];
        let mut key = Vec::with_capacity(KEY);
        key.extend([
            flow.population.index() as u64,
            inputs.cluster.index() as u64,
            // The first that takes the same path.
            alike(plan, journey).index() as u64,
            inputs.front.latency.get().to_bits(),
        ]);
        let missed: Vec<f64> = hits.iter().map(|hits| rounded(1.0 - hits)).collect();
        let mut misses = missed.iter();
        let mut stations = Vec::new();
        for step in &own.steps {
            match step {
                StepPlan::Call(services) => {
                    for &service in services {
                        let Some(called) = remote::called(plan, inputs, flow.population, service) else { continue };
                        match called.remote {
                            Some(there) => remote::key(there, &mut key),
                            None => key.push(conditions[called.station].latency.get().to_bits()),
                        }
                        stations.push((called.station, None));
                    }
                }
                StepPlan::Read(store, _) => {
                    let route = flow.stores[store.index()].read;
                    route_key(&mut key, route);
                    let Some((cache, &missed)) = cache_of(plan, *store, route).zip(misses.next()) else { continue };
                    key.push(missed.to_bits());
                    route_key(&mut key, flow.stores[cache.of.index()].read);
                    let through = cache.through.and_then(|service| cluster.station_of[service]);
                    if let Some(position) = through.map(|position| position as usize) {
                        key.push(conditions[position].latency.get().to_bits());
                        stations.push((position, Some(missed)));
                    }
                }
                StepPlan::Write(store, _) => route_key(&mut key, flow.stores[store.index()].write),
                StepPlan::Dependency(dependency) => {
                    let factor = inputs.dependencies.iter().find(|(other, _)| other == dependency);
                    key.push(factor.map_or(1.0, |(_, condition)| condition.latency.get()).to_bits());
                }
            }
        }
        let timeout = own.timeout.unwrap_or(f64::INFINITY);
        let shape = self.convolve(&key, || parts(plan, inputs, flow, &own.steps, conditions, &missed));
        Way { base: self.within(shape, timeout), timeout, patience: own.patience(), stations }
    }
}

/// The way of a try through a cluster, but for what it waits.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The curve without waits.
    pub(super) base: CurveId,
    /// The client's, in seconds; infinite if it has none.
    timeout: f64,
    /// Seconds after which even a client without a timeout has no backlog's answer any more.
    patience: f64,
    /// Where it may wait: stations, with the share of tries that miss a cache if only those do.
    stations: Vec<(usize, Option<f64>)>,
}

impl Way {
    /// Seconds that a try may take beyond a delay. Who has no timeout waits for ever, but not for a backlog.
    fn limit(&self, delay: f64) -> f64 {
        if self.timeout == f64::INFINITY && delay <= self.patience { f64::INFINITY } else { self.patience - delay }
    }

    /// Lists the probability and mean of each wait.
    fn waits(&self, stations: &[StationState], waits: &mut Vec<(f64, f64)>) {
        waits.clear();
        for &(station, missed) in &self.stations {
            let StationState { steady, behind, .. } = &stations[station];
            // A backlog's wait is the delay.
            let waiting = match missed {
                None if *behind => 0.0,
                None => steady.waiting,
                Some(missed) => missed * steady.waiting,
            };
            if waiting > NEGLIGIBLE_WAIT {
                waits.push((waiting, steady.wait_if_waiting));
            }
        }
        // Waits at several stations add up whatever their order.
        waits.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    }
}

/// The key of a shape and then waits.
fn key_of_waits(base: ShapeId, waits: &[(f64, f64)], key: &mut Vec<u64>) {
    key.clear();
    key.extend([u64::MAX - 4, u64::from(base.0)]);
    key.extend(waits.iter().flat_map(|(waiting, wait)| [waiting.to_bits(), wait.to_bits()]));
}

fn route_key(key: &mut Vec<u64>, route: Route) {
    match route {
        Route::Via(cluster, ack) => key.extend([cluster.index() as u64, ack.get().to_bits()]),
        Route::Near(cluster) | Route::Deposed(cluster) => key.extend([cluster.index() as u64, 0]),
        Route::Vote(through, copies, wanted) => {
            key.extend([through.index() as u64 | 1 << 63, copies, u64::from(wanted)]);
        }
        // What it holds shows in how many miss.
        Route::Cache(_) => key.push(u64::MAX - 1),
        Route::Fail(..) => key.push(u64::MAX),
    }
}

/// The first journey that takes the same path: it takes the same time, whatever its bytes.
fn alike(plan: &Plan, journey: Id<Journey>) -> Id<Journey> {
    let own = &plan.journeys[journey].steps;
    let same = |(step, other): (&StepPlan, &StepPlan)| match (step, other) {
        (StepPlan::Call(services), StepPlan::Call(others)) => services == others,
        (StepPlan::Read(store, _), StepPlan::Read(other, _))
        | (StepPlan::Write(store, _), StepPlan::Write(other, _)) => store == other,
        (StepPlan::Dependency(dependency), StepPlan::Dependency(other)) => dependency == other,
        (StepPlan::Call(_) | StepPlan::Read(..) | StepPlan::Write(..) | StepPlan::Dependency(_), _) => false,
    };
    let alike = |(_, other): &(Id<Journey>, &JourneyPlan)| {
        other.steps.len() == own.len() && own.iter().zip(&other.steps).all(same)
    };
    plan.journeys.iter_enumerated().find(alike).map_or(journey, |(id, _)| id)
}

/// Shares of misses in parts of 4096, so that those that hardly differ have one curve.
fn rounded(share: f64) -> f64 {
    (share * 4096.0).round() / 4096.0
}

/// One access to a store from a cluster, to its end.
fn access(plan: &Plan, from: Id<Cluster>, store: Id<Store>, kind: Kind, route: Route, parts: &mut Vec<Part>) {
    let between = |a: Id<Cluster>, b: Id<Cluster>| plan.region_rtt[plan.clusters[a].region][plan.clusters[b].region];
    let own = &plan.stores[store];
    let mut trip = |seconds: f64| {
        if seconds > 0.0 {
            parts.push(Part::One(Dist::lognormal(Span::from_secs(seconds), plan.jitter)));
        }
    };
    match route {
        Route::Via(copy, ack) => {
            trip(between(from, copy));
            trip(ack.get());
            parts.push(Part::One(own.time.clone()));
        }
        Route::Near(copy) | Route::Deposed(copy) => {
            trip(between(from, copy));
            parts.push(Part::One(own.time.clone()));
        }
        Route::Vote(through, copies, wanted) => {
            trip(between(from, through));
            let voters = own.copies.iter().enumerate().filter(|(position, _)| copies >> position & 1 == 1);
            let delays = match (&own.replication, kind) {
                (Replication::Quorum(quorum), Kind::Read) => [&quorum.delays.read, &quorum.delays.response],
                (Replication::Quorum(quorum), Kind::Write) => [&quorum.delays.write, &quorum.delays.ack],
                (
                    Replication::Sync(_)
                    | Replication::SemiSync(_)
                    | Replication::Async(_)
                    | Replication::MultiLeader(_)
                    | Replication::Cache(_),
                    Kind::Read | Kind::Write,
                ) => [&None, &None],
            };
            let one = |(_, &copy): (usize, &Id<Cluster>)| {
                let mut way = vec![Part::One(own.time.clone())];
                match ways(plan, through, copy, delays[0].as_ref(), delays[1].as_ref()) {
                    Ways::Halves(_) if copy == through => {}
                    Ways::Halves(half) => way.push(Part::One(half.scaled(2.0))),
                    Ways::Apart(there, back) => way.extend([Part::One(there), Part::One(back)]),
                }
                Curve::sum(&way)
            };
            parts.push(Part::Fastest(wanted as usize, voters.map(one).collect()));
        }
        Route::Cache(_) => parts.push(Part::One(own.time.clone())),
        Route::Fail(..) => {}
    }
}

/// The terms of a journey's latency that don't depend on load.
fn parts(
    plan: &Plan,
    inputs: &Inputs,
    flow: &super::inputs::Flow,
    steps: &[StepPlan],
    conditions: &[Condition],
    missed: &[f64],
) -> Vec<Part> {
    let cluster = &plan.clusters[inputs.cluster];
    let round_trip = |seconds: f64| Part::One(Dist::lognormal(Span::from_secs(seconds), plan.jitter));
    let slowed = |dist: &Dist, factor: f64| if factor == 1.0 { dist.clone() } else { dist.scaled(factor.max(1e-9)) };
    let mut parts = vec![round_trip(plan.populations[flow.population].rtt[inputs.cluster])];
    let in_region = plan.region_rtt[cluster.region][cluster.region];
    let mut first = true;
    let mut missed = missed.iter();
    for step in steps {
        match step {
            StepPlan::Call(services) => {
                if let [service] = services[..]
                    && let Some(Called { remote: Some(there), .. }) =
                        remote::called(plan, inputs, flow.population, service)
                {
                    remote::parts(plan, inputs.cluster, there, &mut parts);
                    first = false;
                    continue;
                }
                let elsewhere = |&service: &Id<Service>| {
                    remote::called(plan, inputs, flow.population, service).is_some_and(|called| called.remote.is_some())
                };
                if services.iter().any(elsewhere) {
                    parts.push(some_elsewhere(plan, inputs, flow, services, conditions, (first, in_region)));
                    first = false;
                    continue;
                }
                // The population's round trip ends at the first service.
                if !first && in_region > 0.0 {
                    parts.push(round_trip(in_region));
                }
                if let Some(proxies) = cluster.proxies.as_ref().filter(|_| !first) {
                    parts.push(Part::One(proxies.latency.clone()));
                }
                first = false;
                let times: Vec<Dist> = services
                    .iter()
                    .filter_map(|&service| {
                        let position = cluster.station_of[service]? as usize;
                        let factor = inputs.front.latency.get() * conditions[position].latency.get();
                        Some(slowed(&plan.services[service].time, factor))
                    })
                    .collect();
                parts.push(match <[Dist; 1]>::try_from(times) {
                    Ok([one]) => Part::One(one),
                    Err(several) => Part::Slowest(several),
                });
            }
            StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                let access = flow.stores[store.index()];
                let (kind, route) = if matches!(step, StepPlan::Read(..)) {
                    (Kind::Read, access.read)
                } else {
                    (Kind::Write, access.write)
                };
                let Some((cache, &missed)) = cache_of(plan, *store, route).zip(missed.next()) else {
                    self::access(plan, inputs.cluster, *store, kind, route, &mut parts);
                    continue;
                };
                let mut hit = Vec::new();
                self::access(plan, inputs.cluster, *store, kind, route, &mut hit);
                let mut miss = hit.clone();
                if let Some((service, position)) =
                    cache.through.and_then(|service| Some((service, cluster.station_of[service]? as usize)))
                {
                    if in_region > 0.0 {
                        miss.push(round_trip(in_region));
                    }
                    let factor = inputs.front.latency.get() * conditions[position].latency.get();
                    miss.push(Part::One(slowed(&plan.services[service].time, factor)));
                }
                self::access(plan, inputs.cluster, cache.of, kind, flow.stores[cache.of.index()].read, &mut miss);
                parts.push(Part::Either(missed, Box::new([Curve::sum(&hit), Curve::sum(&miss)])));
            }
            StepPlan::Dependency(dependency) => {
                let factor = inputs.dependencies.iter().find(|(other, _)| other == dependency);
                let factor = factor.map_or(1.0, |(_, condition)| condition.latency.get());
                parts.push(Part::One(slowed(&plan.dependencies[*dependency].time, factor)));
            }
        }
    }
    parts
}

/// Calls made at once, of which some go to another cluster: each makes its own way.
fn some_elsewhere(
    plan: &Plan,
    inputs: &Inputs,
    flow: &super::inputs::Flow,
    services: &[Id<Service>],
    conditions: &[Condition],
    (first, in_region): (bool, f64),
) -> Part {
    let proxies = plan.clusters[inputs.cluster].proxies.as_ref();
    let calls = services.iter().filter_map(|&service| {
        let called = remote::called(plan, inputs, flow.population, service)?;
        let mut parts = Vec::new();
        if let Some(there) = called.remote {
            remote::parts(plan, inputs.cluster, there, &mut parts);
            return Some(parts);
        }
        if !first && in_region > 0.0 {
            parts.push(Part::One(Dist::lognormal(Span::from_secs(in_region), plan.jitter)));
        }
        if let Some(proxies) = proxies.filter(|_| !first) {
            parts.push(Part::One(proxies.latency.clone()));
        }
        let factor = inputs.front.latency.get() * conditions[called.station].latency.get();
        parts.push(Part::One(plan.services[service].time.scaled(factor.max(1e-9))));
        Some(parts)
    });
    remote::slowest(&calls.collect::<Vec<_>>())
}
