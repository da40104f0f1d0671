//! Requests whose latencies follow several curves: what all of them together see.
//!
//! Curves that begin at the same time, stand on the same nodes and end at the same limit are added up node by node:
//! between nodes each is linear, so their sum is, too. What differs in one of these, as a request that was tried again
//! does in when it begins, is a layer of its own.

use super::latency::{Curve, Within, excess};
use super::lattice::LATTICE;
use crate::base::maths::{crossing, first_that, ln};
use std::sync::Arc;

/// Ratio of the times between which a quantile is first looked for where no nodes are.
const STRIDE: f64 = 1.1;
/// To what share of itself a quantile is found.
const RELATIVE: f64 = 1e-9;

/// How many lines a quantile may be looked for on.
const LINES: u32 = 8;
/// How far those above a time may be from those wanted, of the more, for the line there to lead to the quantile.
const FAR: f64 = 0.3;

/// What isn't this much before a time is it, but for rounding.
const BEFORE: f64 = 1.0 - 1e-9;

/// When a layer begins, on which nodes it stands, where it ends.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Place {
    /// Seconds before its curves begin.
    delay: f64,
    /// Seconds that all of its requests take beside that.
    shift: f64,
    /// What the nodes of the lattice are multiplied by.
    unit: f64,
    /// Seconds beyond the delay that nobody exceeds.
    limit: f64,
}

/// Times at which many mixtures are read, which don't fall.
#[derive(Debug)]
pub struct Readings {
    times: Vec<f64>,
    /// By time: the node of the lattice before it, and which part of the way to the next one it is.
    places: Vec<(usize, f64)>,
}

impl Readings {
    /// At these times, in seconds.
    pub fn at(times: &[f64]) -> Self {
        let nodes = LATTICE.nodes();
        let place = |&t: &f64| {
            let k = LATTICE.floor(t);
            (k, (t - nodes[k]) / (nodes[k + 1] - nodes[k]))
        };
        Self { times: times.to_vec(), places: times.iter().map(place).collect() }
    }

    /// The times, in seconds.
    pub fn times(&self) -> &[f64] {
        &self.times
    }
}

/// Weighted curves of one place, added up.
#[derive(Clone, Debug)]
struct Layer {
    place: Place,
    /// Number of the first node.
    first: usize,
    /// Requests whose excess is at most node `first + k`; none where nothing varies.
    sums: Vec<f64>,
    /// Requests without any excess.
    atom: f64,
    /// Requests beyond the last node, but for the limit.
    top: f64,
    /// All requests.
    weight: f64,
}

impl Layer {
    fn new(place: Place) -> Self {
        Self { place, first: 0, sums: Vec::new(), atom: 0.0, top: 0.0, weight: 0.0 }
    }

    /// Adds `times` so many requests: those up to each node from `first` on, those without excess, all.
    fn add(&mut self, first: usize, below: &[f64], atom: f64, top: f64, times: f64) {
        if self.sums.is_empty() {
            // What is here so far doesn't vary.
            self.first = first;
            // Others reach further.
            self.sums.reserve(below.len() + below.len() / 2);
            self.sums.extend(below.iter().map(|below| self.top + times * below));
        } else {
            if !below.is_empty() {
                self.reach(first, first + below.len());
            }
            let nodes = LATTICE.nodes();
            // Before its first node a curve is linear, beyond its last one it is all that there is.
            let inside = if below.is_empty() { (0, 0) } else { (first - self.first, first - self.first + below.len()) };
            let (before, rest) = self.sums.split_at_mut(inside.0);
            let (inside, beyond) = rest.split_at_mut(inside.1 - inside.0);
            if let Some(&lowest) = below.first() {
                let rise = (lowest - atom) / nodes[first];
                for (sum, node) in before.iter_mut().zip(&nodes[self.first..]) {
                    *sum += times * (atom + rise * node);
                }
            }
            for (sum, below) in inside.iter_mut().zip(below) {
                *sum += times * below;
            }
            for sum in beyond {
                *sum += times * top;
            }
        }
        self.atom += times * atom;
        self.top += times * top;
    }

    /// Makes room for these nodes.
    fn reach(&mut self, first: usize, end: usize) {
        if first < self.first {
            let nodes = LATTICE.nodes();
            let rise = (self.sums[0] - self.atom) / nodes[self.first];
            let before = nodes[first..self.first].iter().map(|node| self.atom + rise * node);
            self.sums.splice(..0, before.collect::<Vec<_>>());
            self.first = first;
        }
        if end > self.first + self.sums.len() {
            self.sums.resize(end - self.first, self.top);
        }
    }

