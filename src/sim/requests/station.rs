//! One service in one cluster as its calls meet it: servers, a queue, and who is next.
//!
//! First come, first served; where journeys differ in priority the highest goes first, without interrupting what is
//! served (head of the line). Processor sharing gives each call an equal part of the servers, at most one.
//!
//! A station whose servers never change needs no event for a departure ([`Known`]).

use super::known::Known;
use super::sample::{Sampler, seconds, span};
use crate::base::stream::{Rng, uniform};
use crate::base::{SimTime, Span};
use crate::domain::observation::StationTally;
use crate::failure::spec::Interrupted;
use crate::stats::Histogram;
use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A call on its way through a station: whose it is, and of which of that slot's lives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) entry: u32,
    pub(super) life: u32,
    pub(super) arrived: SimTime,
    /// Of its journey: the highest goes first.
    pub(super) priority: u32,
    /// How long its answer takes to get back to another cluster.
    pub(super) back: Span,
}

/// What becomes of a call that arrives.
pub(super) enum Admission {
    /// The queue is full.
    Rejected,
    /// Another call had to leave the full queue for it.
    Displaces(Call),
    /// It is being served; an event will say when it leaves.
    Taken,
    /// It waits.
    Waits,
    /// It leaves at this time, having waited so long.
    Leaves(SimTime, Span),
}

/// A call that a server takes up: its place, when it is done, and how long its answer then still takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) place: u32,
    pub(super) life: u32,
    pub(super) done: SimTime,
    /// Which call it is, and how long it has waited; none where what is shared moves on.
    pub(super) call: Option<(Call, Span)>,
    /// It was in the queue.
    pub(super) queued: bool,
}

/// Who is next.
#[derive(Debug)]
enum Discipline {
    /// Its servers never change: when a call leaves is known when it comes.
    Known(Known),
    /// Waiting calls by priority, the highest first, each in order of arrival.
    Line(Vec<(u32, VecDeque<Call>)>),
    /// All that are here share the servers: (work at which it is done, place), and the work that each has had so far.
    Shared { done: BinaryHeap<Reverse<(u64, u32)>>, work: f64, version: u32 },
}

/// A place in which a call is served.
#[derive(Clone, Copy, Debug)]
struct Place {
    call: Option<Call>,
    life: u32,
    /// Seconds of an undisturbed server that it takes, and what they are multiplied by.
    work: (f64, f64),
    done: SimTime,
    /// Seconds that its answer takes after it has left its server.
    after: f64,
}

/// A call that went back to the queue when its pod failed.
#[derive(Clone, Copy, Debug)]
struct Returned {
    entry: u32,
    life: u32,
    /// Seconds of an undisturbed server that it still takes.
    left: f64,
    since: SimTime,
}

/// How it serves now: what faults leave of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pace {
    /// Servers.
    pub(super) servers: u32,
    /// What times on a server are multiplied by.
    pub(super) slower: f64,
    /// What answers are multiplied by, without the server being busier for it.
    pub(super) later: f64,
}

/// One station.
#[derive(Debug)]
pub(super) struct Station {
    discipline: Discipline,
    pub(super) pace: Pace,
    /// Pods that are ready.
    pub(super) ready: u32,
    limit: u64,
    pub(super) waiting: u64,
    busy: u32,
    places: Vec<Place>,
    unused: Vec<u32>,
    returned: Vec<Returned>,
    time: Sampler,
    rng: Rng,
    objective: f64,
    clock: SimTime,
    /// Busy servers over servers, and calls offered, since the autoscaler looked last.
    looked: (SimTime, f64, f64),
    busy_share: f64,
    offered: f64,
    pub(super) tally: StationTally,
    pub(super) waits: Histogram,
    counts: bool,
}

/// How a station is made.
pub(super) struct Making {
    pub(super) ready: u32,
    pub(super) pace: Pace,
    pub(super) limit: Option<u64>,
    pub(super) time: Sampler,
    pub(super) rng: Rng,
    pub(super) objective: Option<f64>,
    /// Its servers never change.
    pub(super) known: bool,
    pub(super) shared: bool,
    /// Somebody asks how many wait.
    pub(super) queue_is_looked_at: bool,
    /// Priorities of its callers.
    pub(super) priorities: Vec<u32>,
    /// When the first call may come.
    pub(super) opens: SimTime,
    /// The time that counts, from and to.
    pub(super) window: (SimTime, SimTime),
}

