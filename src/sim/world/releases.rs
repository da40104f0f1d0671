//! Releases: commits come, and go out in rollouts (`waves.rs`). A good release only takes time; a bad one spoils each
//! cluster that gets it, until it is noticed and taken back (`bad.rs`).
//!
//! What is committed while a rollout is under way, in a freeze or while no controller is there goes out together
//! afterwards. A bad release holds its clusters like a fault; another bad one of the same name is absorbed meanwhile.
//! Rolling back takes everything back that has gone out since the last revision before the bad one: what else was in it,
//! and what came after, waits until all clusters are back, and is released anew.

use super::bad::Bad;
use super::revisions::Change;
use super::waves::Rollout;
use super::{Event, World, purpose};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::Cluster;
use crate::domain::rollout::RolloutTally;
use crate::failure::spec::EffectSpec;
use crate::plan::Plan;
use crate::rollout::gitops::{until_next, until_phase};

/// What is due of releases and drift.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Due {
    /// A commit comes.
    Commit(u32),
    /// What has waited may go out.
    Departure,
    /// A freeze begins or ends.
    Freeze,
    /// The next step of a rollout.
    Step(u32),
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
    /// This share of a cluster's instances begins to fail.
    Shows(Id<Cluster>, f64),
    /// It is noticed.
    Alarm,
    /// The commit is reverted, or a fix is there.
    Mended,
    /// A cluster has reconciled.
    Reconciled(Id<Cluster>),
}

/// What waits until a cluster can be reached by its controller.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deferred {
    Reconcile { release: u32, cluster: Id<Cluster> },
    Heal { drift: u32, serial: u32 },
}

/// A commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    pub(super) release: u32,
    pub(super) occurrence: u64,
    pub(super) at: SimTime,
    /// How often it has gone out before, and was taken back.
    pub(super) tries: u64,
    /// It was bad, and a fix goes out with it.
    pub(super) mended: bool,
}

/// What has gone out since a bad release that is still somewhere, and with it.
#[derive(Clone, Debug)]
struct Shipped {
    revision: u64,
    commits: Vec<Commit>,
    /// When it was in every cluster, if that counts.
    arrived: Option<SimTime>,
    everywhere: bool,
}

/// Releases, rollouts and drift.
#[derive(Debug)]
pub(super) struct Releases {
    /// By release: when its commits come, and how many there were.
    commits: Vec<(Rng, u64)>,
    /// By drift.
    pub(super) drifts: Vec<(Rng, u64)>,
    /// In order of time, but that what was taken back comes first.
    pub(super) waiting: Vec<Commit>,
    pub(super) under_way: Option<Rollout>,
    /// The last revision.
    revision: u64,
    /// The one that the repository is at.
    head: u64,
    serial: u32,
    /// By release: the bad one that is in some cluster.
    pub(super) bad: Vec<Option<Bad>>,
    shipped: Vec<Shipped>,
    pub(super) deferred: Vec<Deferred>,
    /// By root: it is a change, and takes nobody the controller away.
    changes: Vec<bool>,
    /// The share of all users on a bad release, since when.
    pub(super) exposed: (f64, SimTime),
    /// The same as it changed.
    pub(super) exposures: Vec<(SimTime, f64)>,
    pub(super) tally: RolloutTally,
    pub(super) trail: Vec<Change>,
    /// What each cluster runs, as a whole.
    pub(super) runs: Table<Cluster, u64>,
    /// By cluster that was marked down: since when, and who has taken over from it.
    pub(super) heirs: Table<Cluster, (SimTime, Vec<Id<Cluster>>)>,
    /// Something was left behind in this event.
    pub(super) left: bool,
}

