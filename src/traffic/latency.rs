//! The distribution of a journey's latency: the sum of round trips, service times and waits.
//!
//! The parts that don't depend on load are convolved once per path, by FFT on a linear grid, and read off
//! at nodes 2 % apart (`lattice.rs`); each wait is then an atom at 0 and an exponential, applied by a recursion over
//! the nodes. Constants are kept apart as a shift, so that they stay exact. Between nodes the distribution
//! function is linear: an error of second order in the 2 %.

use super::convolution::{GRID, convolve, step};
use super::ended::{Endings, ended};
use super::lattice::LATTICE;
use super::order::at_least;
use crate::base::maths::bisect;
use crate::dist::Dist;

/// An exponential is followed for so many means: e^-40 is nothing.
const MEANS: f64 = 40.0;

/// Nodes that are looked at in one go.
const STRETCH: usize = 64;

/// One term of a journey's latency.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// A round trip, a service time.
    One(Dist),
    /// Calls made at once: the slowest counts.
    Slowest(Vec<Dist>),
    /// Calls made at once, each with its own latency: so many of them are waited for, the fastest.
    Fastest(usize, Vec<Curve>),
    /// With a probability the second, else the first.
    Either(f64, Box<[Curve; 2]>),
}

impl Part {
    fn is_constant(&self) -> bool {
        match self {
            Self::One(dist) => dist.is_constant(),
            Self::Slowest(dists) => dists.iter().all(Dist::is_constant),
            Self::Fastest(_, curves) => curves.iter().all(|curve| curve.cdf.is_empty()),
            Self::Either(..) => self.only().is_some_and(|curve| curve.cdf.is_empty()),
        }
    }

    pub(super) fn cdf(&self, t: f64) -> f64 {
        match self {
            Self::One(dist) => dist.cdf(t),
            Self::Slowest(dists) => dists.iter().map(|dist| dist.cdf(t)).product(),
            Self::Fastest(wanted, curves) => at_least(*wanted, curves.iter().map(|curve| curve.cdf(t))),
            Self::Either(second, curves) => (1.0 - second) * curves[0].cdf(t) + second * curves[1].cdf(t),
        }
    }

    /// A time that a share `p` surely doesn't exceed.
    fn reach(&self, p: f64) -> f64 {
        match self {
            Self::One(dist) => dist.quantile(p),
            Self::Slowest(dists) => {
                let each = 1.0 - (1.0 - p) / dists.len().max(1) as f64;
                dists.iter().map(|dist| dist.quantile(each)).fold(0.0, f64::max)
            }
            Self::Fastest(_, curves) => {
                let high = curves.iter().map(|curve| curve.range().1).fold(0.0, f64::max);
                bisect((0.0, high), 1e-6, |x| self.cdf(x) < p)
            }
            Self::Either(_, curves) => curves[0].range().1.max(curves[1].range().1),
        }
    }

    /// The one of two that surely counts.
    fn only(&self) -> Option<&Curve> {
        match self {
            Self::Either(second, curves) if *second <= 0.0 => Some(&curves[0]),
            Self::Either(second, curves) if *second >= 1.0 => Some(&curves[1]),
            Self::Either(..) | Self::One(_) | Self::Slowest(_) | Self::Fastest(..) => None,
        }
    }

    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::One(dist) => dist.mean(),
            Self::Slowest(dists) if self.is_constant() => dists.iter().map(Dist::mean).fold(0.0, f64::max),
            Self::Fastest(wanted, curves) if self.is_constant() => {
                let mut all: Vec<f64> = curves.iter().map(Curve::mean).collect();
                all.sort_by(f64::total_cmp);
                all[wanted - 1]
            }
            Self::Either(second, curves) => (1.0 - second) * curves[0].mean() + second * curves[1].mean(),
            Self::Slowest(_) | Self::Fastest(..) => {
                // The integral of P(slowest > t), by the trapezoid rule.
                let reach = self.reach(1.0 - 1e-9);
                let width = reach / (4 * GRID) as f64;
                let inner: f64 = (1..4 * GRID).map(|k| 1.0 - self.cdf(k as f64 * width)).sum();
                width * (inner + 0.5)
            }
        }
    }
}

