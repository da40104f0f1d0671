//! Elementary functions from `libm`, so that a result has the same bits on every platform.
//!
//! The standard library's `ln`, `exp` and `powf` call the platform's maths, which differ in the last
//! bit between systems. Anything that reaches a result goes through here.

/// Natural logarithm.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// `ln(1 + x)`, exact for small `x`.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// Exponential.
#[inline]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `exp(x) - 1`, exact for small `x`.
#[inline]
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// `x` to the power `y`.
#[inline]
pub fn powf(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Logarithm of the gamma function.
#[inline]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The gamma function.
#[inline]
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// The error function.
#[inline]
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Standard normal distribution function.
#[inline]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / core::f64::consts::SQRT_2)
}

/// e^(x²) erfc(x) for x ≥ 0, to a few ulp: (1 + 2x) times it, as a polynomial in (x − 3)/(x + 3) (Shepherd and Laframboise
/// 1981).
#[inline]
pub fn erfcx(x: f64) -> f64 {
    let t = (x - 3.0) / (x + 3.0);
    let square = t * t;
    let (even, odd) = ERFCX
        .iter()
        .rev()
        .fold((0.0, 0.0), |(even, odd), [of_even, of_odd]| (even * square + of_even, odd * square + of_odd));
    (even + t * odd) / (1.0 + 2.0 * x)
}

/// Of even and odd powers: from the Chebyshev series up to degree 24 (mpmath 1.3), which is exact to 1e-16.
const ERFCX: [[f64; 2]; 13] = [
    [1.253_008_058_269_729_6, -0.135_621_106_124_581_17],
    [-0.047_562_294_353_450_87, 0.129_645_158_702_760_6],
    [-0.119_273_663_415_306_99, 0.068_308_027_343_978_48],
    [-0.023_770_514_918_645_888, 0.002_529_391_816_066_239],
    [0.001_888_690_359_156_155_3, -0.000_779_832_272_108_399_1],
    [-0.000_105_159_799_815_011_77, 0.000_125_099_352_355_631_07],
    [4.949_484_992_570_595e-6, -2.010_056_793_128_922_7e-5],
    [-7.315_105_164_159_062e-7, 3.472_414_602_875_686e-6],
    [3.568_383_915_399_220_4e-7, -6.166_496_077_604_353e-7],
    [-1.416_006_494_026_598_7e-7, 1.018_700_060_007_288_5e-7],
    [4.180_784_698_845_582e-8, -1.332_636_481_300_383_4e-8],
    [-8.500_397_929_772_615e-9, 9.885_798_831_139_365e-10],
    [8.864_219_016_427_092e-10, 0.0],
];

/// Sine and cosine, for distances on the globe.
#[inline]
pub fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// Arc sine.
#[inline]
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

/// Where a function that doesn't fall reaches `level`, from above, to a relative error. It is known at both ends: below
/// the level at the first, not at the second. By false position (the Illinois rule), with a bisection whenever that
/// didn't halve the interval, so a step is found too.
pub fn crossing(
    (mut low, mut below): (f64, f64),
    (mut high, mut above): (f64, f64),
    level: f64,
    relative: f64,
    f: impl Fn(f64) -> f64,
) -> f64 {
    (below, above) = (below - level, above - level);
    let (mut halve, mut moved_low) = (false, None);
    while high - low > relative * high {
        let width = high - low;
        // A little to either side of the guess, so that both ends close in.
        let margin = 0.5 * relative * high;
        let guess = if halve || above <= below { 0.5 * (low + high) } else { low - below * width / (above - below) };
        let guess = guess.clamp(low + margin, high - margin);
        if guess <= low || guess >= high {
            break;
        }
        let value = f(guess) - level;
        // An end that stays twice counts half, or it would stay for long.
        if value < 0.0 {
            (low, below) = (guess, value);
            if moved_low == Some(true) {
                above *= 0.5;
            }
        } else {
            (high, above) = (guess, value);
            if moved_low == Some(false) {
                below *= 0.5;
            }
        }
        moved_low = Some(value < 0.0);
        halve = !halve && high - low > 0.5 * width;
    }
    high
}

/// The first of so many numbers from which on something holds; all if it does for none. It is looked for from a guess on,
/// in strides that grow, until it lies between two.
pub fn first_that(count: usize, guess: usize, mut holds: impl FnMut(usize) -> bool) -> usize {
    let (mut from, mut to, mut stride) = (0, count, 1);
    let mut at = guess;
    while from < to {
        if !(from..to).contains(&at) {
            at = usize::midpoint(from, to);
        }
        if holds(at) {
            to = at;
            at = at.wrapping_sub(stride);
        } else {
            from = at + 1;
            at += stride;
        }
        stride *= 2;
    }
    from
}

