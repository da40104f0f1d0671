//! Steps one cluster through (part of) one slot: pods that become ready, autoscalers that decide, backlogs that grow
//! and drain. Between two of them it stays in one solution.

use super::backlog::Backlog;
use super::memo::{InputsId, Memo, SolutionId};
use crate::base::{SimTime, Span};
use crate::plan::{ClusterPlan, Plan};
use crate::scaling::deployment::Deployment;
use crate::scaling::hpa::Rule;
use crate::scaling::nodes::{Placed, Request};

/// A stay in one solution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    pub(super) from: SimTime,
    pub(super) to: SimTime,
    pub(super) solution: SolutionId,
}

/// What all pods of a cluster ask for.
pub(super) fn used(plan: &Plan, own: &ClusterPlan, pods: &[Deployment]) -> Request {
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
pub(super) struct Limits {
    pub(super) min_nodes: u32,
    pub(super) usable: f64,
    pub(super) short: bool,
}

/// Finds room for more pods of one station.
pub(super) fn place(
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
pub(super) struct Step<'a> {
    pub(super) plan: &'a Plan,
    pub(super) own: &'a ClusterPlan,
    pub(super) inputs: InputsId,
    pub(super) slot: usize,
    /// Its autoscalers run.
    pub(super) active: bool,
    pub(super) limits: Limits,
}

impl Step<'_> {
    /// From `from` to `to`, both included for what becomes ready; a sync at `from` belongs to the time before.
    pub(super) fn run(
        &self,
        pods: &mut [Deployment],
        backlog: &mut Backlog,
        from: SimTime,
        to: SimTime,
        memo: &mut Memo,
        stay: &mut dyn FnMut(&Memo, Stay, u32),
    ) {
        // Times of the next sync that may change something; none is known to be idle yet.
        let mut due = core::mem::take(&mut memo.due);
        due.clear();
        due.extend(self.rules().map(|rule| rule.map_or(SimTime::NEVER, |rule| next_sync(from, rule.sync))));
        let mut now = from;
        for pods in pods.iter_mut() {
            pods.start_due(now);
        }
        let mut known = None;
        let mut nodes = self.nodes(pods);
        while now < to {
            if !backlog.is_empty() {
                backlog.die(self.plan, self.own, memo.inputs(self.inputs), |station| pods[station].ready);
            }
            let solution = self.solution(pods, backlog, memo, &mut known);
            let ready_at = pods.iter().map(Deployment::next_ready).min().unwrap_or(SimTime::NEVER);
            let sync_at = due.iter().copied().min().unwrap_or(SimTime::NEVER);
            let mut next = ready_at.min(sync_at).min(to);
            if memo.grows(solution) || !backlog.is_empty() {
                let (plan, own, stations) = (self.plan, self.own, memo.stations(solution));
                next = now + backlog.lasts(own, plan, stations, next - now);
                backlog.pass(own, plan, stations, memo.inputs(self.inputs).overload_root, next - now);
            }
            stay(memo, Stay { from: now, to: next, solution }, nodes);
            now = next;
            let mut changed = false;
            for pods in pods.iter_mut() {
                let before = pods.ready;
                pods.start_due(now);
                changed |= pods.ready != before;
            }
            if changed {
                known = None;
                // New pods move the metric: every autoscaler looks again at its next sync, now included.
                for (due, rule) in due.iter_mut().zip(self.rules()) {
                    if let Some(rule) = rule {
                        *due = (*due).min(sync_from(now, rule.sync));
                    }
                }
            }
            if due.iter().any(|&due| due <= now) && self.sync(pods, backlog, &mut due, now, memo, &mut known) {
                nodes = self.nodes(pods);
            }
        }
        // The last sync renewed what it recommends; those that were skipped would have, too.
        for (pods, rule) in pods.iter_mut().zip(self.rules()) {
            if let (Some(rule), Some(newest)) = (rule, pods.recommended.last_mut()) {
                let last = SimTime::from_nanos(to.nanos() - to.nanos() % rule.sync.nanos());
                newest.0 = newest.0.max(last.min(to));
            }
        }
        memo.due = due;
    }

    /// Nodes that pods need, ready or on their way.
    fn nodes(&self, pods: &[Deployment]) -> u32 {
        let pool = self.own.pool.as_ref();
        pool.map_or(0, |pool| pool.nodes(used(self.plan, self.own, pods), self.limits.min_nodes))
    }

    /// The autoscaler of each station, if it runs.
    fn rules(&self) -> impl Iterator<Item = Option<&Rule>> {
        self.own.stations.iter().map(|station| station.hpa.as_ref().filter(|_| self.active))
    }

    /// The solution now: that which is known while pods stay as they are and nothing waits.
    fn solution(
        &self,
        pods: &[Deployment],
        backlog: &Backlog,
        memo: &mut Memo,
        known: &mut Option<SolutionId>,
    ) -> SolutionId {
        if let Some(known) = known.filter(|_| backlog.is_empty()) {
            return known;
        }
        let ready = |station: usize| pods[station].ready;
        let key = backlog.key_now(self.plan, self.own, memo.inputs(self.inputs), ready);
        let id = memo.solution_id(self.plan, self.inputs, self.slot, pods.iter().map(|pods| pods.ready), &key);
        *known = Some(id).filter(|_| backlog.is_empty());
        id
    }

    /// The autoscalers that are due decide; true if one wants other pods.
    fn sync(
        &self,
        pods: &mut [Deployment],
        backlog: &Backlog,
        due: &mut [SimTime],
        now: SimTime,
        memo: &mut Memo,
        known: &mut Option<SolutionId>,
    ) -> bool {
        let solution = self.solution(pods, backlog, memo, known);
        let mut changed = false;
        for (position, rule) in self.rules().enumerate() {
            let Some(rule) = rule.filter(|_| due[position] <= now) else { continue };
            let state = &memo.stations(solution)[position];
            let ratio = rule.ratio(state.arrivals, state.steady.utilisation, state.ready);
            let current = pods[position].total();
            // A skipped sync would have repeated the newest recommendation until the one before this.
            if let Some(newest) = pods[position].recommended.last_mut() {
                newest.0 = newest.0.max(SimTime::from_nanos(now.nanos() - rule.sync.nanos()));
            }
            let wanted = pods[position].sync(now, rule, ratio);
            if wanted > current {
                let placed = place(self.plan, self.own, pods, position, wanted - current, self.limits);
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
            *known = None;
            for (due, rule) in due.iter_mut().zip(self.rules()) {
                if let Some(rule) = rule {
                    *due = (*due).min(next_sync(now, rule.sync));
                }
            }
        }
        changed
    }
}

/// The first sync after `now`.
pub(super) fn next_sync(now: SimTime, sync: Span) -> SimTime {
    let sync = sync.nanos().max(1);
    SimTime::from_nanos((now.nanos() / sync + 1).saturating_mul(sync))
}

/// The first sync at or after `now`.
pub(super) fn sync_from(now: SimTime, sync: Span) -> SimTime {
    let sync = sync.nanos().max(1);
    SimTime::from_nanos(now.nanos().div_ceil(sync).saturating_mul(sync))
}
