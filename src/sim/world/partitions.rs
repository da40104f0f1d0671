//! The controllers of store partitions: who leads, who takes over, what that loses.

use super::super::log::Deed;
use super::super::unit::slot_at;
use super::{Event, Phase, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::domain::observation::Promotion;
use crate::domain::{Cluster, Root, Store};
use crate::plan::{DEMAND, StepPlan};
use crate::replication::loss;
use crate::replication::spec::Replication;

impl World<'_> {
    pub(super) fn leader_seems_up(&self, partition: usize) -> bool {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        self.clusters[leader].up && self.copies[leader][store].up
    }

    /// The follower that would take over: of those that are up the one that is least behind, and of equals the first in
    /// the store's order. Not one whose own history is another.
    pub(super) fn successor(&self, partition: usize) -> Option<Id<Cluster>> {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store].partitions[part];
        let history = &self.histories[partition];
        let in_order = (1..=plan.followers.len()).chain([0]).zip(plan.followers.iter().chain([&plan.leader]).copied());
        let candidates = in_order.filter(|&(place, member)| {
            member != self.leaders[partition]
                && self.clusters[member].up
                && self.copies[member][store].up
                && !history.is_foreign(place)
        });
        // The first of equals is the one that `min_by` keeps.
        let behind = |place: usize| history.missing(place).1;
        candidates.min_by(|&(a, _), &(b, _)| behind(a).total_cmp(&behind(b))).map(|(_, member)| member)
    }

    pub(super) fn review_partition(&mut self, now: SimTime, partition: usize) {
        let (store, _) = self.partitions[partition];
        if !self.plan.stores[store].is_led() || self.is_handing_over(partition) {
            return;
        }
        let home = self.homes[partition];
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
                // It leads again only once it has what was written without it.
                if let Some((delay, level)) = self.failback_of(cause, home).zip(self.level_in(partition, home, now)) {
                    let delay = delay.max(level);
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
        self.note_partition(partition, phase, cause.0, at);
        let controller = &mut self.partition_controllers[partition];
        controller.phase = phase;
        controller.cause = cause;
        controller.serial += 1;
        controller.stalled = false;
        let serial = controller.serial;
        // The cause is why a deposed leader doesn't follow.
        self.copies_moved |= self.deposed[partition].is_some();
        self.touch_data(partition);
        self.events.schedule(at, Event::Partition { partition: partition as u32, serial });
    }

    pub(super) fn partition_goes_on(&mut self, now: SimTime, partition: usize) {
        if self.tools_are_gone() {
            self.partition_controllers[partition].stalled = true;
            self.note_stalled_partition(now, partition);
            return;
        }
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        let cause = self.partition_controllers[partition].cause;
        let target = self.plan.clusters[leader].digest;
        let promote = &self.plan.stores[store].promote;
        match self.partition_controllers[partition].phase {
            Phase::Idle => {}
            Phase::Deciding => {
                self.let_copies_follow(now);
                let Some(to) = self.successor(partition) else {
                    self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                    return;
                };
                self.log.deeds.push((now, Deed::Decided(leader)));
                self.partition_controllers[partition].to = to;
                let takes = self.promotion(cause, target, promote);
                self.set_partition(partition, Phase::Promoting(0), cause, now + takes);
            }
            Phase::Promoting(attempt) => {
                let to = self.partition_controllers[partition].to;
                let mut rng = self.consequence(cause.0, cause.1, target, purpose::SUCCESS, attempt);
                let works = uniform(&mut rng) <= self.plan.failover.promote_success;
                if !works || self.copy_is_gone(to, store).is_some() {
                    let mut rng = self.consequence(cause.0, cause.1, target, purpose::PROMOTE, attempt + 1);
                    let takes = promote.sample_span(&mut rng);
                    self.let_copies_follow(now);
                    if let Some(other) = self.successor(partition) {
                        self.partition_controllers[partition].to = other;
                    }
                    self.set_partition(partition, Phase::Promoting(attempt + 1), cause, now + takes);
                    return;
                }
                self.log.deeds.push((now, Deed::Promoted(leader)));
                if !self.plan.stores[store].fencing && self.copy_is_gone(leader, store).is_none() {
                    self.splits(now, partition, leader);
                }
                self.take_over(now, partition, to);
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                self.follow(now);
                self.review_partition(now, partition);
            }
            Phase::FailingBack => {
                self.let_copies_follow(now);
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                let home = self.homes[partition];
                // It fell behind again meanwhile: once it is level it is looked at anew.
                if self.level_in(partition, home, now).is_none_or(|wait| !wait.is_zero()) {
                    return;
                }
                self.rejoins(now, partition);
                self.note_partition_home(now, partition);
                self.lead(partition, home, (true, false));
            }
        }
    }

    /// Why a copy can't be reached, if it can't.
    pub(super) fn copy_is_gone(&self, cluster: Id<Cluster>, store: Id<Store>) -> Option<Id<Root>> {
        let front = self.fronts[cluster].condition.down;
        front.or_else(|| self.why_down(self.index.copies[cluster][store].iter().copied()))
    }

    /// A member leads from now on. Whether it has all that the old leader had, and whether that one has more.
    pub(super) fn lead(&mut self, partition: usize, to: Id<Cluster>, (keeps, parted): (bool, bool)) {
        let size = self.speeds(partition).size;
        let root = self.partition_controllers[partition].cause.0;
        if let Some(member) = self.member(partition, to) {
            self.histories[partition].promote(member, keeps, parted, root, size);
        }
        self.leaders[partition] = to;
        self.touch_data(partition);
        (self.copies_moved, self.histories_changed) = (true, true);
    }

    /// A follower takes over. It never had what was on its way to it if that needn't be acknowledged, and what was
    /// written, until now, without it; but if the old leader is there to ask it has everything.
    fn take_over(&mut self, now: SimTime, partition: usize, to: Id<Cluster>) {
        self.let_copies_follow(now);
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        let from = self.leaders[partition];
        let (root, occurrence) = self.partition_controllers[partition].cause;
        let gone = self.copy_is_gone(from, store).or_else(|| self.cut(from, to)).is_some();
        let missing = self.member(partition, to).map_or((0.0, 0.0), |member| self.histories[partition].missing(member));
        let lag = match &plan.replication {
            Replication::Async(asynchronous) => Some(&asynchronous.lag),
            Replication::SemiSync(semi) if missing.1 <= 0.0 && !self.some_follower_has_all(partition, semi.acks) => {
                Some(&semi.lag)
            }
            Replication::SemiSync(_)
            | Replication::Sync(_)
            | Replication::Quorum(_)
            | Replication::MultiLeader(_)
            | Replication::Cache(_) => None,
        };
        let (mut rpo, mut lost) = (0.0, 0.0);
        if gone {
            if let Some(lag) = lag {
                let rate = self.write_rate(store, part, self.since(root, now));
                let target = plan.digest ^ (part as u64 + 1);
                let mut rng = self.consequence(root, occurrence, target, purpose::LOST, 0);
                let on_its_way = loss::draw(rate, lag, &mut rng);
                (rpo, lost) = (on_its_way.oldest, on_its_way.writes as f64);
            }
            // What was on its way is older than what came after.
            rpo += missing.0;
            lost += missing.1;
        }
        self.log.promotions.push(Promotion {
            store,
            population: (plan.partitions.len() > 1).then(|| Id::new(part)),
            at: now.secs(),
            from,
            to,
            rpo,
            lost,
            root,
        });
        let goes_on = self.deposed[partition] == Some(from);
        self.lead(partition, to, (!gone, lost > 0.0 || goes_on));
    }

    /// Every write is at one of the followers that are there: of those that acknowledged it fewer are missing.
    fn some_follower_has_all(&self, partition: usize, acks: u32) -> bool {
        let (store, part) = self.partitions[partition];
        let history = &self.histories[partition];
        let members = self.plan.stores[store].partitions[part].members().enumerate();
        let level = members.filter(|&(place, member)| {
            member != self.leaders[partition] && history.counts(place) && history.why_behind(place).is_none()
        });
        let (mut followers, mut missing) = (0, 0);
        for (_, member) in level {
            followers += 1;
            missing += usize::from(self.copy_is_gone(member, store).is_some());
        }
        missing < followers.min(acks as usize)
    }

    /// How long a copy needs to catch up with its leader from now on; `None` while it can't.
    fn level_in(&self, partition: usize, copy: Id<Cluster>, now: SimTime) -> Option<Span> {
        let takes = self.histories[partition].level_in(self.member(partition, copy)?, self.speeds(partition))?;
        Some(Span::from_secs(takes - now.since(self.followed).secs()))
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
