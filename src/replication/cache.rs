//! A cache with a time to live: how many reads it answers, and how many of those answers are old.
//!
//! Reads of a key are a Poisson stream of rate r. The first fetches the key, the entry then lives for T whatever is
//! read meanwhile, and the next read after that fetches it again. So fetches renew: T, then 1/r until the next read,
//! and of the 1 + rT reads of such a cycle rT hit (Jung, Berger & Balakrishnan, "Modeling TTL-based Internet Caches",
//! INFOCOM 2003): P(hit) = rT/(1 + rT). An entry met at random is of an age uniform on (0, T).
//!
//! A cache that suddenly gets more reads, at rate r, still holds what fewer reads fetched: an entry with probability h,
//! none for one that was empty. The entries that it had expire evenly over T, and a key without one is fetched at its
//! next read. So s seconds after, P(miss) = (1 − h) e^(−rs) + h/(rT) (1 − e^(−rs)), until T, when it is taken for warm.
//! With the h of r itself that is the steady 1/(1 + rT). It leaves out that what was fetched together expires together:
//! real caches spread their times to live against that. Where nothing can be fetched any more the entries that there
//! are live on: a share 1 − t/T of them after t.
//!
//! Only a read that would come back fills the cache when it misses: r is then the rate of those.

use crate::base::Span;
use crate::base::maths::{exp, exp_m1};

/// Parts in which reads before are told, of those that there are.
const PARTS: f64 = 64.0;
/// Steps from empty to warm; each is as long as all before it, the last ends with the time to live.
const WARMING: u8 = 7;
/// Steps in which what can't be fetched again expires.
const STARVING: u8 = 8;

/// How much a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Warmth {
    /// What it holds when it has been read for longer than its time to live.
    Warm,
    /// Read more than before: in this step since then, and by so many parts of `PARTS` of the reads before. Hits are
    /// the mean over the step; what queues behind it sees the steps.
    Warming(u8, u8),
    /// Nothing can be fetched: in this step of what still lives.
    Starving(u8),
    /// Nothing.
    Empty,
}

impl Warmth {
    /// So long after a cache was read more than before, when there were this share of the reads that there are.
    pub fn warming(since: Span, ttl: Span, before: f64) -> Self {
        let parts = (before.clamp(0.0, 1.0) * PARTS).round() as u8;
        let step = (0..WARMING).find(|&step| since < end_of(step, ttl));
        step.map_or(Self::Warm, |step| Self::Warming(step, parts))
    }

    /// So long after nothing could be fetched any more.
    pub fn starving(since: Span, ttl: Span) -> Self {
        let steps = u128::from(STARVING) * u128::from(since.nanos()) / u128::from(ttl.nanos().max(1));
        if steps < u128::from(STARVING) { Self::Starving(steps as u8) } else { Self::Empty }
    }

    /// When each step from empty to warm ends.
    pub fn warming_ends(ttl: Span) -> impl Iterator<Item = Span> {
        (0..WARMING).map(move |step| end_of(step, ttl))
    }

    /// When each step ends in which what can't be fetched again expires.
    pub fn starving_ends(ttl: Span) -> impl Iterator<Item = Span> {
        // Rounded up, so that the next step has begun.
        (1..=u64::from(STARVING)).map(move |step| Span::from_nanos((ttl.nanos() * step).div_ceil(u64::from(STARVING))))
    }
}

fn end_of(step: u8, ttl: Span) -> Span {
    Span::from_nanos(ttl.nanos() >> (WARMING - 1 - step))
}

/// Reads of a cache per second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Reads {
    /// All of them.
    pub all: f64,
    /// Those that would come back if they missed.
    pub filling: f64,
}

impl Reads {
    fn of(self, popularity: f64) -> Self {
        Self { all: self.all * popularity, filling: self.filling * popularity }
    }
}

