//! One service in one cluster as its calls meet it: servers, a queue, and who is next.
//!
//! First come, first served; where journeys differ in priority the highest goes first, without interrupting what is
//! served (head of the line). Processor sharing gives each call an equal part of the servers, at most one.
//!
//! While a line's servers stay as they are, no call needs an event for its departure (`foresight.rs`).

use super::draws::Draws;
use super::interrupted::Returned;
use super::known::Known;
use super::sample::Sampler;
use super::units::{seconds, span};
use super::watch::Started;
use crate::base::stream::Rng;
use crate::base::{SimTime, Span};
use crate::domain::observation::StationTally;
use crate::stats::Recorder;
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
    /// It leaves at this time, whatever happens, having waited so long.
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
    /// It is still in the queue, and will be taken up then.
    pub(super) foreseen: bool,
}

/// Who is next.
#[derive(Debug)]
pub(super) enum Discipline {
    /// A line whose servers are what they were: when a call leaves is known when it comes.
    Known(Known),
    /// Waiting calls by priority, the highest first, each in order of arrival.
    Line(Vec<(u32, VecDeque<Call>)>),
    /// All that are here share the servers: (work at which it is done, place), and the work that each has had so far.
    Shared { done: BinaryHeap<Reverse<(u64, u32)>>, work: f64, version: u32 },
}

/// A place in which a call is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) call: Option<Call>,
    pub(super) life: u32,
    /// Seconds of an undisturbed server that it takes, and what they are multiplied by.
    pub(super) work: (f64, f64),
    /// When it will be taken up, if it waits still.
    pub(super) starts: Option<SimTime>,
    pub(super) done: SimTime,
    /// Seconds that its answer takes after it has left its server.
    pub(super) after: f64,
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
    pub(super) discipline: Discipline,
    pub(super) pace: Pace,
    /// Pods that are ready.
    pub(super) ready: u32,
    pub(super) limit: u64,
    pub(super) waiting: u64,
    pub(super) busy: u32,
    pub(super) places: Vec<Place>,
    pub(super) unused: Vec<u32>,
    pub(super) returned: Vec<Returned>,
    pub(super) times: Draws,
    /// Service times that have been drawn for calls which turned out to be taken up otherwise: those of the next.
    pub(super) drawn: VecDeque<f64>,
    pub(super) objective: f64,
    pub(super) clock: SimTime,
    /// Busy servers over servers, and calls offered, since the autoscaler looked last.
    pub(super) looked: (SimTime, f64, u64),
    pub(super) busy_share: f64,
    pub(super) offered: u64,
    pub(super) tally: StationTally,
    /// What isn't in the tally yet.
    pub(super) started: Started,
    pub(super) waits: Recorder,
    pub(super) counts: bool,
    /// When calls leave can be known; the priority of all who call it.
    pub(super) foresees: Option<u32>,
}

/// How a station is made.
pub(super) struct Making {
    pub(super) ready: u32,
    pub(super) pace: Pace,
    pub(super) limit: Option<u64>,
    pub(super) time: Sampler,
    pub(super) rng: Rng,
    pub(super) objective: Option<f64>,
    /// Its callers wait until they are served.
    pub(super) patient: bool,
    pub(super) shared: bool,
    /// Priorities of its callers.
    pub(super) priorities: Vec<u32>,
    /// When the first call may come.
    pub(super) opens: SimTime,
}

/// Work is kept in whole nanoseconds of one server's time.
const WORK: f64 = 1e9;

impl Station {
    pub(super) fn new(making: Making) -> Self {
        let mut priorities = making.priorities;
        priorities.sort_unstable_by_key(|&priority| Reverse(priority));
        priorities.dedup();
        let foresees = (making.patient && !making.shared && priorities.len() == 1).then(|| priorities[0]);
        let discipline = if making.shared {
            Discipline::Shared { done: BinaryHeap::new(), work: 0.0, version: 0 }
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
            times: Draws::new(making.time, making.rng),
            drawn: VecDeque::new(),
            objective: making.objective.unwrap_or(f64::INFINITY),
            clock: making.opens,
            looked: (making.opens, 0.0, 0),
            busy_share: 0.0,
            offered: 0,
            tally: StationTally { empty: Some(0.0), ..StationTally::default() },
            started: Started::default(),
            waits: Recorder::new(1.0),
            counts: true,
            foresees,
        }
    }

    /// A call arrives. Nothing about the station changes before `until`, but by what arrives.
    pub(super) fn arrive(&mut self, now: SimTime, call: Call, until: SimTime, starts: &mut Vec<Start>) -> Admission {
        if self.is_known(now) {
            return self.arrive_foreseen(now, call, until, starts);
        }
        self.offered += 1;
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
            let service = self.drawn.pop_front().unwrap_or_else(|| self.times.draw());
            let wait = now - call.arrived;
            self.started(wait, span(service * self.pace.slower));
            (service, wait, !wait.is_zero())
        };
        self.busy += 1;
        let place = self.place(call);
        let slot = &mut self.places[place as usize];
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
                starts.push(Start { place, life, done, call: Some((call, wait)), queued, foreseen: false });
            }
        }
    }

    /// A place for a call.
    pub(super) fn place(&mut self, call: Call) -> u32 {
        let place = self.unused.pop().unwrap_or_else(|| {
            let nothing =
                Place { call: None, life: 0, work: (0.0, 1.0), starts: None, done: SimTime::ZERO, after: 0.0 };
            self.places.push(nothing);
            self.places.len() as u32 - 1
        });
        let slot = &mut self.places[place as usize];
        *slot = Place { call: Some(call), starts: None, after: 0.0, ..*slot };
        place
    }

    /// The part of a server that each call has.
    fn part(&self) -> f64 {
        (f64::from(self.pace.servers) / f64::from(self.busy.max(1))).min(1.0)
    }

    /// Work done so far, when the servers are shared.
    pub(super) fn share_out(&mut self, now: SimTime) {
        let seconds = seconds(now.since(self.clock));
        let part = self.part();
        if let Discipline::Shared { work, .. } = &mut self.discipline {
            *work += seconds * part;
        }
    }

    /// When the next of those that share is done; a change in between makes the event void.
    pub(super) fn next_shared(&mut self, now: SimTime, starts: &mut Vec<Start>) {
        let part = self.part();
        if let Discipline::Shared { done, work, version } = &mut self.discipline {
            *version += 1;
            if let Some(&Reverse((at, _))) = done.peek().filter(|_| part > 0.0) {
                let left = (at as f64 / WORK - *work).max(0.0) / part;
                let done = now + Span::from_secs(left);
                let place = u32::MAX;
                starts.push(Start { place, life: *version, done, call: None, queued: false, foreseen: false });
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
            if !matches!(self.discipline, Discipline::Known(_)) {
                self.pass(now);
            }
            place
        };
        let slot = &mut self.places[place as usize];
        slot.life += 1;
        let call = slot.call.take();
        let after = slot.after;
        self.unused.push(place);
        if matches!(self.discipline, Discipline::Known(_)) {
            return call.map(|call| (call, after));
        }
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
    pub(super) fn fill(&mut self, now: SimTime, starts: &mut Vec<Start>) {
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
        self.be_a_line(now);
        self.settle_service();
        self.ready = ready;
        self.pace = pace;
        self.next_shared(now, starts);
        self.fill(now, starts);
    }
}

/// The line of a priority.
pub(super) fn line(classes: &mut [(u32, VecDeque<Call>)], priority: u32) -> &mut VecDeque<Call> {
    let position = classes.iter().position(|(class, _)| *class == priority).unwrap_or(classes.len() - 1);
    &mut classes[position].1
}
