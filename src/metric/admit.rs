//! Whether a summary that was read from a file is one of this plan's: a fold trusts the summaries that it is given.

use super::{Layout, RunSummary};
use crate::domain::observation::{CURVE_NODES, Outage};
use crate::plan::Plan;

impl Layout {
    /// Whether a summary has this plan's values, names only what the plan has, and holds numbers alone.
    pub fn admits(&self, plan: &Plan, summary: &RunSummary) -> bool {
        let rows = plan.populations.len() + 1;
        let outage = |outage: &Outage| {
            let recovery = outage.recovery.iter();
            let times = recovery.flat_map(|one| one.stages.into_iter().chain(one.service).chain(one.users));
            let own = [outage.start, outage.end, outage.below, outage.lost, outage.client, outage.lot];
            outage.population.index() < plan.populations.len()
                && outage.journey.index() < plan.journeys.len()
                && outage.root.index() < plan.roots.len()
                && are_finite(own.into_iter().chain(times))
        };
        summary.values.len() == self.keys().len()
            && are_finite(summary.values.iter().flatten().copied())
            && summary.losses.iter().all(|(_, root, lost)| root.index() < plan.roots.len() && lost.is_finite())
            && summary.outages.iter().all(outage)
            && (summary.curves.is_empty() || summary.curves.len() == rows)
            && summary.curves.iter().all(|curve| curve.len() <= CURVE_NODES && are_finite(curve.iter().copied()))
            && summary.good.len() == rows
            && are_finite(summary.good.iter().copied())
            && summary
                .revisions
                .iter()
                .all(|one| one.cluster.index() < plan.clusters.len() && one.from.is_finite() && one.to.is_finite())
            && are_finite(summary.exposures.iter().flat_map(|&(at, share)| [at, share]))
    }
}

fn are_finite(values: impl IntoIterator<Item = f64>) -> bool {
    values.into_iter().all(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::base::Id;

    #[test]
    fn what_another_plan_came_to_is_not_admitted() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let good = layout.summarise(&plan, &fixture::observations(1.0));
        assert!(layout.admits(&plan, &good) && !good.outages.is_empty() && !good.losses.is_empty());
        let wrong: [fn(&mut RunSummary); 8] = [
            |one| one.values.truncate(1),
            |one| one.values[0] = Some(f64::NAN),
            |one| one.losses[0].1 = Id::new(99),
            |one| one.outages[0].population = Id::new(99),
            |one| one.outages[0].end = f64::INFINITY,
            |one| one.curves.truncate(1),
            |one| one.good.truncate(1),
            |one| one.exposures.push((0.0, f64::NAN)),
        ];
        for (case, change) in wrong.iter().enumerate() {
            let mut other = good.clone();
            change(&mut other);
            assert!(!layout.admits(&plan, &other), "case {case}");
        }
    }
}
