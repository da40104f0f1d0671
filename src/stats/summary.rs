//! One metric across seeds: what is reported of it.

use super::quantile::{quantile_of_sorted, t_quantile};
use serde::{Deserialize, Serialize};

/// A metric's values across replications. What cannot be known from so few values is absent.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// How many values.
    pub n: u64,
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation (over n − 1); absent for a single value.
    pub sd: Option<f64>,
    /// Student's 95 % interval of the mean; absent for a single value.
    pub ci95: Option<[f64; 2]>,
    /// The smallest value.
    pub min: f64,
    /// The 1st percentile (all percentiles are of type 7).
    pub p1: f64,
    /// The 5th percentile.
    pub p5: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The largest value.
    pub max: f64,
}

/// Mean, and sample variance if there are two values or more. Two passes about the first value, so equal
/// values have exactly their value as mean and no variance.
pub(super) fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let origin = *values.first()?;
    let n = values.len() as f64;
    let mean = origin + values.iter().map(|x| x - origin).sum::<f64>() / n;
    let variance = (values.len() > 1).then(|| values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0));
    Some((mean, variance))
}

/// Half the width of Student's interval of the mean of `n` values; `None` for fewer than two.
pub fn t_half_width(sd: f64, n: u64, level: f64) -> Option<f64> {
    let freedom = n.checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    Some(t_quantile(0.5 + level / 2.0, freedom) * sd / (n as f64).sqrt())
}

/// How far the one-sided bound at `confidence` is from the mean of `n` values; `None` for fewer than two.
pub fn t_bound(sd: f64, n: u64, confidence: f64) -> Option<f64> {
    t_half_width(sd, n, 2.0 * confidence - 1.0)
}

impl Summary {
    /// The summary of these values, `None` if there are none.
    ///
    /// # Panics
    /// If a value is not finite: what did not happen is absent, not infinite.
    pub fn of(values: &[f64]) -> Option<Self> {
        assert!(values.iter().all(|x| x.is_finite()), "a metric's value is finite");
        let (mean, variance) = moments(values)?;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |p| quantile_of_sorted(&sorted, p);
        let mut summary = Self {
            n: values.len() as u64,
            mean,
            sd: variance.map(f64::sqrt),
            ci95: None,
            min: at(0.0),
            p1: at(0.01),
            p5: at(0.05),
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            max: at(1.0),
        };
        summary.ci95 = summary.half_width(0.95).map(|half| [mean - half, mean + half]);
        Some(summary)
    }

    /// Half the width of Student's interval of the mean; `None` for a single value.
    pub fn half_width(&self, level: f64) -> Option<f64> {
        t_half_width(self.sd?, self.n, level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::stream::uniform;

    #[test]
    fn by_hand() {
        let s = Summary::of(&[4.0, 2.0, 5.0, 9.0, 5.0]).unwrap();
        assert_eq!((s.n, s.mean, s.min, s.p50, s.max), (5, 5.0, 2.0, 5.0, 9.0));
        // Squares 1 + 9 + 0 + 16 + 0 over 4.
        assert!((s.sd.unwrap() - 6.5_f64.sqrt()).abs() < 1e-15);
        // t(0.975, 4) = 2.776 445 105.
        let half = 2.776_445_105 * (6.5_f64 / 5.0).sqrt();
        assert!((s.ci95.unwrap()[0] - (5.0 - half)).abs() < 1e-8);
        assert!((s.ci95.unwrap()[1] - (5.0 + half)).abs() < 1e-8);
        assert!((s.half_width(0.9).unwrap() - 2.131_846_786 * (6.5_f64 / 5.0).sqrt()).abs() < 1e-8);
    }

    #[test]
    fn what_few_values_cannot_say_is_absent() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&[3.0]).unwrap();
        assert_eq!((one.mean, one.sd, one.ci95, one.p99), (3.0, None, None, 3.0));
        let equal = Summary::of(&[0.1; 10]).unwrap();
        assert_eq!((equal.mean, equal.sd, equal.ci95), (0.1, Some(0.0), Some([0.1, 0.1])));
    }

    #[test]
    fn a_large_mean_does_not_drown_the_spread() {
        let s = Summary::of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).unwrap();
        assert_eq!((s.mean, s.sd), (1e9 + 10.0, Some(30_f64.sqrt())));
    }

    #[test]
    fn json_round_trip() {
        // Short decimals only: serde_json reads a number's last bit exactly only with `float_roundtrip`.
        for s in [Summary::of(&[0.5, 2.5, 4.5]), Summary::of(&[1.5])] {
            let s = Summary {
                ci95: s.unwrap().ci95.map(|_| [-1.5, 6.5]),
                p1: 0.5,
                p5: 0.75,
                p95: 4.25,
                p99: 4.5,
                ..s.unwrap()
            };
            assert_eq!(serde_json::from_str::<Summary>(&serde_json::to_string(&s).unwrap()).unwrap(), s);
        }
    }

    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        // Normal values (sum of 12 uniforms, kurtosis −0.1), 20,000 samples of 8: the count covered is
        // binomial, five of its standard deviations are 0.77 %.
        let mut rng = Seed { master: 1, replication: 0 }.stream().rng();
        let samples = 20_000;
        let covered = (0..samples)
            .filter(|_| {
                let values: [f64; 8] = core::array::from_fn(|_| (0..12).map(|_| uniform(&mut rng)).sum::<f64>());
                let [low, high] = Summary::of(&values).unwrap().ci95.unwrap();
                (low..=high).contains(&6.0)
            })
            .count();
        let tolerance = 5.0 * (0.95 * 0.05 / f64::from(samples)).sqrt();
        assert!((covered as f64 / f64::from(samples) - 0.95).abs() < tolerance, "{covered}");
    }
}
