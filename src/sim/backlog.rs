//! What waits at the stations of one cluster that work through everything in order, while it isn't nothing.
//!
//! A backlog grows at λ − cμ and its wait is backlog / (cμ). Solutions depend on it by levels of an eighth of the
//! shortest timeout: within one the wait is taken to be its middle, and a step lasts until a level's end. Beyond every
//! timeout all levels are one.

use super::inputs::Inputs;
use super::solve::{Solution, capacity};
use crate::base::{Id, Span};
use crate::domain::Root;
use crate::plan::{ClusterPlan, DEMAND, Plan};

/// A level and whether the queue is full, as solutions are keyed by it: 0 for no backlog.
pub(super) type Level = u32;
/// Set in a [`Level`] whose queue is full.
const FULL: Level = 1 << 31;

/// The wait at a level, in seconds, and whether the queue is full.
pub(super) fn wait(own: &ClusterPlan, station: usize, level: Level) -> (f64, bool) {
    let Some(queue) = &own.stations[station].fifo else { return (0.0, false) };
    let number = level & !FULL;
    let wait = if number >= queue.last { f64::from(number) } else { f64::from(number) - 0.5 };
    (if number == 0 { 0.0 } else { wait * queue.step }, level & FULL != 0)
}

/// Calls that may wait.
fn limit(plan: &Plan, own: &ClusterPlan, station: usize) -> f64 {
    plan.services[own.stations[station].service].queue.map_or(f64::INFINITY, |limit| limit as f64)
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    /// Calls by station; empty where no station keeps a backlog.
    calls: Vec<f64>,
    /// By station: it was growing; and how often it turned lately.
    grew: Vec<(bool, u32)>,
    /// What began it.
    root: Option<Id<Root>>,
}

/// How far into the next level a step goes, in levels: it ends within that level whatever rounding does.
const BEYOND: f64 = 1e-6;

/// Steps at a boundary that is passed to and fro double so often.
const LONGEST: u32 = 8;

impl Backlog {
    pub(super) fn new(own: &ClusterPlan) -> Self {
        let keeps = own.stations.iter().any(|station| station.fifo.is_some());
        let stations = if keeps { own.stations.len() } else { 0 };
        Self { calls: vec![0.0; stations], grew: vec![(false, 0); stations], root: None }
    }

    /// Some station keeps one.
    pub(super) fn is_kept(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.iter().all(|calls| *calls <= 0.0)
    }

    /// What the solution depends on besides inputs, slot and pods: a level by station, then the root; nothing where
    /// nothing waits.
    pub(super) fn key(&self, plan: &Plan, own: &ClusterPlan, capacities: impl Fn(usize) -> f64) -> Vec<u32> {
        if self.is_empty() {
            return Vec::new();
        }
        let level = |(station, &calls): (usize, &f64)| {
            let Some(fifo) = own.stations[station].fifo.filter(|_| calls > 0.0) else { return 0 };
            let capacity = capacities(station);
            let wait = if capacity > 0.0 { calls / capacity } else { f64::INFINITY };
            let number =
                if wait >= fifo.step * f64::from(fifo.last) { fifo.last } else { 1 + (wait / fifo.step) as u32 };
            let full = calls >= limit(plan, own, station) * (1.0 - 1e-9);
            number.min(fifo.last) | if full { FULL } else { 0 }
        };
        let mut key: Vec<u32> = self.calls.iter().enumerate().map(level).collect();
        key.push(self.root.map_or(DEMAND, Id::index) as u32);
        key
    }

    /// How long until some level ends, at most `most`.
    pub(super) fn lasts(&self, own: &ClusterPlan, plan: &Plan, solution: &Solution, most: Span) -> Span {
        let mut secs = most.secs();
        for (station, &calls) in self.calls.iter().enumerate() {
            let Some(fifo) = own.stations[station].fifo else { continue };
            let state = &solution.stations[station];
            let drift = state.drift(calls);
            if drift == 0.0 {
                continue;
            }
            let width = fifo.step * state.capacity;
            let top = width * f64::from(fifo.last);
            let limit = limit(plan, own, station);
            let level = (calls / width).floor();
            let next = if drift > 0.0 {
                let next = if calls >= top { limit } else { ((level + 1.0 + BEYOND) * width).min(limit) };
                if calls >= next {
                    continue;
                }
                next
            } else if calls > top {
                top - BEYOND * width
            } else {
                ((level - BEYOND) * width).max(0.0)
            };
            let time = (next - calls) / drift;
            // Where two levels push at each other time goes on all the same, in longer and longer steps: what share of
            // it each level has follows from how they push.
            let (grew, turned) = self.grew[station];
            let least = 0.25 * fifo.step * f64::from(1_u32 << turned.min(LONGEST));
            let empty = if drift < 0.0 { calls / -drift } else { f64::INFINITY };
            secs = secs.min(if (drift > 0.0) == grew { time } else { time.max(least.min(empty)) });
        }
        Span::from_secs(secs).min(most).max(Span::from_nanos(1))
    }

    /// What waits at a station that is down dies with it.
    pub(super) fn die(&mut self, inputs: &Inputs) {
        let all = inputs.front.down.is_some() || inputs.zones_up == 0;
        for (station, calls) in self.calls.iter_mut().enumerate().filter(|(_, calls)| **calls > 0.0) {
            let own = inputs.stations.iter().find(|(other, _)| *other as usize == station);
            if all || own.is_some_and(|(_, condition)| condition.down.is_some()) {
                *calls = 0.0;
            }
        }
        if self.is_empty() {
            self.root = None;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, own: &ClusterPlan, plan: &Plan, solution: &Solution, root: Id<Root>, time: Span) {
        if self.calls.is_empty() {
            return;
        }
        for (station, calls) in self.calls.iter_mut().enumerate() {
            if own.stations[station].fifo.is_none() {
                continue;
            }
            let state = &solution.stations[station];
            let drift = state.drift(*calls);
            *calls = (*calls + drift * time.secs()).clamp(0.0, limit(plan, own, station));
            let (grew, turned) = &mut self.grew[station];
            *turned = if (drift > 0.0) == *grew { turned.saturating_sub(1) } else { (*turned + 1).min(LONGEST) };
            *grew = drift > 0.0;
            // A whole level's rounding is not a backlog.
            if *calls <= 1e-9 * state.capacity {
                *calls = 0.0;
            }
        }
        if self.is_empty() {
            self.root = None;
        } else {
            self.root.get_or_insert(root);
        }
    }

    /// The level of each station under these pods and inputs.
    pub(super) fn key_now(
        &self,
        plan: &Plan,
        own: &ClusterPlan,
        inputs: &Inputs,
        ready: impl Fn(usize) -> u32,
    ) -> Vec<u32> {
        self.key(plan, own, |station| capacity(plan, own, inputs, station, ready(station)))
    }
}
