//! From the facts of one seed to a value per metric.
//!
//! Which values a plan has depends on the plan alone, so all its seeds line up. The one exception is
//! `requests.lost` by stage and root, where most combinations never happen: they are kept apart, those that a
//! seed hasn't are 0, and the names are the union over the seeds, in the order of stages and roots.

use super::catalogue::{ALL, COST_PER_MILLION, COST_TOTAL, REQUESTS_LOST};
use super::facts::{Facts, Group, groups, nothing};
use super::key::{Dims, Key, Metric};
use super::sheet::{Of, Sheet, per};
use super::{availability, bill, data, latency, loss, recovery, rollouts, stations};
use crate::base::Id;
use crate::domain::observation::Outage;
use crate::domain::rollout::Revision;
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
    /// What each cluster ran when; of the first seed only.
    #[serde(default)]
    pub revisions: Vec<Revision>,
    /// The share of all users on a bad release, as it changed; of the first seed only.
    #[serde(default)]
    pub exposures: Vec<(f64, f64)>,
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
        let entries = collect(plan, &groups, &nothing(plan), Sheet::of_names()).entries.unwrap_or_default();
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
        let sheet = collect(plan, &self.groups, seen, Sheet::of_values(self.entries.len()));
        assert_eq!(sheet.values.len(), self.entries.len(), "a plan's names don't depend on what happened");
        let same = sheet.entries.is_none_or(|entries| entries == self.entries);
        debug_assert!(same, "a plan's names don't depend on what happened");
        let mut losses: BTreeMap<(Stage, Id<Root>), f64> = BTreeMap::new();
        for loss in &seen.losses {
            *losses.entry((loss.stage, loss.root)).or_default() += loss.requests;
        }
        let mut outages: Vec<&Outage> = seen.outages.iter().collect();
        outages.sort_by(|a, b| worse(a, b));
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
            outages: outages.into_iter().take(OUTAGES_KEPT).cloned().collect(),
            curves: seen.curves.clone(),
            good,
            revisions: if seen.replication == 0 { seen.revisions.clone() } else { Vec::new() },
            exposures: if seen.replication == 0 { seen.exposures.clone() } else { Vec::new() },
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

