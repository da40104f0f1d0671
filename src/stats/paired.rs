//! Two variants under the same seeds: the difference, seed by seed.
//!
//! Common random numbers make both see the same outages, so the variance of the difference is that of
//! what the designs do about them (Law, *Simulation Modeling and Analysis*, 5th ed., section 10.2.1).

use super::quantile::t_quantile;
use super::summary::{moments, t_half_width};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way a metric is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Such as availability.
    HigherIsBetter,
    /// Such as cost.
    LowerIsBetter,
}

impl Direction {
    /// Above 0 if a difference is an improvement.
    pub fn gain(self, difference: f64) -> f64 {
        match self {
            Self::HigherIsBetter => difference,
            Self::LowerIsBetter => -difference,
        }
    }
}

/// What the comparison shows of A against B, at 95 % confidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A is better than B.
    Better,
    /// A is worse than B.
    Worse,
    /// The interval of the difference holds 0, or there are too few seeds for one.
    NoDifferenceShown,
}

/// The paired comparison of A with B.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Paired {
    /// How many seeds both have.
    pub n: u64,
    /// The mean of A − B.
    pub difference: f64,
    /// Student's 95 % interval of it; absent for a single seed. All differences equal: no width.
    pub ci95: Option<[f64; 2]>,
    /// The share of seeds in which A is better; ties count half.
    pub a_better_share: f64,
    /// The width of Welch's interval for independent runs over the paired one's: above 1, pairing helped.
    /// Absent if the paired interval has no width.
    pub narrowing: Option<f64>,
    /// How many seeds in all would show a difference of this size, if this many don't; absent if they do,
    /// or if the difference is 0.
    pub seeds_needed: Option<u64>,
    /// What follows from the interval.
    pub verdict: Verdict,
}

impl Paired {
    /// Compares the values of A and B under the same seeds, `None` without any.
    ///
    /// # Panics
    /// If A and B have different counts of values, or a value is not finite.
    pub fn of(a: &[f64], b: &[f64], direction: Direction) -> Option<Self> {
        assert_eq!(a.len(), b.len(), "paired values share their seeds");
        assert!(a.iter().chain(b).all(|x| x.is_finite()), "a metric's value is finite");
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let (difference, variance) = moments(&differences)?;
        let n = differences.len() as u64;
        let wins: f64 = differences
            .iter()
            .map(|d| match direction.gain(*d).total_cmp(&0.0) {
                core::cmp::Ordering::Greater if *d != 0.0 => 1.0,
                core::cmp::Ordering::Less if *d != 0.0 => 0.0,
                _ => 0.5,
            })
            .sum();
        let sd = variance.map(f64::sqrt);
        let half = sd.and_then(|sd| t_half_width(sd, n, 0.95));
        let verdict = match half {
            Some(half) if difference.abs() > half => {
                if direction.gain(difference) > 0.0 {
                    Verdict::Better
                } else {
                    Verdict::Worse
                }
            }
            Some(_) | None => Verdict::NoDifferenceShown,
        };
        let narrowing = half.filter(|half| *half > 0.0).and_then(|half| Some(welch_half_width(a, b)? / half));
        let seeds_needed = match verdict {
            Verdict::NoDifferenceShown => sd.and_then(|sd| seeds_to_show(difference, sd)),
            Verdict::Better | Verdict::Worse => None,
        };
        Some(Self {
            n,
            difference,
            ci95: half.map(|half| [difference - half, difference + half]),
            a_better_share: wins / n as f64,
            narrowing,
            seeds_needed,
            verdict,
        })
    }
}

/// Half the width of the 95 % interval of a difference of independent means (Welch 1947).
fn welch_half_width(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    let (va, vb) = (moments(a)?.1? / n, moments(b)?.1? / n);
    let both = va + vb;
    if both == 0.0 {
        return Some(0.0);
    }
    let freedom = both * both * (n - 1.0) / (va * va + vb * vb);
    Some(t_quantile(0.975, freedom) * both.sqrt())
}

