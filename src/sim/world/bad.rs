//! A bad release in some clusters: it holds them like a fault, wave after wave, until it is noticed and taken back, or
//! mended.
//!
//! Rolling back takes each cluster that has it to the revision before, so later revisions go with it, and other bad
//! releases in them. A fix comes on top of everything.

use super::super::log::Held;
use super::releases::{Commit, Deferred, Due, Part};
use super::{Active, Event, World, purpose};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::Why;
use crate::domain::story::What;
use crate::failure::spec::EffectSpec;
use crate::rollout::spec::{Detect, LeftBy, OnBad};

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
pub(super) struct Bad {
    id: u32,
    occurrence: u64,
    revision: u64,
    /// What a cluster runs once it is taken back or mended.
    before: u64,
    /// The alarm has rung.
    pub(super) mending: bool,
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

impl World<'_> {
    /// A bad release begins its way.
    pub(super) fn goes_bad(&mut self, now: SimTime, commit: Commit, revision: u64, before: u64) -> Bad {
        let own = &self.plan.rollout.releases[commit.release as usize];
        let draw = |purpose| self.of_release(commit.release, commit.occurrence, 0, purpose);
        let noticing = match &own.detect {
            Detect::After(delay) => Noticing::After(delay.sample_span(&mut draw(purpose::DETECT))),
            Detect::Exposure(enough) => Noticing::Exposure(enough.sample(&mut draw(purpose::DETECT))),
        };
        let incubation = own.incubation.sample_span(&mut draw(purpose::INCUBATION));
        let clusters = self.plan.clusters.len();
        Bad {
            id: self.releases.serial(),
            occurrence: commit.occurrence,
            revision,
            before,
            mending: false,
            alarm_serial: 0,
            noticing,
            shown: 0.0,
            watched: now,
            incubation,
            build: vec![0.0; clusters].into(),
            failing: vec![0.0; clusters].into(),
            held: vec![None; clusters].into(),
        }
    }

    /// A share of a cluster gets it.
    pub(super) fn gets_bad(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>, share: f64) {
        let Some(bad) = &mut self.releases.bad[release as usize] else { return };
        bad.build[cluster] = share;
        if bad.incubation.is_zero() {
            self.shows(now, release, cluster, share);
        } else {
            let due = Due::Bad { release, serial: bad.id, part: Part::Shows(cluster, share) };
            self.events.schedule(now + bad.incubation, Event::Rollout(due));
        }
    }

    /// Something of a bad release is due. True if it changes anything.
    pub(super) fn release_goes_on(&mut self, now: SimTime, release: u32, serial: u32, part: Part) -> bool {
        let Some(bad) = &self.releases.bad[release as usize] else { return false };
        let expected = match part {
            Part::Alarm => bad.alarm_serial,
            Part::Shows(..) | Part::Mended | Part::Reconciled(_) => bad.id,
        };
        if serial != expected {
            return false;
        }
        match part {
            Part::Shows(cluster, share) => {
                // Unless it has been taken back there.
                if bad.build[cluster] > 0.0 {
                    self.shows(now, release, cluster, share);
                }
            }
            Part::Alarm => self.alarm(now, release),
            Part::Mended => self.mended(now, release),
            Part::Reconciled(cluster) => self.reconciled(now, release, cluster),
        }
        true
    }

