//! Draws from a law whose density rises to one point and falls from there, without working out a function for 99 in 100.
//!
//! Of 1024 equal parts of the area under the density most are upright rectangles that fit below it side by side: 32 random
//! bits choose the part, and how far into the rectangle. What is left is drawn with the chance that is left: the wedges
//! between rectangles and density by rejection, both tails and the top by inversion. So draws follow the density itself, up
//! to rounding, however the rectangles lie (Ahrens 1995, "A one-table method for sampling from continuous and discrete
//! distributions", Computing 54, with the rectangles below the density made equal, not those above it).
//!
//! So one number of 64 bits makes two draws. In a rectangle they are at one of four million points, a four-thousand-millionth
//! of the mean apart where most draws are: the clock's nanoseconds are coarser for all that takes less than seconds.
//!
//! A request's draws need not be coupled between variants as those of faults are, so they need not be quantiles.

use crate::base::stream::{Rng, uniform};
use crate::dist::Standard;

/// Parts of the area, a power of two.
const PARTS: usize = 1024;
const PART: f64 = 1.0 / PARTS as f64;
/// At least so much is in each tail.
const TAIL: f64 = 2.0 * PART;
/// A table says for so many shares of what is left where they begin (Chen and Asau 1974).
const GUIDE: usize = 256;
/// The density at most rises so many times over a rectangle's width: more would be rejected too often.
const STEEP: f64 = 4.0;

/// What the other bits of those that choose a part count in.
const STEP: f64 = 1.0 / (1_u64 << 22) as f64;

/// A table of a law at scale 1.
#[derive(Debug)]
pub(super) struct Strips {
    law: Standard,
    /// Left ends of the rectangles, of which there are so many, and steps of which 2²² are a width.
    rectangles: Box<[(f64, f64); PARTS]>,
    count: usize,
    /// Areas of what may be left: above each rectangle the box that holds its wedge, then three stretches of whole density,
    /// each area with all before it.
    rest: Vec<f64>,
    /// Where in these to begin to look for a share of all.
    guide: [u16; GUIDE],
    /// The three stretches, from one share of all draws to another: left tail, top, right tail.
    whole: [(f64, f64); 3],
}

impl Strips {
    pub(super) fn new(law: Standard) -> Self {
        let density = |x: f64| law.density(x);
        // A rectangle may go from here to there, on a side on which the density falls from `high` to `low`.
        let fits = |low: f64, high: f64| low > 0.0 && high <= STEEP * low;
        let (mut left_tail, mut right_tail) = (TAIL, TAIL);
        let first_right = |tail: f64| {
            let x = law.quantile(1.0 - tail);
            fits(density(x), density(x - PART / density(x)))
        };
        // Of a law with a very long tail no rectangle fits far out.
        while right_tail < 0.25 && !first_right(right_tail) {
            right_tail *= 2.0;
        }
        let first_left = |tail: f64| {
            let x = law.quantile(tail);
            x >= law.mode() || fits(density(x), density(x + PART / density(x)))
        };
        if law.quantile(0.0) == law.mode() && density(law.mode()).is_finite() {
            // It begins at its highest: there is no tail.
            left_tail = 0.0;
        }
        while left_tail < 0.25 && !first_left(left_tail) {
            left_tail *= 2.0;
        }
        let (from, to) = (law.quantile(left_tail), law.quantile(1.0 - right_tail));
        let top = law.mode().clamp(from, to);
        let mut rectangles = Box::new([(0.0, 0.0); PARTS]);
        let (mut count, mut sum, mut rest) = (0, 0.0, Vec::with_capacity(PARTS));
        let mut put = |left: f64, width: f64, above: f64| {
            rectangles[count] = (left, width * STEP);
            count += 1;
            sum += width * above.max(0.0);
            rest.push(sum);
        };
        let (mut rises, mut low) = (from, density(from));
        loop {
            let next = rises + PART / low;
            let high = density(next);
            if !(next < top && fits(low, high)) {
                break;
            }
            put(rises, next - rises, high - low);
            (rises, low) = (next, high);
        }
        let (mut falls, mut low) = (to, density(to));
        loop {
            let next = falls - PART / low;
            let high = if next > top { density(next) } else { f64::INFINITY };
            if !(next > top && fits(low, high)) {
                break;
            }
            put(next, falls - next, high - low);
            (falls, low) = (next, high);
        }
        let share = |x: f64, end: f64, tail: f64| if x == end { tail } else { law.cdf(x) };
        let (rises, falls) = (share(rises, from, left_tail), share(falls, to, 1.0 - right_tail));
        let whole = [(0.0, left_tail), (rises, falls), (1.0 - right_tail, 1.0)];
        for (from, to) in whole {
            sum += (to - from).max(0.0);
            rest.push(sum);
        }
        let mut guide = [0; GUIDE];
        for (part, first) in guide.iter_mut().enumerate() {
            let wanted = part as f64 / GUIDE as f64 * sum;
            *first = rest.partition_point(|&sum| sum <= wanted) as u16;
        }
        Self { law, rectangles, count, rest, guide, whole }
    }

