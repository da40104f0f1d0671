//! What is due soon and often, in order of time; ties in the order they went in.
//!
//! A calendar (Brown 1988): a ring of short stretches of time, each with what is due in it as it came, sorted only once it
//! is reached. Their length follows from how fast things have been coming out.

use crate::base::SimTime;
use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// Stretches in the ring; a word of bits says which of 64 aren't empty.
const RING: u64 = 256;
/// How many come out between two looks at how fast they do.
const LOOK: u32 = 4096;
/// How many should be due in a stretch, as a power of two.
const SHARE: u32 = 3;

/// When it is due, when it went in, and what it is: 64, 32 and 32 bits, from the highest.
type Due = u128;

fn time(due: Due) -> u64 {
    (due >> 64) as u64
}

#[derive(Debug)]
pub(super) struct Lane {
    /// What is due in the stretch that has been reached or before; up to `at` it is out.
    now: Vec<Due>,
    at: usize,
    ring: Vec<Vec<Due>>,
    occupied: [u64; (RING / 64) as usize],
    /// What is due after the ring's end.
    far: BinaryHeap<Reverse<Due>>,
    /// The stretch that has been reached, and a stretch's length as a power of two, in nanoseconds.
    reached: u64,
    length: u32,
    sequence: u32,
    /// Until the next look; and when the last was.
    left: u32,
    looked: u64,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            now: Vec::new(),
            at: 0,
            ring: vec![Vec::new(); RING as usize],
            occupied: [0; (RING / 64) as usize],
            far: BinaryHeap::new(),
            reached: 0,
            length: 22,
            sequence: 0,
            left: LOOK,
            looked: 0,
        }
    }
}

impl Lane {
    /// Puts something in; not before what came out last.
    #[inline]
    pub(super) fn push(&mut self, due: SimTime, what: u32) {
        self.sequence = self.sequence.wrapping_add(1);
        let due = u128::from(due.nanos()) << 64 | u128::from(self.sequence) << 32 | u128::from(what);
        if self.at < self.now.len() {
            self.put(due);
        } else {
            // There is no other.
            self.reached = time(due) >> self.length;
            self.now.push(due);
        }
    }

    #[inline]
    fn put(&mut self, due: Due) {
        let stretch = time(due) >> self.length;
        if stretch <= self.reached {
            // Most often after all that is due.
            let mut place = self.now.len();
            while place > self.at && self.now[place - 1] > due {
                place -= 1;
            }
            self.now.insert(place, due);
        } else if stretch - self.reached < RING {
            let position = (stretch % RING) as usize;
            self.ring[position].push(due);
            self.occupied[position / 64] |= 1 << (position % 64);
        } else {
            self.far.push(Reverse(due));
        }
    }

    /// What is due before then has a place near by.
    pub(super) fn reaches(&self) -> SimTime {
        SimTime::from_nanos((self.reached + RING / 2) << self.length)
    }

    /// When the next is due; never, if there is none.
    #[inline]
    pub(super) fn next_time(&self) -> SimTime {
        self.now.get(self.at).map_or(SimTime::NEVER, |&due| SimTime::from_nanos(time(due)))
    }

    /// Takes out the next.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(SimTime, u32)> {
        let due = *self.now.get(self.at)?;
        self.at += 1;
        if self.at == self.now.len() {
            self.advance(time(due));
        }
        Some((SimTime::from_nanos(time(due)), due as u32))
    }

    /// All of the stretch is out: on to the next that isn't empty.
    #[inline(never)]
    fn advance(&mut self, due: u64) {
        self.left = self.left.saturating_sub(self.now.len() as u32);
        self.now.clear();
        self.at = 0;
        if self.left == 0 {
            self.look(due);
            if !self.now.is_empty() {
                return;
            }
        }
        let near = self.next_occupied();
        let far = self.far.peek().map(|&Reverse(due)| time(due) >> self.length);
        let Some(next) = near.into_iter().chain(far).min() else { return };
        self.reached = self.reached.max(next);
        if near == Some(next) {
            let position = (next % RING) as usize;
            core::mem::swap(&mut self.now, &mut self.ring[position]);
            self.occupied[position / 64] &= !(1 << (position % 64));
        }
        while let Some(&Reverse(due)) = self.far.peek()
            && time(due) >> self.length <= self.reached
        {
            self.now.push(due);
            self.far.pop();
        }
        self.now.sort_unstable();
    }

    /// The first stretch of the ring after the one reached in which something is due.
    fn next_occupied(&self) -> Option<u64> {
        let words = self.occupied.len() as u64;
        let first = self.reached + 1;
        // The word of the first is looked at twice: its end now, its beginning last.
        (0..=words).find_map(|step| {
            let from = if step == 0 { first } else { (first / 64 + step) * 64 };
            let word = self.occupied[(from / 64 % words) as usize] >> (from % 64);
            let found = from + u64::from(word.trailing_zeros());
            (word != 0 && found < first + RING - 1).then_some(found)
        })
    }

    /// Fits the stretches to how fast things come out.
    fn look(&mut self, due: u64) {
        let gap = due.saturating_sub(self.looked) / u64::from(LOOK);
        (self.left, self.looked) = (LOOK, due);
        let length = (gap.max(1).ilog2() + SHARE).clamp(10, 40);
        if length.abs_diff(self.length) <= 1 {
            return;
        }
        let mut all: Vec<Due> = self.ring.iter_mut().flat_map(|stretch| stretch.drain(..)).collect();
        all.extend(self.far.drain().map(|due| due.0));
        self.occupied = [0; (RING / 64) as usize];
        self.length = length;
        self.reached = due >> length;
        for due in all {
            self.put(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stream::uniform;
    use crate::base::{Seed, Span};

    #[test]
    fn comes_out_as_from_a_sorted_list() {
        // A thousand pending at gaps from nanoseconds to minutes, many at the same time, some far away.
        let mut rng = Seed { master: 8, replication: 0 }.stream().rng();
        let mut lane = Lane::default();
        let mut sorted = std::collections::BTreeMap::new();
        let mut now = SimTime::ZERO;
        for number in 0..200_000_u32 {
            let scale = [50.0, 1e5, 1e9, 6e10, 1e6][number as usize / 40_000];
            let far = if number % 97 == 0 { 1e4 } else { 1.0 };
            let due = now + Span::from_nanos((uniform(&mut rng) * scale * far) as u64);
            lane.push(due, number);
            sorted.insert((due, number), number);
            if number % 4000 >= 1000 {
                let first = sorted.pop_first().map(|((due, _), what)| (due, what));
                assert_eq!(Some(lane.next_time()), first.map(|first| first.0));
                assert_eq!(lane.pop(), first);
                now = first.map_or(now, |first| first.0);
            }
        }
        let rest: Vec<_> = core::iter::from_fn(|| lane.pop()).collect();
        assert_eq!(rest, sorted.into_iter().map(|((due, _), what)| (due, what)).collect::<Vec<_>>());
        assert_eq!(lane.next_time(), SimTime::NEVER);
    }
}
