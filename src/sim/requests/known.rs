//! A station whose servers never change: a call that arrives takes the server that is free first, so when it leaves is
//! known when it comes (Kiefer and Wolfowitz 1955: the sorted work loads).

use crate::base::{SimTime, Span};
use crate::domain::observation::StationTally;
use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Up to so many servers are kept sorted; more are kept in a heap.
const FEW: u32 = 32;

/// When each server is free.
#[derive(Debug)]
enum Free {
    /// The first to be free is the first.
    Sorted(Vec<SimTime>),
    Heap(BinaryHeap<Reverse<SimTime>>),
}

/// Servers, and what is known of the calls that came so far.
#[derive(Debug)]
pub(super) struct Known {
    free: Free,
    servers: u32,
    /// When those that wait will start, where somebody asks.
    starts: Option<VecDeque<SimTime>>,
    /// When the last of the calls leaves.
    last: SimTime,
    /// The time that counts, from and to.
    window: (SimTime, SimTime),
    /// Nanoseconds that servers are busy, that calls are here, that nobody is; of many servers too many for 64 bits.
    busy: u128,
    here: u128,
    idle: u128,
}

impl Known {
    pub(super) fn new(servers: u32, opens: SimTime, window: (SimTime, SimTime), remembers: bool) -> Self {
        let free = if servers <= FEW {
            Free::Sorted(vec![SimTime::ZERO; servers as usize])
        } else {
            Free::Heap((0..servers).map(|_| Reverse(SimTime::ZERO)).collect())
        };
        let starts = remembers.then(VecDeque::new);
        Self { free, servers, starts, last: opens, window, busy: 0, here: 0, idle: 0 }
    }

    /// When a call that comes now is taken up; `None` if as many wait as may, or nobody serves.
    #[inline]
    pub(super) fn start(&mut self, now: SimTime, limit: u64) -> Option<SimTime> {
        let first = match &self.free {
            Free::Sorted(free) => *free.first()?,
            Free::Heap(free) => free.peek()?.0,
        };
        let start = first.max(now);
        if let Some(starts) = &mut self.starts {
            while starts.front().is_some_and(|&start| start <= now) {
                starts.pop_front();
            }
            if start > now {
                if starts.len() as u64 >= limit {
                    return None;
                }
                starts.push_back(start);
            }
        }
        Some(start)
    }

    /// The server that is free first takes a call up; gives when it is done.
    #[inline]
    pub(super) fn take_up(&mut self, now: SimTime, start: SimTime, service: Span) -> SimTime {
        let done = start + service;
        match &mut self.free {
            Free::Sorted(free) => {
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
            Free::Heap(free) => {
                if let Some(mut first) = free.peek_mut() {
                    first.0 = done;
                }
            }
        }
        if self.window.0 <= now && self.last <= self.window.1 && done <= self.window.1 {
            self.busy += u128::from(service.nanos());
            self.here += u128::from(done.since(now).nanos());
            self.idle += u128::from(now.since(self.last.max(self.window.0)).nanos());
        } else {
            self.busy += self.within(start, done);
            self.here += self.within(now, done);
            self.idle += self.within(self.last, now);
        }
        self.last = done.max(self.last);
        done
    }

    /// Calls that wait.
    pub(super) fn waiting(&self, now: SimTime) -> f64 {
        self.starts.iter().flatten().filter(|&&start| start > now).count() as f64
    }

    /// What it knows of the time until now.
    pub(super) fn tell(&self, now: SimTime, tally: &mut StationTally) {
        let seconds = |nanos: u128| nanos as f64 * 1e-9;
        tally.utilisation = seconds(self.busy) / f64::from(self.servers.max(1));
        tally.in_system = seconds(self.here);
        tally.empty = Some(seconds(self.idle + self.within(self.last, now)));
    }

    /// Nanoseconds of an interval that count.
    fn within(&self, from: SimTime, to: SimTime) -> u128 {
        let (begins, ends) = self.window;
        u128::from(to.min(ends).since(from.max(begins)).nanos())
    }
}
