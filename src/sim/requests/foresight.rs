//! A line whose servers stay as they are until the world's next event: when a call leaves is known when it comes, and no
//! event is needed for it.
//!
//! A call that leaves before that event is forgotten at once, for nothing can happen to it. The others are given places,
//! as in a line. So whenever something does happen to the station it is made a line again, and goes on call by call until
//! nobody waits. It serves, counts and draws as the line would.

use super::known::{Known, Times};
use super::several::{Easy, Several};
use super::station::{Admission, Call, Discipline, Place, Start, Station, line};
use super::units::{span, spans};
use crate::base::{SimTime, Span};
use std::collections::VecDeque;

/// A call whose way through the station is known.
#[derive(Clone, Copy)]
pub(super) struct Passage {
    pub(super) start: SimTime,
    pub(super) done: SimTime,
    pub(super) service: f64,
}

/// Of several calls that arrive, how many pass through easily; and whether the next one doesn't. That has a passage, unless
/// it isn't served.
pub(super) struct Passed {
    pub(super) easy: usize,
    pub(super) stops: bool,
    pub(super) passage: Option<Passage>,
}

impl Station {
    /// When a call that comes now leaves is known. A line is looked at once nobody waits in it any more.
    #[inline]
    pub(super) fn is_known(&mut self, now: SimTime) -> bool {
        match &self.discipline {
            Discipline::Known(_) => true,
            Discipline::Line(_) => self.foresees.is_some() && self.be_known(now),
            Discipline::Shared { .. } => false,
        }
    }

    #[cold]
    fn be_known(&mut self, now: SimTime) -> bool {
        let calm = self.waiting == 0 && self.drawn.is_empty() && self.busy < self.pace.servers;
        if !calm || self.pace.later != 1.0 {
            return false;
        }
        self.prepare(now);
        let done = self.places.iter().filter(|place| place.call.is_some()).map(|place| place.done).collect();
        let has_end = self.limit < u64::MAX;
        self.discipline = Discipline::Known(Known::new(now, self.pace.servers, done, has_end));
        true
    }

    /// Something happens to the station: it is a line, of calls that are served and calls that wait.
    pub(super) fn be_a_line(&mut self, now: SimTime) {
        let Discipline::Known(_) = self.discipline else { return };
        let waits = |place: &Place| place.call.filter(|_| place.starts.is_some());
        let mut waiting: Vec<(SimTime, u32, Call, f64)> = Vec::new();
        self.busy = 0;
        for (number, place) in self.places.iter_mut().enumerate() {
            if let Some(call) = waits(place) {
                waiting.push((place.starts.unwrap_or(now), number as u32, call, place.work.0));
                *place = Place { call: None, life: place.life + 1, ..*place };
                self.unused.push(number as u32);
            } else {
                self.busy += u32::from(place.call.is_some());
            }
        }
        // In the order in which they came; two that came at once are taken up in any.
        waiting.sort_unstable_by_key(|&(starts, number, call, _)| (call.arrived, starts, number));
        self.waiting = waiting.len() as u64;
        let mut classes = vec![(self.foresees.unwrap_or(0), VecDeque::new())];
        for (_, _, call, service) in waiting {
            line(&mut classes, call.priority).push_back(call);
            self.drawn.push_back(service);
        }
        self.discipline = Discipline::Line(classes);
    }

    /// A call arrives of which all is known. `None` if it isn't served.
    #[inline]
    pub(super) fn pass_through(&mut self, now: SimTime, until: SimTime) -> Option<Passage> {
        self.offered += 1;
        let Discipline::Known(known) = &mut self.discipline else { return None };
        let Some(start) = known.start(now, self.limit) else {
            self.not_served();
            return None;
        };
        let service = self.times.draw();
        let done = known.take_up(now, start, span(service * self.pace.slower));
        // One that may yet be taken up otherwise is counted when it is.
        if done < until || start == now {
            self.started(start - now, done - start);
        }
        Some(Passage { start, done, service })
    }

