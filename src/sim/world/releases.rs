//! Releases and rollouts: a good release only takes time; a bad one spoils, wave after wave, each cluster that gets it,
//! until it is noticed and taken back (`bad.rs`).
//!
//! What is committed while a rollout is under way, in a freeze or while no controller is there goes out together
//! afterwards. A bad release holds its clusters like a fault; another bad one of the same name is absorbed meanwhile.
//! The waves stand still while a controller is away, during a failover, and while a cluster that has the release, or
//! gets it next, is down for another reason.

use super::{Event, World, purpose};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::{RolloutTally, Why};
use crate::rollout::gitops::{until_next, until_phase};
use crate::rollout::schedule::{Schedule, schedule};

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
pub(super) enum Deferred {
    Reconcile { release: u32, cluster: Id<Cluster> },
    Heal { drift: u32, serial: u32 },
}

/// A commit that waits to go out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    pub(super) release: u32,
    pub(super) occurrence: u64,
    pub(super) at: SimTime,
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
pub(super) enum Noticing {
    /// So long after it first shows to anybody.
    After(Span),
    /// After so many more seconds before all users.
    Exposure(f64),
    /// The alarm is set, or has rung.
    Set,
}

/// A bad release that is in some cluster.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) id: u32,
    pub(super) occurrence: u64,
    pub(super) revision: u64,
    pub(super) before: u64,
    pub(super) commits: Vec<SimTime>,
    pub(super) schedule: Schedule,
    /// The next step; all of them are done at the number of steps, and the last bake after that.
    pub(super) next: usize,
    /// Time of the schedule that had passed at `since`.
    pub(super) passed: Span,
    pub(super) since: SimTime,
    pub(super) running: bool,
    /// The waves aren't over, or it is being taken back.
    pub(super) busy: bool,
    pub(super) mending: bool,
    pub(super) step_serial: u32,
    pub(super) alarm_serial: u32,
    pub(super) noticing: Noticing,
    /// The share of all users that it shows to.
    pub(super) shown: f64,
    /// Since when.
    pub(super) watched: SimTime,
    pub(super) incubation: Span,
    /// The share of each cluster that has it.
    pub(super) build: Table<Cluster, f64>,
    /// The share of each cluster where it shows.
    pub(super) failing: Table<Cluster, f64>,
    /// Its hold of each cluster in the log.
    pub(super) held: Table<Cluster, Option<usize>>,
}

/// Releases, rollouts and drift.
#[derive(Debug)]
pub(super) struct Releases {
    /// By release: when its commits come, and how many there were.
    pub(super) commits: Vec<(Rng, u64)>,
    /// By drift.
    pub(super) drifts: Vec<(Rng, u64)>,
    pub(super) waiting: Vec<Commit>,
    /// Until when a good rollout takes.
    pub(super) busy_until: SimTime,
    pub(super) revision: u64,
    pub(super) serial: u32,
    /// By release.
    pub(super) live: Vec<Option<Live>>,
    pub(super) deferred: Vec<Deferred>,
    /// The share of all users on a bad release, since when.
    pub(super) exposed: (f64, SimTime),
    /// The same as it changed.
    pub(super) exposures: Vec<(SimTime, f64)>,
    pub(super) tally: RolloutTally,
    pub(super) trail: Vec<Change>,
}

impl Releases {
    pub(super) fn serial(&mut self) -> u32 {
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
    pub(super) fn controllers_down(&self) -> bool {
        !self.index.gitops.is_empty() && self.compose(self.index.gitops.iter().copied()).condition.down.is_some()
    }

    /// How long until a cluster has what was committed at `at`.
    pub(super) fn reconciles(&self, at: SimTime, rng: &mut Rng) -> Span {
        let Some(gitops) = &self.plan.rollout.gitops else { return Span::ZERO };
        let drawn = until_next(gitops.poll.secs(), gitops.jitter.secs(), uniform(rng));
        let seen = match gitops.phase {
            Some(phase) => until_phase(gitops.poll, phase, at - SimTime::ZERO),
            None => Span::from_secs(drawn),
        };
        seen + gitops.sync.sample_span(rng)
    }

    /// A generator for a consequence of one release in one cluster: the same in every variant.
    pub(super) fn of_release(&self, release: u32, occurrence: u64, cluster: u64, purpose: u64) -> Rng {
        let stream = self.seed.stream().with(self.plan.rollout.releases[release as usize].digest).with(occurrence);
        stream.with(cluster).with(purpose).rng()
    }

    /// A commit comes. True if it goes out and changes anything for users.
    pub(super) fn commit(&mut self, now: SimTime, release: u32) -> bool {
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
    pub(super) fn depart(&mut self, now: SimTime) -> bool {
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
    pub(super) fn arrived(&mut self, counts: bool, at: SimTime, commits: &[SimTime]) {
        if counts {
            self.releases.tally.lead.0 += commits.iter().map(|&commit| (at - commit).secs()).sum::<f64>();
            self.releases.tally.lead.1 += commits.len() as u64;
        }
    }

    pub(super) fn note(&mut self, at: SimTime, cluster: Id<Cluster>, revision: Option<u64>, why: Why) {
        self.releases.trail.push(Change { at, cluster, revision, why });
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
}
