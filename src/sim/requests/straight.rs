//! Ways on which all that a request does is known beforehand: which stations it calls one after another, and what it does
//! between them.
//!
//! Most requests go such ways most of the time: nothing is degraded, nobody loses patience, and chance decides only how
//! long each thing takes, which is drawn beforehand (`slots.rs`). They need no entry, and no events where many go together
//! (`stages.rs`) or a single call is all there is (`at_once.rs`), else one for each call (`going.rs`). One that leaves its
//! way goes on as any other from where it is: where it is rejected, its client gives it up, or something else happens in
//! the world before its next step.

use super::Traffic;
use super::WAYS;
use super::several::SEVERAL;
use super::slots::{BLOCK, HOPS};
use super::units::span;
use crate::base::stream::{Rng, digest};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Dependency, Journey, Population, Store};
use crate::plan::{DEMAND, JourneyPlan, Plan, StepPlan};
use crate::sim::inputs::Route;

/// The way of all requests of a population on a journey, that a cluster serves, for now.
#[derive(Clone, Debug)]
pub(super) struct Straight {
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    pub(super) cluster: Id<Cluster>,
    pub(super) current: bool,
    /// Median round trip to the cluster, in seconds.
    pub(super) trip: f64,
    pub(super) timeout: Span,
    /// What each request saves up of a retry, if that is limited.
    pub(super) budget: f64,
    /// The first of its hops, which is its start, and the last, its end.
    pub(super) first: u32,
    pub(super) last: u32,
    /// If one call is all there is and trips take a constant time: its station, and the time to get there.
    pub(super) at_once: Option<(usize, Span)>,
    /// How many good ones were taken in a row last.
    pub(super) row: u32,
    /// What its requests draw from, and how many have been drawn (`slots.rs`).
    pub(super) rng: Rng,
    pub(super) number: u32,
    /// The block of those that begin next; so many of it are ready, of which so many have begun.
    pub(super) block: u32,
    pub(super) ready: u32,
    pub(super) used: u32,
    /// Requests that are on this way.
    pub(super) under_way: u32,
    /// Good requests that have begun in a minute, which ends then, and haven't been counted yet but for how long they took.
    pub(super) good: u32,
    pub(super) began: SimTime,
    pub(super) minute: SimTime,
}

/// One thing that a request does on its way; and what its entry would say before that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) what: What,
    pub(super) step: u32,
    pub(super) called: bool,
    pub(super) crossed: bool,
    /// Of a start or a call: where a slot says how long all takes up to the next call or the end; that, and its station.
    pub(super) column: u32,
    pub(super) next: u32,
    pub(super) then: Option<u32>,
}

/// What it does. Round trips are medians in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// It sets out.
    Start,
    /// It crosses the region, perhaps through proxies.
    Cross(f64, bool),
    Access(Access),
    Dependency(Id<Dependency>),
    /// It calls a station.
    Call(usize),
    /// It has come to the end.
    End,
}

/// An access to a store: there, as long until other copies have it, and the time there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) store: Id<Store>,
    pub(super) writes: bool,
    pub(super) trip: f64,
    pub(super) ack: f64,
    /// The partition whose leader writes so many bytes.
    pub(super) written: Option<(usize, f64)>,
}

impl Access {
    /// Adds so many of them to what leaders of partitions have written: writes, and their bytes.
    pub(super) fn add_written(&self, count: f64, sums: &mut [(f64, f64)]) {
        if let Some((partition, bytes)) = self.written {
            let (writes, all) = &mut sums[partition];
            (*writes, *all) = (*writes + count, *all + bytes * count);
        }
    }
}

