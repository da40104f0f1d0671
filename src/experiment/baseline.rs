//! What a scenario's figures were, seed by seed, and whether they are worse now.
//!
//! A change of the design moves all seeds alike, because they see the same faults; so it shows where two means would hide
//! it. Under another master seed nothing can be paired, and means are compared. A figure is worse if it is shown to be so
//! by more than the tolerance; over all figures of a variant the chance of a false alarm is at most [`LEVEL`] (Holm 1979).

use super::compare::{direction, is_headline};
use super::results::{MetricResult, Results, ScenarioInfo, Tool, VariantResult};
use crate::metric::{Better, Dims, Unit};
use crate::stats::{Direction, Shift, holm};
use serde::{Deserialize, Serialize};

/// The chance that a variant whose figures didn't get worse by more than the tolerance is said to be worse.
pub const LEVEL: f64 = 0.01;
/// The version of the file's schema.
const SCHEMA: u32 = 1;
/// What is less than this part of a figure is rounding.
const ROUNDING: f64 = 1e-9;

/// A scenario's figures, kept to compare with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of the file's schema.
    pub schema: u32,
    /// The program that ran.
    pub tool: Tool,
    /// What was run.
    pub scenario: ScenarioInfo,
    /// The variants that were checked.
    pub variants: Vec<Kept>,
}

/// A variant's figures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its headlines.
    pub metrics: Vec<KeptMetric>,
}

/// A metric under every seed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeptMetric {
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// The value of each seed, in seed order; `None` where it doesn't exist.
    pub values: Vec<Option<f64>>,
}

/// A figure that moved.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moved {
    /// The metric's name.
    pub metric: String,
    /// What it is of.
    #[serde(flatten)]
    pub dims: Dims,
    /// Its unit.
    pub unit: Unit,
    /// Which way it is good.
    pub better: Better,
    /// The mean in the baseline, over the seeds compared.
    pub was: f64,
    /// The mean now, over the same.
    pub is: f64,
    /// Now less then.
    pub difference: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// Seeds compared, of the two the fewer.
    pub n: u64,
}

/// What became of a variant since its baseline.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Since {
    /// Shown to be worse, in the order of the catalogue.
    pub worse: Vec<Moved>,
    /// Shown to be better.
    pub better: Vec<Moved>,
    /// The seeds are the same: differences are paired.
    pub is_paired: bool,
}

/// Why a baseline is of no use.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Unfit {
    /// It is written in another way.
    #[error("the baseline has schema {0}, and this version reads {SCHEMA}")]
    Schema(u32),
    /// It is of another length.
    #[error("the baseline simulates {was} s a seed, and this run {is} s")]
    Horizon {
        /// Seconds there.
        was: f64,
        /// Seconds here.
        is: f64,
    },
    /// It doesn't know the variant.
    #[error("the baseline has no variant `{0}`")]
    Variant(String),
}

impl Baseline {
    /// Keeps the headlines of every variant.
    pub fn of(results: &Results) -> Self {
        let metric = |one: &MetricResult| KeptMetric {
            metric: one.metric.clone(),
            dims: one.dims.clone(),
            values: one.values.iter().collect(),
        };
        let kept = |variant: &VariantResult| Kept {
            name: variant.name.clone(),
            metrics: variant.metrics.iter().filter(|one| is_headline(one)).map(metric).collect(),
        };
        Self {
            schema: SCHEMA,
            tool: results.tool.clone(),
            scenario: results.scenario.clone(),
            variants: results.variants.iter().map(kept).collect(),
        }
    }

    /// What became of a variant. `tolerance` is the part of a figure by which it may get worse; of an availability, of what
    /// is lacking.
    ///
    /// # Errors
    /// If the two can't be compared.
    pub fn since(&self, variant: &VariantResult, info: &ScenarioInfo, tolerance: f64) -> Result<Since, Unfit> {
        if self.schema != SCHEMA {
            return Err(Unfit::Schema(self.schema));
        }
        if self.scenario.horizon_s != info.horizon_s {
            return Err(Unfit::Horizon { was: self.scenario.horizon_s, is: info.horizon_s });
        }
        let kept = self.variants.iter().find(|kept| kept.name == variant.name);
        let kept = kept.ok_or_else(|| Unfit::Variant(variant.name.clone()))?;
        let is_paired = self.scenario.seed == info.seed;
        let tested = |side: f64| -> Vec<(Moved, f64)> {
            let found = variant.metrics.iter().filter(|one| is_headline(one)).filter_map(|now| {
                let then = kept.metrics.iter().find(|one| one.metric == now.metric && one.dims == now.dims)?;
                test(now, &then.values, is_paired, tolerance, side)
            });
            found.collect()
        };
        let shown = |side: f64| {
            let (moved, p): (Vec<_>, Vec<_>) = tested(side).into_iter().unzip();
            let refused = holm(&p, LEVEL, p.len());
            moved.into_iter().zip(refused).filter(|(_, refused)| *refused).map(|(moved, _)| moved).collect()
        };
        Ok(Since { worse: shown(1.0), better: shown(-1.0), is_paired })
    }
}

