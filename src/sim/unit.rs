//! One cluster through time: its pods, its autoscalers, the solutions it stays in.
//!
//! A unit is advanced only when something from outside touches it. Whole slots under constant inputs are taken
//! from the memo; a slot that something breaks into is stepped through. Times of pods are kept relative to a
//! base one week before the slot's start, so that equal situations in different weeks are equal.

use super::backlog::Backlog;
use super::memo::{InputsId, Memo, PodsId, Transition, TransitionId};
use super::orbit::{Orbits, Place};
use super::station::{StationState, capacity};
use super::step::{Limits, Step, next_sync, place, sync_from, used};
use super::tally::Tally;
use crate::base::{Id, SimTime, Span};
use crate::domain::Cluster;
use crate::plan::Plan;
use crate::scaling::deployment::Deployment;
use crate::scaling::hpa::Rule;

/// Relative times count from this long before their slot's start.
const BASE: Span = Span::WEEK;

/// One cluster through time.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) cluster: Id<Cluster>,
    pub(super) inputs: InputsId,
    /// How far it has been advanced.
    pub(super) clock: SimTime,
    /// In absolute time; memory for them while they are at a boundary.
    pods: Vec<Deployment>,
    /// At the boundary where the clock stands: their number there, and the transition that led there.
    boundary: Option<(PodsId, Option<TransitionId>)>,
    /// Share of the node pool that isn't in a dead zone.
    pub(super) usable: f64,
    /// Fewest nodes now.
    pub(super) min_nodes: u32,
    /// Its autoscalers run.
    pub(super) active: bool,
    /// No node is to be had.
    pub(super) short: bool,
    /// Every slot is a whole number of syncs: slots repeat.
    repeats: bool,
    /// What waits.
    pub(super) backlog: Backlog,
}

impl Unit {
    pub(super) fn new(plan: &Plan, cluster: Id<Cluster>, inputs: InputsId) -> Self {
        let own = &plan.clusters[cluster];
        let pods = own.stations.iter().map(|station| Deployment::steady(station.standby_replicas)).collect();
        let repeats = own.stations.iter().all(|station| {
            station.hpa.as_ref().is_none_or(|rule| {
                plan.slot.nanos().is_multiple_of(rule.sync.nanos())
                    && plan.week_offset.nanos().is_multiple_of(rule.sync.nanos())
            })
        });
        Self {
            cluster,
            inputs,
            clock: SimTime::ZERO,
            pods,
            boundary: None,
            usable: 1.0,
            min_nodes: own.standby_min_nodes,
            active: !own.standby,
            short: false,
            repeats,
            backlog: Backlog::default(),
        }
    }

