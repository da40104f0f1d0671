//! How soon a read sees a write where the copies that a write waits for and those that a read asks needn't overlap:
//! probabilistically bounded staleness (Bailis et al., *Probabilistically Bounded Staleness for Practical Partial
//! Quorums*, VLDB 2012).
//!
//! A coordinator sends a write to all copies at once and commits it when `write` of them have acknowledged; a read
//! goes to all of them and is answered by the first `read`. It is stale if none of those had the write when the read
//! reached it. That one of them acknowledged the commit in time can't be then, so the commit is the `write`-th
//! acknowledgement of the *others*, at M after the write was sent, and a read t after the commit is stale with
//! probability E[Π P(Wᵢ > M + t + Rᵢ)], i over the copies that answer it. Given M and the reads' ways that product is
//! exact; the mean is taken over a fixed rank-1 lattice (Korobov's, folded by the baker's transformation: L'Ecuyer and
//! Lemieux, *Variance reduction via lattice rules*, 2000), so there is no noise, and the error is under 1 % of the
//! probability of being stale.
//!
//! Nothing repairs a copy but the write itself: no read repair, no anti-entropy.

use crate::dist::Dist;

/// Points of the lattice, a prime.
const POINTS: usize = 4093;
/// Its generator.
const GENERATOR: usize = 1516;
/// The golden ratio's fraction: shifts of the lattice, so that no point has all its coordinates lowest.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// A chance that falls below this part of that at time 0 is left out.
const NEGLIGIBLE: f64 = 1e-6;
/// Ratio of one node of a curve to the one before, before steps are looked for.
const RATIO: f64 = 1.1;
/// A curve that falls to less than this part from one node to the next gets one in between.
const STEEP: f64 = 0.8;
/// Nodes this close, relatively, hold a step between them.
const CLOSE: f64 = 1e-5;
/// So many nodes are enough.
const MOST: usize = 1000;

/// How messages go between a coordinator and a copy.
#[derive(Clone, PartialEq, Debug)]
pub enum Ways {
    /// There and back, each by itself.
    Apart(Dist, Dist),
    /// Half of one round trip each: what slows it slows both.
    Halves(Dist),
}

/// A copy as the coordinators of a write and of a read see it.
#[derive(Clone, PartialEq, Debug)]
pub struct Copy {
    /// A write's way to it, and its acknowledgement's way back.
    pub write: Ways,
    /// A read's way to it, and its answer's way back.
    pub read: Ways,
}

/// Copies that vote.
#[derive(Clone, PartialEq, Debug)]
pub struct Quorum {
    /// The copies that can be reached.
    pub copies: Vec<Copy>,
    /// How long one access takes at a copy: a write is there once it is over, a read sees what is there before.
    pub time: Dist,
    /// Answers that a read waits for.
    pub read: usize,
    /// Acknowledgements that a write waits for.
    pub write: usize,
}

impl Quorum {
    /// Any copies that answer a read include one that acknowledged the write, or no write is committed.
    pub fn overlaps(&self) -> bool {
        self.read + self.write > self.copies.len()
    }

    /// The chance that a read is stale by how long after the write's commit it begins.
    pub fn staleness(&self) -> Staleness {
        if self.overlaps() {
            return Staleness { first: 0.0, nodes: Vec::new() };
        }
        Sample::new(self).curve()
    }
}

/// P(stale) at a time after the commit, in seconds: falls from `first`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Staleness {
    /// At once.
    first: f64,
    /// Later: (time, P(stale)).
    nodes: Vec<(f64, f64)>,
}

impl Staleness {
    /// P(stale) of a read that begins `after` seconds after the commit; geometric between nodes.
    pub fn at(&self, after: f64) -> f64 {
        let next = self.nodes.partition_point(|&(time, _)| time <= after);
        let (from, above) = next.checked_sub(1).map_or((0.0, self.first), |before| self.nodes[before]);
        let Some(&(to, below)) = self.nodes.get(next) else {
            return if after <= from { above } else { 0.0 };
        };
        let part = ((after - from) / (to - from)).max(0.0);
        if below > 0.0 { above * crate::base::maths::powf(below / above, part) } else { above * (1.0 - part) }
    }

