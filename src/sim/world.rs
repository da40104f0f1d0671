//! One seed's world: faults, verdicts, answers, promotions, and the events that move them.
//!
//! Every event changes some state; then [`World::refresh`] lets probes see it and gives each cluster its new
//! inputs. A cluster whose inputs stay the same isn't touched.

use super::index::Index;
use super::inputs::{Access, Bits, Condition, Flow, Inputs, Route};
use super::log::{Answer, Deed, Held, Log};
use super::memo::Memo;
use super::tally::Tally;
use super::unit::{Unit, slot_at};
use crate::base::stream::{Rng, digest, uniform};
use crate::base::{Id, Seed, SimTime, Span, Table};
use crate::domain::observation::Promotion;
use crate::domain::{Cluster, Dependency, Population, Root, Stage, Store};
use crate::engine::EventList;
use crate::failover::spec::{Decide, Failback, ScaleWhen};
use crate::failure::clock::{self, First};
use crate::failure::spec::EffectSpec;
use crate::plan::{DEMAND, Element, Plan, StepPlan};
use crate::replication::{loss, spec::Replication};
use crate::routing::health::Outcome;
use crate::routing::spec::Depth;

/// Why a fault that has gone still counts as the cause of missing capacity.
const LINGER: Span = Span::from_whole_secs(600);

/// What is due.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A fault strikes.
    Fault(u32),
    /// A hold ends.
    Repair { hold: u32, serial: u32 },
    /// A scripted incident begins.
    Incident(u32),
    /// A surge begins or ends.
    Surge { surge: u32, begins: bool },
    /// A health check changes its mind.
    Verdict { target: u32, serial: u32 },
    /// A pair's controller goes on.
    Pair { pair: u32, serial: u32 },
    /// A partition's controller goes on.
    Partition { partition: u32, serial: u32 },
    /// A new answer reaches the name servers.
    Answer { population: u32, serial: u32 },
    /// Clients have moved on.
    Dns { serial: u32 },
    /// Endpoints in dead zones are dropped.
    EndpointsDropped { cluster: u32, serial: u32 },
    /// Pods of dead zones are started elsewhere.
    Evicted { cluster: u32, serial: u32 },
    /// A store's copy has failed over to another zone.
    ZoneFailedOver { cluster: u32, store: u32 },
    /// A standby that gave back has no users left.
    Drained { pair: u32, serial: u32 },
    /// A fault that has gone no longer counts as a cause.
    Lingered { cluster: u32 },
    /// Rates grow.
    Week,
}

/// A fault's hold.
#[derive(Clone, Copy, Debug)]
struct Active {
    root: Id<Root>,
    effect: EffectSpec,
    /// Shallow checks see it.
    seen: bool,
    since: SimTime,
    occurrence: u64,
}

/// What all holds on one thing amount to.
#[derive(Clone, Copy, Debug)]
struct Composed {
    condition: Condition,
    /// The hold that `down` is of, or else the earliest.
    cause: Option<(Id<Root>, u64, SimTime)>,
    /// Connections are refused: known without a timeout.
    refuses: bool,
    /// A degraded hold that shallow checks see.
    seen: bool,
}

/// The zones of a cluster.
#[derive(Clone, Debug, Default)]
struct Zones {
    dead: u64,
    /// Of those, the ones whose endpoints are still listed.
    listed: u64,
    /// Pods wanted when the first zone died, by station.
    wanted: Option<Vec<u32>>,
    cause: Option<(Id<Root>, SimTime)>,
    serial: u32,
}

/// What a health check thinks of a cluster, or of a store's copy.
#[derive(Clone, Debug)]
struct Probed {
    up: bool,
    /// The other verdict is on its way.
    pending: bool,
    serial: u32,
    cause: Option<(Id<Root>, u64)>,
}

/// What a controller is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    Deciding,
    Promoting(u64),
    FailingBack,
}

/// A pair's or a partition's controller.
#[derive(Clone, Debug)]
struct Controller {
    phase: Phase,
    serial: u32,
    cause: (Id<Root>, u64),
    /// The successor of a partition.
    to: Id<Cluster>,
}

/// Clients that are leaving an old answer.
#[derive(Clone, Debug)]
struct Cohort {
    answer: Answer,
    weight: f64,
    at: SimTime,
}

/// Where one population is routed.
#[derive(Clone, Debug)]
struct Routed {
    answer: Answer,
    /// The answer when all is well.
    nominal: Answer,
    pending: Option<Answer>,
    serial: u32,
    cohorts: Vec<Cohort>,
    /// Why the answer isn't the nominal one, since when.
    moved: Option<(Id<Root>, SimTime)>,
    factor: f64,
}

/// One seed's world.
pub(super) struct World<'a> {
    plan: &'a Plan,
    index: &'a Index,
    pub(super) memo: &'a mut Memo,
    seed: Seed,
    pub(super) events: EventList<Event>,
    pub(super) tally: Tally,
    pub(super) log: Log,
    clocks: Vec<(Rng, u64)>,
    holds: Vec<(Option<Active>, u32)>,
    zones: Table<Cluster, Zones>,
    clusters: Table<Cluster, Probed>,
    phases: Table<Cluster, Vec<Span>>,
    /// By partition: (store, partition).
    partitions: Vec<(Id<Store>, usize)>,
    copies: Table<Cluster, Table<Store, Probed>>,
    /// A copy whose zone died, until it has failed over.
    moving_copies: Table<Cluster, Table<Store, Option<(Id<Root>, SimTime)>>>,
    leaders: Vec<Id<Cluster>>,
    partition_controllers: Vec<Controller>,
    pair_controllers: Vec<Controller>,
    /// By pair: the standby is the active member.
    switched: Vec<bool>,
    routed: Table<Population, Routed>,
    units: Table<Cluster, Unit>,
    /// Faults whose effect on capacity outlives them.
    lingering: Table<Cluster, Option<(Id<Root>, SimTime)>>,
    dns_serial: u32,
    step_end: SimTime,
    fronts: Table<Cluster, Composed>,
}

struct Purposes {
    clock: u64,
    phase: u64,
    seen: u64,
    decide: u64,
    promote: u64,
    success: u64,
    failback: u64,
    lost: u64,
    zone: u64,
    shock: u64,
}

fn purposes() -> Purposes {
    Purposes {
        clock: digest("clock"),
        phase: digest("health phase"),
        seen: digest("seen by shallow checks"),
        decide: digest("decide"),
        promote: digest("promote"),
        success: digest("promotion succeeds"),
        failback: digest("failback"),
        lost: digest("lost writes"),
        zone: digest("zone failover"),
        shock: digest("shock"),
    }
}

