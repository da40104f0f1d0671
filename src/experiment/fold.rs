//! From what is kept of a variant's seeds to its figures.

use super::kept::Kept;
use super::results::{
    Direction, LatencyCurve, Map, MapCluster, MapPopulation, MetricResult, Note, NoteKind, Objective, OutageRecord,
    RevisionRecord, VariantResult,
};
use super::run::Job;
use crate::domain::observation::curve_node;
use crate::metric::catalogue::REQUESTS_LOST;
use crate::metric::values::lost_key;
use crate::metric::{Dims, Key, Layout};
use crate::plan::{Plan, PopulationPlan};
use crate::scenario::spec::Expectation;
use crate::stats::{Column, Summary, wilson};
use core::iter::repeat;
use rayon::prelude::*;
use std::sync::Arc;

/// Shown before a bad day begins.
const LEAD_S: f64 = 600.0;
/// Shown after it ends.
const TRAIL_S: f64 = 1200.0;
/// A timeline is at most this long.
const LONGEST_S: f64 = 12.0 * 3600.0;

/// Folds one variant, but for its timeline. The notes say which objectives couldn't be judged.
pub fn variant(job: &Job, layout: &Layout, kept: &Kept) -> (VariantResult, Vec<Note>) {
    let plan = &job.plan;
    let metrics = metrics(plan, layout, kept);
    let mut notes = Vec::new();
    let mut objectives = Vec::new();
    for expectation in &job.scenario.spec.expect {
        for (bound, direction) in [(expectation.at_least, Direction::AtLeast), (expectation.at_most, Direction::AtMost)]
        {
            let Some(bound) = bound else { continue };
            match objective(&metrics, expectation, bound.get(), direction) {
                Some(objective) => objectives.push(objective),
                None => notes.push(Note {
                    kind: NoteKind::Limit,
                    text: format!(
                        "The objective on {} couldn't be judged for {}: no seed has a value.",
                        expectation.metric, plan.variant
                    ),
                }),
            }
        }
    }
    let result = VariantResult {
        name: plan.variant.clone(),
        summary: job.scenario.variant_summary.clone(),
        metrics,
        objectives,
        latency: curves(plan, kept),
        outages: outages(plan, kept),
        revisions: revisions(plan, kept),
        exposures: kept.exposures().to_vec(),
        timeline: None,
        map: map(plan),
        resolved: job.resolved.clone(),
    };
    (result, notes)
}

/// Every metric over all seeds, in the order of the catalogue; losses by stage and root after the other losses.
fn metrics(plan: &Plan, layout: &Layout, kept: &Kept) -> Vec<MetricResult> {
    let sparse = kept.losses().map(|(stage, root, column)| (lost_key(plan, stage, root), column));
    let keys = layout.keys();
    let dense = |position: usize| (keys[position].clone(), kept.column(position));
    let split = keys.iter().rposition(|key| key.metric.name == REQUESTS_LOST.name).map_or(keys.len(), |last| last + 1);
    let all: Vec<(Key, Arc<Column>)> =
        (0..split).map(dense).chain(sparse).chain((split..keys.len()).map(dense)).collect();
    all.into_par_iter().map(|(key, column)| metric(&key, column)).collect()
}

/// What each cluster ran when, in the first seed.
fn revisions(plan: &Plan, kept: &Kept) -> Vec<RevisionRecord> {
    kept.revisions()
        .iter()
        .map(|run| RevisionRecord {
            cluster: plan.clusters[run.cluster].name.clone(),
            revision: run.revision,
            from_s: run.from,
            to_s: run.to,
            why: run.why,
        })
        .collect()
}

/// One metric over all seeds.
pub(super) fn metric(key: &Key, values: Arc<Column>) -> MetricResult {
    let present: Vec<f64> = values.present().collect();
    let summary = Summary::of(&present);
    let of = |figure: fn(&Summary) -> f64| summary.as_ref().map(figure);
    MetricResult {
        metric: key.metric.name.to_owned(),
        dims: key.dims.clone(),
        unit: key.metric.unit,
        better: key.metric.better,
        n: present.len() as u32,
        mean: of(|summary| summary.mean),
        sd: summary.and_then(|summary| summary.sd),
        ci95: summary.and_then(|summary| summary.ci95),
        min: of(|summary| summary.min),
        p1: of(|summary| summary.p1),
        p5: of(|summary| summary.p5),
        p50: of(|summary| summary.p50),
        p95: of(|summary| summary.p95),
        p99: of(|summary| summary.p99),
        max: of(|summary| summary.max),
        values,
    }
}