    /// The mean of `f` over the time at which a write becomes visible, where `f(0)` is 0.
    pub fn mean_of(&self, mut f: impl FnMut(f64) -> f64) -> f64 {
        let (mut from, mut above, mut sum) = (0.0, self.first, 0.0);
        for &(to, below) in &self.nodes {
            if below < above {
                sum += (above - below) * f(0.5 * (from + to));
            }
            (from, above) = (to, below);
        }
        sum + above * f(from)
    }
}

/// The lattice's points, as far as they matter.
struct Sample<'a> {
    quorum: &'a Quorum,
    /// By point and answering copy: the copy, and how long before the read reaches it at time 0 after the commit the
    /// write was sent, less the write's access.
    answers: Vec<(usize, f64)>,
}

impl<'a> Sample<'a> {
    fn new(quorum: &'a Quorum) -> Self {
        let n = quorum.copies.len();
        let mut lattice = Lattice { dimensions: 0 };
        let mut ways = |ways: &Ways| match ways {
            Ways::Apart(there, back) => (lattice.draws(there), lattice.draws(back)),
            Ways::Halves(half) => {
                let draws = lattice.draws(half);
                (draws.clone(), draws)
            }
        };
        let writes: Vec<_> = quorum.copies.iter().map(|copy| ways(&copy.write)).collect();
        let reads: Vec<_> = quorum.copies.iter().map(|copy| ways(&copy.read)).collect();
        let mut times = || -> Vec<Draws> { (0..n).map(|_| lattice.draws(&quorum.time)).collect() };
        let (writing, reading) = (times(), times());
        let mut answers = Vec::with_capacity(POINTS * quorum.read);
        let (mut order, mut commits): (Vec<usize>, Vec<f64>) = ((0..n).collect(), Vec::with_capacity(n));
        for point in 0..POINTS {
            let both = |(there, back): &(Draws, Draws), time: &Draws| there.at(point) + time.at(point) + back.at(point);
            let answered = |copy: usize| both(&reads[copy], &reading[copy]);
            order.sort_by(|&a, &b| answered(a).total_cmp(&answered(b)).then(a.cmp(&b)));
            let (first, others) = order.split_at(quorum.read);
            commits.clear();
            commits.extend(others.iter().map(|&copy| both(&writes[copy], &writing[copy])));
            commits.sort_by(f64::total_cmp);
            let commit = commits[quorum.write - 1];
            answers
                .extend(first.iter().map(|&copy| (copy, commit + reads[copy].0.at(point) - writing[copy].at(point))));
        }
        Self { quorum, answers }
    }

    /// P(stale) of a read that begins `after` seconds after the commit.
    fn stale(&self, after: f64) -> f64 {
        let late = |&(copy, sent): &(usize, f64)| match &self.quorum.copies[copy].write {
            Ways::Apart(there, _) | Ways::Halves(there) => 1.0 - there.cdf(sent + after),
        };
        let points = self.answers.chunks_exact(self.quorum.read);
        points.map(|answers| answers.iter().map(late).product::<f64>()).sum::<f64>() / POINTS as f64
    }

    fn curve(&self) -> Staleness {
        let first = self.stale(0.0);
        let mut nodes = Vec::new();
        if first <= 0.0 {
            return Staleness { first: 0.0, nodes };
        }
        // From where it has hardly begun to fall, to where hardly anything is left.
        let means = self.quorum.copies.iter().map(|copy| match &copy.write {
            Ways::Apart(there, _) | Ways::Halves(there) => there.mean(),
        });
        let mut low = means.fold(1e-9, f64::max);
        while self.stale(low) < 0.99 * first && low > 1e-9 {
            low *= 0.5;
        }
        let mut before = (0.0, first);
        let mut time = low;
        while before.1 > NEGLIGIBLE * first && time < 1e12 {
            let node = (time, self.stale(time));
            self.between(before, node, &mut nodes);
            nodes.push(node);
            before = node;
            time *= RATIO;
        }
        Staleness { first, nodes }
    }

    /// Nodes between two, where the curve is steep.
    fn between(&self, from: (f64, f64), to: (f64, f64), nodes: &mut Vec<(f64, f64)>) {
        if to.1 >= STEEP * from.1 || to.0 - from.0 <= CLOSE * to.0 || nodes.len() > MOST {
            return;
        }
        let time = 0.5 * (from.0 + to.0);
        let middle = (time, self.stale(time));
        self.between(from, middle, nodes);
        nodes.push(middle);
        self.between(middle, to, nodes);
    }
}