/// Work is kept in whole nanoseconds of one server's time.
const WORK: f64 = 1e9;

impl Station {
    pub(super) fn new(making: Making) -> Self {
        let mut priorities = making.priorities;
        priorities.sort_unstable_by_key(|&priority| Reverse(priority));
        priorities.dedup();
        let discipline = if making.shared {
            Discipline::Shared { done: BinaryHeap::new(), work: 0.0, version: 0 }
        } else if making.known && priorities.len() <= 1 {
            let remembers = making.queue_is_looked_at || making.limit.is_some();
            Discipline::Known(Known::new(making.pace.servers, making.opens, making.window, remembers))
        } else {
            Discipline::Line(priorities.into_iter().map(|priority| (priority, VecDeque::new())).collect())
        };
        Self {
            discipline,
            pace: making.pace,
            ready: making.ready,
            limit: making.limit.unwrap_or(u64::MAX),
            waiting: 0,
            busy: 0,
            places: Vec::new(),
            unused: Vec::new(),
            returned: Vec::new(),
            time: making.time,
            rng: making.rng,
            objective: making.objective.unwrap_or(f64::INFINITY),
            clock: making.opens,
            looked: (making.opens, 0.0, 0.0),
            busy_share: 0.0,
            offered: 0.0,
            tally: StationTally { empty: Some(0.0), ..StationTally::default() },
            waits: Histogram::default(),
            counts: true,
        }
    }