impl<'a> World<'a> {
    /// The world at time 0, with the first events due.
    pub(super) fn new(plan: &'a Plan, index: &'a Index, memo: &'a mut Memo, seed: Seed, trace: bool) -> Self {
        let up = Probed { up: true, pending: false, serial: 0, cause: None };
        let demand = (Id::new(DEMAND), 0);
        let idle = |to| Controller { phase: Phase::Idle, serial: 0, cause: demand, to };
        let partitions: Vec<(Id<Store>, usize)> = plan
            .stores
            .iter_enumerated()
            .flat_map(|(id, store)| (0..store.partitions.len()).map(move |partition| (id, partition)))
            .collect();
        let leaders: Vec<Id<Cluster>> =
            partitions.iter().map(|&(store, partition)| plan.stores[store].partitions[partition].leader).collect();
        let per_copy = |value: Probed| -> Table<Cluster, Table<Store, Probed>> {
            vec![vec![value; plan.stores.len()].into(); plan.clusters.len()].into()
        };
        let purpose = purposes().phase;
        let phases = plan.clusters.iter().map(|cluster| {
            (0..plan.routing.checkers)
                .map(|checker| {
                    plan.routing.phase.unwrap_or_else(|| {
                        let stream = seed.stream().with(cluster.digest).with(purpose).with(u64::from(checker));
                        Span::from_secs(uniform(&mut stream.rng()) * plan.routing.prober.interval().secs())
                    })
                })
                .collect()
        });
        let nothing = Inputs {
            cluster: Id::new(0),
            front: Condition::good(),
            zones_up: 0,
            zones_listed: 0,
            zones_root: Id::new(DEMAND),
            stations: Vec::new(),
            dependencies: Vec::new(),
            overload_root: Id::new(DEMAND),
            active: true,
            flows: Vec::new(),
        };
        let unset = memo.inputs_id(&nothing);
        let good = Composed { condition: Condition::good(), cause: None, refuses: false, seen: false };
        let mut world = Self {
            plan,
            index,
            seed,
            events: EventList::default(),
            tally: Tally::new(plan, trace),
            log: Log { answers: vec![Vec::new(); plan.populations.len()], ..Log::default() },
            clocks: Vec::new(),
            holds: vec![(None, 0); plan.holds.len()],
            zones: vec![Zones::default(); plan.clusters.len()].into(),
            clusters: vec![up.clone(); plan.clusters.len()].into(),
            phases: phases.collect(),
            copies: per_copy(up),
            moving_copies: vec![vec![None; plan.stores.len()].into(); plan.clusters.len()].into(),
            partition_controllers: leaders.iter().map(|&leader| idle(leader)).collect(),
            leaders,
            partitions,
            pair_controllers: plan.pairs.iter().map(|pair| idle(pair.primary)).collect(),
            switched: vec![false; plan.pairs.len()],
            routed: Table::new(),
            units: plan.clusters.keys().map(|cluster| Unit::new(plan, cluster, unset)).collect(),
            lingering: vec![None; plan.clusters.len()].into(),
            dns_serial: 0,
            step_end: SimTime::NEVER,
            fronts: vec![good; plan.clusters.len()].into(),
            memo,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let plan = self.plan;
        let nominal: Vec<Answer> = plan.populations.keys().map(|population| self.choose(population)).collect();
        for (population, nominal) in plan.populations.keys().zip(nominal) {
            self.log.answers[population.index()].push((SimTime::ZERO, nominal.clone()));
            self.routed.push(Routed {
                answer: nominal.clone(),
                nominal,
                pending: None,
                serial: 0,
                cohorts: Vec::new(),
                moved: None,
                factor: 1.0,
            });
        }
        let purpose = purposes().clock;
        for (position, fault) in plan.faults.iter().enumerate() {
            let mut rng = self.seed.stream().with(fault.digest).with(purpose).rng();
            let at = if fault.shock.is_some() {
                SimTime::ZERO + clock::first_shock(&fault.every, fault.clock, &mut rng)
            } else {
                match clock::first(&fault.every, &fault.repair, fault.clock, &mut rng) {
                    First::Up(up) => SimTime::ZERO + up,
                    First::Down(left) => {
                        let member = fault.members[0];
                        self.hold(member.hold, member.root, fault.effect, left, 0);
                        SimTime::ZERO + left + fault.every.sample_span(&mut rng)
                    }
                }
            };
            self.clocks.push((rng, 1));
            self.events.schedule(at, Event::Fault(position as u32));
        }
        for (position, incident) in plan.incidents.iter().enumerate() {
            self.events.schedule(SimTime::ZERO + incident.at, Event::Incident(position as u32));
        }
        for (position, surge) in plan.surges.iter().enumerate() {
            let at = SimTime::ZERO + surge.at;
            let surge_of = |begins| Event::Surge { surge: position as u32, begins };
            self.events.schedule(at, surge_of(true));
            self.events.schedule(at + surge.lasts, surge_of(false));
        }
        if plan.populations.iter().any(|population| population.growth != 0.0) {
            self.events.schedule(SimTime::ZERO + Span::WEEK, Event::Week);
        }
        // What is down when the run begins has been noticed long ago.
        self.compose_fronts();
        for cluster in plan.clusters.keys() {
            self.clusters[cluster].up = self.probe(cluster) == Outcome::Good;
            self.clusters[cluster].cause = self.fronts[cluster].cause.map(|(root, occurrence, _)| (root, occurrence));
        }
        for population in plan.populations.keys() {
            let answer = self.choose(population);
            self.give(population, answer, SimTime::ZERO);
            self.routed[population].cohorts.clear();
        }
        self.review_controllers(SimTime::ZERO);
        self.refresh(SimTime::ZERO);
    }

    /// Lets one event happen.
    pub(super) fn handle(&mut self, now: SimTime, event: Event) {
        match event {
            Event::Fault(fault) => self.strike(now, fault),
            Event::Repair { hold, serial } => {
                if self.holds[hold as usize].1 != serial {
                    return;
                }
                self.release(now, hold);
            }
            Event::Incident(incident) => {
                let incident = &self.plan.incidents[incident as usize];
                for member in &incident.members {
                    self.hold(member.hold, member.root, incident.effect, incident.lasts, 0);
                }
            }
            Event::Surge { surge, begins } => {
                let surge = &self.plan.surges[surge as usize];
                for (population, &touched) in surge.populations.iter_enumerated() {
                    if touched {
                        let factor = &mut self.routed[population].factor;
                        *factor = if begins { *factor * surge.factor } else { *factor / surge.factor };
                    }
                }
            }
            Event::Verdict { target, serial } => self.verdict(now, target, serial),
            Event::Pair { pair, serial } => {
                if self.pair_controllers[pair as usize].serial == serial {
                    self.pair_goes_on(now, pair as usize);
                }
            }
            Event::Partition { partition, serial } => {
                if self.partition_controllers[partition as usize].serial == serial {
                    self.partition_goes_on(now, partition as usize);
                }
            }
            Event::Answer { population, serial } => {
                let population = Id::new(population as usize);
                if self.routed[population].serial == serial
                    && let Some(answer) = self.routed[population].pending.take()
                {
                    self.give(population, answer, now);
                }
            }
            Event::Dns { serial } => {
                if serial != self.dns_serial {
                    return;
                }
            }
            Event::EndpointsDropped { cluster, serial } => {
                let zones = &mut self.zones[Id::new(cluster as usize)];
                if zones.serial == serial {
                    zones.listed = 0;
                }
            }
            Event::Evicted { cluster, serial } => {
                let cluster = Id::new(cluster as usize);
                if self.zones[cluster].serial == serial
                    && let Some(wanted) = self.zones[cluster].wanted.clone()
                {
                    self.flush(now, cluster);
                    self.units[cluster].grow_to(&wanted, self.plan, self.memo);
                }
            }
            Event::ZoneFailedOver { cluster, store } => {
                let moving = &mut self.moving_copies[Id::new(cluster as usize)][Id::new(store as usize)];
                if moving.is_some_and(|(_, until)| until <= now) {
                    *moving = None;
                }
            }
            Event::Drained { pair, serial } => {
                if self.pair_controllers[pair as usize].serial == serial && !self.switched[pair as usize] {
                    self.suspend(now, pair as usize);
                }
            }
            Event::Lingered { cluster } => {
                let lingering = &mut self.lingering[Id::new(cluster as usize)];
                if lingering.is_some_and(|(_, until)| until <= now) {
                    *lingering = None;
                }
            }
            Event::Week => {
                for (population, routed) in self.plan.populations.iter().zip(&mut self.routed) {
                    if population.growth != 0.0 {
                        routed.factor *= crate::base::maths::powf(1.0 + population.growth, 7.0 / 365.0);
                    }
                }
                self.events.schedule(now + Span::WEEK, Event::Week);
            }
        }
        self.refresh(now);
    }

    /// Advances every cluster to `now`, with nothing changed.
    pub(super) fn catch_up(&mut self, now: SimTime) {
        for cluster in self.plan.clusters.keys() {
            self.flush(now, cluster);
        }
        self.refresh(now);
    }

    // ---- faults ----

    fn strike(&mut self, now: SimTime, fault: u32) {
        let plan = self.plan;
        let fault_plan = &plan.faults[fault as usize];
        let occurrence = self.clocks[fault as usize].1;
        self.clocks[fault as usize].1 += 1;
        if let Some(chance) = fault_plan.shock {
            for member in &fault_plan.members {
                // Each member's own draws, so that another one more shifts nobody's.
                let stream = self.seed.stream().with(fault_plan.digest).with(purposes().shock);
                let mut rng = stream.with(plan.roots[member.root].digest).with(occurrence).rng();
                let hit = uniform(&mut rng) <= chance;
                let lasts = fault_plan.repair.sample_span(&mut rng);
                if hit {
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
        let struck = self.hold(member.hold, member.root, fault_plan.effect, lasts, occurrence);
        // Absorbed by its group, it is as good as new.
        let next = if struck { now + lasts + up } else { now + up };
        self.events.schedule(next, Event::Fault(fault));
    }

    /// Takes hold of a target, unless its group already does.
    fn hold(&mut self, hold: u32, root: Id<Root>, effect: EffectSpec, lasts: Span, occurrence: u64) -> bool {
        let now = self.events.now();
        if self.holds[hold as usize].0.is_some() {
            return false;
        }
        let seen = match effect {
            EffectSpec::Down(_) => true,
            EffectSpec::Degraded(degraded) => {
                let chance = degraded.seen_by_shallow_checks.get();
                chance > 0.0 && uniform(&mut self.consequence(root, occurrence, 0, purposes().seen, 0)) <= chance
            }
        };
        let before = self.zones_dead();
        let serial = self.holds[hold as usize].1 + 1;
        self.holds[hold as usize] = (Some(Active { root, effect, seen, since: now, occurrence }), serial);
        self.log.held.push(Held { root, from: now, to: now + lasts });
        self.events.schedule(now + lasts, Event::Repair { hold, serial });
        self.zones_changed(now, &before);
        true
    }

    fn release(&mut self, now: SimTime, hold: u32) {
        let before = self.zones_dead();
        let Some(active) = self.holds[hold as usize].0.take() else { return };
        // Missing pods keep their cause until they are back.
        let hits_capacity = match active.effect {
            EffectSpec::Down(_) => matches!(self.plan.holds[hold as usize].element, Element::Zone(..)),
            EffectSpec::Degraded(_) => false,
        };
        if hits_capacity {
            for cluster in self.plan.clusters.keys() {
                if self.index.zones[cluster].iter().any(|&(_, other)| other == hold as usize) {
                    self.lingering[cluster] = Some((active.root, now + LINGER));
                    self.events.schedule(now + LINGER, Event::Lingered { cluster: cluster.index() as u32 });
                }
            }
        }
        self.zones_changed(now, &before);
    }

    /// By cluster: the zones that some hold keeps down.
    fn zones_dead(&self) -> Table<Cluster, u64> {
        self.index
            .zones
            .iter()
            .map(|zones| {
                zones.iter().fold(0, |dead, &(zone, hold)| match self.holds[hold].0 {
                    Some(Active { effect: EffectSpec::Down(_), .. }) => dead | 1 << zone,
                    Some(Active { effect: EffectSpec::Degraded(_), .. }) | None => dead,
                })
            })
            .collect()
    }

    /// Pods die with their zone and come back with it, or elsewhere.
    fn zones_changed(&mut self, now: SimTime, before: &Table<Cluster, u64>) {
        let after = self.zones_dead();
        for (cluster, &dead) in after.iter_enumerated() {
            self.zones[cluster].cause = self.index.zones[cluster]
                .iter()
                .filter_map(|&(_, hold)| self.holds[hold].0)
                .filter(|active| matches!(active.effect, EffectSpec::Down(_)))
                .map(|active| (active.root, active.since))
                .min_by_key(|&(root, since)| (since, root));
            if dead == before[cluster] {
                continue;
            }
            let own = &self.plan.clusters[cluster];
            self.flush(now, cluster);
            let died = dead & !before[cluster];
            let up_before = own.zones - before[cluster].count_ones();
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
    fn copies_leave_zone(&mut self, now: SimTime, cluster: Id<Cluster>) {
        let Some((root, _)) = self.zones[cluster].cause else { return };
        if self.plan.clusters[cluster].zones < 2 {
            return;
        }
        for (id, store) in self.plan.stores.iter_enumerated() {
            if store.copies.contains(&cluster) {
                let occurrence = u64::from(self.zones[cluster].serial);
                let target = store.digest ^ self.plan.clusters[cluster].digest;
                let mut rng = self.consequence(root, occurrence, target, purposes().zone, 0);
                let until = now + store.zone_failover.sample_span(&mut rng);
                self.moving_copies[cluster][id] = Some((root, until));
                let (cluster, store) = (cluster.index() as u32, id.index() as u32);
                self.events.schedule(until, Event::ZoneFailedOver { cluster, store });
            }
        }
    }

    /// What all these holds amount to: down over degraded, factors multiply, errors as 1 − Π(1 − e).
    fn compose(&self, holds: impl Iterator<Item = usize>) -> Composed {
        let mut composed = Composed { condition: Condition::good(), cause: None, refuses: false, seen: false };
        let (mut passes, mut latency, mut capacity) = (1.0, 1.0, 1.0);
        let mut down: Option<(Id<Root>, u64, SimTime)> = None;
        let mut grey: Option<(Id<Root>, u64, SimTime)> = None;
        let earlier = |cause: &mut Option<(Id<Root>, u64, SimTime)>, active: &Active| {
            if cause.is_none_or(|(root, _, since)| (active.since, active.root) < (since, root)) {
                *cause = Some((active.root, active.occurrence, active.since));
            }
        };
        for hold in holds {
            let Some(active) = self.holds[hold].0 else { continue };
            match active.effect {
                EffectSpec::Down(effect) => {
                    // One black hole among refusals is a black hole.
                    composed.refuses = effect.refuses && (down.is_none() || composed.refuses);
                    earlier(&mut down, &active);
                }
                EffectSpec::Degraded(effect) => {
                    passes *= 1.0 - effect.errors.get();
                    latency *= effect.latency;
                    capacity *= effect.capacity;
                    composed.seen |= active.seen;
                    earlier(&mut grey, &active);
                }
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

    /// Regions and clusters; a degraded zone counts with its share of the cluster.
    fn compose_fronts(&mut self) {
        for cluster in self.plan.clusters.keys() {
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
            self.fronts[cluster] = composed;
        }
    }

    fn zones_up(&self, cluster: Id<Cluster>) -> u32 {
        self.plan.clusters[cluster].zones - self.zones[cluster].dead.count_ones()
    }

    /// A generator for a consequence of one occurrence of a fault: the same in every variant.
    fn consequence(&self, root: Id<Root>, occurrence: u64, target: u64, purpose: u64, attempt: u64) -> Rng {
        let stream = self.seed.stream().with(self.plan.roots[root].digest).with(occurrence);
        stream.with(target).with(purpose).with(attempt).rng()
    }

    // ---- health ----

    /// What a probe of a cluster meets now.
    fn probe(&self, cluster: Id<Cluster>) -> Outcome {
        let front = &self.fronts[cluster];
        if front.condition.down.is_some() {
            return if front.refuses { Outcome::Refused } else { Outcome::Silence };
        }
        let deep = match self.plan.routing.depth {
            Depth::Deep => true,
            Depth::Shallow => false,
        };
        if front.seen || (deep && front.condition.errors.get() > 0.0) {
            return Outcome::Refused;
        }
        for &(station, hold) in &self.index.stations[cluster] {
            let Some(active) = self.holds[hold].0 else { continue };
            let is_front = self.index.fronts[cluster].contains(&station);
            let fails = match active.effect {
                EffectSpec::Down(_) => is_front || deep,
                EffectSpec::Degraded(effect) => (is_front && active.seen) || (deep && effect.errors.get() > 0.0),
            };
            if fails {
                return Outcome::Refused;
            }
        }
        if deep && (self.a_store_fails(cluster) || self.a_dependency_fails()) {
            return Outcome::Refused;
        }
        Outcome::Good
    }

    fn a_dependency_fails(&self) -> bool {
        self.index.dependencies.iter_enumerated().any(|(dependency, holds)| {
            self.index.used_dependencies[dependency] && self.compose(holds.iter().copied()).condition.down.is_some()
        })
    }

    /// A deep check writes to what it would lead itself, and to single leaders.
    fn a_store_fails(&self, cluster: Id<Cluster>) -> bool {
        self.partitions.iter().enumerate().any(|(position, &(store, _))| {
            let single = self.plan.stores[store].partitions.len() == 1;
            self.index.used_stores[store]
                && (single || self.leaders[position] == cluster)
                && matches!(self.write_route(cluster, position), Route::Fail(..))
        })
    }

    /// Schedules or calls off verdicts after a change.
    fn let_probes_see(&mut self, now: SimTime) {
        let plan = self.plan;
        for cluster in plan.clusters.keys() {
            let outcome = self.probe(cluster);
            let number = cluster.index();
            if let Some(at) = Self::settle(&mut self.clusters[cluster], outcome, |outcome| {
                plan.routing.prober.verdict(now, outcome, &self.phases[cluster])
            }) {
                let serial = self.clusters[cluster].serial;
                self.events.schedule(at, Event::Verdict { target: number as u32, serial });
            }
            for store in plan.stores.keys() {
                let holds = &self.index.copies[cluster][store];
                if holds.is_empty() {
                    continue;
                }
                let composed = self.compose(holds.iter().copied());
                let outcome = match (composed.condition.down, composed.refuses) {
                    (None, _) => Outcome::Good,
                    (Some(_), true) => Outcome::Refused,
                    (Some(_), false) => Outcome::Silence,
                };
                if let Some(at) = Self::settle(&mut self.copies[cluster][store], outcome, |outcome| {
                    plan.routing.prober.verdict(now, outcome, &self.phases[cluster])
                }) {
                    let serial = self.copies[cluster][store].serial;
                    let target = plan.clusters.len() + number * plan.stores.len() + store.index();
                    self.events.schedule(at, Event::Verdict { target: target as u32, serial });
                }
            }
        }
    }

    /// When a verdict follows from an outcome, unless one is on its way or the mind is made up.
    fn settle(probed: &mut Probed, outcome: Outcome, when: impl FnOnce(Outcome) -> SimTime) -> Option<SimTime> {
        if (outcome == Outcome::Good) == probed.up {
            if probed.pending {
                probed.pending = false;
                probed.serial += 1;
            }
            return None;
        }
        if probed.pending {
            return None;
        }
        probed.pending = true;
        probed.serial += 1;
        Some(when(outcome))
    }

    fn verdict(&mut self, now: SimTime, target: u32, serial: u32) {
        let clusters = self.plan.clusters.len();
        let (cluster, store) = match (target as usize).checked_sub(clusters) {
            None => (Id::new(target as usize), None),
            Some(copy) => {
                let stores = self.plan.stores.len();
                (Id::new(copy / stores), Some(Id::<Store>::new(copy % stores)))
            }
        };
        let cause = match store {
            None => self.why_unhealthy(cluster),
            Some(store) => self.compose(self.index.copies[cluster][store].iter().copied()).cause,
        };
        let probed = match store {
            None => &mut self.clusters[cluster],
            Some(store) => &mut self.copies[cluster][store],
        };
        if probed.serial != serial || !probed.pending {
            return;
        }
        probed.pending = false;
        probed.up = !probed.up;
        if !probed.up {
            probed.cause = cause.map(|(root, occurrence, _)| (root, occurrence));
        }
        let deed = if probed.up { Deed::Recovered(cluster) } else { Deed::Detected(cluster) };
        self.log.deeds.push((now, deed));
        self.review_controllers(now);
        self.review_routes(now);
    }

    /// What a probe of a cluster that fails can be put down to.
    fn why_unhealthy(&self, cluster: Id<Cluster>) -> Option<(Id<Root>, u64, SimTime)> {
        self.fronts[cluster].cause.or_else(|| {
            let stations = self.index.stations[cluster].iter().map(|&(_, hold)| hold);
            let dependencies = self.index.dependencies.iter().flatten().copied();
            self.compose(stations).cause.or_else(|| self.compose(dependencies).cause)
        })
    }

    // ---- routing ----

    /// The answer for a population, by what health checks think.
    fn choose(&self, population: Id<Population>) -> Answer {
        let own = &self.plan.populations[population];
        let member = |pair: usize| {
            let plan = &self.plan.pairs[pair];
            if self.switched[pair] { plan.standby.unwrap_or(plan.primary) } else { plan.primary }
        };
        let allowed = |pair: &usize| !own.forbidden[member(*pair)];
        if let Some(weights) = &own.weights {
            let pick = |healthy: bool| -> Answer {
                own.order
                    .iter()
                    .copied()
                    .filter(allowed)
                    .filter(|&pair| weights[pair] > 0.0 && (!healthy || self.clusters[member(pair)].up))
                    .map(|pair| (member(pair), weights[pair]))
                    .collect()
            };
            let mut answer = pick(true);
            if answer.is_empty() {
                answer = pick(false);
            }
            let sum: f64 = answer.iter().map(|&(_, weight)| weight).sum();
            for entry in &mut answer {
                entry.1 /= sum;
            }
            return answer;
        }
        let mut candidates = own.order.iter().copied().filter(allowed).map(member);
        let Some(first) = candidates.next() else { return Vec::new() };
        if self.clusters[first].up || !self.plan.routing.fallback {
            return vec![(first, 1.0)];
        }
        // Fail-open: when nobody is healthy, the first is as good as any.
        let healthy = candidates.find(|&cluster| self.clusters[cluster].up).unwrap_or(first);
        vec![(healthy, 1.0)]
    }

    fn review_routes(&mut self, now: SimTime) {
        for population in self.plan.populations.keys() {
            let chosen = self.choose(population);
            let routed = &mut self.routed[population];
            if chosen == *routed.pending.as_ref().unwrap_or(&routed.answer) {
                continue;
            }
            routed.serial += 1;
            if chosen == routed.answer {
                routed.pending = None;
                continue;
            }
            routed.pending = Some(chosen);
            let (population, serial) = (population.index() as u32, routed.serial);
            self.events.schedule(now + self.plan.routing.propagation, Event::Answer { population, serial });
        }
    }

    /// The name servers give a new answer.
    fn give(&mut self, population: Id<Population>, answer: Answer, now: SimTime) {
        if answer == self.routed[population].answer {
            return;
        }
        let cause = self.routed[population]
            .answer
            .iter()
            .find_map(|&(cluster, _)| self.clusters[cluster].cause.filter(|_| answer.iter().all(|a| a.0 != cluster)));
        let expiry = self.plan.routing.expiry;
        let routed = &mut self.routed[population];
        let stale: f64 =
            routed.cohorts.iter().map(|cohort| cohort.weight * expiry.stale((now - cohort.at).secs())).sum();
        let old = core::mem::replace(&mut routed.answer, answer.clone());
        if expiry.ends() > 0.0 {
            routed.cohorts.push(Cohort { answer: old, weight: 1.0 - stale, at: now });
        }
        routed.moved = (routed.answer != routed.nominal)
            .then(|| routed.moved.unwrap_or((cause.map_or(Id::new(DEMAND), |(root, _)| root), now)));
        self.log.answers[population.index()].push((now, answer));
    }

    // ---- pairs ----

    fn active_of(&self, pair: usize) -> Id<Cluster> {
        let plan = &self.plan.pairs[pair];
        if self.switched[pair] { plan.standby.unwrap_or(plan.primary) } else { plan.primary }
    }

    fn passive_of(&self, pair: usize) -> Option<Id<Cluster>> {
        let plan = &self.plan.pairs[pair];
        if self.switched[pair] { Some(plan.primary) } else { plan.standby }
    }

    fn review_controllers(&mut self, now: SimTime) {
        for pair in 0..self.plan.pairs.len() {
            self.review_pair(now, pair);
        }
        for partition in 0..self.partitions.len() {
            self.review_partition(now, partition);
        }
    }

    fn review_pair(&mut self, now: SimTime, pair: usize) {
        let Some(passive) = self.passive_of(pair) else { return };
        let active = self.active_of(pair);
        let phase = self.pair_controllers[pair].phase;
        let active_up = self.clusters[active].up;
        let passive_up = self.clusters[passive].up;
        match phase {
            Phase::Idle if !active_up && passive_up => {
                let cause = self.clusters[active].cause.unwrap_or((Id::new(DEMAND), 0));
                let delay = self.decision(cause, active);
                self.set_pair(pair, Phase::Deciding, cause, now + delay);
            }
            Phase::Idle if self.switched[pair] && active_up && passive_up => {
                if let Some(delay) = self.failback_delay(pair, passive) {
                    let cause = self.pair_controllers[pair].cause;
                    self.set_pair(pair, Phase::FailingBack, cause, now + delay);
                }
            }
            // Recovery before promotion begins aborts it.
            Phase::Deciding if active_up => self.set_pair(pair, Phase::Idle, (Id::new(DEMAND), 0), SimTime::NEVER),
            Phase::FailingBack if !passive_up || !active_up => {
                let cause = self.pair_controllers[pair].cause;
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                if !active_up && passive_up {
                    self.review_pair(now, pair);
                }
            }
            Phase::Idle | Phase::Deciding | Phase::Promoting(_) | Phase::FailingBack => {}
        }
    }

    fn set_pair(&mut self, pair: usize, phase: Phase, cause: (Id<Root>, u64), at: SimTime) {
        let controller = &mut self.pair_controllers[pair];
        controller.phase = phase;
        controller.cause = cause;
        controller.serial += 1;
        let serial = controller.serial;
        self.events.schedule(at, Event::Pair { pair: pair as u32, serial });
    }

    /// How long it takes to decide on a failover from a cluster: one decision for all that it led.
    fn decision(&self, cause: (Id<Root>, u64), from: Id<Cluster>) -> Span {
        match &self.plan.failover.decide {
            Decide::Automatic {} => Span::ZERO,
            Decide::Manual(delay) => {
                let target = self.plan.clusters[from].digest;
                delay.sample_span(&mut self.consequence(cause.0, cause.1, target, purposes().decide, 0))
            }
        }
    }

    fn failback_delay(&self, pair: usize, home: Id<Cluster>) -> Option<Span> {
        let cause = self.pair_controllers[pair].cause;
        self.failback_of(cause, home)
    }

    fn failback_of(&self, cause: (Id<Root>, u64), home: Id<Cluster>) -> Option<Span> {
        match &self.plan.failover.failback {
            Failback::Never {} => None,
            Failback::After(hold) => Some(*hold),
            Failback::Manual(delay) => {
                let target = self.plan.clusters[home].digest;
                Some(delay.sample_span(&mut self.consequence(cause.0, cause.1, target, purposes().failback, 0)))
            }
        }
    }

    fn pair_goes_on(&mut self, now: SimTime, pair: usize) {
        let (active, cause) = (self.active_of(pair), self.pair_controllers[pair].cause);
        let Some(passive) = self.passive_of(pair) else { return };
        let target = self.plan.clusters[active].digest;
        match self.pair_controllers[pair].phase {
            Phase::Idle => {}
            Phase::Deciding => {
                if !self.clusters[passive].up {
                    self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                    return;
                }
                self.log.deeds.push((now, Deed::Decided(active)));
                if !self.switched[pair] && self.plan.failover.scale_when == ScaleWhen::AtDecision {
                    self.activate(now, passive, true);
                }
                let mut rng = self.consequence(cause.0, cause.1, target, purposes().promote, 0);
                let takes = self.plan.failover.promote.sample_span(&mut rng);
                self.set_pair(pair, Phase::Promoting(0), cause, now + takes);
            }
            Phase::Promoting(attempt) => {
                let mut rng = self.consequence(cause.0, cause.1, target, purposes().success, attempt);
                if uniform(&mut rng) > self.plan.failover.promote_success {
                    let mut rng = self.consequence(cause.0, cause.1, target, purposes().promote, attempt + 1);
                    let takes = self.plan.failover.promote.sample_span(&mut rng);
                    self.set_pair(pair, Phase::Promoting(attempt + 1), cause, now + takes);
                    return;
                }
                self.log.deeds.push((now, Deed::Promoted(active)));
                let to_standby = !self.switched[pair];
                self.switched[pair] = to_standby;
                if to_standby {
                    self.activate(now, passive, false);
                }
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                self.after_switch(now, pair);
            }
            Phase::FailingBack => {
                self.log.deeds.push((now, Deed::FailedBack(passive)));
                self.switched[pair] = false;
                self.set_pair(pair, Phase::Idle, cause, SimTime::NEVER);
                self.after_switch(now, pair);
            }
        }
    }

    fn after_switch(&mut self, now: SimTime, pair: usize) {
        if !self.switched[pair] {
            // The standby keeps its pods until the last client has left it.
            let serial = self.pair_controllers[pair].serial;
            let tail = Span::from_secs(self.plan.routing.expiry.ends());
            self.events
                .schedule(now + self.plan.routing.propagation + tail, Event::Drained { pair: pair as u32, serial });
        }
        self.review_pair(now, pair);
        self.review_routes(now);
    }

    /// A standby wakes: its autoscalers run, and it grows at once if that was decided.
    fn activate(&mut self, now: SimTime, cluster: Id<Cluster>, grow: bool) {
        self.flush(now, cluster);
        let own = &self.plan.clusters[cluster];
        let unit = &mut self.units[cluster];
        unit.active = true;
        unit.min_nodes = own.pool.as_ref().map_or(0, |pool| pool.min);
        if grow {
            let wanted: Vec<u32> = own.stations.iter().map(|station| station.replicas).collect();
            unit.grow_to(&wanted, self.plan, self.memo);
            unit.hold_pods(self.memo);
        }
    }

    /// A standby goes back to its share of the pods.
    fn suspend(&mut self, now: SimTime, pair: usize) {
        let Some(standby) = self.plan.pairs[pair].standby else { return };
        self.flush(now, standby);
        let own = &self.plan.clusters[standby];
        let wanted: Vec<u32> = own.stations.iter().map(|station| station.standby_replicas).collect();
        let unit = &mut self.units[standby];
        unit.active = false;
        unit.min_nodes = own.standby_min_nodes;
        unit.shrink_to(&wanted, self.memo);
        unit.grow_to(&wanted, self.plan, self.memo);
    }

    // ---- partitions ----

    fn leader_seems_up(&self, partition: usize) -> bool {
        let (store, _) = self.partitions[partition];
        let leader = self.leaders[partition];
        self.clusters[leader].up && self.copies[leader][store].up
    }

    /// The follower that would take over: the freshest that is up.
    fn successor(&self, partition: usize) -> Option<Id<Cluster>> {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store].partitions[part];
        plan.followers.iter().chain([&plan.leader]).copied().find(|&member| {
            member != self.leaders[partition] && self.clusters[member].up && self.copies[member][store].up
        })
    }

    fn review_partition(&mut self, now: SimTime, partition: usize) {
        let (store, part) = self.partitions[partition];
        let home = self.plan.stores[store].partitions[part].leader;
        let leader = self.leaders[partition];
        let up = self.leader_seems_up(partition);
        let cause = self.partition_controllers[partition].cause;
        match self.partition_controllers[partition].phase {
            Phase::Idle if !up => {
                if self.successor(partition).is_some() {
                    let copy = self.copies[leader][store].clone();
                    let cluster = &self.clusters[leader];
                    let cause = if copy.up { cluster.cause } else { copy.cause };
                    let cause = cause.unwrap_or((Id::new(DEMAND), 0));
                    let delay = self.decision(cause, leader);
                    self.set_partition(partition, Phase::Deciding, cause, now + delay);
                }
            }
            Phase::Idle if leader != home && self.clusters[home].up && self.copies[home][store].up => {
                if let Some(delay) = self.failback_of(cause, home) {
                    self.set_partition(partition, Phase::FailingBack, cause, now + delay);
                }
            }
            Phase::Deciding if up => {
                self.set_partition(partition, Phase::Idle, (Id::new(DEMAND), 0), SimTime::NEVER);
            }
            Phase::FailingBack if !up || !(self.clusters[home].up && self.copies[home][store].up) => {
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                if !up {
                    self.review_partition(now, partition);
                }
            }
            Phase::Idle | Phase::Deciding | Phase::Promoting(_) | Phase::FailingBack => {}
        }
    }

    fn set_partition(&mut self, partition: usize, phase: Phase, cause: (Id<Root>, u64), at: SimTime) {
        let controller = &mut self.partition_controllers[partition];
        controller.phase = phase;
        controller.cause = cause;
        controller.serial += 1;
        let serial = controller.serial;
        self.events.schedule(at, Event::Partition { partition: partition as u32, serial });
    }

    fn partition_goes_on(&mut self, now: SimTime, partition: usize) {
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        let cause = self.partition_controllers[partition].cause;
        let target = self.plan.clusters[leader].digest;
        let promote = &self.plan.stores[store].promote;
        match self.partition_controllers[partition].phase {
            Phase::Idle => {}
            Phase::Deciding => {
                let Some(to) = self.successor(partition) else {
                    self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                    return;
                };
                self.log.deeds.push((now, Deed::Decided(leader)));
                self.partition_controllers[partition].to = to;
                let mut rng = self.consequence(cause.0, cause.1, target, purposes().promote, 0);
                let takes = promote.sample_span(&mut rng);
                self.set_partition(partition, Phase::Promoting(0), cause, now + takes);
            }
            Phase::Promoting(attempt) => {
                let to = self.partition_controllers[partition].to;
                let mut rng = self.consequence(cause.0, cause.1, target, purposes().success, attempt);
                let works = uniform(&mut rng) <= self.plan.failover.promote_success;
                if !works || self.copy_is_gone(to, store).is_some() {
                    let mut rng = self.consequence(cause.0, cause.1, target, purposes().promote, attempt + 1);
                    let takes = promote.sample_span(&mut rng);
                    if let Some(other) = self.successor(partition) {
                        self.partition_controllers[partition].to = other;
                    }
                    self.set_partition(partition, Phase::Promoting(attempt + 1), cause, now + takes);
                    return;
                }
                self.log.deeds.push((now, Deed::Promoted(leader)));
                self.count_losses(now, partition, to);
                self.leaders[partition] = to;
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
                self.review_partition(now, partition);
            }
            Phase::FailingBack => {
                self.leaders[partition] = self.plan.stores[store].partitions[part].leader;
                self.set_partition(partition, Phase::Idle, cause, SimTime::NEVER);
            }
        }
    }

    /// Why a copy can't be reached, if it can't.
    fn copy_is_gone(&self, cluster: Id<Cluster>, store: Id<Store>) -> Option<Id<Root>> {
        self.fronts[cluster]
            .condition
            .down
            .or_else(|| self.compose(self.index.copies[cluster][store].iter().copied()).condition.down)
    }

    /// What the follower never had: nothing if replication is synchronous, or the leader is still there.
    fn count_losses(&mut self, now: SimTime, partition: usize, to: Id<Cluster>) {
        let (store, part) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        let from = self.leaders[partition];
        let (root, occurrence) = self.partition_controllers[partition].cause;
        let gone = self.copy_is_gone(from, store).is_some();
        let lost = match &plan.replication {
            Replication::Async(asynchronous) if gone => {
                let since = self.since(root, now);
                let rate = self.write_rate(store, part, since);
                let target = plan.digest ^ (part as u64 + 1);
                let mut rng = self.consequence(root, occurrence, target, purposes().lost, 0);
                loss::draw(rate, &asynchronous.lag, &mut rng)
            }
            Replication::Async(_) | Replication::Sync(_) => loss::Loss::default(),
        };
        self.log.promotions.push(Promotion {
            store,
            population: (plan.partitions.len() > 1).then(|| Id::new(part)),
            at: now.secs(),
            from,
            to,
            rpo: lost.oldest,
            lost: lost.writes as f64,
            root,
        });
    }

    /// When the fault that is the cause began.
    fn since(&self, root: Id<Root>, now: SimTime) -> SimTime {
        self.log.held.iter().rev().find(|held| held.root == root).map_or(now, |held| held.from)
    }

    /// Writes per second to a partition at a time, when all is well.
    fn write_rate(&self, store: Id<Store>, part: usize, at: SimTime) -> f64 {
        let (slot, _) = slot_at(self.plan, at);
        let mut rate = 0.0;
        for (id, population) in self.plan.populations.iter_enumerated() {
            if self.plan.stores[store].partition_of(id) != part {
                continue;
            }
            let requests = population.rate * population.profile[slot] * self.routed[id].factor;
            for (journey, share) in self.plan.journeys.iter().zip(&population.shares) {
                let writes =
                    journey.steps.iter().filter(|step| matches!(step, StepPlan::Write(other, _) if *other == store));
                rate += requests * share * writes.count() as f64;
            }
        }
        rate
    }

    /// Whether the network between two regions is cut, and why.
    fn cut(&self, a: Id<Cluster>, b: Id<Cluster>) -> Option<Id<Root>> {
        let (a, b) = (self.plan.clusters[a].region, self.plan.clusters[b].region);
        let (low, high) = (a.min(b), a.max(b));
        let between = self.index.links.iter().filter(|link| link.0 == low && link.1 == high).map(|link| link.2);
        self.compose(between).condition.down
    }

    /// Where a write from a cluster to a partition goes.
    fn write_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, part) = self.partitions[partition];
        let leader = self.leaders[partition];
        if let Some(root) = self.copy_is_gone(leader, store) {
            return Route::Fail(self.blame_partition(partition), root);
        }
        if let Some((root, _)) = self.moving_copies[leader][store] {
            return Route::Fail(Stage::Promoting, root);
        }
        if let Some(root) = self.cut(from, leader) {
            return Route::Fail(Stage::Partition, root);
        }
        let plan = &self.plan.stores[store];
        let mut ack = 0.0_f64;
        if let Replication::Sync(sync) = &plan.replication {
            // A leader that was deposed is fenced until it takes back: nobody waits for it.
            for &follower in plan.partitions[part].followers.iter().filter(|&&follower| follower != leader) {
                let lost = self
                    .copy_is_gone(follower, store)
                    .map(|root| {
                        let stage = if self.clusters[follower].up { Stage::Undetected } else { Stage::NoTarget };
                        (stage, root)
                    })
                    .or_else(|| self.cut(leader, follower).map(|root| (Stage::Partition, root)));
                match lost {
                    Some((stage, root)) if !sync.degrade => return Route::Fail(stage, root),
                    Some(_) => {}
                    None => {
                        let (a, b) = (self.plan.clusters[leader].region, self.plan.clusters[follower].region);
                        ack = ack.max(self.plan.region_rtt[a][b]);
                    }
                }
            }
        }
        Route::Via(leader, Bits::from(ack))
    }

    fn read_route(&self, from: Id<Cluster>, partition: usize) -> Route {
        let (store, _) = self.partitions[partition];
        let plan = &self.plan.stores[store];
        if plan.local_reads
            && plan.copies.contains(&from)
            && self.copy_is_gone(from, store).is_none()
            && self.moving_copies[from][store].is_none()
        {
            return Route::Via(from, Bits::ZERO);
        }
        let leader = self.leaders[partition];
        if let Some(root) = self.copy_is_gone(leader, store) {
            return Route::Fail(self.blame_partition(partition), root);
        }
        if let Some((root, _)) = self.moving_copies[leader][store] {
            return Route::Fail(Stage::Promoting, root);
        }
        if let Some(root) = self.cut(from, leader) {
            return Route::Fail(Stage::Partition, root);
        }
        Route::Via(leader, Bits::ZERO)
    }

    // ---- blame ----

    /// The stage of what is lost at a dead leader.
    fn blame_partition(&self, partition: usize) -> Stage {
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
    fn blame_cluster(&self, population: Id<Population>, cluster: Id<Cluster>) -> Stage {
        if self.clusters[cluster].up {
            return Stage::Undetected;
        }
        if self.routed[population].pending.is_some() {
            return Stage::Propagating;
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

    // ---- inputs ----

    /// Lets probes see the world, and gives each cluster what it is given now.
    pub(super) fn refresh(&mut self, now: SimTime) {
        self.compose_fronts();
        self.let_probes_see(now);
        self.plan_steps(now);
        let dependencies: Vec<(Id<Dependency>, Condition)> = self
            .index
            .dependencies
            .iter_enumerated()
            .map(|(dependency, holds)| (dependency, self.compose(holds.iter().copied()).condition))
            .filter(|(_, condition)| !condition.is_good())
            .collect();
        for cluster in self.plan.clusters.keys() {
            let inputs = self.inputs(now, cluster, &dependencies);
            let id = self.memo.inputs_id(&inputs);
            if id == self.units[cluster].inputs {
                continue;
            }
            self.flush(now, cluster);
            let unit = &mut self.units[cluster];
            unit.inputs = id;
            unit.touched();
            self.tally.spans[cluster] = (now, self.step_end);
        }
    }

    /// Drops clients who have moved on, and schedules the next step of those who haven't.
    fn plan_steps(&mut self, now: SimTime) {
        let expiry = self.plan.routing.expiry;
        let tail = Span::from_secs(expiry.ends());
        let mut end = SimTime::NEVER;
        for routed in &mut self.routed {
            routed.cohorts.retain(|cohort| cohort.at + tail > now && cohort.weight > 0.0);
            for cohort in &routed.cohorts {
                let next = expiry.steps().map(|step| cohort.at + Span::from_secs(step)).find(|&at| at > now);
                end = end.min(next.unwrap_or(cohort.at + tail));
            }
        }
        if end < SimTime::NEVER {
            // Rates change at a slot's end: the mean share of a step must not straddle it.
            end = end.min(slot_at(self.plan, now).1);
        }
        if end != self.step_end {
            self.dns_serial += 1;
            self.step_end = end;
            self.events.schedule(end, Event::Dns { serial: self.dns_serial });
        }
    }

    /// Advances one cluster to `now` under the inputs it has.
    fn flush(&mut self, now: SimTime, cluster: Id<Cluster>) {
        let unit = &mut self.units[cluster];
        if unit.clock >= now {
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

    fn inputs(&self, now: SimTime, cluster: Id<Cluster>, dependencies: &[(Id<Dependency>, Condition)]) -> Inputs {
        let own = &self.plan.clusters[cluster];
        let zones = &self.zones[cluster];
        let mut stations: Vec<(u32, Condition)> = Vec::new();
        for &(station, _) in &self.index.stations[cluster] {
            if stations.iter().any(|(other, _)| *other == station) {
                continue;
            }
            let holds =
                self.index.stations[cluster].iter().filter(|(other, _)| *other == station).map(|&(_, hold)| hold);
            let condition = self.compose(holds).condition;
            if !condition.is_good() {
                stations.push((station, condition));
            }
        }
        let mut flows = Vec::new();
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
            consider(self.fronts[cluster].cause.map(|(root, _, since)| (root, since)));
        }
        for population in self.plan.populations.keys() {
            self.flows(now, cluster, population, &mut flows);
            let routed = &self.routed[population];
            let share = |answer: &Answer| answer.iter().find(|entry| entry.0 == cluster).map_or(0.0, |entry| entry.1);
            if share(&routed.answer) > share(&routed.nominal) {
                consider(routed.moved);
            }
        }
        Inputs {
            cluster,
            front: self.fronts[cluster].condition,
            zones_up: own.zones - zones.dead.count_ones(),
            zones_listed: zones.listed.count_ones(),
            zones_root: zones.cause.map_or(Id::new(DEMAND), |(root, _)| root),
            stations,
            dependencies: dependencies.to_vec(),
            overload_root: overload.map_or(Id::new(DEMAND), |(root, _)| root),
            active: self.units[cluster].active,
            flows,
        }
    }

    /// The users of one population that are routed to a cluster: those of the current answer, those of old ones.
    fn flows(&self, now: SimTime, cluster: Id<Cluster>, population: Id<Population>, flows: &mut Vec<Flow>) {
        let routed = &self.routed[population];
        let expiry = self.plan.routing.expiry;
        let part = |answer: &Answer| answer.iter().find(|entry| entry.0 == cluster).map_or(0.0, |entry| entry.1);
        let old = |at: SimTime| -> (f64, f64) {
            routed.cohorts.iter().fold((0.0, 0.0), |(here, all), cohort| {
                let stale = cohort.weight * expiry.stale((at - cohort.at).secs());
                (here + stale * part(&cohort.answer), all + stale)
            })
        };
        let end = if routed.cohorts.is_empty() { now } else { self.step_end };
        let ((old_start, all_start), (old_end, all_end)) = (old(now), old(end));
        // Nobody may be served anywhere: the requests are counted where they would have gone first.
        let homeless = routed.answer.is_empty() && self.home(population) == cluster;
        let current = if homeless { 1.0 } else { part(&routed.answer) };
        let mut add = |start: f64, end: f64, is_current: bool| {
            if start <= 0.0 && end <= 0.0 {
                return;
            }
            let blame = match (homeless, is_current) {
                (true, true) => Stage::Residency,
                (_, false) => Stage::StaleDns,
                (false, true) => self.blame_cluster(population, cluster),
            };
            let nominal_blame =
                self.fronts[cluster].condition.down.is_some() || !self.index.stations[cluster].is_empty();
            flows.push(Flow {
                population,
                start: Bits::from(start),
                end: Bits::from(end),
                factor: Bits::from(routed.factor),
                current: is_current,
                // Where nothing can be down, who would be to blame changes nothing.
                blame: if nominal_blame || homeless { blame } else { Stage::Undetected },
                refused: homeless.then(|| Id::new(DEMAND)),
                stores: self.accesses(cluster, population),
            });
        };
        if current > 0.0 {
            add((1.0 - all_start) * current + old_start, (1.0 - all_end) * current + old_end, true);
        } else {
            add(old_start, old_end, false);
        }
    }

    /// Where a population that nobody may serve would have gone first.
    fn home(&self, population: Id<Population>) -> Id<Cluster> {
        self.plan.pairs[self.plan.populations[population].order[0]].primary
    }

    fn accesses(&self, cluster: Id<Cluster>, population: Id<Population>) -> Vec<Access> {
        let mut first = 0;
        self.plan
            .stores
            .iter_enumerated()
            .map(|(id, store)| {
                let partition = first + store.partition_of(population);
                first += store.partitions.len();
                if !self.index.used_stores[id] {
                    let nowhere = Route::Via(cluster, Bits::ZERO);
                    return Access { read: nowhere, write: nowhere };
                }
                Access { read: self.read_route(cluster, partition), write: self.write_route(cluster, partition) }
            })
            .collect()
    }

    /// Pods asked for, pods ready and utilisation of each station now.
    pub(super) fn last_states(&mut self, now: SimTime) -> Vec<Vec<(u32, u32, f64)>> {
        let (slot, _) = slot_at(self.plan, SimTime::from_nanos(now.nanos().saturating_sub(1)));
        self.plan
            .clusters
            .keys()
            .map(|cluster| {
                let unit = &mut self.units[cluster];
                let inputs = unit.inputs;
                let pods: Vec<(u32, u32)> =
                    unit.pods(self.memo).iter().map(|pods| (pods.total(), pods.ready)).collect();
                let solution = self.memo.solution_id(self.plan, inputs, slot, pods.iter().map(|&(_, ready)| ready));
                let states = &self.memo.solution(solution).stations;
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