    /// Several calls arrive of which all is known, one after another: each passes through as one that is alone, up to the
    /// first that isn't easy or isn't served.
    pub(super) fn pass_several(&mut self, calls: &mut Several, easy: Easy) -> Passed {
        let Discipline::Known(known) = &mut self.discipline else {
            return Passed { easy: 0, stops: false, passage: None };
        };
        let services = self.times.ahead();
        calls.count = calls.count.min(services.len());
        let services = &services[..calls.count];
        spans(services, self.pace.slower, &mut calls.service);
        let count = known.pass(calls, self.limit, easy);
        self.offered += count as u64;
        if count > 0 {
            self.times.take(count);
        }
        let last = count.checked_sub(1).map(|last| (calls.come[last], calls.passage(last, self.times.drawn_last())));
        if let Some((came, passage)) = last.filter(|(came, passage)| !easy.is(*came, passage.done.nanos())) {
            // One that may yet be taken up otherwise is counted when it is.
            let counts = passage.done < easy.until || passage.start.nanos() == came;
            let other = if counts { 0 } else { u128::from(calls.service[count - 1]) };
            self.started_several(calls, count - usize::from(!counts), calls.busy - other);
            return Passed { easy: count - 1, stops: true, passage: Some(passage) };
        }
        self.started_several(calls, count, calls.busy);
        let rejected = count < calls.count;
        if rejected {
            self.offered += 1;
            self.not_served();
        }
        Passed { easy: count, stops: rejected, passage: None }
    }

    /// A call arrives. Nothing happens to the station before `until`.
    pub(super) fn arrive_foreseen(
        &mut self,
        now: SimTime,
        call: Call,
        until: SimTime,
        starts: &mut Vec<Start>,
    ) -> Admission {
        match self.pass_through(now, until) {
            None => Admission::Rejected,
            Some(Passage { start, done, .. }) if done < until => Admission::Leaves(done, start - now),
            Some(passage) => self.stay(now, call, passage, starts),
        }
    }

    /// A call will still be here when something happens to the station.
    pub(super) fn stay(
        &mut self,
        now: SimTime,
        call: Call,
        Passage { start, done, service }: Passage,
        starts: &mut Vec<Start>,
    ) -> Admission {
        let place = self.place(call);
        let slot = &mut self.places[place as usize];
        (slot.work, slot.done) = ((service, self.pace.slower), done);
        let life = slot.life;
        if start == now {
            let call = Some((call, Span::ZERO));
            starts.push(Start { place, life, done, call, queued: false, foreseen: false });
            return Admission::Taken;
        }
        slot.starts = Some(start);
        starts.push(Start { place, life, done: start, call: None, queued: true, foreseen: true });
        Admission::Waits
    }

    /// A call that was to wait until now is taken up, if nothing has happened meanwhile.
    pub(super) fn take_up_foreseen(&mut self, now: SimTime, place: u32, life: u32, starts: &mut Vec<Start>) {
        let slot = &mut self.places[place as usize];
        let Some(call) = slot.call.filter(|_| slot.life == life) else { return };
        slot.starts = None;
        let (done, wait) = (slot.done, now - call.arrived);
        self.started(wait, done - now);
        starts.push(Start { place, life, done, call: Some((call, wait)), queued: true, foreseen: false });
    }

    /// So many calls that come from now on find room in the queue, whenever they do.
    pub(super) fn has_room(&mut self, now: SimTime, calls: u64) -> bool {
        match &mut self.discipline {
            Discipline::Known(known) => known.has_room(now, self.limit, calls),
            Discipline::Line(_) | Discipline::Shared { .. } => false,
        }
    }

    /// A call waits.
    pub(super) fn has_waiting(&self, now: SimTime) -> bool {
        match &self.discipline {
            Discipline::Known(known) => known.has_waiting(now),
            Discipline::Line(_) | Discipline::Shared { .. } => self.waiting > 0,
        }
    }

    /// Of a known line since it was asked last: server-seconds that were busy, call-seconds, seconds without calls.
    pub(super) fn foreseen_until(&mut self, now: SimTime) -> Option<(f64, f64, f64)> {
        let Discipline::Known(known) = &mut self.discipline else { return None };
        let mut ahead = Times::default();
        for place in self.places.iter().filter(|place| place.call.is_some()) {
            let start = place.starts.unwrap_or(now).max(now);
            ahead.busy += u128::from(place.done.since(start).nanos());
            ahead.here += u128::from(place.done.since(now).nanos());
        }
        let Times { busy, here, idle } = known.look(now, ahead);
        let seconds = |nanos: u128| nanos as f64 * 1e-9;
        Some((seconds(busy), seconds(here), seconds(idle)))
    }
}