impl Traffic<'_> {
    /// Where a way stands in the list of all.
    pub(super) fn straight_at(&self, population: Id<Population>, journey: Id<Journey>, to: Id<Cluster>) -> usize {
        let cell = population.index() * self.plan.journeys.len() + journey.index();
        cell * self.plan.clusters.len() + to.index()
    }

    /// Looks for ways that are straight, after something has changed.
    pub(super) fn straighten(&mut self) {
        let plan = self.plan;
        self.straight.clear();
        self.hops.clear();
        self.straight_of.fill([None; 2]);
        for population in plan.populations.keys() {
            let mut all = true;
            for position in 0..self.ways[population].len() {
                let way = self.ways[population][position];
                let Some(current) = self.flow(way).map(|(flow, _)| flow.current) else {
                    all = false;
                    continue;
                };
                let journeys = plan.populations[population].shares.iter_enumerated();
                for (journey, _) in journeys.filter(|(_, share)| **share > 0.0) {
                    let begins = self.hops.len();
                    if let Some(straight) = self.straight_way(population, journey, (way.cluster, current)) {
                        let at = self.straight_at(population, journey, way.cluster);
                        self.straight_of[at][usize::from(current)] = Some(self.straight.len() as u32);
                        all &= straight.budget == 0.0;
                        self.straight.push(straight);
                    } else {
                        self.hops.truncate(begins);
                        all = false;
                    }
                }
            }
            self.all_straight[population] = all;
        }
        self.forget_slots();
        self.order_stations();
        self.straightened = true;
    }

    fn straight_way(
        &mut self,
        population: Id<Population>,
        journey: Id<Journey>,
        (cluster, current): (Id<Cluster>, bool),
    ) -> Option<Straight> {
        let plan = self.plan;
        let of = &plan.journeys[journey];
        let view = self.views[cluster].as_ref()?;
        let inputs = &view.inputs;
        let flow = view.flow(population, current)?;
        let there = flow.refused.is_none() && inputs.zones_listed == 0 && inputs.zones_up > 0;
        if !(is_plain(of) && there && inputs.front.is_good() && inputs.remotes.is_empty()) {
            return None;
        }
        let first = self.hops.len();
        let here = plan.clusters[cluster].region;
        let (mut called, hops) = (false, &mut self.hops);
        let put = |hops: &mut Vec<Hop>, what: What, step: u32, (called, crossed): (bool, bool)| {
            let column = (HOPS + hops.len() - first) as u32;
            hops.push(Hop { what, step, called, crossed, column, next: 0, then: None });
        };
        put(hops, What::Start, 0, (called, false));
        for (step, what) in of.steps.iter().enumerate() {
            let step = step as u32;
            match what {
                StepPlan::Call(services) => {
                    let [service] = services.as_slice() else { return None };
                    let position = plan.clusters[cluster].station_of[*service]? as usize;
                    let station = self.first[cluster] + position;
                    if !view.conditions[position].is_good() || self.stations[station].foresees.is_none() {
                        return None;
                    }
                    if called {
                        let what = What::Cross(plan.region_rtt[here][here], plan.clusters[cluster].proxies.is_some());
                        put(hops, what, step, (called, false));
                    }
                    put(hops, What::Call(station), step, (called, called));
                    called = true;
                }
                StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                    let bytes = if let StepPlan::Write(_, bytes) = what { Some(*bytes) } else { None };
                    let access = flow.stores[store.index()];
                    let route = if bytes.is_some() { access.write } else { access.read };
                    let mut access = access_by(plan, cluster, *store, route)?;
                    access.writes = bytes.is_some();
                    let partition = self.first_partitions[*store] + plan.stores[*store].partition_of(population);
                    access.written = bytes.filter(|_| matches!(route, Route::Via(..))).map(|bytes| (partition, bytes));
                    put(hops, What::Access(access), step, (called, false));
                }
                StepPlan::Dependency(dependency) => {
                    if inputs.dependencies.iter().any(|(other, _)| other == dependency) {
                        return None;
                    }
                    put(hops, What::Dependency(*dependency), step, (called, false));
                }
            }
        }
        put(hops, What::End, of.steps.len() as u32, (called, false));
        let last = hops.len() - 1;
        let (mut next, mut then) = (last as u32, None);
        for position in (first..last).rev() {
            (hops[position].next, hops[position].then) = (next, then);
            if let What::Call(station) = hops[position].what {
                (next, then) = (position as u32, Some(station as u32));
            }
        }
        // By when the way came to be, for each has requests of its own.
        let stream = self.stream.with(WAYS).with(self.until.nanos()).with(digest(&plan.populations[population].name));
        let stream = stream.with(digest(&of.name)).with(plan.clusters[cluster].digest).with(u64::from(current));
        let trip = plan.populations[population].rtt[cluster];
        let timeout = of.timeout.map_or(Span::FOREVER, span);
        let at_once = match (&self.hops[first + 1..], self.trips.constant(trip)) {
            // Whom calls wait for is asked only while there may be somebody.
            ([Hop { what: What::Call(station), .. }, _], Some(trip)) if inputs.overload_root.index() == DEMAND => {
                // Nor may those come back late that are served at once.
                Some((*station, span(0.5 * trip))).filter(|(_, half)| 2 * half.nanos() <= timeout.nanos())
            }
            _ => None,
        };
        Some(Straight {
            population,
            journey,
            cluster,
            current,
            trip,
            timeout,
            budget: if of.budget.is_finite() { of.budget } else { 0.0 },
            first: first as u32,
            last: last as u32,
            at_once,
            row: SEVERAL as u32,
            rng: stream.rng(),
            number: 0,
            block: 0,
            ready: BLOCK as u32,
            used: BLOCK as u32,
            under_way: 0,
            good: 0,
            began: SimTime::ZERO,
            minute: SimTime::ZERO,
        })
    }
}

/// A journey all of whose requests do the same.
pub(super) fn is_plain(journey: &JourneyPlan) -> bool {
    let single = |step: &StepPlan| !matches!(step, StepPlan::Call(services) if services.len() != 1);
    let alone = journey.breaker.is_none() && journey.hedge.is_none() && journey.patience.is_none();
    alone && journey.program.is_empty() && journey.steps.iter().all(single)
}

/// An access that takes trips and a draw.
fn access_by(plan: &Plan, from: Id<Cluster>, store: Id<Store>, route: Route) -> Option<Access> {
    let to = |copy: Id<Cluster>| plan.region_rtt[plan.clusters[from].region][plan.clusters[copy].region];
    let (trip, ack) = match route {
        Route::Via(copy, ack) => (to(copy), ack.get()),
        Route::Near(copy) | Route::Deposed(copy) => (to(copy), 0.0),
        Route::Vote(..) | Route::Cache(_) | Route::Fail(..) => return None,
    };
    Some(Access { store, writes: false, trip, ack, written: None })
}