/// Hands out coordinates.
struct Lattice {
    dimensions: usize,
}

/// One variable's values over the points.
#[derive(Clone)]
enum Draws {
    Always(f64),
    Each(Vec<f64>),
}

impl Draws {
    fn at(&self, point: usize) -> f64 {
        match self {
            Self::Always(value) => *value,
            Self::Each(values) => values[point],
        }
    }
}

impl Lattice {
    fn draws(&mut self, dist: &Dist) -> Draws {
        if dist.is_constant() {
            return Draws::Always(dist.mean());
        }
        let factor = (0..self.dimensions).fold(1, |power, _| power * GENERATOR % POINTS);
        self.dimensions += 1;
        let shift = ((self.dimensions as f64 * GOLDEN).fract() * POINTS as f64) as usize;
        // A variable takes each of its equally likely values once, at the middle of its share.
        let values: Vec<f64> = (0..POINTS).map(|k| dist.quantile((k as f64 + 0.5) / POINTS as f64)).collect();
        let folded = |k: usize| if 2 * k < POINTS { 2 * k } else { 2 * (POINTS - 1 - k) + 1 };
        Draws::Each((0..POINTS).map(|point| values[folded((point * factor + shift) % POINTS)]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;
    use crate::base::Span;
    use crate::base::stream::Rng;

    fn ms(text: &str) -> Dist {
        toml::from_str::<std::collections::BTreeMap<String, Dist>>(&format!("x = {text}")).unwrap()["x"].clone()
    }

    /// A site's solid-state disks, as fitted by Bailis et al.
    fn ssd() -> Dist {
        ms(r#"{ mixture = [{ weight = 0.9122, of = { pareto = { shape = 10.0, min = "0.235ms" } } },
            { weight = 0.0878, of = { exponential = { mean = "602410ns" } } }] }"#
            .replace('\n', " ")
            .as_str())
    }

    fn alike([write, ack, read, response]: [&Dist; 4], needs: (usize, usize)) -> Quorum {
        let copy =
            Copy { write: Ways::Apart(write.clone(), ack.clone()), read: Ways::Apart(read.clone(), response.clone()) };
        let time = Dist::constant(Span::ZERO);
        Quorum { copies: vec![copy; 3], time, read: needs.0, write: needs.1 }
    }

    /// P(stale) to 1 % of it.
    #[track_caller]
    fn near(got: f64, stale: f64) {
        assert!((got / stale - 1.0).abs() < 0.01, "{got}, exactly {stale}");
    }

    #[test]
    fn as_the_oracle_has_it() {
        // R-PBS-SSD: exact to about 1e-9.
        let ssd = ssd();
        let of = |read, write| alike([&ssd; 4], (read, write)).staleness();
        let (one, two) = (of(1, 1), of(1, 2));
        near(one.at(0.0), 1.0 - 0.973_607_050_626_061);
        near(one.at(5e-3), 1.0 - 0.999_993_478_744_299_4);
        near(one.at(1.968_260_055_75e-3), 1e-3);
        near(two.at(0.0), 1.0 - 0.978_293_496_430_9);
        near(two.at(1.853_709_503_06e-3), 1e-3);
        let pair = of(2, 1);
        near(pair.at(0.0), 1.0 - 0.999_416_733);
        near(pair.at(1e-3), 1.0 - 0.999_979_113_131_4);
        for (rate, at, stale) in [
            ("250us", 0.0, 1.0 - 0.942_946_726_015_509_1),
            ("250us", 1e-3, 1.0 - 0.998_955_032_836_280_1),
            ("10ms", 0.0, 1.0 - 0.419_559_044_016_840_4),
            ("10ms", 65e-3, 1.0 - 0.999_127_342_317_565_5),
        ] {
            let [write, other] = [rate, "1ms"].map(|mean| ms(&format!("{{ exponential = {{ mean = \"{mean}\" }} }}")));
            near(alike([&write, &other, &other, &other], (1, 1)).staleness().at(at), stale);
        }
    }

    #[test]
    fn quorums_that_overlap_are_never_stale() {
        for needs in [(2, 2), (3, 1), (1, 3)] {
            let quorum = alike([&ssd(); 4], needs);
            assert!(quorum.overlaps());
            assert_eq!(quorum.staleness().at(0.0), 0.0);
        }
    }

    /// Constant ways: half of 20 ms, of 80 ms.
    fn halves(nanos: [u64; 3]) -> Vec<Ways> {
        nanos.iter().map(|&nanos| Ways::Halves(Dist::constant(Span::from_nanos(nanos)))).collect()
    }

    #[test]
    fn three_places_by_hand() {
        // Written at a, read at c; a–b 20 ms, a–c 80 ms. Committed at once by a itself; c answers the read at once, and
        // has the write 40 ms later.
        let write = halves([0, 10_000_000, 40_000_000]);
        let read = halves([40_000_000, 35_000_000, 0]);
        let copies = write.into_iter().zip(read).map(|(write, read)| Copy { write, read }).collect();
        let quorum = Quorum { copies, time: Dist::constant(Span::ZERO), read: 1, write: 1 };
        let curve = quorum.staleness();
        assert_eq!([curve.at(0.0), curve.at(0.0399), curve.at(0.0401)], [1.0, 1.0, 0.0]);
        assert!((curve.mean_of(|t| t) - 0.040).abs() < 1e-6);
        // Two must have it: b's acknowledgement comes after 20 ms, so 20 ms are left.
        let curve = Quorum { write: 2, ..quorum.clone() }.staleness();
        assert_eq!([curve.at(0.0199), curve.at(0.0201)], [1.0, 0.0]);
        // An access of 1 ms at each: 11 + 10 ms, and 41 ms.
        let curve = Quorum { write: 2, time: Dist::constant(Span::from_nanos(1_000_000)), ..quorum }.staleness();
        assert_eq!([curve.at(0.0199), curve.at(0.0201)], [1.0, 0.0]);
    }

    #[test]
    fn unlike_copies_as_if_drawn() {
        // Five copies at several distances, with jitter: 200,000 draws of the whole story.
        let half = |at: u64| Dist::lognormal(Span::from_nanos(at * 1_000_000), 3.0);
        let distance = [(1, 30), (10, 20), (20, 10), (30, 2), (40, 5)];
        let copies = distance
            .iter()
            .map(|&(write, read)| Copy { write: Ways::Halves(half(write)), read: Ways::Apart(half(read), half(read)) });
        let time = ms(r#"{ exponential = { mean = "2ms" } }"#);
        let quorum = Quorum { copies: copies.collect(), time, read: 2, write: 2 };
        let curve = quorum.staleness();
        let mut rng = Seed { master: 3, replication: 0 }.stream().with(1).rng();
        let draw = |ways: &Ways, rng: &mut Rng| match ways {
            Ways::Apart(there, back) => (there.sample(rng), back.sample(rng)),
            Ways::Halves(half) => {
                let half = half.sample(rng);
                (half, half)
            }
        };
        let n = 200_000;
        let times = [0.0, 0.010, 0.030];
        let mut stale = [0_u32; 3];
        for _ in 0..n {
            let mut there = Vec::new();
            let mut acks = Vec::new();
            let mut answers = Vec::new();
            for copy in &quorum.copies {
                let ((write, ack), (read, response)) = (draw(&copy.write, &mut rng), draw(&copy.read, &mut rng));
                there.push(write + quorum.time.sample(&mut rng));
                acks.push(there[there.len() - 1] + ack);
                answers.push((read + quorum.time.sample(&mut rng) + response, read));
            }
            acks.sort_by(f64::total_cmp);
            let commit = acks[1];
            let mut order: Vec<usize> = (0..5).collect();
            order.sort_by(|&a, &b| answers[a].0.total_cmp(&answers[b].0));
            for (count, after) in stale.iter_mut().zip(times) {
                *count += u32::from(order[..2].iter().all(|&copy| there[copy] > commit + after + answers[copy].1));
            }
        }
        for (count, after) in stale.into_iter().zip(times) {
            let share = f64::from(count) / f64::from(n);
            let error = 5.0 * (share * (1.0 - share) / f64::from(n)).sqrt() + 0.01 * share;
            assert!((curve.at(after) - share).abs() < error, "{after}: {}, drawn {share} ± {error}", curve.at(after));
            assert!(share > 1e-3, "{after}: {share} tests nothing");
        }
    }
}