/// A seed's values.
fn collect(plan: &Plan, groups: &[Group], seen: &Observations, mut sheet: Sheet) -> Sheet {
    let facts = Facts::new(plan, groups, seen);
    availability::put(&mut sheet, &facts);
    latency::put(&mut sheet, &facts);
    recovery::put(&mut sheet, &facts);
    data::put(&mut sheet, &facts);
    stations::put(&mut sheet, &facts);
    rollouts::put(&mut sheet, &facts);
    let bill = bill::put(&mut sheet, &facts);
    let loss = loss::put(&mut sheet, &facts);
    sheet.put(&COST_TOTAL, Of::ALL, Some(bill + loss));
    sheet.put(&COST_PER_MILLION, Of::ALL, per(bill * 1e6, facts.all().sum(&facts.good)));
    sheet
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, SECONDS};
    use super::*;

    /// The values of the fixture by name; a dimension is written `population=us`.
    struct Seed {
        layout: Layout,
        summary: RunSummary,
    }

    impl Seed {
        fn of(plan: &Plan, seen: &Observations) -> Self {
            let layout = Layout::new(plan);
            let summary = layout.summarise(plan, seen);
            Self { layout, summary }
        }

        fn value(&self, metric: &str, of: &str) -> Option<f64> {
            let mut dims = Dims::default();
            for part in of.split_whitespace() {
                let (name, value) = part.split_once('=').unwrap();
                let text = Some(value.to_owned());
                match name {
                    "population" => dims.population = text,
                    "journey" => dims.journey = text,
                    "cluster" => dims.cluster = text,
                    "service" => dims.service = text,
                    "store" => dims.store = text,
                    "root" => dims.root = Some(format!("outage: {value}")),
                    "month" => dims.month = Some(value.parse().unwrap()),
                    other => panic!("{other}"),
                }
            }
            let at = position(self.layout.keys(), metric, &dims).unwrap_or_else(|| panic!("{metric} {of}"));
            self.summary.values[at]
        }

        /// Each to 12 digits.
        fn holds(&self, expected: &[(&str, &str, f64)]) {
            for (metric, of, expected) in expected {
                let value = self.value(metric, of).unwrap_or_else(|| panic!("{metric} {of} is absent"));
                assert!(
                    (value - expected).abs() <= 1e-12 * expected.abs().max(1e-3),
                    "{metric} {of}: {value}, {expected}"
                );
            }
        }

        fn absent(&self, names: &[(&str, &str)]) {
            for (metric, of) in names {
                assert_eq!(self.value(metric, of), None, "{metric} {of}");
            }
        }
    }

    fn fixture() -> Seed {
        Seed::of(&fixture::plan(), &fixture::observations(1.0))
    }

    #[test]
    fn names_are_unique_and_in_catalogue_order() {
        let layout = Layout::new(&fixture::plan());
        let rank = |key: &Key| ALL.iter().position(|metric| metric.name == key.metric.name).unwrap();
        assert!(layout.keys().is_sorted_by_key(rank));
        for (i, key) in layout.keys().iter().enumerate() {
            assert_eq!(position(layout.keys(), key.metric.name, &key.dims), Some(i), "{key:?}");
        }
        // Plans without releases or drift have no metrics of them.
        let of_releases = |name: &str| {
            ["rollouts", "releases", "blast-radius", "drift", "promotions", "orphan"]
                .iter()
                .any(|of| name.starts_with(of))
        };
        for metric in ALL.iter().filter(|metric| !of_releases(metric.name)) {
            assert!(layout.keys().iter().any(|key| key.metric.name == metric.name), "{}", metric.name);
        }
    }

    #[test]
    fn requests_and_availability_by_hand() {
        fixture().holds(&[
            ("requests.offered", "", 3e6),
            ("requests.offered", "population=eu journey=checkout", 1e5),
            ("requests.good", "", 2_989_500.0),
            ("requests.lost", "", 10_500.0),
            ("requests.lost", "population=us", 10_000.0),
            ("requests.lost", "journey=browse", 9500.0),
            ("requests.lost", "population=us journey=checkout", 1000.0),
            ("availability", "", 0.9965),
            ("availability", "population=us", 0.995),
            ("availability", "population=eu", 0.9995),
            ("availability", "journey=checkout", 1.0 - 1.0 / 300.0),
            ("availability", "population=eu journey=checkout", 1.0),
            ("availability", "month=1", 1.0),
            ("availability", "month=2", 0.993),
            ("downtime", "", 2280.0),
            ("downtime", "population=us", 3420.0),
            ("downtime", "journey=browse", 2400.0),
            ("availability.time", "", 1.0 - 2280.0 / SECONDS),
            ("availability.all-up", "", 1.0 - 4000.0 / SECONDS),
            ("outages", "", 2.0),
            ("outages", "population=us", 1.0),
            ("outages", "population=eu journey=checkout", 0.0),
            ("outages.longest", "", 3600.0),
            ("outages.mean", "", 1850.0),
            ("outages.longest", "journey=checkout", 1800.0),
        ]);
        fixture().absent(&[("outages.longest", "population=eu journey=checkout")]);
    }

    #[test]
    fn recovery_data_and_latency_by_hand() {
        let seed = fixture();
        seed.holds(&[
            ("rto.service", "", 77.0),
            ("rto.users", "", 130.0),
            ("rto.detect", "", 32.0),
            ("rto.decide", "", 0.0),
            ("rto.promote", "", 45.0),
            ("rto.route", "", 0.0),
            ("rto.scale", "", 0.0),
            ("rto.dns-tail", "", 53.0),
            ("rto.not-achieved", "", 1.0 / 3.0),
            ("rto.not-achieved", "journey=checkout", 1.0),
            ("rto.users", "population=us", 200.0),
            ("rpo.seconds", "", 1.0),
            ("rpo.seconds", "store=orders", 1.0),
            ("writes.lost", "store=orders", 30.0),
            ("writes.latency.p99.9", "store=orders", 0.1),
            ("reads.latency", "store=orders", 0.002),
            ("reads.latency.p99", "store=orders", 0.004),
            ("reads.consistent-after", "store=orders", 0.998),
            ("visibility.p99.9", "store=orders", 6.9),
            ("residency.violations", "", 12.0),
            ("residency.violations", "population=eu", 7.0),
            ("latency.mean", "", 0.05),
            ("latency.p50", "population=eu", 0.11),
            ("latency.p99", "population=us", 0.08),
            ("latency.p99.9", "population=us", 0.1),
        ]);
        seed.absent(&[
            ("rto.service", "journey=checkout"),
            ("rto.not-achieved", "population=eu journey=checkout"),
            ("latency.p50", "journey=browse"),
        ]);
    }

    #[test]
    fn stations_and_faults_by_hand() {
        let seed = fixture();
        let web = "cluster=a service=web";
        seed.holds(&[
            ("utilisation", web, 0.5),
            ("utilisation.final", web, 0.55),
            ("replicas", web, 10.0),
            ("replicas", "", 10.0),
            ("replicas.final", web, 12.0),
            ("replicas.ready-final", web, 10.0),
            ("station.arrivals", web, 100.0),
            ("station.throughput", web, 99.0),
            ("station.rejected", web, 0.01),
            ("station.shed", web, SECONDS),
            ("station.waiting", web, 0.2),
            ("station.wait.mean", web, 0.004),
            ("station.wait.variance", web, 3.4e-5),
            ("station.wait.p95", web, 0.01),
            ("station.wait.met", web, 0.9),
            ("station.queue", web, 0.396),
            ("station.sojourn.mean", web, 0.024),
            ("station.in-system", web, 2.376),
            ("station.empty", web, 0.01),
            ("replicas", "cluster=b", 0.0),
            ("fault.count", "root=east", 3.0),
            ("fault.time", "root=west", 60.0),
        ]);
        let idle = "cluster=b service=web";
        seed.absent(&[
            ("station.rejected", idle),
            ("station.wait.mean", idle),
            ("station.wait.p50", idle),
            ("station.empty", idle),
        ]);
    }

    #[test]
    fn bill_and_loss_by_hand() {
        let bill = 600.0 + 292.0 + 73.0 + 700.8 + 46.0 + 1064.2 + 13.0 + 90.0 + 0.012 + 2.0 + 2000.0;
        let loss = 20_095.0 + 306_600.0 + 10_000.0;
        fixture().holds(&[
            ("node-hours", "", 2700.0),
            ("cost.nodes", "cluster=a", 420.0),
            ("cost.nodes", "", 600.0),
            ("cost.control-plane", "", 292.0),
            ("cost.control-plane", "cluster=b", 146.0),
            ("cost.load-balancers", "", 73.0),
            ("cost.databases", "", 2.0 * 0.24 * 1460.0),
            ("cost.storage", "store=orders", 46.0),
            ("cost.egress", "", 1062.2 + 2.0),
            ("cost.replication", "", 13.0),
            ("cost.cross-zone", "cluster=a", 80.0),
            ("cost.cross-zone", "", 90.0),
            ("cost.dns", "", 0.012),
            ("cost.health-checks", "", 2.0),
            ("cost.people", "", 2000.0),
            ("cost.bill", "", bill),
            ("cost.per-million-requests", "", bill / 2.9895),
            ("cost.loss-requests", "", 20_095.0),
            ("cost.loss-requests", "journey=browse", 95.0),
            ("cost.loss-minutes", "", 306_600.0),
            ("cost.loss-sla", "", 10_000.0),
            ("cost.loss", "", loss),
            ("cost.total", "", bill + loss),
        ]);
    }

    #[test]
    fn clusters_of_a_region_share_its_tiers() {
        let mut plan = fixture::plan();
        plan.clusters[Id::new(1)].region = Id::new(0);
        let seed = Seed::of(&plan, &fixture::observations(1.0));
        // 12,010 GB, then 60 GB.
        seed.holds(&[("cost.egress", "", 1062.2 + 10.0 * 0.085)]);
    }

    #[test]
    fn without_traffic_a_share_is_absent_and_the_bill_is_not() {
        let plan = fixture::plan();
        let mut seen = fixture::observations(0.0);
        for month in &mut seen.months {
            month.offered.fill(0.0);
            month.good.fill(0.0);
        }
        let seed = Seed::of(&plan, &seen);
        seed.absent(&[("availability", ""), ("downtime", ""), ("rpo.seconds", ""), ("cost.per-million-requests", "")]);
        seed.holds(&[("writes.lost", "", 0.0), ("cost.loss", "", 0.0), ("cost.people", "", 2000.0)]);
    }

    #[test]
    fn losses_add_up_and_the_longest_outages_come_first() {
        let plan = fixture::plan();
        let summary = Layout::new(&plan).summarise(&plan, &fixture::observations(1.0));
        let (east, west) = (Id::new(1), Id::new(2));
        let expected =
            [(Stage::Undetected, east, 7000.0), (Stage::Promoting, east, 3000.0), (Stage::Overload, west, 500.0)];
        assert_eq!(summary.losses, expected);
        assert_eq!(summary.outages.iter().map(|outage| outage.end).collect::<Vec<_>>(), [4600.0, 2800.0, 10_100.0]);
        assert_eq!(summary.good, [1_990_000.0, 999_500.0, 2_989_500.0]);
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<RunSummary>(&json).unwrap(), summary);
    }

    #[test]
    #[should_panic(expected = "is Some(NaN)")]
    fn what_is_not_a_number_is_a_bug() {
        let mut seen = fixture::observations(1.0);
        seen.latency[0].mean = f64::NAN;
        Layout::new(&fixture::plan()).summarise(&fixture::plan(), &seen);
    }
}
