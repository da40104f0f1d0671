//! What the requests are told of the world, and what they tell it.

use super::counts::Counts;
use super::entry::Entry;
use super::making::pace;
use super::station::{Admission, Call};
use super::view::{View, Way};
use super::{Traffic, Why};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population, Root, Stage};
use crate::plan::DEMAND;
use crate::sim::inputs::{Condition, Inputs};

impl Traffic<'_> {
    /// Counts the bytes of what a cluster has served under what it was given.
    fn settle(&mut self, cluster: Id<Cluster>) {
        let given = self.views[cluster].as_ref().map(|view| (&view.inputs, &view.hits.1));
        self.counts.settle(self.plan, cluster, given);
    }

    fn settle_all(&mut self) {
        self.plan.clusters.keys().for_each(|cluster| self.settle(cluster));
    }

    /// A cluster is given something else.
    pub(in crate::sim) fn give(
        &mut self,
        now: SimTime,
        cluster: Id<Cluster>,
        inputs: &Inputs,
        span: (SimTime, SimTime),
    ) {
        self.settle(cluster);
        let own = &self.plan.clusters[cluster];
        let before = self.views[cluster].take();
        let view = View::new(self.plan, now, inputs, span, own.stations.len());
        let up = |view: &View| (view.inputs.front.down.is_none(), view.inputs.zones_up);
        let (was_up, zones) = before.as_ref().map_or((true, own.zones), up);
        let (is_up, zones_up) = up(&view);
        let mut kills: Vec<(usize, f64, Why)> = Vec::new();
        for position in 0..own.stations.len() {
            let condition = view.conditions[position];
            let was = before.as_ref().map_or_else(Condition::good, |before| before.conditions[position]);
            let root = view.inputs.front.down.or((zones_up == 0).then_some(view.inputs.zones_root));
            if let Some(root) = root.filter(|_| was_up && (!is_up || zones_up == 0)) {
                kills.push((position, 1.0, (Stage::Undetected, root)));
            } else if let (Some(root), None) = (condition.down, was.down) {
                kills.push((position, 1.0, (Stage::Undetected, root)));
            } else if zones_up < zones {
                let chance = f64::from(zones - zones_up) / f64::from(zones.max(1));
                kills.push((position, chance, (Stage::Undetected, view.inputs.zones_root)));
            }
        }
        self.views[cluster] = Some(view);
        for (position, chance, why) in kills {
            let station = self.first[cluster] + position;
            let mut dead = core::mem::take(&mut self.dead);
            self.stations[station].kill(now, chance, &mut dead, &mut self.starts);
            self.schedule_starts(station as u32);
            for call in dead.drain(..) {
                self.fail_call(now, call, why);
            }
            self.dead = dead;
        }
        for (population, ways) in self.ways.iter_mut_enumerated() {
            ways.retain(|way| way.cluster != cluster);
            let flows = inputs.flows.iter().enumerate().filter(|(_, flow)| flow.population == population);
            ways.extend(flows.map(|(flow, _)| Way { cluster, flow: flow as u32 }));
            ways.sort_by_key(|way| (way.cluster, way.flow));
        }
        self.straightened = false;
    }

    /// A cluster has so many ready pods.
    pub(in crate::sim) fn staff(&mut self, now: SimTime, cluster: Id<Cluster>, ready: impl Iterator<Item = u32>) {
        let own = &self.plan.clusters[cluster];
        for (position, ready) in ready.enumerate() {
            let service = &self.plan.services[own.stations[position].service];
            let view = self.views[cluster].as_ref();
            let condition = view.map_or_else(Condition::good, |view| view.conditions[position]);
            let front = view.map_or_else(Condition::good, |view| view.inputs.front);
            let pace = pace(service, ready, &condition, &front, self.scale);
            let station = self.first[cluster] + position;
            self.stations[station].change(now, ready, pace, &mut self.starts);
            self.schedule_starts(station as u32);
        }
    }

    /// By partition: the writes that its leader has acknowledged, and their bytes.
    pub(in crate::sim) fn written(&mut self) -> &mut [(f64, f64)] {
        &mut self.written
    }

    /// The rate of a population is multiplied by this from now on.
    pub(in crate::sim) fn demand(&mut self, now: SimTime, population: Id<Population>, factor: f64) {
        self.sources[population].change(now, factor);
        self.begins[population.index()] = self.sources[population].next;
    }

    /// Calls per second and utilisation of a station since this was asked last.
    pub(in crate::sim) fn look(&mut self, now: SimTime, cluster: Id<Cluster>, position: usize) -> (f64, f64) {
        let (arrivals, utilisation) = self.stations[self.first[cluster] + position].look(now);
        (arrivals / self.scale, utilisation)
    }

    /// So many calls wait at a station for this reason, of clients who have been counted elsewhere.
    pub(in crate::sim) fn crowd(
        &mut self,
        now: SimTime,
        cluster: Id<Cluster>,
        position: usize,
        (calls, root): (f64, Id<Root>),
    ) {
        self.begun[cluster] = Some(root).filter(|root| root.index() != DEMAND);
        let station = self.first[cluster] + position;
        for _ in 0..(calls * self.scale).round() as u64 {
            let entry = self.take_entry(Entry { open: 1, ..Entry::nobodys(cluster, now) });
            let life = self.entries[entry as usize].life;
            let call = Call { entry, life, arrived: now, priority: 0, back: Span::ZERO };
            match self.stations[station].arrive(now, call, self.until, &mut self.starts) {
                Admission::Taken => {}
                Admission::Waits => self.entries[entry as usize].queued = 1,
                Admission::Rejected | Admission::Leaves(..) | Admission::Displaces(_) => self.free(entry),
            }
            self.schedule_starts(station as u32);
        }
    }

    /// Calls that wait at a station, multiplied out, and the fault that made them.
    pub(in crate::sim) fn queue(&self, now: SimTime, cluster: Id<Cluster>, position: usize) -> (f64, Id<Root>) {
        let calls = self.stations[self.first[cluster] + position].queue(now);
        (calls / self.scale, self.overload_root(cluster))
    }

    /// From now on it counts.
    pub(in crate::sim) fn restart(&mut self, now: SimTime) {
        self.settle_all();
        self.counts.since(now);
        self.stations.iter_mut().for_each(|station| station.restart(now));
    }

    /// A month ends, with so many node-hours by cluster.
    pub(in crate::sim) fn close_month(&mut self, now: SimTime, node_hours: Vec<f64>) {
        self.settle_all();
        self.counts.close_month(self.plan, now, node_hours);
    }

    /// The time ends: nobody comes any more, and who is here is served.
    pub(in crate::sim) fn drain(&mut self, end: SimTime) {
        self.stations.iter_mut().for_each(|station| station.finish(end));
        self.closed = true;
        self.run_until(SimTime::NEVER);
        let mut in_use = vec![true; self.entries.len()];
        self.unused.iter().for_each(|&number| in_use[number as usize] = false);
        for number in 0..self.entries.len() as u32 {
            let entry = self.entries[number as usize];
            if in_use[number as usize] && entry.wanted {
                // Nothing will ever serve it.
                let why = self.lateness(SimTime::NEVER, &entry);
                self.lose(end, number, why);
            }
        }
        self.settle_all();
    }

    /// What it counted, once it is drained.
    pub(in crate::sim) fn into_counts(mut self) -> Counts {
        self.counts.processed += self.processed();
        for (cluster, own) in self.plan.clusters.iter_enumerated() {
            for position in 0..own.stations.len() {
                let (tally, waits) = self.stations[self.first[cluster] + position].seen();
                self.counts.add_station((cluster.index(), position), tally, waits);
            }
        }
        self.counts.close();
        self.counts
    }
}