/// The point between `low` and `high` up to which `is_before` holds, from above, to a relative error: by bisection.
pub fn bisect((mut low, mut high): (f64, f64), relative: f64, is_before: impl Fn(f64) -> bool) -> f64 {
    while high - low > relative * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if is_before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A sum of what is made of numbers, in four parts: additions need not wait for one another.
#[inline]
pub fn sum(numbers: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let fours = numbers.chunks_exact(4);
    let rest: f64 = fours.remainder().iter().map(|&number| of(number)).sum();
    let mut sums = [0.0; 4];
    for four in fours {
        for (sum, &number) in sums.iter_mut().zip(four) {
            *sum += of(number);
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The least and the greatest of some numbers, none of which is NaN; of none the infinities. In four parts, too.
#[inline]
pub fn extent(numbers: &[f64]) -> [f64; 2] {
    // Each of these is one instruction, which `f64::min` isn't, for that has to look for NaN.
    let least = |one: f64, other: f64| if one < other { one } else { other };
    let most = |one: f64, other: f64| if one > other { one } else { other };
    let (fours, rest) = numbers.as_chunks::<4>();
    let (mut lows, mut highs) = ([f64::INFINITY; 4], [f64::NEG_INFINITY; 4]);
    for four in fours {
        for part in 0..4 {
            (lows[part], highs[part]) = (least(lows[part], four[part]), most(highs[part], four[part]));
        }
    }
    let lows = rest.iter().chain(&lows).fold(f64::INFINITY, |low, &number| least(number, low));
    [lows, rest.iter().chain(&highs).fold(f64::NEG_INFINITY, |high, &number| most(number, high))]
}

/// Great-circle distance in kilometres between two places given as (latitude, longitude) in degrees.
///
/// The haversine formula on a sphere of radius 6371.0088 km (IUGG mean radius).
pub fn great_circle_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat1, lat2) = (a.0.to_radians(), b.0.to_radians());
    let half_lat = sin_cos((lat2 - lat1) / 2.0).0;
    let half_lon = sin_cos((b.1 - a.1).to_radians() / 2.0).0;
    let h = half_lat * half_lat + sin_cos(lat1).1 * sin_cos(lat2).1 * half_lon * half_lon;
    2.0 * 6371.0088 * asin(h.sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_takes_every_number_once() {
        // 1 + 4 + … + n² = n (n + 1) (2 n + 1) / 6.
        for n in 0..20_u32 {
            let numbers: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(sum(&numbers, |number| number * number), f64::from(n * (n + 1) * (2 * n + 1) / 6));
        }
    }

    #[test]
    fn the_extent_is_that_of_a_sorted_list() {
        for n in 0..20_u32 {
            let mut numbers: Vec<f64> = (0..n).map(|k| f64::from(k * 7 % 19) - 5.0).collect();
            let [low, high] = extent(&numbers);
            numbers.sort_by(f64::total_cmp);
            assert_eq!(
                (low, high),
                match numbers.as_slice() {
                    [] => (f64::INFINITY, f64::NEG_INFINITY),
                    all => (all[0], all[all.len() - 1]),
                }
            );
        }
    }

    #[test]
    fn a_quarter_of_the_equator() {
        let quarter = great_circle_km((0.0, 0.0), (0.0, 90.0));
        assert!((quarter - 6371.0088 * core::f64::consts::FRAC_PI_2).abs() < 1e-6);
    }

    #[test]
    fn the_first_that_holds_is_found_from_any_guess() {
        for count in 0..20 {
            for (first, guess) in (0..=count).flat_map(|first| (0..count + 3).map(move |guess| (first, guess))) {
                assert_eq!(first_that(count, guess, |k| k >= first), first, "{count} {guess}");
            }
        }
    }

    #[test]
    fn erfcx_beside_its_factors_and_far_out() {
        assert!((erfcx(0.0) - 1.0).abs() < 1e-15);
        for k in 0..500 {
            let x = f64::from(k) / 20.0;
            let product = exp(x * x) * libm::erfc(x);
            // x² is rounded, by up to x² ulp of the exponential.
            assert!((erfcx(x) / product - 1.0).abs() < (4.0 + x * x) * f64::EPSILON, "{x}: {} {product}", erfcx(x));
        }
        // 1/(x √π) (1 − 1/(2x²) + …).
        let far = 1e6_f64;
        assert!((erfcx(far) * far * core::f64::consts::PI.sqrt() - 1.0 + 0.5 / far / far).abs() < 1e-15);
        assert!(erfcx(f64::MAX) >= 0.0);
    }

    #[test]
    fn normal_cdf_at_published_points() {
        // Abramowitz and Stegun, table 26.1.
        assert!((normal_cdf(1.96) - 0.975_002_104_851_78).abs() < 1e-13);
        assert!((normal_cdf(0.0) - 0.5).abs() < 1e-15);
    }
}
