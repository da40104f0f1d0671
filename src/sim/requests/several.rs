//! Calls that come one after another to servers that stay as they are: several are taken up at once, in loops that do one
//! thing each. It is what [`Known::start`](super::known::Known::start) and [`Known::take_up`](super::known::Known::take_up)
//! do of one, to the bit; a few sorted servers stay in registers meanwhile.

use super::draws::BATCH;
use super::foresight::Passage;
use super::units::{lowered, raised};
use crate::base::{SimTime, Span};

/// At most so many.
pub(super) const SEVERAL: usize = BATCH;

/// Up to so many servers stay in registers.
pub(super) const REGISTERS: usize = 8;

/// Several calls: when the request of each begins, when it comes and how long it is served; and once that is known when it
/// is taken up and done. All times are nanoseconds.
pub(super) struct Several {
    pub(super) begin: [u64; SEVERAL],
    pub(super) come: [u64; SEVERAL],
    pub(super) service: [u64; SEVERAL],
    pub(super) start: [u64; SEVERAL],
    pub(super) done: [u64; SEVERAL],
    /// Room for seconds and for nanoseconds of each.
    pub(super) took: [f64; SEVERAL],
    pub(super) lasts: [u64; SEVERAL],
    pub(super) count: usize,
    /// How long those that were taken up are served, all together.
    pub(super) busy: u128,
}

/// When the last call leaves, of all that came so far, and how long nobody was there.
pub(super) struct Idle {
    pub(super) last: u64,
    pub(super) sum: u64,
}

/// Calls that go through as all else stays: they are done before `until`, and no later than `most` after they came.
#[derive(Clone, Copy)]
pub(super) struct Easy {
    pub(super) until: SimTime,
    pub(super) most: Span,
}

impl Easy {
    #[inline]
    pub(super) fn is(self, came: u64, done: u64) -> bool {
        done < self.until.nanos() && done - came <= self.most.nanos()
    }
}

impl Several {
    pub(super) const NONE: Self = Self {
        begin: [0; SEVERAL],
        come: [0; SEVERAL],
        service: [0; SEVERAL],
        start: [0; SEVERAL],
        done: [0; SEVERAL],
        took: [0.0; SEVERAL],
        lasts: [0; SEVERAL],
        count: 0,
        busy: 0,
    };

    /// What is known of a call that takes so many seconds on an undisturbed server.
    pub(super) fn passage(&self, call: usize, service: f64) -> Passage {
        let (start, done) = (SimTime::from_nanos(self.start[call]), SimTime::from_nanos(self.done[call]));
        Passage { start, done, service }
    }

    /// Servers take calls up, up to the first that isn't easy. Gives how many they took up.
    pub(super) fn pass(&mut self, free: &mut [SimTime], easy: Easy, idle: &mut Idle) -> usize {
        match free.len() {
            1 => self.pass_by::<1>(free, easy, idle),
            2 => self.pass_by::<2>(free, easy, idle),
            3 => self.pass_by::<3>(free, easy, idle),
            4 => self.pass_by::<4>(free, easy, idle),
            5 => self.pass_by::<5>(free, easy, idle),
            6 => self.pass_by::<6>(free, easy, idle),
            7 => self.pass_by::<7>(free, easy, idle),
            REGISTERS => self.pass_by::<REGISTERS>(free, easy, idle),
            _ => 0,
        }
    }

    /// The same, where servers idle for all of them.
    pub(super) fn pass_idle(&mut self, easy: Easy, idle: &mut Idle) -> usize {
        let (mut last, mut most) = (0, 0);
        let count = self.count.min(SEVERAL);
        let (come, service, ends) = (&self.come[..count], &self.service[..count], &mut self.done[..count]);
        for call in 0..count {
            ends[call] = come[call].saturating_add(service[call]);
            (last, most) = (last.max(ends[call]), most.max(service[call]));
        }
        self.start[..count].copy_from_slice(come);
        if last < easy.until.nanos() && most <= easy.most.nanos() && self.come[self.count - 1] <= idle.last {
            // And somebody is there all the time.
            idle.last = idle.last.max(last);
            return self.count;
        }
        let hard = (0..self.count).find(|&call| !easy.is(self.come[call], self.done[call]));
        let count = hard.map_or(self.count, |hard| hard + 1);
        self.idle(count, idle);
        count
    }

    /// How long nobody is there, of the first so many.
    pub(super) fn idle(&self, count: usize, idle: &mut Idle) {
        for (&came, &done) in self.come[..count].iter().zip(&self.done[..count]) {
            idle.sum += came.saturating_sub(idle.last);
            idle.last = idle.last.max(done);
        }
    }

    #[inline(never)]
    fn pass_by<const SERVERS: usize>(&mut self, all: &mut [SimTime], easy: Easy, idle: &mut Idle) -> usize {
        let before: [u64; SERVERS] = core::array::from_fn(|server| all[server].nanos());
        let (mut free, mut own) = (before, Idle { ..*idle });
        let mut count = self.count.min(SEVERAL);
        // Most often all are easy, as is seen at the server that is free last; else one by one.
        let quick = self.take_up_all(&mut free, &mut own);
        if !(quick && easy.is(self.come[0].min(free[SERVERS - 1]), free[SERVERS - 1])) {
            (free, own) = (before, Idle { ..*idle });
            count = self.take_up_easy(&mut free, easy, &mut own);
        }
        *idle = own;
        for (to, from) in all.iter_mut().zip(free) {
            *to = SimTime::from_nanos(from);
        }
        count
    }

