//! Which revision each cluster runs, and what it meant when one took over from another.

use super::World;
use crate::base::{Id, SimTime};
use crate::domain::Cluster;
use crate::domain::rollout::Why;

/// A cluster runs something else from now on.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Change {
    pub(in crate::sim) at: SimTime,
    pub(in crate::sim) cluster: Id<Cluster>,
    /// The one that it ran before, where it is left out.
    pub(in crate::sim) revision: Option<u64>,
    pub(in crate::sim) why: Why,
}

impl Change {
    /// The revision that the whole cluster runs from now on, if it is another.
    fn whole(&self) -> Option<u64> {
        match self.why {
            Why::Start | Why::Release | Why::RollBack | Why::Fix => self.revision,
            Why::Canary | Why::Drift | Why::SelfHeal | Why::Noticed => None,
        }
    }
}

impl World<'_> {
    pub(super) fn note(&mut self, at: SimTime, cluster: Id<Cluster>, revision: Option<u64>, why: Why) {
        let change = Change { at, cluster, revision, why };
        if let Some(revision) = change.whole() {
            self.releases.runs[cluster] = revision;
        }
        self.releases.trail.push(change);
    }

    /// A cluster takes over from one that was marked down: did it run what that ran?
    pub(super) fn takes_over(&mut self, now: SimTime, from: Id<Cluster>, to: Id<Cluster>) {
        if self.plan.rollout.releases.is_empty() || now == SimTime::ZERO {
            return;
        }
        // Its populations go one by one: once for each that takes over.
        let since = self.clusters[from].since;
        let heirs = &mut self.releases.heirs[from];
        if heirs.0 != since {
            *heirs = (since, Vec::new());
        }
        if heirs.1.contains(&to) {
            return;
        }
        heirs.1.push(to);
        if !self.counts(now) {
            return;
        }
        self.releases.tally.takeovers += 1;
        let own = self.releases.runs[to];
        let of_it = self.releases.trail.iter().rev().filter(|change| change.cluster == from);
        let changes = of_it.filter_map(|change| Some((change.at, change.whole()?)));
        let newer = changes.take_while(|&(_, revision)| revision > own).last();
        if let Some((at, _)) = newer {
            self.releases.tally.stale.0 += (now - at).secs();
            self.releases.tally.stale.1 += 1;
        }
    }
}
