//! One seed's world: faults, verdicts, answers, promotions, and the events that move them.
//!
//! Every event changes some state; then [`World::refresh`] lets probes see it and gives each cluster that it may touch
//! (`stale.rs`) its new inputs. A cluster whose inputs stay the same isn't touched.

mod accesses;
mod addresses;
mod bad;
mod caches;
mod drift;
mod faults;
mod following;
mod health;
mod inputs;
mod orphans;
mod pairs;
mod partitions;
mod purpose;
mod releases;
mod requests;
mod revisions;
mod routing;
mod spill;
mod stale;
mod steps;
mod story;
mod switchover;
mod waves;

pub(in crate::sim) use requests::Told;
pub(in crate::sim) use revisions::Change;

use super::index::Index;
use super::inputs::{Condition, Inputs};
use super::log::{Answer, Log};
use super::memo::Memo;
use super::orbit::Orbits;
use super::tally::Tally;
use super::unit::Unit;
use crate::base::stream::{Rng, uniform};
use crate::base::{Id, Seed, SimTime, Span, Table};
use crate::domain::rollout::RolloutTally;
use crate::domain::story::What;
use crate::domain::{Cluster, Population, Root, Store};
use crate::engine::EventList;
use crate::failure::clock;
use crate::failure::clock::First;
use crate::failure::spec::{EffectSpec, Interrupted};
use crate::plan::{DEMAND, Plan};
use crate::replication::history::History;
use crate::routing::dns::Expiry;
use crate::routing::health::Outcome;

/// Why a fault that has gone still counts as the cause of missing capacity.
const LINGER: Span = Span::from_whole_secs(600);

/// What is due.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) enum Event {
    /// A fault strikes.
    Fault(u32),
    /// A hold ends.
    Repair { hold: u32, serial: u32 },
    /// A scripted incident begins.
    Incident(u32),
    /// A surge begins or ends.
    Surge { surge: u32, begins: bool },
    /// A planned switchover takes a step.
    Switchover { switchover: u32, step: switchover::Step },
    /// A health check changes its mind.
    Verdict { target: u32, serial: u32 },
    /// A pair's controller goes on.
    Pair { pair: u32, serial: u32 },
    /// A partition's controller goes on.
    Partition { partition: u32, serial: u32 },
    /// A copy has caught up with its leader.
    CaughtUp { serial: u32 },
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
    /// Nodes are to be had again.
    Nodes { cluster: u32 },
    /// A cluster's check raises a false alarm.
    FalseAlarm { cluster: u32 },
    /// The load balancer looks at the load again.
    Rebalance { serial: u32 },
    /// A cache holds more, or less.
    Caches,
    /// Callers of another cluster turn elsewhere.
    Readdress { address: u32, serial: u32 },
    /// Callers look at the stations of other clusters again.
    Look { serial: u32 },
    /// Something of releases or of drift.
    Rollout(releases::Due),
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
#[derive(Clone, Copy, PartialEq, Debug)]
struct Composed {
    condition: Condition,
    /// The hold that `down` is of, or else the earliest.
    cause: Option<(Id<Root>, u64, SimTime)>,
    /// Connections are refused: known without a timeout.
    refuses: bool,
    /// A degraded hold that shallow checks see.
    seen: bool,
    /// Stores in it take no writes: the earliest such hold.
    read_only: Option<(Id<Root>, u64, SimTime)>,
}

impl Composed {
    fn good() -> Self {
        Self { condition: Condition::good(), cause: None, refuses: false, seen: false, read_only: None }
    }
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
    /// When it was marked down last.
    since: SimTime,
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
    /// Its next step waits until the tools of the failover are back.
    stalled: bool,
}

/// Clients that are leaving an old answer.
#[derive(Clone, Debug)]
struct Cohort {
    answer: Answer,
    weight: f64,
    at: SimTime,
    /// Connections to where that answer leads hold.
    connected: bool,
    /// Why that answer wasn't the nominal one, since when: the load that they still bring is that fault's.
    moved: Option<(Id<Root>, SimTime)>,
}