    /// Seconds at node `first + k`.
    fn time(&self, k: usize) -> f64 {
        self.place.delay + self.place.shift + LATTICE.nodes()[self.first + k] * self.place.unit
    }

    /// Requests that take at most `t` seconds.
    fn below(&self, t: f64) -> f64 {
        self.line(t).0
    }

    /// The same, and how many more take a second longer.
    #[inline]
    fn line(&self, t: f64) -> (f64, f64) {
        let Place { delay, shift, unit, limit } = self.place;
        let t = t - delay;
        if t >= limit {
            return (self.weight, 0.0);
        }
        let (below, slope) = LATTICE.line((self.first, &self.sums), (self.atom, self.top), excess(t, shift) / unit);
        (below, slope / unit)
    }

    /// Adds the requests that take at most each of these times.
    fn add_below(&self, Readings { times, places }: &Readings, sums: &mut [f64]) {
        // Up to where it begins there is nothing, and from its end on it is all alike.
        let (low, high) = self.range();
        let from = times.partition_point(|&t| t < low * BEFORE);
        let to = times.partition_point(|&t| t <= high).max(from);
        if let Some(&t) = times.get(to) {
            let all = self.below(t);
            sums[to..].iter_mut().for_each(|sum| *sum += all);
        }
        // What stands on the lattice itself has its nodes where times were looked for.
        let Place { delay, shift, unit, limit } = self.place;
        let as_lattice = (delay, shift, unit) == (0.0, 0.0, 1.0);
        let places = times[from..to].iter().zip(&places[from..to]);
        for (sum, (&t, &(node, part))) in sums[from..to].iter_mut().zip(places) {
            let ends = node.checked_sub(self.first).and_then(|k| self.sums.get(k..k + 2));
            *sum += match ends {
                Some(&[low, high]) if as_lattice && t < limit => low + (high - low) * part,
                Some(_) | None => self.below(t),
            };
        }
    }

    /// About the time that a share of its requests doesn't exceed.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.weight;
        let k = self.sums.partition_point(|&sum| sum < wanted).clamp(1, self.sums.len() - 1);
        let part = (wanted - self.sums[k - 1]) / (self.sums[k] - self.sums[k - 1]);
        self.time(k - 1) + (self.time(k) - self.time(k - 1)) * part
    }

    /// The least and the greatest time that it tells apart.
    fn range(&self) -> (f64, f64) {
        let Place { delay, shift, limit, .. } = self.place;
        let end = if self.sums.is_empty() { delay + shift } else { self.time(self.sums.len() - 1) };
        (delay + shift, end.min(delay + limit))
    }
}

/// A weighted mixture of curves, each delayed by some seconds and cut off at a limit.
#[derive(Clone, Debug, Default)]
pub struct Mixture {
    /// Mixtures that were merged share those that were in one of them alone.
    layers: Vec<Arc<Layer>>,
    weight: f64,
    /// Seconds that all its requests take.
    seconds: f64,
}

impl Mixture {
    /// Adds `weight` requests that follow `curve` as far as it counts, `delay` seconds later.
    pub fn add(&mut self, curve: &Curve, within: Within, delay: f64, weight: f64) {
        if weight > 0.0 && within.share > 0.0 {
            let (shift, unit) = curve.stands();
            let layer = self.layer(Place { delay, shift, unit, limit: within.limit });
            let (first, below, atom) = curve.below();
            layer.add(first, below, atom, 1.0, weight / within.share);
            layer.weight += weight;
            self.weight += weight;
            self.seconds += (within.mean + delay) * weight;
        }
    }

    /// Adds all requests of another.
    pub fn merge(&mut self, other: &Self) {
        for own in &other.layers {
            match self.layers.iter_mut().find(|layer| layer.place == own.place) {
                Some(layer) => {
                    let layer = Arc::make_mut(layer);
                    layer.add(own.first, &own.sums, own.atom, own.top, 1.0);
                    layer.weight += own.weight;
                }
                None => self.layers.push(Arc::clone(own)),
            }
        }
        self.weight += other.weight;
        self.seconds += other.seconds;
    }

