//! Orphans: what the repository no longer has, and a cluster still runs, because its controller doesn't prune.
//!
//! One holds its cluster like drift, from when the cluster gets the release, or the roll-back, that took it out of the
//! repository, until somebody notices. Controllers that heal leave it alone: it differs from nothing in the repository.

use super::{World, purpose};
use crate::base::Id;
use crate::base::stream::uniform;
use crate::domain::Cluster;
use crate::rollout::spec::LeftBy;

impl World<'_> {
    /// A cluster has got a release, or is back from it: what may stay behind does.
    pub(super) fn leaves(&mut self, release: u32, occurrence: u64, cluster: Id<Cluster>, by: LeftBy) {
        let own = &self.plan.rollout.releases[release as usize];
        let Some(orphan) = own.orphan.as_ref().filter(|orphan| orphan.left_by == by) else { return };
        let Some(&(_, hit)) = orphan.members.iter().find(|member| member.0 == cluster) else { return };
        let drawn = uniform(&mut self.of_release(release, occurrence, 0, purpose::ORPHAN));
        if orphan.chance <= 0.0 || drawn > orphan.chance {
            return;
        }
        let mut rng = self.consequence(hit.root, occurrence, 0, purpose::DETECT, 0);
        let noticed = orphan.noticed.sample_span(&mut rng);
        // One that is there already is joined by another.
        self.releases.left |= self.hold(hit.hold, hit.root, orphan.effect, noticed, occurrence);
    }

    /// The same for all that a rollout brings.
    pub(super) fn commits_leave(&mut self, cluster: Id<Cluster>) {
        let Some(rollout) = &self.releases.under_way else { return };
        let of_it: Vec<(u32, u64)> = rollout.commits.iter().map(|commit| (commit.release, commit.occurrence)).collect();
        for (release, occurrence) in of_it {
            self.leaves(release, occurrence, cluster, LeftBy::Release);
        }
    }
}