impl Cohort {
    /// Share of the population that is still on the old answer.
    fn stale(&self, expiry: &Expiry, now: SimTime) -> f64 {
        self.weight * expiry.stale((now - self.at).secs(), self.connected)
    }

    /// When nobody is any more.
    fn ends(&self, expiry: &Expiry) -> SimTime {
        self.at + Span::from_secs(expiry.ends(self.connected))
    }
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

/// Why something is the case, until when.
type Until = (Id<Root>, SimTime);

/// One seed's world.
pub(in crate::sim) struct World<'a> {
    plan: &'a Plan,
    index: &'a Index,
    pub(in crate::sim) memo: &'a mut Memo,
    seed: Seed,
    pub(in crate::sim) events: EventList<Event>,
    pub(in crate::sim) tally: Tally,
    pub(in crate::sim) log: Log,
    clocks: Vec<(Rng, u64)>,
    /// When each crew of a kind is free.
    crews: Vec<Vec<SimTime>>,
    /// By cluster, where checks raise false alarms: when, and how many there were.
    alarms: Vec<(Rng, u64)>,
    holds: Vec<(Option<Active>, u32)>,
    zones: Table<Cluster, Zones>,
    clusters: Table<Cluster, Probed>,
    phases: Table<Cluster, Vec<Span>>,
    /// By partition: (store, partition).
    partitions: Vec<(Id<Store>, usize)>,
    copies: Table<Cluster, Table<Store, Probed>>,
    /// A copy whose zone died, until it has failed over.
    moving_copies: Table<Cluster, Table<Store, Option<Until>>>,
    caches: Vec<caches::Cached>,
    /// Where calls of other clusters go.
    remotes: addresses::Remotes,
    leaders: Vec<Id<Cluster>>,
    /// By partition: who has what.
    histories: Vec<History>,
    /// The first partition of each store.
    first_partitions: Table<Store, usize>,
    /// Until when copies have followed.
    followed: SimTime,
    /// Something has changed that may matter to a copy.
    copies_moved: bool,
    /// When copies are level isn't what it was.
    histories_changed: bool,
    follow_serial: u32,
    /// By partition: who leads it when all is well.
    homes: Vec<Id<Cluster>>,
    /// By partition: the planned switchover that it is in.
    switching: Vec<Option<switchover::Switching>>,
    /// By partition: who was deposed, goes on, and doesn't know.
    deposed: Vec<Option<Id<Cluster>>>,
    partition_controllers: Vec<Controller>,
    pair_controllers: Vec<Controller>,
    /// By pair: the standby is the active member.
    switched: Vec<bool>,
    routed: Table<Population, Routed>,
    units: Table<Cluster, Unit>,
    /// Until when no node is to be had.
    short_until: Table<Cluster, SimTime>,
    /// Faults whose effect on capacity outlives them.
    lingering: Table<Cluster, Option<(Id<Root>, SimTime)>>,
    /// Populations that are leaving an old answer.
    moving: Vec<Id<Population>>,
    /// Clusters that are marked down.
    marked_down: Vec<Id<Cluster>>,
    stale: stale::Stale,
    /// Memory for a list of clusters, and for what one is given.
    touched: Vec<Id<Cluster>>,
    given: Inputs,
    dns_serial: u32,
    rebalance_serial: u32,
    /// How long until the load is looked at again.
    look_again: Span,
    step_end: SimTime,
    steps: steps::Steps,
    fronts: Table<Cluster, Composed>,
    releases: releases::Releases,
    /// Requests are simulated one by one: clusters don't solve what lies between events. By partition: the writes that
    /// were acknowledged since copies have followed, and their bytes.
    by_request: Option<Vec<(f64, f64)>>,
    /// Then: pods that have failed since requests were told. Cluster, station, what becomes of their calls, and why.
    failed_pods: Vec<(Id<Cluster>, usize, Interrupted, Id<Root>)>,
}

