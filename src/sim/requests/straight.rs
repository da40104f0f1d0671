//! Ways on which all that a request does is known beforehand: which stations it calls one after another, and what it does
//! between them.
//!
//! Most requests go such ways most of the time: nothing is degraded, nobody loses patience, and chance decides only how
//! long each thing takes, which is drawn beforehand (`prepared.rs`). They need no entry and no events but one for each call
//! (`going.rs`), or none where a single call is all there is (`at_once.rs`). One that leaves its way goes on as any other
//! from where it is: where it is rejected, its client gives it up, or something else happens in the world before its next
//! step.

use super::Traffic;
use super::several::SEVERAL;
use super::units::span;
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Dependency, Journey, Population, Store};
use crate::plan::{DEMAND, Plan, StepPlan};
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
    /// Requests that are prepared, and how many the next time.
    pub(super) ready: Vec<u32>,
    pub(super) prepare: u32,
    /// Requests that have their answer, and the seconds after which; none of what they did has been counted.
    pub(super) answered: Vec<u32>,
    pub(super) took: Vec<f64>,
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
    /// Of a start or a call: the next call, or the end.
    pub(super) next: u32,
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
                        all &= straight.budget == 0.0 && straight.at_once.is_none();
                        self.straight.push(straight);
                    } else {
                        self.hops.truncate(begins);
                        all = false;
                    }
                }
            }
            self.all_straight[population] = all;
        }
        self.forget_prepared();
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
        let plain = of.program.is_empty() && of.breaker.is_none() && of.hedge.is_none() && of.patience.is_none();
        let view = self.views[cluster].as_ref()?;
        let inputs = &view.inputs;
        let flow = view.flow(population, current)?;
        let there = flow.refused.is_none() && inputs.zones_listed == 0 && inputs.zones_up > 0;
        if !(plain && there && inputs.front.is_good() && inputs.remotes.is_empty()) {
            return None;
        }
        let first = self.hops.len();
        let here = plan.clusters[cluster].region;
        let (mut called, hops) = (false, &mut self.hops);
        let next = 0;
        hops.push(Hop { what: What::Start, step: 0, called, crossed: false, next });
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
                        hops.push(Hop { what, step, called, crossed: false, next });
                    }
                    hops.push(Hop { what: What::Call(station), step, called, crossed: called, next });
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
                    hops.push(Hop { what: What::Access(access), step, called, crossed: false, next });
                }
                StepPlan::Dependency(dependency) => {
                    if inputs.dependencies.iter().any(|(other, _)| other == dependency) {
                        return None;
                    }
                    hops.push(Hop { what: What::Dependency(*dependency), step, called, crossed: false, next });
                }
            }
        }
        hops.push(Hop { what: What::End, step: of.steps.len() as u32, called, crossed: false, next });
        let last = hops.len() - 1;
        let mut next = last as u32;
        for position in (first..last).rev() {
            hops[position].next = next;
            if let What::Call(_) = hops[position].what {
                next = position as u32;
            }
        }
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
            ready: Vec::new(),
            prepare: 4,
            answered: Vec::new(),
            took: Vec::new(),
            good: 0,
            began: SimTime::ZERO,
            minute: SimTime::ZERO,
        })
    }
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
