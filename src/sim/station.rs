//! One service in one cluster as it is while a solution lasts: in steady state, or behind with a backlog.
//!
//! Below saturation a station is an M/M/c or M/M/c/K queue (`traffic/queueing.rs`). Above it, and until what has piled
//! up is worked off, it is a fluid queue: all its servers are busy, everything is served in order, and a call waits for
//! what was there before it. A queue that holds less than one level of waiting is full or empty within a moment, so it
//! is M/M/c/K above saturation, too.

use super::backlog::{Level, is_full, wait};
use super::curves::NEGLIGIBLE_WAIT;
use super::inputs::{Condition, Inputs};
use crate::plan::{ClusterPlan, Levels, Plan, ServicePlan};
use crate::traffic::queueing::{self, Load, Steady};
use crate::traffic::spec::Station;

/// Load that is above capacity by no more than this is rounding: that of what another station lets through.
const ROUNDING: f64 = 1e-9;

/// One station.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StationState {
    /// Calls per second.
    pub(super) arrivals: f64,
    pub(super) steady: Steady,
    pub(super) ready: u32,
    /// Calls per second that it can serve.
    pub(super) capacity: f64,
    /// It has a backlog, or begins to: all its servers are busy with it.
    pub(super) behind: bool,
    /// Calls that go on to the next station for each one that is accepted.
    pub(super) passes_on: f64,
}

impl StationState {
    /// Calls per second that it serves.
    pub(super) fn served(&self) -> f64 {
        if self.behind { self.capacity } else { (self.arrivals * (1.0 - self.steady.rejected)).min(self.capacity) }
    }

    /// Calls per second by which a backlog of so many grows.
    pub(super) fn drift(&self, calls: f64) -> f64 {
        if !self.behind {
            return 0.0;
        }
        let drift = self.arrivals - self.capacity;
        if calls <= 0.0 { drift.max(0.0) } else { drift }
    }
}

/// Calls per second that a station can serve with so many ready pods.
pub(super) fn capacity(plan: &Plan, own: &ClusterPlan, inputs: &Inputs, station: usize, ready: u32) -> f64 {
    let service = &plan.services[own.stations[station].service];
    let degraded = inputs.stations.iter().find(|(other, _)| *other as usize == station);
    let degraded = degraded.map_or(1.0, |(_, condition)| condition.capacity.get()) * inputs.front.capacity.get();
    f64::from(ready) * f64::from(service.concurrency) * degraded / service.mean.max(1e-12)
}

/// What a station is given while a solution lasts, but for its load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'a> {
    service: &'a ServicePlan,
    levels: Option<Levels>,
    level: Level,
    ready: u32,
    capacity: f64,
    /// Mean service time in seconds.
    mean: f64,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        inputs: &Inputs,
        position: usize,
        ready: u32,
        level: Level,
        condition: &Condition,
    ) -> Self {
        let own = &plan.clusters[inputs.cluster];
        let station = &own.stations[position];
        let service = &plan.services[station.service];
        let degraded = condition.capacity.get() * inputs.front.capacity.get();
        Self::of(service, station.levels, level, ready, degraded)
    }

    /// With so much of its capacity left by faults.
    pub(super) fn of(
        service: &'a ServicePlan,
        levels: Option<Levels>,
        level: Level,
        ready: u32,
        degraded: f64,
    ) -> Self {
        let capacity = f64::from(ready) * f64::from(service.concurrency) * degraded / service.mean.max(1e-12);
        // Less capacity is slower servers: the same as fewer, without their rounding.
        Self { service, levels, level, ready, capacity, mean: service.mean / degraded.max(1e-9) }
    }

    /// Seconds that a call waits for the backlog.
    pub(super) fn wait(&self) -> f64 {
        self.levels.map_or(0.0, |levels| wait(levels, self.level))
    }

    /// A backlog begins: half a level waits in the mean until the first level is passed.
    pub(super) fn begin(&mut self) -> bool {
        let begins = self.level == 0;
        self.level = self.level.max(1);
        begins
    }

    /// Whether a backlog is there or begins under this load.
    pub(super) fn is_behind(&self, arrivals: f64) -> bool {
        let Some(levels) = self.levels.filter(|_| self.capacity > 0.0) else { return false };
        let holds = self.service.queue.is_none_or(|limit| limit as f64 > levels.step * self.capacity);
        self.level > 0 || (holds && arrivals > self.capacity * (1.0 + ROUNDING))
    }

    /// Calls may pile up here: whether they do is to be found out before any is shed.
    pub(super) fn may_be_behind(&self) -> bool {
        self.is_behind(f64::INFINITY)
    }

    /// While there is a backlog, or one begins.
    pub(super) fn behind(&self, arrivals: f64) -> StationState {
        let rejected = if is_full(self.level) { (1.0 - self.capacity / arrivals).max(0.0) } else { 0.0 };
        // The next station sees what is served, not what arrives; nobody knows of whom where nobody arrives.
        let accepted = arrivals * (1.0 - rejected);
        let passes_on = if accepted <= 0.0 { 1.0 } else { self.capacity / accepted };
        StationState {
            arrivals,
            steady: Steady { rejected, waiting: 1.0, wait_if_waiting: self.wait(), utilisation: 1.0, empty: Some(0.0) },
            ready: self.ready,
            capacity: self.capacity,
            behind: true,
            passes_on: if self.level > 0 { passes_on } else { passes_on.min(1.0) },
        }
    }

    /// In steady state, if nobody waits and nobody is turned away, as far as anyone can tell.
    pub(super) fn calm(&self, arrivals: f64) -> Option<StationState> {
        if self.is_behind(arrivals) {
            return None;
        }
        let state = self.steady(arrivals, true);
        let steady = &state.steady;
        // Of so few that are turned away there are none in all that success is multiplied out of.
        (steady.waiting <= NEGLIGIBLE_WAIT && steady.rejected < 1e-17).then_some(state)
    }

    /// In steady state. An empty queue sheds nothing where it is not to be `chance` alone that fills it.
    pub(super) fn steady(&self, arrivals: f64, chance: bool) -> StationState {
        let load = Load {
            arrivals,
            service: self.mean,
            cv: self.service.cv,
            servers: if self.capacity > 0.0 { u64::from(self.ready) * u64::from(self.service.concurrency) } else { 0 },
            queue: self.service.queue,
        };
        let steady = match self.service.station {
            Station::Mmc if chance || !self.may_be_behind() => queueing::mmc(load),
            Station::Mmc => Steady::default(),
            Station::Fluid => queueing::fluid(load),
            // The number of calls of a shared station is that of M/M/c, whatever the law of their work.
            Station::Ps => queueing::mmc(Load { cv: 1.0, ..load }),
        };
        StationState { arrivals, steady, ready: self.ready, capacity: self.capacity, behind: false, passes_on: 1.0 }
    }
}