/// A metric that tells of something going wrong: without a value, nothing went wrong.
pub(super) fn tells_of_incidents(metric: &str) -> bool {
    metric.starts_with("outages")
        || metric.starts_with("rto.")
        || metric == "rpo.seconds"
        || metric.starts_with("resync.")
}

/// What an expectation is of.
pub(super) fn dims_of(expectation: &Expectation) -> Dims {
    Dims {
        population: expectation.population.clone(),
        journey: expectation.journey.clone(),
        cluster: expectation.cluster.clone(),
        service: expectation.service.clone(),
        store: expectation.store.clone(),
        ..Dims::default()
    }
}

/// The share of seeds that meet a bound; `None` if no seed can say.
///
/// A seed without a value is left out; but where the metric tells of incidents and the seed had none, it meets an
/// upper bound, and a recovery that failover didn't achieve doesn't.
fn objective(
    metrics: &[MetricResult],
    expectation: &Expectation,
    target: f64,
    direction: Direction,
) -> Option<Objective> {
    let dims = dims_of(expectation);
    let found = |name: &str| metrics.iter().find(|metric| metric.metric == name && metric.dims == dims);
    let metric = found(&expectation.metric)?;
    let unachieved = found("rto.not-achieved").filter(|_| metric.metric.starts_with("rto."));
    let met = |(value, fails): (Option<f64>, bool)| match (value, direction) {
        (Some(value), Direction::AtLeast) => Some(value >= target),
        (Some(value), Direction::AtMost) => Some(value <= target),
        (None, Direction::AtMost) => tells_of_incidents(&metric.metric).then_some(!fails),
        (None, Direction::AtLeast) => None,
    };
    let fails = unachieved.into_iter().flat_map(|unachieved| unachieved.values.iter()).map(|value| value.is_some());
    let verdicts: Vec<bool> = metric.values.iter().zip(fails.chain(repeat(false))).filter_map(met).collect();
    let (n, met) = (verdicts.len() as u64, verdicts.iter().filter(|met| **met).count() as u64);
    (n > 0).then(|| Objective {
        metric: expectation.metric.clone(),
        dims,
        target,
        direction,
        unit: metric.unit,
        p_met: met as f64 / n as f64,
        p_met_ci95: wilson(met, n, 0.95),
    })
}

/// Latency by population, then of all: each seed's distribution weighted by its good requests.
fn curves(plan: &Plan, kept: &Kept) -> Vec<LatencyCurve> {
    let names = plan.populations.iter().map(|population| Some(population.name.clone())).chain([None]);
    names
        .zip(kept.latency())
        .filter(|(_, (_, good))| *good > 0.0)
        .map(|(population, (sums, good))| LatencyCurve { population, points: rising(sums, *good) })
        .collect()
}

/// The points at which a distribution rises, and the last one before it begins to.
fn rising(sums: &[f64], whole: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (node, sum) in sums.iter().enumerate() {
        let (seconds, share) = (curve_node(node), (sum / whole).min(1.0));
        match points.last_mut() {
            Some(last) if share <= last.1 => {
                if last.1 == 0.0 {
                    *last = (seconds, 0.0);
                }
            }
            Some(_) | None => points.push((seconds, share)),
        }
    }
    points
}

/// The longest outages over all seeds.
fn outages(plan: &Plan, kept: &Kept) -> Vec<OutageRecord> {
    kept.outages()
        .iter()
        .map(|(replication, outage)| OutageRecord {
            seed: *replication as u32,
            population: plan.populations[outage.population].name.clone(),
            journey: plan.journeys[outage.journey].name.clone(),
            start_s: outage.start,
            duration_s: outage.end - outage.start,
            lost: outage.lost,
            root: plan.roots[outage.root].label(),
            rto_service_s: outage.recovery.and_then(|recovery| recovery.service),
            rto_users_s: outage.recovery.and_then(|recovery| recovery.users),
        })
        .collect()
}