impl Releases {
    /// Nothing has been released yet.
    pub(super) fn new(plan: &Plan) -> Self {
        let mut changes = vec![false; plan.roots.len()];
        let of_releases =
            plan.rollout.releases.iter().flat_map(|release| release.members.iter().map(|member| member.1));
        let orphans = plan.rollout.releases.iter().flat_map(|release| &release.orphan);
        let of_orphans = orphans.flat_map(|orphan| orphan.members.iter().map(|member| member.1));
        let of_drifts = plan.rollout.drifts.iter().map(|drift| drift.hit);
        for hit in of_releases.chain(of_orphans).chain(of_drifts) {
            changes[hit.root.index()] = true;
        }
        Self {
            commits: Vec::new(),
            drifts: Vec::new(),
            waiting: Vec::new(),
            under_way: None,
            revision: 0,
            head: 0,
            serial: 0,
            bad: vec![None; plan.rollout.releases.len()],
            shipped: Vec::new(),
            deferred: Vec::new(),
            changes,
            exposed: (0.0, SimTime::ZERO),
            exposures: Vec::new(),
            tally: RolloutTally::default(),
            trail: Vec::new(),
            runs: vec![0; plan.clusters.len()].into(),
            heirs: vec![(SimTime::ZERO, Vec::new()); plan.clusters.len()].into(),
            left: false,
        }
    }

    pub(super) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// A new revision, and the one that the repository was at.
    pub(super) fn next_revision(&mut self) -> (u64, u64) {
        self.revision += 1;
        (self.revision, core::mem::replace(&mut self.head, self.revision))
    }

    /// A commit of this revision was found bad. It isn't released anew, unless with its fix.
    pub(super) fn convict(&mut self, revision: u64, release: u32, occurrence: u64, mended: bool) {
        let Some(shipped) = self.shipped.iter_mut().find(|shipped| shipped.revision == revision) else { return };
        let is_it = |commit: &Commit| (commit.release, commit.occurrence) == (release, occurrence);
        if mended {
            shipped.commits.iter_mut().filter(|commit| is_it(commit)).for_each(|commit| commit.mended = true);
        } else {
            shipped.commits.retain(|commit| !is_it(commit));
        }
    }

    /// The repository goes back to `before`: what has gone out since then, from `revision` on, waits anew.
    pub(super) fn take_back(&mut self, revision: u64, before: u64) {
        if self.head >= revision {
            self.head = before;
        }
        for shipped in &self.shipped {
            if let Some(arrived) = shipped.arrived.filter(|_| shipped.revision >= revision) {
                self.tally.lead.0 -= lead(arrived, &shipped.commits);
                self.tally.lead.1 -= shipped.commits.len() as u64;
            }
        }
        self.wait_anew(|shipped| shipped.revision >= revision);
    }

    /// What was stopped on its way goes out anew, with the fix.
    pub(super) fn go_on_mended(&mut self, revision: u64) {
        self.wait_anew(|shipped| shipped.revision >= revision && !shipped.everywhere);
    }

    fn wait_anew(&mut self, mut which: impl FnMut(&Shipped) -> bool) {
        let back = self.shipped.extract_if(.., |shipped| which(shipped)).flat_map(|shipped| shipped.commits);
        let back = back.map(|commit| Commit { tries: commit.tries + 1, ..commit });
        self.waiting = back.chain(core::mem::take(&mut self.waiting)).collect();
    }
}

/// Seconds from these commits until a moment, added up.
fn lead(at: SimTime, commits: &[Commit]) -> f64 {
    commits.iter().map(|commit| (at - commit.at).secs()).sum()
}

