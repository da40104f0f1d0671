//! The special functions behind the distributions: normal quantile, incomplete gamma and its inverse.
//!
//! On libm alone: `statrs` calls the platform's `ln` and `exp`, whose last bits differ between systems.

use crate::base::maths::{exp, ln, ln_1p, ln_gamma};

/// Horner's rule, the constant term first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The standard normal quantile at `p` from 0 to 1, to about 5e-16 relative.
///
/// Algorithm AS 241, PPND16 (Wichura 1988, *Applied Statistics* 37, 477–484).
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-ln(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    z.copysign(q)
}

/// The regularised incomplete gamma function of shape `a` up to and beyond `x`: (P, Q), P + Q = 1.
///
/// Series below a + 1, continued fraction above (Press et al., *Numerical Recipes*, 3rd ed., section
/// 6.2). Each converges in about 10 √a terms; the relative error is that of `exp(a ln x − x − ln Γ(a))`,
/// about 4e-16 · a ln a.
fn gamma_sides(a: f64, x: f64) -> (f64, f64) {
    const TERMS: u32 = 10_000;
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let density = exp(a * ln(x) - x - ln_gamma(a));
    if x < a + 1.0 {
        let mut term = 1.0 / a;
        let mut sum = term;
        for n in 1..TERMS {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        let lower = density * sum;
        (lower, 1.0 - lower)
    } else {
        // Lentz's algorithm.
        let mut b = x + 1.0 - a;
        let mut c = f64::MAX;
        let mut d = 1.0 / b;
        let mut fraction = d;
        for n in 1..TERMS {
            let n = f64::from(n);
            let numerator = -n * (n - a);
            b += 2.0;
            d = 1.0 / (numerator * d + b);
            c = b + numerator / c;
            fraction *= d * c;
            if (d * c - 1.0).abs() < 4e-16 {
                break;
            }
        }
        let upper = density * fraction;
        (1.0 - upper, upper)
    }
}

/// P(G ≤ x) of a gamma of shape `a` and scale 1.
pub fn gamma_lower(a: f64, x: f64) -> f64 {
    gamma_sides(a, x).0
}

/// P(G > x) of a gamma of shape `a` and scale 1.
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    gamma_sides(a, x).1
}

/// The quantile at `p` of a gamma of shape `a` and scale 1.
///
/// Halley's iteration on the smaller tail (Press et al., *Numerical Recipes*, 3rd ed., section 6.2.1),
/// from the leading term of the series near 0 and from Wilson and Hilferty's cube elsewhere.
pub fn gamma_quantile(a: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let near_zero = exp((ln(p) + ln_gamma(a + 1.0)) / a);
    if near_zero < 1e-17 * (a + 1.0) {
        return near_zero;
    }
    let mut x = if near_zero < 0.1 * (a + 1.0) {
        near_zero
    } else if a > 1.0 {
        let root = 1.0 - 1.0 / (9.0 * a) + normal_quantile(p) / (3.0 * a.sqrt());
        a * root * root * root
    } else {
        let t = 1.0 - a * (0.253 + a * 0.12);
        if p < t { near_zero } else { 1.0 - ln_1p(-(p - t) / (1.0 - t)) }
    };
    let ln_gamma_a = ln_gamma(a);
    for _ in 0..60 {
        let (lower, upper) = gamma_sides(a, x);
        let error = if p < 0.5 { lower - p } else { (1.0 - p) - upper };
        let density = exp((a - 1.0) * ln(x) - x - ln_gamma_a);
        let newton = error / density;
        let step = newton / (1.0 - 0.5 * (newton * ((a - 1.0) / x - 1.0)).min(1.0));
        // A step past 0 is cut to half the way.
        let next = if step < x { x - step } else { 0.5 * x };
        let done = (next - x).abs() < 1e-8 * x;
        x = next;
        if done {
            // The convergence is cubic: this step's error is far below an ulp.
            break;
        }
    }
    x
}

