//! The times at which latency curves are known: 1 ns × 1.02^k.
//!
//! All curves stand on the same nodes (or on these times one factor), so that adding a wait to a curve needs neither a
//! search nor a logarithm.

use crate::base::maths::exp;
use std::sync::LazyLock;

/// The ratio of one node to the one before.
pub(super) const STEP: f64 = 1.02;
/// Its logarithm.
pub(super) const LN_STEP: f64 = 0.019_802_627_296_179_73;
/// The first node, in seconds.
const FIRST: f64 = 1e-9;
/// Nodes: the last is at some 40 years.
pub(super) const COUNT: usize = 2108;
/// Bits of a number's fraction that a bucket drops: 64 buckets between a number and its double.
const DROPPED: u32 = 46;

/// The nodes, and where to look for a time among them.
pub(super) struct Lattice {
    nodes: Vec<f64>,
    /// By leading bits: the last node that isn't after any time with these bits.
    buckets: Vec<u16>,
    /// The leading bits of the first bucket.
    offset: u64,
}

/// The one lattice.
pub(super) static LATTICE: LazyLock<Lattice> = LazyLock::new(|| {
    // Each by itself, so that rounding doesn't add up.
    let nodes: Vec<f64> = (0..COUNT).map(|k| FIRST * exp(k as f64 * LN_STEP)).collect();
    let offset = nodes[0].to_bits() >> DROPPED;
    let buckets = (offset..=nodes[COUNT - 1].to_bits() >> DROPPED)
        .map(|bits| {
            let from = f64::from_bits(bits << DROPPED);
            nodes.partition_point(|&node| node <= from).saturating_sub(1) as u16
        })
        .collect();
    Lattice { nodes, buckets, offset }
});

impl Lattice {
    /// The nodes, in seconds.
    pub(super) fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// The last node that isn't after `x`; the first one if all are, the last but one if none is.
    pub(super) fn floor(&self, x: f64) -> usize {
        if x < FIRST {
            return 0;
        }
        let bucket = ((x.to_bits() >> DROPPED) - self.offset) as usize;
        let Some(&from) = self.buckets.get(bucket) else { return COUNT - 2 };
        let mut k = usize::from(from);
        while k + 2 < COUNT && self.nodes[k + 1] <= x {
            k += 1;
        }
        k
    }

    /// What is at most `x` of what has `values` at the nodes from `first` on, linear between them: the atom at 0 and from
    /// there straight to the first of them, the top from the last one on.
    pub(super) fn read(&self, values: (usize, &[f64]), ends: (f64, f64), x: f64) -> f64 {
        self.line(values, ends, x).0
    }

    /// The same, and its slope there.
    #[inline]
    pub(super) fn line(&self, (first, values): (usize, &[f64]), (atom, top): (f64, f64), x: f64) -> (f64, f64) {
        if x < 0.0 {
            return (0.0, 0.0);
        }
        let Some(&lowest) = values.first().filter(|_| x > 0.0) else { return (atom, 0.0) };
        if x < self.nodes[first] {
            let slope = (lowest - atom) / self.nodes[first];
            return (atom + slope * x, slope);
        }
        let number = self.floor(x);
        match values.get(number - first..number - first + 2) {
            Some(&[low, high]) => {
                let slope = (high - low) / (self.nodes[number + 1] - self.nodes[number]);
                (low + slope * (x - self.nodes[number]), slope)
            }
            Some(_) | None => (top, 0.0),
        }
    }

    /// The first node that isn't before `x`; the last one if all are.
    pub(super) fn ceil(&self, x: f64) -> usize {
        let k = self.floor(x);
        if self.nodes[k] >= x { k } else { k + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_two_per_cent_apart_and_found_again() {
        let lattice = &*LATTICE;
        assert!(lattice.nodes().windows(2).all(|pair| (pair[1] / pair[0] - 1.02).abs() < 1e-12));
        for (k, &node) in lattice.nodes()[..COUNT - 1].iter().enumerate() {
            assert_eq!((lattice.floor(node), lattice.ceil(node)), (k, k));
            let between = node * 1.01;
            assert_eq!((lattice.floor(between), lattice.ceil(between)), (k, k + 1));
        }
        assert_eq!((lattice.floor(0.0), lattice.ceil(0.0)), (0, 0));
        assert_eq!((lattice.floor(1e300), lattice.ceil(1e300)), (COUNT - 2, COUNT - 1));
    }
}
