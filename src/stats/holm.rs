//! Many claims judged at once: Student's test of each, and Holm's verdict on all.
//!
//! Holm (1979), *A simple sequentially rejective multiple test procedure*: the smallest p is held to level/m, the next
//! to level/(m − 1), and so on until one passes. The chance that any claim is refused though all hold is at most the
//! level, however the claims depend on each other.

use super::quantile::t_above;

/// The chance that the mean of `n` values is as far from `exact` on either side, if that is what they estimate.
/// `None` where it can't be known: for fewer than two values, or values without spread.
pub fn two_sided_p(mean: f64, sd: f64, n: u64, exact: f64) -> Option<f64> {
    let freedom = n.checked_sub(1).filter(|freedom| *freedom > 0 && sd > 0.0)? as f64;
    let t = (mean - exact) / (sd / (n as f64).sqrt());
    Some(2.0 * t_above(t.abs(), freedom))
}

/// Which claims are refused, given their p and of how many claims these are a part: the others count as passed.
///
/// # Panics
/// If there are fewer than these.
pub fn holm(ps: &[f64], level: f64, of: usize) -> Vec<bool> {
    assert!(ps.len() <= of, "{} of {of} claims", ps.len());
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut refused = vec![false; ps.len()];
    for (rank, claim) in order.into_iter().enumerate() {
        if ps[claim] > level / (of - rank) as f64 {
            break;
        }
        refused[claim] = true;
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_by_hand() {
        // Thresholds for three claims: 1/3000, 1/2000, 1/1000.
        assert_eq!(holm(&[0.5, 0.4, 0.0004], 0.001, 3), [false; 3]);
        assert_eq!(holm(&[0.0003, 0.4, 0.0006], 0.001, 3), [true, false, false]);
        assert_eq!(holm(&[0.0003, 0.0009, 0.0004], 0.001, 3), [true; 3]);
        // A part of thirty: 1/30,000.
        assert_eq!(holm(&[0.000_03, 0.4], 0.001, 30), [true, false]);
        assert_eq!(holm(&[0.000_04, 0.4], 0.001, 30), [false; 2]);
        assert_eq!(holm(&[], 0.001, 30), [false; 0]);
    }

    #[test]
    fn student_from_a_published_table() {
        // NIST/SEMATECH e-Handbook, section 1.3.6.7.2: t(0.975, 10) = 2.228, on either side.
        let p = two_sided_p(1.0 + 2.228_138_852 * 0.5, 0.5 * 11_f64.sqrt(), 11, 1.0).unwrap();
        assert!((p - 0.05).abs() < 1e-9);
        assert_eq!(two_sided_p(1.0, 0.5, 11, 1.0), Some(1.0));
        // Far out it doesn't sink into the last bit of 1.
        assert!(two_sided_p(100.0, 1.0, 20, 0.0).is_some_and(|p| p > 0.0 && p < 1e-30));
        assert_eq!((two_sided_p(1.0, 0.0, 9, 1.0), two_sided_p(1.0, 1.0, 1, 1.0)), (None, None));
    }
}
