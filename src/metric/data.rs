//! Data: writes and what became of them, stale reads, and what left the places that a population prefers.
//!
//! What a promotion lost is shared out over the journeys as they write when all is well.

use super::catalogue::{
    CACHE_HIT_RATIO, READ_LATENCY, READ_LATENCY_P50, READ_LATENCY_P99, READ_LATENCY_P999, READS, READS_CONSISTENT,
    READS_STALE, READS_STALE_SHARE, RESIDENCY_VIOLATIONS, RESYNC_BYTES, RESYNC_SECONDS, RESYNCS, RPO_SECONDS,
    VISIBILITY, WRITE_LATENCY, WRITE_LATENCY_P50, WRITE_LATENCY_P99, WRITE_LATENCY_P999, WRITES, WRITES_CONFLICTING,
    WRITES_DURABLE, WRITES_LOST, WRITES_MERGED,
};
use super::facts::Facts;
use super::key::Metric;
use super::sheet::{Of, Sheet, mean, per};
use crate::base::Id;
use crate::domain::observation::{ACCESS_QUANTILES, DataTally, Promotion};
use crate::domain::{Journey, Store};
use crate::plan::{Plan, StepPlan};
use crate::replication::spec::Replication;

/// In the order of [`ACCESS_QUANTILES`].
const WRITE_QUANTILES: [&Metric; ACCESS_QUANTILES.len()] =
    [&WRITE_LATENCY_P50, &WRITE_LATENCY_P99, &WRITE_LATENCY_P999];
