//! Where the reads and writes of a cluster go, by how the store replicates.

use super::super::inputs::{Bits, Route};
use super::World;
use crate::base::Id;
use crate::domain::{Cluster, Root, Stage, Store};
use crate::replication::spec::Replication;

impl World<'_> {
    /// Where a write from a cluster to a partition goes.
    pub(super) fn write_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, _) = self.partitions[partition];
        if let Some((stage, root)) = self.writes_stopped(partition) {
            return Route::Fail(stage, root);
        }
        if self.deposed[partition] == Some(from) && self.why_gone(from, store).is_none() {
            return match self.read_only(from, store) {
                Some(root) => Route::Fail(Stage::ReadOnly, root),
                None => Route::Deposed(from),
            };
        }
        match &self.plan.stores[store].replication {
            Replication::Sync(sync) => self.write_with_acks(from, partition, usize::MAX, sync.degrade),
            Replication::SemiSync(semi) => self.write_with_acks(from, partition, semi.acks as usize, semi.degrade),
            Replication::Async(_) => self.write_with_acks(from, partition, 0, true),
            Replication::Quorum(quorum) => self.vote(from, partition, quorum.write, true),
            Replication::MultiLeader(_) => self.nearest(from, partition, true),
            // Nobody writes to one: writes go to what it caches.
            Replication::Cache(_) => Route::Via(from, Bits::ZERO),
        }
    }

    /// Where a read goes: to the copy at hand, if reads may and it is there; else to the leader.
    pub(super) fn read_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, _) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        match &plan.replication {
            Replication::Quorum(quorum) => return self.vote(from, partition, quorum.read, false),
            Replication::MultiLeader(_) => return self.nearest(from, partition, false),
            Replication::Cache(_) => return Route::Via(from, Bits::ZERO),
            Replication::Sync(_) | Replication::SemiSync(_) | Replication::Async(_) => {}
        }
        let stopped = self.reads_stopped(partition);
        // Until the new leader is promoted it is the old one that doesn't answer, its own cluster included.
        let answers = || from != self.leaders[partition] || stopped.is_none();
        // One that is being copied has nothing to read yet.
        let readable = || {
            self.member(partition, from).is_none_or(|member| !self.histories[partition].is_foreign(member))
                || self.deposed[partition] == Some(from)
        };
        let local = plan.local_reads && plan.copies.contains(&from);
        if local && answers() && readable() && self.why_gone(from, store).is_none() {
            return if self.may_be_behind(from, partition) { Route::Near(from) } else { Route::Via(from, Bits::ZERO) };
        }
        if let Some((stage, root)) = stopped.or_else(|| self.why_unreachable(from, partition)) {
            return Route::Fail(stage, root);
        }
        Route::Via(self.leaders[partition], Bits::ZERO)
    }

    /// To the leader, which waits for so many of its followers, the fastest first. One that is catching up is as good as
    /// gone; a leader that was deposed isn't waited for until it has caught up.
    fn write_with_acks(&self, from: Id<Cluster>, partition: usize, acks: usize, degrade: bool) -> Route {
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        if let Some((stage, root)) = self.why_unreachable(from, partition) {
            return Route::Fail(stage, root);
        }
        if let Some(root) = self.read_only(leader, store) {
            return Route::Fail(Stage::ReadOnly, root);
        }
        if acks == 0 {
            return Route::Via(leader, Bits::ZERO);
        }
        let history = &self.histories[partition];
        let members = self.plan.stores[store].partitions[part].members().enumerate();
        let followers = || members.clone().filter(|&(member, other)| other != leader && history.counts(member));
        let acks = acks.min(followers().count());
        if acks == 0 {
            return Route::Via(leader, Bits::ZERO);
        }
        let gone = |&(member, follower): &(usize, Id<Cluster>)| {
            self.copy_is_gone(follower, store)
                .map(|root| (if self.clusters[follower].up { Stage::Undetected } else { Stage::NoTarget }, root))
                .or_else(|| self.cut(leader, follower).map(|root| (Stage::Partition, root)))
                .or_else(|| history.why_behind(member).map(|root| (Stage::QuorumLost, root)))
        };
        let wait = |(_, follower): (usize, Id<Cluster>)| self.rtt(leader, follower);
        let (mut there, mut fastest, mut slowest, mut lost) = (0, f64::INFINITY, 0.0_f64, None);
        for follower in followers() {
            if let Some(gone) = gone(&follower) {
                lost = lost.or(Some(gone));
            } else {
                there += 1;
                fastest = fastest.min(wait(follower));
                slowest = slowest.max(wait(follower));
            }
        }
        if let Some((stage, root)) = lost.filter(|_| there < acks && !degrade) {
            return Route::Fail(stage, root);
        }
        let last = match acks.min(there) {
            0 => 0.0,
            1 => fastest,
            all if all == there => slowest,
            some => {
                let mut waits: Vec<f64> = followers().filter(|follower| gone(follower).is_none()).map(wait).collect();
                waits.sort_by(f64::total_cmp);
                waits[some - 1]
            }
        };
        Route::Via(leader, Bits::from(last))
    }

    /// Through the nearest copy, to those that it can reach, if there are enough.
    fn vote(&self, from: Id<Cluster>, partition: usize, wanted: u32, writes: bool) -> Route {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        let through = match self.nearest(from, partition, writes) {
            Route::Via(through, _) => through,
            Route::Fail(_, root) => return Route::Fail(Stage::QuorumLost, root),
            other => return other,
        };
        let (mut reached, mut lost) = (0_u64, None);
        for member in plan.partitions[part].members() {
            let refuses = || if writes { self.read_only(member, store) } else { None };
            if let Some(root) = self.why_gone(member, store).or_else(|| self.cut(through, member)).or_else(refuses) {
                lost = lost.or(Some(root));
            } else if let Some(position) = plan.copies.iter().position(|&copy| copy == member) {
                reached |= 1 << position;
            }
        }
        match lost {
            Some(root) if reached.count_ones() < wanted => Route::Fail(Stage::QuorumLost, root),
            Some(_) | None => Route::Vote(through, reached, wanted),
        }
    }

    /// To the copy at hand, or else to the nearest that can be reached: its clients know at once who is there.
    fn nearest(&self, from: Id<Cluster>, partition: usize, writes: bool) -> Route {
        let (store, part) = self.partitions[partition];
        let members = || self.plan.stores[store].partitions[part].members();
        let gone = |member: Id<Cluster>| self.why_gone(member, store).or_else(|| self.cut(from, member));
        let refuses = |member: Id<Cluster>| if writes { self.read_only(member, store) } else { None };
        let there = members().filter(|&member| gone(member).is_none() && refuses(member).is_none());
        let distance = |member: Id<Cluster>| if member == from { -1.0 } else { self.rtt(from, member) };
        match there.min_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b))) {
            Some(copy) => Route::Via(copy, Bits::ZERO),
            None => match members().filter(|&member| gone(member).is_none()).find_map(refuses) {
                Some(root) => Route::Fail(Stage::ReadOnly, root),
                None => Route::Fail(Stage::NoTarget, members().find_map(gone).unwrap_or(Id::new(crate::plan::DEMAND))),
            },
        }
    }

    /// A follower may lack acknowledged writes: it isn't one of those that acknowledge them.
    fn may_be_behind(&self, cluster: Id<Cluster>, partition: usize) -> bool {
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        if cluster == leader {
            return false;
        }
        let plan = &self.plan.stores[store];
        match &plan.replication {
            Replication::Async(_) => true,
            Replication::SemiSync(semi) => {
                let own = self.rtt(leader, cluster);
                let others = plan.partitions[part].members().filter(|&other| other != leader && other != cluster);
                let faster = others.filter(|&other| self.rtt(leader, other) < own).count();
                faster >= semi.acks as usize
            }
            Replication::Sync(_) | Replication::Quorum(_) | Replication::MultiLeader(_) | Replication::Cache(_) => {
                false
            }
        }
    }

    fn rtt(&self, a: Id<Cluster>, b: Id<Cluster>) -> f64 {
        self.plan.region_rtt[self.plan.clusters[a].region][self.plan.clusters[b].region]
    }

    /// Why a copy doesn't answer, if it doesn't.
    pub(super) fn why_gone(&self, cluster: Id<Cluster>, store: Id<Store>) -> Option<Id<Root>> {
        self.copy_is_gone(cluster, store).or_else(|| self.moving_copies[cluster][store].map(|(root, _)| root))
    }

    /// Why a copy takes no writes though it is there, if so.
    pub(super) fn read_only(&self, cluster: Id<Cluster>, store: Id<Store>) -> Option<Id<Root>> {
        if !self.index.read_only {
            return None;
        }
        let copy = || self.compose(self.index.copies[cluster][store].iter().copied()).read_only;
        self.fronts[cluster].read_only.or_else(copy).map(|(root, ..)| root)
    }

    /// Whether the network between two regions is cut, and why.
    pub(super) fn cut(&self, a: Id<Cluster>, b: Id<Cluster>) -> Option<Id<Root>> {
        let (a, b) = (self.plan.clusters[a].region, self.plan.clusters[b].region);
        let (low, high) = (a.min(b), a.max(b));
        let between = self.index.links.iter().filter(|link| link.0 == low && link.1 == high).map(|link| link.2);
        self.why_down(between)
    }

    /// Why a cluster can't reach the leader of a partition, if it can't.
    fn why_unreachable(&self, from: Id<Cluster>, partition: usize) -> Option<(Stage, Id<Root>)> {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        let gone = self.copy_is_gone(leader, store).map(|root| (self.blame_partition(partition), root));
        gone.or_else(|| self.moving_copies[leader][store].map(|(root, _)| (Stage::Promoting, root)))
            .or_else(|| self.cut(from, leader).map(|root| (Stage::Partition, root)))
    }
}
