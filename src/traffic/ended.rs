//! Shares of exponential times that end between nodes of the lattice.
//!
//! Gaps grow as nodes do, so whatever the mean is they are those of one table times a factor within 1 %: the share is
//! read there, and what is left over is a few terms of a series. That is within 1e-10 of the share, and where gaps are
//! shorter than the mean within 1e-12 of what is left.

use super::lattice::{COUNT as NODES, LATTICE, LN_STEP, STEP};
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

/// What becomes of exponential times of one mean in the gaps between nodes of the lattice, worked out where it is asked for.
#[derive(Clone, Default, Debug)]
struct Ending {
    /// Bits of the mean.
    mean: u64,
    /// Means in the gap after the first node of all.
    gap: f64,
    /// Which of the table that is next to, and how much longer it is.
    number: usize,
    more: f64,
    /// The node before the first gap that is known.
    first: usize,
    /// By gap: of those that run at its beginning the share that still runs at its end.
    runs: Vec<f64>,
    /// By gap: of those that begin within it, evenly, the share that still runs at its end.
    stays: Vec<f64>,
}

impl Ending {
    /// Begins anew, with another mean.
    fn restart(&mut self, mean: f64) {
        let gap = LATTICE.nodes()[0] * (STEP - 1.0) / mean;
        let number = ((ln(gap) / LN_STEP).round() + BEFORE_ONE as f64) as usize;
        (self.number, self.more) = if number < ALL { (number, gap - means(number)) } else { (ALL, 0.0) };
        (self.mean, self.gap) = (mean.to_bits(), gap);
        self.runs.clear();
        self.stays.clear();
    }

    /// Makes the gaps after these nodes known. What comes of one doesn't depend on which others are known.
    fn know(&mut self, from: usize, to: usize) {
        if from < self.first || self.runs.is_empty() {
            self.first = from.saturating_sub(MORE);
            self.runs.clear();
            self.stays.clear();
        }
        let (first, known) = (self.first, self.runs.len());
        if first + known >= to {
            return;
        }
        self.runs.resize(to - first, 0.0);
        self.stays.resize(to - first, 0.0);
        let (gap, more) = (self.gap, self.more);
        let gaps = ENDED[self.number + first + known..self.number + to].iter().zip(&STEPS[first + known..to]);
        let sums = self.runs[known..].iter_mut().zip(&mut self.stays[known..]);
        for ((runs, stays), (ended, step)) in sums.zip(gaps) {
            let more = more * step;
            let ended_more = more * (1.0 - more * (1.0 / 2.0 - more * (1.0 / 6.0 - more * (1.0 / 24.0))));
            let ends = ended + (1.0 - ended) * ended_more;
            *runs = 1.0 - ends;
            *stays = ends / (gap * step);
        }
    }
}

/// Means that are at hand: stations at once, each of which holds what takes several paths.
const MEANS: usize = 8;
/// Nodes before those that are asked for from which on gaps are known: other curves begin somewhat earlier.
const MORE: usize = 64;

/// What becomes of exponential times of the last few means that were asked for.
#[derive(Clone, Default, Debug)]
pub struct Endings {
    known: Vec<Ending>,
    /// The one that came first.
    oldest: usize,
}

impl Endings {
    /// Of exponential times of a mean, in the gaps after these nodes: of those that run at its beginning the share that
    /// still runs at its end, and of those that begin within it, evenly, the share that does.
    pub(super) fn of(&mut self, mean: f64, from: usize, to: usize) -> (&[f64], &[f64]) {
        let known = self.known.iter().position(|ending| ending.mean == mean.to_bits());
        let at = known.unwrap_or_else(|| {
            let at = self.oldest;
            self.oldest = (at + 1) % MEANS;
            self.known.resize_with(self.known.len().max(at + 1), Ending::default);
            self.known[at].restart(mean);
            at
        });
        let ending = &mut self.known[at];
        ending.know(from, to);
        let gaps = from - ending.first..to - ending.first;
        (&ending.runs[gaps.clone()], &ending.stays[gaps])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_exponentials() {
        // From gaps that are no part of the mean to such as are many means, whatever the first one's place in the table.
        let mut endings = Endings::default();
        for first in [3e-24, 1e-21, 2.345e-9, 1.009e-3, 0.1, 0.997, 7.7, 39.0, 41.0, 1e300] {
            let mean = LATTICE.nodes()[0] * (STEP - 1.0) / first;
            // Whatever is asked for first.
            for nodes in [700..1400, 0..800, 1900..2000] {
                let (runs, stays) = endings.of(mean, nodes.start, nodes.end);
                for ((node, runs), stays) in nodes.zip(runs).zip(stays) {
                    let gap = first * exp(node as f64 * LN_STEP);
                    let left = (-gap).exp();
                    assert!((runs - left).abs() <= 1e-10_f64.min(1e-10 * gap + 2e-16), "{first} {gap}");
                    assert!(gap > 1.0 || (runs - left).abs() <= 2e-12 * left, "{first} {gap}");
                    assert!((stays - ended(gap) / gap).abs() <= 1e-10 * stays, "{first} {gap}");
                }
            }
        }
    }
}