    /// It shows at this share of a cluster's instances; at none of them once it is taken back.
    pub(super) fn shows(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>, share: f64) {
        let own = &self.plan.rollout.releases[release as usize];
        let Some(&(_, hit)) = own.members.iter().find(|member| member.0 == cluster) else { return };
        let hold = hit.hold as usize;
        let Some(occurrence) = self.releases.bad[release as usize].as_ref().map(|bad| bad.occurrence) else {
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
        let before = core::mem::replace(&mut self.holds[hold].0, active);
        self.touch_held(hit.hold, [before, active].into_iter().flatten().map(|active| active.effect));
        let Some(bad) = &mut self.releases.bad[release as usize] else { return };
        bad.failing[cluster] = share;
        if began {
            bad.held[cluster] = Some(self.log.held.len());
            self.log.held.push(Held { root: hit.root, from: now, to: SimTime::NEVER });
        } else if active.is_none()
            && let Some(held) = bad.held[cluster].take()
        {
            self.log.held[held].to = now;
        }
    }

    /// It is noticed: the waves stop, and somebody sees to it.
    fn alarm(&mut self, now: SimTime, release: u32) {
        let Some(bad) = &mut self.releases.bad[release as usize] else { return };
        (bad.mending, bad.noticing) = (true, Noticing::Set);
        let (serial, occurrence, revision) = (bad.id, bad.occurrence, bad.revision);
        self.log.note(now, self.plan.rollout.releases[release as usize].root(), || What::Noticed);
        // Whatever is under way has it in it, or comes after it. A bad one that is nowhere yet is forgotten.
        if let Some(other) = self.releases.under_way.take().and_then(|rollout| rollout.bad)
            && let bad = &mut self.releases.bad[other as usize]
            && bad.as_ref().is_some_and(|bad| bad.build.iter().all(|&build| build <= 0.0))
        {
            *bad = None;
        }
        let mut rng = self.of_release(release, occurrence, 0, purpose::MEND);
        let (takes, is_fixed) = match &self.plan.rollout.on_bad {
            OnBad::RollBack(takes) => (takes.sample_span(&mut rng), false),
            OnBad::RollForward(takes) => (takes.sample_span(&mut rng), true),
        };
        self.releases.convict(revision, release, occurrence, is_fixed);
        self.events.schedule(now + takes, Event::Rollout(Due::Bad { release, serial, part: Part::Mended }));
    }

    /// The repository is as it should be: each cluster that has the release reconciles.
    fn mended(&mut self, now: SimTime, release: u32) {
        let Some(bad) = &self.releases.bad[release as usize] else { return };
        let (revision, before) = (bad.revision, bad.before);
        self.log.note(now, self.plan.rollout.releases[release as usize].root(), || What::Mended);
        match self.plan.rollout.on_bad {
            OnBad::RollBack(_) => self.releases.take_back(revision, before),
            OnBad::RollForward(_) => {
                let (fix, _) = self.releases.next_revision();
                if let Some(bad) = &mut self.releases.bad[release as usize] {
                    bad.before = fix;
                }
                self.releases.go_on_mended(revision);
            }
        }
        let Some(bad) = &self.releases.bad[release as usize] else { return };
        let has: Vec<Id<Cluster>> = bad.build.iter_enumerated().filter(|(_, b)| **b > 0.0).map(|(c, _)| c).collect();
        for cluster in has {
            self.reconcile(now, release, cluster);
        }
    }

    pub(super) fn reconcile(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
        let Some(bad) = &self.releases.bad[release as usize] else { return };
        if !self.can_sync(cluster) {
            self.releases.deferred.push(Deferred::Reconcile { release, cluster });
            return;
        }
        let (serial, occurrence) = (bad.id, bad.occurrence);
        let mut rng = self.of_release(release, occurrence, self.plan.clusters[cluster].digest, purpose::REVERT);
        let at = now + self.reconciles(now, &mut rng);
        self.events.schedule(at, Event::Rollout(Due::Bad { release, serial, part: Part::Reconciled(cluster) }));
    }

    /// A cluster runs what it should again.
    fn reconciled(&mut self, now: SimTime, release: u32, cluster: Id<Cluster>) {
        if !self.can_sync(cluster) {
            self.releases.deferred.push(Deferred::Reconcile { release, cluster });
            return;
        }
        let Some(bad) = &self.releases.bad[release as usize] else { return };
        let (occurrence, revision, before) = (bad.occurrence, bad.revision, bad.before);
        // Unless an earlier one was taken back there meanwhile, and this one with it.
        if bad.build[cluster] <= 0.0 {
            return;
        }
        let (why, is_fixed) = match self.plan.rollout.on_bad {
            OnBad::RollBack(_) => (Why::RollBack, false),
            OnBad::RollForward(_) => (Why::Fix, true),
        };
        self.note(now, cluster, Some(before), why);
        if !is_fixed {
            self.leaves(release, occurrence, cluster, LeftBy::RollBack);
        }
        for other in 0..self.releases.bad.len() {
            let Some(bad) = &mut self.releases.bad[other] else { continue };
            let goes = if is_fixed { other == release as usize } else { bad.revision >= revision };
            if !goes || bad.build[cluster] <= 0.0 {
                continue;
            }
            bad.build[cluster] = 0.0;
            let gone = bad.build.iter().all(|&build| build <= 0.0);
            self.shows(now, other as u32, cluster, 0.0);
            if gone {
                self.releases.bad[other] = None;
            }
        }
        self.depart(now);
    }

    /// After everything else has changed: waves stand still or go on, what waited for a controller goes on, and who sees
    /// a bad release is added up.
    pub(super) fn review_releases(&mut self, now: SimTime) {
        self.review_deferred(now);
        self.review_rollout(now);
        if self.releases.bad.iter().all(Option::is_none) {
            if self.releases.exposed.0 > 0.0 {
                self.expose(now, 0.0);
            }
            return;
        }
        let users = self.users(now);
        let mut on_bad = 0.0;
        for release in 0..self.releases.bad.len() {
            let Some(bad) = &self.releases.bad[release] else { continue };
            let synthetic = self.plan.rollout.synthetic;
            let shown = bad.failing.iter().zip(&users).map(|(share, users)| share * (users + synthetic)).sum::<f64>();
            on_bad += bad.build.iter().zip(&users).map(|(share, users)| share * users).sum::<f64>();
            self.watch(now, release as u32, shown);
        }
        self.expose(now, on_bad.min(1.0));
    }

    /// It shows to this share of all users from now on.
    pub(super) fn watch(&mut self, now: SimTime, release: u32, shown: f64) {
        let serial = self.releases.serial();
        let Some(bad) = &mut self.releases.bad[release as usize] else { return };
        let at = match bad.noticing {
            Noticing::After(delay) if shown > 0.0 => {
                bad.noticing = Noticing::Set;
                Some(now + delay)
            }
            Noticing::Exposure(left) if shown != bad.shown => {
                let left = (left - bad.shown * (now - bad.watched).secs()).max(0.0);
                (bad.noticing, bad.watched, bad.alarm_serial) = (Noticing::Exposure(left), now, serial);
                (shown > 0.0).then(|| now + Span::from_secs(left / shown))
            }
            Noticing::After(_) | Noticing::Exposure(_) | Noticing::Set => None,
        };
        bad.shown = shown;
        if let Some(at) = at {
            bad.alarm_serial = serial;
            self.events.schedule(at, Event::Rollout(Due::Bad { release, serial, part: Part::Alarm }));
        }
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
