//! What waits at the stations of one cluster that have more to do than they can, while it isn't nothing.
//!
//! Everything is worked through in order: a backlog grows at λ − cμ and its wait is backlog / (cμ). Solutions depend on
//! it by levels of an eighth of the shortest timeout: within one the wait is taken to be its middle, and a step lasts
//! until a level's end. Beyond every timeout all levels are one.

use super::inputs::Inputs;
use super::station::{StationState, capacity};
use crate::base::{Id, Span};
use crate::domain::Root;
use crate::plan::{ClusterPlan, DEMAND, Levels, Plan};

/// A level and whether the queue is full, as solutions are keyed by it: 0 for no backlog.
pub(super) type Level = u32;
/// Set in a [`Level`] whose queue is full.
const FULL: Level = 1 << 31;

/// The queue is full.
pub(super) fn is_full(level: Level) -> bool {
    level & FULL != 0
}

/// The wait at a level, in seconds.
pub(super) fn wait(levels: Levels, level: Level) -> f64 {
    let number = level & !FULL;
    let middle = if number >= levels.last { f64::from(number) } else { f64::from(number) - 0.5 };
    if number == 0 { 0.0 } else { middle * levels.step }
}

/// Calls that may wait.
fn limit(plan: &Plan, own: &ClusterPlan, station: usize) -> f64 {
    plan.services[own.stations[station].service].queue.map_or(f64::INFINITY, |limit| limit as f64)
}

/// What waits at one station.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    calls: f64,
    /// It was growing.
    grew: bool,
    /// How often it turned lately.
    turned: u32,
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    /// By station; empty while nothing waits.
    queues: Vec<Queue>,
    /// What began it.
    root: Option<Id<Root>>,
}

/// How far into the next level a step goes, in levels: it ends within that level whatever rounding does.
const BEYOND: f64 = 1e-6;

/// Steps at a boundary that is passed to and fro double so often.
const LONGEST: u32 = 3;

impl Backlog {
    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// So many calls wait at each station, because of this.
    pub(super) fn of(calls: &[f64], root: Id<Root>) -> Self {
        let queues = calls.iter().map(|&calls| Queue { calls, ..Queue::default() }).collect();
        let mut backlog = Self { queues, root: Some(root) };
        backlog.forget();
        backlog
    }

    /// Calls that wait at each station, and why; nothing while none do.
    pub(super) fn calls(&self) -> impl Iterator<Item = (f64, Id<Root>)> {
        self.queues.iter().map(|queue| (queue.calls, self.root.unwrap_or(Id::new(DEMAND))))
    }

    /// What the solution depends on besides inputs, slot and pods: a level by station, then the root; nothing where
    /// nothing waits.
    pub(super) fn key(&self, plan: &Plan, own: &ClusterPlan, capacities: impl Fn(usize) -> f64) -> Vec<u32> {
        if self.is_empty() {
            return Vec::new();
        }
        let level = |(station, &Queue { calls, .. }): (usize, &Queue)| {
            let Some(levels) = own.stations[station].levels.filter(|_| calls > 0.0) else { return 0 };
            let capacity = capacities(station);
            let wait = if capacity > 0.0 { calls / capacity } else { f64::INFINITY };
            let beyond = wait >= levels.step * f64::from(levels.last);
            let number = if beyond { levels.last } else { (1 + (wait / levels.step) as u32).min(levels.last) };
            let full = calls >= limit(plan, own, station) * (1.0 - 1e-9);
            number | if full { FULL } else { 0 }
        };
        let mut key: Vec<u32> = self.queues.iter().enumerate().map(level).collect();
        key.push(self.root.map_or(DEMAND, Id::index) as u32);
        key
    }

    /// How long until some level ends, at most `most`.
    pub(super) fn lasts(&self, own: &ClusterPlan, plan: &Plan, stations: &[StationState], most: Span) -> Span {
        let mut secs = most.secs();
        for (station, state) in stations.iter().enumerate() {
            let Some(levels) = own.stations[station].levels else { continue };
            let Queue { calls, grew, turned } = self.queues.get(station).copied().unwrap_or_default();
            let drift = state.drift(calls);
            if drift == 0.0 {
                continue;
            }
            let width = levels.step * state.capacity;
            let top = width * f64::from(levels.last);
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
            // One turn is the load's. Where two levels push at each other time goes on all the same, in longer and longer
            // steps: what share of it each level has follows from how they push.
            let to_and_fro = (drift > 0.0) != grew && turned > 0;
            let least = 0.125 * levels.step * f64::from(1_u32 << turned.min(LONGEST));
            let empty = if drift < 0.0 { calls / -drift } else { f64::INFINITY };
            secs = secs.min(if to_and_fro { time.max(least.min(empty)) } else { time });
        }
        Span::from_secs(secs).min(most).max(Span::from_nanos(1))
    }

    /// What waits at a station that is down, or has no capacity, dies with it.
    pub(super) fn die(&mut self, plan: &Plan, own: &ClusterPlan, inputs: &Inputs, ready: impl Fn(usize) -> u32) {
        let all = inputs.front.down.is_some() || inputs.zones_up == 0;
        for (station, queue) in self.queues.iter_mut().enumerate().filter(|(_, queue)| queue.calls > 0.0) {
            let condition = inputs.stations.iter().find(|(other, _)| *other as usize == station);
            let down = condition.is_some_and(|(_, condition)| condition.down.is_some());
            if all || down || capacity(plan, own, inputs, station, ready(station)) <= 0.0 {
                queue.calls = 0.0;
            }
        }
        self.forget();
    }

    /// Forgets everything once nothing waits.
    fn forget(&mut self) {
        if self.queues.iter().all(|queue| queue.calls <= 0.0) {
            self.queues.clear();
            self.root = None;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(
        &mut self,
        own: &ClusterPlan,
        plan: &Plan,
        stations: &[StationState],
        root: Id<Root>,
        time: Span,
    ) {
        self.queues.resize(own.stations.len(), Queue::default());
        for (station, queue) in self.queues.iter_mut().enumerate() {
            let state = &stations[station];
            let drift = state.drift(queue.calls);
            queue.calls = (queue.calls + drift * time.secs()).clamp(0.0, limit(plan, own, station));
            let turns = (drift > 0.0) != queue.grew;
            queue.turned = if turns { (queue.turned + 1).min(LONGEST) } else { queue.turned.saturating_sub(1) };
            queue.grew = drift > 0.0;
            // A whole level's rounding is not a backlog.
            if queue.calls <= 1e-9 * state.capacity {
                queue.calls = 0.0;
            }
        }
        self.root.get_or_insert(root);
        self.forget();
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
