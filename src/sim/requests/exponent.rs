//! The exponential function for draws, of which a request takes a dozen: a table of 128 steps an octave and a polynomial
//! between them (Tang 1989), within 2 units in the last place and three times as fast as the general one.
//!
//! Only sums and products of IEEE numbers, so it is the same on every machine.

use crate::base::maths;
use core::f64::consts::LN_2;
use std::sync::LazyLock;

const STEPS: usize = 128;
/// How many are done at once.
const CHUNK: usize = 32;
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
    let (factor, whole) = factor_and_steps(x);
    power(&TABLE, factor, whole)
}

/// How many steps are in it, and what else it is to be multiplied by, less 1.
#[inline]
fn factor_and_steps(x: f64) -> (f64, u64) {
    let sum = x * (STEPS as f64 / LN_2) + WHOLE;
    let steps = sum - WHOLE;
    let left = (x - steps * LONG) - steps * SHORT;
    let square = left * left;
    let factor = left + square * (0.5 + left * (1.0 / 6.0)) + square * square * (1.0 / 24.0 + left * (1.0 / 120.0));
    (factor, sum.to_bits().wrapping_sub(WHOLE.to_bits()))
}

#[inline]
fn power(table: &[u64; STEPS], factor: f64, whole: u64) -> f64 {
    // An octave is one more in the exponent.
    let octaves = (whole >> STEPS.trailing_zeros()) << 52;
    let power = f64::from_bits(table[whole as usize % STEPS].wrapping_add(octaves));
    power + power * factor
}

/// Each number's power of `e`, as by [`exp`]: what doesn't need the table is done of two at a time.
pub(super) fn exps(numbers: &mut [f64]) {
    let table = &*TABLE;
    for numbers in numbers.chunks_mut(CHUNK) {
        let (mut factors, mut wholes, mut largest) = ([0.0; CHUNK], [0; CHUNK], 0.0);
        for ((x, factor), whole) in numbers.iter().zip(&mut factors).zip(&mut wholes) {
            (*factor, *whole) = factor_and_steps(*x);
            largest = if x.abs() > largest { x.abs() } else { largest };
        }
        if largest >= 700.0 {
            for x in numbers {
                *x = exp(*x);
            }
            continue;
        }
        for ((x, factor), whole) in numbers.iter_mut().zip(factors).zip(wholes) {
            *x = power(table, factor, whole);
        }
    }
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
    fn many_are_as_one() {
        let one: Vec<f64> = (0..200).map(|i| f64::from(i) * 3.71 - 371.3).collect();
        let mut many = one.clone();
        // Of a chunk in which one is too large each is done by itself.
        many.extend([1.0, 710.0, -3.0]);
        exps(&mut many);
        assert!(one.into_iter().chain([1.0, 710.0, -3.0]).zip(many).all(|(one, many)| exp(one) == many));
    }

    #[test]
    fn ends_as_the_general_one() {
        for x in [0.0, -0.0, 710.0, -746.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(exp(x).to_bits(), maths::exp(x).to_bits(), "{x}");
        }
        assert!(exp(f64::NAN).is_nan());
    }
}
