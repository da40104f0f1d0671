//! Planned switchovers: a store's leader moves by a script, and nothing is lost.
//!
//! The old leader stops taking writes, hands over what it has, stops answering reads; the new one takes writes; at last
//! the name that clients use resolves to it. The script's times hold whatever there is to hand over. A partition is
//! left alone if at the command, or when its writes are to stop, its leader or the new one is gone, seems to be, or
//! can't reach the other, or if a failover or failback of it is under way. Once its writes have stopped only the loss
//! of the new leader calls the switchover off. Afterwards the new leader is where the partition is at home: nothing
//! fails back from there.

use super::super::log::{Deed, Held};
use super::{Event, Phase, World};
use crate::base::{Id, SimTime};
use crate::domain::observation::Promotion;
use crate::domain::story::{SwitchStep, What};
use crate::domain::{Cluster, Root, Stage};

/// A step of a switchover's script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Step {
    Command,
    WritesStop,
    ReadsStop,
    Writable,
    Resolves,
}

/// How far a partition's switchover has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switching {
    switchover: u32,
    /// The last step.
    step: Step,
}

impl Step {
    const fn told(self) -> SwitchStep {
        match self {
            Self::Command => SwitchStep::Commanded,
            Self::WritesStop => SwitchStep::WritesStop,
            Self::ReadsStop => SwitchStep::ReadsStop,
            Self::Writable => SwitchStep::Writable,
            Self::Resolves => SwitchStep::Resolves,
        }
    }
}

impl World<'_> {
    /// Takes one step of a script.
    pub(super) fn switch_over(&mut self, now: SimTime, switchover: u32, step: Step) {
        let plan = &self.plan.switchovers[switchover as usize];
        if step == Step::Command {
            self.command(now, switchover);
            return;
        }
        for partition in 0..self.partitions.len() {
            if self.switching[partition].is_none_or(|switching| switching.switchover != switchover) {
                continue;
            }
            let goes_on = match step {
                Step::Command | Step::ReadsStop | Step::Resolves => true,
                Step::WritesStop => self.may_switch(partition, plan.to),
                Step::Writable => self.why_gone(plan.to, plan.store).is_none(),
            };
            if !goes_on {
                self.log.note(now, plan.root, || What::Switchover(plan.store, plan.to, SwitchStep::CalledOff));
                self.call_off(now, partition, plan.root);
                continue;
            }
            self.log.note(now, plan.root, || What::Switchover(plan.store, plan.to, step.told()));
            if step == Step::Writable {
                self.hand_over(now, partition, plan.to, plan.root);
            }
            let done = step == Step::Resolves || (step == Step::Writable && plan.resolves == plan.writable);
            self.switching[partition] = (!done).then_some(Switching { switchover, step });
            if step == Step::Writable {
                self.review_partition(now, partition);
            }
        }
    }

    fn command(&mut self, now: SimTime, switchover: u32) {
        let plan = &self.plan.switchovers[switchover as usize];
        let mut begun = false;
        for partition in 0..self.partitions.len() {
            let (store, part) = self.partitions[partition];
            let member = || self.plan.stores[store].partitions[part].members().any(|member| member == plan.to);
            if store == plan.store && member() && self.may_switch(partition, plan.to) {
                self.switching[partition] = Some(Switching { switchover, step: Step::Command });
                begun = true;
            }
        }
        if begun {
            self.log.held.push(Held { root: plan.root, from: now, to: now + plan.resolves });
            self.log.note(now, plan.root, || What::Switchover(plan.store, plan.to, Step::Command.told()));
            for (step, after) in [
                (Step::WritesStop, plan.writes_stop),
                (Step::ReadsStop, plan.reads_stop),
                (Step::Writable, plan.writable),
                (Step::Resolves, plan.resolves),
            ] {
                self.events.schedule(now + after, Event::Switchover { switchover, step });
            }
        }
    }

    /// Both ends of a switchover are there and see each other, and nobody else is moving the partition.
    fn may_switch(&self, partition: usize, to: Id<Cluster>) -> bool {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        leader != to
            && self.partition_controllers[partition].phase == Phase::Idle
            && [leader, to]
                .into_iter()
                .all(|end| self.clusters[end].up && self.copies[end][store].up && self.why_gone(end, store).is_none())
            && self.cut(leader, to).is_none()
    }

    fn call_off(&mut self, now: SimTime, partition: usize, root: Id<Root>) {
        self.switching[partition] = None;
        // It holds as long as some partition is at it.
        let switching = self.switching.iter().flatten();
        if !switching.map(|other| self.plan.switchovers[other.switchover as usize].root).any(|other| other == root)
            && let Some(held) = self.log.held.iter_mut().rev().find(|held| held.root == root)
        {
            held.to = now;
        }
        self.review_partition(now, partition);
    }

    fn hand_over(&mut self, now: SimTime, partition: usize, to: Id<Cluster>, root: Id<Root>) {
        let (store, part) = self.partitions[partition];
        let from = self.leaders[partition];
        self.log.deeds.push((now, Deed::Promoted(from)));
        self.log.promotions.push(Promotion {
            store,
            population: (self.plan.stores[store].partitions.len() > 1).then(|| Id::new(part)),
            at: now.secs(),
            from,
            to,
            rpo: 0.0,
            lost: 0.0,
            root,
        });
        self.let_copies_follow(now);
        self.rejoins(now, partition);
        self.lead(partition, to, (true, false));
        self.homes[partition] = to;
        self.follow(now);
    }

    /// A partition's writes have stopped, and nobody takes them yet: it isn't for controllers to act.
    pub(super) fn is_handing_over(&self, partition: usize) -> bool {
        self.switching[partition].is_some_and(|switching| match switching.step {
            Step::WritesStop | Step::ReadsStop => true,
            Step::Command | Step::Writable | Step::Resolves => false,
        })
    }

    /// Why a partition takes no writes for a switchover, if it doesn't.
    pub(super) fn writes_stopped(&self, partition: usize) -> Option<(Stage, Id<Root>)> {
        let Switching { switchover, step } = self.switching[partition]?;
        let root = self.plan.switchovers[switchover as usize].root;
        match step {
            Step::Command | Step::Resolves => None,
            Step::WritesStop | Step::ReadsStop => Some((Stage::Promoting, root)),
            Step::Writable => Some((Stage::Propagating, root)),
        }
    }

    /// Why a partition's leader answers no reads for a switchover, if it doesn't.
    pub(super) fn reads_stopped(&self, partition: usize) -> Option<(Stage, Id<Root>)> {
        match self.switching[partition]?.step {
            Step::Command | Step::WritesStop | Step::Resolves => None,
            Step::ReadsStop | Step::Writable => self.writes_stopped(partition),
        }
    }
}
