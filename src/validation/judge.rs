//! What was measured against what is known.
//!
//! A figure that chance moves is compared by Student's t over the seeds, and Holm's method judges all of them together:
//! the chance of any false alarm is at most the suite's level. A figure without chance is compared to rounding, or to the
//! stated precision of latency curves.

use super::suite::{Case, Engine, Figure, Suite};
use crate::experiment::results::{MetricResult, Results};
use crate::metric::Dims;
use crate::stats::summary::t_half_width;
use crate::stats::{holm, two_sided_p};
use serde::Serialize;

/// Rounding of sums of floats.
const ROUNDING: f64 = 1e-9;
/// Percentiles of rates are read off a latency curve on a grid of 2 %.
const CURVE: f64 = 1e-3;
/// Intervals are shown at this level.
const SHOWN: f64 = 0.999;

/// One figure of one engine.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Who simulated it.
    pub engine: Engine,
    /// The mean over the seeds; absent if the engine doesn't know the figure.
    pub mean: Option<f64>,
    /// Half of its 99.9 % interval; 0 where chance has no part in it.
    pub half: f64,
    /// How many seeds.
    pub n: u32,
    /// The chance of being as far off if the engine is right; 0 or 1 where chance has no part in it.
    pub p: f64,
}

/// A figure and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict<'s> {
    /// The case's name.
    pub case: &'s str,
    /// What is known.
    #[serde(flatten)]
    pub figure: &'s Figure,
    /// What was simulated.
    #[serde(flatten)]
    pub measured: Measured,
    /// It doesn't hold.
    pub refused: bool,
}

/// What one case came to: its figures, by requests and then by rates.
#[derive(Clone, Debug)]
pub struct Judged<'s> {
    /// The case.
    pub case: &'s Case,
    /// In the order of its engines, and of its figures.
    pub verdicts: Vec<Verdict<'s>>,
}

/// The figures of a case as one engine's results have them.
pub fn measure(case: &Case, engine: Engine, results: &Results) -> Vec<Measured> {
    let metrics = results.variants.first().map_or(&[][..], |variant| &variant.metrics);
    case.figures.iter().map(|figure| one(figure, engine, metrics)).collect()
}

fn one(figure: &Figure, engine: Engine, metrics: &[MetricResult]) -> Measured {
    let of = Dims {
        cluster: figure.service.as_ref().map(|_| "c".to_owned()),
        service: figure.service.clone(),
        store: figure.store.clone(),
        ..Dims::default()
    };
    let found = metrics.iter().find(|found| found.metric == figure.metric && found.dims == of);
    let Some((found, mean)) = found.and_then(|found| Some((found, found.mean?))) else {
        return Measured { engine, mean: None, half: 0.0, n: 0, p: 0.0 };
    };
    // Sums of the same summands differ by rounding.
    let sd = found.sd.filter(|sd| *sd > ROUNDING * mean.abs()).unwrap_or(0.0);
    let half = t_half_width(sd, found.n.into(), SHOWN).unwrap_or(0.0);
    Measured { engine, mean: Some(mean), half, n: found.n, p: p(figure, engine, mean, sd, found.n) }
}

/// What an engine is held to, and how far off it may be if that isn't up to chance and rounding.
pub(super) fn target(figure: &Figure, engine: Engine) -> (f64, Option<f64>) {
    match (engine, &figure.flow) {
        (Engine::Flow, Some(approximation)) => (approximation.gives, approximation.within),
        (Engine::Requests | Engine::Flow, _) => (figure.exact, figure.within),
    }
}

fn p(figure: &Figure, engine: Engine, mean: f64, sd: f64, n: u32) -> f64 {
    let (target, within) = target(figure, engine);
    let by_chance = two_sided_p(mean, sd, n.into(), target).filter(|_| within.is_none());
    by_chance.unwrap_or_else(|| {
        let precision = if figure.metric.contains("latency") { CURVE } else { ROUNDING };
        let room = within.unwrap_or(precision) * target.abs().max(ROUNDING);
        if (mean - target).abs() <= room { 1.0 } else { 0.0 }
    })
}

/// The verdict on what was measured of some of the suite's cases, or all.
pub fn judge<'s>(suite: &'s Suite, measured: Vec<(&'s Case, Vec<Measured>)>) -> Vec<Judged<'s>> {
    let ps: Vec<f64> = measured.iter().flat_map(|(_, figures)| figures.iter().map(|one| one.p)).collect();
    let mut refused = holm(&ps, suite.level, suite.verdicts()).into_iter();
    let judged = measured.into_iter().map(|(case, measured)| {
        let figures = case.figures.iter().cycle().zip(measured);
        let verdicts = figures.zip(refused.by_ref()).map(|((figure, measured), refused)| Verdict {
            case: &case.name,
            figure,
            measured,
            refused,
        });
        Judged { case, verdicts: verdicts.collect() }
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(metric: &str, exact: f64, rest: &str) -> Figure {
        toml::from_str(&format!("what = \"\"\nmetric = \"{metric}\"\nexact = {exact}\n{rest}")).unwrap()
    }

    #[test]
    fn what_chance_moves_is_tested_and_what_it_does_not_is_compared() {
        let of = |figure: &Figure, engine, mean, sd| p(figure, engine, mean, sd, 11);
        let plain = figure("availability", 0.5, "");
        // t(0.975, 10) = 2.228.
        let off = of(&plain, Engine::Requests, 0.5 + 2.228_138_852 * 0.1, 0.1 * 11_f64.sqrt());
        assert!((off - 0.05).abs() < 1e-9);
        assert_eq!(of(&plain, Engine::Flow, 0.5 + 4e-10, 0.0), 1.0);
        assert_eq!(of(&plain, Engine::Flow, 0.5 + 6e-10, 0.0), 0.0);
        let curve = figure("latency.p99", 0.5, "");
        assert_eq!(of(&curve, Engine::Flow, 0.5004, 0.0), 1.0);
        assert_eq!(of(&curve, Engine::Flow, 0.5006, 0.0), 0.0);
    }

    #[test]
    fn an_approximation_is_held_to_what_it_gives_and_a_bound_to_the_bound() {
        let of = |figure: &Figure, engine, mean, sd| p(figure, engine, mean, sd, 11);
        let batch = figure("station.wait.mean", 4.0, "flow = { gives = 1.5, because = \"\" }");
        assert_eq!(of(&batch, Engine::Flow, 1.5, 0.0), 1.0);
        assert_eq!(of(&batch, Engine::Flow, 4.0, 0.0), 0.0);
        assert_eq!(of(&batch, Engine::Requests, 4.0, 1.0), 1.0);
        let bound = figure("availability", 0.5, "within = 0.1");
        assert_eq!(of(&bound, Engine::Requests, 0.54, 1e-6), 1.0);
        assert_eq!(of(&bound, Engine::Requests, 0.56, 1.0), 0.0);
    }

    #[test]
    fn an_absent_figure_is_refused() {
        let suite = Suite::get();
        let case = &suite.cases[0];
        let absent: Vec<Measured> = case.figures.iter().map(|figure| one(figure, Engine::Flow, &[])).collect();
        let judged = judge(suite, vec![(case, absent)]);
        assert!(judged[0].verdicts.iter().all(|verdict| verdict.refused && verdict.measured.mean.is_none()));
    }
}
