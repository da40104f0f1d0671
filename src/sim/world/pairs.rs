//! The controllers of pairs: decide, promote, give back.

use super::super::log::Deed;
use super::{Event, Phase, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::dist::Dist;
use crate::domain::story::What;
use crate::domain::{Cluster, Root};
use crate::failover::spec::{Decide, Failback, ScaleWhen};
use crate::plan::DEMAND;

impl World<'_> {
    pub(super) fn active_of(&self, pair: usize) -> Id<Cluster> {
        let plan = &self.plan.pairs[pair];
        if self.switched[pair] { plan.standby.unwrap_or(plan.primary) } else { plan.primary }
    }

    pub(super) fn passive_of(&self, pair: usize) -> Option<Id<Cluster>> {
        let plan = &self.plan.pairs[pair];
        if self.switched[pair] { Some(plan.primary) } else { plan.standby }
    }

    pub(super) fn review_controllers(&mut self, now: SimTime) {
        for pair in 0..self.plan.pairs.len() {
            self.review_pair(now, pair);
        }
        for partition in 0..self.partitions.len() {
            self.review_partition(now, partition);
        }
    }

    pub(super) fn review_pair(&mut self, now: SimTime, pair: usize) {
        let Some(passive) = self.passive_of(pair) else { return };
        let active = self.active_of(pair);
        let phase = self.pair_controllers[pair].phase;
        let active_up = self.clusters[active].up;
        let passive_up = self.clusters[passive].up;
        match phase {
            Phase::Idle if !active_up && passive_up => {
                let cause = self.clusters[active].cause.unwrap_or((Id::new(DEMAND), 0));
                let delay = self.decision(cause, active);
                self.set_pair(pair, Phase::Deciding, cause, now + delay);
            }
            Phase::Idle if self.switched[pair] && active_up && passive_up => {
                let cause = self.pair_controllers[pair].cause;
                if let Some(delay) = self.failback_of(cause, passive) {
                    self.set_pair(pair, Phase::FailingBack, cause, now + delay);
                }
            }
            // Recovery before promotion begins aborts it.
            Phase::Deciding if active_up => self.set_pair(pair, Phase::Idle, (Id::new(DEMAND), 0), SimTime::NEVER),
            Phase::FailingBack if !passive_up || !active_up => {
                let cause = self.pair_controllers[pair].cause;
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                if !active_up && passive_up {
                    self.review_pair(now, pair);
                }
            }
            Phase::Idle | Phase::Deciding | Phase::Promoting(_) | Phase::FailingBack => {}
        }
    }

    pub(super) fn set_pair(&mut self, pair: usize, phase: Phase, cause: (Id<Root>, u64), at: SimTime) {
        self.note_pair(pair, phase, cause.0, at);
        let controller = &mut self.pair_controllers[pair];
        controller.phase = phase;
        controller.cause = cause;
        controller.serial += 1;
        controller.stalled = false;
        let serial = controller.serial;
        self.events.schedule(at, Event::Pair { pair: pair as u32, serial });
    }

    /// How long it takes to decide on a failover from a cluster: one decision for all that it led.
    pub(super) fn decision(&self, cause: (Id<Root>, u64), from: Id<Cluster>) -> Span {
        match &self.plan.failover.decide {
            Decide::Automatic {} => Span::ZERO,
            Decide::Manual(delay) => {
                let target = self.plan.clusters[from].digest;
                delay.sample_span(&mut self.consequence(cause.0, cause.1, target, purpose::DECIDE, 0))
            }
        }
    }

    /// How long the first try of a promotion takes. A failure of a cluster that isn't covered isn't for any of its
    /// stores.
    pub(super) fn promotion(&self, cause: (Id<Root>, u64), target: u64, promote: &Dist) -> Span {
        if let Some((coverage, uncovered)) = &self.plan.failover.coverage {
            let mut rng = self.consequence(cause.0, cause.1, target, purpose::COVERED, 0);
            if uniform(&mut rng) > *coverage {
                return uncovered.sample_span(&mut rng);
            }
        }
        promote.sample_span(&mut self.consequence(cause.0, cause.1, target, purpose::PROMOTE, 0))
    }

    pub(super) fn failback_of(&self, cause: (Id<Root>, u64), home: Id<Cluster>) -> Option<Span> {
        match &self.plan.failover.failback {
            Failback::Never {} => None,
            Failback::After(hold) => Some(*hold),
            Failback::Manual(delay) => {
                let target = self.plan.clusters[home].digest;
                Some(delay.sample_span(&mut self.consequence(cause.0, cause.1, target, purpose::FAILBACK, 0)))
            }
        }
    }

    /// The region that the failover's tools run in is gone.
    pub(super) fn tools_are_gone(&self) -> bool {
        self.why_down(self.index.tools.iter().copied()).is_some()
    }

    /// The tools are back: what waited for them goes on.
    pub(super) fn resume(&mut self, now: SimTime) {
        if self.tools_are_gone() {
            return;
        }
        for (pair, controller) in self.pair_controllers.iter_mut().enumerate() {
            if core::mem::take(&mut controller.stalled) {
                self.events.schedule(now, Event::Pair { pair: pair as u32, serial: controller.serial });
            }
        }
        for (partition, controller) in self.partition_controllers.iter_mut().enumerate() {
            if core::mem::take(&mut controller.stalled) {
                let partition = partition as u32;
                self.events.schedule(now, Event::Partition { partition, serial: controller.serial });
            }
        }
    }

    pub(super) fn pair_goes_on(&mut self, now: SimTime, pair: usize) {
        if self.tools_are_gone() {
            self.pair_controllers[pair].stalled = true;
            self.note_stalled_pair(now, pair);
            return;
        }
        let (active, cause) = (self.active_of(pair), self.pair_controllers[pair].cause);
        let Some(passive) = self.passive_of(pair) else { return };
        let target = self.plan.clusters[active].digest;
        match self.pair_controllers[pair].phase {
            Phase::Idle => {}
            Phase::Deciding => {
                if !self.clusters[passive].up {
                    self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                    return;
                }
                self.log.deeds.push((now, Deed::Decided(active)));
                if !self.switched[pair] && self.plan.failover.scale_when == ScaleWhen::AtDecision {
                    self.activate(now, passive, true);
                }
                let takes = self.promotion(cause, target, &self.plan.failover.promote);
                self.set_pair(pair, Phase::Promoting(0), cause, now + takes);
            }
            Phase::Promoting(attempt) => {
                let mut rng = self.consequence(cause.0, cause.1, target, purpose::SUCCESS, attempt);
                if uniform(&mut rng) > self.plan.failover.promote_success {
                    let mut rng = self.consequence(cause.0, cause.1, target, purpose::PROMOTE, attempt + 1);
                    let takes = self.plan.failover.promote.sample_span(&mut rng);
                    self.set_pair(pair, Phase::Promoting(attempt + 1), cause, now + takes);
                    return;
                }
                self.log.deeds.push((now, Deed::Promoted(active)));
                self.note_switched(now, pair, (active, passive));
                let to_standby = !self.switched[pair];
                self.switched[pair] = to_standby;
                if to_standby {
                    self.takes_over(now, active, passive);
                    self.activate(now, passive, false);
                    // The old primary is fenced: its autoscalers rest until it takes back.
                    self.flush(now, active);
                    self.units[active].active = false;
                } else {
                    self.activate(now, passive, true);
                }
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                self.after_switch(now, pair);
            }
            Phase::FailingBack => {
                self.log.deeds.push((now, Deed::FailedBack(passive)));
                self.note_pair_home(now, pair);
                self.switched[pair] = false;
                self.activate(now, passive, true);
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                self.after_switch(now, pair);
            }
        }
    }

    pub(super) fn after_switch(&mut self, now: SimTime, pair: usize) {
        if !self.switched[pair] {
            // The standby keeps its pods until the last client has left it, connections included.
            let serial = self.pair_controllers[pair].serial;
            let tail = Span::from_secs(self.plan.routing.expiry.ends(true));
            self.events
                .schedule(now + self.plan.routing.propagation + tail, Event::Drained { pair: pair as u32, serial });
        }
        self.review_pair(now, pair);
        self.review_routes(now);
    }

    /// A standby wakes: its autoscalers run, and it grows at once if that was decided.
    pub(super) fn activate(&mut self, now: SimTime, cluster: Id<Cluster>, grow: bool) {
        self.flush(now, cluster);
        let own = &self.plan.clusters[cluster];
        let unit = &mut self.units[cluster];
        if own.standby && !unit.active {
            self.log.note(now, None, || What::Wakes(cluster));
        }
        unit.active = true;
        unit.min_nodes = own.pool.as_ref().map_or(0, |pool| pool.min);
        if grow {
            let wanted: Vec<u32> = own.stations.iter().map(|station| station.replicas).collect();
            unit.grow_to(&wanted, self.plan, self.memo);
            unit.hold_pods(self.memo);
        }
    }

    /// A standby goes back to its share of the pods.
    pub(super) fn suspend(&mut self, now: SimTime, pair: usize) {
        let Some(standby) = self.plan.pairs[pair].standby else { return };
        self.log.note(now, None, || What::Rests(standby));
        self.flush(now, standby);
        let own = &self.plan.clusters[standby];
        let wanted: Vec<u32> = own.stations.iter().map(|station| station.standby_replicas).collect();
        let unit = &mut self.units[standby];
        unit.active = false;
        unit.min_nodes = own.standby_min_nodes;
        unit.shrink_to(&wanted, self.memo);
        unit.grow_to(&wanted, self.plan, self.memo);
    }
}
