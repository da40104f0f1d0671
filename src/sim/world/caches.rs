//! How much the caches of each cluster hold: warm while they are read and can be filled, cold after they weren't.

use super::super::inputs::Route;
use super::{Event, World};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population, Root, Store};
use crate::plan::{CachePlan, JourneyPlan, Plan, PopulationPlan, StepPlan};
use crate::replication::cache::Warmth;

/// What a cache is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Warm,
    /// Nobody reads it, since then: what it holds expires.
    Unread(SimTime),
    /// It is read, and nothing can be fetched, since then.
    Starving(SimTime),
    /// It holds nothing.
    Empty,
    /// It is read more since then than before.
    Warming(SimTime),
}

/// Reads that are more than so many times those before find a cache that isn't warm for them.
const MORE: f64 = 1.1;

/// One cluster's cache, for one partition of its store.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    cluster: Id<Cluster>,
    store: Id<Store>,
    plan: CachePlan,
    /// Of the store that it caches, among all partitions.
    partition: usize,
    /// Those who read it, if they are served here.
    readers: Vec<Reader>,
    /// Reads per second when it was warm last, in a mean hour; 0 if it was empty since.
    warm_at: f64,
    /// Reads per second now, in a mean hour.
    reads: f64,
    phase: Phase,
    warmth: Warmth,
    /// Why it isn't warm, and since when, where that isn't that more users came.
    cause: Option<(Id<Root>, SimTime)>,
}

/// A population, and the reads per second that all of it makes in a mean hour.
type Reader = (Id<Population>, f64);

/// All caches, cluster by cluster, store by store, partition by partition.
pub(super) fn all(plan: &Plan, partitions: &[(Id<Store>, usize)]) -> Vec<Cached> {
    let mut caches = Vec::new();
    for cluster in plan.clusters.keys() {
        for (store, own) in plan.stores.iter_enumerated().filter(|(_, own)| own.copies.contains(&cluster)) {
            let Some(cache) = own.cache else { continue };
            for (partition, _) in partitions.iter().enumerate().filter(|(_, (other, _))| *other == cache.of) {
                let is_read = |step: &&StepPlan| matches!(step, StepPlan::Read(other, _) if *other == store);
                let reads = |population: &PopulationPlan| {
                    let journeys = plan.journeys.iter().zip(&population.shares);
                    let each = |(journey, share): (&JourneyPlan, &f64)| {
                        share * journey.steps.iter().filter(is_read).count() as f64
                    };
                    population.rate * journeys.map(each).sum::<f64>()
                };
                let part = partitions[partition].1;
                let members = plan.populations.iter_enumerated();
                let members = members.filter(|(id, _)| plan.stores[cache.of].partition_of(*id) == part);
                caches.push(Cached {
                    cluster,
                    store,
                    plan: cache,
                    partition,
                    readers: members.map(|(id, population)| (id, reads(population))).collect(),
                    warm_at: 0.0,
                    reads: 0.0,
                    phase: Phase::Empty,
                    warmth: Warmth::Empty,
                    cause: None,
                });
            }
        }
    }
    caches
}

