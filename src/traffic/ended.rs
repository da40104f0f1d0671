//! Shares of exponential times that end between nodes of the lattice.
//!
//! Gaps grow as nodes do, so whatever the mean is they are those of one table times a factor within 1 %: the share is
//! read there, and what is left over is a few terms of a series. That is within 1e-10 of the share, and where gaps are
//! shorter than the mean within 1e-12 of what is left.

use super::lattice::{COUNT as NODES, LN_STEP};
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

/// Powers of a step, from the 0th on.
static STEPS: LazyLock<Vec<f64>> = LazyLock::new(|| (0..NODES).map(|k| exp(k as f64 * LN_STEP)).collect());

/// The share that ends within so many means.
pub(super) fn ended(means: f64) -> f64 {
    -exp_m1(-means)
}

/// Gaps each of which is a step longer than the one before.
pub(super) struct Gaps {
    /// Means in the first.
    first: f64,
    /// Which of the table it is next to, and how much longer than that.
    number: usize,
    more: f64,
}

impl Gaps {
    /// The first is so many means long.
    pub(super) fn growing(first: f64) -> Self {
        let number = ((ln(first) / LN_STEP).round() + BEFORE_ONE as f64) as usize;
        let (number, more) = if number < ALL { (number, first - means(number)) } else { (ALL, 0.0) };
        Self { first, number, more }
    }

    /// Of exponential times, by gap from a number on: of those that run at its beginning the share that still runs at its
    /// end, and of those that begin within it, evenly, the share that does.
    pub(super) fn stretch(&self, from: usize, runs: &mut [f64], stays: &mut [f64]) {
        let Self { first, number, more } = *self;
        let count = runs.len();
        let (steps, ended) = (&STEPS[from..from + count], &ENDED[number + from..number + from + count]);
        for ((runs, stays), (ended, step)) in runs.iter_mut().zip(stays).zip(ended.iter().zip(steps)) {
            let more = more * step;
            let ended_more = more * (1.0 - more * (1.0 / 2.0 - more * (1.0 / 6.0 - more * (1.0 / 24.0))));
            let ends = ended + (1.0 - ended) * ended_more;
            *runs = 1.0 - ends;
            *stays = ends / (first * step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lattice::STEP;
    use super::*;

    #[test]
    fn shares_are_those_of_exponentials() {
        // From gaps that are no part of the mean to such as are many means, whatever the first one's place in the table.
        for first in [3e-24, 1e-21, 2.345e-9, 1.009e-3, 0.1, 0.997, 7.7, 39.0, 41.0, 1e300] {
            let mut gap = first;
            let gaps = Gaps::growing(first);
            for k in 0..2000 {
                // Whatever they are looked at with.
                let (mut runs, mut stays) = ([0.0; 7], [0.0; 7]);
                gaps.stretch(k - k % 7, &mut runs, &mut stays);
                let (runs, stays) = (runs[k % 7], stays[k % 7]);
                let left = (-gap).exp();
                assert!((runs - left).abs() <= 1e-10_f64.min(1e-10 * gap + 2e-16), "{first} {gap}");
                assert!(gap > 1.0 || (runs - left).abs() <= 2e-12 * left, "{first} {gap}");
                assert!((stays - ended(gap) / gap).abs() <= 1e-10 * stays, "{first} {gap}");
                gap *= STEP;
            }
        }
    }
}