/// The distribution of `shift` + something that is never negative.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Seconds that every request takes.
    shift: f64,
    /// The nodes are those of the lattice times this: seconds beyond the shift.
    unit: f64,
    /// Number of the first node.
    first: usize,
    /// P(excess ≤ node `first + k`); none when nothing varies. The last one is 1.
    cdf: Vec<f64>,
    /// P(excess = 0).
    atom: f64,
    /// Mean in seconds, exact.
    mean: f64,
}

impl Curve {
    /// The sum of independent parts.
    pub fn sum(parts: &[Part]) -> Self {
        let mean: f64 = parts.iter().map(Part::mean).sum();
        let shift = parts.iter().filter(|part| part.is_constant()).map(Part::mean).sum();
        let varying: Vec<&Part> = parts.iter().filter(|part| !part.is_constant()).collect();
        if varying.is_empty() {
            return Self { shift, unit: 1.0, first: 0, cdf: Vec::new(), atom: 1.0, mean };
        }
        // The grid reaches where all parts at once are in their last 1e-5: far beyond p99.9 of the sum.
        let reach: f64 = varying.iter().map(|part| part.reach(1.0 - 1e-5)).sum::<f64>() * 1.02;
        let width = step(reach / GRID as f64);
        let (masses, beyond) = convolve(&varying, width);
        // masses[k] lies around k * width + beyond, up to (k + 1/2) * width + beyond.
        let mut cumulative = Vec::with_capacity(GRID);
        let mut sum = 0.0;
        for mass in &masses[..GRID] {
            sum += mass;
            cumulative.push(sum.min(1.0));
        }
        let lowest = first_node(&cumulative, width);
        let first = LATTICE.floor((lowest + beyond.min(0.0)).max(0.1 * lowest));
        let mut floor = 0.0_f64;
        let last = LATTICE.ceil(reach);
        let mut cdf: Vec<f64> = LATTICE.nodes()[first..last]
            .iter()
            .map(|node| {
                floor = floor.max(read(&cumulative, (node - beyond) / width));
                floor
            })
            .collect();
        // What little lies beyond the grid is put at its end.
        cdf.push(1.0);
        Self { shift, unit: 1.0, first, cdf, atom: 0.0, mean }
    }

    /// This, and then a wait: with probability `waiting` an exponential of mean `wait` seconds.
    #[must_use]
    pub fn then_wait(&self, waiting: f64, wait: f64) -> Self {
        self.then_waits(&[(waiting, wait)], &mut Endings::default())
    }

    /// This, and then waits: probability and mean in seconds of each. What is worked out of their means is kept at hand.
    #[must_use]
    pub fn then_waits(&self, waits: &[(f64, f64)], endings: &mut Endings) -> Self {
        let waits = waits.iter().filter(|&&(waiting, wait)| waiting > 0.0 && wait > 0.0);
        let mut curve = self.with_room(waits.clone().map(|wait| wait.1));
        for &(waiting, wait) in waits {
            curve.hold(waiting, wait, |_, below| below, endings);
            curve.mean += waiting * wait;
        }
        curve
    }

    /// What is left of this within a limit, and then an exponential time of mean `wait` seconds.
    #[must_use]
    pub fn then_exponential(&self, within: Within, wait: f64) -> Self {
        let top = within.limit - self.shift;
        let mut curve = self.with_room(core::iter::once(wait));
        let left = |x: f64, below: f64| if x >= top { 1.0 } else { (below / within.share).min(1.0) };
        curve.hold(1.0, wait, left, &mut Endings::default());
        curve.mean = within.mean + wait;
        curve
    }

    /// The same, with room for the nodes that waits of these means add.
    fn with_room(&self, waits: impl Iterator<Item = f64> + Clone) -> Self {
        let first = waits.clone().next().map_or(self.first, |wait| self.held_from(wait));
        let end = waits.fold(self.end(), |end, wait| Some(self.held_until(end, wait)));
        let mut cdf = Vec::with_capacity(end.map_or(0, |end| end + 1 - first));
        cdf.extend_from_slice(&self.cdf);
        Self { cdf, ..*self }
    }

    /// The first node that is needed once it was held for a wait of so many seconds.
    fn held_from(&self, wait: f64) -> usize {
        let lowest = LATTICE.floor(wait * 1e-3 / self.unit);
        // Where nothing is at 0 the curve's own first node is low enough.
        match (self.cdf.is_empty(), self.atom > 0.0) {
            (true, _) => lowest,
            (false, true) => self.first.min(lowest),
            (false, false) => self.first,
        }
    }

