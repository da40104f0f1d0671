//! `--until`: how many seeds are enough.

use crate::experiment::judge::{Judged, Judgement};
use crate::experiment::results::{MetricResult, Results};
use crate::metric::{Dims, catalogue};
use crate::stats::values_to_tell;
use std::str::FromStr;

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
        if !catalogue::ALL.iter().any(|known| known.name == metric) {
            let near = crate::diag::did_you_mean(metric, catalogue::ALL.iter().map(|known| known.name));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(format!("unknown metric `{metric}`{near}"));
        }
        match half.trim().parse::<f64>() {
            Ok(half) if half > 0.0 && half.is_finite() => Ok(Self::Within { metric: metric.to_owned(), half }),
            Ok(_) | Err(_) => Err(expected.to_owned()),
        }
    }
}

impl Until {
    /// How many seeds are wanted in all, at most `most`; at least doubled, so that seeds aren't looked at often.
    pub(super) fn more(&self, results: &Results, judged: &[Judged], most: u32) -> u32 {
        let has = results.scenario.seeds;
        let asked = match self {
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
        };
        match asked {
            None => 0,
            Some(asked) => u32::try_from(asked).unwrap_or(u32::MAX).max(has.saturating_mul(2)).min(most),
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
}
