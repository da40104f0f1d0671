//! Counts of independent happenings in a given time.

use crate::base::maths::{exp, ln, ln_gamma};
use crate::base::stream::{Rng, uniform};

/// Above this mean a search from 0 costs more than rejection, whose constants hold from 10 on.
const SEARCH_UP_TO: f64 = 12.0;

/// A Poisson count with the given mean, exact at every mean.
///
/// Small means by inversion (one uniform); larger ones by transformed rejection, PTRS (Hörmann 1993,
/// *Insurance: Mathematics and Economics* 12, 39–45), of about 1.2 pairs of uniforms.
///
/// # Panics
/// If the mean is negative, not a number, or beyond 2^53, where counts are no longer whole in an `f64`.
pub fn poisson(mean: f64, rng: &mut Rng) -> u64 {
    assert!((0.0..=9e15).contains(&mean), "a Poisson mean of {mean}");
    if mean <= SEARCH_UP_TO { by_search(mean, uniform(rng)) } else { by_rejection(mean, rng) }
}

fn by_search(mean: f64, mut left: f64) -> u64 {
    let mut share = exp(-mean);
    let mut count = 0;
    // Beyond 100 the shares sum to less than an ulp: rounding alone could carry the search there.
    while left > share && count < 100 {
        left -= share;
        count += 1;
        share *= mean / count as f64;
    }
    count
}

fn by_rejection(mean: f64, rng: &mut Rng) -> u64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let ln_inverse_alpha = ln(1.1239 + 1.1328 / (b - 3.4));
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    let ln_mean = ln(mean);
    loop {
        let u = uniform(rng) - 0.5;
        let v = uniform(rng);
        let us = 0.5 - u.abs();
        let count = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= squeeze {
            return count as u64;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let hat = ln(v) + ln_inverse_alpha - ln(a / (us * us) + b);
        if hat <= count * ln_mean - mean - ln_gamma(count + 1.0) {
            return count as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::stream::digest;

    fn rng() -> Rng {
        Seed { master: 1, replication: 0 }.stream().with(digest("poisson")).rng()
    }

    #[test]
    fn mean_and_variance_at_every_size() {
        let n = 100_000;
        for mean in [0.01, 0.7, 5.0, 12.0, 12.1, 40.0, 1e3, 1e6, 1e12] {
            let mut rng = rng();
            let deviations: Vec<f64> = (0..n).map(|_| poisson(mean, &mut rng) as f64 - mean).collect();
            let average = deviations.iter().sum::<f64>() / f64::from(n);
            let square = deviations.iter().map(|d| d * d).sum::<f64>() / f64::from(n);
            // Var(X) = mean and Var((X − mean)²) = mean + 2 mean²; five standard errors each.
            assert!(average.abs() < 5.0 * (mean / f64::from(n)).sqrt(), "{mean}: {average}");
            let error = ((mean + 2.0 * mean * mean) / f64::from(n)).sqrt();
            assert!((square - mean).abs() < 5.0 * error, "{mean}: {square}");
        }
    }

    #[test]
    fn shares_of_single_counts() {
        let n = 200_000;
        for mean in [0.7, 12.0, 12.5, 30.0] {
            let mut rng = rng();
            let mut counts = [0_u32; 100];
            for _ in 0..n {
                counts[poisson(mean, &mut rng) as usize] += 1;
            }
            for (k, count) in counts.iter().enumerate() {
                let p = exp(k as f64 * ln(mean) - mean - ln_gamma(k as f64 + 1.0));
                if p > 1e-4 {
                    let error = (p * (1.0 - p) / f64::from(n)).sqrt();
                    assert!((f64::from(*count) / f64::from(n) - p).abs() < 5.0 * error, "{mean} {k}");
                }
            }
        }
    }

    #[test]
    fn nothing_happens_at_mean_0() {
        assert_eq!(poisson(0.0, &mut rng()), 0);
    }
}