/// A cache of one cluster, for one partition of its store.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Which keys are read, and written: (share of the accesses, popularity).
    pub keys: &'a [(f64, f64)],
    /// Time to live in seconds.
    pub ttl: f64,
    /// What it holds.
    pub warmth: Warmth,
}

impl Held<'_> {
    /// Probability that a read hits.
    pub fn hits(&self, reads: Reads) -> f64 {
        self.keys.iter().map(|&(share, popularity)| share * self.hits_of(reads.of(popularity))).sum()
    }

    /// Probability that a read hits an entry that was written to after it was fetched, at so many writes per second.
    pub fn stale(&self, reads: Reads, writes: f64) -> f64 {
        let (youngest, oldest) = self.ages();
        let stale = |rate: f64| {
            // 1 less the mean of e^(-rate · age).
            let (young, span) = (rate * youngest, rate * (oldest - youngest));
            if span > 0.0 { 1.0 - exp(-young) * (1.0 - fetched(span)) } else { 0.0 }
        };
        let both = |popularity: f64| self.hits_of(reads.of(popularity)) * stale(writes * popularity);
        self.keys.iter().map(|&(share, popularity)| share * both(popularity)).sum()
    }

    /// Probability of a hit for a key that is read so often.
    fn hits_of(&self, reads: Reads) -> f64 {
        let warm = |rate: f64| rate * self.ttl / (1.0 + rate * self.ttl);
        match self.warmth {
            Warmth::Warm => warm(reads.filling),
            Warmth::Warming(step, before) => {
                let part = 1.0 / f64::from(1_u32 << (WARMING - 1 - step));
                let filled = reads.filling * self.ttl;
                // The mean up to its end is half that of the step before and half its own.
                let mean = |of: &dyn Fn(f64) -> f64| if step == 0 { of(part) } else { 2.0 * of(part) - of(0.5 * part) };
                let fetched = mean(&|part| fetched(filled * part));
                let held = warm(reads.all * f64::from(before) / PARTS);
                // Without reads the entries just expire.
                let expired = if filled > 1e-9 { fetched / filled } else { mean(&|part| 0.5 * part) };
                fetched + held * (1.0 - fetched - expired)
            }
            Warmth::Starving(step) => warm(reads.all) * (1.0 - (f64::from(step) + 0.5) / f64::from(STARVING)),
            Warmth::Empty => 0.0,
        }
    }

    /// Ages of entries in seconds, taken to be uniform between these. In a cache that was empty, those of keys that are
    /// read all the time are older than that.
    fn ages(&self) -> (f64, f64) {
        match self.warmth {
            Warmth::Warm | Warmth::Warming(_, 1..) => (0.0, self.ttl),
            Warmth::Warming(step, 0) => (0.0, self.ttl / f64::from(1_u32 << (WARMING - 1 - step))),
            Warmth::Starving(step) => (self.ttl * (f64::from(step) + 0.5) / f64::from(STARVING), self.ttl),
            Warmth::Empty => (0.0, 0.0),
        }
    }
}

