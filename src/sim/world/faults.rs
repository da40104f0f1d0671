//! What strikes, holds and is released, and what all holds on one thing amount to.

use super::super::inputs::{Bits, Condition};
use super::super::log::Held;
use super::{Active, Composed, Event, LINGER, World, purpose};
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, SimTime, Span};
use crate::domain::story::What;
use crate::domain::{Cluster, Region, Root, Service};
use crate::failover::spec::ScaleWhen;
use crate::failure::spec::{EffectSpec, Interrupted};
use crate::plan::{DEMAND, Element};

impl World<'_> {
    pub(super) fn strike(&mut self, now: SimTime, fault: u32) {
        let plan = self.plan;
        let fault_plan = &plan.faults[fault as usize];
        let occurrence = self.clocks[fault as usize].1;
        self.clocks[fault as usize].1 += 1;
        if let Some(chance) = fault_plan.shock {
            for member in &fault_plan.members {
                // Each member's own draws, so that another one more shifts nobody's.
                let stream = self.seed.stream().with(fault_plan.digest).with(purpose::SHOCK);
                let mut rng = stream.with(member.digest).with(occurrence).rng();
                let hit = uniform(&mut rng) <= chance;
                let lasts = fault_plan.repair.sample_span(&mut rng);
                if hit && self.can_fail(member.hold) {
                    let lasts = self.repaired(now, fault_plan.crews, lasts);
                    self.hold(member.hold, member.root, fault_plan.effect, lasts, occurrence);
                }
            }
            let next = now + fault_plan.every.sample_span(&mut self.clocks[fault as usize].0);
            self.events.schedule(next, Event::Fault(fault));
            return;
        }
        let rng = &mut self.clocks[fault as usize].0;
        let lasts = fault_plan.repair.sample_span(rng);
        let up = fault_plan.every.sample_span(rng);
        let member = fault_plan.members[0];
        let is_up = self.can_fail(member.hold);
        let lasts = if is_up { self.repaired(now, fault_plan.crews, lasts) } else { lasts };
        let struck = self.hold(member.hold, member.root, fault_plan.effect, lasts, occurrence);
        // Absorbed by its group, it is as good as new.
        let next = if struck { now + lasts + up } else { now + up };
        self.events.schedule(next, Event::Fault(fault));
    }

    /// How long something is down whose repair takes so long: it may have to wait for a crew. Crews take what fails in
    /// order, so when one is free for it is known when it fails.
    pub(super) fn repaired(&mut self, now: SimTime, crews: Option<usize>, repair: Span) -> Span {
        let Some(first) = crews.and_then(|kind| self.crews[kind].iter_mut().min()) else { return repair };
        let done = now.max(*first) + repair;
        *first = done;
        done - now
    }

    /// Takes hold of a target, unless its group already does.
    pub(super) fn hold(&mut self, hold: u32, root: Id<Root>, effect: EffectSpec, lasts: Span, occurrence: u64) -> bool {
        let now = self.events.now();
        if !self.can_fail(hold) {
            return false;
        }
        let seen = match effect {
            EffectSpec::Down(_) => true,
            EffectSpec::ReadOnly(_) => false,
            EffectSpec::Degraded(degraded) => {
                let chance = degraded.seen_by_shallow_checks.get();
                chance > 0.0 && uniform(&mut self.consequence(root, occurrence, 0, purpose::SEEN, 0)) <= chance
            }
        };
        let before = self.zones_dead(hold);
        let serial = self.holds[hold as usize].1 + 1;
        self.touch_held(hold, [effect]);
        self.holds[hold as usize] = (Some(Active { root, effect, seen, since: now, occurrence }), serial);
        self.log.held.push(Held { root, from: now, to: now + lasts });
        self.events.schedule(now + lasts, Event::Repair { hold, serial });
        self.zones_changed(now, &before);
        let element = self.plan.holds[hold as usize].element;
        if let (Element::Region(region), EffectSpec::Down(_)) = (element, effect) {
            self.everybody_moves(now, region, root, occurrence);
        }
        if let (Element::Pod(cluster, service, _), EffectSpec::Down(down)) = (element, effect) {
            self.fail_pod(cluster, service, now + lasts, (down.calls, root));
        }
        true
    }

    /// Nothing of its group holds a target yet, and it is there: a pod needn't be.
    fn can_fail(&mut self, hold: u32) -> bool {
        if self.holds[hold as usize].0.is_some() {
            return false;
        }
        let Element::Pod(cluster, service, number) = self.plan.holds[hold as usize].element else { return true };
        let now = self.events.now();
        self.flush(now, cluster);
        self.station(cluster, service).is_some_and(|station| self.units[cluster].has_pod(station, number, self.memo))
    }

    /// A pod fails, and is back at a time. What becomes of its calls is for the requests engine to say.
    fn fail_pod(&mut self, cluster: Id<Cluster>, service: Id<Service>, back: SimTime, why: (Interrupted, Id<Root>)) {
        let Some(station) = self.station(cluster, service) else { return };
        self.units[cluster].fail_pod(station, back, self.memo);
        if self.by_request.is_some() {
            self.failed_pods.push((cluster, station, why.0, why.1));
        }
    }

    fn station(&self, cluster: Id<Cluster>, service: Id<Service>) -> Option<usize> {
        self.plan.clusters[cluster].station_of[service].map(|station| station as usize)
    }

    /// A region is lost, and nodes become short in the others.
    fn everybody_moves(&mut self, now: SimTime, region: Id<Region>, root: Id<Root>, occurrence: u64) {
        let plan = self.plan;
        for (cluster, own) in plan.clusters.iter_enumerated().filter(|(_, own)| own.region != region) {
            let Some((chance, lasts)) = &own.shortage else { continue };
            let mut rng = self.consequence(root, occurrence, own.digest, purpose::SHORTAGE, 0);
            if uniform(&mut rng) <= *chance {
                let until = now + lasts.sample_span(&mut rng);
                self.log.note(now, root, || What::NodesShort(cluster, (until - now).secs()));
                self.flush(now, cluster);
                self.units[cluster].short = true;
                self.stale.touch(cluster);
                self.short_until[cluster] = self.short_until[cluster].max(until);
                self.events.schedule(until, Event::Nodes { cluster: cluster.index() as u32 });
            }
        }
    }

    /// Nodes are to be had again: what was decided while they weren't is done.
    pub(super) fn nodes_again(&mut self, now: SimTime, cluster: Id<Cluster>) {
        if self.short_until[cluster] > now {
            return;
        }
        self.log.note(now, None, || What::NodesAgain(cluster));
        self.flush(now, cluster);
        self.units[cluster].short = false;
        self.stale.touch(cluster);
        let own = &self.plan.clusters[cluster];
        let woken = own.standby && self.units[cluster].active;
        if woken && self.plan.failover.scale_when == ScaleWhen::AtDecision {
            self.activate(now, cluster, true);
        }
    }

    pub(super) fn release(&mut self, now: SimTime, hold: u32) {
        let before = self.zones_dead(hold);
        let Some(active) = self.holds[hold as usize].0.take() else { return };
        self.touch_held(hold, [active.effect]);
        // Missing pods keep their cause until they are back.
        let hits_capacity = match active.effect {
            EffectSpec::Down(_) => matches!(self.plan.holds[hold as usize].element, Element::Zone(..)),
            EffectSpec::Degraded(_) | EffectSpec::ReadOnly(_) => false,
        };
        if hits_capacity {
            for &(cluster, _) in &before {
                self.lingering[cluster] = Some((active.root, now + LINGER));
                self.events.schedule(now + LINGER, Event::Lingered { cluster: cluster.index() as u32 });
            }
        }
        self.zones_changed(now, &before);
        if self.index.routing.contains(&(hold as usize)) {
            self.review_routes(now);
        }
        if self.index.gitops.contains(&(hold as usize)) {
            self.depart(now);
        }
        if self.index.tools.contains(&(hold as usize)) {
            self.resume(now);
        }
    }

    /// The clusters that have the zone of a hold, in order, with the zones that some hold keeps down.
    fn zones_dead(&self, hold: u32) -> Vec<(Id<Cluster>, u64)> {
        let hits = &self.index.zones_hit[hold as usize];
        hits.iter().map(|&cluster| (cluster, self.dead_zones(cluster))).collect()
    }

    /// The zones of a cluster that some hold keeps down.
    fn dead_zones(&self, cluster: Id<Cluster>) -> u64 {
        self.index.zones[cluster].iter().fold(0, |dead, &(zone, hold)| match self.holds[hold].0 {
            Some(Active { effect: EffectSpec::Down(_), .. }) => dead | 1 << zone,
            Some(Active { effect: EffectSpec::Degraded(_) | EffectSpec::ReadOnly(_), .. }) | None => dead,
        })
    }

    /// Pods die with their zone and come back with it, or elsewhere.
    fn zones_changed(&mut self, now: SimTime, before: &[(Id<Cluster>, u64)]) {
        for &(cluster, before) in before {
            let dead = self.dead_zones(cluster);
            self.zones[cluster].cause = self.index.zones[cluster]
                .iter()
                .filter_map(|&(_, hold)| self.holds[hold].0)
                .filter(|active| matches!(active.effect, EffectSpec::Down(_)))
                .map(|active| (active.root, active.since))
                .min_by_key(|&(root, since)| (since, root));
            if dead == before {
                continue;
            }
            let own = &self.plan.clusters[cluster];
            self.flush(now, cluster);
            let died = dead & !before;
            let up_before = own.zones - before.count_ones();
            if died != 0 {
                if self.zones[cluster].wanted.is_none() {
                    self.zones[cluster].wanted = Some(self.units[cluster].totals(self.memo));
                }
                for lost in 0..died.count_ones() {
                    self.units[cluster].lose_zone(up_before - lost, self.memo);
                }
                self.zones[cluster].serial += 1;
                let serial = self.zones[cluster].serial;
                self.zones[cluster].listed |= died;
                let dropped = now + own.endpoints_drop;
                let number = cluster.index() as u32;
                self.events.schedule(dropped, Event::EndpointsDropped { cluster: number, serial });
                self.events.schedule(dropped + own.eviction, Event::Evicted { cluster: number, serial });
                if died & 1 != 0 {
                    self.copies_leave_zone(now, cluster);
                }
            }
            self.zones[cluster].dead = dead;
            self.zones[cluster].listed &= dead;
            if own.endpoints_drop.is_zero() {
                self.zones[cluster].listed = 0;
            }
            self.units[cluster].usable = f64::from(own.zones - dead.count_ones()) / f64::from(own.zones.max(1));
            if died == 0
                && let Some(wanted) = self.zones[cluster].wanted.clone()
            {
                self.units[cluster].grow_to(&wanted, self.plan, self.memo);
                if dead == 0 {
                    self.zones[cluster].wanted = None;
                }
            }
        }
    }

    /// The instances of stores live in a cluster's first zone; when it dies they fail over within the region.
    pub(super) fn copies_leave_zone(&mut self, now: SimTime, cluster: Id<Cluster>) {
        let Some((root, _)) = self.zones[cluster].cause else { return };
        if self.plan.clusters[cluster].zones < 2 {
            return;
        }
        for (id, store) in self.plan.stores.iter_enumerated() {
            if store.copies.contains(&cluster) {
                let occurrence = u64::from(self.zones[cluster].serial);
                let target = store.digest ^ self.plan.clusters[cluster].digest;
                let mut rng = self.consequence(root, occurrence, target, purpose::ZONE, 0);
                let until = now + store.zone_failover.sample_span(&mut rng);
                self.log.note(now, root, || What::CopyMoves(cluster, id, (until - now).secs()));
                self.moving_copies[cluster][id] = Some((root, until));
                self.copies_moved = true;
                let (cluster, store) = (cluster.index() as u32, id.index() as u32);
                self.events.schedule(until, Event::ZoneFailedOver { cluster, store });
            }
        }
    }

    /// Why what is held by these is down, if it is: the earliest that says so.
    pub(super) fn why_down(&self, holds: impl Iterator<Item = usize>) -> Option<Id<Root>> {
        let active = holds.filter_map(|hold| self.holds[hold].0.as_ref());
        let down = active.filter(|active| matches!(active.effect, EffectSpec::Down(_)));
        down.min_by_key(|active| (active.since, active.root)).map(|active| active.root)
    }

    /// What all these holds amount to: down over read-only over degraded, factors multiply, errors as 1 − Π(1 − e).
    pub(super) fn compose(&self, holds: impl Iterator<Item = usize>) -> Composed {
        let mut composed = Composed::good();
        // Mostly nothing does.
        let mut holds = holds.filter_map(|hold| self.holds[hold].0.as_ref()).peekable();
        if holds.peek().is_none() {
            return composed;
        }
        let (mut passes, mut latency, mut capacity) = (1.0, 1.0, 1.0);
        let mut down: Option<(Id<Root>, u64, SimTime)> = None;
        let mut grey: Option<(Id<Root>, u64, SimTime)> = None;
        let earlier = |cause: &mut Option<(Id<Root>, u64, SimTime)>, active: &Active| {
            if cause.is_none_or(|(root, _, since)| (active.since, active.root) < (since, root)) {
                *cause = Some((active.root, active.occurrence, active.since));
            }
        };
        for active in holds {
            match active.effect {
                EffectSpec::Down(effect) => {
                    // One black hole among refusals is a black hole.
                    composed.refuses = effect.refuses && (down.is_none() || composed.refuses);
                    earlier(&mut down, active);
                }
                EffectSpec::Degraded(effect) => {
                    passes *= 1.0 - effect.errors.get();
                    latency *= effect.latency;
                    capacity *= effect.capacity;
                    composed.seen |= active.seen;
                    earlier(&mut grey, active);
                }
                EffectSpec::ReadOnly(_) => earlier(&mut composed.read_only, active),
            }
        }
        composed.cause = down.or(grey);
        composed.condition = Condition {
            down: down.map(|(root, ..)| root),
            errors: Bits::from(1.0 - passes),
            errors_root: grey.map_or(Id::new(DEMAND), |(root, ..)| root),
            latency: Bits::from(latency),
            capacity: Bits::from(capacity),
        };
        composed
    }

    /// A region and a cluster; a degraded zone counts with its share of the cluster.
    pub(super) fn composed_front(&self, cluster: Id<Cluster>) -> Composed {
        let mut composed = self.compose(self.index.front[cluster].iter().copied());
        let zones = f64::from(self.plan.clusters[cluster].zones.max(1));
        for &(_, hold) in &self.index.zones[cluster] {
            if let Some(Active { effect: EffectSpec::Degraded(effect), root, since, occurrence, seen }) =
                self.holds[hold].0
            {
                let condition = &mut composed.condition;
                let share = |factor: f64| 1.0 + (factor - 1.0) / zones;
                let passes = (1.0 - condition.errors.get()) * (1.0 - effect.errors.get() / zones);
                condition.errors = Bits::from(1.0 - passes);
                condition.latency = Bits::from(condition.latency.get() * share(effect.latency));
                condition.capacity = Bits::from(condition.capacity.get() * share(effect.capacity));
                composed.seen |= seen;
                if composed.cause.is_none() {
                    composed.cause = Some((root, occurrence, since));
                    condition.errors_root = root;
                }
            }
        }
        if composed.condition.down.is_none()
            && self.zones_up(cluster) == 0
            && let Some((root, since)) = self.zones[cluster].cause
        {
            composed.cause = Some((root, u64::from(self.zones[cluster].serial), since));
            composed.refuses = false;
            // While endpoints are listed the hops themselves fail; the cluster is gone either way.
            composed.condition.down = Some(root);
        }
        composed
    }

    pub(super) fn zones_up(&self, cluster: Id<Cluster>) -> u32 {
        self.plan.clusters[cluster].zones - self.zones[cluster].dead.count_ones()
    }

    /// A generator for a consequence of one occurrence of a fault: the same in every variant.
    pub(super) fn consequence(&self, root: Id<Root>, occurrence: u64, target: u64, purpose: u64, attempt: u64) -> Rng {
        let stream = self.seed.stream().with(self.plan.roots[root].digest).with(occurrence);
        stream.with(target).with(purpose).with(attempt).rng()
    }
}
