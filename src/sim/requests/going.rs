//! A request on a straight way (`straight.rs`): it goes from one call to the next, and of each only when it arrives has to
//! wait its turn among others.
//!
//! It does what the walk of an entry would (`walk.rs`), in the same order. Where many go such ways they go through the
//! stations together (`stages.rs`); here they go one by one, in order of time.

use super::client::save_up;
use super::counts::Straightforward;
use super::entry::Entry;
use super::foresight::Passage;
use super::slots::{BACK, BEGUN, HOPS, WAITED};
use super::station::{Admission, Call};
use super::straight::{Hop, Straight, What};
use super::units::seconds;
use super::{Event, Traffic};
use crate::base::{SimTime, Span};
use crate::domain::Stage;
use core::cmp::Reverse;

/// A request that leaves its way, on its way to this call or the end.
#[derive(Clone, Copy, Debug)]
struct Going {
    way: u32,
    hop: u32,
    begun: SimTime,
    /// The way back to the client.
    back: Span,
    /// Seconds that it has waited for servers.
    waited: f64,
}

/// When a request reaches its next call (`Slots::key`), its slot, and the call.
pub(super) type Due = Reverse<(u128, u32, u32)>;

/// The time in a key.
pub(super) fn time(key: u128) -> SimTime {
    SimTime::from_nanos((key >> 64) as u64)
}

