//! From the facts of one seed to a value per metric.
//!
//! Which values a plan has depends on the plan alone, so all its seeds line up. The one exception is
//! `requests.lost` by stage and root, where most combinations never happen: they are kept apart, those that a
//! seed hasn't are 0, and the names are the union over the seeds, in the order of stages and roots.

use super::catalogue::{ALL, COST_PER_MILLION, COST_TOTAL, REQUESTS_LOST};
use super::facts::{Facts, Group, groups, nothing};
use super::key::{Dims, Key, Metric};
use super::sheet::{Of, Sheet, per};
use super::{availability, bill, data, latency, loss, recovery, stations};
use crate::base::Id;
use crate::domain::observation::Outage;
use crate::domain::{Observations, Root, Stage};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Outages that a summary keeps, the longest ones.
pub const OUTAGES_KEPT: usize = 200;

/// What one seed came to.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RunSummary {
    /// Which replication.
    pub replication: u64,
    /// A value per key of the [`Layout`]; `None` where it doesn't exist.
    pub values: Vec<Option<f64>>,
    /// Requests lost, by stage and root, in that order; 0 where a pair is absent.
    pub losses: Vec<(Stage, Id<Root>, f64)>,
    /// The longest outages, longest first.
    pub outages: Vec<Outage>,
    /// By population, then one for all: the distribution of latency, as [`Observations::curves`].
    pub curves: Vec<Vec<f64>>,
    /// Good requests, in the same order.
    pub good: Vec<f64>,
}

/// The names of a plan's values, in the order of the catalogue.
pub struct Layout {
    keys: Vec<Key>,
    groups: Vec<Group>,
    /// As the topics put them.
    entries: Vec<(&'static Metric, Of)>,
    /// Where each key's value is among those.
    order: Vec<usize>,
}

impl Layout {
    /// The names of this plan's values.
    pub fn new(plan: &Plan) -> Self {
        let groups = groups(plan);
        let entries = collect(plan, &groups, &nothing(plan)).entries;
        let rank = |metric: &Metric| ALL.iter().position(|other| other.name == metric.name);
        let ranks: Vec<_> = entries.iter().map(|(metric, _)| rank(metric)).collect();
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|&position| ranks[position]);
        let key = |&position: &usize| {
            let (metric, of) = &entries[position];
            Key { metric, dims: of.dims(plan) }
        };
        Self { keys: order.iter().map(key).collect(), groups, entries, order }
    }

    /// The names, in the order of [`RunSummary::values`].
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// One seed's values.
    ///
    /// # Panics
    /// If the observations aren't this plan's, or a value isn't finite.
    pub fn summarise(&self, plan: &Plan, seen: &Observations) -> RunSummary {
        let sheet = collect(plan, &self.groups, seen);
        assert!(sheet.entries == self.entries, "a plan's names don't depend on what happened");
        let mut losses: BTreeMap<(Stage, Id<Root>), f64> = BTreeMap::new();
        for loss in &seen.losses {
            *losses.entry((loss.stage, loss.root)).or_default() += loss.requests;
        }
        let mut outages = seen.outages.clone();
        outages.sort_by(worse);
        outages.truncate(OUTAGES_KEPT);
        let mut good = vec![0.0; plan.populations.len() + 1];
        for month in &seen.months {
            for (cell, n) in month.good.iter().enumerate() {
                good[cell / plan.journeys.len()] += n;
                good[plan.populations.len()] += n;
            }
        }
        RunSummary {
            replication: seen.replication,
            values: self.order.iter().map(|&position| sheet.values[position]).collect(),
            losses: losses.into_iter().map(|((stage, root), requests)| (stage, root, requests)).collect(),
            outages,
            curves: seen.curves.clone(),
            good,
        }
    }
}

/// Orders outages: longest first, then most lost, earliest, and by whose they are.
pub fn worse(a: &Outage, b: &Outage) -> core::cmp::Ordering {
    let length = |outage: &Outage| outage.end - outage.start;
    length(b)
        .total_cmp(&length(a))
        .then(b.lost.total_cmp(&a.lost))
        .then(a.start.total_cmp(&b.start))
        .then(a.population.cmp(&b.population))
        .then(a.journey.cmp(&b.journey))
}

/// The name of `requests.lost` by stage and root.
pub fn lost_key(plan: &Plan, stage: Stage, root: Id<Root>) -> Key {
    let of = Of { stage: Some(stage), root: Some(root), ..Of::ALL };
    Key { metric: &REQUESTS_LOST, dims: of.dims(plan) }
}

/// The position of a name.
pub fn position(keys: &[Key], metric: &str, dims: &Dims) -> Option<usize> {
    keys.iter().position(|key| key.metric.name == metric && key.dims == *dims)
}

fn collect(plan: &Plan, groups: &[Group], seen: &Observations) -> Sheet {
    let facts = Facts::new(plan, groups, seen);
    let mut sheet = Sheet::default();
    availability::put(&mut sheet, &facts);
    latency::put(&mut sheet, &facts);
    recovery::put(&mut sheet, &facts);
    data::put(&mut sheet, &facts);
    stations::put(&mut sheet, &facts);
    let bill = bill::put(&mut sheet, &facts);
    let loss = loss::put(&mut sheet, &facts);
    sheet.put(&COST_TOTAL, Of::ALL, Some(bill + loss));
    sheet.put(&COST_PER_MILLION, Of::ALL, per(bill * 1e6, facts.all().sum(&facts.good)));
    sheet
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::base::SimTime;
    use crate::domain::observation::{Latency, Loss, Month, Promotion, Recovery, StationTally};

    const MONTH: f64 = 730.0 * 3600.0;

    #[test]
    fn names_are_unique_and_in_catalogue_order() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let rank = |key: &Key| ALL.iter().position(|metric| metric.name == key.metric.name).unwrap();
        assert!(layout.keys().is_sorted_by_key(rank));
        for (i, key) in layout.keys().iter().enumerate() {
            assert_eq!(position(layout.keys(), key.metric.name, &key.dims), Some(i), "{key:?}");
        }
        // Every metric of the catalogue is of something here.
        for metric in ALL {
            assert!(layout.keys().iter().any(|key| key.metric.name == metric.name), "{}", metric.name);
        }
        let _ = SimTime::ZERO;
    }
}
