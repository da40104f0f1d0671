//! Finding figures in results: what the pictures, tables and sentences ask for.

use super::text::YEAR_S;
use crate::experiment::results::{Comparison, MetricResult, Objective, Results, VariantResult};
use crate::metric::{Dims, Metric, catalogue};
use crate::stats::Verdict;

/// True for a figure of everything together.
pub(super) fn is_overall(dims: &Dims) -> bool {
    *dims == Dims::default()
}

/// A variant's figure of everything together, if a seed has it.
pub(super) fn overall<'a>(variant: &'a VariantResult, metric: &Metric) -> Option<&'a MetricResult> {
    variant.metrics.iter().find(|m| m.metric == metric.name && is_overall(&m.dims) && m.mean.is_some())
}

/// Its mean.
pub(super) fn mean(variant: &VariantResult, metric: &Metric) -> Option<f64> {
    overall(variant, metric)?.mean
}

/// A variant's figures of one metric by population alone, in the order of the results.
pub(super) fn by_population<'a>(
    variant: &'a VariantResult,
    metric: &Metric,
) -> impl Iterator<Item = (&'a str, &'a MetricResult)> {
    let name = metric.name;
    variant.metrics.iter().filter(move |m| m.metric == name && m.mean.is_some()).filter_map(|m| {
        let population = m.dims.population.as_deref()?;
        (Dims { population: None, ..m.dims.clone() } == Dims::default()).then_some((population, m))
    })
}

/// The figure of the population that has it worst, where less is better.
pub(super) fn worst_population<'a>(variant: &'a VariantResult, metric: &Metric) -> Option<(&'a str, &'a MetricResult)> {
    by_population(variant, metric).max_by(|(_, a), (_, b)| a.mean.unwrap_or(0.0).total_cmp(&b.mean.unwrap_or(0.0)))
}

/// Every population that any variant has figures of, in the order of first sight.
pub(super) fn populations<'a>(results: &'a Results, metric: &Metric) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for (population, _) in results.variants.iter().flat_map(|variant| by_population(variant, metric)) {
        if !seen.contains(&population) {
            seen.push(population);
        }
    }
    seen
}

/// The metrics that add up to the bill, in the order of the catalogue, whose sentences say which they are.
pub(super) fn bill_lines() -> impl Iterator<Item = &'static Metric> {
    catalogue::ALL.iter().copied().filter(|metric| metric.doc.starts_with("Of the bill"))
}

/// The objective on a metric of everything together.
pub(super) fn objective<'a>(variant: &'a VariantResult, metric: &Metric) -> Option<&'a Objective> {
    variant.objectives.iter().find(|o| o.metric == metric.name && is_overall(&o.dims))
}

/// The objective that a scorecard shows: on availability if there is one, else the first.
pub(super) fn chief_objective(variant: &VariantResult) -> Option<&Objective> {
    objective(variant, &catalogue::AVAILABILITY).or_else(|| variant.objectives.first())
}

/// A comparison seen from `a`, whichever way round it was made.
pub(super) struct Against {
    /// Mean of a − b.
    pub difference: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// Share of seeds in which a is better.
    pub better_share: Option<f64>,
    /// What may be said of a.
    pub verdict: Verdict,
    /// Seeds that would show it.
    pub seeds_needed: Option<u64>,
}

impl Against {
    fn of(c: &Comparison) -> Self {
        Self {
            difference: c.difference,
            ci95: c.ci95,
            better_share: c.a_better_share,
            verdict: c.verdict,
            seeds_needed: c.seeds_needed,
        }
    }

    fn reversed(self) -> Self {
        Self {
            difference: -self.difference,
            ci95: [-self.ci95[1], -self.ci95[0]],
            better_share: self.better_share.map(|share| 1.0 - share),
            verdict: match self.verdict {
                Verdict::Better => Verdict::Worse,
                Verdict::Worse => Verdict::Better,
                Verdict::NoDifferenceShown => Verdict::NoDifferenceShown,
            },
            seeds_needed: self.seeds_needed,
        }
    }
}

/// One variant against another on a metric of everything together.
pub(super) fn against(results: &Results, metric: &Metric, a: &str, b: &str) -> Option<Against> {
    against_of(results, metric, &Dims::default(), a, b)
}

/// One variant against another on a metric of what `dims` says.
pub(super) fn against_of(results: &Results, metric: &Metric, dims: &Dims, a: &str, b: &str) -> Option<Against> {
    let of = |c: &&Comparison| c.metric == metric.name && c.dims == *dims;
    let find = |a: &str, b: &str| results.comparisons.iter().filter(of).find(|c| c.a == a && c.b == b);
    find(a, b).map(Against::of).or_else(|| find(b, a).map(|c| Against::of(c).reversed()))
}

/// The time that sums are quoted over: a year, unless the horizon is too short to speak of years.
#[derive(Clone, Copy)]
pub(super) struct Period {
    horizon_s: f64,
    yearly: bool,
}

impl Period {
    /// Four weeks see every hour of the week, and month-long bills are what people compare: from there, per year.
    pub(super) fn of(results: &Results) -> Self {
        Self::over(results.scenario.horizon_s)
    }

    /// For a horizon of so many seconds.
    pub(super) fn over(horizon_s: f64) -> Self {
        Self { horizon_s, yearly: horizon_s >= 28.0 * 86_400.0 }
    }

    /// A sum over the horizon as one over the period.
    pub(super) fn scale(self, sum: f64) -> f64 {
        if self.yearly && self.horizon_s > 0.0 { sum * YEAR_S / self.horizon_s } else { sum }
    }

    /// Seconds in the period.
    pub(super) fn seconds(self) -> f64 {
        if self.yearly { YEAR_S } else { self.horizon_s }
    }

    /// "a year", "in 2 h".
    pub(super) fn phrase(self) -> String {
        if self.yearly { "a year".into() } else { format!("in {}", super::text::duration(self.horizon_s)) }
    }
}