    /// The pods in absolute time.
    pub(super) fn pods<'m>(&'m mut self, memo: &Memo) -> &'m mut Vec<Deployment> {
        if let Some((id, _)) = self.boundary.take() {
            for (pods, there) in self.pods.iter_mut().zip(memo.pods(id)) {
                pods.copy_from(there);
                pods.shift(BASE, self.clock);
            }
        }
        &mut self.pods
    }

    /// They are at the boundary where the clock stands.
    fn reach_boundary(&mut self, memo: &mut Memo) -> PodsId {
        for pods in &mut self.pods {
            pods.shift(self.clock.since(SimTime::ZERO), SimTime::ZERO + BASE);
        }
        let id = memo.pods_id(&self.pods);
        self.boundary = Some((id, None));
        id
    }

    /// The least backlog that rates tell from a queue that chance piles up: a level, in calls by station.
    pub(super) fn least_backlog(&mut self, plan: &Plan, memo: &Memo) -> Vec<f64> {
        let ready: Vec<u32> = self.pods(memo).iter().map(|pods| pods.ready).collect();
        let (own, inputs) = (&plan.clusters[self.cluster], memo.inputs(self.inputs));
        let least = |(station, &ready): (usize, &u32)| {
            own.stations[station]
                .levels
                .map_or(f64::INFINITY, |levels| levels.step * capacity(plan, own, inputs, station, ready))
        };
        ready.iter().enumerate().map(least).collect()
    }

    /// What waits, as solutions are keyed by it.
    pub(super) fn waiting(&mut self, plan: &Plan, memo: &Memo) -> Vec<u32> {
        let ready: Vec<u32> = self.pods(memo).iter().map(|pods| pods.ready).collect();
        self.backlog.key_now(plan, &plan.clusters[self.cluster], memo.inputs(self.inputs), |station| ready[station])
    }

    /// Advances to `to`, adding up what happens.
    pub(super) fn advance(&mut self, to: SimTime, plan: &Plan, memo: &mut Memo, tally: &mut Tally) {
        while self.clock < to {
            if self.skip(to, plan, memo, tally) {
                continue;
            }
            let (slot, slot_end) = slot_at(plan, self.clock);
            let whole = slot_end - self.clock == plan.slot && slot_end <= to;
            let may_repeat = whole && self.repeats && !tally.tracing() && self.backlog.is_empty();
            if !(may_repeat && self.take_slot(slot, slot_end, plan, memo, tally)) {
                let end = slot_end.min(to);
                let (from, cluster) = (self.clock, self.cluster);
                let step = self.step(slot, plan, memo);
                let mut backlog = core::mem::take(&mut self.backlog);
                let pods = self.pods(memo);
                step.run(pods, &mut backlog, from, end, memo, &mut |memo, stay, nodes| {
                    tally.stay(cluster, stay, nodes, memo);
                });
                self.backlog = backlog;
                self.clock = end;
                if end == slot_end && self.repeats && !tally.tracing() {
                    self.reach_boundary(memo);
                }
            }
        }
    }

    /// Skips the whole slots until `to` where nothing but the weekly orbit goes on. Not while every stay is wanted.
    fn skip(&mut self, to: SimTime, plan: &Plan, memo: &Memo, tally: &mut Tally) -> bool {
        let Some((_, Some(before))) = self.boundary else { return false };
        let count = ((to - self.clock).nanos() / plan.slot.nanos()) as usize;
        let Some(place) = memo.orbits.place(before).filter(|_| count > 0 && !tally.tells_stays()) else { return false };
        let slots = &memo.orbits.get(place.orbit).slots;
        tally.skip(Place { slot: (place.slot + 1) % slots.len(), ..place }, count, memo);
        let last = slots[(place.slot + count) % slots.len()];
        self.boundary = Some((PodsId(memo.transition(last).pods), Some(last)));
        self.clock += Span::from_nanos(plan.slot.nanos() * count as u64);
        true
    }

    /// Finds the orbit that it comes to if nothing happens.
    pub(super) fn find_orbit(&mut self, plan: &Plan, memo: &mut Memo, tally: &mut Tally, orbits: &mut Orbits) {
        // It closes after one week on the way to it, and one is walked whole to link its slots.
        self.advance(SimTime::from_nanos(Span::WEEK.nanos() * 3), plan, memo, tally);
        let Some((_, Some(last))) = self.boundary else { return };
        let week = (Span::WEEK.nanos() / plan.slot.nanos()) as usize;
        orbits.find(last, week, self.cluster, plan, memo);
    }

    /// With these inputs all that happens in a slot is linear in their shares, wherever between their ends these are: nobody
    /// waits, and what autoscalers do doesn't depend on it.
    pub(super) fn is_linear(&mut self, inputs: InputsId, slot: usize, plan: &Plan, memo: &mut Memo) -> bool {
        let (own, scales, is_behind) = (&plan.clusters[self.cluster], self.active, !self.backlog.is_empty());
        let rules = || own.stations.iter().map(|station| station.hpa.as_ref().filter(|_| scales));
        let pods = self.pods(memo);
        // An autoscaler may stop all but the fewest; pods on their way come whatever the load is if it wants no others.
        let stay = |(pods, rule): (&Deployment, Option<&Rule>)| {
            rule.is_none_or(|rule| pods.total() == rule.min || pods.pending.is_empty() && pods.ready > rule.min)
        };
        if is_behind || !pods.iter().zip(rules()).all(stay) {
            return false;
        }
        let fewest =
            |(pods, rule): (&Deployment, Option<&Rule>)| rule.map_or(pods.ready, |rule| rule.min.min(pods.ready));
        let fewest: Vec<u32> = pods.iter().zip(rules()).map(fewest).collect();
        memo.at_most(plan, inputs, slot, &fewest).is_some_and(|stations| {
            // What it would want is no more than the fewest.
            let is_enough = |(state, rule): (&StationState, Option<&Rule>)| {
                let ratio = |rule: &Rule| rule.ratio(state.arrivals, state.steady.utilisation, state.ready);
                rule.is_none_or(|rule| ratio(rule) * f64::from(state.ready) <= f64::from(rule.min))
            };
            stations.iter().zip(rules()).all(is_enough)
        })
    }

    fn limits(&self) -> Limits {
        Limits { min_nodes: self.min_nodes, usable: self.usable, short: self.short }
    }

    fn step<'p>(&self, slot: usize, plan: &'p Plan, memo: &Memo) -> Step<'p> {
        let (own, inputs, active) = (&plan.clusters[self.cluster], self.inputs, self.scales(memo));
        Step { plan, own, inputs, slot, active, limits: self.limits() }
    }

    /// Its autoscalers run: a cluster that is down has no control plane, and keeps the pods it had.
    fn scales(&self, memo: &Memo) -> bool {
        self.active && memo.inputs(self.inputs).front.down.is_none()
    }

    /// Takes one whole slot from the memo, or works it out first; not one in which a backlog begins.
    fn take_slot(&mut self, slot: usize, slot_end: SimTime, plan: &Plan, memo: &mut Memo, tally: &mut Tally) -> bool {
        let (pods, before) = self.boundary.unwrap_or_else(|| (self.reach_boundary(memo), None));
        let followed = before.and_then(|before| memo.transition(before).next);
        let id = if let Some(id) = followed {
            id
        } else {
            // The inputs say how many zones are up and whether autoscaling is on, so the nodes follow from them.
            let key = (self.inputs, slot as u32, pods);
            let id = if let Some(id) = memo.find_transition(key) {
                id
            } else {
                let Some(transition) = self.work_out(slot, pods, plan, memo) else { return false };
                memo.add_transition(key, transition)
            };
            if let Some(before) = before {
                memo.link(before, id);
            }
            id
        };
        tally.slot(self.cluster, id, self.clock, memo);
        self.boundary = Some((PodsId(memo.transition(id).pods), Some(id)));
        self.clock = slot_end;
        true
    }

    /// A whole slot that begins without a backlog; none if one begins in it.
    fn work_out(&mut self, slot: usize, pods: PodsId, plan: &Plan, memo: &mut Memo) -> Option<Transition> {
        // Their memory isn't needed at a boundary.
        let mut own = core::mem::take(&mut self.pods);
        own.iter_mut().zip(memo.pods(pods)).for_each(|(own, there)| own.copy_from(there));
        let transition = self.slot_with(&mut own, slot, plan, memo);
        self.pods = own;
        transition
    }

    fn slot_with(&self, pods: &mut Vec<Deployment>, slot: usize, plan: &Plan, memo: &mut Memo) -> Option<Transition> {
        let from = SimTime::ZERO + BASE;
        let mut transition = Transition::default();
        let step = self.step(slot, plan, memo);
        let mut grew = false;
        step.run(pods, &mut Backlog::default(), from, from + plan.slot, memo, &mut |memo, stay, nodes| {
            grew |= memo.grows(stay.solution);
            let seconds = (stay.to - stay.from).secs();
            transition.node_seconds += f64::from(nodes) * seconds;
            transition.rough |= !memo.outcome_of(stay.solution).fine;
            let ends = (stay.to - from).nanos();
            match transition.stays.last_mut() {
                Some(last) if last.0 == stay.solution => {
                    last.1 += seconds;
                    last.2 = ends;
                }
                Some(_) | None => transition.stays.push((stay.solution, seconds, ends)),
            }
        });
        if grew {
            return None;
        }
        for pods in pods.iter_mut() {
            pods.shift(BASE + plan.slot, from);
        }
        transition.pods = memo.pods_id(pods).0;
        Some(transition)
    }

    /// Goes on to `now` without a traffic of its own: pods that are due become ready, and the autoscalers that are due
    /// decide by what they are told of each station, calls per second and utilisation.
    pub(super) fn pass(&mut self, now: SimTime, plan: &Plan, memo: &Memo, told: &mut dyn FnMut(usize) -> (f64, f64)) {
        let (scales, own) = (self.scales(memo), &plan.clusters[self.cluster]);
        let limits = Limits { min_nodes: self.min_nodes, usable: self.usable, short: self.short };
        let pods = self.pods(memo);
        for pods in pods.iter_mut() {
            pods.start_due(now);
        }
        for (position, station) in own.stations.iter().enumerate() {
            let Some(rule) = station.hpa.as_ref().filter(|rule| scales && sync_from(now, rule.sync) == now) else {
                continue;
            };
            let (arrivals, utilisation) = told(position);
            let current = pods[position].total();
            let ratio = rule.ratio(arrivals, utilisation, pods[position].ready);
            let wanted = pods[position].sync(now, rule, ratio);
            if wanted > current {
                let placed = place(plan, own, pods, position, wanted - current, limits);
                pods[position].add(now, &placed, plan.services[station.service].startup);
            } else {
                pods[position].shrink_to(wanted);
            }
        }
        self.clock = now;
    }

    /// When [`Unit::pass`] has something to do next, after `now`.
    pub(super) fn next_due(&mut self, now: SimTime, plan: &Plan, memo: &Memo) -> SimTime {
        let scales = self.scales(memo);
        let rules = plan.clusters[self.cluster].stations.iter().filter_map(|station| station.hpa.as_ref());
        let sync = rules.filter(|_| scales).map(|rule| next_sync(now, rule.sync)).min().unwrap_or(SimTime::NEVER);
        self.pods(memo).iter().map(Deployment::next_ready).min().unwrap_or(SimTime::NEVER).min(sync)
    }

    /// Nodes that its pods need now.
    pub(super) fn nodes(&mut self, plan: &Plan, memo: &Memo) -> u32 {
        let (own, min_nodes) = (&plan.clusters[self.cluster], self.min_nodes);
        let pods = self.pods(memo);
        own.pool.as_ref().map_or(0, |pool| pool.nodes(used(plan, own, pods), min_nodes))
    }

    /// Forgets which transition led here: something outside has changed.
    pub(super) fn touched(&mut self) {
        if let Some((_, before)) = &mut self.boundary {
            *before = None;
        }
    }

    /// Loses `lost` of every `of` ready pods: those in a zone that died.
    pub(super) fn lose_zone(&mut self, of: u32, memo: &Memo) {
        for pods in self.pods(memo) {
            let gone = (f64::from(pods.ready) / f64::from(of.max(1))).round() as u32;
            pods.ready -= gone.min(pods.ready);
        }
    }

    /// A pod of a station, by its number: it is among those that are there, and some pod is ready to fail.
    pub(super) fn has_pod(&mut self, station: usize, number: u32, memo: &Memo) -> bool {
        let pods = &self.pods(memo)[station];
        pods.ready > 0 && number < pods.total()
    }

    /// A ready pod of a station fails: it is on its way back until then.
    pub(super) fn fail_pod(&mut self, station: usize, until: SimTime, memo: &Memo) {
        self.pods(memo)[station].fail(until);
    }

    /// Pods wanted now, ready or on their way, by station.
    pub(super) fn totals(&mut self, memo: &Memo) -> Vec<u32> {
        self.pods(memo).iter().map(Deployment::total).collect()
    }

    /// Starts pods until there are `wanted`, by station, as far as there is room.
    pub(super) fn grow_to(&mut self, wanted: &[u32], plan: &Plan, memo: &Memo) {
        let own = &plan.clusters[self.cluster];
        let (now, limits) = (self.clock, self.limits());
        let pods = self.pods(memo);
        for (position, &wanted) in wanted.iter().enumerate() {
            let missing = wanted.saturating_sub(pods[position].total());
            if missing > 0 {
                let placed = place(plan, own, pods, position, missing, limits);
                pods[position].add(now, &placed, plan.services[own.stations[position].service].startup);
            }
        }
    }

    /// Stops pods until there are `wanted`, by station.
    pub(super) fn shrink_to(&mut self, wanted: &[u32], memo: &Memo) {
        for (pods, &wanted) in self.pods(memo).iter_mut().zip(wanted) {
            pods.shrink_to(wanted);
            pods.recommended.clear();
        }
    }

    /// Makes the autoscalers hold what there is for a stabilisation window.
    pub(super) fn hold_pods(&mut self, memo: &Memo) {
        let now = self.clock;
        for pods in self.pods(memo) {
            pods.recommended.clear();
            pods.recommended.push((now, pods.total()));
        }
    }
}

/// The slot of the week at a time, and when it ends.
pub(super) fn slot_at(plan: &Plan, at: SimTime) -> (usize, SimTime) {
    let slot = plan.slot.nanos();
    let in_week = (at.nanos() + plan.week_offset.nanos()) % Span::WEEK.nanos();
    let position = in_week / slot;
    (position as usize, at + Span::from_nanos((position + 1) * slot - in_week))
}
