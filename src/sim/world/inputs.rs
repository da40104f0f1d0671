//! What each cluster is given now: its condition, its users, where their data is, and whom to blame.

use super::super::inputs::{Access, Bits, Condition, Flow, Inputs, Route};
use super::super::log::Answer;
use super::super::unit::slot_at;
use super::{Phase, World};
use crate::base::{Id, SimTime};
use crate::domain::{Cluster, Dependency, Population, Root, Stage, Store};
use crate::plan::{DEMAND, StorePlan};
use std::sync::Arc;

/// Seeds in which debug builds look at all clusters after each event; those after them meet nothing else.
const CHECKED: u64 = 40;

impl World<'_> {
    /// The stage of what is lost at a dead leader.
    pub(super) fn blame_partition(&self, partition: usize) -> Stage {
        if self.leader_seems_up(partition) {
            return Stage::Undetected;
        }
        match self.partition_controllers[partition].phase {
            Phase::Deciding => Stage::Deciding,
            Phase::Promoting(_) => Stage::Promoting,
            Phase::Idle | Phase::FailingBack => Stage::NoTarget,
        }
    }

    /// The stage of what the current answer's clients lose at a dead cluster.
    pub(super) fn blame_cluster(&self, population: Id<Population>, cluster: Id<Cluster>) -> Stage {
        if self.clusters[cluster].up {
            return Stage::Undetected;
        }
        if self.routed[population].pending.is_some() {
            return Stage::Propagating;
        }
        if self.answers_stand() && self.choose(population) != self.routed[population].answer {
            return Stage::RoutingDown;
        }
        let pair = (0..self.plan.pairs.len()).find(|&pair| self.active_of(pair) == cluster);
        match pair.map(|pair| self.pair_controllers[pair].phase) {
            Some(Phase::Deciding) => return Stage::Deciding,
            Some(Phase::Promoting(_)) => return Stage::Promoting,
            Some(Phase::Idle | Phase::FailingBack) | None => {}
        }
        let own = &self.plan.populations[population];
        let forbidden_refuge = self.plan.routing.fallback
            && (0..self.plan.pairs.len())
                .map(|pair| self.active_of(pair))
                .any(|other| own.forbidden[other] && self.clusters[other].up);
        if forbidden_refuge { Stage::Residency } else { Stage::NoTarget }
    }

    /// Lets probes see the world, and gives each cluster what it is given now.
    pub(in crate::sim) fn refresh(&mut self, now: SimTime) {
        self.touch_moving();
        let touched = self.take_touched();
        for &cluster in &touched {
            self.fronts[cluster] = self.composed_front(cluster);
            self.stale.touch(cluster);
        }
        self.touched = touched;
        self.break_connections();
        if self.copies_moved {
            self.follow(now);
        }
        debug_assert!(!self.reach_differs(|_| true), "at {now:?} a copy has moved");
        let touched = self.take_touched();
        self.let_probes_see(now, &touched);
        let dependencies = self.bad_dependencies();
        self.plan_steps(now, &touched, &dependencies);
        self.review_caches(now);
        self.review_addresses(now);
        // What is to blame for load in one cluster is told to those that call it: they come again.
        let turns = if self.plan.addresses.is_empty() { 1 } else { 2 };
        let mut given = core::mem::take(&mut self.given);
        for &cluster in (0..turns).flat_map(|_| &touched) {
            self.inputs(now, cluster, &dependencies, &mut given);
            if given == *self.memo.inputs(self.units[cluster].inputs) {
                continue;
            }
            let id = self.memo.inputs_id(&given);
            self.flush(now, cluster);
            let unit = &mut self.units[cluster];
            unit.inputs = id;
            unit.touched();
            self.tally.spans[cluster] = (now, self.step_end);
        }
        self.given = given;
        debug_assert!(
            self.seed.replication >= CHECKED || self.is_all_else_the_same(now, &touched),
            "at {now:?} only {touched:?} may have changed"
        );
        self.stale.settle();
        self.touched = touched;
        self.review_releases(now);
    }

    /// Dependencies that aren't good.
    pub(super) fn bad_dependencies(&self) -> Vec<(Id<Dependency>, Condition)> {
        let all = self.index.dependencies.iter_enumerated();
        all.map(|(dependency, holds)| (dependency, self.compose(holds.iter().copied()).condition))
            .filter(|(_, condition)| !condition.is_good())
            .collect()
    }

    /// Advances one cluster to `now` under the inputs it has.
    pub(super) fn flush(&mut self, now: SimTime, cluster: Id<Cluster>) {
        let unit = &mut self.units[cluster];
        if unit.clock >= now {
            return;
        }
        if self.by_request.is_some() {
            unit.pods(self.memo);
            unit.clock = now;
            return;
        }
        let (from, to) = self.tally.spans[cluster];
        let inputs = self.memo.inputs(unit.inputs);
        if now < to && inputs.moving() {
            // Something broke into the step: its mean share is that of the part that was lived.
            let clipped = inputs.first_part((now - from).secs() / (to - from).secs());
            unit.inputs = self.memo.inputs_id(&clipped);
            self.tally.spans[cluster] = (from, now);
        }
        unit.advance(now, self.plan, self.memo, &mut self.tally);
    }

    /// What a cluster is given, into the memory of what another was.
    pub(super) fn inputs(
        &self,
        now: SimTime,
        cluster: Id<Cluster>,
        dependencies: &[(Id<Dependency>, Condition)],
        given: &mut Inputs,
    ) {
        let own = &self.plan.clusters[cluster];
        let zones = &self.zones[cluster];
        let mut stations = emptied(&mut given.stations);
        let mut weakened = None;
        let held = &self.index.stations[cluster];
        // Mostly nothing holds any.
        let held = if held.iter().any(|&(_, hold)| self.holds[hold].0.is_some()) { &held[..] } else { &[] };
        for &(station, _) in held {
            if stations.iter().any(|(other, _)| *other == station) {
                continue;
            }
            let holds = held.iter().filter(|(other, _)| *other == station).map(|&(_, hold)| hold);
            let composed = self.compose(holds);
            if !composed.condition.is_good() {
                stations.push((station, composed.condition));
            }
            if composed.condition.capacity != Bits::ONE {
                weakened = weakened.or(composed.cause);
            }
        }
        let mut flows = emptied(&mut given.flows);
        let mut overload: Option<(Id<Root>, SimTime)> =
            zones.cause.or_else(|| self.lingering[cluster].map(|(root, _)| (root, SimTime::ZERO)));
        let mut consider = |cause: Option<(Id<Root>, SimTime)>| {
            if let Some((root, since)) = cause
                && overload.is_none_or(|(_, other)| since < other)
            {
                overload = Some((root, since));
            }
        };
        if self.fronts[cluster].condition.capacity != Bits::ONE {
            weakened = self.fronts[cluster].cause.or(weakened);
        }
        consider(weakened.map(|(root, _, since)| (root, since)));
        for &(_, hold) in &self.index.pods[cluster] {
            consider(self.holds[hold].0.map(|active| (active.root, active.since)));
        }
        consider(self.cold_cause(cluster));
        consider(self.turned_to(cluster));
        for population in self.plan.populations.keys().filter(|&population| self.may_be_led(population, cluster)) {
            self.flows(now, cluster, population, &mut flows);
            let routed = &self.routed[population];
            let share = |answer: &Answer| answer.iter().find(|entry| entry.0 == cluster).map_or(0.0, |entry| entry.1);
            let answers = routed.cohorts.iter().map(|cohort| (&cohort.answer, cohort.moved));
            for (answer, moved) in core::iter::once((&routed.answer, routed.moved)).chain(answers) {
                if moved.is_some() && share(answer) > share(&routed.nominal) {
                    consider(moved);
                }
            }
        }
        let mut listed = emptied(&mut given.dependencies);
        listed.extend_from_slice(dependencies);
        *given = Inputs {
            cluster,
            front: self.fronts[cluster].condition,
            zones_up: own.zones - zones.dead.count_ones(),
            zones_listed: zones.listed.count_ones(),
            zones_root: zones.cause.map_or(Id::new(DEMAND), |(root, _)| root),
            stations,
            dependencies: listed,
            overload_root: overload.map_or(Id::new(DEMAND), |(root, _)| root),
            active: self.units[cluster].active,
            short: self.units[cluster].short,
            flows,
            remotes: emptied(&mut given.remotes),
            mirrors: emptied(&mut given.mirrors),
            outside: emptied(&mut given.outside),
        };
        self.add_remotes(now, given);
    }

    /// Some answer leads a population to a cluster, or none leads it anywhere.
    fn may_be_led(&self, population: Id<Population>, cluster: Id<Cluster>) -> bool {
        let routed = &self.routed[population];
        let leads = |answer: &Answer| answer.iter().any(|entry| entry.0 == cluster);
        leads(&routed.answer) || routed.answer.is_empty() || routed.cohorts.iter().any(|cohort| leads(&cohort.answer))
    }

    /// The users of one population that are routed to a cluster: those of the current answer, those of old ones.
    fn flows(&self, now: SimTime, cluster: Id<Cluster>, population: Id<Population>, flows: &mut Vec<Flow>) {
        let routed = &self.routed[population];
        let (start, end, is_current) = self.shares(now, cluster, population);
        if start <= 0.0 && end <= 0.0 {
            return;
        }
        // Nobody may be served anywhere: the requests are counted where they would have gone first.
        let homeless = routed.answer.is_empty() && self.home(population) == cluster;
        let front = &self.fronts[cluster].condition;
        let cut = if front.down.is_none() { self.cut_off(population, cluster) } else { None };
        let blame = match (homeless, is_current) {
            (true, true) => Stage::Residency,
            _ if cut.is_some() => Stage::Partition,
            (_, false) => Stage::StaleDns,
            (false, true) => self.blame_cluster(population, cluster),
        };
        let nominal_blame = front.down.is_some() || cut.is_some() || !self.index.stations[cluster].is_empty();
        flows.push(Flow {
            population,
            start: Bits::from(start),
            end: Bits::from(end),
            factor: Bits::from(routed.factor),
            current: is_current,
            // Where nothing can be down, who would be to blame changes nothing.
            blame: if nominal_blame || homeless { blame } else { Stage::Undetected },
            refused: if homeless { Some(Id::new(DEMAND)) } else { cut },
            stores: self.accesses(cluster, population),
        });
    }

    /// The share of a population that is routed to a cluster, now and at the end of this step, and whether the current
    /// answer leads there.
    pub(super) fn shares(&self, now: SimTime, cluster: Id<Cluster>, population: Id<Population>) -> (f64, f64, bool) {
        let routed = &self.routed[population];
        let part = |answer: &Answer| answer.iter().find(|entry| entry.0 == cluster).map_or(0.0, |entry| entry.1);
        let homeless = routed.answer.is_empty() && self.home(population) == cluster;
        let current = if homeless { 1.0 } else { part(&routed.answer) };
        if routed.cohorts.is_empty() {
            return (current, current, current > 0.0);
        }
        let expiry = self.plan.routing.expiry;
        let old = |at: SimTime| -> (f64, f64) {
            routed.cohorts.iter().fold((0.0, 0.0), |(here, all), cohort| {
                let stale = cohort.stale(&expiry, at);
                (here + stale * part(&cohort.answer), all + stale)
            })
        };
        let ((old_start, all_start), (old_end, all_end)) = (old(now), old(self.step_end));
        if current > 0.0 {
            ((1.0 - all_start) * current + old_start, (1.0 - all_end) * current + old_end, true)
        } else {
            (old_start, old_end, false)
        }
    }

    /// Connections to what is dead or can't be reached break, for good: their clients ask for an answer again.
    fn break_connections(&mut self) {
        if !self.plan.routing.expiry.sticks() {
            return;
        }
        for &population in &self.moving {
            for position in 0..self.routed[population].cohorts.len() {
                let cohort = &self.routed[population].cohorts[position];
                let holds = |&(cluster, _): &(Id<Cluster>, f64)| {
                    self.fronts[cluster].condition.down.is_none() && self.cut_off(population, cluster).is_none()
                };
                if cohort.connected && !cohort.answer.iter().all(holds) {
                    self.routed[population].cohorts[position].connected = false;
                }
            }
        }
    }

    /// Why a population can't reach a cluster that others may reach.
    pub(super) fn cut_off(&self, population: Id<Population>, cluster: Id<Cluster>) -> Option<Id<Root>> {
        let ways = self.index.access.iter().filter(|way| way.0 == population && way.1 == cluster);
        self.why_down(ways.map(|way| way.2))
    }

    /// Where a population that nobody may serve would have gone first.
    pub(super) fn home(&self, population: Id<Population>) -> Id<Cluster> {
        self.plan.pairs[self.plan.populations[population].order[0]].primary
    }

    /// Where a population's accesses to stores go from a cluster.
    fn accesses(&self, cluster: Id<Cluster>, population: Id<Population>) -> Arc<[Access]> {
        let before = self.memo.inputs(self.units[cluster].inputs).flows.iter();
        let before = before.rev().find(|flow| flow.population == population).map(|flow| &flow.stores);
        let stores = self.plan.stores.iter_enumerated();
        let partition =
            |(id, store): (Id<Store>, &StorePlan)| self.first_partitions[id] + store.partition_of(population);
        let stands = |id: Id<Store>, partition: usize| !self.index.used_stores[id] || self.stale.stands(partition);
        let now = |own: (Id<Store>, &StorePlan)| self.access(cluster, own.0, partition(own), population);
        let is_same = |(own, before): ((Id<Store>, &StorePlan), &Access)| {
            let stands = stands(own.0, partition(own));
            debug_assert!(!stands || *before == now(own));
            stands || *before == now(own)
        };
        let access = |own: (Id<Store>, &StorePlan)| match before.filter(|_| stands(own.0, partition(own))) {
            Some(before) => before[own.0.index()],
            None => now(own),
        };
        match before {
            Some(before) if stores.clone().zip(&**before).all(is_same) => Arc::clone(before),
            Some(_) | None => stores.map(access).collect(),
        }
    }

    fn access(&self, cluster: Id<Cluster>, store: Id<Store>, partition: usize, population: Id<Population>) -> Access {
        if !self.index.used_stores[store] {
            let nowhere = Route::Via(cluster, Bits::ZERO);
            return Access { read: nowhere, write: nowhere };
        }
        let read = match self.plan.stores[store].cache {
            Some(_) => Route::Cache(self.warmth(cluster, store, population)),
            None => self.read_route(cluster, partition),
        };
        Access { read, write: self.write_route(cluster, partition) }
    }

    /// Pods asked for, pods ready and utilisation of each station now.
    pub(in crate::sim) fn last_states(&mut self, now: SimTime) -> Vec<Vec<(u32, u32, f64)>> {
        let (slot, _) = slot_at(self.plan, SimTime::from_nanos(now.nanos().saturating_sub(1)));
        self.plan
            .clusters
            .keys()
            .map(|cluster| {
                let unit = &mut self.units[cluster];
                let inputs = unit.inputs;
                let pods: Vec<(u32, u32)> =
                    unit.pods(self.memo).iter().map(|pods| (pods.total(), pods.ready)).collect();
                let key = unit.waiting(self.plan, self.memo);
                let ready = pods.iter().map(|&(_, ready)| ready);
                let solution = self.memo.solution_id(self.plan, inputs, slot, ready, &key);
                let states = self.memo.stations(solution);
                pods.iter()
                    .enumerate()
                    .map(|(position, &(total, ready))| {
                        (total, ready, states.get(position).map_or(0.0, |state| state.steady.utilisation))
                    })
                    .collect()
            })
            .collect()
    }
}

/// The memory of a list, with nothing in it.
fn emptied<T>(list: &mut Vec<T>) -> Vec<T> {
    list.clear();
    core::mem::take(list)
}