/// A figure then and now, and the chance of what is seen if it got no worse (`side` 1), or no better (−1), by more than is
/// tolerated.
fn test(now: &MetricResult, then: &[Option<f64>], is_paired: bool, tolerance: f64, side: f64) -> Option<(Moved, f64)> {
    // So that more is worse, or better, whatever the metric.
    let sign = match direction(now.better)? {
        Direction::HigherIsBetter => -side,
        Direction::LowerIsBetter => side,
    };
    let (new, old): (Vec<f64>, Vec<f64>) = if is_paired {
        now.values.iter().zip(then).filter_map(|(now, then)| Some((sign * now?, sign * (*then)?))).unzip()
    } else {
        (now.values.present().map(|x| sign * x).collect(), then.iter().flatten().map(|x| sign * x).collect())
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (is, was) = (sign * mean(&new), sign * mean(&old));
    let lacking = if now.unit == Unit::Share && now.better == Better::Higher { 1.0 - was } else { was };
    let allowed = (tolerance * lacking.abs()).max(ROUNDING * was.abs());
    let shift = if is_paired { Shift::paired(&new, &old, allowed)? } else { Shift::independent(&new, &old, allowed)? };
    let (low, high) = (sign * shift.ci95[0], sign * shift.ci95[1]);
    let moved = Moved {
        metric: now.metric.clone(),
        dims: now.dims.clone(),
        unit: now.unit,
        better: now.better,
        was,
        is,
        difference: sign * shift.difference,
        ci95: [low.min(high), low.max(high)],
        n: new.len().min(old.len()) as u64,
    };
    Some((moved, shift.p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fold::metric;
    use crate::metric::{Key, catalogue};
    use std::sync::Arc;

    fn figure(name: &str, values: &[f64]) -> MetricResult {
        let known = catalogue::ALL.iter().find(|metric| metric.name == name).unwrap();
        metric(&Key { metric: known, dims: Dims::default() }, Arc::new(values.iter().copied().map(Some).collect()))
    }

    fn tested(name: &str, now: &[f64], then: &[f64], is_paired: bool, tolerance: f64) -> (Moved, f64) {
        let then: Vec<_> = then.iter().copied().map(Some).collect();
        test(&figure(name, now), &then, is_paired, tolerance, 1.0).unwrap()
    }

    /// Every seed loses 0.000 1 more; what lacks is 0.001 on average, so a tolerance of 5 % allows half of that, and one of
    /// 15 % all of it. The seeds differ far more among themselves.
    #[test]
    fn pairing_shows_what_means_hide() {
        let then = [0.9995, 0.9985, 0.999, 0.9991, 0.9989];
        let now = then.map(|x| x - 0.0001);
        let (moved, p) = tested("availability", &now, &then, true, 0.05);
        assert!(p < 1e-9 && (moved.difference + 0.0001).abs() < 1e-12 && moved.n == 5, "{moved:?} {p}");
        assert!((moved.ci95[0] + 0.0001).abs() < 1e-9 && moved.ci95[0] <= moved.ci95[1]);
        assert!(tested("availability", &now, &then, true, 0.15).1 > 0.99);
        assert!(tested("availability", &now, &then, false, 0.05).1 > 0.2);
        // Better isn't worse.
        assert!(tested("availability", &then, &now, true, 0.0).1 > 0.99);
    }

    #[test]
    fn less_is_better_for_a_bill_and_rounding_is_nothing() {
        let then = [100.0, 200.0, 300.0];
        let (moved, p) = tested("cost.bill", &then.map(|x| x + 10.0), &then, true, 0.01);
        assert!(p < 1e-9 && (moved.was - 200.0).abs() < 1e-9 && (moved.is - 210.0).abs() < 1e-9);
        assert!(tested("cost.bill", &then.map(|x| x + 10.0), &then, true, 0.06).1 > 0.99);
        assert!(tested("cost.bill", &then.map(|x| x * (1.0 + 1e-12)), &then, true, 0.0).1 > 0.99);
    }
}
