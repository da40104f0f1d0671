//! Exponential and normal draws by the ziggurat (Marsaglia and Tsang 2000): 256 layers of equal area under the density,
//! of which 99 draws in 100 take one number and no logarithm.
//!
//! A request's draws need not be coupled between variants as those of faults are, so they need not be quantiles.

use super::exponent::exp;
use crate::base::maths::ln;
use crate::base::stream::{Rng, uniform};
use std::sync::LazyLock;

const LAYERS: usize = 256;

/// Where the tail begins and the area of a layer (Marsaglia and Tsang 2000, section 4).
const EXPONENTIAL: (f64, f64) = (7.697_117_470_131_05, 0.003_949_659_822_581_557);
const NORMAL: (f64, f64) = (3.654_152_885_361_009, 0.004_928_673_233_99);

/// The layers' right ends, from the widest down to 0, and the density there.
type Layers = [(f64, f64); LAYERS + 1];

static EXPONENTIAL_LAYERS: LazyLock<Layers> = LazyLock::new(|| layers(EXPONENTIAL, |x| exp(-x), |y| -ln(y)));
static NORMAL_LAYERS: LazyLock<Layers> =
    LazyLock::new(|| layers(NORMAL, |x| exp(-0.5 * x * x), |y| (-2.0 * ln(y)).sqrt()));

fn layers((tail, area): (f64, f64), density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Layers {
    let mut layers = [(0.0, 1.0); LAYERS + 1];
    layers[0] = (area / density(tail), density(tail));
    layers[1] = (tail, density(tail));
    for layer in 2..LAYERS {
        let (right, below) = layers[layer - 1];
        let next = below + area / right;
        layers[layer] = (inverse(next), next);
    }
    layers
}

/// A point in a layer.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    layer: usize,
    /// On the left of 0, where the density has two sides.
    left: bool,
}

impl Point {
    #[inline]
    fn draw(rng: &mut Rng, layers: &Layers) -> Self {
        use rand::Rng as _;
        let bits = rng.next_u64();
        let layer = (bits & (LAYERS as u64 - 1)) as usize;
        let part = ((bits >> 11).cast_signed() as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64);
        Self { x: part * layers[layer].0, layer, left: bits & LAYERS as u64 != 0 }
    }

    /// Under the density, whatever its height in the layer.
    #[inline]
    fn is_inside(&self, layers: &Layers) -> bool {
        self.x < layers[self.layer + 1].0
    }

    /// Under a density of this height at the point.
    fn is_under(&self, rng: &mut Rng, layers: &Layers, density: f64) -> bool {
        let (low, high) = (layers[self.layer].1, layers[self.layer + 1].1);
        low + (high - low) * uniform(rng) < density
    }
}

/// An exponential draw with mean 1.
#[inline]
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    let layers = &*EXPONENTIAL_LAYERS;
    let point = Point::draw(rng, layers);
    if point.is_inside(layers) { point.x } else { exponential_outside(rng, layers, point) }
}

#[cold]
#[inline(never)]
fn exponential_outside(rng: &mut Rng, layers: &Layers, mut point: Point) -> f64 {
    loop {
        if point.is_inside(layers) {
            return point.x;
        }
        if point.layer == 0 {
            return EXPONENTIAL.0 - ln(uniform(rng));
        }
        if point.is_under(rng, layers, exp(-point.x)) {
            return point.x;
        }
        point = Point::draw(rng, layers);
    }
}

/// Exponential draws with mean 1.
pub(super) fn exponentials(rng: &mut Rng, draws: &mut [f64]) {
    let layers = &*EXPONENTIAL_LAYERS;
    // The generator's state stays in registers, unless a draw takes longer.
    let mut own = rng.clone();
    for draw in draws {
        let point = Point::draw(&mut own, layers);
        *draw = point.x;
        if !point.is_inside(layers) {
            let mut other = own.clone();
            *draw = exponential_outside(&mut other, layers, point);
            own = other;
        }
    }
    *rng = own;
}

/// A standard normal draw.
#[inline]
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let mut draw = [0.0];
    normals(rng, &mut draw);
    draw[0]
}

/// Standard normal draws.
pub(super) fn normals(rng: &mut Rng, draws: &mut [f64]) {
    let layers = &*NORMAL_LAYERS;
    let mut own = rng.clone();
    for draw in draws {
        let mut point = Point::draw(&mut own, layers);
        if !point.is_inside(layers) {
            let mut other = own.clone();
            point = normal_outside(&mut other, layers, point);
            own = other;
        }
        // Without a branch: it is either side's turn as often.
        *draw = f64::from_bits(point.x.to_bits() ^ u64::from(point.left) << 63);
    }
    *rng = own;
}

#[cold]
#[inline(never)]
fn normal_outside(rng: &mut Rng, layers: &Layers, mut point: Point) -> Point {
    loop {
        if point.is_inside(layers) {
            return point;
        }
        if point.layer == 0 {
            // The tail by Marsaglia (1964).
            loop {
                let beyond = -ln(uniform(rng)) / NORMAL.0;
                if -2.0 * ln(uniform(rng)) > beyond * beyond {
                    return Point { x: NORMAL.0 + beyond, ..point };
                }
            }
        }
        if point.is_under(rng, layers, exp(-0.5 * point.x * point.x)) {
            return point;
        }
        point = Point::draw(rng, layers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::maths::normal_cdf;

    #[test]
    fn layers_fill_the_area_under_the_density() {
        // The top layer ends at 0 with a density of 1: the published constants fit.
        for (layers, area) in [(&*EXPONENTIAL_LAYERS, EXPONENTIAL.1), (&*NORMAL_LAYERS, NORMAL.1)] {
            let (right, density) = layers[LAYERS - 1];
            assert!((density + area / right - 1.0).abs() < 1e-9, "{right} {density}");
            assert!(layers.windows(2).all(|pair| pair[0].0 > pair[1].0 && pair[0].1 <= pair[1].1));
        }
    }

    /// Kolmogorov and Smirnov: sqrt(n) D exceeds 1.95 once in a thousand samples. And the tail by itself.
    fn check(draw: fn(&mut Rng) -> f64, cdf: fn(f64) -> f64, tail: f64, beyond: f64) {
        let mut rng = Seed { master: 11, replication: 0 }.stream().with(1).rng();
        let n = 1_000_000;
        let mut draws: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
        draws.sort_by(f64::total_cmp);
        let at = |i: usize| (i as f64 + 0.5) / f64::from(n);
        let worst = draws.iter().enumerate().map(|(i, x)| (cdf(*x) - at(i)).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n).sqrt() < 1.95, "{worst}");
        let found = draws.iter().filter(|x| x.abs() > tail).count() as f64;
        let expected = f64::from(n) * beyond;
        assert!((found - expected).abs() < 4.0 * expected.sqrt(), "{found}, not {expected}");
    }

    #[test]
    fn draws_are_exponential() {
        check(exponential, |x| 1.0 - exp(-x), EXPONENTIAL.0, exp(-EXPONENTIAL.0));
    }

    #[test]
    fn draws_are_normal() {
        check(normal, normal_cdf, NORMAL.0, 2.0 * normal_cdf(-NORMAL.0));
    }
}
