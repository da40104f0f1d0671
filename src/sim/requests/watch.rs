//! What a station counts: how busy it has been, who came, and how long they waited.

use super::several::Several;
use super::station::{Discipline, Place, Station};
use super::units::{seconds, seconds_each};
use crate::base::maths::sum;
use crate::base::{SimTime, Span};
use crate::domain::observation::StationTally;
use crate::stats::{Histogram, Recorder};

/// Calls that servers have taken up.
#[derive(Debug, Default)]
pub(super) struct Started {
    calls: u64,
    /// Of these, who waited, and who waited no longer than the objective.
    waited: u64,
    met: u64,
    /// Of the squares of waits, in seconds.
    wait_square: f64,
    /// Nanoseconds that they take on servers as they are now.
    service: u128,
}

impl Station {
    /// Integrals up to now.
    pub(super) fn pass(&mut self, now: SimTime) {
        let seconds = seconds(now.since(self.clock));
        self.clock = now;
        if seconds <= 0.0 {
            return;
        }
        let servers = f64::from(self.pace.servers);
        let (busy, here, empty) = if let Some((busy, here, empty)) = self.foreseen_until(now) {
            (busy / servers, here, empty)
        } else {
            let share = if self.pace.servers == 0 {
                f64::from(u8::from(self.waiting > 0))
            } else {
                (f64::from(self.busy) / servers).min(1.0)
            };
            let empty = if self.busy == 0 && self.waiting == 0 { seconds } else { 0.0 };
            (share * seconds, (f64::from(self.busy) + self.waiting as f64) * seconds, empty)
        };
        self.busy_share += busy;
        if self.counts {
            self.tally.utilisation += busy;
            self.tally.ready += f64::from(self.ready) * seconds;
            self.tally.in_system += here;
            self.tally.empty = self.tally.empty.map(|sum| sum + empty);
        }
    }

    /// A call was offered, and nobody will serve it.
    pub(super) fn not_served(&mut self) {
        self.tally.arrivals += f64::from(u8::from(self.counts));
    }

    #[inline]
    pub(super) fn started(&mut self, wait: Span, service: Span) {
        if !self.counts {
            return;
        }
        let wait = seconds(wait);
        let started = &mut self.started;
        started.calls += 1;
        started.waited += u64::from(wait > 0.0);
        started.met += u64::from(wait <= self.objective);
        started.wait_square += wait * wait;
        started.service += u128::from(service.nanos());
        self.waits.record(wait);
    }

    /// The first so many of several calls have been taken up, and take so many nanoseconds together.
    pub(super) fn started_several(&mut self, calls: &mut Several, count: usize, service: u128) {
        if !self.counts {
            return;
        }
        let started = &mut self.started;
        started.calls += count as u64;
        started.service += service;
        let mut any = 0;
        let some = calls.come[..count].iter().zip(&calls.start[..count]).zip(&mut calls.lasts[..count]);
        for ((&came, &start), lasts) in some {
            *lasts = start - came;
            any |= *lasts;
        }
        if any == 0 {
            started.met += count as u64;
            self.waits.record_zeros(count);
            return;
        }
        seconds_each(&calls.lasts[..count], &mut calls.took);
        let waits = &calls.took[..count];
        started.wait_square += sum(waits, |wait| wait * wait);
        started.met += if self.objective == f64::INFINITY {
            count as u64
        } else {
            waits.iter().map(|&wait| u64::from(wait <= self.objective)).sum::<u64>()
        };
        started.waited += self.waits.record_each(waits) as u64;
    }

    /// Its servers will be slower or faster: what calls took so far is in seconds of an undisturbed one.
    pub(super) fn settle_service(&mut self) {
        let nanos = core::mem::take(&mut self.started.service);
        self.tally.service += nanos as f64 * 1e-9 / self.pace.slower;
    }

    /// What the station has seen so far.
    pub(super) fn seen(&mut self) -> (&StationTally, &Histogram) {
        self.settle_service();
        let started = core::mem::take(&mut self.started);
        let tally = &mut self.tally;
        tally.arrivals += started.calls as f64;
        tally.served += started.calls as f64;
        tally.waited += started.waited as f64;
        tally.met += started.met as f64;
        tally.wait_square += started.wait_square;
        self.waits.put_in();
        tally.wait = self.waits.histogram().sum();
        (tally, self.waits.histogram())
    }

    /// Calls that wait now; of those who share the servers, as many as could have none.
    pub(super) fn queue(&self, now: SimTime) -> f64 {
        match &self.discipline {
            Discipline::Known(_) => {
                let waits = |place: &&Place| place.call.is_some() && place.starts.is_some_and(|starts| starts > now);
                self.places.iter().filter(waits).count() as f64
            }
            Discipline::Line(_) => self.waiting as f64,
            Discipline::Shared { .. } => f64::from(self.busy.saturating_sub(self.pace.servers)),
        }
    }

    /// Calls offered per second and utilisation since the last look.
    pub(super) fn look(&mut self, now: SimTime) -> (f64, f64) {
        self.prepare(now);
        let (before, busy, offered) = self.looked;
        self.looked = (now, self.busy_share, self.offered);
        let seconds = now.since(before).secs().max(1e-9);
        ((self.offered - offered) as f64 / seconds, (self.busy_share - busy) / seconds)
    }

    /// Forgets what was counted so far.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.prepare(now);
        self.tally = StationTally { empty: Some(0.0), ..StationTally::default() };
        self.started = Started::default();
        self.waits = Recorder::new(1.0);
    }

    /// Counts no more: the horizon has ended.
    pub(super) fn finish(&mut self, now: SimTime) {
        self.prepare(now);
        self.counts = false;
    }
}