impl Traffic<'_> {
    /// When the client of one gives up.
    pub(super) fn deadline(&self, slot: u32) -> SimTime {
        self.slots.begun(slot) + self.straight[self.slots.way(slot) as usize].timeout
    }

    /// A request begins on a straight way.
    #[inline]
    pub(super) fn set_out(&mut self, now: SimTime, way: u32) {
        let slots = self.take_slots(way, 1);
        self.set_off(now, way, slots.start);
    }

    /// A request sets out in this slot.
    pub(super) fn set_off(&mut self, now: SimTime, way: u32, slot: u32) {
        let straight = &self.straight[way as usize];
        if straight.budget > 0.0 {
            save_up(&mut self.budget[straight.journey], straight.budget);
        }
        let (hop, deadline) = (straight.first, now + straight.timeout);
        self.slots.set(slot, BEGUN, now.nanos());
        let arrives = now + self.slots.span(slot, BACK);
        if arrives >= self.until.min(deadline) {
            let number = self.leave(slot, hop, false);
            self.go_on(arrives, number, now);
            return;
        }
        self.go_further(now, now, slot, hop);
    }

    /// One has arrived at a call.
    pub(super) fn go(&mut self, at: SimTime, slot: u32, hop: u32) {
        let What::Call(station) = self.hops[hop as usize].what else { return };
        let own = &mut self.stations[station];
        if own.is_known(at) {
            let passage = own.pass_through(at, self.until);
            self.pass(at, (slot, hop), station, passage);
        } else {
            let number = self.leave(slot, hop, true);
            self.go_on(at, number, at);
        }
    }

    /// One that has arrived at a call passes through its station, unless it isn't served.
    pub(super) fn pass(&mut self, at: SimTime, (slot, hop): (u32, u32), station: usize, passage: Option<Passage>) {
        let cluster = self.cluster_of[station];
        match passage {
            Some(Passage { start, done, .. }) if done < self.until.min(self.deadline(slot)) => {
                if start > at {
                    self.begins_to_wait(cluster);
                    self.slots.add(slot, WAITED, (start - at).nanos());
                } else if self.begun[cluster].is_some() {
                    self.forget_beginnings(at, station);
                }
                self.go_further(at, done, slot, hop);
            }
            Some(_) | None => {
                let number = self.leave(slot, hop, true);
                let entry = &mut self.entries[number as usize];
                (entry.called, entry.crossed, entry.open) = (true, false, 1);
                entry.step += 1;
                match passage {
                    Some(passage) => self.lasts(at, number, station, passage),
                    None => self.fail(at, number, (Stage::Overload, self.overload_root(cluster))),
                }
            }
        }
    }

    /// One goes on from its start or a call at `from`, which is now or later, up to its next call.
    #[inline]
    fn go_further(&mut self, clock: SimTime, from: SimTime, slot: u32, hop: u32) {
        let Hop { next, then, column, .. } = self.hops[hop as usize];
        let at = from + self.slots.span(slot, column as usize);
        let deadline = self.deadline(slot);
        if at >= self.until.min(deadline) {
            self.go_astray(clock, from, slot, hop);
        } else if then.is_some() {
            self.reaches(at, slot, next);
        } else {
            self.comes_to_end(clock, at, slot, next);
        }
    }

    /// One has come to the end of its way at `at`, which is now or later.
    pub(super) fn comes_to_end(&mut self, clock: SimTime, at: SimTime, slot: u32, hop: u32) {
        let answer = at + self.slots.span(slot, BACK);
        if answer > self.deadline(slot) {
            self.leave_for(clock, at, slot, hop);
        } else {
            self.is_good(slot, answer);
        }
    }

    /// One reaches its next call at `at`.
    fn reaches(&mut self, at: SimTime, slot: u32, hop: u32) {
        if at < self.stages.now {
            // It has just begun, and nothing is between them.
            self.leave_stages();
        }
        if let (true, What::Call(station)) = (self.stages.on, self.hops[hop as usize].what) {
            self.stages.come(station, at.nanos(), slot, hop);
        } else {
            self.due.push(Reverse((self.slots.key(at.nanos(), slot), slot, hop)));
        }
    }

    /// One leaves its way before its next call, where the world may change or it is given up.
    #[cold]
    fn go_astray(&mut self, clock: SimTime, from: SimTime, slot: u32, hop: u32) {
        let (bound, way) = (self.until.min(self.deadline(slot)), &self.straight[self.slots.way(slot) as usize]);
        let Straight { first, last, .. } = *way;
        let (mut at, mut hop) = (if hop == first { from + self.slots.span(slot, BACK) } else { from }, hop + 1);
        while at < bound && hop < last {
            at += self.slots.span(slot, HOPS + (hop - first) as usize);
            hop += 1;
        }
        self.leave_for(clock, at, slot, hop);
    }

    /// One leaves its way for what comes at `at`.
    fn leave_for(&mut self, clock: SimTime, at: SimTime, slot: u32, hop: u32) {
        let number = self.leave(slot, hop, true);
        if at > clock {
            let life = self.entries[number as usize].life;
            self.events.schedule(at, Event::Step { entry: number, life });
        } else {
            self.go_on(at, number, at);
        }
    }

    /// It has its answer.
    #[inline]
    pub(super) fn is_good(&mut self, slot: u32, answer: SimTime) {
        let (begun, way) = (self.slots.begun(slot), self.slots.way(slot));
        let straight = &mut self.straight[way as usize];
        if (straight.began..straight.minute).contains(&begun) {
            straight.good += 1;
            self.end_good(way, slot, (answer - begun).nanos());
        } else {
            self.is_first_of_minute(slot, answer);
        }
    }

    /// The same, where those of another minute were counted last.
    #[cold]
    fn is_first_of_minute(&mut self, slot: u32, answer: SimTime) {
        let (begun, way) = (self.slots.begun(slot), self.slots.way(slot));
        if begun < self.counts.since {
            self.has_accessed(slot, self.straight[way as usize].last);
            self.end_left(slot);
            return;
        }
        self.count_straight(way);
        let straight = &mut self.straight[way as usize];
        // A minute that has begun before all that counts is counted from where that does.
        straight.minute = self.counts.minutes.end_of(begun);
        straight.began = self.counts.minutes.start_of(begun).max(self.counts.since);
        straight.good += 1;
        self.end_good(way, slot, (answer - begun).nanos());
    }

    /// Counts what one has accessed before this hop.
    fn has_accessed(&mut self, slot: u32, before: u32) {
        let begun = self.slots.begun(slot);
        let Straight { first, journey, .. } = self.straight[self.slots.way(slot) as usize];
        for hop in first..before {
            let What::Access(access) = self.hops[hop as usize].what else { continue };
            let seconds = seconds(self.slots.span(slot, HOPS + (hop - first) as usize));
            self.counts.accessed(begun, access.store, journey, access.writes, seconds);
            access.add_written(self.counts.weight, &mut self.written);
        }
    }

    /// Counts the good ones that have gone a way.
    pub(super) fn count_straight(&mut self, way: u32) {
        let straight = &mut self.straight[way as usize];
        let (began, good) = (straight.began, core::mem::take(&mut straight.good));
        let (population, journey) = (straight.population, straight.journey);
        let (cluster, current) = (straight.cluster, straight.current);
        self.counts.went_straight(Straightforward { began, good, population, journey, cluster, current });
    }

    /// It leaves its way before this hop, and is a request as any other.
    fn leave(&mut self, slot: u32, hop: u32, entered: bool) -> u32 {
        self.has_accessed(slot, hop);
        let (begun, back) = (self.slots.begun(slot), self.slots.span(slot, BACK));
        let (way, waited) = (self.slots.way(slot), seconds(self.slots.span(slot, WAITED)));
        self.end_left(slot);
        self.enter(Going { way, hop, begun, back, waited }, entered)
    }

    fn enter(&mut self, Going { way, hop, begun, back, waited }: Going, entered: bool) -> u32 {
        let way = &self.straight[way as usize];
        let deadline = begun + way.timeout;
        let Hop { step, called, crossed, .. } = self.hops[hop as usize];
        let begins = Entry::begins(begun, way.population, way.journey, (way.cluster, way.current));
        self.counts.offered(begun, way.population, way.journey, way.current);
        let number =
            self.take_entry(Entry { deadline, back, tries: 1, step, entered, called, crossed, waited, ..begins });
        self.deadlines.add_left((deadline, number, self.entries[number as usize].life));
        number
    }

    /// A request that goes its way by a single call, and will be at its station for longer than is known.
    pub(super) fn leave_at_once(&mut self, begun: SimTime, way: u32, passage: Option<Passage>) {
        let straight = &self.straight[way as usize];
        let Some((station, back)) = straight.at_once else { return };
        let (cluster, hop) = (straight.cluster, straight.first + 1);
        let number = self.enter(Going { way, hop, begun, back, waited: 0.0 }, true);
        let entry = &mut self.entries[number as usize];
        (entry.called, entry.open, entry.step) = (true, 1, 1);
        match passage {
            Some(passage) => self.lasts(begun + back, number, station, passage),
            None => self.fail(begun + back, number, (Stage::Overload, self.overload_root(cluster))),
        }
    }

    /// A try's call is at a station for longer than is known, or than its client waits.
    fn lasts(&mut self, now: SimTime, number: u32, station: usize, passage: Passage) {
        let (life, wait) = (self.entries[number as usize].life, passage.start - now);
        if !wait.is_zero() {
            self.begins_to_wait(self.cluster_of[station]);
        }
        if passage.done < self.until {
            self.has_waited(now, number, wait);
            self.events.schedule(passage.done, Event::Answer { entry: number, life });
            return;
        }
        let priority = self.plan.journeys[self.entries[number as usize].journey].priority;
        let call = Call { entry: number, life, arrived: now, priority, back: Span::ZERO };
        if let Admission::Waits = self.stations[station].stay(now, call, passage, &mut self.starts) {
            let entry = &mut self.entries[number as usize];
            (entry.queued, entry.queued_at) = (1, now);
        }
        self.schedule_starts(station as u32);
    }
}