const READ_QUANTILES: [&Metric; ACCESS_QUANTILES.len()] = [&READ_LATENCY_P50, &READ_LATENCY_P99, &READ_LATENCY_P999];

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    let Facts { plan, seen, .. } = *facts;
    let stores = || plan.stores.keys();
    let journeys = || plan.journeys.keys().map(Of::journey);
    let rpo = |counts: &dyn Fn(Id<Store>) -> bool| {
        // Where nobody writes there is nothing to lose.
        let written = |promotion: &&Promotion| counts(promotion.store) && is_written(plan, promotion);
        mean(seen.promotions.iter().filter(written).map(|promotion| promotion.rpo))
    };
    // Stores that wait for all followers would only water down those that don't.
    let lags = |store: Id<Store>| match plan.stores[store].replication {
        Replication::Async(_) | Replication::SemiSync(_) => true,
        Replication::Sync(_) | Replication::Quorum(_) | Replication::MultiLeader(_) | Replication::Cache(_) => false,
    };
    let some_lag = stores().any(lags);
    sheet.put(&RPO_SECONDS, Of::ALL, rpo(&|store| !some_lag || lags(store)));
    for store in stores() {
        sheet.put(&RPO_SECONDS, Of::store(store), rpo(&|other| other == store));
    }
    for of in core::iter::once(Of::ALL).chain(stores().map(Of::store)) {
        let resyncs = || seen.resyncs.iter().filter(|resync| of.store.is_none_or(|store| store == resync.store));
        sheet.put(&RESYNCS, of, Some(resyncs().count() as f64));
        sheet.put(&RESYNC_SECONDS, of, mean(resyncs().map(|resync| resync.seconds)));
        sheet.put(&RESYNC_BYTES, of, mean(resyncs().map(|resync| resync.bytes)));
    }
    for of in core::iter::once(Of::ALL).chain(stores().map(Of::store)).chain(journeys()) {
        let mut sum = DataTally::default();
        for (store, by_journey) in stores().zip(&seen.data) {
            for (journey, done) in plan.journeys.keys().zip(by_journey) {
                if of.store.is_none_or(|id| id == store) && of.journey.is_none_or(|id| id == journey) {
                    sum.reads += done.reads;
                    sum.stale += done.stale;
                    sum.hits += done.hits;
                    sum.unseen += done.unseen;
                    sum.writes += done.writes;
                    sum.undone += done.undone;
                    sum.merged += done.merged;
                    sum.latency += done.latency;
                }
            }
        }
        // An empty sum of floats is -0.
        let lost = seen
            .promotions
            .iter()
            .filter(|promotion| promotion.lost > 0.0 && of.store.is_none_or(|store| store == promotion.store))
            .fold(0.0, |lost, promotion| {
                lost + promotion.lost * of.journey.map_or(1.0, |id| share(plan, promotion, id))
            });
        sheet.put(&WRITES, of, Some(sum.writes));
        sheet.put(&WRITES_DURABLE, of, Some(sum.writes - sum.undone - lost));
        sheet.put(&WRITES_LOST, of, Some(lost));
        sheet.put(&WRITES_CONFLICTING, of, Some(sum.undone));
        sheet.put(&WRITES_MERGED, of, Some(sum.merged));
        sheet.put(&WRITE_LATENCY, of, per(sum.latency, sum.writes));
        sheet.put(&READS, of, Some(sum.reads));
        sheet.put(&READS_STALE, of, Some(sum.stale));
        sheet.put(&READS_STALE_SHARE, of, per(sum.stale, sum.reads));
        if of.store.is_some_and(|store| plan.stores[store].read_after.is_some()) {
            sheet.put(&READS_CONSISTENT, of, per(sum.unseen, sum.reads).map(|unseen| 1.0 - unseen));
        }
    }
    for (store, done) in stores().zip(&seen.stores) {
        let of = Of::store(store);
        for (position, metric) in WRITE_QUANTILES.into_iter().enumerate() {
            sheet.put(metric, of, done.writes.map(|(_, quantiles)| quantiles[position]));
        }
        sheet.put(&READ_LATENCY, of, done.reads.map(|(mean, _)| mean));
        for (position, metric) in READ_QUANTILES.into_iter().enumerate() {
            sheet.put(metric, of, done.reads.map(|(_, quantiles)| quantiles[position]));
        }
        // How soon writes show through a cache is up to its time to live.
        sheet.put(&VISIBILITY, of, done.visible.filter(|_| plan.stores[store].cache.is_none()));
    }
    for (store, own) in plan.stores.iter_enumerated() {
        let done = &seen.data[store.index()];
        let sum = |of: fn(&DataTally) -> f64| done.iter().fold(0.0, |sum, done| sum + of(done));
        let ratio = per(sum(|done| done.hits), sum(|done| done.reads));
        sheet.put(&CACHE_HIT_RATIO, Of::store(store), ratio.filter(|_| own.cache.is_some()));
    }
    sheet.put(&RESIDENCY_VIOLATIONS, Of::ALL, Some(seen.violations.iter().fold(0.0, |sum, n| sum + n)));
    for (population, violations) in plan.populations.keys().zip(&seen.violations) {
        sheet.put(&RESIDENCY_VIOLATIONS, Of::population(population), Some(*violations));
    }
}

/// Acknowledged writes of a store that were lost or undone.
pub(super) fn not_kept(facts: &Facts, store: Id<Store>) -> f64 {
    let lost = facts.seen.promotions.iter().filter(|promotion| promotion.store == store);
    let undone = facts.seen.data[store.index()].iter().map(|done| done.undone);
    lost.fold(0.0, |sum, promotion| sum + promotion.lost) + undone.fold(0.0, |sum, undone| sum + undone)
}

/// Somebody writes to the partition that was promoted.
fn is_written(plan: &Plan, promotion: &Promotion) -> bool {
    plan.journeys.keys().any(|journey| share(plan, promotion, journey) > 0.0)
}

/// The share of a journey in the writes to a partition that was promoted.
fn share(plan: &Plan, promotion: &Promotion, journey: Id<Journey>) -> f64 {
    let writes = |id: Id<Journey>| {
        let writes = |step: &&StepPlan| matches!(step, StepPlan::Write(store, _) if *store == promotion.store);
        let each = plan.journeys[id].steps.iter().filter(writes).count() as f64;
        let of = plan.populations.iter_enumerated();
        let of = of.filter(|(population, _)| promotion.population.is_none_or(|id| id == *population));
        each * of.map(|(_, population)| population.rate * population.shares[id]).sum::<f64>()
    };
    per(writes(journey), plan.journeys.keys().map(writes).sum()).unwrap_or(0.0)
}
