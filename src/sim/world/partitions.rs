//! The controllers of store partitions: who leads, who takes over, what that loses.

use super::super::log::Deed;
use super::super::unit::slot_at;
use super::{Event, Phase, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::domain::observation::Promotion;
use crate::domain::{Cluster, Root, Store};
use crate::plan::{DEMAND, Element, StepPlan};
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
        if !self.plan.stores[store].is_led() {
            return;
        }
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
                    // It leads again only once it has what was written without it.
                    let delay = delay.max(self.resync(store, leader, home, now));
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
                if !self.plan.stores[store].fencing && self.copy_is_gone(leader, store).is_none() {
                    self.deposed[partition] = Some(leader);
                }
                self.leaders[partition] = to;
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                self.review_partition(now, partition);
            }
            Phase::FailingBack => {
                self.deposed[partition] = None;
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

    /// What the follower never had: what was on its way if it needn't acknowledge, and what was written while nothing
    /// reached it; nothing if the old leader is there to ask.
    pub(super) fn count_losses(&mut self, now: SimTime, partition: usize, to: Id<Cluster>) {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        let from = self.leaders[partition];
        let (root, occurrence) = self.partition_controllers[partition].cause;
        let gone = self.copy_is_gone(from, store).or_else(|| self.cut(from, to)).is_some();
        let lag = match &plan.replication {
            Replication::Async(asynchronous) => Some(&asynchronous.lag),
            Replication::SemiSync(semi) if !self.some_follower_has_all(partition, semi.acks) => Some(&semi.lag),
            Replication::SemiSync(_)
            | Replication::Sync(_)
            | Replication::Quorum(_)
            | Replication::MultiLeader(_)
            | Replication::Cache(_) => None,
        };
        let went_on = match &plan.replication {
            Replication::Sync(sync) => sync.degrade,
            Replication::SemiSync(_) => lag.is_some(),
            Replication::Async(_) => true,
            Replication::Quorum(_) | Replication::MultiLeader(_) | Replication::Cache(_) => false,
        };
        let (mut rpo, mut writes) = (0.0, 0.0);
        if gone {
            let since = self.since(root, now);
            let rate = self.write_rate(store, part, since);
            if let Some(lag) = lag {
                let target = plan.digest ^ (part as u64 + 1);
                let mut rng = self.consequence(root, occurrence, target, purpose::LOST, 0);
                let lost = loss::draw(rate, lag, &mut rng);
                (rpo, writes) = (lost.oldest, lost.writes as f64);
            }
            let behind = if went_on { self.behind(store, from, to, since) } else { 0.0 };
            rpo = behind.max(rpo);
            writes += rate * behind;
        }
        self.log.promotions.push(Promotion {
            store,
            population: (plan.partitions.len() > 1).then(|| Id::new(part)),
            at: now.secs(),
            from,
            to,
            rpo,
            lost: writes,
            root,
        });
    }

    /// Every write is at one of the followers that are there: fewer are missing than acknowledged it.
    fn some_follower_has_all(&self, partition: usize, acks: u32) -> bool {
        let (store, part) = self.partitions[partition];
        let followers = &self.plan.stores[store].partitions[part].followers;
        let missing = followers.iter().filter(|&&follower| self.copy_is_gone(follower, store).is_some()).count();
        missing < acks as usize
    }

    /// Seconds of writes that a copy was behind its leader at a time: after cuts between them, and its own outages.
    fn behind(&self, store: Id<Store>, leader: Id<Cluster>, copy: Id<Cluster>, at: SimTime) -> f64 {
        let (a, b) = (self.plan.clusters[leader].region, self.plan.clusters[copy].region);
        let hits = |element: Element| match element {
            Element::Region(region) => region == b,
            Element::Cluster(cluster) => cluster == copy,
            Element::Copy(cluster, other) => cluster == copy && other == store,
            Element::Link(low, high) => low == a.min(b) && high == a.max(b),
            Element::Zone(..)
            | Element::Service(..)
            | Element::Dependency(_)
            | Element::Access(..)
            | Element::Checks(_)
            | Element::Routing => false,
        };
        let held = self
            .log
            .held
            .iter()
            .filter(|held| self.index.downs.iter().any(|&(root, element)| root == held.root && hits(element)));
        let intervals = held.map(|held| (held.from.secs(), held.to.secs()));
        loss::behind(intervals, at.secs(), self.plan.stores[store].catch_up)
    }

    /// How long a copy needs to catch up with its leader from now on.
    fn resync(&self, store: Id<Store>, leader: Id<Cluster>, copy: Id<Cluster>, now: SimTime) -> Span {
        Span::from_secs(self.behind(store, leader, copy, now) / (self.plan.stores[store].catch_up - 1.0))
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
}
