//! Calls of services in other clusters: a request stays where it is and its call travels, half a round trip and the
//! connection's own latency each way.
//!
//! A call under way gets there whatever becomes of its connection meanwhile. One that fails there is known to have
//! failed at once.

use super::entry::Entry;
use super::sample::{Sampler, Tables};
use super::station::{Admission, Call};
use super::units::span;
use super::{Event, Traffic};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span};
use crate::dist::Dist;
use crate::domain::{Cluster, Service, Stage};
use crate::plan::Plan;
use crate::sim::remote;

/// What connections and proxies add to calls.
#[derive(Debug)]
pub(super) struct Extras {
    /// By connection, on each way.
    connections: Vec<Option<Sampler>>,
    /// By cluster, to each call between its services.
    proxies: Vec<Option<Sampler>>,
}

impl Extras {
    pub(super) fn new(plan: &Plan, tables: &mut Tables) -> Self {
        let mut sampler = |latency: &Dist| Sampler::new(latency, tables);
        let connections = plan.connections.iter().map(|own| own.latency.as_ref().map(&mut sampler)).collect();
        let proxies = plan.clusters.iter().map(|own| own.proxies.as_ref().map(|own| sampler(&own.latency))).collect();
        Self { connections, proxies }
    }

    /// What the proxies of a cluster add to a call within it, in seconds.
    pub(super) fn of_proxies(&self, cluster: Id<Cluster>, rng: &mut Rng) -> f64 {
        self.proxies[cluster.index()].as_ref().map_or(0.0, |own| own.draw(rng))
    }
}

impl Traffic<'_> {
    /// What the proxies of a cluster add to a call within it, in seconds.
    pub(super) fn proxies(&mut self, cluster: Id<Cluster>) -> f64 {
        self.extras.of_proxies(cluster, &mut self.network)
    }

    /// Some of these services are called within the try's cluster, so that its calls cross the region.
    pub(super) fn some_here(&self, number: u32, services: &[Id<Service>]) -> bool {
        let Entry { population, cluster, .. } = self.entries[number as usize];
        let Some(view) = self.views[cluster].as_ref() else { return true };
        let here = |&service: &Id<Service>| {
            remote::called(self.plan, &view.inputs, population, service).is_some_and(|called| called.remote.is_none())
        };
        view.inputs.remotes.is_empty() || services.iter().any(here)
    }

    /// A try calls a service in another cluster, if that is where its calls go. `Some(true)` if the call is on its way,
    /// `Some(false)` if it has failed, and the try with it.
    pub(super) fn call_elsewhere(&mut self, now: SimTime, number: u32, service: Id<Service>) -> Option<bool> {
        let plan = self.plan;
        let Entry { population, cluster, life, .. } = self.entries[number as usize];
        let view = self.views[cluster].as_ref()?;
        if view.inputs.remotes.is_empty() {
            return None;
        }
        let (remote, mirror) = remote::called(plan, &view.inputs, population, service)?.remote?;
        let (remote, station) = (*remote, self.first[remote.to] + mirror.station as usize);
        if let Some(why) = remote.fails.or_else(|| self.meets(&remote.way, Stage::NoTarget, population)) {
            self.fail(now, number, why);
            return Some(false);
        }
        let slower = remote.way.latency.get();
        let median = plan.region_rtt[plan.clusters[cluster].region][plan.clusters[remote.to].region];
        let half = 0.5 * self.trips.draw(median);
        let extra = &self.extras.connections[remote.connection.index()];
        let network = &mut self.network;
        let mut way = || slower * (half + extra.as_ref().map_or(0.0, |extra| extra.draw(network)));
        let (there, back) = (span(way()), span(way()));
        self.events.schedule(now + there, Event::Arrives { entry: number, life, station: station as u32, back });
        Some(true)
    }

    /// A call arrives at a station of another cluster.
    pub(super) fn arrives(&mut self, now: SimTime, number: u32, life: u32, station: u32, back: Span) {
        let entry = self.entries[number as usize];
        if entry.life != life {
            return;
        }
        let station = station as usize;
        let cluster = self.cluster_of[station];
        let position = station - self.first[cluster];
        let Some(view) = self.views[cluster].as_ref() else { return };
        let (front, condition) = (view.inputs.front, view.conditions[position]);
        let (up, listed, zones_root) = (view.inputs.zones_up, view.inputs.zones_listed, view.inputs.zones_root);
        let fails = self.meets(&front, Stage::Undetected, entry.population).or_else(|| {
            let share = f64::from(listed) / f64::from((up + listed).max(1));
            let dead = listed > 0 && uniform(&mut self.choices[entry.population]) < share;
            dead.then_some((Stage::Undetected, zones_root))
        });
        let fails = fails.or_else(|| self.meets(&condition, Stage::Undetected, entry.population));
        if let Some(why) = fails {
            self.fail(now, number, why);
            return;
        }
        let root = self.overload_root(cluster);
        match self.admit(now, number, station, back) {
            Admission::Rejected => self.fail(now, number, (Stage::Overload, root)),
            Admission::Displaces(other) => self.fail_call(now, other, (Stage::Overload, root)),
            Admission::Taken | Admission::Waits => {}
            Admission::Leaves(at, wait) => {
                self.has_waited(now, number, wait);
                self.events.schedule(at + back, Event::Answer { entry: number, life });
            }
        }
    }

    /// Brings a try's call to a station; its answer will take so long on its way back.
    pub(super) fn admit(&mut self, now: SimTime, number: u32, station: usize, back: Span) -> Admission {
        let entry = self.entries[number as usize];
        let journey = &self.plan.journeys[entry.journey];
        let leaves = journey
            .patience
            .as_ref()
            .map_or(SimTime::NEVER, |patience| now + patience.sample_span(&mut self.choices[entry.population]));
        let call = Call { entry: number, life: entry.life, arrived: now, priority: journey.priority, back };
        let admission = self.stations[station].arrive(now, call, self.until, &mut self.starts);
        match admission {
            Admission::Waits | Admission::Displaces(_) => {
                self.begins_to_wait(self.cluster_of[station]);
                let entry = &mut self.entries[number as usize];
                entry.queued += 1;
                entry.queued_at = now;
                let (station, arrived) = (station as u32, now);
                self.events.schedule(leaves, Event::Leaves { entry: number, life: call.life, station, arrived });
            }
            Admission::Leaves(_, Span::ZERO) => self.forget_beginnings(now, station),
            Admission::Leaves(..) => self.begins_to_wait(self.cluster_of[station]),
            Admission::Taken | Admission::Rejected => {}
        }
        self.schedule_starts(station as u32);
        admission
    }

    /// A call waits in a cluster: what is the matter there made it wait.
    pub(super) fn begins_to_wait(&mut self, cluster: Id<Cluster>) {
        if self.begun[cluster].is_none() {
            let root = self.overload_root(cluster);
            self.begun[cluster] = Some(root).filter(|root| root.index() != crate::plan::DEMAND);
        }
    }

    /// A try's call waits so long from now on, and leaves its station after that.
    pub(super) fn has_waited(&mut self, now: SimTime, number: u32, wait: Span) {
        let entry = &mut self.entries[number as usize];
        if now + wait > entry.deadline && entry.wanted {
            // Its client gives it up while it waits.
            entry.queued += 1;
            entry.queued_at = now;
        } else {
            entry.waited += wait.secs();
        }
    }
}