    /// The last node that is needed, where the last one before was `end`.
    fn held_until(&self, end: Option<usize>, wait: f64) -> usize {
        LATTICE.ceil(wait * MEANS / self.unit + end.map_or(0.0, |end| LATTICE.nodes()[end]))
    }

    /// Makes room for these nodes: none of its own is before or after them.
    fn reach(&mut self, first: usize, last: usize) {
        if let Some(lowest) = self.cdf.first() {
            if first < self.first {
                let nodes = LATTICE.nodes();
                let rise = (lowest - self.atom) / nodes[self.first];
                let before = nodes[first..self.first].iter().map(|node| self.atom + rise * node);
                self.cdf.splice(..0, before.collect::<Vec<_>>());
            }
            self.cdf.resize(last + 1 - first, 1.0);
        } else {
            self.cdf.resize(last + 1 - first, self.atom);
        }
        self.first = first;
    }

    /// Holds what it takes: with probability `waiting` for an exponential time of mean `wait` seconds. `left` is the
    /// distribution function of what is held, from an excess and this one's. The mean stays as it was.
    fn hold(&mut self, waiting: f64, wait: f64, left: impl Fn(f64, f64) -> f64, endings: &mut Endings) {
        let (first, last) = (self.held_from(wait), self.held_until(self.end(), wait));
        self.reach(first, last);
        let unit = self.unit;
        let nodes = &LATTICE.nodes()[first..=last];
        let (cdf, atom) = (&mut self.cdf[..], left(0.0, self.atom));
        // Of those whose exponential still runs a share ends within a gap. What arrives within it arrives evenly over it.
        let gap = nodes[0] * unit / wait;
        let mut before = left(nodes[0] * unit, cdf[0]);
        let mut held = atom * (1.0 - ended(gap)) + (before - atom).max(0.0) * (ended(gap) / gap);
        cdf[0] = (before - waiting * held).clamp(0.0, 1.0);
        // Each loop does one thing: only that over what is held has to go in order.
        let (runs, stays) = endings.of(wait / unit, first, last);
        let mut holds = [0.0; STRETCH];
        let gaps = runs.chunks(STRETCH).zip(stays.chunks(STRETCH)).zip(nodes[1..].chunks(STRETCH));
        for (values, ((runs, stays), nodes)) in cdf[1..].chunks_mut(STRETCH).zip(gaps) {
            for (value, node) in values.iter_mut().zip(nodes) {
                *value = left(node * unit, *value);
            }
            let holds = &mut holds[..values.len()];
            holds[0] = stays[0] * (values[0] - before).max(0.0);
            for (holds, (value, stays)) in holds[1..].iter_mut().zip(values.windows(2).zip(&stays[1..])) {
                *holds = stays * (value[1] - value[0]).max(0.0);
            }
            before = values[values.len() - 1];
            for (holds, runs) in holds.iter_mut().zip(runs) {
                held = held * runs + *holds;
                *holds = held;
            }
            for (value, held) in values.iter_mut().zip(&*holds) {
                *value = (*value - waiting * held).clamp(0.0, 1.0);
            }
        }
        self.atom = atom * (1.0 - waiting);
    }

    /// What is left of this within a limit, and then a time that is even between 0 and `width` seconds.
    #[must_use]
    pub fn then_even(&self, within: Within, width: f64) -> Self {
        let lattice = &*LATTICE;
        let top = within.limit - self.shift;
        let cdf = |x: f64| if x >= top { 1.0 } else { (self.excess_cdf(x) / within.share).min(1.0) };
        // The distribution function, and its integral from 0 on, where it bends.
        let mut bends = vec![(0.0, cdf(0.0), 0.0)];
        let (mut before, mut below, mut area) = (0.0, cdf(0.0), 0.0);
        let end = if within.share < 1.0 { Some(top) } else { None };
        let own = self.nodes().map(|(x, _)| x).take_while(|x| *x < top);
        for x in own.chain(end) {
            let here = cdf(x);
            area += (x - before) * 0.5 * (below + here);
            bends.push((x, here, area));
            (before, below) = (x, here);
        }
        let integral = |x: f64| {
            let (from, below, area) = bends[bends.partition_point(|bend| bend.0 <= x).max(1) - 1];
            area + (x - from) * 0.5 * (below + cdf(x))
        };
        let end = before + width;
        let lowest = if self.cdf.is_empty() { width * 1e-3 } else { self.node(self.first).min(width * 1e-3) };
        // The last node is the end itself, where a constant and then an even time has a bend.
        let last = lattice.ceil(end);
        let unit = end / lattice.nodes()[last];
        let first = lattice.floor(lowest / unit);
        let even = |node: f64| {
            let earlier = if node > width { integral(node - width) } else { 0.0 };
            ((integral(node) - earlier) / width).clamp(0.0, 1.0)
        };
        let cdf = lattice.nodes()[first..=last].iter().map(|node| even(node * unit)).collect();
        Self { shift: self.shift, unit, first, cdf, atom: 0.0, mean: within.mean + 0.5 * width }
    }

