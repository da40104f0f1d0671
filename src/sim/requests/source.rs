//! Where requests come from: one population, as a Poisson process whose rate follows its profile.
//!
//! The time to the next request is found in units of the integrated rate, of which an exponential amount with mean 1
//! passes between two requests (Çinlar, *Introduction to Stochastic Processes*, 1975, section 4.7).

use super::draws::Draws;
use super::sample::{Sampler, Tables};
use super::units::{nanos, seconds, span, spans};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span};
use crate::dist::Standard;
use crate::domain::Population;
use crate::plan::Plan;

/// One population's requests.
#[derive(Debug)]
pub(super) struct Source {
    /// When the next one begins.
    pub(super) next: SimTime,
    /// How many began.
    pub(super) count: u64,
    /// How much of the integrated rate passes between two requests.
    gaps: Draws,
    /// Requests per second by slot of the week, without surges and growth.
    rates: Vec<f64>,
    slot: Span,
    week_offset: Span,
    factor: f64,
    /// Requests that begin at once.
    pub(super) batch: u32,
    /// Up to when the integrated rate has been used, and how much of it is left until the next request.
    clock: SimTime,
    left: f64,
    /// While the rate stays as it is: nanoseconds in which 1 of it passes, and until when.
    pace: f64,
    steady: SimTime,
    replay: Option<Replay>,
}

/// Recorded arrivals that are replayed.
#[derive(Debug)]
struct Replay {
    rows: Vec<(Span, u32)>,
    /// The row, and which of its requests is next.
    row: usize,
    number: u32,
    /// The share of them that is simulated.
    scale: f64,
}

impl Replay {
    /// When the next request begins; the requests of a row are spread evenly until the next.
    fn next(&mut self, rng: &mut Rng) -> SimTime {
        loop {
            let Some(&(from, count)) = self.rows.get(self.row) else { return SimTime::NEVER };
            if self.number >= count {
                self.row += 1;
                self.number = 0;
                continue;
            }
            let until = self.rows.get(self.row + 1).map_or(from, |next| next.0);
            let part = f64::from(self.number) / f64::from(count);
            self.number += 1;
            if self.scale >= 1.0 || uniform(rng) < self.scale {
                return SimTime::ZERO + from + Span::from_secs((until.secs() - from.secs()) * part);
            }
        }
    }
}

impl Source {
    pub(super) fn new(
        plan: &Plan,
        population: Id<Population>,
        (from, scale): (SimTime, f64),
        mut rng: Rng,
        tables: &mut Tables,
    ) -> Self {
        let gaps = Sampler::Law(tables.of(Standard::Exponential), 1.0);
        // By itself, so that the gaps that are made at once are those of as many requests.
        let left = gaps.draw(&mut rng);
        let own = &plan.populations[population];
        let mut source = Self {
            next: SimTime::ZERO,
            count: 0,
            gaps: Draws::new(gaps, rng),
            rates: own.profile.iter().map(|part| own.rate * part * scale / f64::from(own.batch.max(1))).collect(),
            batch: own.batch,
            slot: plan.slot,
            week_offset: plan.week_offset,
            factor: 1.0,
            clock: from,
            left,
            pace: 0.0,
            steady: SimTime::ZERO,
            replay: own.replay.clone().map(|rows| Replay { rows, row: 0, number: 0, scale }),
        };
        source.find();
        while source.replay.is_some() && source.next < from {
            source.find();
        }
        source
    }

    /// The request that is due begins; when does the next?
    #[inline]
    pub(super) fn take(&mut self) {
        self.count += u64::from(self.batch);
        self.clock = self.next;
        self.left = self.gaps.draw();
        // Most come while the rate is what it was.
        let next = self.clock + span(self.left * (self.pace * 1e-9));
        if next < self.steady {
            self.next = next;
        } else {
            self.find();
        }
    }

    /// When the next requests begin, of those that do before `end`: in nanoseconds, and how many. It is one at least, and
    /// no more than the rate stays as it is for.
    pub(super) fn ahead(&mut self, end: SimTime, begins: &mut [u64]) -> usize {
        let last = end.min(self.steady).nanos();
        let gaps = self.gaps.ahead();
        let most = gaps.len().min(begins.len());
        // Gaps first, then what they add up to.
        spans(&gaps[..most], self.pace * 1e-9, &mut begins[..most]);
        let mut next = self.next.nanos();
        for begin in &mut begins[..most] {
            next = next.saturating_add(core::mem::replace(begin, next));
        }
        // Most often all of them begin before.
        if begins[most - 1] < last { most } else { begins[..most].partition_point(|&begin| begin < last).max(1) }
    }

