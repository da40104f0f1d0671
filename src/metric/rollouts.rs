//! Releases, rollouts and drift; nothing where the plan has none.

use super::catalogue::{
    BLAST_RADIUS, DRIFT_TIME, DRIFTS, EXPOSURE, RELEASE_LEAD_TIME, RELEASES, RELEASES_BAD, ROLLOUT_DURATION, ROLLOUTS,
};
use super::facts::Facts;
use super::sheet::{Of, Sheet, per};

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
    }
    if !plan.drifts.is_empty() {
        let held = || plan.drifts.iter().map(|drift| facts.seen.faults[drift.hit.root.index()]);
        put(&DRIFTS, Some(held().map(|(count, _)| count as f64).sum()));
        put(&DRIFT_TIME, Some(held().map(|(_, seconds)| seconds).sum()));
    }
}
