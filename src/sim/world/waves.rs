//! A rollout under way: its waves, and what they wait for.
//!
//! A rollout has a clock of its own, on which its schedule's steps are due. The clock stands still in a freeze, during a
//! failover, while the one controller of all clusters is away, and while a cluster that has the release is down for
//! another reason. A cluster that can't be reached when the release is to come to it is waited for: it gets the release
//! when its controller next looks, and whatever comes after its part of the schedule is as much later.

use super::releases::{Commit, Due};
use super::{Event, Phase, World, purpose};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::Why;
use crate::rollout::schedule::{Schedule, Step, schedule};

/// How far a cluster has come in the part of the schedule that is on.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Its first step has been taken: what follows needs no controller.
    begun: bool,
    /// It is waited for.
    missing: bool,
    /// By how much its steps are later than the schedule.
    late: Span,
}

/// A rollout under way.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub(super) revision: u64,
    pub(super) commits: Vec<Commit>,
    /// The release of it that is bad, and will show.
    pub(super) bad: Option<u32>,
    schedule: Schedule,
    began: SimTime,
    /// The steps of the part that is on, those that are left.
    left: Vec<Step>,
    /// The first step of the next part.
    next: usize,
    /// By how much everything from this part on is later than the schedule.
    shift: Span,
    progress: Table<Cluster, Progress>,
    /// The clock, as it was at `since`.
    passed: Span,
    since: SimTime,
    running: bool,
    serial: u32,
    /// The share of each cluster that has it.
    share: Table<Cluster, f64>,
}

impl Rollout {
    /// A rollout that begins now.
    fn new(now: SimTime, revision: u64, commits: Vec<Commit>, schedule: Schedule, clusters: usize) -> Self {
        let mut rollout = Self {
            revision,
            commits,
            bad: None,
            schedule,
            began: now,
            left: Vec::new(),
            next: 0,
            shift: Span::ZERO,
            progress: vec![Progress::default(); clusters].into(),
            passed: Span::ZERO,
            since: now,
            running: false,
            serial: 0,
            share: vec![0.0; clusters].into(),
        };
        rollout.open();
        rollout
    }

    /// The next part is on.
    fn open(&mut self) {
        let rest = &self.schedule.steps[self.next..];
        let part = rest.first().map(|step| step.part);
        self.left = rest.iter().take_while(|step| Some(step.part) == part).copied().collect();
        self.next += self.left.len();
        self.progress.iter_mut().for_each(|progress| *progress = Progress::default());
    }

    /// When on its clock a step is due.
    fn due(&self, step: &Step) -> Span {
        step.at + self.shift + self.progress[step.cluster].late
    }

    /// The step that is due first, of those that can be: its position, and when.
    fn first(&self) -> Option<(usize, Span)> {
        let steps = self.left.iter().enumerate().filter(|(_, step)| !self.progress[step.cluster].missing);
        steps.map(|(position, step)| (position, self.due(step))).min_by_key(|&(position, due)| (due, position))
    }

    /// When the last bake is over.
    fn ends(&self) -> Span {
        self.schedule.ends + self.shift
    }

    /// The release is in every cluster.
    fn is_everywhere(&self) -> bool {
        self.left.is_empty()
    }

    /// Takes a step. Where, and to which share.
    fn take(&mut self, position: usize) -> Step {
        let step = self.left.remove(position);
        self.share[step.cluster] = step.share;
        self.progress[step.cluster].begun = true;
        if self.left.is_empty() {
            // What comes later is as late as the last of this part.
            self.shift = Span::from_nanos(self.passed.nanos().saturating_sub(self.last_at().nanos())).max(self.shift);
            self.open();
        }
        step
    }

    /// When the last step of the part that is on was to be.
    fn last_at(&self) -> Span {
        self.schedule.steps[..self.next].last().map_or(Span::ZERO, |step| step.at)
    }
}

