//! Quantiles of samples and of reference distributions, with the intervals built on them.

use crate::base::maths::{exp, ln, ln_1p, ln_gamma};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The quantile at `p` of values in ascending order, interpolated between them: type 7 of Hyndman and
/// Fan (1996), the default of R and `NumPy`.
///
/// # Panics
/// If there are no values or `p` is not a probability.
pub fn quantile_of_sorted(sorted: &[f64], p: f64) -> f64 {
    assert!(!sorted.is_empty() && (0.0..=1.0).contains(&p), "quantile {p} of {} values", sorted.len());
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// An interval that covers the quantile at `p` with at least this confidence, from two of the values in
/// ascending order; `None` if there are too few values.
///
/// Free of assumptions on the distribution: the count of values below the quantile is binomial (Hahn and
/// Meeker, *Statistical Intervals*, section 5.2).
///
/// # Panics
/// If `p` or `level` is not strictly between 0 and 1.
pub fn quantile_ci(sorted: &[f64], p: f64, level: f64) -> Option<[f64; 2]> {
    assert!(p > 0.0 && p < 1.0 && level > 0.0 && level < 1.0, "quantile {p} at level {level}");
    let n = sorted.len();
    let miss = (1.0 - level) / 2.0;
    let (ln_p, ln_q) = (ln(p), ln_1p(-p));
    let mass = |k: usize| {
        let (k, n) = (k as f64, n as f64);
        exp(ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) + k * ln_p + (n - k) * ln_q)
    };
    // Ranks from 1: the lower is the largest l with P(B < l) ≤ miss, the upper mirrors it from above.
    let mut tail = 0.0;
    let lower = (0..n)
        .take_while(|k| {
            tail += mass(*k);
            tail <= miss
        })
        .count();
    let mut tail = 0.0;
    let beyond = (0..n)
        .take_while(|k| {
            tail += mass(n - k);
            tail <= miss
        })
        .count();
    (lower > 0 && beyond > 0).then(|| [sorted[lower - 1], sorted[n - beyond]])
}

/// The quantile of Student's t.
///
/// # Panics
/// If there are no degrees of freedom or `p` is not a probability.
pub fn t_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("positive degrees of freedom").inverse_cdf(p)
}

/// The chance that Student's t exceeds `t`.
///
/// # Panics
/// If there are no degrees of freedom.
pub fn t_above(t: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("positive degrees of freedom").cdf(-t)
}

/// The standard normal quantile.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Wilson's interval of a share (Wilson 1927): it never leaves [0, 1] and holds at 0 of n as well.
/// Without trials the share is anywhere in [0, 1].
///
/// # Panics
/// If there are more successes than trials.
pub fn wilson(successes: u64, trials: u64, level: f64) -> [f64; 2] {
    assert!(successes <= trials, "{successes} successes of {trials}");
    if trials == 0 {
        return [0.0, 1.0];
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let z = normal_quantile(0.5 + level / 2.0);
    let z2 = z * z;
    let centre = share + z2 / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the two terms cancel exactly; rounding must not leave a trace.
    let low = if successes == 0 { 0.0 } else { (centre - half) / scale };
    let high = if successes == trials { 1.0 } else { (centre + half) / scale };
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_from_published_tables() {
        // NIST/SEMATECH e-Handbook, section 1.3.6.7.2, and R's qt(0.975, 10).
        for (p, df, t) in [(0.975, 1.0, 12.706), (0.95, 5.0, 2.015), (0.99, 30.0, 2.457), (0.975, 100.0, 1.984)] {
            assert!((t_quantile(p, df) - t).abs() < 5e-4, "{p} {df}");
        }
        assert!((t_quantile(0.975, 10.0) - 2.228_138_852).abs() < 1e-9);
        assert!((t_quantile(0.025, 10.0) + 2.228_138_852).abs() < 1e-9);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-9);
    }

    #[test]
    fn wilson_from_published_examples() {
        // Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        let examples = [
            (81, 263, [0.2553, 0.3662]),
            (15, 148, [0.0624, 0.1605]),
            (0, 20, [0.0, 0.1611]),
            (1, 29, [0.0061, 0.1718]),
        ];
        for (successes, trials, [low, high]) in examples {
            let found = wilson(successes, trials, 0.95);
            assert!((found[0] - low).abs() < 5e-5 && (found[1] - high).abs() < 5e-5, "{successes}: {found:?}");
        }
        assert_eq!(wilson(0, 0, 0.95), [0.0, 1.0]);
        assert_eq!(wilson(20, 20, 0.95)[1], 1.0);
    }

    #[test]
    fn type_7_by_hand() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let found = [0.0, 0.25, 0.5, 0.75, 1.0].map(|p| quantile_of_sorted(&sorted, p));
        assert_eq!(found, [1.0, 1.75, 3.0, 5.0, 8.0]);
        assert_eq!(quantile_of_sorted(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn order_statistics_by_hand() {
        let sorted = |n: usize| (1..=n).map(|i| i as f64).collect::<Vec<_>>();
        // Sign-test intervals of the median: 10 values give [2nd, 9th] at 97.9 %, 20 give [6th, 15th].
        assert_eq!(quantile_ci(&sorted(10), 0.5, 0.95), Some([2.0, 9.0]));
        assert_eq!(quantile_ci(&sorted(20), 0.5, 0.95), Some([6.0, 15.0]));
        // 2 · 2^−5 = 6.25 % is more than 5 %; 2 · 2^−6 is not.
        assert_eq!(quantile_ci(&sorted(5), 0.5, 0.95), None);
        assert_eq!(quantile_ci(&sorted(6), 0.5, 0.95), Some([1.0, 6.0]));
        // 0.95^72 = 2.49 % is the first upper end that a 95th percentile can have.
        assert_eq!(quantile_ci(&sorted(71), 0.95, 0.95), None);
        assert_eq!(quantile_ci(&sorted(72), 0.95, 0.95).map(|ci| ci[1]), Some(72.0));
    }
}
