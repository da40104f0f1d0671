//! Calls that come one after another to servers that stay as they are: several are taken up at once, in loops that do one
//! thing each. It is what [`Known::start`](super::known::Known::start) and [`Known::take_up`](super::known::Known::take_up)
//! do of one, to the bit; a few sorted servers stay in registers meanwhile.

use super::draws::BATCH;
use super::foresight::Passage;
use crate::base::{SimTime, Span};

/// At most so many.
pub(super) const SEVERAL: usize = BATCH;

/// Up to so many servers stay in registers.
pub(super) const REGISTERS: usize = 8;

/// Several calls: when the request of each begins, when it comes and how long it is served; and once that is known when it
/// is taken up and done. All times are nanoseconds, but those on an undisturbed server are seconds.
pub(super) struct Several {
    pub(super) begin: [u64; SEVERAL],
    pub(super) come: [u64; SEVERAL],
    pub(super) seconds: [f64; SEVERAL],
    pub(super) service: [u64; SEVERAL],
    pub(super) start: [u64; SEVERAL],
    pub(super) done: [u64; SEVERAL],
    /// Room for seconds and for nanoseconds of each.
    pub(super) took: [f64; SEVERAL],
    pub(super) lasts: [u64; SEVERAL],
    pub(super) count: usize,
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
        seconds: [0.0; SEVERAL],
        service: [0; SEVERAL],
        start: [0; SEVERAL],
        done: [0; SEVERAL],
        took: [0.0; SEVERAL],
        lasts: [0; SEVERAL],
        count: 0,
    };

    pub(super) fn passage(&self, call: usize) -> Passage {
        let (start, done) = (SimTime::from_nanos(self.start[call]), SimTime::from_nanos(self.done[call]));
        Passage { start, done, service: self.seconds[call] }
    }

    /// Servers take calls up, up to the first that isn't easy. Gives how many they took up.
    pub(super) fn pass(&mut self, free: &mut [SimTime], easy: Easy) -> usize {
        match free.len() {
            1 => self.pass_by::<1>(free, easy),
            2 => self.pass_by::<2>(free, easy),
            3 => self.pass_by::<3>(free, easy),
            4 => self.pass_by::<4>(free, easy),
            5 => self.pass_by::<5>(free, easy),
            6 => self.pass_by::<6>(free, easy),
            7 => self.pass_by::<7>(free, easy),
            REGISTERS => self.pass_by::<REGISTERS>(free, easy),
            _ => 0,
        }
    }

    #[inline(never)]
    fn pass_by<const SERVERS: usize>(&mut self, all: &mut [SimTime], easy: Easy) -> usize {
        let mut free: [u64; SERVERS] = core::array::from_fn(|server| all[server].nanos());
        let calls = self.come.iter().zip(&self.service).zip(self.start.iter_mut().zip(&mut self.done));
        let mut count = 0;
        for ((&came, &service), (starts, ends)) in calls.take(self.count) {
            // Without branches: whether it waits, and where its server belongs then, is anybody's guess.
            let start = came + free[0].saturating_sub(came);
            let done = start.saturating_add(service);
            (*starts, *ends) = (start, done);
            for server in 0..SERVERS - 1 {
                let next = free[server + 1].min(done);
                free[server] = if server == 0 { next } else { next.max(free[server]) };
            }
            free[SERVERS - 1] = if SERVERS == 1 { done } else { free[SERVERS - 1].max(done) };
            count += 1;
            if !easy.is(came, done) {
                break;
            }
        }
        for (to, from) in all.iter_mut().zip(free) {
            *to = SimTime::from_nanos(from);
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
    fn several_are_as_one_by_one(servers: u32, has_end: bool) {
        let mut rng = Seed { master: 4, replication: u64::from(servers) }.stream().rng();
        let easy = Easy { until: SimTime::from_nanos(1_000_000), most: Span::from_nanos(900) };
        let limit = if has_end { 2 } else { u64::MAX };
        let new = || Known::new(SimTime::ZERO, servers, Vec::new(), has_end);
        let (mut many, mut single, mut came) = (new(), new(), 0);
        let (mut rejected, mut hard) = (0, 0);
        while came < 1_100_000 {
            let mut several = Several { count: 1 + (uniform(&mut rng) * SEVERAL as f64) as usize, ..Several::NONE };
            for call in 0..several.count {
                came += (uniform(&mut rng) * 400.0 / (0.9 * f64::from(servers))) as u64;
                several.come[call] = came;
                several.service[call] = (uniform(&mut rng) * 400.0) as u64;
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
            several_are_as_one_by_one(servers, false);
        }
        several_are_as_one_by_one(4, true);
    }
}
