//! A request on a straight way (`straight.rs`): it goes from one call to the next, and of each only when it arrives has to
//! wait its turn among others.
//!
//! It does what the walk of an entry would (`walk.rs`), in the same order.

use super::counts::Straightforward;
use super::entry::Entry;
use super::foresight::Passage;
use super::sample::{seconds, span};
use super::station::{Admission, Call};
use super::straight::{Access, Hop, What};
use super::{Event, Traffic};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Journey, Stage};

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    /// The way, and what it does next there.
    way: u32,
    hop: u32,
    begun: SimTime,
    /// The way back to the client.
    back: Span,
    /// Seconds that it has waited for servers.
    waited: f64,
}

impl Traffic<'_> {
    /// A request begins on a straight way.
    pub(super) fn set_out(&mut self, now: SimTime, way: u32) {
        let straight = &self.straight[way as usize];
        let back = span(0.5 * self.trips.draw(straight.trip));
        let going = Going { way, hop: straight.first, begun: now, back, waited: 0.0 };
        if straight.budget > 0.0 {
            let (tokens, most) = &mut self.budget[straight.journey];
            *tokens = (*tokens + straight.budget).min(*most);
        }
        let arrives = now + back;
        if arrives >= self.until || back >= straight.timeout {
            let number = self.leave(going, false);
            self.go_on(arrives, number, now);
            return;
        }
        let slot = self.ended.pop().unwrap_or_else(|| {
            self.going.push(going);
            self.going.len() as u32 - 1
        });
        self.going[slot as usize] = going;
        self.go(now, arrives, slot);
    }

    /// One goes on at `at`, which is now or later, up to its next call.
    pub(super) fn go(&mut self, clock: SimTime, mut at: SimTime, slot: u32) {
        let Going { way: number, mut hop, begun, back, mut waited } = self.going[slot as usize];
        let way = &self.straight[number as usize];
        let deadline = if way.timeout == Span::FOREVER { SimTime::NEVER } else { begun + way.timeout };
        let (bound, cluster, journey) = (self.until.min(deadline), way.cluster, way.journey);
        loop {
            let what = self.hops[hop as usize].what;
            match what {
                What::Call(_) if at > clock => {
                    let own = &mut self.going[slot as usize];
                    (own.hop, own.waited) = (hop, waited);
                    self.lane.push(at, slot);
                    return;
                }
                What::Call(station) => {
                    let own = &mut self.stations[station];
                    if !own.is_known(at) {
                        break;
                    }
                    let passage = own.pass_through(at, self.until);
                    let calm = self.begun[cluster].is_none();
                    match passage {
                        Some(Passage { start, done, .. }) if done < bound && start == at && calm => at = done,
                        Some(Passage { start, done, .. }) if done < bound => {
                            if start > at {
                                self.begins_to_wait(cluster);
                            } else {
                                self.forget_beginnings(at, station);
                            }
                            waited += seconds(start - at);
                            at = done;
                        }
                        Some(_) | None => {
                            self.ended.push(slot);
                            let number = self.leave(Going { way: number, hop, begun, back, waited }, true);
                            let entry = &mut self.entries[number as usize];
                            (entry.called, entry.crossed, entry.open) = (true, false, 1);
                            entry.step += 1;
                            match passage {
                                Some(passage) => self.lasts(at, number, station, passage),
                                None => self.fail(at, number, (Stage::Overload, self.overload_root(cluster))),
                            }
                            return;
                        }
                    }
                }
                What::Cross(trip, false) => at += span(self.trips.draw(trip)),
                What::Cross(trip, true) => {
                    let trip = self.trips.draw(trip);
                    at += span(trip + self.proxies(cluster));
                }
                What::Access(access) => at += span(self.takes(begun, journey, access)),
                What::Dependency(dependency) => at += span(self.dependency_time[dependency.index()].draw()),
                What::End => {
                    if at + back > deadline {
                        break;
                    }
                    self.ended.push(slot);
                    self.is_good(number, begun, at + back);
                    return;
                }
            }
            hop += 1;
            if at >= bound {
                break;
            }
        }
        self.ended.push(slot);
        let number = self.leave(Going { way: number, hop, begun, back, waited }, true);
        if at > clock {
            let life = self.entries[number as usize].life;
            self.events.schedule(at, Event::Step { entry: number, life });
        } else {
            self.go_on(at, number, at);
        }
    }

    /// How long an access takes.
    fn takes(&mut self, begun: SimTime, journey: Id<Journey>, access: Access) -> f64 {
        let Access { store, writes, trip, ack, written } = access;
        let seconds = self.trips.draw(trip) + self.trips.draw(ack) + self.store_time[store].draw();
        self.counts.accessed(begun, store, journey, writes, seconds);
        if let Some((partition, bytes)) = written {
            let sum = &mut self.written[partition];
            sum.0 += self.counts.weight;
            sum.1 += bytes * self.counts.weight;
        }
        seconds
    }

    /// It has its answer.
    fn is_good(&mut self, way: u32, begun: SimTime, answer: SimTime) {
        if begun < self.counts.since {
            return;
        }
        let straight = &mut self.straight[way as usize];
        let cell = straight.population.index() * self.plan.journeys.len() + straight.journey.index();
        self.counts.latency[cell].record(seconds(answer - begun));
        if (straight.began..straight.minute).contains(&begun) {
            straight.good += 1;
        } else {
            self.count_straight(way);
            let straight = &mut self.straight[way as usize];
            // A minute that has begun before all that counts is counted from where that does.
            straight.minute = self.counts.minutes.end_of(begun);
            straight.began = self.counts.minutes.start_of(begun).max(self.counts.since);
            straight.good = 1;
        }
    }

    /// Counts what has gone a way.
    pub(super) fn count_straight(&mut self, way: u32) {
        let straight = &mut self.straight[way as usize];
        let (began, good) = (straight.began, core::mem::take(&mut straight.good));
        let (population, journey) = (straight.population, straight.journey);
        let (cluster, current) = (straight.cluster, straight.current);
        if good > 0 {
            self.counts.went_straight(Straightforward { began, good, population, journey, cluster, current });
        }
    }

    /// It leaves its way, and is a request as any other.
    fn leave(&mut self, going: Going, entered: bool) -> u32 {
        let Going { way, hop, begun, back, waited } = going;
        let way = &self.straight[way as usize];
        let Hop { step, called, crossed, .. } = self.hops[hop as usize];
        let begins = Entry::begins(begun, way.population, way.journey, (way.cluster, way.current));
        let deadline = if way.timeout == Span::FOREVER { SimTime::NEVER } else { begun + way.timeout };
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
        let cluster = straight.cluster;
        let number = self.leave(Going { way, hop: straight.first, begun, back, waited: 0.0 }, true);
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
