//! Scales and their ticks.

use super::canvas::{AXIS, Anchor, Canvas, GRID, SOFT};
use crate::base::maths::ln;

/// A straight scale from values to positions.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// First and last value.
    pub domain: (f64, f64),
    /// Their positions.
    pub range: (f64, f64),
}

impl Scale {
    /// Where a value stands; beyond the ends, at the end.
    pub(super) fn at(self, x: f64) -> f64 {
        let (a, b) = self.domain;
        let share = if b == a { 0.5 } else { ((x - a) / (b - a)).clamp(0.0, 1.0) };
        self.range.0 + share * (self.range.1 - self.range.0)
    }
}

/// Decimal logarithm.
pub(super) fn log10(x: f64) -> f64 {
    ln(x) / core::f64::consts::LN_10
}

/// Round numbers from `low` to `high`, about `wanted` of them.
pub(super) fn ticks(low: f64, high: f64, wanted: f64) -> Vec<f64> {
    let raw = (high - low) / wanted;
    if raw.is_nan() || raw <= 0.0 || !raw.is_finite() {
        return vec![low];
    }
    let mut power = 1.0;
    while power > raw {
        power /= 10.0;
    }
    while power * 10.0 <= raw {
        power *= 10.0;
    }
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw).unwrap_or(power * 10.0);
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Vertical grid lines from `top` to `bottom` with labels beneath.
pub(super) fn horizontal(c: &mut Canvas<'_>, top: f64, bottom: f64, marks: impl IntoIterator<Item = (f64, String)>) {
    let mut first = true;
    for (x, label) in marks {
        c.line((x, top), (x, bottom), if first { AXIS } else { GRID }, 1.0);
        c.text(x, bottom + 12.0, Anchor::Middle, 11.0, SOFT, &label);
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_ticks() {
        assert_eq!(ticks(0.0, 10.0, 5.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(0.0, 312.0, 6.0), [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(ticks(3.0, 3.0, 5.0), [3.0]);
        assert_eq!(Scale { domain: (0.0, 4.0), range: (10.0, 20.0) }.at(1.0), 12.5);
    }
}