    fn layer(&mut self, place: Place) -> &mut Layer {
        let known = self.layers.iter().position(|layer| layer.place == place);
        let at = known.unwrap_or(self.layers.len());
        if at == self.layers.len() {
            self.layers.push(Arc::new(Layer::new(place)));
        }
        Arc::make_mut(&mut self.layers[at])
    }

    /// True if nothing was added.
    pub const fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// How many requests were added.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// Mean in seconds.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.seconds / self.weight)
    }

    /// P(latency ≤ t).
    pub fn cdf(&self, t: f64) -> f64 {
        self.layers.iter().map(|layer| layer.below(t)).sum::<f64>() / self.weight
    }

    /// How many requests take at most each of these times.
    pub fn below(&self, readings: &Readings) -> Vec<f64> {
        let mut sums = vec![0.0; readings.times.len()];
        self.layers.iter().for_each(|layer| layer.add_below(readings, &mut sums));
        sums
    }

    /// The latencies that these shares of requests don't exceed, to a relative 1e-9.
    ///
    /// # Panics
    /// If the mixture is empty.
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        assert!(!self.is_empty(), "an empty mixture has no quantiles");
        let ranges = || self.layers.iter().map(|layer| layer.range());
        let low = ranges().map(|range| range.0).fold(f64::INFINITY, f64::min);
        let top = ranges().map(|range| range.1).fold(0.0, f64::max);
        let main = self.layers.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).filter(|main| main.sums.len() > 1);
        let lowest = (low, self.cdf(low));
        shares.map(|share| {
            let mut ends = (lowest, (top, 1.0));
            if ends.0.1 >= share {
                return low;
            }
            if let Some(main) = main {
                if let Some(quantile) = self.on_lines(main.quantile(share), share, &mut ends) {
                    return quantile;
                }
                self.between_nodes(main, share, &mut ends);
            }
            // Where no nodes are, in strides.
            while ends.0.0.max(top * 1e-7) * STRIDE < ends.1.0 {
                let next = ends.0.0.max(top * 1e-7) * STRIDE;
                let below = self.cdf(next);
                if below >= share {
                    ends.1 = (next, below);
                    break;
                }
                ends.0 = (next, below);
            }
            let guess = ends.0.0 + (ends.1.0 - ends.0.0) * ((share - ends.0.1) / (ends.1.1 - ends.0.1));
            self.on_lines(guess, share, &mut ends)
                .unwrap_or_else(|| crossing(ends.0, ends.1, share, RELATIVE, |t| self.cdf(t)))
        })
    }

    /// The quantile between two ends, which are narrowed, from above, if the line that it lies on is soon found: by Newton's
    /// iteration from a guess. While that is far away those above fall as an exponential does, nearby all is linear.
    fn on_lines(&self, guess: f64, share: f64, ends: &mut ((f64, f64), (f64, f64))) -> Option<f64> {
        let mut at = guess;
        for _ in 0..LINES {
            if !(ends.0.0 < at && at < ends.1.0) {
                return None;
            }
            let lines = self.layers.iter().map(|layer| layer.line(at));
            let (sum, slope) = lines.fold((0.0, 0.0), |sums, line| (sums.0 + line.0, sums.1 + line.1));
            let (above, wanted) = (self.weight - sum, (1.0 - share) * self.weight);
            let far = (above - wanted).abs() > FAR * above.max(wanted);
            let step = if far { above * ln(above / wanted) } else { share * self.weight - sum } / slope;
            if step.abs() <= 0.25 * RELATIVE * at {
                return Some((at + step) * (1.0 + 0.5 * RELATIVE));
            }
            *(if sum < share * self.weight { &mut ends.0 } else { &mut ends.1 }) = (at, sum / self.weight);
            at += step;
        }
        None
    }

    /// Narrows the ends between which a quantile lies to two nodes of a layer, if it lies between its nodes.
    fn between_nodes(&self, main: &Layer, share: f64, ends: &mut ((f64, f64), (f64, f64))) {
        // About where it would be if all others were as this one.
        let guess = main.sums.partition_point(|&sum| sum < share * main.weight);
        first_that(main.sums.len(), guess, |k| {
            let here = (main.time(k), self.cdf(main.time(k)));
            if here.1 < share {
                ends.0 = here;
            } else {
                ends.1 = here;
            }
            here.1 >= share
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::dist::Dist;
    use crate::traffic::latency::Part;

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance * expected.abs(), "{actual} is not {expected}");
    }

    #[test]
    fn a_mixture_weighs_its_parts() {
        let fast = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(1)))]);
        let slow = Curve::sum(&[Part::One(Dist::constant(Span::from_whole_secs(2)))]);
        let mut mixture = Mixture::default();
        mixture.add(&fast, fast.within(f64::INFINITY), 0.0, 3.0);
        mixture.add(&slow, slow.within(f64::INFINITY), 0.5, 1.0);
        let [low, high] = mixture.quantiles([0.74, 0.76]);
        close(low, 1.0, 1e-6);
        close(high, 2.5, 1e-6);
        close(mixture.mean().unwrap(), 1.375, 1e-12);
    }

    #[test]
    fn many_times_at_once_are_each_by_itself() {
        let lognormal = Curve::sum(&[Part::One(Dist::lognormal(Span::from_secs(0.05), 0.3))]);
        let waits = lognormal.then_wait(0.4, 0.02);
        let constant = Curve::sum(&[Part::One(Dist::constant(Span::from_secs(0.07)))]).then_wait(0.1, 0.5);
        let mut mixture = Mixture::default();
        mixture.add(&waits, waits.within(0.2), 0.01, 3.0);
        mixture.add(&constant, constant.within(f64::INFINITY), 0.0, 1.0);
        let times: Vec<f64> = (0..400).map(|k| 0.001 * f64::from(k)).collect();
        for (&t, below) in times.iter().zip(mixture.below(&Readings::at(&times))) {
            assert!((below / mixture.weight() - mixture.cdf(t)).abs() < 1e-14, "{t}");
        }
        for share in [0.01, 0.5, 0.7499, 0.751, 0.99, 0.9999] {
            let [quantile] = mixture.quantiles([share]);
            assert!(mixture.cdf(quantile) >= share, "{share}");
            assert!(mixture.cdf(quantile * (1.0 - 2e-6)) <= share, "{share}");
        }
    }

    #[test]
    fn what_is_merged_is_what_was_added() {
        // Lognormals and their waits on the same nodes, delayed ones, a constant, one with an even time on nodes of its own.
        let lognormal = |median: f64| Curve::sum(&[Part::One(Dist::lognormal(Span::from_secs(median), 0.3))]);
        let curves = [lognormal(0.05), lognormal(0.02), lognormal(0.05).then_wait(0.4, 0.02), lognormal(0.3)];
        let even = curves[0].then_even(curves[0].within(0.06), 0.01);
        let constant = Curve::sum(&[Part::One(Dist::constant(Span::from_secs(0.04)))]);
        let mut pieces: Vec<(&Curve, f64, f64, f64)> = Vec::new();
        for (k, curve) in curves.iter().chain([&even, &constant]).enumerate() {
            pieces.push((curve, f64::INFINITY, 0.0, 1.0 + k as f64));
            pieces.push((curve, 0.06, 0.1, 0.5));
        }
        let add = |mixture: &mut Mixture, &(curve, limit, delay, weight): &(&Curve, f64, f64, f64)| {
            mixture.add(curve, curve.within(limit), delay, weight);
        };
        let (mut all, mut merged) = (Mixture::default(), Mixture::default());
        for piece in &pieces {
            add(&mut all, piece);
            let mut one = Mixture::default();
            add(&mut one, piece);
            merged.merge(&one);
        }
        let weight: f64 = pieces.iter().map(|piece| piece.3).sum();
        for t in (0..800).map(|k| 0.0005 * f64::from(k)) {
            let by_hand = pieces.iter().filter(|piece| piece.1 > 0.0).map(|&(curve, limit, delay, weight)| {
                let within = curve.within(limit);
                let t = t - delay;
                weight
                    * if within.share() <= 0.0 {
                        0.0
                    } else if t >= limit {
                        1.0
                    } else {
                        curve.cdf(t) / within.share()
                    }
            });
            let counted = pieces.iter().filter(|piece| piece.0.within(piece.1).share() > 0.0).map(|piece| piece.3);
            let by_hand = by_hand.sum::<f64>() / counted.sum::<f64>();
            assert!((all.cdf(t) - by_hand).abs() < 1e-12, "{t}: {} is not {by_hand}", all.cdf(t));
            assert!((all.cdf(t) - merged.cdf(t)).abs() < 1e-12, "{t}");
        }
        assert!(all.weight() <= weight);
        for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999] {
            let [quantile] = all.quantiles([share]);
            assert!(all.cdf(quantile) >= share && all.cdf(quantile * (1.0 - 3e-9)) <= share, "{share}");
        }
    }
}