/// Quantile of the sum of two exponentials of mean 1: where e^−x (1 + x) = 1 − p.
///
/// In logarithms: x − ln(1 + x) = −ln(1 − p), by Newton's iteration; near 0 by the series in s = √(−2 ln(1 − p)) of Marsaglia
/// and Marsaglia (1990, "A new derivation of Stirling's approximation to n!").
pub fn erlang2_quantile(p: f64) -> f64 {
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let left = -ln_1p(-p.max(0.0));
    let s = (2.0 * left).sqrt();
    if s < 0.05 {
        let far = -1.0 / 270.0 + s * (1.0 / 4320.0 + s * (1.0 / 17010.0 - s * 139.0 / 5_443_200.0));
        return s * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 36.0 + s * far)));
    }
    let mut x = s + left * (2.0 / 3.0);
    loop {
        // The left side is convex and rises, so after the first step each is down, and twice as many digits are right.
        let step = (x - ln_1p(x) - left) * (1.0 + x) / x;
        x -= step;
        if step.abs() < 1e-9 * x {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::maths::{normal_cdf, powf};

    #[test]
    fn two_exponentials_are_the_gamma_of_shape_2() {
        for k in 0..4000 {
            // From 1e-20 to 1 - 1e-16.
            let p = if k < 2000 {
                powf(10.0, -20.0 + f64::from(k) * 0.009)
            } else {
                1.0 - powf(10.0, -f64::from(k - 2000) * 0.008)
            };
            let (own, gamma) = (erlang2_quantile(p), gamma_quantile(2.0, p));
            assert!((own - gamma).abs() <= 1e-13 * gamma, "{p}: {own} {gamma}");
        }
        // e^-x (1 + x) at 1 is 2/e.
        assert!((erlang2_quantile(1.0 - 2.0 * exp(-1.0)) - 1.0).abs() < 1e-15);
        assert_eq!([erlang2_quantile(0.0), erlang2_quantile(1.0)], [0.0, f64::INFINITY]);
    }

    #[test]
    fn normal_quantile_at_published_points() {
        // Wichura's own check values, and the usual levels to 16 digits.
        let points = [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
        ];
        for (p, z) in points {
            assert!((normal_quantile(p) / z - 1.0).abs() < 6e-16, "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!([normal_quantile(0.0), normal_quantile(1.0)], [f64::NEG_INFINITY, f64::INFINITY]);
    }

    #[test]
    fn normal_quantile_inverts_the_cdf() {
        for i in 1..2000 {
            let p = f64::from(i) / 2000.0;
            // Φ multiplies a relative error by z φ(z) / Φ(z), at most 12 here: 12 · 5e-16, and its own 1e-15.
            assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 7e-15, "{p}");
        }
    }

    #[test]
    fn incomplete_gamma_agrees_with_statrs() {
        for a in [0.01, 0.3, 1.0, 1.0 + 1.0 / 0.7, 2.0, 7.5, 60.0, 400.0] {
            for ratio in [0.01, 0.3, 0.9, 1.0, 1.1, 2.0, 5.0] {
                let x = a * ratio;
                let theirs = statrs::function::gamma::gamma_lr(a, x);
                assert!((gamma_lower(a, x) - theirs).abs() < 1e-12, "{a} {x}: {} {theirs}", gamma_lower(a, x));
                assert!((gamma_upper(a, x) - (1.0 - theirs)).abs() < 1e-12, "{a} {x}");
            }
        }
    }

    #[test]
    fn gamma_quantile_inverts() {
        for a in [0.01, 0.05, 0.3, 0.9, 1.0, 1.1, 1.5, 2.0, 7.5, 60.0, 400.0, 10_000.0] {
            for p in [1e-16, 1e-9, 1e-3, 0.02, 0.2, 0.5, 0.8, 0.98, 0.999, 1.0 - 1e-9, 1.0 - 1e-15] {
                let x = gamma_quantile(a, p);
                let (lower, upper) = gamma_sides(a, x);
                let (found, wanted) = if p < 0.5 { (lower, p) } else { (upper, 1.0 - p) };
                // Below the smallest normal number a quantile loses its digits.
                let tolerance = 1e-13 + 4e-16 * a * ln(1.0 + a);
                assert!(
                    (found / wanted - 1.0).abs() < tolerance || x < 1e-290,
                    "a {a} p {p}: x {x} error {:e}",
                    found / wanted - 1.0
                );
            }
        }
    }

    #[test]
    fn gamma_quantile_of_shape_1_is_a_logarithm() {
        for p in [1e-12, 0.1, 0.5, 0.9, 0.999_999] {
            assert!((gamma_quantile(1.0, p) / -ln_1p(-p) - 1.0).abs() < 1e-14, "{p}");
        }
    }
}
