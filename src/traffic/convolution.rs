//! Sums of independent times on a linear grid, by FFT.
//!
//! Steps of the grid come in a ladder of 2^(1/8), so that the transform of a part that comes in many sums, such as a
//! service's time, is worked out once a step and kept. What is kept changes speed and nothing else.
//!
//! A part that is shorter than a step lies in one or two cells, whose middles can be half a step from it. What the middles
//! are off in the mean is known, and moves the sum: what is left is in the variance, a twelfth of a step squared a part.

use super::latency::Part;
use crate::base::maths::{exp, ln};
use core::f64::consts::LN_2;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Points of the grid.
pub(super) const GRID: usize = 4096;
/// Rungs of the ladder of steps between one and its double.
const RUNGS: f64 = 8.0;
/// Most transforms that are kept: 64 KiB each. Those that come first are those of the plan when all is well.
const MOST: usize = 256;
/// A part lies on the grid as a whole if no more than this lies beyond.
const WHOLE: f64 = 1e-9;

/// The shortest step of the ladder that isn't below so many seconds.
pub(super) fn step(seconds: f64) -> f64 {
    exp((ln(seconds) * (RUNGS / LN_2)).ceil() * (LN_2 / RUNGS))
}

/// The transforms of the grid.
struct Transforms {
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    known: Mutex<Vec<Known>>,
}

/// The transform of a part, for a step of the grid.
struct Known {
    part: Part,
    step: f64,
    transform: Transform,
}

/// A part on the grid.
#[derive(Clone)]
struct Transform {
    spectrum: Arc<[Complex64]>,
    /// Seconds by which its mean exceeds that of the middles of the cells that it lies in.
    beyond: f64,
}

/// Planned once.
static TRANSFORMS: LazyLock<Transforms> = LazyLock::new(|| {
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, backward) = (planner.plan_fft_forward(2 * GRID), planner.plan_fft_inverse(2 * GRID));
    Transforms { forward, backward, known: Mutex::default() }
});

impl Transforms {
    /// The transform of a part.
    fn of(&self, part: &Part, step: f64) -> Transform {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known().iter().find(|entry| entry.step == step && entry.part == *part) {
            return entry.transform.clone();
        }
        let mut masses = self.forward.make_input_vec();
        let (mut below, mut mean) = (0.0, 0.0);
        for (k, mass) in masses[..GRID].iter_mut().enumerate() {
            let above = part.cdf((k as f64 + 0.5) * step);
            *mass = above - below;
            mean += *mass * k as f64 * step;
            below = above;
            // All its mass is placed: what is left of the grid stays 0. Most parts are short beside the sum.
            if above >= 1.0 {
                break;
            }
        }
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut masses, &mut spectrum).expect("buffers made by the plan fit it");
        // Where some of it lies beyond the grid it is long beside a step.
        let beyond = if below > 1.0 - WHOLE { part.mean() - mean } else { 0.0 };
        let transform = Transform { spectrum: spectrum.into(), beyond };
        let mut known = known();
        if known.len() < MOST {
            known.push(Known { part: part.clone(), step, transform: transform.clone() });
        }
        transform
    }
}

/// Masses of the sum of `parts` around multiples of `step`, and seconds by which it is beyond them: product of their
/// transforms.
pub(super) fn convolve(parts: &[&Part], step: f64) -> (Vec<f64>, f64) {
    let transforms = &*TRANSFORMS;
    let mut product = transforms.forward.make_output_vec();
    product.fill(1.0.into());
    let mut beyond = 0.0;
    for part in parts {
        let transform = transforms.of(part, step);
        beyond += transform.beyond;
        for (product, factor) in product.iter_mut().zip(transform.spectrum.iter()) {
            *product *= factor;
        }
    }
    // A real signal's first and last bin are real; rounding may have left dust.
    product[0].im = 0.0;
    product[GRID].im = 0.0;
    let mut masses = transforms.backward.make_output_vec();
    transforms.backward.process(&mut product, &mut masses).expect("buffers made by the plan fit it");
    for mass in &mut masses {
        *mass = (*mass / (2 * GRID) as f64).max(0.0);
    }
    (masses, beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_rungs() {
        // 2^(-9/8) and 2^(-10/8) around 0.43; a rung is its own.
        let rung = |k: f64| exp(k * LN_2 / RUNGS);
        assert!((step(0.43) - rung(-9.0)).abs() < 1e-15);
        assert!((rung(-9.0) - 0.458_502_021_9).abs() < 1e-9);
        assert!((step(rung(-30.0) * (1.0 - 1e-12)) - rung(-30.0)).abs() < 1e-15);
    }
}
