//! From the summaries of a variant's seeds to its figures, in seed order.

use super::results::{
    Direction, LatencyCurve, Map, MapCluster, MapPopulation, MetricResult, Note, NoteKind, Objective, OutageRecord,
    Timeline, VariantResult,
};
use super::run::Job;
use crate::base::Id;
use crate::domain::observation::{Outage, curve_node};
use crate::domain::{Root, Stage};
use crate::metric::catalogue::REQUESTS_LOST;
use crate::metric::values::{OUTAGES_KEPT, lost_key, worse};
use crate::metric::{Dims, Key, Layout, RunSummary};
use crate::plan::{Plan, PopulationPlan};
use crate::scenario::spec::Expectation;
use crate::stats::{Summary, wilson};
use std::collections::BTreeSet;

/// Shown before a bad day begins.
const LEAD_S: f64 = 600.0;
/// Shown after it ends.
const TRAIL_S: f64 = 1200.0;
/// A timeline is at most this long.
const LONGEST_S: f64 = 12.0 * 3600.0;

/// Folds one variant. The notes say which objectives couldn't be judged.
pub fn variant(
    job: &Job,
    layout: &Layout,
    summaries: &[RunSummary],
    timeline: Option<Timeline>,
) -> (VariantResult, Vec<Note>) {
    let plan = &job.plan;
    let metrics = metrics(plan, layout, summaries);
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
        latency: curves(plan, summaries),
        outages: outages(plan, summaries),
        timeline,
        map: map(plan),
        resolved: job.resolved.clone(),
    };
    (result, notes)
}

/// Every metric over all seeds, in the order of the catalogue; losses by stage and root after the other losses.
fn metrics(plan: &Plan, layout: &Layout, summaries: &[RunSummary]) -> Vec<MetricResult> {
    let pairs: BTreeSet<(Stage, Id<Root>)> =
        summaries.iter().flat_map(|summary| summary.losses.iter().map(|&(stage, root, _)| (stage, root))).collect();
    let sparse = pairs.into_iter().map(|(stage, root)| {
        let lost = |summary: &RunSummary| {
            let found = summary.losses.iter().find(|&&(s, r, _)| (s, r) == (stage, root));
            Some(found.map_or(0.0, |&(_, _, requests)| requests))
        };
        metric(&lost_key(plan, stage, root), summaries.iter().map(lost).collect())
    });
    let dense = |position: usize| {
        metric(&layout.keys()[position], summaries.iter().map(|summary| summary.values[position]).collect())
    };
    let keys = layout.keys();
    let split = keys.iter().rposition(|key| key.metric.name == REQUESTS_LOST.name).map_or(keys.len(), |last| last + 1);
    (0..split).map(dense).chain(sparse).chain((split..keys.len()).map(dense)).collect()
}

/// One metric over all seeds.
fn metric(key: &Key, values: Vec<Option<f64>>) -> MetricResult {
    let present: Vec<f64> = values.iter().copied().flatten().collect();
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
fn tells_of_incidents(metric: &str) -> bool {
    metric.starts_with("outages") || metric.starts_with("rto.") || metric == "rpo.seconds"
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
    let dims =
        Dims { population: expectation.population.clone(), journey: expectation.journey.clone(), ..Dims::default() };
    let found = |name: &str| metrics.iter().find(|metric| metric.metric == name && metric.dims == dims);
    let metric = found(&expectation.metric)?;
    let unachieved = found("rto.not-achieved").filter(|_| metric.metric.starts_with("rto."));
    let met = |(seed, value): (usize, &Option<f64>)| match (value, direction) {
        (Some(value), Direction::AtLeast) => Some(*value >= target),
        (Some(value), Direction::AtMost) => Some(*value <= target),
        (None, Direction::AtMost) if tells_of_incidents(&metric.metric) => {
            Some(unachieved.is_none_or(|unachieved| unachieved.values[seed].is_none()))
        }
        (None, Direction::AtLeast | Direction::AtMost) => None,
    };
    let verdicts: Vec<bool> = metric.values.iter().enumerate().filter_map(met).collect();
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
fn curves(plan: &Plan, summaries: &[RunSummary]) -> Vec<LatencyCurve> {
    let names = plan.populations.iter().map(|population| Some(population.name.clone())).chain([None]);
    names
        .enumerate()
        .filter_map(|(position, population)| {
            let mut good = 0.0;
            let mut sums: Vec<f64> = Vec::new();
            for summary in summaries {
                let Some(curve) = summary.curves.get(position) else { continue };
                sums.resize(curve.len().max(sums.len()), 0.0);
                sums.iter_mut().zip(curve).for_each(|(sum, share)| *sum += share * summary.good[position]);
                good += summary.good[position];
            }
            (good > 0.0).then(|| LatencyCurve { population, points: rising(&sums, good) })
        })
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
fn outages(plan: &Plan, summaries: &[RunSummary]) -> Vec<OutageRecord> {
    let mut all: Vec<(u64, &Outage)> = summaries
        .iter()
        .flat_map(|summary| summary.outages.iter().map(|outage| (summary.replication, outage)))
        .collect();
    all.sort_by(|a, b| worse(a.1, b.1).then(a.0.cmp(&b.0)));
    all.truncate(OUTAGES_KEPT);
    all.into_iter()
        .map(|(replication, outage)| OutageRecord {
            seed: replication as u32,
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
pub fn window(plan: &Plan, summaries: &[RunSummary]) -> Option<Window> {
    let horizon = plan.horizon.secs();
    let warm_up = plan.warm_up.secs();
    let scripted = plan
        .incidents
        .iter()
        .map(|incident| (incident.at.secs() - warm_up, incident.lasts.secs()))
        .filter(|(at, _)| *at < horizon)
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let (summary, start, end) = if let Some((at, lasts)) = scripted {
        (summaries.first()?, at, at + lasts)
    } else {
        let all = summaries.iter().flat_map(|summary| summary.outages.iter().map(move |outage| (summary, outage)));
        // Of equals the first: `max_by` would give the last.
        let (summary, outage) = all.reduce(|best, other| if other.1.lost > best.1.lost { other } else { best })?;
        (summary, outage.start, outage.end)
    };
    let overlapping = summary.outages.iter().filter(|outage| outage.start <= end && outage.end >= start);
    let end = overlapping.fold(end, |end, outage| end.max(outage.end));
    let from_s = (start - LEAD_S).max(0.0);
    let to_s = (end + TRAIL_S).min(from_s + LONGEST_S).min(horizon);
    (from_s < to_s).then_some(Window { replication: summary.replication, from_s, to_s })
}

/// Where things are, and who serves whom when all is well.
fn map(plan: &Plan) -> Map {
    Map {
        clusters: plan
            .clusters
            .iter()
            .map(|cluster| {
                let region = &plan.regions[cluster.region];
                MapCluster {
                    name: cluster.name.clone(),
                    region: region.name.clone(),
                    lat: region.lat,
                    lon: region.lon,
                    standby: cluster.standby,
                }
            })
            .collect(),
        populations: plan
            .populations
            .iter()
            .map(|population| MapPopulation {
                name: population.name.clone(),
                lat: population.lat,
                lon: population.lon,
                rate: population.rate,
                served_by: served_by(plan, population),
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
