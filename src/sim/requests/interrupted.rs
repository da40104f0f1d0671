//! What becomes of calls whose servers fail under them: they die, or go back to the queue.

use super::station::{Call, Discipline, Place, Start, Station, line};
use super::units::seconds;
use crate::base::SimTime;
use crate::base::stream::uniform;
use crate::failure::spec::Interrupted;
use core::cmp::Reverse;

/// A call that went back to the queue when its pod failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returned {
    entry: u32,
    life: u32,
    /// Seconds of an undisturbed server that it still takes.
    pub(super) left: f64,
    pub(super) since: SimTime,
}

impl Station {
    /// Of what is being served each dies with this probability; all that waits too, if it is 1.
    pub(super) fn kill(&mut self, now: SimTime, chance: f64, dead: &mut Vec<Call>, starts: &mut Vec<Start>) {
        self.prepare(now);
        self.be_a_line(now);
        for (number, place) in self.places.iter_mut().enumerate() {
            if place.call.is_none() || (chance < 1.0 && uniform(&mut self.times.rng) > chance) {
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

    /// One of its pods fails, with what that is serving: `hit` is all of it. Which calls those are is drawn, for a call
    /// is as likely on one server as on another. They go back to the queue, unless they fail.
    pub(super) fn fail_pod(&mut self, now: SimTime, calls: Interrupted, hit: &mut Vec<Call>, starts: &mut Vec<Start>) {
        self.prepare(now);
        self.be_a_line(now);
        // Servers of the pod; under `scale` a pod has a part of one.
        let servers = f64::from(self.pace.servers) / f64::from(self.ready.max(1));
        let shared = matches!(self.discipline, Discipline::Shared { .. });
        let part = servers.fract();
        let mut lost = servers as u32 + u32::from(part > 0.0 && uniform(&mut self.times.rng) < part);
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
            if chance < 1.0 && uniform(&mut self.times.rng) >= chance {
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
    pub(super) fn take_returned(&mut self, call: Call) -> Option<Returned> {
        let same = |other: &Returned| (other.entry, other.life) == (call.entry, call.life);
        let position = self.returned.iter().position(same)?;
        Some(self.returned.swap_remove(position))
    }
}