impl World<'_> {
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
        for (from, to) in plan.freezes.iter().filter(|_| !plan.releases.is_empty()) {
            for at in [from, to] {
                self.events.schedule(SimTime::ZERO + *at, Event::Rollout(Due::Freeze));
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
        let changes = match due {
            Due::Commit(release) => self.commit(now, release),
            Due::Departure => self.depart(now),
            Due::Freeze => {
                self.review_rollout(now);
                self.depart(now)
            }
            Due::Step(serial) => self.step(now, serial),
            Due::Bad { release, serial, part } => self.release_goes_on(now, release, serial, part),
            Due::Drift(drift) => self.drift(now, drift),
            Due::Healed { drift, serial } => self.healed(now, drift, serial),
        };
        core::mem::take(&mut self.releases.left) || changes
    }

    /// What happens now is in the horizon.
    pub(super) fn counts(&self, now: SimTime) -> bool {
        now >= SimTime::ZERO + self.plan.warm_up
    }

    pub(super) fn is_frozen(&self, now: SimTime) -> bool {
        let freezes = self.plan.rollout.freezes.iter();
        freezes.map(|&(from, to)| (SimTime::ZERO + from, SimTime::ZERO + to)).any(|(from, to)| from <= now && now < to)
    }

    /// Nobody applies what the repository says.
    pub(super) fn nobody_syncs(&self) -> bool {
        self.is_down(&self.index.gitops)
    }

    /// A cluster becomes what the repository says: its controller is there, and it is itself. A change that makes it
    /// refuse its users doesn't make it refuse its controller.
    pub(super) fn can_sync(&self, cluster: Id<Cluster>) -> bool {
        let fails = |&hold: &usize| {
            let active = self.holds[hold].0;
            active.is_some_and(|active| is_down(active.effect) && !self.releases.changes[active.root.index()])
        };
        let controllers = &self.index.controllers[cluster];
        !self.nobody_syncs()
            && !self.is_down(controllers)
            && self.zones_up(cluster) > 0
            && !self.index.front[cluster].iter().any(fails)
    }

    fn is_down(&self, holds: &[usize]) -> bool {
        holds.iter().any(|&hold| self.holds[hold].0.is_some_and(|active| is_down(active.effect)))
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
        self.releases.waiting.push(Commit { release, occurrence, at: now, tries: 0, mended: false });
        self.depart(now)
    }

    /// Lets what waits go out, if it may. True if that changes anything for users.
    pub(super) fn depart(&mut self, now: SimTime) -> bool {
        if self.releases.waiting.is_empty()
            || self.releases.under_way.is_some()
            || self.releases.bad.iter().flatten().any(|bad| bad.mending)
            || self.is_frozen(now)
            || self.nobody_syncs()
        {
            return false;
        }
        let commits = core::mem::take(&mut self.releases.waiting);
        let is_bad = |commit: &&Commit| {
            let chance = self.plan.rollout.releases[commit.release as usize].bad;
            let drawn = uniform(&mut self.of_release(commit.release, commit.occurrence, 0, purpose::BAD));
            chance > 0.0 && drawn <= chance && !commit.mended
        };
        let bad: Vec<Commit> = commits.iter().filter(is_bad).copied().collect();
        if self.counts(now) {
            let new = |commits: &[Commit]| commits.iter().filter(|commit| commit.tries == 0).count() as u64;
            let tally = &mut self.releases.tally;
            tally.rollouts += 1;
            tally.commits += new(&commits);
            tally.bad += new(&bad);
        }
        let shows = bad.into_iter().find(|commit| self.releases.bad[commit.release as usize].is_none());
        let (revision, before) = self.releases.next_revision();
        if let Some(commit) = shows {
            let bad = self.goes_bad(now, commit, revision, before);
            self.releases.bad[commit.release as usize] = Some(bad);
        }
        if self.releases.bad.iter().all(Option::is_none) {
            self.releases.shipped.clear();
        }
        self.releases.shipped.push(Shipped { revision, commits: commits.clone(), arrived: None, everywhere: false });
        self.begin_rollout(now, revision, commits, shows.map(|commit| commit.release));
        shows.is_some()
    }

    /// A release is in every cluster.
    pub(super) fn arrived(&mut self, now: SimTime, revision: u64) {
        let counts = self.counts(now);
        let Releases { shipped, tally, .. } = &mut self.releases;
        let Some(shipped) = shipped.iter_mut().find(|shipped| shipped.revision == revision) else { return };
        shipped.everywhere = true;
        if counts {
            shipped.arrived = Some(now);
            tally.lead.0 += lead(now, &shipped.commits);
            tally.lead.1 += shipped.commits.len() as u64;
        }
    }

    /// Controllers, or clusters, may be back: what waited for them is seen when they next look.
    pub(super) fn review_deferred(&mut self, now: SimTime) {
        if self.releases.deferred.is_empty() {
            return;
        }
        for deferred in core::mem::take(&mut self.releases.deferred) {
            match deferred {
                Deferred::Reconcile { release, cluster } => self.reconcile(now, release, cluster),
                Deferred::Heal { drift, serial } => self.heal_later(now, drift, serial),
            }
        }
    }
}

fn is_down(effect: EffectSpec) -> bool {
    match effect {
        EffectSpec::Down(_) => true,
        EffectSpec::Degraded(_) | EffectSpec::ReadOnly(_) => false,
    }
}
