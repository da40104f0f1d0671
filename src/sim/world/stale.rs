//! Which clusters may be given something else than before: those that an event touches, and no others.
//!
//! What a cluster is given follows from what holds it, from the answers that lead to it, and from data elsewhere.
//! Whoever changes one of these says whom it touches; what can't be told apart (a link that is cut, callers of
//! other clusters, caches) touches all. Two kinds are looked at after every event: clusters that are marked down, because
//! who is to blame there depends on what everybody else does, and those of populations that are leaving an old answer,
//! whose shares move by themselves. Debug builds hold this to the long way: who is skipped would have been given the
//! same.

use super::super::inputs::Inputs;
use super::{Event, World};
use crate::base::{Id, SimTime, Table};
use crate::domain::{Cluster, Population};
use crate::failure::spec::EffectSpec;
use crate::replication::spec::Replication;
use crate::routing::spec::Depth;

/// Clusters that an event has touched.
#[derive(Debug)]
pub(super) struct Stale {
    all: bool,
    /// By partition: accesses to it may have come to go elsewhere.
    data: Vec<bool>,
    is_listed: Table<Cluster, bool>,
    listed: Vec<Id<Cluster>>,
}

impl Stale {
    /// Nobody has been given anything yet.
    pub(super) fn all_of(clusters: usize, partitions: usize) -> Self {
        Self { all: true, data: vec![true; partitions], is_listed: vec![false; clusters].into(), listed: Vec::new() }
    }

    pub(super) fn touch(&mut self, cluster: Id<Cluster>) {
        if !self.is_listed[cluster] {
            self.is_listed[cluster] = true;
            self.listed.push(cluster);
        }
    }

    /// An event happens; most say themselves whom they touch.
    pub(super) fn happens(&mut self, event: Event) {
        if event.touches_all() {
            self.touch_all();
        }
    }

    pub(super) fn touch_all(&mut self) {
        self.all = true;
        self.data.fill(true);
    }

    /// Accesses to a partition go where they went when clusters were given something last.
    pub(super) fn stands(&self, partition: usize) -> bool {
        !self.data[partition]
    }

    /// All clusters have been given what they are given now.
    pub(super) fn settle(&mut self) {
        self.data.fill(false);
    }

    /// Those touched since the last time, in order; the memory of the last time is used again.
    fn take(&mut self, mut list: Vec<Id<Cluster>>) -> Vec<Id<Cluster>> {
        list.clear();
        if core::mem::take(&mut self.all) {
            list.extend(self.is_listed.keys());
        } else {
            self.listed.sort_unstable();
            list.extend_from_slice(&self.listed);
        }
        for cluster in self.listed.drain(..) {
            self.is_listed[cluster] = false;
        }
        list
    }
}

impl Event {
    /// It isn't told apart whom it touches. The others say so where they change something.
    fn touches_all(self) -> bool {
        match self {
            Self::Surge { .. }
            | Self::Switchover { .. }
            | Self::Pair { .. }
            | Self::ZoneFailedOver { .. }
            | Self::Drained { .. }
            | Self::Week => true,
            Self::Fault(_)
            | Self::Repair { .. }
            | Self::Incident(_)
            | Self::Verdict { .. }
            | Self::Partition { .. }
            | Self::CaughtUp { .. }
            | Self::Answer { .. }
            | Self::Dns { .. }
            | Self::EndpointsDropped { .. }
            | Self::Evicted { .. }
            | Self::Lingered { .. }
            | Self::Nodes { .. }
            | Self::FalseAlarm { .. }
            | Self::Rebalance { .. }
            | Self::Caches
            | Self::Readdress { .. }
            | Self::Look { .. }
            | Self::Rollout(_) => false,
        }
    }
}

