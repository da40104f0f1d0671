//! What the controllers do, written down for a story if somebody wants one; nothing here changes what happens.

use super::{Phase, World};
use crate::base::{Id, SimTime};
use crate::domain::story::{Moves, What};
use crate::domain::{Cluster, Population, Root, Store};

impl World<'_> {
    /// The store of a partition, and the population whose it is, if it is one's.
    fn whose(&self, partition: usize) -> (Id<Store>, Option<Id<Population>>) {
        let (store, part) = self.partitions[partition];
        (store, (self.plan.stores[store].partitions.len() > 1).then(|| Id::new(part)))
    }

    fn users_of(&self, pair: usize) -> Moves {
        Moves::Users(self.plan.pairs[pair].primary)
    }

    fn lead_of(&self, partition: usize) -> Moves {
        let (store, population) = self.whose(partition);
        Moves::Store(store, population)
    }

    /// A pair's controller goes into a phase, whose end is due.
    pub(super) fn note_pair(&mut self, pair: usize, phase: Phase, root: Id<Root>, due: SimTime) {
        let (active, passive) = (self.active_of(pair), self.passive_of(pair));
        let before = self.pair_controllers[pair].phase;
        let home = self.plan.pairs[pair].primary;
        let ends = (active, passive.unwrap_or(active), home);
        self.note_phase(self.users_of(pair), (before, phase), ends, root, due);
    }

    /// A partition's controller does.
    pub(super) fn note_partition(&mut self, partition: usize, phase: Phase, root: Id<Root>, due: SimTime) {
        let controller = &self.partition_controllers[partition];
        let ends = (self.leaders[partition], controller.to, self.homes[partition]);
        self.note_phase(self.lead_of(partition), (controller.phase, phase), ends, root, due);
    }

    fn note_phase(
        &mut self,
        of: Moves,
        (before, after): (Phase, Phase),
        (from, to, home): (Id<Cluster>, Id<Cluster>, Id<Cluster>),
        root: Id<Root>,
        due: SimTime,
    ) {
        let now = self.events.now();
        let takes = || due.since(now).secs();
        match (before, after) {
            (_, Phase::Deciding) => self.log.note(now, root, || What::Deciding(of, from, takes())),
            (_, Phase::Promoting(attempt)) => self.log.note(now, root, || What::Promoting(of, to, takes(), attempt)),
            (_, Phase::FailingBack) => self.log.note(now, root, || What::FailingBack(of, home, takes())),
            (Phase::Deciding, Phase::Idle) => self.log.note(now, root, || What::StoodDown(of)),
            (Phase::Idle | Phase::Promoting(_) | Phase::FailingBack, Phase::Idle) => {}
        }
    }

    /// A pair's controller would go on, and is gone itself.
    pub(super) fn note_stalled_pair(&mut self, now: SimTime, pair: usize) {
        let (of, root) = (self.users_of(pair), self.pair_controllers[pair].cause.0);
        self.log.note(now, root, || What::Stalled(of));
    }

    /// A partition's controller is.
    pub(super) fn note_stalled_partition(&mut self, now: SimTime, partition: usize) {
        let (of, root) = (self.lead_of(partition), self.partition_controllers[partition].cause.0);
        self.log.note(now, root, || What::Stalled(of));
    }

    /// A standby has taken over.
    pub(super) fn note_switched(&mut self, now: SimTime, pair: usize, (from, to): (Id<Cluster>, Id<Cluster>)) {
        let (of, root) = (self.users_of(pair), self.pair_controllers[pair].cause.0);
        self.log.note(now, root, || What::Promoted { of, from, to, lost: 0.0, rpo: 0.0 });
    }

    /// A pair's users, or the lead of a partition, are back at home.
    pub(super) fn note_home(&mut self, now: SimTime, of: Moves, home: Id<Cluster>, root: Id<Root>) {
        self.log.note(now, root, || What::FailedBack(of, home));
    }

    /// The same of a partition.
    pub(super) fn note_partition_home(&mut self, now: SimTime, partition: usize) {
        let root = self.partition_controllers[partition].cause.0;
        self.note_home(now, self.lead_of(partition), self.homes[partition], root);
    }

    /// The same of a pair.
    pub(super) fn note_pair_home(&mut self, now: SimTime, pair: usize) {
        let root = self.pair_controllers[pair].cause.0;
        self.note_home(now, self.users_of(pair), self.plan.pairs[pair].primary, root);
    }

    /// A deposed leader goes on, and doesn't know.
    pub(super) fn splits(&mut self, now: SimTime, partition: usize, leader: Id<Cluster>) {
        let ((store, population), root) = (self.whose(partition), self.partition_controllers[partition].cause.0);
        self.deposed[partition] = Some(leader);
        self.touch_data(partition);
        self.log.note(now, root, || What::Splits(store, population, leader));
    }

    /// It is told who leads, if there is one.
    pub(super) fn rejoins(&mut self, now: SimTime, partition: usize) {
        let ((store, population), root) = (self.whose(partition), self.partition_controllers[partition].cause.0);
        if let Some(cluster) = self.deposed[partition].take() {
            self.touch_data(partition);
            self.log.note(now, root, || What::Rejoins(store, population, cluster));
        }
    }
}
