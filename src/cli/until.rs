//! `--until`: how many seeds are enough. What `run`, `compare` and `check` share of it.
//!
//! Seeds come in batches, each at least as large as all before it, so that they are looked at a few times only: an interval
//! that is looked at often is narrow by chance sooner or later. The figures are those of a plain run with as many seeds.

use super::args;
use crate::base::{Span, time::parse_span};
use crate::experiment::Job;
use crate::experiment::judge::{self, Judged, Judgement};
use crate::experiment::results::{MetricResult, Results};
use crate::metric::Dims;
use crate::stats::values_to_tell;
use clap::Args;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// When to stop adding seeds.
#[derive(Args, Clone, Debug)]
pub(super) struct Stopping {
    /// Add seeds until a figure's 95 % interval is so narrow ("availability ± 0.0001"), or until every expectation is
    /// told ("decided"); given several times, until all of it is so
    #[arg(long, value_name = "WHAT")]
    until: Vec<Until>,
    /// The most seeds that --until may ask for
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_seeds: u32,
    /// Begin no further seeds for --until after so much time: 60s, 5m
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    budget: Option<Span>,
}

impl Stopping {
    /// Whether seeds may be added.
    pub(super) fn is_asked(&self) -> bool {
        !self.until.is_empty()
    }

    /// How many seeds are wanted in all, of what began at `begun`; 0 if these are enough.
    pub(super) fn more(&self, results: &Results, jobs: &[Job], begun: Instant) -> u32 {
        let budget = self.budget.map_or(Duration::MAX, |span| Duration::from_secs_f64(span.secs()));
        if self.until.is_empty() || begun.elapsed() >= budget {
            return 0;
        }
        let judged = judged(results, jobs);
        self.until.iter().map(|until| until.more(results, &judged, self.max_seeds)).max().unwrap_or(0)
    }

    /// What is still wanted of these results, as people say it; `None` if nothing is.
    pub(super) fn lacks(&self, results: &Results, jobs: &[Job]) -> Option<String> {
        let judged = judged(results, jobs);
        let open = self.until.iter().filter_map(|until| {
            let seeds = until.asked(results, &judged)?;
            Some(format!("{until} (which takes about {seeds})"))
        });
        let open: Vec<_> = open.collect();
        let seeds = results.scenario.seeds;
        (!open.is_empty()).then(|| format!("{seeds} seeds are not enough for {}", open.join(", nor for ")))
    }
}

fn judged(results: &Results, jobs: &[Job]) -> Vec<Judged> {
    let pairs = jobs.iter().zip(&results.variants);
    pairs.flat_map(|(job, result)| judge::expectations(&job.scenario.spec.expect, result)).collect()
}

/// A resolved scenario that has so many seeds, as if they had been asked for with `--seeds`.
pub(super) fn with_seeds(resolved: &str, seeds: u32) -> String {
    let mut is_simulation = false;
    let line = |line: &str| {
        if line.starts_with('[') {
            is_simulation = line == "[simulation]";
        }
        let is_seeds = is_simulation && line.starts_with("seeds = ");
        let text =
            if is_seeds { format!("{:48}# --seeds {seeds}", format!("seeds = {seeds}")) } else { line.to_owned() };
        text + "\n"
    };
    resolved.lines().map(line).collect()
}

/// When seeds are enough.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Until {
    /// Every expectation holds or is breached.
    Decided,
    /// Half of a figure's 95 % interval is at most this, in its unit, for every variant.
    Within {
        /// The metric, of everything together.
        metric: String,
        /// In its unit.
        half: f64,
    },
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "decided" {
            return Ok(Self::Decided);
        }
        let expected =
            "expected \"decided\", or a metric and half the width of its interval: \"availability ± 0.0001\"";
        let parts = text.split_once('±').or_else(|| text.split_once("+-"));
        let (metric, half) = parts.ok_or_else(|| expected.to_owned())?;
        let metric = metric.trim();
        args::metric(metric)?;
        match half.trim().parse::<f64>() {
            Ok(half) if half > 0.0 && half.is_finite() => Ok(Self::Within { metric: metric.to_owned(), half }),
            Ok(_) | Err(_) => Err(expected.to_owned()),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided => f.write_str("decided"),
            Self::Within { metric, half } => write!(f, "{metric} ± {half}"),
        }
    }
}

impl Until {
    /// How many seeds are wanted in all, at most `most`; at least doubled, so that seeds aren't looked at often.
    fn more(&self, results: &Results, judged: &[Judged], most: u32) -> u32 {
        let has = results.scenario.seeds;
        match self.asked(results, judged) {
            None => 0,
            Some(asked) => u32::try_from(asked).unwrap_or(u32::MAX).max(has.saturating_mul(2)).min(most),
        }
    }

    /// How many seeds would be enough, as far as these tell; `None` if these are.
    fn asked(&self, results: &Results, judged: &[Judged]) -> Option<u64> {
        match self {
            Self::Decided => judged
                .iter()
                .filter(|one| one.judgement == Judgement::Undecided)
                .filter_map(|one| one.seeds_to_tell)
                .max(),
            Self::Within { metric, half } => {
                let of = |one: &&MetricResult| one.metric == *metric && one.dims == Dims::default();
                let found = results.variants.iter().filter_map(|variant| variant.metrics.iter().find(of));
                found.filter_map(|one| wider(one, *half)).max()
            }
        }
    }
}

/// How many seeds make the interval narrow enough, if it isn't.
fn wider(metric: &MetricResult, half: f64) -> Option<u64> {
    let is_narrow = metric.ci95.is_some_and(|[low, high]| (high - low) / 2.0 <= half);
    if is_narrow {
        return None;
    }
    let seeds = metric.values.len() as u64;
    Some(
        metric
            .sd
            .and_then(|sd| values_to_tell(sd, half, 0.975))
            .map_or(2 * seeds, |values| values * seeds / u64::from(metric.n.max(1))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_people_write() {
        let within = |metric: &str, half| Ok(Until::Within { metric: metric.to_owned(), half });
        assert_eq!("decided".parse::<Until>(), Ok(Until::Decided));
        assert_eq!("availability ± 0.0001".parse::<Until>(), within("availability", 0.0001));
        assert_eq!("latency.p99+-1e-3".parse::<Until>(), within("latency.p99", 0.001));
        assert_eq!("availability +- 0.0001".parse::<Until>().unwrap().to_string(), "availability ± 0.0001");
        for (text, says) in [
            ("availabilty ± 1", "did you mean `availability`?"),
            ("availability", "availability ± 0.0001"),
            ("availability ± -1", "half the width"),
            ("availability ± x", "half the width"),
        ] {
            let error = text.parse::<Until>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn only_the_simulation_s_seeds_change() {
        let text = "seeds = 1\n[simulation]\nseeds = 4   # a.toml:3\nseed = 1\n[[store]]\nseeds = 2\n";
        let line = format!("seeds = 80{}# --seeds 80\n", " ".repeat(38));
        assert_eq!(with_seeds(text, 80), text.replace("seeds = 4   # a.toml:3\n", &line));
    }
}
