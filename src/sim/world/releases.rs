//! Releases and rollouts: a good release only takes time; a bad one spoils, wave after wave, each cluster that gets it,
//! until it is noticed and taken back.
//!
//! What is committed while a rollout is under way, in a freeze or while no controller is there goes out together
//! afterwards. A bad release holds its clusters like a fault; another bad one of the same name is absorbed meanwhile.
//! The waves stand still while a controller is away, during a failover, and while a cluster that has the release, or
//! gets it next, is down for another reason.

use super::super::log::Held;
use super::{Active, Event, Phase, World, purpose};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::{RolloutTally, Why};
use crate::domain::story::What;
use crate::failure::spec::EffectSpec;
use crate::rollout::gitops::{until_next, until_phase};
use crate::rollout::schedule::{Schedule, schedule};
use crate::rollout::spec::{Detect, OnBad};

/// What is due of releases and drift.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Due {
    /// A commit comes.
    Commit(u32),
    /// What has waited may go out.
    Departure,
    /// A bad release goes on.
    Bad { release: u32, serial: u32, part: Part },
    /// Somebody changes a cluster by hand.
    Drift(u32),
    /// A controller takes that back.
    Healed { drift: u32, serial: u32 },
}

/// What is due of a bad release.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Part {
    /// The next step of its schedule.
    Step,
    /// The instances of a step begin to fail.
    Shows(u32),
    /// It is noticed.
    Alarm,
    /// The commit is reverted, or a fix is there.
    Mended,
    /// A cluster has reconciled.
    Reconciled(u32),
}

/// What waits for the controllers.
#[derive(Clone, Copy, Debug)]
enum Deferred {
    Reconcile { release: u32, cluster: Id<Cluster> },
    Heal { drift: u32, serial: u32 },
}

/// A commit that waits to go out.
#[derive(Clone, Copy, Debug)]
struct Commit {
    release: u32,
    occurrence: u64,
    at: SimTime,
}

/// A cluster runs something else from now on.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Change {
    pub(in crate::sim) at: SimTime,
    pub(in crate::sim) cluster: Id<Cluster>,
    /// The one that it ran before, where it is left out.
    pub(in crate::sim) revision: Option<u64>,
    pub(in crate::sim) why: Why,
}

/// When a bad release is noticed.
#[derive(Clone, Copy, Debug)]
enum Noticing {
    /// So long after it first shows to anybody.
    After(Span),
    /// After so many more seconds before all users.
    Exposure(f64),
    /// The alarm is set, or has rung.
    Set,
}

/// A bad release that is in some cluster.
#[derive(Clone, Debug)]
struct Live {
    id: u32,
    occurrence: u64,
    revision: u64,
    before: u64,
    commits: Vec<SimTime>,
    schedule: Schedule,
    /// The next step; all of them are done at the number of steps, and the last bake after that.
    next: usize,
    /// Time of the schedule that had passed at `since`.
    passed: Span,
    since: SimTime,
    running: bool,
    /// The waves aren't over, or it is being taken back.
    busy: bool,
    mending: bool,
    step_serial: u32,
    alarm_serial: u32,
    noticing: Noticing,
    /// The share of all users that it shows to.
    shown: f64,
    /// Since when.
    watched: SimTime,
    incubation: Span,
    /// The share of each cluster that has it.
    build: Table<Cluster, f64>,
    /// The share of each cluster where it shows.
    failing: Table<Cluster, f64>,
    /// Its hold of each cluster in the log.
    held: Table<Cluster, Option<usize>>,
}

/// Releases, rollouts and drift.
#[derive(Debug)]
pub(super) struct Releases {
    /// By release: when its commits come, and how many there were.
    commits: Vec<(Rng, u64)>,
    /// By drift.
    drifts: Vec<(Rng, u64)>,
    waiting: Vec<Commit>,
    /// Until when a good rollout takes.
    busy_until: SimTime,
    revision: u64,
    serial: u32,
    /// By release.
    live: Vec<Option<Live>>,
    deferred: Vec<Deferred>,
    /// The share of all users on a bad release, since when.
    exposed: (f64, SimTime),
    /// The same as it changed.
    pub(super) exposures: Vec<(SimTime, f64)>,
    pub(super) tally: RolloutTally,
    pub(super) trail: Vec<Change>,
}

