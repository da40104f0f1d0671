//! How soon reads see writes, worked out once for each way in which they can go.
//!
//! Who writes is taken to be served as when all is well, and to reach the copies that the reader reaches.

use super::data::Meetings;
use super::intern::Map;
use crate::base::{Id, Span};
use crate::dist::Dist;
use crate::domain::{Cluster, Store};
use crate::plan::{Plan, StorePlan};
use crate::replication::quorum::{Copy, Quorum, Ways};
use crate::replication::spec;
use crate::replication::visibility::Visibility;

/// The number of a view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ViewId(u32);

/// What a read sees of writes.
#[derive(Clone, Debug)]
struct View {
    visibility: Visibility,
    /// The chance that it misses a write acknowledged as long ago as is reported against.
    unseen: f64,
}

/// Views, made once each.
#[derive(Clone, Default, Debug)]
pub(super) struct Views {
    known: Map<[u64; 4], ViewId>,
    all: Vec<View>,
    /// By view and rate of writes.
    stale: Map<(ViewId, u64), f64>,
}

/// How messages go between the copy that an access goes through and one that votes.
pub(super) fn ways(
    plan: &Plan,
    through: Id<Cluster>,
    copy: Id<Cluster>,
    there: Option<&Dist>,
    back: Option<&Dist>,
) -> Ways {
    let half = || {
        if copy == through {
            return Dist::constant(Span::ZERO);
        }
        let seconds = plan.region_rtt[plan.clusters[through].region][plan.clusters[copy].region];
        Dist::lognormal(Span::from_secs(0.5 * seconds), plan.jitter)
    };
    if there.is_none() && back.is_none() {
        return Ways::Halves(half());
    }
    let or_half = |way: Option<&Dist>| way.cloned().unwrap_or_else(half);
    Ways::Apart(or_half(there), or_half(back))
}

impl Views {
    /// Forgets what rates were asked for; the views are few.
    pub(super) fn forget(&mut self) {
        self.stale.clear();
    }

    /// What was made of a view.
    pub(super) fn visibility(&self, id: ViewId) -> &Visibility {
        &self.all[id.0 as usize].visibility
    }

    /// The chance that a read misses a write acknowledged as long ago as is reported against.
    pub(super) fn unseen(&self, id: ViewId) -> f64 {
        self.all[id.0 as usize].unseen
    }

    fn make(&mut self, key: [u64; 4], store: &StorePlan, make: impl FnOnce() -> Visibility) -> ViewId {
        if let Some(&id) = self.known.get(&key) {
            return id;
        }
        let visibility = make();
        let unseen = store.read_after.map_or(0.0, |after| visibility.stale(after));
        let id = ViewId(self.all.len() as u32);
        self.all.push(View { visibility, unseen });
        self.known.insert(key, id);
        id
    }

    /// Of a read at a copy that writes reach after the lag.
    pub(super) fn after_lag(&mut self, plan: &Plan, store: Id<Store>, lag: &Dist) -> ViewId {
        self.make([store.index() as u64, 0, 0, 0], &plan.stores[store], || Visibility::Lag(lag.clone()))
    }

    /// Of a read through one copy, where writes go through another; `mask` has the copies that can be reached.
    pub(super) fn votes(
        &mut self,
        plan: &Plan,
        store: Id<Store>,
        quorum: &spec::Quorum,
        mask: u64,
        (writer, reader): (Id<Cluster>, Id<Cluster>),
    ) -> ViewId {
        let own = &plan.stores[store];
        // Somebody votes: it isn't the key of a lag.
        let key = [store.index() as u64, mask, writer.index() as u64, reader.index() as u64];
        self.make(key, own, || {
            let delays = &quorum.delays;
            let voters = own.copies.iter().enumerate().filter(|(position, _)| mask >> position & 1 == 1);
            let copy = |(_, &copy): (usize, &Id<Cluster>)| Copy {
                write: ways(plan, writer, copy, delays.write.as_ref(), delays.ack.as_ref()),
                read: ways(plan, reader, copy, delays.read.as_ref(), delays.response.as_ref()),
            };
            let copies = voters.map(copy).collect();
            let (read, write) = (quorum.read as usize, quorum.write as usize);
            Visibility::Votes(Quorum { copies, time: own.time.clone(), read, write }.staleness())
        })
    }

    /// The chance that a read misses the last write to its key, if `rate` writes a second are made to all keys.
    pub(super) fn stale(
        &mut self,
        plan: &Plan,
        store: Id<Store>,
        id: ViewId,
        rate: f64,
        meetings: &mut Meetings,
    ) -> f64 {
        let key = (id, rate.to_bits());
        if let Some(&known) = self.stale.get(&key) {
            return known;
        }
        let stale = match &self.all[id.0 as usize].visibility {
            Visibility::Lag(lag) => meetings.of(plan, store, rate * lag.mean()),
            // Writes to a key are Poisson, so the last one was made an exponential time ago: within t with the chance
            // that one is met of those that are made in t.
            Visibility::Votes(staleness) => staleness.mean_of(|time| meetings.near(plan, store, rate * time)),
        };
        self.stale.insert(key, stale);
        stale
    }
}