impl World<'_> {
    /// A hold begins or ends to have these effects.
    pub(super) fn touch_held(&mut self, hold: u32, effects: impl IntoIterator<Item = EffectSpec>) {
        let Some(hits) = &self.index.hits[hold as usize] else {
            self.stale.touch_all();
            self.copies_moved = true;
            return;
        };
        for &cluster in &hits.clusters {
            self.stale.touch(cluster);
        }
        // Where something is slow or fails now and then, its copies are still there.
        let only_degrades = effects.into_iter().all(|effect| matches!(effect, EffectSpec::Degraded(_)));
        if !only_degrades {
            for &partition in &hits.partitions {
                self.touch_data(partition);
                self.copies_moved = true;
            }
        }
    }

    /// A cluster is marked up or down: it, and where its data is led from.
    pub(super) fn touch_verdict(&mut self, cluster: Id<Cluster>) {
        self.stale.touch(cluster);
        for partition in 0..self.partitions.len() {
            let (store, _) = self.partitions[partition];
            // Others than the leader are asked only by who waits for them.
            let waits = match self.plan.stores[store].replication {
                Replication::Sync(_) | Replication::SemiSync(_) => true,
                Replication::Async(_)
                | Replication::Quorum(_)
                | Replication::MultiLeader(_)
                | Replication::Cache(_) => false,
            };
            if self.leaders[partition] == cluster || waits && self.member(partition, cluster).is_some() {
                self.touch_data(partition);
            }
        }
        let is_up = self.clusters[cluster].up;
        self.marked_down.retain(|&other| other != cluster);
        if !is_up {
            self.marked_down.push(cluster);
        }
    }

    /// The accesses to a partition may go elsewhere: those of its users.
    pub(super) fn touch_data(&mut self, partition: usize) {
        let (store, part) = self.partitions[partition];
        if !self.index.used_stores[store] {
            return;
        }
        self.stale.data[partition] = true;
        if let Depth::Deep = self.plan.routing.depth {
            // What a cluster's checks write to may be led from anywhere.
            self.stale.touch_all();
        }
        let plan = self.plan;
        for population in plan.populations.keys() {
            if plan.stores[store].partition_of(population) == part {
                self.touch_led(population);
            }
        }
    }

    /// The clusters that a population is led to, by this answer or by old ones.
    pub(super) fn touch_led(&mut self, population: Id<Population>) {
        let routed = &self.routed[population];
        let old = routed.cohorts.iter().flat_map(|cohort| &cohort.answer);
        for &(cluster, _) in routed.answer.iter().chain(old) {
            self.stale.touch(cluster);
        }
        if routed.answer.is_empty() {
            let home = self.home(population);
            self.stale.touch(home);
        }
    }

    /// Those who may be given something else now, besides those whom an event touched.
    pub(super) fn touch_moving(&mut self) {
        for position in 0..self.moving.len() {
            self.touch_led(self.moving[position]);
        }
        for &cluster in &self.marked_down {
            self.stale.touch(cluster);
        }
        if !(self.plan.addresses.is_empty() && self.caches.is_empty()) {
            self.stale.touch_all();
        }
    }

    /// Those touched since the last time, in order.
    pub(super) fn take_touched(&mut self) -> Vec<Id<Cluster>> {
        let list = core::mem::take(&mut self.touched);
        self.stale.take(list)
    }

    /// Whoever isn't among the touched would be given what it has, and probes would see what they saw.
    pub(super) fn is_all_else_the_same(&self, now: SimTime, touched: &[Id<Cluster>]) -> bool {
        let dependencies = self.bad_dependencies();
        let mut others = self.plan.clusters.keys().filter(|cluster| touched.binary_search(cluster).is_err());
        others.all(|cluster| {
            let (front, probed) = (self.composed_front(cluster), &self.clusters[cluster]);
            let is_seen = (self.probe(cluster) == crate::routing::health::Outcome::Good) == probed.up;
            let mut given = Inputs::default();
            self.inputs(now, cluster, &dependencies, &mut given);
            given == *self.memo.inputs(self.units[cluster].inputs)
                && front == self.fronts[cluster]
                && is_seen != probed.pending
        })
    }
}
