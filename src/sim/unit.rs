//! One cluster through time: its pods, its autoscalers, the solutions it stays in.
//!
//! A unit is advanced only when something from outside touches it. Whole slots under constant inputs are taken
//! from the memo; a slot that something breaks into is stepped through. Times of pods are kept relative to a
//! base one week before the slot's start, so that equal situations in different weeks are equal.

use super::backlog::Backlog;
use super::memo::{InputsId, Memo, PodsId, SolutionId, Transition, TransitionId};
use super::tally::Tally;
use crate::base::{Id, SimTime, Span};
use crate::domain::Cluster;
use crate::plan::{ClusterPlan, Plan};
use crate::scaling::deployment::Deployment;
use crate::scaling::nodes::{Placed, Request};

/// Relative times count from this long before their slot's start.
const BASE: Span = Span::WEEK;

/// A stay in one solution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    pub(super) from: SimTime,
    pub(super) to: SimTime,
    pub(super) solution: SolutionId,
}

/// Where the pods are.
#[derive(Clone, Debug)]
enum Pods {
    /// In absolute time.
    Now(Vec<Deployment>),
    /// At the boundary where the clock stands, by number; and the transition that led there.
    At(PodsId, Option<TransitionId>),
}

/// One cluster through time.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) cluster: Id<Cluster>,
    pub(super) inputs: InputsId,
    /// How far it has been advanced.
    pub(super) clock: SimTime,
    pods: Pods,
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
    backlog: Backlog,
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
            pods: Pods::Now(pods),
            usable: 1.0,
            min_nodes: own.standby_min_nodes,
            active: !own.standby,
            short: false,
            repeats,
            backlog: Backlog::new(own),
        }
    }

    /// The pods in absolute time.
    pub(super) fn pods<'m>(&'m mut self, memo: &Memo) -> &'m mut Vec<Deployment> {
        if let Pods::At(id, _) = self.pods {
            let base = self.clock;
            self.pods = Pods::Now(memo.pods(id).iter().map(|pods| shifted(pods, BASE, base)).collect());
        }
        match &mut self.pods {
            Pods::Now(pods) => pods,
            Pods::At(..) => unreachable!("made absolute above"),
        }
    }

    /// What waits, as solutions are keyed by it.
    pub(super) fn waiting(&mut self, plan: &Plan, memo: &Memo) -> Vec<u32> {
        let ready: Vec<u32> = self.pods(memo).iter().map(|pods| pods.ready).collect();
        self.backlog.key_now(plan, &plan.clusters[self.cluster], memo.inputs(self.inputs), |station| ready[station])
    }

    /// Advances to `to`, adding up what happens.
    pub(super) fn advance(&mut self, to: SimTime, plan: &Plan, memo: &mut Memo, tally: &mut Tally) {
        while self.clock < to {
            let (slot, slot_end) = slot_at(plan, self.clock);
            let whole = slot_end - self.clock == plan.slot && slot_end <= to;
            let may_repeat = whole && self.repeats && !tally.tracing() && self.backlog.is_empty();
            if !(may_repeat && self.take_slot(slot, slot_end, plan, memo, tally)) {
                let end = slot_end.min(to);
                let (from, inputs, usable, min_nodes, active, short) =
                    (self.clock, self.inputs, self.usable, self.min_nodes, self.scales(memo), self.short);
                let own = &plan.clusters[self.cluster];
                let cluster = self.cluster;
                let mut backlog = core::mem::take(&mut self.backlog);
                let pods = self.pods(memo);
                let mut step = Step { plan, own, inputs, slot, usable, min_nodes, active, short };
                step.run(pods, &mut backlog, from, end, memo, &mut |memo, stay, nodes| {
                    tally.stay(cluster, stay, nodes, memo);
                });
                self.backlog = backlog;
                self.clock = end;
                if end == slot_end && self.repeats && !tally.tracing() {
                    let relative = self
                        .pods(memo)
                        .iter()
                        .map(|pods| shifted(pods, end.since(SimTime::ZERO), SimTime::ZERO + BASE))
                        .collect();
                    self.pods = Pods::At(memo.pods_id(&relative), None);
                }
            }
        }
    }

    /// Its autoscalers run: a cluster that is down has no control plane, and keeps the pods it had.
    fn scales(&self, memo: &Memo) -> bool {
        self.active && memo.inputs(self.inputs).front.down.is_none()
    }

    /// Takes one whole slot from the memo, or works it out first; not one in which a backlog begins.
    fn take_slot(&mut self, slot: usize, slot_end: SimTime, plan: &Plan, memo: &mut Memo, tally: &mut Tally) -> bool {
        let (pods, before) = match &self.pods {
            Pods::At(id, before) => (*id, *before),
            Pods::Now(pods) => {
                let relative = pods
                    .iter()
                    .map(|pods| shifted(pods, self.clock.since(SimTime::ZERO), SimTime::ZERO + BASE))
                    .collect();
                (memo.pods_id(&relative), None)
            }
        };
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
        self.pods = Pods::At(PodsId(memo.transition(id).pods), Some(id));
        self.clock = slot_end;
        true
    }

    /// A whole slot that begins without a backlog; none if one begins in it.
    fn work_out(&self, slot: usize, pods: PodsId, plan: &Plan, memo: &mut Memo) -> Option<Transition> {
        let mut pods = memo.pods(pods).to_vec();
        let from = SimTime::ZERO + BASE;
        let mut transition = Transition::default();
        let mut step = Step {
            plan,
            own: &plan.clusters[self.cluster],
            inputs: self.inputs,
            slot,
            usable: self.usable,
            min_nodes: self.min_nodes,
            active: self.scales(memo),
            short: self.short,
        };
        let mut backlog = self.backlog.clone();
        let mut grew = false;
        step.run(&mut pods, &mut backlog, from, from + plan.slot, memo, &mut |memo, stay, nodes| {
            grew |= memo.solution(stay.solution).grows();
            let seconds = (stay.to - stay.from).secs();
            transition.node_seconds += f64::from(nodes) * seconds;
            transition.rough |= !memo.solution(stay.solution).fine;
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
        let ended: Vec<Deployment> = pods.iter().map(|pods| shifted(pods, BASE + plan.slot, from)).collect();
        transition.pods = memo.pods_id(&ended).0;
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
        if let Pods::At(id, _) = self.pods {
            self.pods = Pods::At(id, None);
        }
    }

    /// Loses `lost` of every `of` ready pods: those in a zone that died.
    pub(super) fn lose_zone(&mut self, of: u32, memo: &Memo) {
        for pods in self.pods(memo) {
            let gone = (f64::from(pods.ready) / f64::from(of.max(1))).round() as u32;
            pods.ready -= gone.min(pods.ready);
        }
    }

    /// Pods wanted now, ready or on their way, by station.
    pub(super) fn totals(&mut self, memo: &Memo) -> Vec<u32> {
        self.pods(memo).iter().map(Deployment::total).collect()
    }

    /// Starts pods until there are `wanted`, by station, as far as there is room.
    pub(super) fn grow_to(&mut self, wanted: &[u32], plan: &Plan, memo: &Memo) {
        let own = &plan.clusters[self.cluster];
        let (now, limits) = (self.clock, Limits { min_nodes: self.min_nodes, usable: self.usable, short: self.short });
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
            pods.recommended = vec![(now, pods.total())];
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

/// The same pods with all times moved from one base to another.
fn shifted(pods: &Deployment, from: Span, to: SimTime) -> Deployment {
    let shift = |at: SimTime| {
        // A recommendation can be older than the run's first week only relative to the base, never before it.
        SimTime::from_nanos((at.nanos() + to.nanos()).saturating_sub(from.nanos()))
    };
    Deployment {
        ready: pods.ready,
        pending: pods.pending.iter().map(|&(at, count)| (shift(at), count)).collect(),
        recommended: pods.recommended.iter().map(|&(at, value)| (shift(at), value)).collect(),
    }
}

/// What all pods of a cluster ask for.
fn used(plan: &Plan, own: &ClusterPlan, pods: &[Deployment]) -> Request {
    let mut sum = Request::default();
    for (station, pods) in own.stations.iter().zip(pods) {
        let each = plan.services[station.service].request;
        sum.cpu += each.cpu * f64::from(pods.total());
        sum.memory += each.memory * f64::from(pods.total());
    }
    sum
}

/// What bounds the nodes: fewest, the share that isn't in a dead zone, whether new ones are to be had.
#[derive(Clone, Copy)]
struct Limits {
    min_nodes: u32,
    usable: f64,
    short: bool,
}

/// Finds room for more pods of one station.
fn place(
    plan: &Plan,
    own: &ClusterPlan,
    pods: &[Deployment],
    position: usize,
    count: u32,
    limits: Limits,
) -> Vec<Placed> {
    let Limits { min_nodes, usable, short } = limits;
    let each = plan.services[own.stations[position].service].request;
    match &own.pool {
        Some(pool) => pool.place(count, each, used(plan, own, pods), min_nodes, usable, short),
        None => vec![Placed { pods: count, delay: 0.0 }],
    }
}

/// Steps one cluster through (part of) one slot.
struct Step<'a> {
    plan: &'a Plan,
    own: &'a ClusterPlan,
    inputs: InputsId,
    slot: usize,
    usable: f64,
    min_nodes: u32,
    active: bool,
    short: bool,
}

impl Step<'_> {
    /// From `from` to `to`, both included for what becomes ready; a sync at `from` belongs to the time before.
    fn run(
        &mut self,
        pods: &mut [Deployment],
        backlog: &mut Backlog,
        from: SimTime,
        to: SimTime,
        memo: &mut Memo,
        stay: &mut dyn FnMut(&Memo, Stay, u32),
    ) {
        let rules: Vec<_> = self.own.stations.iter().map(|station| station.hpa.filter(|_| self.active)).collect();
        // Times of the next sync that may change something; none is known to be idle yet.
        let mut due: Vec<SimTime> =
            rules.iter().map(|rule| rule.as_ref().map_or(SimTime::NEVER, |rule| next_sync(from, rule.sync))).collect();
        let mut now = from;
        for pods in pods.iter_mut() {
            pods.start_due(now);
        }
        while now < to {
            backlog.die(memo.inputs(self.inputs));
            let solution = self.solution(pods, backlog, memo);
            let ready_at = pods.iter().map(Deployment::next_ready).min().unwrap_or(SimTime::NEVER);
            let sync_at = due.iter().copied().min().unwrap_or(SimTime::NEVER);
            let mut next = ready_at.min(sync_at).min(to);
            if backlog.is_kept() {
                let (plan, own) = (self.plan, self.own);
                let solved = memo.solution(solution);
                next = now + backlog.lasts(own, plan, solved, next - now);
                backlog.pass(own, plan, solved, memo.inputs(self.inputs).overload_root, next - now);
            }
            let nodes =
                self.own.pool.as_ref().map_or(0, |pool| pool.nodes(used(self.plan, self.own, pods), self.min_nodes));
            stay(memo, Stay { from: now, to: next, solution }, nodes);
            now = next;
            let mut changed = false;
            for pods in pods.iter_mut() {
                let before = pods.ready;
                pods.start_due(now);
                changed |= pods.ready != before;
            }
            if changed {
                // New pods move the metric: every autoscaler looks again at its next sync, now included.
                for (due, rule) in due.iter_mut().zip(&rules) {
                    if let Some(rule) = rule {
                        *due = (*due).min(sync_from(now, rule.sync));
                    }
                }
            }
            if due.iter().any(|&due| due <= now) {
                self.sync(pods, backlog, &rules, &mut due, now, memo);
            }
        }
        // The last sync renewed what it recommends; those that were skipped would have, too.
        for (pods, rule) in pods.iter_mut().zip(&rules) {
            if let (Some(rule), Some(newest)) = (rule, pods.recommended.last_mut()) {
                let last = SimTime::from_nanos(to.nanos() - to.nanos() % rule.sync.nanos());
                newest.0 = newest.0.max(last.min(to));
            }
        }
    }

    fn solution(&self, pods: &[Deployment], backlog: &Backlog, memo: &mut Memo) -> SolutionId {
        let ready = |station: usize| pods[station].ready;
        let key = backlog.key_now(self.plan, self.own, memo.inputs(self.inputs), ready);
        memo.solution_id(self.plan, self.inputs, self.slot, pods.iter().map(|pods| pods.ready), &key)
    }

    /// The autoscalers that are due decide.
    fn sync(
        &self,
        pods: &mut [Deployment],
        backlog: &Backlog,
        rules: &[Option<crate::scaling::hpa::Rule>],
        due: &mut [SimTime],
        now: SimTime,
        memo: &mut Memo,
    ) {
        let solution = self.solution(pods, backlog, memo);
        let mut changed = false;
        for (position, rule) in rules.iter().enumerate() {
            let Some(rule) = rule.as_ref().filter(|_| due[position] <= now) else { continue };
            let state = &memo.solution(solution).stations[position];
            let ratio = rule.ratio(state.arrivals, state.steady.utilisation, state.ready);
            let current = pods[position].total();
            // A skipped sync would have repeated the newest recommendation until the one before this.
            if let Some(newest) = pods[position].recommended.last_mut() {
                newest.0 = newest.0.max(SimTime::from_nanos(now.nanos() - rule.sync.nanos()));
            }
            let wanted = pods[position].sync(now, rule, ratio);
            if wanted > current {
                let limits = Limits { min_nodes: self.min_nodes, usable: self.usable, short: self.short };
                let placed = place(self.plan, self.own, pods, position, wanted - current, limits);
                pods[position].add(now, &placed, self.plan.services[self.own.stations[position].service].startup);
            } else {
                pods[position].shrink_to(wanted);
            }
            let moved = pods[position].total() != current;
            changed |= moved;
            due[position] =
                if moved { next_sync(now, rule.sync) } else { sync_from(pods[position].next_expiry(rule), rule.sync) };
        }
        if changed {
            for (due, rule) in due.iter_mut().zip(rules) {
                if let Some(rule) = rule {
                    *due = (*due).min(next_sync(now, rule.sync));
                }
            }
        }
    }
}

/// The first sync after `now`.
fn next_sync(now: SimTime, sync: Span) -> SimTime {
    let sync = sync.nanos().max(1);
    SimTime::from_nanos((now.nanos() / sync + 1).saturating_mul(sync))
}

/// The first sync at or after `now`.
fn sync_from(now: SimTime, sync: Span) -> SimTime {
    let sync = sync.nanos().max(1);
    SimTime::from_nanos(now.nanos().div_ceil(sync).saturating_mul(sync))
}