/// What a timeline shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    /// Of which replication.
    pub replication: u64,
    /// From when, in seconds from the start of the horizon.
    pub from_s: f64,
    /// Until when.
    pub to_s: f64,
}

/// The day to tell of: the first scripted incident in the first seed, or the outage with most lost requests in
/// any seed. From ten minutes before until twenty after whatever was out by then is back; twelve hours at most.
pub fn window(plan: &Plan, kept: &Kept) -> Option<Window> {
    let horizon = plan.horizon.secs();
    let warm_up = plan.warm_up.secs();
    let scripted = plan
        .incidents
        .iter()
        .map(|incident| (incident.at.secs() - warm_up, incident.lasts.secs()))
        .filter(|(at, _)| *at < horizon)
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let (seed, start, end) = if let Some((at, lasts)) = scripted {
        (kept.first()?, at, at + lasts)
    } else {
        let (seed, outage) = kept.worst()?;
        (seed, outage.start, outage.end)
    };
    // A failover brings users back long before the repair: its stages are what the picture is for.
    let overlapping = seed.outages.iter().filter(|outage| outage.start <= end && outage.end >= start);
    let end = overlapping.map(|outage| outage.end).reduce(f64::max).unwrap_or(end);
    let from_s = (start - LEAD_S).max(0.0);
    let to_s = (end + TRAIL_S).min(from_s + LONGEST_S).min(horizon);
    (from_s < to_s).then_some(Window { replication: seed.replication, from_s, to_s })
}

/// Where things are, and who serves whom when all is well.
fn map(plan: &Plan) -> Map {
    Map {
        clusters: plan
            .clusters
            .iter()
            .filter_map(|cluster| {
                let region = &plan.regions[cluster.region];
                let (lat, lon) = region.at?;
                let (name, region) = (cluster.name.clone(), region.name.clone());
                Some(MapCluster { name, region, lat, lon, standby: cluster.standby })
            })
            .collect(),
        populations: plan
            .populations
            .iter()
            .filter_map(|population| {
                let (lat, lon) = population.at?;
                let (name, rate) = (population.name.clone(), population.rate);
                Some(MapPopulation { name, lat, lon, rate, served_by: served_by(plan, population) })
            })
            .collect(),
    }
}

