//! The exponential function for draws, of which a request takes a dozen: a table of 128 steps an octave and a polynomial
//! between them (Tang 1989), within 2 units in the last place and three times as fast as the general one.
//!
//! Only sums and products of IEEE numbers, so it is the same on every machine.

use crate::base::maths;
use core::f64::consts::LN_2;
use std::sync::LazyLock;

const STEPS: usize = 128;
/// Added and taken away, it leaves a whole number: the last bits of the sum are that number's.
const WHOLE: f64 = 1.5 * (1_u64 << 52) as f64;
/// A step's length as a sum of two numbers: of the first any multiple here is exact.
const LONG: f64 = f64::from_bits((LN_2 / STEPS as f64).to_bits() & !0xffff_ffff);
const SHORT: f64 = 3.710_410_186_743_494e-9;

static TABLE: LazyLock<[u64; STEPS]> =
    LazyLock::new(|| core::array::from_fn(|step| maths::exp(step as f64 / STEPS as f64 * LN_2).to_bits()));

/// `e` to the power `x`.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    if !(-700.0..700.0).contains(&x) {
        return maths::exp(x);
    }
    let sum = x * (STEPS as f64 / LN_2) + WHOLE;
    let steps = sum - WHOLE;
    let left = (x - steps * LONG) - steps * SHORT;
    let whole = sum.to_bits().wrapping_sub(WHOLE.to_bits());
    let square = left * left;
    let factor = left + square * (0.5 + left * (1.0 / 6.0)) + square * square * (1.0 / 24.0 + left * (1.0 / 120.0));
    // An octave is one more in the exponent.
    let octaves = (whole.cast_signed() >> STEPS.trailing_zeros()) << 52;
    let power = f64::from_bits(TABLE[whole as usize % STEPS].wrapping_add_signed(octaves));
    power + power * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_as_exact_as_a_number_can_tell() {
        // From 1e-304 to 1e304 in steps that meet no pattern of the table; the general one is within 1 unit.
        let mut worst: f64 = 0.0;
        let mut x = -699.9;
        while x < 699.9 {
            let (fast, exact) = (exp(x), maths::exp(x));
            worst = worst.max((fast / exact - 1.0).abs());
            x += 0.000_917_3;
        }
        assert!(worst <= 3.0 * f64::EPSILON, "{worst}");
    }

    #[test]
    fn ends_as_the_general_one() {
        for x in [0.0, -0.0, 710.0, -746.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(exp(x).to_bits(), maths::exp(x).to_bits(), "{x}");
        }
        assert!(exp(f64::NAN).is_nan());
    }
}
