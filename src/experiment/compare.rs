//! One variant against another, under the same seeds.

use super::results::{BreakEven, Comparison, MetricResult, VariantResult};
use crate::metric::{Better, Dims};
use crate::stats::{Direction, Paired, pareto_front};

/// What variants are compared on, over everything; latency also by population.
const HEADLINES: [&str; 14] = [
    "availability",
    "availability.time",
    "downtime",
    "requests.lost",
    "latency.p50",
    "latency.p99",
    "rto.service",
    "rto.users",
    "rpo.seconds",
    "writes.lost",
    "residency.violations",
    "cost.bill",
    "cost.loss",
    "cost.total",
];

fn is_headline(metric: &MetricResult) -> bool {
    let by_population = Dims { population: metric.dims.population.clone(), ..Dims::default() };
    HEADLINES.contains(&metric.metric.as_str())
        && (metric.dims == Dims::default()
            || metric.dims == by_population && ["latency.p50", "latency.p99"].contains(&metric.metric.as_str()))
}

const fn direction(better: Better) -> Option<Direction> {
    match better {
        Better::Higher => Some(Direction::HigherIsBetter),
        Better::Lower => Some(Direction::LowerIsBetter),
        Better::Neither => None,
    }
}

fn find<'a>(variant: &'a VariantResult, metric: &str, dims: &Dims) -> Option<&'a MetricResult> {
    variant.metrics.iter().find(|found| found.metric == metric && found.dims == *dims)
}

/// The mean of a metric over everything.
fn overall(variant: &VariantResult, metric: &str) -> Option<f64> {
    find(variant, metric, &Dims::default())?.mean
}

/// Every pair, in file order.
fn pairs(variants: &[VariantResult]) -> impl Iterator<Item = (&VariantResult, &VariantResult)> {
    variants.iter().enumerate().flat_map(|(position, a)| variants[position + 1..].iter().map(move |b| (a, b)))
}

/// Every pair of variants on the headline metrics, by the seeds in which both have a value. Of a single such seed
/// nothing can be said: it makes no comparison.
pub fn comparisons(variants: &[VariantResult]) -> Vec<Comparison> {
    pairs(variants)
        .flat_map(|(a, b)| {
            a.metrics.iter().filter(|metric| is_headline(metric)).filter_map(|metric| {
                let other = find(b, &metric.metric, &metric.dims)?;
                let both = metric.values.iter().zip(&other.values).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
                let (left, right): (Vec<f64>, Vec<f64>) = both.unzip();
                let paired = Paired::of(&left, &right, direction(metric.better)?)?;
                Some(Comparison {
                    a: a.name.clone(),
                    b: b.name.clone(),
                    metric: metric.metric.clone(),
                    dims: metric.dims.clone(),
                    unit: metric.unit,
                    difference: paired.difference,
                    ci95: paired.ci95?,
                    a_better_share: Some(paired.a_better_share),
                    narrowing: paired.narrowing,
                    verdict: paired.verdict,
                    seeds_needed: paired.seeds_needed,
                })
            })
        })
        .collect()
}

/// The variants that no other beats on availability, bill and p99 latency at once, by their means.
pub fn pareto(variants: &[VariantResult]) -> Vec<String> {
    let axes = [
        ("availability", Direction::HigherIsBetter),
        ("cost.bill", Direction::LowerIsBetter),
        ("latency.p99", Direction::LowerIsBetter),
    ];
    let (named, points): (Vec<&VariantResult>, Vec<Vec<f64>>) = variants
        .iter()
        .filter_map(|variant| {
            let point: Option<Vec<f64>> = axes.iter().map(|(metric, _)| overall(variant, metric)).collect();
            Some((variant, point?))
        })
        .unzip();
    let front = pareto_front(&points, &axes.map(|(_, direction)| direction));
    front.into_iter().map(|position| named[position].name.clone()).collect()
}

/// For every pair of variants with unlike bills, the outage cost above which the dearer one pays, by their means
/// over `horizon_s` seconds.
pub fn break_even(variants: &[VariantResult], horizon_s: f64) -> Vec<BreakEven> {
    pairs(variants)
        .filter_map(|(a, b)| {
            let (bill_a, bill_b) = (overall(a, "cost.bill")?, overall(b, "cost.bill")?);
            if bill_a == bill_b {
                return None;
            }
            let (dearer, cheaper) = if bill_a > bill_b { (a, b) } else { (b, a) };
            let bill_difference = (bill_a - bill_b).abs();
            let good = overall(dearer, "requests.good")? - overall(cheaper, "requests.good")?;
            let per_failed = (good > 0.0).then(|| bill_difference / good).filter(|usd| usd.is_finite());
            let per_minute = overall(dearer, "requests.offered")? / (horizon_s / 60.0);
            Some(BreakEven {
                dearer: dearer.name.clone(),
                cheaper: cheaper.name.clone(),
                bill_difference,
                good_requests_difference: good,
                usd_per_failed_request: per_failed,
                usd_per_minute: per_failed.map(|usd| usd * per_minute).filter(|usd| usd.is_finite()),
            })
        })
        .collect()
}
