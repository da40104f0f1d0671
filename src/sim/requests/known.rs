//! Servers that stay as they are for a while: a call that arrives takes the server that is free first, so when it leaves
//! is known when it comes (Kiefer and Wolfowitz 1955: the sorted work loads).

use super::servers::Servers;
use super::several::{Easy, Idle, REGISTERS, SEVERAL, Several};
use crate::base::{SimTime, Span};
use std::collections::VecDeque;

/// Nanoseconds that servers are busy, that calls are here, that nobody is; of many servers too many for 64 bits.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Times {
    pub(super) busy: u128,
    pub(super) here: u128,
    pub(super) idle: u128,
}

/// Servers, and what is known of the calls that came so far.
#[derive(Debug)]
pub(super) struct Known {
    servers: Servers,
    /// When those that wait will start, where the queue has an end.
    starts: Option<VecDeque<SimTime>>,
    /// When the last that came starts.
    starts_last: SimTime,
    /// When the last of the calls leaves.
    last: SimTime,
    /// Of all calls that came, to their ends; and up to when somebody looked last.
    times: Times,
    seen: Times,
}

impl Known {
    /// From now on, with calls on servers that will be done at these times.
    pub(super) fn new(now: SimTime, servers: u32, done: Vec<SimTime>, has_end: bool) -> Self {
        let last = done.iter().copied().max().unwrap_or(now).max(now);
        let left = done.iter().map(|done| u128::from(done.since(now).nanos())).sum();
        Self {
            servers: Servers::new(now, servers, done),
            starts: has_end.then(VecDeque::new),
            starts_last: now,
            last,
            times: Times { busy: left, here: left, idle: 0 },
            seen: Times::default(),
        }
    }

    /// When a call that comes now is taken up; `None` if as many wait as may, or nobody serves.
    #[inline]
    pub(super) fn start(&mut self, now: SimTime, limit: u64) -> Option<SimTime> {
        let start = self.servers.first(now)?;
        if let Some(starts) = &mut self.starts
            && start > now
        {
            while starts.front().is_some_and(|&start| start <= now) {
                starts.pop_front();
            }
            if starts.len() as u64 >= limit {
                return None;
            }
            starts.push_back(start);
        }
        Some(start)
    }

    /// The server that is free first takes a call up; gives when it is done.
    #[inline]
    pub(super) fn take_up(&mut self, now: SimTime, start: SimTime, service: Span) -> SimTime {
        let done = start + service;
        self.servers.take(done);
        self.times.busy += u128::from(service.nanos());
        self.times.here += u128::from(done.since(now).nanos());
        self.times.idle += u128::from(now.since(self.last).nanos());
        self.last = done.max(self.last);
        self.starts_last = start;
        done
    }

    /// Several calls come one after another: they are taken up as by [`Self::start`] and [`Self::take_up`], up to the first
    /// that isn't easy, or that as many wait before as may. Gives how many were taken up.
    pub(super) fn pass(&mut self, calls: &mut Several, limit: u64, easy: Easy) -> usize {
        let mut idle = Idle { last: self.last.nanos(), sum: 0 };
        let count = match &mut self.servers {
            Servers::Sorted(free) if self.starts.is_none() && (1..=REGISTERS).contains(&free.len()) => {
                calls.pass(free, easy, &mut idle)
            }
            Servers::Loose { busy, idle: many } if *many >= calls.count => {
                let count = calls.pass_idle(easy, &mut idle);
                busy.extend(calls.done[..count].iter().map(|&done| SimTime::from_nanos(done)));
                *many -= count;
                count
            }
            Servers::Sorted(_) | Servers::Loose { .. } | Servers::Heap { .. } => {
                let count = self.pass_one_by_one(calls, limit, easy);
                calls.idle(count, &mut idle);
                count
            }
        };
        let (service, done) = (&calls.service[..count], &calls.done[..count]);
        calls.busy = sum(service.iter().copied());
        self.times.busy += calls.busy;
        self.times.here += sum(calls.come.iter().zip(done).map(|(came, done)| done - came));
        self.times.idle += u128::from(idle.sum);
        self.last = SimTime::from_nanos(idle.last);
        self.starts_last = calls.start[..count].last().map_or(self.starts_last, |&start| SimTime::from_nanos(start));
        count
    }

    fn pass_one_by_one(&mut self, calls: &mut Several, limit: u64, easy: Easy) -> usize {
        for call in 0..calls.count {
            let now = SimTime::from_nanos(calls.come[call]);
            let Some(start) = self.start(now, limit) else { return call };
            let done = start + Span::from_nanos(calls.service[call]);
            self.servers.take(done);
            (calls.start[call], calls.done[call]) = (start.nanos(), done.nanos());
            if !easy.is(now.nanos(), done.nanos()) {
                return call + 1;
            }
        }
        calls.count
    }

    /// So many calls that come from now on find a server or room to wait, whenever they do.
    pub(super) fn has_room(&mut self, now: SimTime, limit: u64, calls: u64) -> bool {
        let waiting = self.starts.as_mut().map_or(0, |starts| {
            while starts.front().is_some_and(|&start| start <= now) {
                starts.pop_front();
            }
            starts.len() as u64
        });
        let room = limit.saturating_sub(waiting);
        calls <= room || calls <= room.saturating_add(self.servers.idle(now))
    }

    /// A call waits.
    pub(super) fn has_waiting(&self, now: SimTime) -> bool {
        self.starts_last > now
    }

    /// What has passed since the last look; `ahead` is what calls that are here still take.
    pub(super) fn look(&mut self, now: SimTime, ahead: Times) -> Times {
        let idle = self.times.idle + u128::from(now.since(self.last).nanos());
        let until = Times {
            busy: self.times.busy.saturating_sub(ahead.busy),
            here: self.times.here.saturating_sub(ahead.here),
            idle,
        };
        let before = core::mem::replace(&mut self.seen, until);
        Times { busy: until.busy - before.busy, here: until.here - before.here, idle: until.idle - before.idle }
    }
}

/// A sum of a few numbers, that need not fit 64 bits.
fn sum(numbers: impl Iterator<Item = u64> + Clone) -> u128 {
    // Most often it does: no more than 2⁶ numbers below 2⁵⁸.
    let (any, sum) = numbers.clone().fold((0, 0_u64), |(any, sum), number| (any | number, sum.wrapping_add(number)));
    if any >> 58 == 0 { u128::from(sum) } else { numbers.map(u128::from).sum() }
}

const _: () = assert!(SEVERAL <= 1 << 6);