    /// A node in seconds beyond the shift.
    fn node(&self, number: usize) -> f64 {
        LATTICE.nodes()[number] * self.unit
    }

    /// The last node's number, if anything varies.
    fn end(&self) -> Option<usize> {
        (!self.cdf.is_empty()).then(|| self.first + self.cdf.len() - 1)
    }

    /// The nodes: seconds beyond the shift, and P(excess ≤ node).
    fn nodes(&self) -> impl Iterator<Item = (f64, f64)> {
        let from = LATTICE.nodes()[self.first..].iter();
        from.map(|node| node * self.unit).zip(self.cdf.iter().copied())
    }

    /// P(excess over the shift ≤ x).
    fn excess_cdf(&self, x: f64) -> f64 {
        LATTICE.read((self.first, &self.cdf), (self.atom, 1.0), x / self.unit)
    }

    /// P(latency ≤ t).
    pub fn cdf(&self, t: f64) -> f64 {
        self.excess_cdf(excess(t, self.shift))
    }

    /// The seconds that all requests take, and what the nodes of the lattice are multiplied by.
    pub(super) fn stands(&self) -> (f64, f64) {
        (self.shift, self.unit)
    }

    /// The number of the first node, P(excess ≤ it) and so on, and P(excess = 0).
    pub(super) fn below(&self) -> (usize, &[f64], f64) {
        (self.first, &self.cdf, self.atom)
    }

    /// Mean in seconds.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The least and the greatest latency that the curve can tell apart.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.shift, self.shift + self.end().map_or(0.0, |end| self.node(end)))
    }

    /// What is left of the curve when nothing beyond `limit` seconds counts.
    pub fn within(&self, limit: f64) -> Within {
        let share = if limit.is_finite() { self.cdf(limit) } else { 1.0 };
        if share >= 1.0 {
            return Within { limit, share: 1.0, mean: self.mean };
        }
        // The integral of P(shift + excess > t) up to the limit, linear between nodes, less what lies beyond.
        let top = limit - self.shift;
        let nodes = &LATTICE.nodes()[self.first..];
        let nodes = &nodes[..nodes.partition_point(|node| node * self.unit < top).min(self.cdf.len())];
        let part = |from: f64, to: f64, below: f64, here: f64| (to - from) * (share - 0.5 * (below + here));
        let (mut before, mut below, mut sum) = (0.0, self.atom, 0.0);
        if let (Some(first), Some(last)) = (nodes.first(), nodes.last()) {
            sum += part(before, first * self.unit, below, self.cdf[0]);
            // Many side by side, and then their sum.
            let mut parts = [0.0; STRETCH];
            for from in (0..nodes.len() - 1).step_by(STRETCH) {
                let to = nodes.len().min(from + STRETCH + 1);
                let ends = nodes[from..to].windows(2).zip(self.cdf[from..to].windows(2));
                let parts = &mut parts[..to - from - 1];
                for (sum, (node, value)) in parts.iter_mut().zip(ends) {
                    *sum = part(node[0] * self.unit, node[1] * self.unit, value[0], value[1]);
                }
                sum = parts.iter().fold(sum, |sum, part| sum + part);
            }
            (before, below) = (last * self.unit, self.cdf[nodes.len() - 1]);
        }
        sum += part(before, top, below, share);
        let mean = if share > 0.0 { self.shift + (sum / share).max(0.0) } else { self.shift };
        Within { limit, share, mean }
    }
}

/// The excess of a time over a shift. A constant is reached at itself, whatever rounding its sum has.
pub(super) fn excess(t: f64, shift: f64) -> f64 {
    if (t - shift).abs() <= 1e-12 * shift { 0.0 } else { t - shift }
}