    /// Servers take all calls up; false if times are too long for that.
    ///
    /// Nanoseconds are numbers with a point here, which are exact below 2⁵³: the later one of two is found without a branch,
    /// in a third of the instructions. Whether a call waits, and where its server belongs then, is anybody's guess.
    fn take_up_all<const SERVERS: usize>(&mut self, all: &mut [u64; SERVERS], idle: &mut Idle) -> bool {
        let count = self.count.min(SEVERAL);
        let (come, service) = (&self.come[..count], &self.service[..count]);
        let (Some(first), Some(last)) = (come.first(), come.last()) else { return true };
        let base = all[0].min(*first);
        let latest = (*last).max(all[SERVERS - 1]) - base;
        let longest = service.iter().fold(0, |any, service| any | service);
        // Thirty-two are no more than 2⁵ of the longest.
        if latest >> 51 != 0 || longest >> 46 != 0 {
            return false;
        }
        // When each comes, and how long it is served; then when it starts and is done. Not as bits: of these the compiler
        // would compare integers again.
        let (mut starts, mut ends) = ([0.0; SEVERAL], [0.0; SEVERAL]);
        let (starts, ends) = (&mut starts[..count], &mut ends[..count]);
        for call in 0..count {
            starts[call] = raised(come[call] - base);
            ends[call] = raised(service[call]) - raised(0);
        }
        let earlier = |one: f64, other: f64| if one < other { one } else { other };
        let later = |one: f64, other: f64| if one > other { one } else { other };
        let (mut free, mut sum) = (all.map(|free| raised(free - base)), 0.0);
        for (start, end) in starts.iter_mut().zip(ends.iter_mut()) {
            // Nobody is there once the last server is free.
            sum += later(*start - free[SERVERS - 1], 0.0);
            *start = later(*start, free[0]);
            *end += *start;
            let done = *end;
            for server in 0..SERVERS - 1 {
                let next = earlier(free[server + 1], done);
                free[server] = if server == 0 { next } else { later(next, free[server]) };
            }
            free[SERVERS - 1] = if SERVERS == 1 { done } else { later(free[SERVERS - 1], done) };
        }
        let (own_starts, own_ends) = (&mut self.start[..count], &mut self.done[..count]);
        for call in 0..count {
            own_starts[call] = base + lowered(starts[call]);
            own_ends[call] = base + lowered(ends[call]);
        }
        *all = free.map(|free| base + lowered(free));
        *idle = Idle { last: all[SERVERS - 1], sum: idle.sum + sum as u64 };
        true
    }

    /// Servers take calls up one by one, up to the first that isn't easy.
    fn take_up_easy<const SERVERS: usize>(&mut self, free: &mut [u64; SERVERS], easy: Easy, idle: &mut Idle) -> usize {
        let count = self.count.min(SEVERAL);
        for call in 0..count {
            let came = self.come[call];
            let start = came.max(free[0]);
            let done = start.saturating_add(self.service[call]);
            (self.start[call], self.done[call]) = (start, done);
            idle.sum += came.saturating_sub(free[SERVERS - 1]);
            let mut later = done;
            for server in 1..SERVERS {
                (free[server - 1], later) = (free[server].min(later), free[server].max(later));
            }
            free[SERVERS - 1] = later;
            idle.last = later;
            if !easy.is(came, done) {
                return call + 1;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::Known;
    use super::*;
    use crate::base::Seed;
    use crate::base::stream::uniform;

    /// Calls come to so many servers, at 90 % of what they can do; of a queue with an end some are rejected.
    /// A unit is so many nanoseconds.
    fn several_are_as_one_by_one(servers: u32, has_end: bool, unit: u64) {
        let mut rng = Seed { master: 4, replication: u64::from(servers) }.stream().rng();
        let easy = Easy { until: SimTime::from_nanos(1_000_000 * unit), most: Span::from_nanos(900 * unit) };
        let limit = if has_end { 2 } else { u64::MAX };
        let new = || Known::new(SimTime::ZERO, servers, Vec::new(), has_end);
        let (mut many, mut single, mut came) = (new(), new(), 0);
        let (mut rejected, mut hard) = (0, 0);
        while came < 1_100_000 * unit {
            let mut several = Several { count: 1 + (uniform(&mut rng) * SEVERAL as f64) as usize, ..Several::NONE };
            for call in 0..several.count {
                came += (uniform(&mut rng) * 400.0 / (0.9 * f64::from(servers))) as u64 * unit;
                several.come[call] = came;
                several.service[call] = (uniform(&mut rng) * 400.0) as u64 * unit;
            }
            let count = many.pass(&mut several, limit, easy);
            assert!(count > 0 || has_end);
            for call in 0..count {
                let now = SimTime::from_nanos(several.come[call]);
                let start = single.start(now, limit).unwrap();
                let done = single.take_up(now, start, Span::from_nanos(several.service[call]));
                assert_eq!((several.start[call], several.done[call]), (start.nanos(), done.nanos()));
                assert!(call == count - 1 || easy.is(now.nanos(), done.nanos()));
            }
            let last_is_easy = count > 0 && easy.is(several.come[count - 1], several.done[count - 1]);
            hard += usize::from(count > 0 && !last_is_easy);
            if count < several.count && (count == 0 || last_is_easy) {
                assert_eq!(single.start(SimTime::from_nanos(several.come[count]), limit), None);
                rejected += 1;
            }
        }
        assert_eq!(format!("{many:?}"), format!("{single:?}"));
        assert_eq!((rejected > 100, hard > 100), (has_end, true), "{servers}: {rejected} {hard}");
    }

    #[test]
    fn several_calls_pass_as_one_by_one() {
        for servers in [1, 2, 3, 4, 5, 6, 7, 8, 9, 40] {
            several_are_as_one_by_one(servers, false, 1);
            // A day each, as long as the clock goes.
            several_are_as_one_by_one(servers, false, 1 << 43);
        }
        several_are_as_one_by_one(4, true, 1);
    }
}
