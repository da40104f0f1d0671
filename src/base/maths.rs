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
    fn a_quarter_of_the_equator() {
        let quarter = great_circle_km((0.0, 0.0), (0.0, 90.0));
        assert!((quarter - 6371.0088 * core::f64::consts::FRAC_PI_2).abs() < 1e-6);
    }

    #[test]
    fn normal_cdf_at_published_points() {
        // Abramowitz and Stegun, table 26.1.
        assert!((normal_cdf(1.96) - 0.975_002_104_851_78).abs() < 1e-13);
        assert!((normal_cdf(0.0) - 0.5).abs() < 1e-15);
    }
}