/// A curve below a limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Within {
    /// Seconds.
    pub(super) limit: f64,
    /// P(latency ≤ limit).
    pub(super) share: f64,
    /// Mean of those, in seconds.
    pub(super) mean: f64,
}

impl Within {
    /// P(latency ≤ limit).
    pub const fn share(&self) -> f64 {
        self.share
    }
}

/// A node below which almost nothing lies, as a place to start the nodes.
fn first_node(cumulative: &[f64], width: f64) -> f64 {
    let k = cumulative.iter().position(|&sum| sum > 1e-6).unwrap_or(0);
    (k.max(1) as f64 - 0.5) * width * 0.5
}

/// P(sum ≤ position * width), linear within a cell of the grid.
fn read(cumulative: &[f64], position: f64) -> f64 {
    // cumulative[k] is the value at k + 1/2.
    let shifted = position - 0.5;
    if shifted < 0.0 {
        return cumulative[0] * (position / 0.5);
    }
    let k = shifted as usize;
    if k + 1 >= cumulative.len() {
        return cumulative[cumulative.len() - 1];
    }
    cumulative[k] + (cumulative[k + 1] - cumulative[k]) * (shifted - k as f64)
}

#[cfg(test)]
mod tests {
    use super::super::mixture::Mixture;
    use super::*;
    use crate::base::Span;