/// The fewest seeds whose 95 % interval excludes 0, if difference and spread stay as they are.
fn seeds_to_show(difference: f64, sd: f64) -> Option<u64> {
    if difference == 0.0 {
        return None;
    }
    let shows = |n: u64| t_half_width(sd, n, 0.95).is_some_and(|half| difference.abs() > half);
    // t is wider than z, by about two seeds at any size.
    let ratio = 1.96 * sd / difference.abs();
    let mut n = ((ratio * ratio) as u64).max(2);
    if n > 1_000_000 {
        // Two in a million are no news, and t's quantile is not made for so many degrees of freedom.
        return Some(n);
    }
    while !shows(n) {
        n += 1;
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{HigherIsBetter, LowerIsBetter};

    #[test]
    fn by_hand() {
        // Differences 1, 2, 3, 2: mean 2, variance 2/3, t(0.975, 3) = 3.182 446 305.
        let (a, b) = ([11.0, 22.0, 33.0, 42.0], [10.0, 20.0, 30.0, 40.0]);
        let p = Paired::of(&a, &b, HigherIsBetter).unwrap();
        let half = 3.182_446_305 * (2.0_f64 / 3.0 / 4.0).sqrt();
        assert_eq!((p.n, p.difference, p.a_better_share), (4, 2.0, 1.0));
        assert!((p.ci95.unwrap()[0] - (2.0 - half)).abs() < 1e-8);
        assert_eq!((p.verdict, p.seeds_needed), (Verdict::Better, None));
        assert_eq!(Paired::of(&a, &b, LowerIsBetter).unwrap().verdict, Verdict::Worse);
        assert_eq!(Paired::of(&a, &b, LowerIsBetter).unwrap().a_better_share, 0.0);
        // Independent: variances 530/3 (sum of squares about 27: 256 + 25 + 36 + 225 = 542) and 500/3.
        let (va, vb) = (542.0 / 3.0 / 4.0, 500.0 / 3.0 / 4.0);
        let freedom = (va + vb) * (va + vb) * 3.0 / (va * va + vb * vb);
        let expected = t_quantile(0.975, freedom) * f64::sqrt(va + vb) / half;
        assert!((p.narrowing.unwrap() - expected).abs() < 1e-6, "{:?} {expected}", p.narrowing);
    }

    #[test]
    fn no_difference_shown_says_how_many_seeds_would() {
        // Differences −1 and 3: mean 1, sd √8, half-width 12.7 · 2.
        let p = Paired::of(&[0.0, 3.0], &[1.0, 0.0], HigherIsBetter).unwrap();
        assert_eq!((p.verdict, p.difference, p.a_better_share), (Verdict::NoDifferenceShown, 1.0, 0.5));
        let n = p.seeds_needed.unwrap();
        let half = |n| t_half_width(8_f64.sqrt(), n, 0.95).unwrap();
        assert!(half(n) < 1.0 && half(n - 1) >= 1.0, "{n}");
        // (1.96 · √8)² = 30.7 by the normal quantile, 34 by t: 2.0345 · √(8/34) = 0.987.
        assert_eq!(n, 34);
        // A hopeless case ends too: (1.96 · 10⁹)².
        assert!((seeds_to_show(1e-9, 1.0).unwrap() as f64 / 3.8416e18 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_differences_need_no_interval() {
        let same = Paired::of(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], HigherIsBetter).unwrap();
        assert_eq!((same.verdict, same.ci95, same.a_better_share), (Verdict::NoDifferenceShown, Some([0.0, 0.0]), 0.5));
        assert_eq!((same.narrowing, same.seeds_needed), (None, None));
        let shifted = Paired::of(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0], LowerIsBetter).unwrap();
        assert_eq!((shifted.verdict, shifted.ci95), (Verdict::Better, Some([-1.0, -1.0])));
        assert_eq!(Paired::of(&[1.0], &[2.0], LowerIsBetter).unwrap().verdict, Verdict::NoDifferenceShown);
        assert_eq!(Paired::of(&[], &[], LowerIsBetter), None);
    }

    #[test]
    fn ties_count_half() {
        let p = Paired::of(&[1.0, 2.0, 3.0, 0.0], &[1.0, 1.0, 4.0, 0.0], HigherIsBetter).unwrap();
        assert_eq!(p.a_better_share, 0.5);
        let low = Paired::of(&[1.0, 0.0], &[1.0, 1.0], LowerIsBetter).unwrap();
        assert_eq!(low.a_better_share, 0.75);
    }

    #[test]
    fn verdicts_are_written_in_kebab_case() {
        assert_eq!(serde_json::to_string(&Verdict::NoDifferenceShown).unwrap(), "\"no-difference-shown\"");
    }
}