    /// Requests per second, while that stays as it is.
    pub(super) fn rate(&self) -> f64 {
        if self.pace > 0.0 { f64::from(self.batch) * 1e9 / self.pace } else { 0.0 }
    }

    /// So many of these begin, one at least.
    pub(super) fn take_several(&mut self, begins: &[u64], count: usize) {
        self.next = SimTime::from_nanos(begins[count - 1]);
        self.gaps.take(count - 1);
        self.count += u64::from(self.batch) * (count as u64 - 1);
        self.take();
    }

    /// The rate is multiplied by this from now on.
    pub(super) fn change(&mut self, now: SimTime, factor: f64) {
        if factor == self.factor || self.replay.is_some() {
            return;
        }
        self.pass(now);
        self.factor = factor;
        self.steady = SimTime::ZERO;
        self.find();
    }

    /// The rate at a time, and when it changes next.
    fn rate_at(&self, at: SimTime) -> (f64, SimTime) {
        let slot = self.slot.nanos();
        let in_week = (at.nanos() + self.week_offset.nanos()) % Span::WEEK.nanos();
        let position = in_week / slot;
        (self.rates[position as usize] * self.factor, at + Span::from_nanos((position + 1) * slot - in_week))
    }

    /// Uses up the integrated rate until now.
    fn pass(&mut self, now: SimTime) {
        while self.clock < now {
            let (rate, ends) = self.rate_at(self.clock);
            let to = ends.min(now);
            self.left = (self.left - rate * seconds(to - self.clock)).max(0.0);
            self.clock = to;
        }
    }

    fn find(&mut self) {
        self.steady = SimTime::ZERO;
        if let Some(replay) = &mut self.replay {
            self.next = replay.next(&mut self.gaps.rng);
            return;
        }
        self.next = SimTime::NEVER;
        let (mut at, mut left) = (self.clock, self.left);
        // All weeks are alike: those that surely pass without a request are skipped.
        let of_week = self.rates.iter().sum::<f64>() * self.factor * seconds(self.slot);
        let weeks = (left / of_week).floor() - 1.0;
        if of_week <= 0.0 || weeks * Span::WEEK.secs() >= SimTime::NEVER.since(at).secs() {
            return;
        }
        if weeks >= 1.0 {
            left -= weeks * of_week;
            at += Span::from_nanos(Span::WEEK.nanos() * weeks as u64);
        }
        while at < SimTime::NEVER {
            let (rate, ends) = self.rate_at(at);
            let available = rate * seconds(ends - at);
            if available >= left && rate > 0.0 {
                (self.pace, self.steady) = (1e9 / rate, ends);
                self.next = at + nanos(left * self.pace);
                return;
            }
            left -= available;
            at = ends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    /// A week of hours: nobody by day, and so many a second by night.
    fn source(at_night: f64, from: SimTime, left: f64) -> Source {
        let rates = (0..168).map(|hour| if hour % 24 < 8 { at_night } else { 0.0 }).collect();
        let rng = Seed { master: 3, replication: 0 }.stream().rng();
        Source {
            next: SimTime::ZERO,
            count: 0,
            gaps: Draws::new(Sampler::Constant(1.0), rng),
            rates,
            batch: 1,
            slot: Span::HOUR,
            week_offset: Span::from_whole_secs(5 * 3600),
            factor: 1.0,
            clock: from,
            left,
            pace: 0.0,
            steady: SimTime::ZERO,
            replay: None,
        }
    }

    /// Nights are from hour 19 to 27 of each day, so from hour 21 of day 2 on six hours are left of one: 6 k in units of
    /// `k` an hour. Then 8 k come each night.
    #[test]
    fn a_request_comes_when_the_integrated_rate_has_passed() {
        let hours = |hours: f64| SimTime::ZERO + Span::from_secs(hours * 3600.0);
        let at = |nights: f64, per_hour: f64| {
            let mut source = source(per_hour / 3600.0, hours(2.0 * 24.0 + 21.0), nights * 8.0 * per_hour);
            source.find();
            source.next
        };
        let is = |found: SimTime, expected: f64| assert!((found.secs() / 3600.0 - expected).abs() < 1e-6, "{found:?}");
        for per_hour in [1e-9, 1.0] {
            is(at(0.25, per_hour), 2.0 * 24.0 + 23.0);
            is(at(1.0, per_hour), 3.0 * 24.0 + 21.0);
            // Years of weeks are skipped.
            is(at(10_000.5, per_hour), 10_003.0 * 24.0 + 1.0);
        }
        // In 584 years there are 213,300 nights.
        assert_eq!(at(214_000.0, 1e-9), SimTime::NEVER);
        assert_eq!(at(1.0, 0.0), SimTime::NEVER);
    }
}
