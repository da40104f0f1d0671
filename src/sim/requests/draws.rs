//! Draws of one distribution from a stream of their own, made a few at a time: they don't wait for one another then.

use super::sample::Sampler;
use crate::base::stream::Rng;

/// Draws that are made at once.
pub(super) const BATCH: usize = 32;

/// Durations in seconds.
#[derive(Debug)]
pub(super) struct Draws {
    sampler: Sampler,
    pub(super) rng: Rng,
    ready: [f64; BATCH],
    /// The next of them.
    next: usize,
}

impl Draws {
    pub(super) fn new(sampler: Sampler, rng: Rng) -> Self {
        let (ready, next) = match sampler {
            Sampler::Constant(seconds) => ([seconds; BATCH], 0),
            Sampler::Law(..) | Sampler::Mixture(_) | Sampler::Other(_) => ([0.0; BATCH], BATCH),
        };
        Self { sampler, rng, ready, next }
    }

    /// One draw.
    #[inline]
    pub(super) fn draw(&mut self) -> f64 {
        if self.next == BATCH {
            self.refill();
        }
        let draw = self.ready[self.next];
        self.next += 1;
        draw
    }

    /// Adds a draw from another stream to each of these sums, times a factor.
    pub(super) fn add(&self, factor: f64, rng: &mut Rng, sums: &mut [f64]) {
        self.sampler.add(factor, rng, sums);
    }

    /// Draws that are ready, at least one: the next are these, until some are taken.
    pub(super) fn ahead(&mut self) -> &[f64] {
        if self.next == BATCH {
            self.refill();
        }
        &self.ready[self.next..]
    }

    /// What was taken last.
    pub(super) fn drawn_last(&self) -> f64 {
        self.ready[self.next - 1]
    }

    /// So many of those that are ready are taken.
    pub(super) fn take(&mut self, count: usize) {
        self.next += count;
    }

    #[inline(never)]
    fn refill(&mut self) {
        self.sampler.fill(&mut self.rng, &mut self.ready);
        self.next = 0;
    }
}