impl World<'_> {
    /// A rollout of these commits begins.
    pub(super) fn begin_rollout(&mut self, now: SimTime, revision: u64, commits: Vec<Commit>, bad: Option<u32>) {
        let plan = &self.plan.rollout;
        let first = commits[0];
        let schedule = schedule(&plan.waves, &plan.timing, |cluster, after| {
            let digest = self.plan.clusters[cluster].digest;
            let name = purpose::POLL.wrapping_add(first.tries);
            let mut rng = self.of_release(first.release, first.occurrence, digest, name);
            self.reconciles(now + after, &mut rng)
        });
        let mut rollout = Rollout::new(now, revision, commits, schedule, self.plan.clusters.len());
        rollout.bad = bad;
        self.releases.under_way = Some(rollout);
        self.roll(now);
    }

    /// The next step of a rollout is due. True if that changes anything for users.
    pub(super) fn step(&mut self, now: SimTime, serial: u32) -> bool {
        let Some(rollout) = &self.releases.under_way else { return false };
        if rollout.serial != serial {
            return false;
        }
        let is_bad = rollout.bad.is_some();
        self.roll(now);
        is_bad
    }

    /// After something has changed: a rollout stands still or goes on.
    pub(super) fn review_rollout(&mut self, now: SimTime) {
        let Some(rollout) = &self.releases.under_way else { return };
        let found = |cluster: Id<Cluster>| rollout.progress[cluster].missing && self.can_sync(cluster);
        if rollout.running == self.stands(now) || self.plan.clusters.keys().any(found) {
            self.tick(now);
            self.look_again(now);
            self.wait_for_step(now);
        }
    }

    /// Takes all steps that are due, unless the rollout stands still, and waits for the next.
    fn roll(&mut self, now: SimTime) {
        loop {
            self.tick(now);
            let Some(rollout) = &self.releases.under_way else { return };
            let due = rollout.first().filter(|&(_, due)| rollout.running && due <= rollout.passed);
            let Some((position, _)) = due else { break };
            let cluster = rollout.left[position].cluster;
            if rollout.progress[cluster].begun || self.can_sync(cluster) {
                self.take_step(now, position);
            } else if let Some(rollout) = &mut self.releases.under_way {
                rollout.progress[cluster].missing = true;
            }
        }
        let Some(rollout) = &self.releases.under_way else { return };
        if !rollout.is_everywhere() || rollout.ends() > rollout.passed {
            self.wait_for_step(now);
            return;
        }
        // It is in every cluster, and has been watched.
        let lasted = (now - rollout.began).secs();
        self.releases.under_way = None;
        if self.counts(now) {
            self.releases.tally.duration.0 += lasted;
            self.releases.tally.duration.1 += 1;
        }
        if !self.releases.waiting.is_empty() {
            self.events.schedule(now, Event::Rollout(Due::Departure));
        }
    }

    /// The clock of a rollout shows what has passed by now, and goes on from here or stands.
    fn tick(&mut self, now: SimTime) {
        let stands = self.stands(now);
        let Some(rollout) = &mut self.releases.under_way else { return };
        if rollout.running {
            rollout.passed = rollout.passed + (now - rollout.since);
        }
        (rollout.since, rollout.running) = (now, !stands);
    }

    fn wait_for_step(&mut self, now: SimTime) {
        let serial = self.releases.serial();
        let Some(rollout) = &mut self.releases.under_way else { return };
        rollout.serial = serial;
        let due = match rollout.first() {
            Some((_, due)) => due,
            None if rollout.is_everywhere() => rollout.ends(),
            // All that are left are waited for.
            None => return,
        };
        if rollout.running {
            let left = Span::from_nanos(due.nanos().saturating_sub(rollout.passed.nanos()));
            self.events.schedule(now + left, Event::Rollout(Due::Step(serial)));
        }
    }

    /// Clusters that were waited for can be reached again: their controllers look some time later.
    fn look_again(&mut self, now: SimTime) {
        for cluster in self.plan.clusters.keys() {
            let Some(rollout) = &self.releases.under_way else { return };
            if !rollout.progress[cluster].missing || !self.can_sync(cluster) {
                continue;
            }
            let Some(step) = rollout.left.iter().find(|step| step.cluster == cluster).copied() else { continue };
            let first = rollout.commits[0];
            let name = purpose::AGAIN.wrapping_add(u64::from(step.part));
            let digest = self.plan.clusters[cluster].digest;
            let looks = self.reconciles(now, &mut self.of_release(first.release, first.occurrence, digest, name));
            let Some(rollout) = &mut self.releases.under_way else { return };
            let late = (rollout.passed + looks).nanos().saturating_sub((step.at + rollout.shift).nanos());
            rollout.progress[cluster] = Progress { late: Span::from_nanos(late), ..Progress::default() };
        }
    }

    fn take_step(&mut self, now: SimTime, position: usize) {
        let Some(rollout) = &mut self.releases.under_way else { return };
        let step = rollout.take(position);
        let (revision, bad) = (rollout.revision, rollout.bad);
        let arrives = rollout.is_everywhere();
        let why = if step.share >= 1.0 { Why::Release } else { Why::Canary };
        self.note(now, step.cluster, Some(revision), why);
        if step.share >= 1.0 {
            self.commits_leave(step.cluster);
        }
        if let Some(release) = bad {
            self.gets_bad(now, release, step.cluster, step.share);
        }
        if arrives {
            self.arrived(now, revision);
        }
    }

    /// A rollout stands still.
    fn stands(&self, now: SimTime) -> bool {
        let Some(rollout) = &self.releases.under_way else { return false };
        let is_moving = |phase: Phase| match phase {
            Phase::Deciding | Phase::Promoting(_) => true,
            Phase::Idle | Phase::FailingBack => false,
        };
        let mut controllers = self.pair_controllers.iter().chain(&self.partition_controllers);
        if self.is_frozen(now) || self.nobody_syncs() || controllers.any(|controller| is_moving(controller.phase)) {
            return true;
        }
        let members = rollout.bad.map_or(&[][..], |release| &self.plan.rollout.releases[release as usize].members);
        self.fronts.iter_enumerated().any(|(cluster, front)| {
            rollout.share[cluster] > 0.0
                && front.condition.down.is_some_and(|root| members.iter().all(|(_, hit)| hit.root != root))
        })
    }
}
