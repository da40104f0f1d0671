//! Expectations, judged on the bound of the mean and not on the mean: an expectation holds, is breached, or these seeds
//! can't tell.
//!
//! The bound is Student's, one-sided at the expectation's own confidence. So one that is just met is called breached with
//! at most the complementary probability, as far as the mean over so many seeds is normal.

use super::fold::{dims_of, tells_of_incidents};
use super::results::{Direction, MetricResult, VariantResult};
use crate::metric::{Dims, Unit};
use crate::scenario::spec::Expectation;
use crate::stats::{t_bound, values_to_tell};
use serde::Serialize;

/// What can be said of an expectation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The whole interval is on the good side.
    Holds,
    /// The whole interval is on the bad side.
    Breached,
    /// The interval holds the bound.
    Undecided,
}

/// An expectation and what can be said of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judged {
    /// Its place in the scenario's `expect`.
    pub index: usize,
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// The metric's unit.
    pub unit: Unit,
    /// Which side is good.
    pub direction: Direction,
    /// The bound asked for, in the metric's unit.
    pub target: f64,
    /// The confidence asked for.
    pub confidence: f64,
    /// Seeds in which the metric exists.
    pub n: u32,
    /// The mean over these; `None` if nothing happened that it could measure.
    pub mean: Option<f64>,
    /// Its one-sided bounds at the confidence, below and above; `None` for a single seed.
    pub bounds: Option<[f64; 2]>,
    /// What can be said.
    pub judgement: Judgement,
    /// How many seeds in all would tell, if mean and spread stay as they are.
    pub seeds_to_tell: Option<u64>,
}

/// Judges a variant's expectations, in the order written.
pub fn expectations(expectations: &[Expectation], variant: &VariantResult) -> Vec<Judged> {
    let each = expectations.iter().enumerate().flat_map(|(index, expectation)| {
        let sides = [(expectation.at_least, Direction::AtLeast), (expectation.at_most, Direction::AtMost)];
        sides.into_iter().filter_map(move |(target, direction)| Some((index, expectation, target?.get(), direction)))
    });
    each.filter_map(|(index, expectation, target, direction)| {
        let dims = dims_of(expectation);
        let metric = variant.metrics.iter().find(|one| one.metric == expectation.metric && one.dims == dims)?;
        Some(judge(index, metric, target, direction, expectation.confidence.get()))
    })
    .collect()
}

fn judge(index: usize, metric: &MetricResult, target: f64, direction: Direction, confidence: f64) -> Judged {
    let seeds = metric.values.len() as u64;
    let bound = metric.sd.and_then(|sd| t_bound(sd, u64::from(metric.n), confidence));
    let bounds = metric.mean.zip(bound).map(|(mean, bound)| [mean - bound, mean + bound]);
    let is_good = |x: f64| match direction {
        Direction::AtLeast => x >= target,
        Direction::AtMost => x <= target,
    };
    let judgement = match bounds {
        Some(bounds) if bounds.into_iter().all(is_good) => Judgement::Holds,
        Some(bounds) if !bounds.into_iter().any(is_good) => Judgement::Breached,
        // Nothing went wrong that could have taken too long.
        None if metric.n == 0 && direction == Direction::AtMost && tells_of_incidents(&metric.metric) => {
            Judgement::Holds
        }
        Some(_) | None => Judgement::Undecided,
    };
    let seeds_to_tell = match (judgement, metric.mean, metric.sd) {
        (Judgement::Undecided, Some(mean), Some(sd)) => {
            // A metric that only some seeds have takes as many seeds more.
            let values = values_to_tell(sd, (mean - target).abs(), confidence);
            values.map(|values| values * seeds / u64::from(metric.n.max(1)))
        }
        (Judgement::Undecided, _, None) if seeds < 2 => Some(2),
        (Judgement::Holds | Judgement::Breached | Judgement::Undecided, _, _) => None,
    };
    Judged {
        index,
        metric: metric.metric.clone(),
        dims: metric.dims.clone(),
        unit: metric.unit,
        direction,
        target,
        confidence,
        n: metric.n,
        mean: metric.mean,
        bounds,
        judgement,
        seeds_to_tell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fold::metric;
    use crate::metric::{Key, catalogue};
    use std::sync::Arc;

    fn judged(name: &str, values: &[Option<f64>], target: f64, direction: Direction) -> Judged {
        let known = catalogue::ALL.iter().find(|metric| metric.name == name).unwrap();
        let metric = metric(&Key { metric: known, dims: Dims::default() }, Arc::new(values.iter().copied().collect()));
        judge(0, &metric, target, direction, 0.95)
    }

    /// Values 4, 5, 6: mean 5, bound t(0.95, 2) = 2.919 986 over √3.
    #[test]
    fn on_the_bound_and_not_on_the_mean() {
        let values = [4.0, 5.0, 6.0].map(Some);
        let of = |target, direction| judged("rto.users", &values, target, direction);
        let low = 5.0 - 2.919_985_580_353_726 / 3.0_f64.sqrt();
        let high = 10.0 - low;
        let seen = of(7.0, Direction::AtMost).bounds.unwrap();
        assert!((seen[0] - low).abs() < 1e-9 && (seen[1] - high).abs() < 1e-9, "{seen:?}");
        for (target, direction, expected) in [
            (high + 1e-6, Direction::AtMost, Judgement::Holds),
            (high - 1e-6, Direction::AtMost, Judgement::Undecided),
            (low + 1e-6, Direction::AtMost, Judgement::Undecided),
            (low - 1e-6, Direction::AtMost, Judgement::Breached),
            (low - 1e-6, Direction::AtLeast, Judgement::Holds),
            (high + 1e-6, Direction::AtLeast, Judgement::Breached),
        ] {
            assert_eq!(of(target, direction).judgement, expected, "{target} {direction:?}");
        }
        // Half a unit takes 1.645² / 0.25 = 10.8 values by the normal quantile, 13 by t: 1.782 / √13 = 0.494.
        assert_eq!(of(5.5, Direction::AtMost).seeds_to_tell, Some(13));
        assert_eq!(of(7.0, Direction::AtMost).seeds_to_tell, None);
    }

    #[test]
    fn nothing_happened_is_no_breach_and_one_seed_tells_nothing() {
        let none = judged("rto.users", &[None, None], 300.0, Direction::AtMost);
        assert_eq!((none.judgement, none.mean, none.seeds_to_tell), (Judgement::Holds, None, None));
        let one = judged("availability", &[Some(1.0)], 0.9, Direction::AtLeast);
        assert_eq!((one.judgement, one.seeds_to_tell), (Judgement::Undecided, Some(2)));
        // Half of the seeds have a value: twice as many seeds as values.
        let half = judged("rto.users", &[Some(4.0), None, Some(6.0), None], 5.5, Direction::AtMost);
        let values = values_to_tell(2.0_f64.sqrt(), 0.5, 0.95).unwrap();
        assert_eq!(half.seeds_to_tell, Some(2 * values));
        let alike = judged("availability", &[Some(1.0), Some(1.0)], 1.0, Direction::AtLeast);
        assert_eq!(alike.judgement, Judgement::Holds);
    }
}