impl<'a> World<'a> {
    /// The world at time 0, with the first events due.
    pub(in crate::sim) fn new(
        plan: &'a Plan,
        index: &'a Index,
        memo: &'a mut Memo,
        seed: Seed,
        by_request: bool,
        trace: bool,
    ) -> Self {
        let up = Probed { up: true, pending: false, serial: 0, cause: None, since: SimTime::ZERO };
        let demand = (Id::new(DEMAND), 0);
        let idle = |to| Controller { phase: Phase::Idle, serial: 0, cause: demand, to, stalled: false };
        let partitions: Vec<(Id<Store>, usize)> = plan
            .stores
            .iter_enumerated()
            .flat_map(|(id, store)| (0..store.partitions.len()).map(move |partition| (id, partition)))
            .collect();
        let partition_count = partitions.len();
        let leaders: Vec<Id<Cluster>> =
            partitions.iter().map(|&(store, partition)| plan.stores[store].partitions[partition].leader).collect();
        let per_copy = |value: Probed| -> Table<Cluster, Table<Store, Probed>> {
            vec![vec![value; plan.stores.len()].into(); plan.clusters.len()].into()
        };
        let phases = plan.clusters.iter().map(|cluster| {
            (0..plan.routing.checkers)
                .map(|checker| {
                    plan.routing.phase.unwrap_or_else(|| {
                        let stream = seed.stream().with(cluster.digest).with(purpose::PHASE).with(u64::from(checker));
                        Span::from_secs(uniform(&mut stream.rng()) * plan.routing.prober.interval().secs())
                    })
                })
                .collect()
        });
        let unset = memo.inputs_id(&Inputs::default());
        let visited = core::mem::take(&mut memo.visited);
        let mut world = Self {
            plan,
            index,
            seed,
            events: EventList::default(),
            tally: Tally::new(plan, trace, visited),
            log: Log { answers: vec![Vec::new(); plan.populations.len()], ..Log::default() },
            clocks: Vec::new(),
            crews: plan.crews.iter().map(|&crews| vec![SimTime::ZERO; crews as usize]).collect(),
            alarms: Vec::new(),
            holds: vec![(None, 0); plan.holds.len()],
            zones: vec![Zones::default(); plan.clusters.len()].into(),
            clusters: vec![up.clone(); plan.clusters.len()].into(),
            phases: phases.collect(),
            copies: per_copy(up),
            moving_copies: vec![vec![None; plan.stores.len()].into(); plan.clusters.len()].into(),
            partition_controllers: leaders.iter().map(|&leader| idle(leader)).collect(),
            deposed: vec![None; leaders.len()],
            histories: partitions
                .iter()
                .map(|&(store, part)| History::new(plan.stores[store].partitions[part].members().count()))
                .collect(),
            first_partitions: plan.first_partitions(),
            followed: SimTime::ZERO,
            copies_moved: true,
            histories_changed: false,
            follow_serial: 0,
            homes: leaders.clone(),
            switching: vec![None; leaders.len()],
            leaders,
            caches: caches::all(plan, &partitions),
            remotes: addresses::Remotes::new(plan),
            partitions,
            pair_controllers: plan.pairs.iter().map(|pair| idle(pair.primary)).collect(),
            switched: vec![false; plan.pairs.len()],
            routed: Table::new(),
            units: plan.clusters.keys().map(|cluster| Unit::new(plan, cluster, unset)).collect(),
            short_until: vec![SimTime::ZERO; plan.clusters.len()].into(),
            lingering: vec![None; plan.clusters.len()].into(),
            moving: Vec::new(),
            marked_down: Vec::new(),
            stale: stale::Stale::all_of(plan.clusters.len(), partition_count),
            touched: Vec::new(),
            given: Inputs::default(),
            dns_serial: 0,
            rebalance_serial: 0,
            look_again: spill::LEAST,
            step_end: SimTime::NEVER,
            steps: steps::Steps::new(&plan.routing.expiry),
            fronts: vec![Composed::good(); plan.clusters.len()].into(),
            releases: releases::Releases::new(plan),
            by_request: by_request.then(|| vec![(0.0, 0.0); partition_count]),
            failed_pods: Vec::new(),
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
        for (position, fault) in plan.faults.iter().enumerate() {
            let mut rng = self.seed.stream().with(fault.digest).with(purpose::CLOCK).rng();
            let at = if fault.shock.is_some() {
                SimTime::ZERO + clock::first_shock(&fault.every, fault.clock, &mut rng)
            } else {
                match clock::first(&fault.every, &fault.repair, fault.clock, &mut rng) {
                    First::Up(up) => SimTime::ZERO + up,
                    First::Down(left) => {
                        let member = fault.members[0];
                        let left = self.repaired(SimTime::ZERO, fault.crews, left);
                        self.hold(member.hold, member.root, fault.effect, left, 0);
                        SimTime::ZERO + left + fault.every.sample_span(&mut rng)
                    }
                }
            };
            self.clocks.push((rng, 1));
            self.events.schedule(at, Event::Fault(position as u32));
        }
        if let Some(every) = &plan.routing.false_alarms {
            for cluster in plan.clusters.keys() {
                let stream = self.seed.stream().with(plan.clusters[cluster].digest).with(purpose::ALARM);
                let mut rng = stream.rng();
                let at = SimTime::ZERO + every.sample_span(&mut rng);
                self.alarms.push((rng, 0));
                self.events.schedule(at, Event::FalseAlarm { cluster: cluster.index() as u32 });
            }
        }
        for (position, incident) in plan.incidents.iter().enumerate() {
            self.events.schedule(SimTime::ZERO + incident.at, Event::Incident(position as u32));
        }
        for (position, switchover) in plan.switchovers.iter().enumerate() {
            let command = Event::Switchover { switchover: position as u32, step: switchover::Step::Command };
            self.events.schedule(SimTime::ZERO + switchover.at, command);
        }
        self.start_releases();
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
        for cluster in plan.clusters.keys() {
            self.fronts[cluster] = self.composed_front(cluster);
        }
        for cluster in plan.clusters.keys() {
            self.clusters[cluster].up = self.probe(cluster) == Outcome::Good;
            self.clusters[cluster].cause = self.fronts[cluster].cause.map(|(root, occurrence, _)| (root, occurrence));
            self.touch_verdict(cluster);
        }
        for population in plan.populations.keys() {
            let answer = self.choose(population);
            self.give(population, answer, SimTime::ZERO);
            self.routed[population].cohorts.clear();
        }
        self.moving.clear();
        self.preheat_caches();
        self.review_controllers(SimTime::ZERO);
        if plan.routing.spill.is_some() {
            self.review_routes(SimTime::ZERO);
        }
        self.refresh(SimTime::ZERO);
    }

    /// Lets one event happen.
    pub(in crate::sim) fn handle(&mut self, now: SimTime, event: Event) {
        self.stale.happens(event);
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
            Event::Switchover { switchover, step } => self.switch_over(now, switchover, step),
            Event::Surge { surge, begins } => self.surge(now, surge, begins),
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
            Event::CaughtUp { serial } if serial != self.follow_serial => return,
            Event::CaughtUp { .. } => self.caught_up(now),
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
                let cluster = Id::new(cluster as usize);
                if self.zones[cluster].serial == serial {
                    self.zones[cluster].listed = 0;
                    self.stale.touch(cluster);
                }
            }
            Event::Evicted { cluster, serial } => {
                let cluster = Id::new(cluster as usize);
                if self.zones[cluster].serial == serial
                    && let Some(wanted) = self.zones[cluster].wanted.clone()
                {
                    self.flush(now, cluster);
                    self.units[cluster].grow_to(&wanted, self.plan, self.memo);
                    self.log.note(now, self.zones[cluster].cause.map(|(root, _)| root), || What::Evicted(cluster));
                }
            }
            Event::ZoneFailedOver { cluster, store } => {
                let moving = &mut self.moving_copies[Id::new(cluster as usize)][Id::new(store as usize)];
                if moving.is_some_and(|(_, until)| until <= now) {
                    *moving = None;
                    self.copies_moved = true;
                }
            }
            Event::Drained { pair, serial } => {
                if self.pair_controllers[pair as usize].serial == serial && !self.switched[pair as usize] {
                    self.suspend(now, pair as usize);
                }
            }
            Event::Lingered { cluster } => {
                let cluster = Id::new(cluster as usize);
                self.lingering[cluster].take_if(|(_, until)| *until <= now);
                self.stale.touch(cluster);
            }
            Event::Nodes { cluster } => self.nodes_again(now, Id::new(cluster as usize)),
            Event::Caches => {}
            Event::Readdress { address, serial } => self.readdress(now, Id::new(address as usize), serial),
            Event::Look { serial } => {
                if !self.remotes.looks_at(serial) {
                    return;
                }
            }
            Event::FalseAlarm { cluster } => self.false_alarm(now, Id::new(cluster as usize)),
            Event::Rebalance { serial } => {
                if serial != self.rebalance_serial {
                    return;
                }
                self.review_routes(now);
            }
            Event::Week => self.grow(now),
            Event::Rollout(due) => {
                // A good release changes nothing for anybody.
                if !self.rollout(now, due) {
                    return;
                }
            }
        }
        self.refresh(now);
    }

    /// Rates are those of the next week.
    fn grow(&mut self, now: SimTime) {
        for (population, routed) in self.plan.populations.iter().zip(&mut self.routed) {
            if population.growth != 0.0 {
                routed.factor *= crate::base::maths::powf(1.0 + population.growth, 7.0 / 365.0);
            }
        }
        self.events.schedule(now + Span::WEEK, Event::Week);
    }

    /// A surge begins or ends.
    fn surge(&mut self, now: SimTime, surge: u32, begins: bool) {
        let surge = &self.plan.surges[surge as usize];
        self.log.note(now, None, || if begins { What::Surges(surge.factor) } else { What::Ebbs });
        for (population, &touched) in surge.populations.iter_enumerated() {
            if touched {
                let factor = &mut self.routed[population].factor;
                *factor = if begins { *factor * surge.factor } else { *factor / surge.factor };
            }
        }
        if self.plan.routing.spill.is_some() {
            self.review_routes(now);
        }
    }

    /// The share of all users on a bad release, since when.
    pub(in crate::sim) fn take_exposures(&mut self) -> Vec<(SimTime, f64)> {
        core::mem::take(&mut self.releases.exposures)
    }

    /// What became of releases, and what each cluster ran since when, cluster by cluster.
    pub(in crate::sim) fn take_releases(&mut self) -> (RolloutTally, Vec<Change>) {
        let mut trail = core::mem::take(&mut self.releases.trail);
        trail.sort_by_key(|change| (change.cluster, change.at));
        (self.releases.tally, trail)
    }

    /// What each cluster comes to if nothing happens. Only at time 0.
    pub(in crate::sim) fn find_orbits(mut self) -> Orbits {
        let mut orbits = Orbits::default();
        for unit in &mut self.units {
            unit.find_orbit(self.plan, self.memo, &mut self.tally, &mut orbits);
        }
        orbits
    }

    /// Advances every cluster to `now`, with nothing changed.
    pub(in crate::sim) fn catch_up(&mut self, now: SimTime) {
        for cluster in self.plan.clusters.keys() {
            self.flush(now, cluster);
        }
        self.refresh(now);
    }
}
