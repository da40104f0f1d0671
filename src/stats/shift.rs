//! Has a mean moved by more than is allowed? One-sided tests of Student's t.
//!
//! Of paired values the differences are tested (Student 1908), of independent ones the means with unlike variances
//! (Welch 1947).

use super::quantile::{t_above, t_quantile};
use super::summary::moments;

/// The mean of A less that of B.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shift {
    /// The difference of the means.
    pub difference: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// The chance of such a difference or a larger one, if the true one is what is allowed.
    pub p: f64,
}

impl Shift {
    /// Of values under the same seeds; `None` for fewer than two.
    ///
    /// # Panics
    /// If A and B have different counts of values.
    pub fn paired(a: &[f64], b: &[f64], allowed: f64) -> Option<Self> {
        assert_eq!(a.len(), b.len(), "paired values share their seeds");
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let (mean, variance) = moments(&differences)?;
        let n = differences.len() as f64;
        Some(Self::of(mean, (variance? / n).sqrt(), n - 1.0, allowed))
    }

    /// Of values under unlike seeds; `None` for fewer than two on either side.
    pub fn independent(a: &[f64], b: &[f64], allowed: f64) -> Option<Self> {
        let ((mean_a, variance_a), (mean_b, variance_b)) = (moments(a)?, moments(b)?);
        let (m, n) = (a.len() as f64, b.len() as f64);
        let (of_a, of_b) = (variance_a? / m, variance_b? / n);
        let both = of_a + of_b;
        let freedom = both * both / (of_a * of_a / (m - 1.0) + of_b * of_b / (n - 1.0));
        Some(Self::of(mean_a - mean_b, both.sqrt(), freedom, allowed))
    }

    fn of(difference: f64, error: f64, freedom: f64, allowed: f64) -> Self {
        if error == 0.0 {
            let p = if difference > allowed { 0.0 } else { 1.0 };
            return Self { difference, ci95: [difference; 2], p };
        }
        let half = t_quantile(0.975, freedom) * error;
        Self {
            difference,
            ci95: [difference - half, difference + half],
            p: t_above((difference - allowed) / error, freedom),
        }
    }
}

/// The fewest values whose one-sided bound at `confidence` is nearer to the mean than `distance`, if their spread stays as
/// it is; `None` if there is no distance.
pub fn values_to_tell(sd: f64, distance: f64, confidence: f64) -> Option<u64> {
    if distance <= 0.0 {
        return None;
    }
    let tells = |n: u64| t_quantile(confidence, (n - 1) as f64) * sd / (n as f64).sqrt() <= distance;
    // The normal quantile is narrower than t's; a guess that is too low by a few is put right one by one.
    let ratio = super::quantile::normal_quantile(confidence) * sd / distance;
    let mut n = ((ratio * ratio) as u64).max(2);
    while n < 1_000_000 && !tells(n) {
        n += 1;
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences 1, 2, 3, 2: mean 2, error √(2/3/4); against 1 t is 2.449 489 743 of 3 degrees of freedom, which is
    /// exceeded with probability ½ − (x/(1 + x²) + atan x)/π at x = t/√3 = √2: 0.045 863 5.
    #[test]
    fn paired_by_hand() {
        let shift = Shift::paired(&[11.0, 22.0, 33.0, 42.0], &[10.0, 20.0, 30.0, 40.0], 1.0).unwrap();
        let x = 2.0_f64.sqrt();
        let expected = 0.5 - (x / (1.0 + x * x) + x.atan()) / std::f64::consts::PI;
        assert!((shift.p - expected).abs() < 1e-12, "{} {expected}", shift.p);
        let half = 3.182_446_305 * (2.0_f64 / 12.0).sqrt();
        assert!((shift.ci95[0] - (2.0 - half)).abs() < 1e-8 && shift.difference == 2.0);
        assert_eq!(Shift::paired(&[1.0], &[1.0], 0.0), None);
        // Without spread there is no doubt.
        assert_eq!(Shift::paired(&[1.0, 2.0], &[0.0, 1.0], 0.5).unwrap().p, 0.0);
        assert_eq!(Shift::paired(&[1.0, 2.0], &[0.0, 1.0], 1.0).unwrap().p, 1.0);
    }

    /// Welch's by hand: variances 1 and 4, three values each: error √(5/3), 25/((1 + 16)/2) = 2.941 degrees.
    #[test]
    fn independent_by_hand() {
        let shift = Shift::independent(&[4.0, 5.0, 6.0], &[1.0, 3.0, 5.0], 2.0).unwrap();
        assert_eq!((shift.difference, shift.p), (2.0, 0.5));
        let half = t_quantile(0.975, 50.0 / 17.0) * (5.0_f64 / 3.0).sqrt();
        assert!((shift.ci95[1] - (2.0 + half)).abs() < 1e-12);
    }

    #[test]
    fn so_many_values_would_tell() {
        let n = values_to_tell(1.0, 0.5, 0.95).unwrap();
        let reach = |n: u64| t_quantile(0.95, (n - 1) as f64) / (n as f64).sqrt();
        assert!(reach(n) <= 0.5 && reach(n - 1) > 0.5, "{n}");
        assert_eq!(values_to_tell(0.0, 0.5, 0.95), Some(2));
        assert_eq!(values_to_tell(1.0, 0.0, 0.95), None);
    }
}
