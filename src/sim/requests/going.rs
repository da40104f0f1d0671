//! A request on a straight way (`straight.rs`): it goes from one call to the next, and of each only when it arrives has to
//! wait its turn among others.
//!
//! It does what the walk of an entry would (`walk.rs`), in the same order.

use super::counts::Straightforward;
use super::draws::BATCH;
use super::entry::Entry;
use super::foresight::Passage;
use super::station::{Admission, Call};
use super::straight::{Hop, Straight, What};
use super::units::seconds;
use super::{Event, Traffic};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Population, Stage};

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    pub(super) way: u32,
    /// The call that it is on its way to.
    pub(super) hop: u32,
    pub(super) begun: SimTime,
    pub(super) deadline: SimTime,
    /// The way back to the client.
    pub(super) back: Span,
    /// Seconds that it has waited for servers.
    pub(super) waited: f64,
}

impl Traffic<'_> {
    /// Requests of a population of whom all go straight ways set out, also some that begin later: who goes such a way
    /// concerns nobody before its first call.
    pub(super) fn set_out_ahead(&mut self, population: Id<Population>) -> bool {
        if !self.all_straight[population] || self.counts.is_traced() || self.sources[population].batch > 1 {
            return false;
        }
        let end = self.until.min(self.lane.reaches());
        let mut begins = [0; BATCH];
        let count = self.sources[population].ahead(end, &mut begins);
        self.sources[population].take_several(&begins, count);
        for &begins in &begins[..count] {
            self.begin(SimTime::from_nanos(begins), population);
        }
        true
    }

    /// A request begins on a straight way.
    #[inline]
    pub(super) fn set_out(&mut self, now: SimTime, way: u32) {
        let slot = self.take_prepared(way);
        let straight = &self.straight[way as usize];
        if straight.budget > 0.0 {
            let (tokens, most) = &mut self.budget[straight.journey];
            *tokens = (*tokens + straight.budget).min(*most);
        }
        let hop = straight.first;
        let going = &mut self.going[slot as usize];
        going.begun = now;
        going.deadline = now + straight.timeout;
        let arrives = now + going.back;
        if arrives >= self.until.min(going.deadline) {
            let number = self.leave(slot, hop, false);
            self.go_on(arrives, number, now);
            return;
        }
        self.go_further(now, now, slot, hop);
    }

    /// One has arrived at its next call.
    pub(super) fn go(&mut self, at: SimTime, slot: u32) {
        let Going { way, hop, deadline, .. } = self.going[slot as usize];
        let What::Call(station) = self.hops[hop as usize].what else { return };
        let own = &mut self.stations[station];
        if !own.is_known(at) {
            let number = self.leave(slot, hop, true);
            self.go_on(at, number, at);
            return;
        }
        let passage = own.pass_through(at, self.until);
        let cluster = self.straight[way as usize].cluster;
        match passage {
            Some(Passage { start, done, .. }) if done < self.until.min(deadline) => {
                if start > at {
                    self.begins_to_wait(cluster);
                    self.going[slot as usize].waited += seconds(start - at);
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
        let Going { way, deadline, back, .. } = self.going[slot as usize];
        let first = self.straight[way as usize].first;
        let at = from + self.prepared.hop(slot, hop - first);
        let next = self.hops[hop as usize].next;
        if at >= self.until.min(deadline) {
            self.go_astray(clock, from, slot, hop);
        } else if let What::End = self.hops[next as usize].what {
            if at + back > deadline {
                self.leave_for(clock, at, slot, next);
            } else {
                self.is_good(slot, at + back);
            }
        } else {
            self.going[slot as usize].hop = next;
            // Who sets out may do so before its time.
            if at > clock || hop == first {
                self.lane.push(at, slot);
            } else {
                self.go(at, slot);
            }
        }
    }

    /// One leaves its way before its next call, where the world may change or it is given up.
    #[cold]
    fn go_astray(&mut self, clock: SimTime, from: SimTime, slot: u32, hop: u32) {
        let Going { way, deadline, back, .. } = self.going[slot as usize];
        let (bound, Straight { first, last, .. }) = (self.until.min(deadline), &self.straight[way as usize]);
        let (first, last) = (*first, *last);
        let (mut at, mut hop) = (if hop == first { from + back } else { from }, hop + 1);
        while at < bound && hop < last {
            at += self.prepared.hop(slot, hop - first);
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
    fn is_good(&mut self, slot: u32, answer: SimTime) {
        let Going { way, begun, .. } = self.going[slot as usize];
        if begun < self.counts.since {
            self.has_accessed(slot, self.straight[way as usize].last);
            self.ended.push(slot);
            return;
        }
        let straight = &mut self.straight[way as usize];
        if !(straight.began..straight.minute).contains(&begun) {
            self.count_straight(way);
            let straight = &mut self.straight[way as usize];
            // A minute that has begun before all that counts is counted from where that does.
            straight.minute = self.counts.minutes.end_of(begun);
            straight.began = self.counts.minutes.start_of(begun).max(self.counts.since);
        }
        let straight = &mut self.straight[way as usize];
        straight.answered.push(slot);
        straight.took.push(seconds(answer - begun));
        if straight.answered.len() == BATCH {
            self.count_answered(way);
        }
    }

    /// Counts how long those took that have their answers, and what they did.
    #[inline(never)]
    fn count_answered(&mut self, number: u32) {
        let way = &mut self.straight[number as usize];
        if way.answered.is_empty() {
            return;
        }
        let cell = way.population.index() * self.plan.journeys.len() + way.journey.index();
        self.counts.latency[cell].record_each(&way.took);
        way.good += way.answered.len() as u32;
        for hop in way.first..way.last {
            let What::Access(access) = self.hops[hop as usize].what else { continue };
            for (took, &slot) in way.took.iter_mut().zip(&way.answered) {
                *took = seconds(self.prepared.hop(slot, hop - way.first));
            }
            self.counts.accessed_each(access.store, way.journey, access.writes, &way.took);
            access.add_written(way.took.len() as f64 * self.counts.weight, &mut self.written);
        }
        self.ended.append(&mut way.answered);
        way.took.clear();
    }

    /// Counts what one has accessed before this hop.
    fn has_accessed(&mut self, slot: u32, before: u32) {
        let Going { way, begun, .. } = self.going[slot as usize];
        let Straight { first, journey, .. } = self.straight[way as usize];
        for hop in first..before {
            let What::Access(access) = self.hops[hop as usize].what else { continue };
            let seconds = seconds(self.prepared.hop(slot, hop - first));
            self.counts.accessed(begun, access.store, journey, access.writes, seconds);
            access.add_written(self.counts.weight, &mut self.written);
        }
    }

    /// Counts what has gone a way.
    pub(super) fn count_straight(&mut self, way: u32) {
        self.count_answered(way);
        let straight = &mut self.straight[way as usize];
        let (began, good) = (straight.began, core::mem::take(&mut straight.good));
        let (population, journey) = (straight.population, straight.journey);
        let (cluster, current) = (straight.cluster, straight.current);
        if good > 0 {
            self.counts.went_straight(Straightforward { began, good, population, journey, cluster, current });
        }
    }

    /// It leaves its way before this hop, and is a request as any other.
    fn leave(&mut self, slot: u32, hop: u32, entered: bool) -> u32 {
        self.has_accessed(slot, hop);
        self.ended.push(slot);
        self.enter(self.going[slot as usize], hop, entered)
    }

    fn enter(&mut self, going: Going, hop: u32, entered: bool) -> u32 {
        let Going { way, begun, deadline, back, waited, .. } = going;
        let way = &self.straight[way as usize];
        let Hop { step, called, crossed, .. } = self.hops[hop as usize];
        let begins = Entry::begins(begun, way.population, way.journey, (way.cluster, way.current));
        self.counts.offered(begun, way.population, way.journey, way.current);
        let number =
            self.take_entry(Entry { deadline, back, tries: 1, step, entered, called, crossed, waited, ..begins });
        let life = self.entries[number as usize].life;
        self.events.schedule(deadline, Event::Expires { entry: number, life });
        number
    }

    /// A request that goes its way by a single call, and will be at its station for longer than is known.
    pub(super) fn leave_at_once(&mut self, begun: SimTime, way: u32, passage: Option<Passage>) {
        let straight = &self.straight[way as usize];
        let Some((station, back)) = straight.at_once else { return };
        let (cluster, hop) = (straight.cluster, straight.first + 1);
        let deadline = begun + straight.timeout;
        let number = self.enter(Going { way, hop, begun, deadline, back, waited: 0.0 }, hop, true);
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