/// The mean of 1 − e^(−u) for u from 0 to x.
fn fetched(x: f64) -> f64 {
    if x < 1e-5 { 0.5 * x - x * x / 6.0 } else { 1.0 + exp_m1(-x) / x }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Popularity;
    use super::super::spec::Keys;
    use super::*;

    const TTL: Span = Span::from_whole_secs(64);

    /// All of them fill.
    fn reads(all: f64) -> Reads {
        Reads { all, filling: all }
    }

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
    }

    #[test]
    fn by_hand() {
        // Two keys, 2/3 and 1/3 of 0.09 reads a second, for 100 s: 6 and 3 reads. 2/3 · 6/7 + 1/3 · 3/4.
        let popularity = Popularity::new(&Keys { count: 2, zipf: 1.0 }).nodes();
        let held = |warmth| Held { keys: &popularity, ttl: 100.0, warmth };
        close(held(Warmth::Warm).hits(reads(0.09)), 4.0 / 7.0 + 0.25);
        // Written 0.03 times a second: of the hits, 1 - (1 - e^-2)/2 and 1 - (1 - e^-1).
        let stale = 4.0 / 7.0 * 0.567_667_641_618_306_3 + 0.25 * 0.367_879_441_171_442_3;
        close(held(Warmth::Warm).stale(reads(0.09), 0.03), stale);
        close(held(Warmth::Warm).stale(reads(0.09), 0.0), 0.0);
        close(held(Warmth::Empty).hits(reads(0.09)), 0.0);
        // Between 1/8 and 2/8 of the time to live: 13/16 are left.
        close(held(Warmth::Starving(1)).hits(reads(0.09)), 13.0 / 16.0 * (4.0 / 7.0 + 0.25));
        // The last step, 50 to 100 s: the mean of 1 - e^(-0.06 s) is 1 - (e^-3 - e^-6)/3, of the other 1 -
        // (e^-1.5 - e^-3)/1.5.
        let warming = 2.0 / 3.0 * 0.984_230_561_269_600_8 + 1.0 / 3.0 * 0.884_437_938_812_956_5;
        close(held(Warmth::Warming(6, 0)).hits(reads(0.09)), warming);
        // Reads that were as many before change nothing.
        close(held(Warmth::Warming(3, 64)).hits(reads(0.09)), 4.0 / 7.0 + 0.25);
        // One key, 0.01 reads a second before and 0.02 now: half of the reads hit at first, and in the first 100/64 s
        // the mean of e^(-0.02 s) is x = 0.984536...; P(miss) = 0.5 x + 0.25 (1 - x).
        let one = Popularity::new(&Keys { count: 1, zipf: 0.0 }).nodes();
        let twice = Held { keys: &one, ttl: 100.0, warmth: Warmth::Warming(0, 32) };
        close(twice.hits(reads(0.02)), 1.0 - 0.25 - 0.25 * 0.984_536_496_756_987_8);
        // What is read and never comes back just expires: in the mean 1/128 in the first 1/64.
        close(twice.hits(Reads { all: 0.02, filling: 0.0 }), 0.5 * (1.0 - 1.0 / 128.0));
    }

    #[test]
    fn steps_follow_each_other() {
        let ends: Vec<Span> = Warmth::warming_ends(TTL).collect();
        assert_eq!(ends, [1, 2, 4, 8, 16, 32, 64].map(Span::from_whole_secs));
        let mut before = Span::ZERO;
        for (step, &end) in (0..).zip(&ends) {
            assert_eq!(Warmth::warming(before, TTL, 0.0), Warmth::Warming(step, 0));
            assert_eq!(Warmth::warming(Span::from_nanos(end.nanos() - 1), TTL, 0.0), Warmth::Warming(step, 0));
            before = end;
        }
        assert_eq!(Warmth::warming(before, TTL, 0.5), Warmth::Warm);
        assert_eq!(Warmth::starving(Span::ZERO, TTL), Warmth::Starving(0));
        for (step, end) in (1..).zip(Warmth::starving_ends(TTL)) {
            let expected = if step < STARVING { Warmth::Starving(step) } else { Warmth::Empty };
            assert_eq!(Warmth::starving(end, TTL), expected);
        }
    }

    #[test]
    fn what_warms_fetches_each_key_once() {
        // The misses of all steps from empty are those of one key's first fetch: 1 - e^(-rT) each.
        let popularity = Popularity::new(&Keys { count: 1, zipf: 0.0 }).nodes();
        let mut before = 0.0;
        let mut misses = 0.0;
        for (step, end) in (0..).zip(Warmth::warming_ends(TTL)) {
            let held = Held { keys: &popularity, ttl: 64.0, warmth: Warmth::Warming(step, 0) };
            misses += 0.05 * (end.secs() - before) * (1.0 - held.hits(reads(0.05)));
            before = end.secs();
        }
        close(misses, 0.959_237_796_021_634);
    }
}
