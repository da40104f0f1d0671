//! Releases, rollouts and drift; nothing where the plan has none.

use super::catalogue::{
    BLAST_RADIUS, DRIFT_TIME, DRIFTS, EXPOSURE, ORPHAN_TIME, ORPHANS, RELEASE_LEAD_TIME, RELEASES, RELEASES_BAD,
    ROLLOUT_DURATION, ROLLOUTS, TAKEOVERS, TAKEOVERS_BEHIND, TAKEOVERS_STALE,
};
use super::facts::Facts;
use super::key::Metric;
use super::sheet::{Of, Sheet, per};
use crate::plan::Hit;

pub(super) fn put(sheet: &mut Sheet, facts: &Facts) {
    let (plan, tally) = (&facts.plan.rollout, &facts.seen.rollouts);
    let mut put = |metric, value| sheet.put(metric, Of::ALL, value);
    if !plan.releases.is_empty() {
        put(&ROLLOUTS, Some(tally.rollouts as f64));
        put(&ROLLOUT_DURATION, per(tally.duration.0, tally.duration.1 as f64));
        put(&RELEASES, Some(tally.commits as f64));
        put(&RELEASES_BAD, Some(tally.bad as f64));
        put(&RELEASE_LEAD_TIME, per(tally.lead.0, tally.lead.1 as f64));
        put(&BLAST_RADIUS, Some(tally.peak));
        put(&EXPOSURE, Some(tally.exposed));
        put(&TAKEOVERS, Some(tally.takeovers as f64));
        put(&TAKEOVERS_STALE, per(tally.stale.1 as f64, tally.takeovers as f64));
        put(&TAKEOVERS_BEHIND, per(tally.stale.0, tally.stale.1 as f64));
    }
    let mut held = |[count, time]: [&'static Metric; 2], hits: &[Hit]| {
        let held = || hits.iter().map(|hit| facts.seen.faults[hit.root.index()]);
        if !hits.is_empty() {
            put(count, Some(held().map(|(count, _)| count as f64).sum()));
            put(time, Some(held().map(|(_, seconds)| seconds).sum()));
        }
    };
    let drifts: Vec<Hit> = plan.drifts.iter().map(|drift| drift.hit).collect();
    held([&DRIFTS, &DRIFT_TIME], &drifts);
    let orphans = plan.releases.iter().filter_map(|release| release.orphan.as_ref());
    let orphans: Vec<Hit> = orphans.flat_map(|orphan| orphan.members.iter().map(|member| member.1)).collect();
    held([&ORPHANS, &ORPHAN_TIME], &orphans);
}
