//! A bad release on its way: it holds its clusters like a fault, wave after wave, until it is noticed and taken back.

use super::super::log::Held;
use super::releases::{Commit, Deferred, Due, Live, Noticing, Part};
use super::{Active, Event, Phase, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::Why;
use crate::failure::spec::EffectSpec;
use crate::rollout::schedule::Schedule;
use crate::rollout::spec::{Detect, OnBad};

impl World<'_> {
    /// A bad release begins its way.
    pub(super) fn set_out(
        &mut self,
        now: SimTime,
        commit: Commit,
        (before, commits): (u64, Vec<SimTime>),
        schedule: Schedule,
    ) {
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
    pub(super) fn release_goes_on(&mut self, now: SimTime, release: u32, serial: u32, part: Part) -> bool {
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
    pub(super) fn step(&mut self, now: SimTime, release: u32) {
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

    pub(super) fn schedule_step(&mut self, now: SimTime, release: u32) {
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
    pub(super) fn shows(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>, share: f64) {
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
    pub(super) fn alarm(&mut self, now: SimTime, release: u32) {
        let Some(live) = &mut self.releases.live[release as usize] else { return };
        (live.running, live.busy, live.mending) = (false, true, true);
        live.noticing = Noticing::Set;
        live.step_serial = 0;
        let (serial, occurrence) = (live.id, live.occurrence);
        let mut rng = self.of_release(release, occurrence, 0, purpose::MEND);
        let takes = match &self.plan.rollout.on_bad {
            OnBad::RollBack(takes) | OnBad::RollForward(takes) => takes.sample_span(&mut rng),
        };
        self.events.schedule(now + takes, Event::Rollout(Due::Bad { release, serial, part: Part::Mended }));
    }

    /// The repository is as it should be: each cluster that has the release reconciles.
    pub(super) fn mended(&mut self, now: SimTime, release: u32) {
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

    pub(super) fn reconcile(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
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
    pub(super) fn reconciled(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
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
    pub(super) fn watch(&mut self, now: SimTime, release: u32, shown: f64) {
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
    pub(super) fn stands(&self, release: usize, live: &Live) -> bool {
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
    pub(super) fn users(&self, now: SimTime) -> Table<Cluster, f64> {
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
    pub(super) fn expose(&mut self, now: SimTime, share: f64) {
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
