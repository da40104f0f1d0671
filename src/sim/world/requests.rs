//! What the requests engine is told of the world, and what the autoscalers are told of its requests.

use super::World;
use crate::base::{Id, SimTime, Table};
use crate::domain::Cluster;
use crate::plan::DEMAND;
use crate::sim::backlog::Backlog;
use crate::sim::memo::InputsId;
use crate::sim::requests::Traffic;

/// A cluster's inputs, and the interval over which their shares move.
type Given = (InputsId, (SimTime, SimTime));

/// What the engine was told last.
#[derive(Default)]
pub(in crate::sim) struct Told {
    inputs: Table<Cluster, Option<Given>>,
}

impl World<'_> {
    /// Requests take over from rates, or rates from requests.
    pub(in crate::sim) fn switch(&mut self, now: SimTime, by_request: bool) {
        self.let_copies_follow(now);
        self.catch_up(now);
        self.by_request = by_request.then(|| vec![(0.0, 0.0); self.partitions.len()]);
        // Shares that move do so from now on.
        self.refresh(now);
    }

    /// What waits by rates waits for the engine's servers, too.
    pub(in crate::sim) fn crowd(&self, now: SimTime, traffic: &mut Traffic<'_>) {
        for (cluster, unit) in self.units.iter_enumerated() {
            for (position, waits) in unit.backlog.calls().enumerate() {
                traffic.crowd(now, cluster, position, waits);
            }
        }
    }

    /// What waits for the engine's servers waits by rates from now on, where it is more than chance piles up.
    pub(in crate::sim) fn take_back(&mut self, now: SimTime, traffic: &Traffic<'_>) {
        for unit in &mut self.units {
            let least = unit.least_backlog(self.plan, self.memo);
            let mut root = Id::new(DEMAND);
            let behind = least.iter().enumerate().map(|(position, &least)| {
                let (calls, why) = traffic.queue(now, unit.cluster, position);
                if calls < least {
                    return 0.0;
                }
                root = why;
                calls
            });
            let calls: Vec<f64> = behind.collect();
            unit.backlog = Backlog::of(&calls, root);
        }
    }

    /// Tells the engine what has changed.
    pub(in crate::sim) fn tell(&mut self, now: SimTime, traffic: &mut Traffic<'_>, told: &mut Told) {
        for (cluster, station, calls, root) in self.failed_pods.drain(..) {
            traffic.fail_pod(now, (cluster, station), calls, root);
        }
        for cluster in self.plan.clusters.keys() {
            if told.inputs.len() <= cluster.index() {
                told.inputs.push(None);
            }
            let given = (self.units[cluster].inputs, self.tally.spans[cluster]);
            if told.inputs[cluster] != Some(given) {
                traffic.give(now, cluster, self.memo.inputs(given.0), given.1);
                told.inputs[cluster] = Some(given);
            }
            let pods = self.units[cluster].pods(self.memo);
            traffic.staff(now, cluster, pods.iter().map(|pods| pods.ready));
        }
        for population in self.plan.populations.keys() {
            traffic.demand(now, population, self.routed[population].factor);
        }
    }

    /// Writes were acknowledged: by partition, how many and their bytes.
    pub(in crate::sim) fn wrote(&mut self, writes: &mut [(f64, f64)]) {
        let Some(counted) = &mut self.by_request else { return };
        for (sum, more) in counted.iter_mut().zip(writes) {
            sum.0 += more.0;
            sum.1 += more.1;
            *more = (0.0, 0.0);
        }
    }

    /// When pods become ready or autoscalers decide next.
    pub(in crate::sim) fn pods_due(&mut self, now: SimTime) -> SimTime {
        let (plan, memo) = (self.plan, &*self.memo);
        self.units.iter_mut().map(|unit| unit.next_due(now, plan, memo)).min().unwrap_or(SimTime::NEVER)
    }

    /// Pods become ready, autoscalers decide.
    pub(in crate::sim) fn pass_pods(&mut self, now: SimTime, traffic: &mut Traffic<'_>) {
        for cluster in self.plan.clusters.keys() {
            let unit = &mut self.units[cluster];
            unit.pass(now, self.plan, self.memo, &mut |position| traffic.look(now, cluster, position));
        }
    }

    /// Nodes by cluster.
    pub(in crate::sim) fn nodes(&mut self) -> Table<Cluster, u32> {
        let (plan, memo) = (self.plan, &*self.memo);
        self.units.iter_mut().map(|unit| unit.nodes(plan, memo)).collect()
    }

    /// Pods asked for and ready by cluster and station; their utilisation is nobody's to tell.
    pub(in crate::sim) fn pods(&mut self) -> Vec<Vec<(u32, u32, f64)>> {
        let memo = &*self.memo;
        self.units
            .iter_mut()
            .map(|unit| unit.pods(memo).iter().map(|pods| (pods.total(), pods.ready, 0.0)).collect())
            .collect()
    }
}