impl Releases {
    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}

impl World<'_> {
    /// Nothing has been released yet.
    pub(super) fn no_releases(releases: usize) -> Releases {
        Releases {
            commits: Vec::new(),
            drifts: Vec::new(),
            waiting: Vec::new(),
            busy_until: SimTime::ZERO,
            revision: 0,
            serial: 0,
            live: vec![None; releases],
            deferred: Vec::new(),
            exposed: (0.0, SimTime::ZERO),
            exposures: Vec::new(),
            tally: RolloutTally::default(),
            trail: Vec::new(),
        }
    }

    /// Schedules the first commits and the first manual changes.
    pub(super) fn start_releases(&mut self) {
        let plan = &self.plan.rollout;
        for (position, release) in plan.releases.iter().enumerate() {
            let mut rng = self.seed.stream().with(release.digest).with(purpose::CLOCK).rng();
            let first = release
                .at
                .or_else(|| release.every.as_ref().map(|every| Span::from_secs(every.sample_residual(&mut rng))));
            self.releases.commits.push((rng, 0));
            if let Some(first) = first {
                self.events.schedule(SimTime::ZERO + first, Event::Rollout(Due::Commit(position as u32)));
            }
        }
        for (position, drift) in plan.drifts.iter().enumerate() {
            let digest = self.plan.roots[drift.hit.root].digest;
            let mut rng = self.seed.stream().with(digest).with(purpose::CLOCK).rng();
            let first =
                drift.at.or_else(|| drift.every.as_ref().map(|every| Span::from_secs(every.sample_residual(&mut rng))));
            self.releases.drifts.push((rng, 0));
            if let Some(first) = first {
                self.events.schedule(SimTime::ZERO + first, Event::Rollout(Due::Drift(position as u32)));
            }
        }
    }

    /// Lets something happen to releases or drift. True if it may change anything for users.
    pub(super) fn rollout(&mut self, now: SimTime, due: Due) -> bool {
        match due {
            Due::Commit(release) => self.commit(now, release),
            Due::Departure => self.depart(now),
            Due::Bad { release, serial, part } => self.release_goes_on(now, release, serial, part),
            Due::Drift(drift) => self.drift(now, drift),
            Due::Healed { drift, serial } => self.healed(now, drift, serial),
        }
    }

    /// Nobody applies what the repository says.
    fn controllers_down(&self) -> bool {
        !self.index.gitops.is_empty() && self.compose(self.index.gitops.iter().copied()).condition.down.is_some()
    }

    /// How long until a cluster has what was committed at `at`.
    fn reconciles(&self, at: SimTime, rng: &mut Rng) -> Span {
        let Some(gitops) = &self.plan.rollout.gitops else { return Span::ZERO };
        let drawn = until_next(gitops.poll.secs(), gitops.jitter.secs(), uniform(rng));
        let seen = match gitops.phase {
            Some(phase) => until_phase(gitops.poll, phase, at - SimTime::ZERO),
            None => Span::from_secs(drawn),
        };
        seen + gitops.sync.sample_span(rng)
    }

    /// A generator for a consequence of one release in one cluster: the same in every variant.
    fn of_release(&self, release: u32, occurrence: u64, cluster: u64, purpose: u64) -> Rng {
        let stream = self.seed.stream().with(self.plan.rollout.releases[release as usize].digest).with(occurrence);
        stream.with(cluster).with(purpose).rng()
    }

    /// A commit comes. True if it goes out and changes anything for users.
    fn commit(&mut self, now: SimTime, release: u32) -> bool {
        let (rng, count) = &mut self.releases.commits[release as usize];
        *count += 1;
        let occurrence = *count;
        if let Some(every) = &self.plan.rollout.releases[release as usize].every {
            let next = now + every.sample_span(rng);
            self.events.schedule(next, Event::Rollout(Due::Commit(release)));
        }
        self.releases.waiting.push(Commit { release, occurrence, at: now });
        self.depart(now)
    }

    /// Lets what waits go out, if it may. True if that changes anything for users.
    fn depart(&mut self, now: SimTime) -> bool {
        let plan = &self.plan.rollout;
        if self.releases.waiting.is_empty()
            || self.releases.live.iter().flatten().any(|live| live.busy)
            || self.controllers_down()
        {
            return false;
        }
        let frozen = plan.freezes.iter().filter(|&&(from, to)| SimTime::ZERO + from <= now && now < SimTime::ZERO + to);
        let until = frozen.map(|&(_, to)| SimTime::ZERO + to).max().unwrap_or(now).max(self.releases.busy_until);
        if until > now {
            self.events.schedule(until, Event::Rollout(Due::Departure));
            return false;
        }
        let commits = core::mem::take(&mut self.releases.waiting);
        let first = commits[0];
        let end = SimTime::ZERO + self.plan.warm_up + self.plan.horizon;
        let schedule = schedule(&plan.waves, &plan.timing, |cluster, after| {
            let digest = self.plan.clusters[cluster].digest;
            let mut rng = self.of_release(first.release, first.occurrence, digest, purpose::POLL);
            self.reconciles(now + after, &mut rng)
        });
        let before = self.releases.revision;
        self.releases.revision += 1;
        let counts = now >= SimTime::ZERO + self.plan.warm_up;
        let is_bad = |commit: &&Commit| {
            let chance = plan.releases[commit.release as usize].bad;
            let drawn = uniform(&mut self.of_release(commit.release, commit.occurrence, 0, purpose::BAD));
            chance > 0.0 && drawn <= chance
        };
        let bad: Vec<Commit> = commits.iter().filter(is_bad).copied().collect();
        if counts {
            self.releases.tally.commits += commits.len() as u64;
            self.releases.tally.rollouts += 1;
            self.releases.tally.bad += bad.len() as u64;
        }
        let shows = bad.into_iter().find(|commit| self.releases.live[commit.release as usize].is_none());
        let at = commits.iter().map(|commit| commit.at).collect();
        if let Some(commit) = shows {
            self.set_out(now, commit, (before, at), schedule);
            return true;
        }
        self.releases.busy_until = now + schedule.ends;
        let revision = self.releases.revision;
        for step in &schedule.steps {
            let why = if step.share >= 1.0 { Why::Release } else { Why::Canary };
            self.note(now + step.at, step.cluster, Some(revision), why);
        }
        self.arrived(counts && now + schedule.everywhere <= end, now + schedule.everywhere, &at);
        if counts && now + schedule.ends <= end {
            self.releases.tally.duration.0 += schedule.ends.secs();
            self.releases.tally.duration.1 += 1;
        }
        false
    }

    /// A release is in every cluster.
    fn arrived(&mut self, counts: bool, at: SimTime, commits: &[SimTime]) {
        if counts {
            self.releases.tally.lead.0 += commits.iter().map(|&commit| (at - commit).secs()).sum::<f64>();
            self.releases.tally.lead.1 += commits.len() as u64;
        }
    }

    fn note(&mut self, at: SimTime, cluster: Id<Cluster>, revision: Option<u64>, why: Why) {
        self.releases.trail.push(Change { at, cluster, revision, why });
    }

    /// A bad release begins its way.
    fn set_out(&mut self, now: SimTime, commit: Commit, (before, commits): (u64, Vec<SimTime>), schedule: Schedule) {
        let own = &self.plan.rollout.releases[commit.release as usize];
        let draw = |purpose| self.of_release(commit.release, commit.occurrence, 0, purpose);
        let noticing = match &own.detect {
            Detect::After(delay) => Noticing::After(delay.sample_span(&mut draw(purpose::DETECT))),
            Detect::Exposure(enough) => Noticing::Exposure(enough.sample(&mut draw(purpose::DETECT))),
        };
        let incubation = own.incubation.sample_span(&mut draw(purpose::INCUBATION));
        let clusters = self.plan.clusters.len();
        let live = Live {
            id: self.releases.serial(),
            occurrence: commit.occurrence,
            revision: self.releases.revision,
            before,
            commits,
            schedule,
            next: 0,
            passed: Span::ZERO,
            since: now,
            running: true,
            busy: true,
            mending: false,
            step_serial: 0,
            alarm_serial: 0,
            noticing,
            shown: 0.0,
            watched: now,
            incubation,
            build: vec![0.0; clusters].into(),
            failing: vec![0.0; clusters].into(),
            held: vec![None; clusters].into(),
        };
        self.releases.live[commit.release as usize] = Some(live);
        self.step(now, commit.release);
    }

    /// Something of a bad release is due. True if it changes anything.
    fn release_goes_on(&mut self, now: SimTime, release: u32, serial: u32, part: Part) -> bool {
        let Some(live) = &self.releases.live[release as usize] else { return false };
        let expected = match part {
            Part::Step => live.step_serial,
            Part::Alarm => live.alarm_serial,
            Part::Shows(_) | Part::Mended | Part::Reconciled(_) => live.id,
        };
        if serial != expected {
            return false;
        }
        match part {
            Part::Step => self.step(now, release),
            Part::Shows(step) => {
                let step = live.schedule.steps[step as usize];
                // Unless it has been taken back there.
                if live.build[step.cluster] > 0.0 {
                    self.shows(now, release, step.cluster, step.share);
                }
            }
            Part::Alarm => self.alarm(now, release),
            Part::Mended => self.mended(now, release),
            Part::Reconciled(cluster) => self.reconciled(now, release, Id::new(cluster as usize)),
        }
        true
    }

    /// Takes the steps of the schedule that are due, and schedules the next.
    fn step(&mut self, now: SimTime, release: u32) {
        let counts = now >= SimTime::ZERO + self.plan.warm_up;
        let Some(mut live) = self.releases.live[release as usize].take() else { return };
        if live.running {
            live.passed = live.passed + (now - live.since);
            live.since = now;
        }
        let first = live.next;
        while live.next < live.schedule.steps.len() && live.schedule.steps[live.next].at <= live.passed {
            let step = live.schedule.steps[live.next];
            live.build[step.cluster] = step.share;
            let why = if step.share >= 1.0 { Why::Release } else { Why::Canary };
            self.note(now, step.cluster, Some(live.revision), why);
            if !live.incubation.is_zero() {
                let part = Part::Shows(live.next as u32);
                self.events
                    .schedule(now + live.incubation, Event::Rollout(Due::Bad { release, serial: live.id, part }));
            }
            live.next += 1;
        }
        let taken = first..live.next;
        if !taken.is_empty() && live.next == live.schedule.steps.len() {
            self.arrived(counts, now, &live.commits);
        }
        let over = live.next == live.schedule.steps.len() && live.schedule.ends <= live.passed;
        if over && counts {
            self.releases.tally.duration.0 += live.schedule.ends.secs();
            self.releases.tally.duration.1 += 1;
        }
        live.busy = !over;
        live.running &= !over;
        let fails: Vec<_> = live.schedule.steps[taken].to_vec();
        let at_once = live.incubation.is_zero();
        self.releases.live[release as usize] = Some(live);
        for step in fails.into_iter().filter(|_| at_once) {
            self.shows(now, release, step.cluster, step.share);
        }
        if over {
            self.depart(now);
        } else {
            self.schedule_step(now, release);
        }
    }

    fn schedule_step(&mut self, now: SimTime, release: u32) {
        let serial = self.releases.serial();
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        live.step_serial = serial;
        if live.running {
            let next = live.schedule.steps.get(live.next).map_or(live.schedule.ends, |step| step.at);
            let left = Span::from_nanos(next.nanos().saturating_sub(live.passed.nanos()));
            self.events.schedule(now + left, Event::Rollout(Due::Bad { release, serial, part: Part::Step }));
        }
    }

    /// It shows at this share of a cluster's instances; at none of them once it is taken back.
    fn shows(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>, share: f64) {
        let own = &self.plan.rollout.releases[release as usize];
        let Some(&(_, hit)) = own.members.iter().find(|member| member.0 == cluster) else { return };
        let hold = hit.hold as usize;
        let Some(occurrence) = self.releases.live[release as usize].as_ref().map(|live| live.occurrence) else {
            return;
        };
        let effect: EffectSpec = own.harm.of_share(share).into();
        let active = match self.holds[hold].0 {
            _ if share <= 0.0 => None,
            Some(active) => {
                Some(Active { effect, seen: active.seen || matches!(effect, EffectSpec::Down(_)), ..active })
            }
            None => {
                let seen = match effect {
                    EffectSpec::Down(_) => true,
                    EffectSpec::ReadOnly(_) => false,
                    EffectSpec::Degraded(degraded) => {
                        let chance = degraded.seen_by_shallow_checks.get();
                        let drawn = uniform(&mut self.of_release(release, occurrence, 0, purpose::SEEN));
                        chance > 0.0 && drawn <= chance
                    }
                };
                Some(Active { root: hit.root, effect, seen, since: now, occurrence })
            }
        };
        let began = active.is_some() && self.holds[hold].0.is_none();
        self.holds[hold].0 = active;
        self.copies_moved = true;
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        live.failing[cluster] = share;
        if began {
            live.held[cluster] = Some(self.log.held.len());
            self.log.held.push(Held { root: hit.root, from: now, to: SimTime::NEVER });
        } else if active.is_none()
            && let Some(held) = live.held[cluster].take()
        {
            self.log.held[held].to = now;
        }
    }

    /// It is noticed: its waves stop, and somebody sees to it.
    fn alarm(&mut self, now: SimTime, release: u32) {
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        (live.running, live.busy, live.mending) = (false, true, true);
        live.noticing = Noticing::Set;
        live.step_serial = 0;
        self.log.note(now, self.plan.rollout.releases[release as usize].root(), || What::Noticed);
        let (serial, occurrence) = (live.id, live.occurrence);
        let mut rng = self.of_release(release, occurrence, 0, purpose::MEND);
        let takes = match &self.plan.rollout.on_bad {
            OnBad::RollBack(takes) | OnBad::RollForward(takes) => takes.sample_span(&mut rng),
        };
        self.events.schedule(now + takes, Event::Rollout(Due::Bad { release, serial, part: Part::Mended }));
    }

    /// The repository is as it should be: each cluster that has the release reconciles.
    fn mended(&mut self, now: SimTime, release: u32) {
        self.log.note(now, self.plan.rollout.releases[release as usize].root(), || What::Mended);
        match self.plan.rollout.on_bad {
            OnBad::RollBack(_) => {}
            OnBad::RollForward(_) => {
                self.releases.revision += 1;
                let fix = self.releases.revision;
                if let Some(live) = &mut self.releases.live[release as usize] {
                    live.before = fix;
                }
            }
        }
        let Some(live) = &self.releases.live[release as usize] else { return };
        let has: Vec<Id<Cluster>> = live.build.iter_enumerated().filter(|(_, b)| **b > 0.0).map(|(c, _)| c).collect();
        for cluster in has {
            self.reconcile(now, release, cluster);
        }
    }

    fn reconcile(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
        if self.controllers_down() {
            self.releases.deferred.push(Deferred::Reconcile { release, cluster });
            return;
        }
        let Some(live) = &self.releases.live[release as usize] else { return };
        let (serial, occurrence) = (live.id, live.occurrence);
        let mut rng = self.of_release(release, occurrence, self.plan.clusters[cluster].digest, purpose::REVERT);
        let at = now + self.reconciles(now, &mut rng);
        let part = Part::Reconciled(cluster.index() as u32);
        self.events.schedule(at, Event::Rollout(Due::Bad { release, serial, part }));
    }

    /// A cluster runs what it should again.
    fn reconciled(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
        if self.controllers_down() {
            self.releases.deferred.push(Deferred::Reconcile { release, cluster });
            return;
        }
        self.shows(now, release, cluster, 0.0);
        let why = match self.plan.rollout.on_bad {
            OnBad::RollBack(_) => Why::RollBack,
            OnBad::RollForward(_) => Why::Fix,
        };
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        live.build[cluster] = 0.0;
        let (before, gone) = (live.before, live.build.iter().all(|&build| build <= 0.0));
        self.note(now, cluster, Some(before), why);
        if gone {
            self.expose(now, 0.0);
            self.releases.live[release as usize] = None;
            self.depart(now);
        }
    }

    /// The controllers are back: what waited for them is seen when they next look.
    pub(super) fn controllers_back(&mut self, now: SimTime) {
        if self.controllers_down() {
            return;
        }
        for deferred in core::mem::take(&mut self.releases.deferred) {
            match deferred {
                Deferred::Reconcile { release, cluster } => self.reconcile(now, release, cluster),
                Deferred::Heal { drift, serial } => self.heal_later(now, drift, serial),
            }
        }
        self.depart(now);
    }

    /// Somebody changes a cluster by hand.
    fn drift(&mut self, now: SimTime, drift: u32) -> bool {
        let own = &self.plan.rollout.drifts[drift as usize];
        let (rng, count) = &mut self.releases.drifts[drift as usize];
        *count += 1;
        let occurrence = *count;
        if let Some(every) = &own.every {
            let next = now + every.sample_span(rng);
            self.events.schedule(next, Event::Rollout(Due::Drift(drift)));
        }
        let noticed = own.noticed.sample_span(&mut self.consequence(own.hit.root, occurrence, 0, purpose::DETECT, 0));
        if !self.hold(own.hit.hold, own.hit.root, own.effect, noticed, occurrence) {
            return false;
        }
        self.note(now, own.cluster, None, Why::Drift);
        self.note(now + noticed, own.cluster, None, Why::Noticed);
        if self.plan.rollout.gitops.as_ref().is_some_and(|gitops| gitops.self_heal) {
            self.heal_later(now, drift, self.holds[own.hit.hold as usize].1);
        }
        true
    }

    fn heal_later(&mut self, now: SimTime, drift: u32, serial: u32) {
        if self.controllers_down() {
            self.releases.deferred.push(Deferred::Heal { drift, serial });
            return;
        }
        let own = &self.plan.rollout.drifts[drift as usize];
        let mut rng = self.consequence(own.hit.root, u64::from(serial), 0, purpose::POLL, 0);
        let at = now + self.reconciles(now, &mut rng);
        self.events.schedule(at, Event::Rollout(Due::Healed { drift, serial }));
    }

    /// A controller takes a manual change back. True if there is one.
    fn healed(&mut self, now: SimTime, drift: u32, serial: u32) -> bool {
        let own = &self.plan.rollout.drifts[drift as usize];
        let (active, current) = self.holds[own.hit.hold as usize];
        if active.is_none() || current != serial {
            return false;
        }
        if self.controllers_down() {
            self.releases.deferred.push(Deferred::Heal { drift, serial });
            return false;
        }
        self.release(now, own.hit.hold);
        if let Some(held) = self.log.held.iter_mut().rev().find(|held| held.root == own.hit.root) {
            held.to = now;
        }
        let of_it = |change: &&mut Change| change.cluster == own.cluster && change.why == Why::Noticed;
        if let Some(change) = self.releases.trail.iter_mut().rev().find(of_it) {
            (change.at, change.why) = (now, Why::SelfHeal);
        }
        true
    }

    /// After everything else has changed: waves stand still or go on, and who sees a bad release is added up.
    pub(super) fn review_releases(&mut self, now: SimTime) {
        if self.releases.live.iter().all(Option::is_none) {
            return;
        }
        let users = self.users(now);
        let mut on_bad = 0.0;
        for release in 0..self.releases.live.len() {
            let Some(live) = &self.releases.live[release] else { continue };
            let stands = self.stands(release, live);
            let synthetic = self.plan.rollout.synthetic;
            let shown = live.failing.iter().zip(&users).map(|(share, users)| share * (users + synthetic)).sum::<f64>();
            on_bad += live.build.iter().zip(&users).map(|(share, users)| share * users).sum::<f64>();
            let toggles = live.busy && !live.mending && stands == live.running;
            if toggles && let Some(live) = &mut self.releases.live[release] {
                if live.running {
                    live.passed = live.passed + (now - live.since);
                }
                live.since = now;
                live.running = !stands;
                self.schedule_step(now, release as u32);
            }
            self.watch(now, release as u32, shown);
        }
        self.expose(now, on_bad.min(1.0));
    }

    /// It shows to this share of all users from now on.
    fn watch(&mut self, now: SimTime, release: u32, shown: f64) {
        let serial = self.releases.serial();
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        let at = match live.noticing {
            Noticing::After(delay) if shown > 0.0 => {
                live.noticing = Noticing::Set;
                Some(now + delay)
            }
            Noticing::Exposure(left) if shown != live.shown => {
                let left = (left - live.shown * (now - live.watched).secs()).max(0.0);
                (live.noticing, live.watched, live.alarm_serial) = (Noticing::Exposure(left), now, serial);
                (shown > 0.0).then(|| now + Span::from_secs(left / shown))
            }
            Noticing::After(_) | Noticing::Exposure(_) | Noticing::Set => None,
        };
        live.shown = shown;
        if let Some(at) = at {
            live.alarm_serial = serial;
            self.events.schedule(at, Event::Rollout(Due::Bad { release, serial, part: Part::Alarm }));
        }
    }

    /// A rollout stands still.
    fn stands(&self, release: usize, live: &Live) -> bool {
        let is_moving = |phase: Phase| match phase {
            Phase::Deciding | Phase::Promoting(_) => true,
            Phase::Idle | Phase::FailingBack => false,
        };
        let mut controllers = self.pair_controllers.iter().chain(&self.partition_controllers);
        if self.controllers_down() || controllers.any(|controller| is_moving(controller.phase)) {
            return true;
        }
        let next = live.schedule.steps.get(live.next).map(|step| step.cluster);
        let members = &self.plan.rollout.releases[release].members;
        self.fronts.iter_enumerated().any(|(cluster, front)| {
            (live.build[cluster] > 0.0 || next == Some(cluster))
                && front.condition.down.is_some_and(|root| members.iter().all(|(_, hit)| hit.root != root))
        })
    }

    /// The share of all users that each cluster serves now.
    fn users(&self, now: SimTime) -> Table<Cluster, f64> {
        let all: f64 = self.plan.populations.iter().map(|population| population.rate).sum();
        let of = |cluster| {
            let populations = self.plan.populations.iter_enumerated();
            populations
                .map(|(population, own)| {
                    let (start, end, _) = self.shares(now, cluster, population);
                    own.rate / all.max(f64::MIN_POSITIVE) * 0.5 * (start + end)
                })
                .sum()
        };
        self.plan.clusters.keys().map(of).collect()
    }

    /// This share of all users is on a bad release from now on.
    fn expose(&mut self, now: SimTime, share: f64) {
        let origin = SimTime::ZERO + self.plan.warm_up;
        let (before, since) = self.releases.exposed;
        self.releases.tally.exposed += before * now.since(since.max(origin)).secs();
        if now >= origin {
            self.releases.tally.peak = self.releases.tally.peak.max(share);
        }
        if share != before {
            self.releases.exposures.push((now, share));
        }
        self.releases.exposed = (share, now);
    }
}