    /// One draw.
    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        use rand::Rng as _;
        let bits = rng.next_u64() as u32;
        if self.is_inside(bits) { self.inside(bits) } else { self.outside(rng) }
    }

    /// As many draws as there is room for, each times `scale`.
    pub(super) fn fill(&self, scale: f64, rng: &mut Rng, draws: &mut [f64]) {
        self.each(rng, draws, |draw, x| *draw = scale * x);
    }

    /// Adds a draw to each sum, times a factor.
    pub(super) fn add(&self, factor: f64, rng: &mut Rng, sums: &mut [f64]) {
        self.each(rng, sums, |sum, x| *sum += factor * x);
    }

    /// Puts a draw to each of these.
    #[inline]
    fn each(&self, rng: &mut Rng, all: &mut [f64], put: impl Fn(&mut f64, f64)) {
        use rand::Rng as _;
        // The generator's state stays in registers, for nobody else is shown where it is.
        let mut own = rng.clone();
        let (twos, last) = all.as_chunks_mut();
        for [one, other] in twos {
            let bits = own.next_u64();
            let halves = [bits as u32, (bits >> 32) as u32];
            let mut draws = halves.map(|half| self.inside(half));
            if !halves.iter().all(|&half| self.is_inside(half)) {
                (own, draws) = self.some_outside(own, halves);
            }
            put(one, draws[0]);
            put(other, draws[1]);
        }
        *rng = own;
        if let [last] = last {
            put(last, self.draw(rng));
        }
    }

    /// Two draws, of which at least one isn't in a rectangle.
    #[cold]
    #[inline(never)]
    fn some_outside(&self, mut rng: Rng, halves: [u32; 2]) -> (Rng, [f64; 2]) {
        let draws = halves.map(|half| if self.is_inside(half) { self.inside(half) } else { self.outside(&mut rng) });
        (rng, draws)
    }

    /// The last bits choose a rectangle.
    #[inline]
    fn is_inside(&self, bits: u32) -> bool {
        bits as usize % PARTS < self.count
    }

    /// A point in the rectangle that the last bits choose; the others say where.
    #[inline]
    fn inside(&self, bits: u32) -> f64 {
        let (left, step) = self.rectangles[bits as usize % PARTS];
        left + step * f64::from((bits / PARTS as u32).cast_signed())
    }

    /// A draw from what isn't in rectangles.
    #[cold]
    #[inline(never)]
    fn outside(&self, rng: &mut Rng) -> f64 {
        let all = self.rest.last().copied().unwrap_or(0.0);
        loop {
            let part = uniform(rng);
            let first = usize::from(self.guide[(part * GUIDE as f64) as usize % GUIDE]);
            let (wanted, last) = (part * all, self.rest.len() - 1);
            let further = self.rest[first..].iter().position(|&sum| sum > wanted);
            let piece = further.map_or(last, |further| first + further);
            if let Some(whole) = piece.checked_sub(self.count) {
                let (from, to) = self.whole[whole];
                return self.law.quantile(from + (to - from) * uniform(rng));
            }
            let (left, step) = self.rectangles[piece];
            let width = step / STEP;
            let before = piece.checked_sub(1).map_or(0.0, |before| self.rest[before]);
            let (x, low, above) = (left + width * uniform(rng), PART / width, (self.rest[piece] - before) / width);
            if low + above * uniform(rng) < self.law.density(x) {
                return x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    /// Of each kind the usual and the extremes of what a scenario may say.
    const LAWS: [Standard; 17] = [
        Standard::Exponential,
        Standard::Lognormal(0.02),
        Standard::Lognormal(0.3),
        Standard::Lognormal(0.944),
        Standard::Lognormal(3.7),
        Standard::Lognormal(6.5),
        Standard::Weibull(0.1),
        Standard::Weibull(0.7),
        Standard::Weibull(3.0),
        Standard::Weibull(100.0),
        Standard::Gamma(0.02),
        Standard::Gamma(0.44),
        Standard::Gamma(2.5),
        Standard::Gamma(10_000.0),
        Standard::Pareto(1.01),
        Standard::Pareto(2.5),
        Standard::Pareto(100.0),
    ];

    fn draws(strips: &Strips, number: usize, purpose: u64) -> Vec<f64> {
        let mut rng = Seed { master: 11, replication: 0 }.stream().with(purpose).rng();
        let mut draws = vec![0.0; number];
        strips.fill(1.0, &mut rng, &mut draws);
        draws.sort_by(f64::total_cmp);
        draws
    }

    /// Kolmogorov and Smirnov: sqrt(n) D exceeds 2.4 once in fifty thousand samples.
    fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
        let n = sorted.len() as f64;
        let at = |i: usize| (i as f64 + 0.5) / n;
        let worst = sorted.iter().enumerate().map(|(i, &x)| (cdf(x) - at(i)).abs()).fold(0.0, f64::max);
        worst * n.sqrt()
    }

    #[test]
    fn draws_follow_the_law() {
        for (number, law) in LAWS.into_iter().enumerate() {
            let strips = Strips::new(law);
            let draws = draws(&strips, 400_000, number as u64);
            let worst = distance(&draws, |x| law.cdf(x));
            assert!(worst < 2.4, "{law:?}: {worst}");
            // What is rare weighs little in that: the tails and the top by themselves, as many and as spread as they should be.
            for (from, to) in strips.whole {
                let (low, high) = (law.quantile(from), law.quantile(to));
                let inside: Vec<f64> = draws.iter().copied().filter(|&x| low < x && x <= high).collect();
                let expected = (to - from) * draws.len() as f64;
                assert!(
                    (inside.len() as f64 - expected).abs() < 4.5 * expected.sqrt() + 1.0,
                    "{law:?}: {from} to {to}"
                );
                let worst = distance(&inside, |x| (law.cdf(x) - from) / (to - from));
                assert!(worst < 2.4, "{law:?}, {from} to {to}: {worst}");
            }
        }
    }

    #[test]
    fn one_number_makes_two_draws() {
        // Of each 64 bits the lower 32 and then the upper ones: 10 choose the rectangle and 22 the point in it.
        use rand::Rng as _;
        let strips = Strips::new(Standard::Exponential);
        let (mut rng, mut draws) = (Seed { master: 13, replication: 0 }.stream().rng(), [0.0; 7]);
        let mut bits = rng.clone();
        strips.fill(3.0, &mut rng, &mut draws);
        let mut sums = [1.0; 7];
        strips.add(3.0, &mut Seed { master: 13, replication: 0 }.stream().rng(), &mut sums);
        for (two, sums) in draws.chunks(2).zip(sums.chunks(2)) {
            let number = bits.next_u64();
            for (half, (&draw, &sum)) in [number & 0xffff_ffff, number >> 32].into_iter().zip(two.iter().zip(sums)) {
                let (left, step) = strips.rectangles[(half % 1024) as usize];
                assert!((half % 1024) < strips.count as u64, "this seed draws from rectangles alone");
                assert_eq!(draw, 3.0 * (left + step * (half >> 10) as f64));
                assert_eq!(sum, 1.0 + draw);
            }
        }
        assert_eq!(rng, bits);
    }

    #[test]
    fn what_is_left_follows_the_law() {
        // Only draws that no rectangle gives, put back together with the rectangles' own distribution function.
        for (number, law) in LAWS.into_iter().enumerate() {
            let strips = Strips::new(law);
            let mut rng = Seed { master: 12, replication: 0 }.stream().with(number as u64).rng();
            let mut rest: Vec<f64> = (0..100_000).map(|_| strips.outside(&mut rng)).collect();
            rest.sort_by(f64::total_cmp);
            let mut sorted: Vec<(f64, f64)> =
                strips.rectangles[..strips.count].iter().map(|&(left, step)| (left, step / STEP)).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let left = 1.0 - strips.count as f64 * PART;
            let below = |x: f64| {
                let whole = sorted.partition_point(|strip| strip.0 + strip.1 <= x);
                let part = sorted.get(whole).map_or(0.0, |strip| ((x - strip.0) / strip.1).max(0.0));
                (whole as f64 + part) * PART
            };
            let worst = distance(&rest, |x| (law.cdf(x) - below(x)) / left);
            assert!(worst < 2.4, "{law:?}: {worst}");
        }
    }

    #[test]
    fn rectangles_fit_below_the_density() {
        for law in LAWS {
            let strips = Strips::new(law);
            for &(left, step) in &strips.rectangles[..strips.count] {
                let width = step / STEP;
                let least = law.density(left).min(law.density(left + width));
                // A density is known to 1e-16 of a logarithm of up to 90,000.
                assert!((width * least / PART - 1.0).abs() < 1e-10, "{law:?} at {left}: {width} {least}");
            }
        }
    }
}
