//! What a try does at stores: where its accesses go, how long they take, and what a cache makes of them.

use super::entry::{Entry, Miss};
use super::{Traffic, Why};
use crate::base::stream::uniform;
use crate::base::{Id, SimTime};
use crate::domain::{Cluster, Population, Store};
use crate::plan::CachePlan;
use crate::replication::spec::Replication;
use crate::sim::inputs::Route;
use crate::sim::lookups::Hits;
use crate::sim::unit::slot_at;

impl Traffic<'_> {
    /// Goes on with a read of a cache: a hit ends it, a miss calls what is in front of the cached store and then reads
    /// that. The seconds until it goes on, `None` while it waits for a call, or why it fails.
    pub(super) fn look_up(
        &mut self,
        now: SimTime,
        number: u32,
        store: Id<Store>,
        cache: CachePlan,
    ) -> Result<Option<f64>, Why> {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, miss, crossed, begun, .. } = self.entries[number as usize];
        let through = cache.through.filter(|&service| plan.clusters[cluster].station_of[service].is_some());
        match (miss, through) {
            (Miss::No, _) => {
                let seconds = self.store_time[store].draw();
                self.counts.took(begun, store, false, seconds);
                let hits = self.hits(now, cluster, population, store);
                let entry = &mut self.entries[number as usize];
                if uniform(&mut self.choices[population]) < hits {
                    self.counts.read(begun, store, journey, true);
                    entry.step += 1;
                } else {
                    entry.miss = if through.is_some() { Miss::Calls } else { Miss::Reads };
                    entry.crossed = false;
                }
                Ok(Some(seconds))
            }
            (Miss::Calls, Some(service)) => {
                let entry = &mut self.entries[number as usize];
                entry.crossed = !crossed;
                if !crossed {
                    return Ok(Some(self.within(cluster)));
                }
                entry.miss = Miss::Reads;
                self.call(now, number, &[service]);
                Ok(None)
            }
            (Miss::Calls, None) | (Miss::Reads, _) => {
                let route = self.access(cluster, population, current, cache.of, false);
                let seconds = self.take_trip(cluster, cache.of, false, route)?;
                self.counts.read(begun, store, journey, false);
                self.counts.accessed(begun, cache.of, journey, false, seconds);
                let entry = &mut self.entries[number as usize];
                entry.miss = Miss::No;
                entry.step += 1;
                Ok(Some(seconds))
            }
        }
    }

    /// The share of a population's reads that a cluster's cache answers: as the planned rates of the hour keep it.
    pub(super) fn hits(
        &mut self,
        now: SimTime,
        cluster: Id<Cluster>,
        population: Id<Population>,
        store: Id<Store>,
    ) -> f64 {
        let plan = self.plan;
        let Some(view) = &mut self.views[cluster] else { return 0.0 };
        let (slot, _) = slot_at(plan, now);
        if view.hits.0 != slot {
            view.hits = (slot, Hits::expected(plan, &view.inputs, slot));
        }
        view.hits.1.of(store, plan.stores[store].partition_of(population)).1
    }

    /// A try accesses a store, and writes so many bytes or reads: how long it takes, or why it can't be.
    pub(super) fn accesses(
        &mut self,
        number: u32,
        store: Id<Store>,
        bytes: Option<f64>,
        route: Route,
    ) -> Result<f64, Why> {
        let Entry { population, journey, cluster, begun, .. } = self.entries[number as usize];
        let seconds = self.take_trip(cluster, store, bytes.is_some(), route)?;
        self.counts.accessed(begun, store, journey, bytes.is_some(), seconds);
        if let (Some(bytes), Route::Via(..)) = (bytes, route) {
            let partition = self.first_partitions[store] + self.plan.stores[store].partition_of(population);
            let sum = &mut self.written[partition];
            sum.0 += 1.0 / self.scale;
            sum.1 += bytes / self.scale;
        }
        Ok(seconds)
    }

    /// How long an access to a store takes, or why it can't be.
    pub(super) fn take_trip(
        &mut self,
        from: Id<Cluster>,
        store: Id<Store>,
        writes: bool,
        route: Route,
    ) -> Result<f64, Why> {
        let plan = self.plan;
        let between =
            |a: Id<Cluster>, b: Id<Cluster>| plan.region_rtt[plan.clusters[a].region][plan.clusters[b].region];
        let (trips, time, rng) = (&mut self.trips, &mut self.store_time[store], &mut self.network);
        Ok(match route {
            Route::Via(copy, ack) => trips.draw(between(from, copy)) + trips.draw(ack.get()) + time.draw(),
            Route::Near(copy) | Route::Deposed(copy) => trips.draw(between(from, copy)) + time.draw(),
            Route::Vote(through, copies, wanted) => {
                let trip = trips.draw(between(from, through));
                let delays = match (&plan.stores[store].replication, writes) {
                    (Replication::Quorum(own), true) => (own.delays.write.as_ref(), own.delays.ack.as_ref()),
                    (Replication::Quorum(own), false) => (own.delays.read.as_ref(), own.delays.response.as_ref()),
                    (
                        Replication::Sync(_)
                        | Replication::SemiSync(_)
                        | Replication::Async(_)
                        | Replication::MultiLeader(_)
                        | Replication::Cache(_),
                        _,
                    ) => (None, None),
                };
                let mut answers: Vec<f64> = plan.stores[store]
                    .copies
                    .iter()
                    .enumerate()
                    .filter(|(position, _)| copies >> position & 1 == 1)
                    .map(|(_, &copy)| {
                        let round_trip = if copy == through { 0.0 } else { between(through, copy) };
                        let way = match delays {
                            (None, None) => trips.draw(round_trip),
                            (there, back) => [there, back].into_iter().fold(0.0, |sum, delay| match delay {
                                Some(own) => sum + own.sample(rng),
                                None => sum + trips.draw(0.5 * round_trip),
                            }),
                        };
                        way + time.draw()
                    })
                    .collect();
                answers.sort_by(f64::total_cmp);
                trip + answers.get(wanted as usize - 1).copied().unwrap_or(0.0)
            }
            Route::Cache(_) => time.draw(),
            Route::Fail(stage, root) => return Err((stage, root)),
        })
    }

    /// Where a population's accesses to a store go now.
    pub(super) fn access(
        &self,
        cluster: Id<Cluster>,
        population: Id<Population>,
        current: bool,
        store: Id<Store>,
        writes: bool,
    ) -> Route {
        let flow = self.views[cluster].as_ref().and_then(|view| view.flow(population, current));
        let access = flow.map(|flow| flow.stores[store.index()]);
        match access {
            Some(access) => {
                if writes {
                    access.write
                } else {
                    access.read
                }
            }
            None => Route::Near(cluster),
        }
    }
}
