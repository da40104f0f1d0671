//! The controllers of store partitions: who leads, who takes over, what that loses, where accesses go.

use super::super::inputs::{Bits, Route};
use super::super::log::Deed;
use super::super::unit::slot_at;
use super::{Event, Phase, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime};
use crate::domain::observation::Promotion;
use crate::domain::{Cluster, Root, Stage, Store};
use crate::plan::{DEMAND, StepPlan};
use crate::replication::loss;
use crate::replication::spec::Replication;

impl World<'_> {
    pub(super) fn leader_seems_up(&self, partition: usize) -> bool {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        self.clusters[leader].up && self.copies[leader][store].up
    }

    /// The follower that would take over: the freshest that is up.
    pub(super) fn successor(&self, partition: usize) -> Option<Id<Cluster>> {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store].partitions[part];
        plan.followers.iter().chain([&plan.leader]).copied().find(|&member| {
            member != self.leaders[partition] && self.clusters[member].up && self.copies[member][store].up
        })
    }

    pub(super) fn review_partition(&mut self, now: SimTime, partition: usize) {
        let (store, part) = self.partitions[partition];
        let home = self.plan.stores[store].partitions[part].leader;
        let leader = self.leaders[partition];
        let up = self.leader_seems_up(partition);
        let cause = self.partition_controllers[partition].cause;
        match self.partition_controllers[partition].phase {
            Phase::Idle if !up => {
                if self.successor(partition).is_some() {
                    let copy = self.copies[leader][store].clone();
                    let cluster = &self.clusters[leader];
                    let cause = if copy.up { cluster.cause } else { copy.cause };
                    let cause = cause.unwrap_or((Id::new(DEMAND), 0));
                    let delay = self.decision(cause, leader);
                    self.set_partition(partition, Phase::Deciding, cause, now + delay);
                }
            }
            Phase::Idle if leader != home && self.clusters[home].up && self.copies[home][store].up => {
                if let Some(delay) = self.failback_of(cause, home) {
                    self.set_partition(partition, Phase::FailingBack, cause, now + delay);
                }
            }
            Phase::Deciding if up => {
                self.set_partition(partition, Phase::Idle, (Id::new(DEMAND), 0), SimTime::NEVER);
            }
            Phase::FailingBack if !(up && self.clusters[home].up && self.copies[home][store].up) => {
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                if !up {
                    self.review_partition(now, partition);
                }
            }
            Phase::Idle | Phase::Deciding | Phase::Promoting(_) | Phase::FailingBack => {}
        }
    }

    pub(super) fn set_partition(&mut self, partition: usize, phase: Phase, cause: (Id<Root>, u64), at: SimTime) {
        let controller = &mut self.partition_controllers[partition];
        controller.phase = phase;
        controller.cause = cause;
        controller.serial += 1;
        controller.stalled = false;
        let serial = controller.serial;
        self.events.schedule(at, Event::Partition { partition: partition as u32, serial });
    }

    pub(super) fn partition_goes_on(&mut self, now: SimTime, partition: usize) {
        if self.tools_are_gone() {
            self.partition_controllers[partition].stalled = true;
            return;
        }
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        let cause = self.partition_controllers[partition].cause;
        let target = self.plan.clusters[leader].digest;
        let promote = &self.plan.stores[store].promote;
        match self.partition_controllers[partition].phase {
            Phase::Idle => {}
            Phase::Deciding => {
                let Some(to) = self.successor(partition) else {
                    self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                    return;
                };
                self.log.deeds.push((now, Deed::Decided(leader)));
                self.partition_controllers[partition].to = to;
                let mut rng = self.consequence(cause.0, cause.1, target, purpose::PROMOTE, 0);
                let takes = promote.sample_span(&mut rng);
                self.set_partition(partition, Phase::Promoting(0), cause, now + takes);
            }
            Phase::Promoting(attempt) => {
                let to = self.partition_controllers[partition].to;
                let mut rng = self.consequence(cause.0, cause.1, target, purpose::SUCCESS, attempt);
                let works = uniform(&mut rng) <= self.plan.failover.promote_success;
                if !works || self.copy_is_gone(to, store).is_some() {
                    let mut rng = self.consequence(cause.0, cause.1, target, purpose::PROMOTE, attempt + 1);
                    let takes = promote.sample_span(&mut rng);
                    if let Some(other) = self.successor(partition) {
                        self.partition_controllers[partition].to = other;
                    }
                    self.set_partition(partition, Phase::Promoting(attempt + 1), cause, now + takes);
                    return;
                }
                self.log.deeds.push((now, Deed::Promoted(leader)));
                self.count_losses(now, partition, to);
                self.leaders[partition] = to;
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                self.review_partition(now, partition);
            }
            Phase::FailingBack => {
                self.leaders[partition] = self.plan.stores[store].partitions[part].leader;
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
            }
        }
    }

    /// Why a copy can't be reached, if it can't.
    pub(super) fn copy_is_gone(&self, cluster: Id<Cluster>, store: Id<Store>) -> Option<Id<Root>> {
        self.fronts[cluster]
            .condition
            .down
            .or_else(|| self.compose(self.index.copies[cluster][store].iter().copied()).condition.down)
    }

    /// What the follower never had: nothing if replication is synchronous, or the leader is still there.
    pub(super) fn count_losses(&mut self, now: SimTime, partition: usize, to: Id<Cluster>) {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        let from = self.leaders[partition];
        let (root, occurrence) = self.partition_controllers[partition].cause;
        let gone = self.copy_is_gone(from, store).is_some();
        let lost = match &plan.replication {
            Replication::Async(asynchronous) if gone => {
                let since = self.since(root, now);
                let rate = self.write_rate(store, part, since);
                let target = plan.digest ^ (part as u64 + 1);
                let mut rng = self.consequence(root, occurrence, target, purpose::LOST, 0);
                loss::draw(rate, &asynchronous.lag, &mut rng)
            }
            Replication::Async(_) | Replication::Sync(_) => loss::Loss::default(),
        };
        self.log.promotions.push(Promotion {
            store,
            population: (plan.partitions.len() > 1).then(|| Id::new(part)),
            at: now.secs(),
            from,
            to,
            rpo: lost.oldest,
            lost: lost.writes as f64,
            root,
        });
    }

    /// When the fault that is the cause began.
    pub(super) fn since(&self, root: Id<Root>, now: SimTime) -> SimTime {
        self.log.held.iter().rev().find(|held| held.root == root).map_or(now, |held| held.from)
    }

    /// Writes per second to a partition at a time, when all is well.
    pub(super) fn write_rate(&self, store: Id<Store>, part: usize, at: SimTime) -> f64 {
        let (slot, _) = slot_at(self.plan, at);
        let mut rate = 0.0;
        for (id, population) in self.plan.populations.iter_enumerated() {
            if self.plan.stores[store].partition_of(id) != part {
                continue;
            }
            let requests = population.rate * population.profile[slot] * self.routed[id].factor;
            for (journey, share) in self.plan.journeys.iter().zip(&population.shares) {
                let writes =
                    journey.steps.iter().filter(|step| matches!(step, StepPlan::Write(other, _) if *other == store));
                rate += requests * share * writes.count() as f64;
            }
        }
        rate
    }

    /// Whether the network between two regions is cut, and why.
    pub(super) fn cut(&self, a: Id<Cluster>, b: Id<Cluster>) -> Option<Id<Root>> {
        let (a, b) = (self.plan.clusters[a].region, self.plan.clusters[b].region);
        let (low, high) = (a.min(b), a.max(b));
        let between = self.index.links.iter().filter(|link| link.0 == low && link.1 == high).map(|link| link.2);
        self.compose(between).condition.down
    }

    /// Why a cluster can't reach the leader of a partition, if it can't.
    fn why_unreachable(&self, from: Id<Cluster>, partition: usize) -> Option<(Stage, Id<Root>)> {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        let gone = self.copy_is_gone(leader, store).map(|root| (self.blame_partition(partition), root));
        gone.or_else(|| self.moving_copies[leader][store].map(|(root, _)| (Stage::Promoting, root)))
            .or_else(|| self.cut(from, leader).map(|root| (Stage::Partition, root)))
    }

    /// Where a write from a cluster to a partition goes.
    pub(super) fn write_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        if let Some((stage, root)) = self.why_unreachable(from, partition) {
            return Route::Fail(stage, root);
        }
        let plan = &self.plan.stores[store];
        let mut ack = 0.0_f64;
        if let Replication::Sync(sync) = &plan.replication {
            // A leader that was deposed is fenced until it takes back: nobody waits for it.
            for &follower in plan.partitions[part].followers.iter().filter(|&&follower| follower != leader) {
                let lost = self
                    .copy_is_gone(follower, store)
                    .map(|root| {
                        let stage = if self.clusters[follower].up { Stage::Undetected } else { Stage::NoTarget };
                        (stage, root)
                    })
                    .or_else(|| self.cut(leader, follower).map(|root| (Stage::Partition, root)));
                match lost {
                    Some((stage, root)) if !sync.degrade => return Route::Fail(stage, root),
                    Some(_) => {}
                    None => {
                        let (a, b) = (self.plan.clusters[leader].region, self.plan.clusters[follower].region);
                        ack = ack.max(self.plan.region_rtt[a][b]);
                    }
                }
            }
        }
        Route::Via(leader, Bits::from(ack))
    }

    /// Where a read goes: to the copy at hand, if reads may and it is there; else to the leader.
    pub(super) fn read_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, _) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        if plan.local_reads
            && plan.copies.contains(&from)
            && self.copy_is_gone(from, store).is_none()
            && self.moving_copies[from][store].is_none()
        {
            return Route::Via(from, Bits::ZERO);
        }
        let leader = self.leaders[partition];
        if let Some((stage, root)) = self.why_unreachable(from, partition) {
            return Route::Fail(stage, root);
        }
        Route::Via(leader, Bits::ZERO)
    }
}