impl World<'_> {
    /// Caches that are read when the run begins have been read for long.
    pub(super) fn preheat_caches(&mut self) {
        for position in 0..self.caches.len() {
            let reads = self.reads(&self.caches[position], SimTime::ZERO);
            if reads > 0.0 {
                self.caches[position].phase = Phase::Warm;
                self.caches[position].warm_at = reads;
            }
        }
    }

    /// Sees what became of the caches.
    pub(super) fn review_caches(&mut self, now: SimTime) {
        for position in 0..self.caches.len() {
            self.caches[position].reads = self.reads(&self.caches[position], now);
            let (before, ttl) = (self.caches[position].phase, self.caches[position].plan.ttl);
            let phase = self.phase_of(&self.caches[position], now);
            let cause = self.why_cold(&self.caches[position]);
            let cache = &mut self.caches[position];
            cache.phase = phase;
            // What goes wrong now goes on to be the cause until it is warm again.
            cache.cause = if phase == Phase::Warm { None } else { cache.cause.or(cause.map(|root| (root, now))) };
            match phase {
                Phase::Warm => cache.warm_at = cache.reads,
                Phase::Empty => cache.warm_at = 0.0,
                // It was unread, or couldn't be filled, for too long.
                Phase::Warming(_) if !matches!(before, Phase::Warm | Phase::Warming(_)) => cache.warm_at = 0.0,
                Phase::Warming(_) | Phase::Unread(_) | Phase::Starving(_) => {}
            }
            cache.warmth = match phase {
                Phase::Warm | Phase::Unread(_) => Warmth::Warm,
                Phase::Starving(since) => Warmth::starving(now.since(since), ttl),
                Phase::Empty => Warmth::Empty,
                Phase::Warming(since) => {
                    Warmth::warming(now.since(since), ttl, cache.warm_at / cache.reads.max(f64::MIN_POSITIVE))
                }
            };
            if phase == before {
                continue;
            }
            let ends: Vec<Span> = match phase {
                Phase::Starving(_) => Warmth::starving_ends(ttl).collect(),
                Phase::Warming(_) => Warmth::warming_ends(ttl).collect(),
                Phase::Warm | Phase::Unread(_) | Phase::Empty => Vec::new(),
            };
            for end in ends {
                self.events.schedule(now + end, Event::Caches);
            }
        }
    }

    /// Why a cache loses what it holds now, or can't be filled.
    fn why_cold(&self, cache: &Cached) -> Option<Id<Root>> {
        let route = || match self.read_route(cache.cluster, cache.partition) {
            Route::Fail(_, root) => Some(root),
            Route::Via(..) | Route::Near(_) | Route::Deposed(_) | Route::Vote(..) | Route::Cache(_) => None,
        };
        let front = self.fronts[cache.cluster].condition.down;
        front.or_else(|| self.why_gone(cache.cluster, cache.store)).or_else(|| self.fronted(cache)).or_else(route)
    }

    /// Why the service that misses call is down here.
    fn fronted(&self, cache: &Cached) -> Option<Id<Root>> {
        let station = cache.plan.through.and_then(|service| self.plan.clusters[cache.cluster].station_of[service]);
        let holds = self.index.stations[cache.cluster].iter().filter(|hold| Some(hold.0) == station);
        self.why_down(holds.map(|hold| hold.1))
    }

    /// What made a cluster's caches cold, the earliest first.
    pub(super) fn cold_cause(&self, cluster: Id<Cluster>) -> Option<(Id<Root>, SimTime)> {
        let of = self.caches.iter().filter(|cache| cache.cluster == cluster && cache.reads > 0.0);
        of.filter_map(|cache| cache.cause).min_by_key(|&(_, since)| since)
    }

    fn phase_of(&self, cache: &Cached, now: SimTime) -> Phase {
        // What is down loses its memory.
        if self.fronts[cache.cluster].condition.down.is_some() || self.why_gone(cache.cluster, cache.store).is_some() {
            return Phase::Empty;
        }
        let lives = |since: SimTime| now.since(since) < cache.plan.ttl;
        let more = cache.reads > MORE * cache.warm_at;
        match (cache.phase, cache.reads > 0.0, self.can_fill(cache)) {
            (Phase::Warm | Phase::Warming(_), false, _) => Phase::Unread(now),
            (Phase::Unread(since) | Phase::Starving(since), false, _) => Phase::Unread(since),
            (Phase::Warm, true, true) => {
                if more {
                    Phase::Warming(now)
                } else {
                    Phase::Warm
                }
            }
            (Phase::Warm, true, false) => Phase::Starving(now),
            (Phase::Unread(since) | Phase::Starving(since), true, true) if lives(since) => Phase::Warm,
            (Phase::Unread(since) | Phase::Starving(since), true, false) if lives(since) => Phase::Starving(since),
            (Phase::Warming(since), true, true) if lives(since) => Phase::Warming(since),
            (Phase::Warming(_), true, true) => Phase::Warm,
            (Phase::Unread(_) | Phase::Starving(_) | Phase::Empty, true, true) => Phase::Warming(now),
            (Phase::Unread(_) | Phase::Starving(_) | Phase::Warming(_), true, false) | (Phase::Empty, _, _) => {
                Phase::Empty
            }
        }
    }

    /// Reads per second by those who are served here, on average over this step, in a mean hour.
    fn reads(&self, cache: &Cached, now: SimTime) -> f64 {
        let of = |&(population, rate): &Reader| {
            let (start, end, _) = self.shares(now, cache.cluster, population);
            let share = 0.5 * (start + end);
            if share > 0.0 && self.cut_off(population, cache.cluster).is_none() {
                rate * share * self.routed[population].factor
            } else {
                0.0
            }
        };
        cache.readers.iter().map(of).sum()
    }

    /// What misses can be fetched.
    fn can_fill(&self, cache: &Cached) -> bool {
        self.fronted(cache).is_none() && !matches!(self.read_route(cache.cluster, cache.partition), Route::Fail(..))
    }

    /// What a cluster's cache holds for a population; nothing where there is none.
    pub(super) fn warmth(&self, cluster: Id<Cluster>, store: Id<Store>, population: Id<Population>) -> Warmth {
        let of = |cache: &&Cached| {
            let part = self.plan.stores[cache.plan.of].partition_of(population);
            cache.cluster == cluster && cache.store == store && self.partitions[cache.partition].1 == part
        };
        self.caches.iter().find(of).map_or(Warmth::Empty, |cache| cache.warmth)
    }
}