    /// When a call leaves is known when it comes.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.discipline, Discipline::Known(_))
    }

    /// Integrals up to now.
    fn pass(&mut self, now: SimTime) {
        let seconds = seconds(now.since(self.clock));
        self.clock = now;
        if seconds <= 0.0 {
            return;
        }
        let share = match (&self.discipline, self.pace.servers) {
            (_, 0) => f64::from(u8::from(self.waiting > 0)),
            (Discipline::Known(_), _) => 0.0,
            (Discipline::Line(_) | Discipline::Shared { .. }, servers) => {
                (f64::from(self.busy) / f64::from(servers)).min(1.0)
            }
        };
        self.busy_share += share * seconds;
        if self.counts {
            self.tally.utilisation += share * seconds;
            self.tally.ready += f64::from(self.ready) * seconds;
            self.tally.in_system += (f64::from(self.busy) + self.waiting as f64) * seconds;
            if self.busy == 0 && self.waiting == 0 && !matches!(self.discipline, Discipline::Known(_)) {
                self.tally.empty = self.tally.empty.map(|empty| empty + seconds);
            }
        }
    }

    /// A call arrives of which all is known at once: when it leaves, and how long it waits. `None` if it isn't served.
    #[inline]
    pub(super) fn pass_through(&mut self, now: SimTime) -> Option<(SimTime, Span)> {
        self.offered += 1.0;
        let Discipline::Known(known) = &mut self.discipline else { return None };
        let Some(start) = known.start(now, self.limit) else {
            self.not_served();
            return None;
        };
        let service = self.time.draw(&mut self.rng);
        let done = known.take_up(now, start, span(service));
        let wait = start - now;
        self.started(wait, service);
        Some((done, wait))
    }

    /// A call arrives.
    pub(super) fn arrive(&mut self, now: SimTime, call: Call, starts: &mut Vec<Start>) -> Admission {
        if self.is_known() {
            return self.pass_through(now).map_or(Admission::Rejected, |(done, wait)| Admission::Leaves(done, wait));
        }
        self.offered += 1.0;
        let pace = self.pace;
        self.prepare(now);
        match &mut self.discipline {
            Discipline::Shared { .. } => {
                let most = self.limit.saturating_add(u64::from(pace.servers));
                if pace.servers == 0 || u64::from(self.busy) >= most {
                    self.not_served();
                    return Admission::Rejected;
                }
                self.take_up(now, call, starts);
            }
            Discipline::Known(_) => {}
            Discipline::Line(classes) => {
                if self.busy < pace.servers {
                    self.take_up(now, call, starts);
                } else if self.waiting < self.limit {
                    self.waiting += 1;
                    line(classes, call.priority).push_back(call);
                    return Admission::Waits;
                } else {
                    // The lowest that waits makes room for a higher one.
                    let lowest = classes.iter_mut().rev().find(|(_, waiting)| !waiting.is_empty());
                    let Some((_, waiting)) = lowest.filter(|(priority, _)| *priority < call.priority) else {
                        self.not_served();
                        return Admission::Rejected;
                    };
                    let displaced = waiting.pop_back();
                    line(classes, call.priority).push_back(call);
                    self.not_served();
                    return displaced.map_or(Admission::Waits, Admission::Displaces);
                }
            }
        }
        Admission::Taken
    }

    /// A call was offered, and nobody will serve it.
    fn not_served(&mut self) {
        self.tally.arrivals += f64::from(u8::from(self.counts));
    }

    /// A client leaves the queue, if it is still in it.
    pub(super) fn withdraw(&mut self, now: SimTime, call: Call) -> bool {
        self.prepare(now);
        let Discipline::Line(classes) = &mut self.discipline else { return false };
        let waiting = line(classes, call.priority);
        let first = waiting.partition_point(|other| other.arrived < call.arrived);
        let same = |other: &Call| (other.entry, other.life) == (call.entry, call.life);
        let Some(position) = waiting.range(first..).position(same) else { return false };
        waiting.remove(first + position);
        self.waiting -= 1;
        if self.take_returned(call).is_none() {
            self.not_served();
        }
        true
    }

    /// A server takes a call up.
    fn take_up(&mut self, now: SimTime, call: Call, starts: &mut Vec<Start>) {
        let (service, wait, queued) = if let Some(Returned { left, since, .. }) = self.take_returned(call) {
            if self.counts {
                self.tally.wait_again += seconds(now - since);
            }
            (left, now - since, true)
        } else {
            let (service, wait) = (self.time.draw(&mut self.rng), now - call.arrived);
            self.started(wait, service);
            (service, wait, !wait.is_zero())
        };
        self.busy += 1;
        let place = self.unused.pop().unwrap_or_else(|| {
            self.places.push(Place { call: None, life: 0, work: (0.0, 1.0), done: now, after: 0.0 });
            self.places.len() as u32 - 1
        });
        let slot = &mut self.places[place as usize];
        slot.call = Some(call);
        slot.after = service * (self.pace.later - 1.0).max(0.0);
        let life = slot.life;
        match &mut self.discipline {
            Discipline::Shared { done, work, .. } => {
                let at = (*work + service * self.pace.slower) * WORK;
                done.push(Reverse((at.ceil() as u64, place)));
                self.next_shared(now, starts);
            }
            Discipline::Line(_) | Discipline::Known(_) => {
                let done = now + span(service * self.pace.slower);
                (slot.work, slot.done) = ((service, self.pace.slower), done);
                starts.push(Start { place, life, done, call: Some((call, wait)), queued });
            }
        }
    }

    #[inline]
    fn started(&mut self, wait: Span, service: f64) {
        if !self.counts {
            return;
        }
        let wait = seconds(wait);
        self.tally.arrivals += 1.0;
        self.tally.served += 1.0;
        self.tally.wait += wait;
        self.tally.wait_square += wait * wait;
        self.tally.waited += f64::from(u8::from(wait > 0.0));
        self.tally.met += f64::from(u8::from(wait <= self.objective));
        self.tally.service += service;
        self.waits.record(wait, 1.0);
    }

    /// The part of a server that each call has.
    fn part(&self) -> f64 {
        (f64::from(self.pace.servers) / f64::from(self.busy.max(1))).min(1.0)
    }

    /// Work done so far, when the servers are shared.
    fn share_out(&mut self, now: SimTime) {
        let seconds = seconds(now.since(self.clock));
        let part = self.part();
        if let Discipline::Shared { work, .. } = &mut self.discipline {
            *work += seconds * part;
        }
    }

    /// When the next of those that share is done; a change in between makes the event void.
    fn next_shared(&mut self, now: SimTime, starts: &mut Vec<Start>) {
        let part = self.part();
        if let Discipline::Shared { done, work, version } = &mut self.discipline {
            *version += 1;
            if let Some(&Reverse((at, _))) = done.peek().filter(|_| part > 0.0) {
                let left = (at as f64 / WORK - *work).max(0.0) / part;
                let done = now + Span::from_secs(left);
                starts.push(Start { place: u32::MAX, life: *version, done, call: None, queued: false });
            }
        }
    }

    /// A server is done with a call. Gives the call and how long its answer still takes, unless it died before.
    pub(super) fn leave(
        &mut self,
        now: SimTime,
        place: u32,
        life: u32,
        starts: &mut Vec<Start>,
    ) -> Option<(Call, f64)> {
        let place = if place == u32::MAX {
            let Discipline::Shared { version, .. } = &self.discipline else { return None };
            if *version != life {
                return None;
            }
            self.prepare(now);
            let Discipline::Shared { done, work, .. } = &mut self.discipline else { return None };
            let Reverse((at, place)) = done.pop()?;
            *work = work.max(at as f64 / WORK);
            place
        } else {
            if self.places[place as usize].life != life {
                return None;
            }
            self.pass(now);
            place
        };
        let slot = &mut self.places[place as usize];
        slot.life += 1;
        let call = slot.call.take();
        let after = slot.after;
        self.unused.push(place);
        self.busy -= 1;
        if self.busy == 0
            && let Discipline::Shared { work, .. } = &mut self.discipline
        {
            *work = 0.0;
        }
        self.next_shared(now, starts);
        self.fill(now, starts);
        call.map(|call| (call, after))
    }

    /// Brings what is shared up to date before something changes.
    pub(super) fn prepare(&mut self, now: SimTime) {
        self.share_out(now);
        self.pass(now);
    }

    /// Free servers take up what waits.
    fn fill(&mut self, now: SimTime, starts: &mut Vec<Start>) {
        while self.busy < self.pace.servers {
            let Discipline::Line(classes) = &mut self.discipline else { return };
            let Some(call) = classes.iter_mut().find_map(|(_, waiting)| waiting.pop_front()) else { return };
            self.waiting -= 1;
            self.take_up(now, call, starts);
        }
    }

    /// Its pods or its condition have changed.
    pub(super) fn change(&mut self, now: SimTime, ready: u32, pace: Pace, starts: &mut Vec<Start>) {
        if self.ready == ready && self.pace == pace {
            return;
        }
        self.prepare(now);
        self.ready = ready;
        self.pace = pace;
        self.next_shared(now, starts);
        self.fill(now, starts);
    }

    /// Of what is being served each dies with this probability; all that waits too, if it is 1.
    pub(super) fn kill(&mut self, now: SimTime, chance: f64, dead: &mut Vec<Call>, starts: &mut Vec<Start>) {
        self.prepare(now);
        for (number, place) in self.places.iter_mut().enumerate() {
            if place.call.is_none() || (chance < 1.0 && uniform(&mut self.rng) > chance) {
                continue;
            }
            dead.extend(place.call.take());
            place.life += 1;
            self.unused.push(number as u32);
            self.busy -= 1;
        }
        let places = &self.places;
        match &mut self.discipline {
            Discipline::Line(classes) if chance >= 1.0 => {
                dead.extend(classes.iter_mut().flat_map(|(_, waiting)| waiting.drain(..)));
                self.waiting = 0;
                self.returned.clear();
            }
            Discipline::Shared { done, .. } => {
                done.retain(|Reverse((_, place))| places[*place as usize].call.is_some());
            }
            Discipline::Line(_) | Discipline::Known(_) => {}
        }
        self.next_shared(now, starts);
        self.fill(now, starts);
    }

    /// Calls that wait now; of those who share the servers, as many as could have none.
    pub(super) fn queue(&self, now: SimTime) -> f64 {
        match &self.discipline {
            Discipline::Known(known) => known.waiting(now),
            Discipline::Line(_) => self.waiting as f64,
            Discipline::Shared { .. } => f64::from(self.busy.saturating_sub(self.pace.servers)),
        }
    }

    /// One of its pods fails, with what that is serving: `hit` is all of it. Which calls those are is drawn, for a call
    /// is as likely on one server as on another. They go back to the queue, unless they fail.
    pub(super) fn fail_pod(&mut self, now: SimTime, calls: Interrupted, hit: &mut Vec<Call>, starts: &mut Vec<Start>) {
        self.prepare(now);
        // Servers of the pod; under `scale` a pod has a part of one.
        let servers = f64::from(self.pace.servers) / f64::from(self.ready.max(1));
        let shared = matches!(self.discipline, Discipline::Shared { .. });
        let part = servers.fract();
        let mut lost = servers as u32 + u32::from(part > 0.0 && uniform(&mut self.rng) < part);
        let chance = 1.0 / f64::from(self.ready.max(1));
        self.ready = self.ready.saturating_sub(1);
        // Busy servers are looked at first, then idle ones: each is the pod's with the chance that is left.
        let mut others = self.pace.servers.max(self.busy);
        self.pace.servers = self.pace.servers.saturating_sub(lost);
        for number in 0..self.places.len() {
            let place = self.places[number];
            let Some(call) = place.call else { continue };
            let chance = if shared { chance } else { f64::from(lost) / f64::from(others.max(1)) };
            others = others.saturating_sub(1);
            if chance < 1.0 && uniform(&mut self.rng) >= chance {
                continue;
            }
            lost = lost.saturating_sub(1);
            hit.push(call);
            self.give_back(now, call, place, calls);
            self.places[number].call = None;
            self.places[number].life += 1;
            self.unused.push(number as u32);
            self.busy -= 1;
        }
        if self.counts {
            self.tally.interrupted += hit.len() as f64;
        }
        let places = &self.places;
        if let Discipline::Shared { done, .. } = &mut self.discipline {
            done.retain(|Reverse((_, place))| places[*place as usize].call.is_some());
        }
        self.next_shared(now, starts);
        self.fill(now, starts);
    }

    /// A call whose pod has failed goes back to its place in the queue, unless it fails.
    fn give_back(&mut self, now: SimTime, call: Call, place: Place, calls: Interrupted) {
        let Discipline::Line(classes) = &mut self.discipline else { return };
        let (service, slower) = place.work;
        let left = match calls {
            Interrupted::Fail => return,
            Interrupted::Restart => service,
            Interrupted::Resume => (seconds(place.done.since(now)) / slower).min(service),
        };
        if self.counts {
            // A server's time all the same: what is done twice is served twice.
            self.tally.service += left - seconds(place.done.since(now)) / slower;
        }
        let waiting = line(classes, call.priority);
        let first = waiting.partition_point(|other| other.arrived < call.arrived);
        waiting.insert(first, call);
        self.waiting += 1;
        self.returned.push(Returned { entry: call.entry, life: call.life, left, since: now });
    }

    /// What is known of a call that went back to the queue, if it did.
    fn take_returned(&mut self, call: Call) -> Option<Returned> {
        let same = |other: &Returned| (other.entry, other.life) == (call.entry, call.life);
        let position = self.returned.iter().position(same)?;
        Some(self.returned.swap_remove(position))
    }

    /// Calls offered per second and utilisation since the last look.
    pub(super) fn look(&mut self, now: SimTime) -> (f64, f64) {
        self.prepare(now);
        let (before, busy, offered) = self.looked;
        self.looked = (now, self.busy_share, self.offered);
        let seconds = now.since(before).secs().max(1e-9);
        ((self.offered - offered) / seconds, (self.busy_share - busy) / seconds)
    }

    /// Forgets what was counted so far.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.prepare(now);
        self.tally = StationTally { empty: Some(0.0), ..StationTally::default() };
        self.waits = Histogram::default();
    }

    /// Counts no more: the horizon has ended.
    pub(super) fn finish(&mut self, now: SimTime) {
        self.prepare(now);
        if let Discipline::Known(known) = &self.discipline {
            known.tell(now, &mut self.tally);
        }
        self.counts = false;
    }
}

/// The line of a priority.
fn line(classes: &mut [(u32, VecDeque<Call>)], priority: u32) -> &mut VecDeque<Call> {
    let position = classes.iter().position(|(class, _)| *class == priority).unwrap_or(classes.len() - 1);
    &mut classes[position].1
}
