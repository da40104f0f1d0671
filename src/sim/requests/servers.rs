//! When each of some servers is free: the first that is takes the next call.
//!
//! A few are kept sorted. Of many most often some idle, and then nobody needs to know which is free first: who is busy is
//! looked up only once all seem to be, and only while all are is there a heap.

use crate::base::SimTime;
use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// Up to so many servers are kept sorted.
const FEW: u32 = 32;

#[derive(Debug)]
pub(super) enum Servers {
    /// When each is free, the first first.
    Sorted(Vec<SimTime>),
    /// When those are free that have been busy, and how many others there are.
    Loose { busy: Vec<SimTime>, idle: usize },
    /// Hardly any idles: when each is free; and how many calls are left until that is looked at again.
    Heap { free: BinaryHeap<Reverse<SimTime>>, look: usize },
}

impl Servers {
    /// So many, of which some are free at these times only, at most as many; the others now.
    pub(super) fn new(now: SimTime, servers: u32, mut busy: Vec<SimTime>) -> Self {
        if servers <= FEW {
            busy.resize(servers as usize, now);
            busy.sort_unstable();
            return Self::Sorted(busy);
        }
        busy.truncate(servers as usize);
        let idle = servers as usize - busy.len();
        Self::Loose { busy, idle }
    }

    /// When a call that comes now is taken up, if there are servers.
    #[inline]
    pub(super) fn first(&mut self, now: SimTime) -> Option<SimTime> {
        match self {
            Self::Sorted(free) => free.first().map(|&first| first.max(now)),
            Self::Loose { idle: 1.., .. } => Some(now),
            Self::Loose { .. } | Self::Heap { .. } => Some(self.first_of_many(now)),
        }
    }

    #[inline(never)]
    fn first_of_many(&mut self, now: SimTime) -> SimTime {
        match self {
            Self::Sorted(_) => {}
            Self::Loose { busy, idle } => {
                let all = busy.len();
                busy.retain(|&done| done > now);
                *idle = all - busy.len();
                if *idle <= all / 8 {
                    // Whoever was let go of idles since before now.
                    let mut free = core::mem::take(busy);
                    free.resize(all, SimTime::ZERO);
                    *self = Self::Heap { look: all / 4, free: free.into_iter().map(Reverse).collect() };
                }
            }
            Self::Heap { free, look } if *look == 0 => {
                let all = free.len();
                let idle = free.iter().filter(|done| done.0 <= now).count();
                *look = all / 4;
                if idle > all / 8 {
                    let busy =
                        core::mem::take(free).into_iter().map(|done| done.0).filter(|&done| done > now).collect();
                    *self = Self::Loose { busy, idle };
                }
            }
            Self::Heap { look, .. } => *look -= 1,
        }
        match self {
            Self::Sorted(_) | Self::Loose { .. } => now,
            Self::Heap { free, .. } => free.peek().map_or(now, |first| first.0.max(now)),
        }
    }

    /// How many are free now.
    pub(super) fn idle(&mut self, now: SimTime) -> u64 {
        let idle = match self {
            Self::Sorted(free) => free.partition_point(|&free| free <= now),
            Self::Loose { busy, idle } => {
                let all = busy.len() + *idle;
                busy.retain(|&done| done > now);
                *idle = all - busy.len();
                *idle
            }
            Self::Heap { free, .. } => free.iter().filter(|free| free.0 <= now).count(),
        };
        idle as u64
    }

    /// The one that is free first is busy until then.
    #[inline]
    pub(super) fn take(&mut self, done: SimTime) {
        match self {
            Self::Sorted(free) => {
                // Without branches: where it belongs is anybody's guess.
                let mut later = done;
                for at in 1..free.len() {
                    let other = free[at];
                    free[at - 1] = other.min(later);
                    later = other.max(later);
                }
                if let Some(last) = free.last_mut() {
                    *last = later;
                }
            }
            Self::Loose { busy, idle } => {
                *idle -= 1;
                busy.push(done);
            }
            Self::Heap { free, .. } => {
                if let Some(mut first) = free.peek_mut() {
                    first.0 = done;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stream::uniform;
    use crate::base::{Seed, Span};

    #[test]
    fn many_servers_are_as_sorted_ones() {
        // From nobody waiting to all and back: the rate swings about what a hundred servers can do.
        let mut rng = Seed { master: 3, replication: 0 }.stream().rng();
        let mut many = Servers::new(SimTime::ZERO, 100, Vec::new());
        let mut sorted = vec![SimTime::ZERO; 100];
        let (mut now, mut kinds) = (SimTime::ZERO, [0, 0]);
        for number in 0..40_000_u64 {
            let gap = if number / 4000 % 2 == 0 { 16.0 } else { 30.0 };
            now += Span::from_nanos((uniform(&mut rng) * gap) as u64);
            let start = sorted[0].max(now);
            assert_eq!(many.first(now), Some(start), "call {number}");
            kinds[usize::from(matches!(many, Servers::Heap { .. }))] += 1;
            let done = start + Span::from_nanos((uniform(&mut rng) * 2000.0) as u64);
            many.take(done);
            sorted[0] = done;
            sorted.sort_unstable();
        }
        assert!(kinds.iter().all(|&calls| calls > 5000), "{kinds:?}");
    }
}