    fn quantile(curve: &Curve, p: f64) -> f64 {
        let mut mixture = Mixture::default();
        mixture.add(curve, curve.within(f64::INFINITY), 0.0, 1.0);
        mixture.quantiles([p])[0]
    }

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance * expected.abs(), "{actual} is not {expected}");
    }

    #[test]
    fn constants_stay_exact() {
        let ms = |ms: u64| Part::One(Dist::constant(Span::from_nanos(ms * 1_000_000)));
        let curve = Curve::sum(&[ms(10), ms(55)]);
        for p in [0.01, 0.5, 0.999] {
            assert_eq!(quantile(&curve, p), 0.065);
        }
        assert_eq!(curve.cdf(0.0649), 0.0);
        assert_eq!(curve.cdf(0.065), 1.0);
    }

    #[test]
    fn short_parts_beside_a_long_one_count() {
        // Eight trips of 0.5 ms beside a time whose last 1e-5 are seven seconds away, a step of 1.8 ms. The median of the
        // long one alone is 100 ms, where its density is 1 / (0.1 sqrt(2 pi)) a second; 4 ms that hardly vary are added.
        let trip = Part::One(Dist::lognormal(Span::from_secs(0.0005), 0.1));
        let mut parts = vec![Part::One(Dist::lognormal(Span::from_secs(0.1), 1.0))];
        let alone = quantile(&Curve::sum(&parts), 0.5);
        parts.extend(core::iter::repeat_n(trip.clone(), 8));
        let trips = 8.0 * trip.mean();
        let sum = Curve::sum(&parts);
        close(alone, 0.1, 3e-4);
        close(quantile(&sum, 0.5), 0.1 + trips, 3e-4);
        // As the mean within a limit has it: what is beyond 6 s of the long one is beyond 6.004 s of both.
        let (one, both) = (Curve::sum(&parts[..1]).within(6.0), sum.within(6.0 + trips));
        close(both.mean, one.mean + trips, 3e-4);
    }

    #[test]
    fn sums_of_exponentials_are_gamma() {
        // Four exponentials of mean 1 s: Erlang-4. Quantiles from chi-squared with 8 degrees of freedom, halved.
        let curve = Curve::sum(&vec![Part::One(Dist::exponential(Span::from_secs(1.0))); 4]);
        for (p, x) in
            [(0.5, 7.344_121_5 / 2.0), (0.95, 15.507_313 / 2.0), (0.99, 20.090_235 / 2.0), (0.999, 26.124_482 / 2.0)]
        {
            close(quantile(&curve, p), x, 1e-3);
        }
        close(curve.mean(), 4.0, 1e-12);
    }

    #[test]
    fn sojourn_in_erlang_c_as_the_oracle_has_it() {
        // Q-MMC-MMCK c14: 10/3 per minute, 3 minutes, 14 servers.
        let curve = Curve::sum(&[Part::One(Dist::exponential(Span::from_secs(180.0)))])
            .then_wait(0.174_131_933_595_049_83, 45.0);
        close(quantile(&curve, 0.5), 2.230_975_257_142_676_4 * 60.0, 1e-3);
        close(quantile(&curve, 0.95), 9.156_445_150_017_495 * 60.0, 1e-3);
        close(quantile(&curve, 0.99), 13.984_776_117_669_83 * 60.0, 1e-3);
        close(curve.mean(), 3.130_598_950_196_287_4 * 60.0, 1e-9);
    }

    #[test]
    fn a_wait_after_a_constant() {
        let curve = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(1)))]).then_wait(0.5, 2.0);
        assert_eq!(quantile(&curve, 0.4), 1.0);
        // P(excess > x) = 0.5 e^{-x/2}: 0.9 at x = 2 ln 5.
        close(quantile(&curve, 0.9) - 1.0, 2.0 * 5.0_f64.ln(), 1e-3);
    }

    #[test]
    fn an_even_time_after_a_constant_and_an_exponential() {
        let constant = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(1)))]);
        let curve = constant.then_even(constant.within(f64::INFINITY), 0.5);
        close(curve.mean(), 1.25, 1e-12);
        for p in [0.1, 0.5, 0.99, 1.0] {
            close(quantile(&curve, p), 1.0 + 0.5 * p, 1e-3);
        }
        // Two even times: x²/2 below 1.
        let twice = constant.then_even(constant.within(3.0), 1.0);
        let twice = twice.then_even(twice.within(f64::INFINITY), 1.0);
        close(quantile(&twice, 0.125), 1.5, 1e-3);
        close(quantile(&twice, 0.98), 3.0 - 0.2, 1e-3);
        // An exponential of mean 1, below 2, and a time even below 2: at 2 it is the integral of F(u)/F(2) over 2.
        let exponential = Curve::sum(&[Part::One(Dist::exponential(Span::from_whole_secs(1)))]);
        let curve = exponential.then_even(exponential.within(2.0), 2.0);
        let q = (-2.0_f64).exp();
        close(curve.cdf(2.0), (1.0 + q) / (2.0 * (1.0 - q)), 1e-3);
        close(curve.cdf(4.0), 1.0, 1e-12);
    }

    #[test]
    fn an_exponential_time_after_a_constant_and_a_limit() {
        // Twice after a constant: Erlang, 1 - (1 + x) e^-x.
        let constant = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(1)))]);
        let once = constant.then_exponential(constant.within(f64::INFINITY), 1.0);
        let twice = once.then_exponential(once.within(f64::INFINITY), 1.0);
        close(twice.mean(), 3.0, 1e-12);
        for x in [0.1, 1.0, 5.0_f64] {
            close(once.cdf(1.0 + x), 1.0 - (-x).exp(), 1e-3);
            close(twice.cdf(1.0 + x), 1.0 - (1.0 + x) * (-x).exp(), 1e-3);
        }
        // An exponential of mean 1, below 2, and then one of mean 1: at 2 the integral of e^-u (1 - e^(u-2)) over F(2).
        let curve = Curve::sum(&[Part::One(Dist::exponential(Span::from_whole_secs(1)))]);
        let curve = curve.then_exponential(curve.within(2.0), 1.0);
        let q = (-2.0_f64).exp();
        close(curve.cdf(2.0), (1.0 - 3.0 * q) / (1.0 - q), 1e-3);
        // Beyond, 1 - the integral of e^-u e^(u-x) over F(2).
        close(curve.cdf(4.0), 1.0 - 2.0 * q * q / (1.0 - q), 1e-3);
    }

    #[test]
    fn a_limit_cuts_off_and_what_is_left_counts_as_all() {
        // An exponential of mean 1 below 1: mean 1 - 1/(e - 1), median -ln(1 - (1 - 1/e)/2).
        let curve = Curve::sum(&[Part::One(Dist::exponential(Span::from_whole_secs(1)))]);
        let mut mixture = Mixture::default();
        mixture.add(&curve, curve.within(1.0), 0.0, 5.0);
        let e = core::f64::consts::E;
        close(mixture.mean().unwrap(), 1.0 - 1.0 / (e - 1.0), 1e-3);
        close(mixture.quantiles([0.5])[0], -(1.0 - (1.0 - 1.0 / e) / 2.0_f64).ln(), 1e-3);
    }
}