fn served_by(plan: &Plan, population: &PopulationPlan) -> Vec<(String, f64, f64)> {
    let allowed = |&&pair: &&usize| !population.forbidden[plan.pairs[pair].primary];
    let one = |pair: usize, share: f64| {
        let primary = plan.pairs[pair].primary;
        (plan.clusters[primary].name.clone(), share, population.rtt[primary])
    };
    match &population.weights {
        None => population.order.iter().find(allowed).map(|&pair| one(pair, 1.0)).into_iter().collect(),
        Some(weights) => {
            let whole: f64 = population.order.iter().filter(allowed).map(|&pair| weights[pair]).sum();
            let parts = population.order.iter().filter(allowed).filter(|&&pair| weights[pair] > 0.0);
            parts.map(|&pair| one(pair, weights[pair] / whole)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Id;
    use crate::base::{SimTime, Span};
    use crate::domain::Stage;
    use crate::metric::values::OUTAGES_KEPT;
    use crate::metric::{RunSummary, fixture};
    use crate::plan::IncidentPlan;

    fn job() -> Job {
        Job { plan: fixture::plan(), scenario: fixture::scenario(), resolved: "format = 1".to_owned() }
    }

    /// Seeds with these scales of loss.
    fn summaries(plan: &Plan, scales: &[f64]) -> Vec<RunSummary> {
        let layout = Layout::new(plan);
        let seed = |(replication, scale): (usize, &f64)| {
            let summary = layout.summarise(plan, &fixture::observations(*scale));
            RunSummary { replication: replication as u64, ..summary }
        };
        scales.iter().enumerate().map(seed).collect()
    }

    fn folded(scales: &[f64]) -> (VariantResult, Vec<Note>) {
        let job = job();
        variant(&job, &Layout::new(&job.plan), &kept(&summaries(&job.plan, scales)))
    }

    fn kept(summaries: &[RunSummary]) -> Kept {
        summaries.iter().cloned().collect()
    }

    #[test]
    fn a_metric_over_seeds() {
        let (result, _) = folded(&[0.0, 1.0, 2.0]);
        let lost = result.metrics.iter().find(|metric| metric.metric == "requests.lost").unwrap();
        assert!(lost.values.iter().eq([Some(0.0), Some(10_500.0), Some(21_000.0)]));
        assert_eq!((lost.n, lost.mean, lost.sd, lost.max), (3, Some(10_500.0), Some(10_500.0), Some(21_000.0)));
        let rto = result.metrics.iter().find(|metric| metric.metric == "rto.users").unwrap();
        assert_eq!((rto.n, rto.mean, rto.values.iter().next()), (2, Some(130.0), Some(None)));
        let none = folded(&[0.0]).0;
        let rto = none.metrics.iter().find(|metric| metric.metric == "rto.users").unwrap();
        assert_eq!((rto.n, rto.mean, rto.ci95), (0, None, None));
    }

    #[test]
    fn losses_by_stage_and_root_are_the_union_over_seeds() {
        let (result, _) = folded(&[0.0, 1.0]);
        let by_stage: Vec<_> = result
            .metrics
            .iter()
            .filter(|metric| metric.dims.stage.is_some())
            .map(|metric| {
                (metric.dims.stage.unwrap(), metric.dims.root.clone().unwrap(), metric.values.iter().collect())
            })
            .collect();
        let expected = [
            (Stage::Undetected, "outage: east", 7000.0),
            (Stage::Promoting, "outage: east", 3000.0),
            (Stage::Overload, "outage: west", 500.0),
        ]
        .map(|(stage, root, lost)| (stage, root.to_owned(), vec![Some(0.0), Some(lost)]));
        assert_eq!(by_stage, expected);
        let ranks: Vec<_> = result
            .metrics
            .iter()
            .map(|found| crate::metric::catalogue::ALL.iter().position(|metric| metric.name == found.metric))
            .collect();
        assert!(ranks.is_sorted(), "the catalogue's order");
    }

    #[test]
    fn objectives_are_shares_of_seeds() {
        // Availability 0.9965 times the scale's losses against 0.999; rto.users is 130 s where there is an outage.
        let (result, notes) = folded(&[0.0, 0.1, 0.2, 1.0]);
        assert!(notes.is_empty());
        let [availability, rto] = &result.objectives[..] else { panic!("{:?}", result.objectives) };
        assert_eq!((availability.p_met, availability.direction), (0.75, Direction::AtLeast));
        let [low, high] = availability.p_met_ci95;
        // Wilson's by hand for 3 of 4.
        assert!((low - 0.30064).abs() < 1e-4 && (high - 0.95441).abs() < 1e-4, "{low} {high}");
        // A seed without an outage meets it.
        assert_eq!((rto.target, rto.p_met), (300.0, 1.0));
    }

    #[test]
    fn a_recovery_that_failover_did_not_achieve_breaks_its_objective() {
        let plan = fixture::plan();
        let layout = Layout::new(&plan);
        let mut seen = fixture::observations(1.0);
        for outage in &mut seen.outages {
            outage.recovery = outage.recovery.map(|recovery| crate::domain::observation::Recovery {
                service: None,
                users: None,
                ..recovery
            });
        }
        let seeds = [layout.summarise(&plan, &seen), layout.summarise(&plan, &fixture::observations(0.0))];
        let (result, _) = variant(&job(), &layout, &kept(&seeds));
        assert_eq!(result.objectives[1].p_met, 0.5);
    }

    #[test]
    fn an_objective_that_no_seed_can_judge_is_a_note() {
        let mut job = job();
        job.scenario.spec.expect[0].metric = "latency.p50".to_owned();
        job.scenario.spec.expect[0].journey = Some("browse".to_owned());
        let (result, notes) = variant(&job, &Layout::new(&job.plan), &kept(&summaries(&job.plan, &[1.0])));
        assert_eq!((result.objectives.len(), notes.len()), (1, 1));
        assert!(notes[0].text.contains("latency.p50"));
    }

    #[test]
    fn curves_are_weighted_by_good_requests() {
        let plan = fixture::plan();
        let mut seeds = summaries(&plan, &[0.0, 0.0]);
        // The second seed is all at the last node, and has a third of the requests.
        seeds[1].curves[2] = (0..128).map(|k| if k == 127 { 1.0 } else { 0.0 }).collect();
        seeds[1].good[2] /= 2.0;
        let curves = curves(&plan, &kept(&seeds));
        assert_eq!(
            curves.iter().map(|curve| curve.population.as_deref()).collect::<Vec<_>>(),
            [Some("us"), Some("eu"), None]
        );
        let points = &curves[2].points;
        assert_eq!(points.len(), 3);
        assert_eq!((points[0].1, points[2]), (0.0, (curve_node(127), 1.0)));
        // The first node at or past 10 ms: 1.1^25 = 10.83.
        assert!((points[1].0 - 0.010_834_7).abs() < 1e-7 && (points[1].1 - 2.0 / 3.0).abs() < 1e-12, "{points:?}");
        seeds[0].good[0] = 0.0;
        seeds[1].good[0] = 0.0;
        assert_eq!(super::curves(&plan, &kept(&seeds)).len(), 2);
    }

    #[test]
    fn outages_are_worst_first_and_capped() {
        let (result, _) = folded(&[1.0; 100]);
        assert_eq!(result.outages.len(), OUTAGES_KEPT);
        let worst = &result.outages[0];
        assert_eq!((worst.seed, worst.duration_s, worst.root.as_str()), (0, 3600.0, "outage: east"));
        assert_eq!((worst.rto_service_s, worst.rto_users_s), (Some(94.0), Some(200.0)));
        assert_eq!((result.outages[99].seed, result.outages[100].duration_s), (99, 1800.0));
    }

    #[test]
    fn the_day_to_tell_of() {
        let mut plan = fixture::plan();
        assert_eq!(window(&plan, &kept(&summaries(&plan, &[0.0, 0.0]))), None);
        let seeds = summaries(&plan, &[0.0, 1.0, 2.0, 2.0]);
        assert_eq!(window(&plan, &kept(&seeds)), Some(Window { replication: 2, from_s: 400.0, to_s: 5800.0 }));
        let mut long = seeds.clone();
        long[2].outages[0].end = 1e5;
        assert_eq!(window(&plan, &kept(&long)), Some(Window { replication: 2, from_s: 400.0, to_s: 43_600.0 }));
        // A script beats an outage; its window lasts until what overlaps is over.
        plan.warm_up = Span::HOUR;
        plan.incidents.push(IncidentPlan {
            effect: crate::failure::spec::EffectSpec::default(),
            at: SimTime::from_nanos(6_600_000_000_000).since(SimTime::ZERO),
            lasts: Span::from_whole_secs(600),
            members: Vec::new(),
        });
        assert_eq!(window(&plan, &kept(&seeds)), Some(Window { replication: 0, from_s: 2400.0, to_s: 4800.0 }));
        assert_eq!(window(&plan, &kept(&seeds[2..])), Some(Window { replication: 2, from_s: 2400.0, to_s: 5800.0 }));
    }

    #[test]
    fn the_map_shows_who_serves_whom() {
        let mut plan = fixture::plan();
        let served = |plan: &Plan| map(plan).populations[0].served_by.clone();
        assert_eq!(served(&plan), [("a".to_owned(), 1.0, 0.01)]);
        assert_eq!(map(&plan).clusters.iter().map(|cluster| cluster.standby).collect::<Vec<_>>(), [false, true]);
        plan.pairs = [0, 1].map(|id| crate::plan::PairPlan { primary: Id::new(id), standby: None }).to_vec();
        let us = &mut plan.populations[Id::new(0)];
        us.order = vec![0, 1];
        us.weights = Some(vec![1.0, 3.0]);
        assert_eq!(served(&plan), [("a".to_owned(), 0.25, 0.01), ("b".to_owned(), 0.75, 0.07)]);
        plan.populations[Id::new(0)].forbidden[Id::new(0)] = true;
        assert_eq!(served(&plan), [("b".to_owned(), 1.0, 0.07)]);
    }
}
