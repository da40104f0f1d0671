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

/// Whether designs, and what became of one, are judged by it.
pub(super) fn is_headline(metric: &MetricResult) -> bool {
    let by_population = Dims { population: metric.dims.population.clone(), ..Dims::default() };
    HEADLINES.contains(&metric.metric.as_str())
        && (metric.dims == Dims::default()
            || metric.dims == by_population && ["latency.p50", "latency.p99"].contains(&metric.metric.as_str()))
}

pub(super) const fn direction(better: Better) -> Option<Direction> {
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
                let both = metric.values.iter().zip(other.values.iter()).filter_map(|(a, b)| Some((a?, b?)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fold::metric;
    use crate::metric::{Key, catalogue};
    use crate::stats::Verdict;
    use std::sync::Arc;

    fn variant(name: &str, metrics: &[(&str, &[Option<f64>])]) -> VariantResult {
        let of = |(name, values): &(&str, &[Option<f64>])| {
            metric(
                &Key { metric: catalogue::find(name).unwrap(), dims: Dims::default() },
                Arc::new(values.iter().copied().collect()),
            )
        };
        VariantResult {
            name: name.to_owned(),
            summary: None,
            metrics: metrics.iter().map(of).collect(),
            objectives: Vec::new(),
            latency: Vec::new(),
            outages: Vec::new(),
            revisions: Vec::new(),
            exposures: Vec::new(),
            timeline: None,
            map: crate::experiment::results::Map::default(),
            resolved: String::new(),
        }
    }

    fn variants() -> Vec<VariantResult> {
        let some = |values: [f64; 3]| values.map(Some);
        vec![
            variant(
                "plain",
                &[
                    ("availability", &some([0.990, 0.990, 0.990])),
                    ("requests.offered", &some([1200.0; 3])),
                    ("requests.good", &some([1000.0; 3])),
                    ("latency.p99", &some([0.2, 0.2, 0.2])),
                    ("rto.users", &[Some(60.0), None, Some(80.0)]),
                    ("cost.bill", &some([10.0, 12.0, 11.0])),
                ],
            ),
            variant(
                "safe",
                &[
                    ("availability", &some([0.999, 0.999, 0.999])),
                    ("requests.offered", &some([1200.0; 3])),
                    ("requests.good", &some([1020.0, 1030.0, 1040.0])),
                    ("latency.p99", &some([0.2, 0.2, 0.2])),
                    ("rto.users", &[Some(50.0), Some(10.0), None]),
                    ("cost.bill", &some([20.0, 25.0, 21.0])),
                ],
            ),
            // Dearer than "safe" and no better.
            variant(
                "lavish",
                &[
                    ("availability", &some([0.999, 0.999, 0.999])),
                    ("requests.offered", &some([1200.0; 3])),
                    ("requests.good", &some([1030.0; 3])),
                    ("latency.p99", &some([0.2, 0.2, 0.2])),
                    ("cost.bill", &some([30.0, 30.0, 30.0])),
                ],
            ),
        ]
    }

    #[test]
    fn paired_by_seed_by_hand() {
        let comparisons = comparisons(&variants());
        let find = |metric: &str| {
            comparisons
                .iter()
                .find(|found| (found.a.as_str(), found.b.as_str(), found.metric.as_str()) == ("plain", "safe", metric))
        };
        let bill = find("cost.bill").unwrap();
        // Differences -10, -13, -10: mean -11, sd √3, t(0.975, 2) = 4.302653, so the half-width is t itself.
        assert_eq!((bill.difference, bill.verdict, bill.a_better_share), (-11.0, Verdict::Better, Some(1.0)));
        assert!((bill.ci95[0] + 15.302_652_7).abs() < 1e-6 && (bill.ci95[1] + 6.697_347_3).abs() < 1e-6, "{bill:?}");
        let availability = find("availability").unwrap();
        assert_eq!((availability.verdict, availability.a_better_share), (Verdict::Worse, Some(0.0)));
        let latency = find("latency.p99").unwrap();
        assert_eq!((latency.difference, latency.verdict), (0.0, Verdict::NoDifferenceShown));
        // One seed has both recovery times: nothing to say. Requests offered isn't a headline.
        assert!(find("rto.users").is_none() && find("requests.offered").is_none());
        let order: Vec<_> = comparisons.iter().map(|found| (found.a.as_str(), found.b.as_str())).collect();
        assert!(order.is_sorted_by_key(|pair| {
            [("plain", "safe"), ("plain", "lavish"), ("safe", "lavish")].iter().position(|p| p == pair)
        }));
    }

    #[test]
    fn the_front_leaves_out_what_is_dearer_and_no_better() {
        assert_eq!(pareto(&variants()), ["plain", "safe"]);
    }

    #[test]
    fn break_even_by_hand() {
        let found = break_even(&variants(), 600.0);
        assert_eq!(found.len(), 3);
        // 11 USD more for 30 good requests more; 1200 requests in ten minutes are 120 a minute.
        assert_eq!((found[0].dearer.as_str(), found[0].cheaper.as_str()), ("safe", "plain"));
        assert!((found[0].bill_difference - 11.0).abs() < 1e-12);
        assert!((found[0].usd_per_failed_request.unwrap() - 11.0 / 30.0).abs() < 1e-12);
        assert!((found[0].usd_per_minute.unwrap() - 44.0).abs() < 1e-9);
        // "lavish" serves no more than "safe": it never pays.
        assert_eq!((found[2].dearer.as_str(), found[2].good_requests_difference), ("lavish", 0.0));
        assert_eq!((found[2].usd_per_failed_request, found[2].usd_per_minute), (None, None));
    }
}
