//! Shares of exponential times that end between nodes of the lattice.
//!
//! Gaps grow as nodes do, so whatever the mean is they are those of one table times a factor within 1 %: the share is
//! read there, and what is left over is a few terms of a series. That is within 1e-10 of the share, and where gaps are
//! shorter than the mean within 1e-12 of what is left.

use super::lattice::{COUNT as NODES, LN_STEP, STEP};
use crate::base::maths::{exp, exp_m1, ln};
use std::sync::LazyLock;

/// Steps from the first gap of the table to one as long as the mean. From the first, which is 1e-21 means, no lattice
/// reaches a gap where its ratio to that of the table matters.
const BEFORE_ONE: usize = 2442;
/// Gaps of the table from which on everything has ended: the first is 40 means, and e^-40 is nothing.
const ALL: usize = BEFORE_ONE + 187;

/// Means in a gap of the table.
fn means(number: usize) -> f64 {
    exp((number as f64 - BEFORE_ONE as f64) * LN_STEP)
}

/// By gap; where everything has ended, as many as there are nodes.
static ENDED: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let some = (0..ALL).map(|number| ended(means(number)));
    some.chain(core::iter::repeat_n(1.0, NODES)).collect()
});

/// The share that ends within so many means.
pub(super) fn ended(means: f64) -> f64 {
    -exp_m1(-means)
}

/// The shares that end within so many gaps each of which is a step longer than the one before, the first so many means.
pub(super) fn ended_in_gaps(first: f64, gaps: usize) -> impl Iterator<Item = f64> {
    let number = ((ln(first) / LN_STEP).round() + BEFORE_ONE as f64) as usize;
    // How much longer than those of the table gaps are.
    let (number, mut more) = if number < ALL { (number, first - means(number)) } else { (ALL, 0.0) };
    ENDED[number..number + gaps].iter().map(move |ended| {
        let ended_more = more * (1.0 - more * (1.0 / 2.0 - more * (1.0 / 6.0 - more * (1.0 / 24.0))));
        more *= STEP;
        ended + (1.0 - ended) * ended_more
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_exponentials() {
        // From gaps that are no part of the mean to such as are many means, whatever the first one's place in the table.
        for first in [3e-24, 1e-21, 2.345e-9, 1.009e-3, 0.1, 0.997, 7.7, 39.0, 41.0, 1e300] {
            let mut gap = first;
            for share in ended_in_gaps(first, 2000) {
                let left = (-gap).exp();
                assert!((share - ended(gap)).abs() <= 1e-10_f64.min(1e-10 * gap), "{first} {gap}");
                assert!(gap > 1.0 || ((1.0 - share) - left).abs() <= 2e-12 * left, "{first} {gap}");
                gap *= STEP;
            }
        }
    }
}
