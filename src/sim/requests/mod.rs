//! The requests engine: every request is a thing that travels, queues, times out and is tried again.
//!
//! It runs over the same world as the flow engine: faults, verdicts, answers and pods are the world's, and between two
//! of its events each cluster's [`Inputs`](super::inputs::Inputs) say where users are routed, what is down and where data
//! is. A try walks its journey's steps in order; the first hop that fails sets the stage of the loss. A client that gives
//! up leaves its try behind: the servers go on with it.
//!
//! Arrivals are Poisson with the profile's rate: a source draws how much of the integrated rate passes until the next
//! request, so a change of rate needs no new draw (Çinlar 1975). `scale` thins arrivals and servers alike, and counts are
//! multiplied out again.
//!
//! Between two events of the world a request needs an event of its own only where others matter to it: where it arrives
//! at a station. When it leaves is known then (`foresight.rs`), and what it does after that it does at once (`walk.rs`),
//! without so much as an entry where nothing else can happen to it (`straight.rs`), and then without events where many go
//! such ways (`stages.rs`, `at_once.rs`).
//!
//! It runs all the time, or in a window of a run that is rates elsewhere: then what waits by rates waits here first, and
//! requests come for a while before they count, so that queues, retries and breakers are as they would be.

mod at_once;
mod client;
mod counts;
mod deadlines;
mod draws;
mod entry;
mod foresight;
mod going;
mod interrupted;
mod known;
mod making;
mod minutes;
mod order;
mod pods;
mod remote;
mod sample;
mod servers;
mod several;
mod slots;
mod source;
mod stages;
mod station;
mod stores;
mod straight;
mod strips;
mod told;
mod units;
mod view;
mod walk;
mod watch;

pub(in crate::sim) use counts::Counts;
pub(in crate::sim) use minutes::Minutes;
pub(in crate::sim) use sample::Tables;

use crate::base::stream::{Rng, Stream, digest};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::{Cluster, Journey, Population, Root, Stage, Store};
use crate::engine::EventList;
use crate::plan::{DEMAND, Plan};
use client::Breaker;
use core::cmp::Reverse;
use deadlines::Deadlines;
use draws::Draws;
use entry::Entry;
use going::{Due, time};
use making::{only, station};
use sample::{Sampler, Trips};
use several::Several;
use slots::Slots;
use source::Source;
use stages::Stages;
use station::{Call, Start, Station};
use std::collections::BinaryHeap;
use straight::{Hop, Straight};
use units::span;
use view::{View, Way};

/// The streams of what requests draw.
const ARRIVALS: u64 = digest("arrivals");
const BEGINNINGS: u64 = digest("journeys and ways of requests");
const WAYS: u64 = digest("straight ways");
const CHOICES: u64 = digest("choices of a request");
const NETWORK: u64 = digest("network of a request");
const TRIPS: u64 = digest("round trips of a request");
const STORE: u64 = digest("access times");
const DEPENDENCY: u64 = digest("times of a dependency");
const SERVICE: u64 = digest("service times");

/// Seconds of requests that a retry budget saves up.
const BUDGET_SECONDS: f64 = 10.0;

/// When requests come, and what they draw from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// The first of them.
    pub(super) from: SimTime,
    pub(super) stream: Stream,
}

/// What is due.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A request tries again.
    Again(u32),
    /// A try goes on with its next step.
    Step { entry: u32, life: u32 },
    /// A call reaches a station of another cluster, from where its answer will take so long.
    Arrives { entry: u32, life: u32, station: u32, back: Span },
    /// A call's answer is back at its try.
    Answer { entry: u32, life: u32 },
    /// A try fails.
    Fails { entry: u32, life: u32, why: Why },
    /// A client has waited in a queue for as long as it will.
    Leaves { entry: u32, life: u32, station: u32, arrived: SimTime },
    /// A client without an answer asks once more.
    Hedge { entry: u32, life: u32 },
    /// A client gives up what it asked once more.
    Expires { entry: u32, life: u32 },
    /// A server takes up a call that was to wait until now.
    Taken { station: u32, place: u32, life: u32 },
    /// A server is done.
    Served { station: u32, place: u32, life: u32 },
}

/// Why a try failed.
type Why = (Stage, Id<Root>);

/// All requests of one seed.
pub(super) struct Traffic<'p> {
    plan: &'p Plan,
    events: EventList<Event>,
    /// Nothing happens before but requests: what a try does on its own until then needs no events (`walk.rs`).
    until: SimTime,
    /// Journeys of whose tries this is true: what they do concerns no other try of theirs.
    alone: Table<Journey, bool>,
    sources: Table<Population, Source>,
    /// When the next request of each begins.
    begins: Vec<SimTime>,
    /// No more requests begin.
    closed: bool,
    deadlines: Deadlines,
    entries: Vec<Entry>,
    unused: Vec<u32>,
    stations: Vec<Station>,
    /// Position of a cluster's first station, and a station's cluster.
    first: Table<Cluster, usize>,
    cluster_of: Vec<Id<Cluster>>,
    views: Table<Cluster, Option<View<'p>>>,
    ways: Table<Population, Vec<Way>>,
    /// Straight ways with all their hops, and which one those of a population on a journey go whom a cluster serves, by
    /// the current answer or not; looked for anew after something has changed.
    straight: Vec<Straight>,
    hops: Vec<Hop>,
    straight_of: Vec<[Option<u32>; 2]>,
    straightened: bool,
    /// Of these populations all requests go straight ways, and save up no retries.
    all_straight: Table<Population, bool>,
    /// Requests on such ways; and those that go by themselves, by when they reach their next calls.
    slots: Slots,
    stages: Stages,
    due: BinaryHeap<Due>,
    arrivals: u64,
    /// The journey of a population that has but one.
    only_journey: Table<Population, Option<Id<Journey>>>,
    /// By cluster: the fault under which calls began to wait, as long as any wait; it may be over.
    begun: Table<Cluster, Option<Id<Root>>>,
    stream: Stream,
    beginnings: Table<Population, Rng>,
    choices: Table<Population, Rng>,
    network: Rng,
    trips: Trips,
    store_time: Table<Store, Draws>,
    dependency_time: Vec<Draws>,
    extras: remote::Extras,
    /// Retries that each journey's clients have saved up, and the most they may.
    budget: Table<Journey, (f64, f64)>,
    /// By cell and cluster, where the journey has a breaker.
    breakers: Vec<Breaker>,
    scale: f64,
    /// The first partition of each store; and by partition the writes that were acknowledged by its leader, with their
    /// bytes, until the world asks.
    first_partitions: Table<Store, usize>,
    written: Vec<(f64, f64)>,
    pub(super) counts: Counts,
    several: Several,
    starts: Vec<Start>,
    dead: Vec<Call>,
}

impl<'p> Traffic<'p> {
    /// Nothing is on its way yet; what ends is added to `counts`.
    pub(super) fn new(plan: &'p Plan, opening: Opening, scale: f64, counts: Counts, tables: &mut Tables) -> Self {
        let mut stations = Vec::new();
        let mut first = Table::new();
        for (id, cluster) in plan.clusters.iter_enumerated() {
            first.push(stations.len());
            for position in 0..cluster.stations.len() {
                stations.push(station(plan, (id, position), opening, scale, tables));
            }
        }
        let stream = |name: &str, purpose: u64| opening.stream.with(digest(name)).with(purpose).rng();
        let sources = plan.populations.iter_enumerated();
        let sources =
            sources.map(|(id, own)| Source::new(plan, id, (opening.from, scale), stream(&own.name, ARRIVALS), tables));
        let budget = plan.journeys.iter_enumerated().map(|(id, journey)| {
            let rate: f64 = plan.populations.iter().map(|own| own.rate * own.shares[id]).sum();
            let most = (journey.budget.min(1e9) * rate * scale * BUDGET_SECONDS).max(10.0);
            (most, most)
        });
        let sources: Table<Population, Source> = sources.collect();
        Self {
            plan,
            begins: sources.iter().map(|source| source.next).collect(),
            events: EventList::default(),
            until: SimTime::ZERO,
            alone: plan.journeys.iter().map(|own| own.breaker.is_none() && own.hedge.is_none()).collect(),
            sources,
            closed: false,
            deadlines: Deadlines::new(plan.journeys.len()),
            entries: Vec::new(),
            unused: Vec::new(),
            stations,
            first,
            cluster_of: plan
                .clusters
                .iter_enumerated()
                .flat_map(|(id, cluster)| cluster.stations.iter().map(move |_| id))
                .collect(),
            views: plan.clusters.keys().map(|_| None).collect(),
            ways: vec![Vec::new(); plan.populations.len()].into(),
            straight: Vec::new(),
            hops: Vec::new(),
            straight_of: vec![[None; 2]; plan.populations.len() * plan.journeys.len() * plan.clusters.len()],
            straightened: false,
            all_straight: vec![false; plan.populations.len()].into(),
            slots: Slots::default(),
            stages: Stages::new(plan),
            due: BinaryHeap::new(),
            arrivals: 0,
            only_journey: plan.populations.iter().map(|own| only(&own.shares)).collect(),
            begun: vec![None; plan.clusters.len()].into(),
            stream: opening.stream,
            beginnings: plan.populations.iter().map(|own| stream(&own.name, BEGINNINGS)).collect(),
            choices: plan.populations.iter().map(|own| stream(&own.name, CHOICES)).collect(),
            network: opening.stream.with(NETWORK).rng(),
            trips: Trips::new(plan.jitter, opening.stream.with(TRIPS).rng(), tables),
            store_time: plan
                .stores
                .iter()
                .map(|own| Draws::new(Sampler::new(&own.time, tables), stream(&own.name, STORE)))
                .collect(),
            extras: remote::Extras::new(plan, tables),
            dependency_time: plan
                .dependencies
                .iter()
                .map(|own| Draws::new(Sampler::new(&own.time, tables), stream(&own.name, DEPENDENCY)))
                .collect(),
            budget: budget.collect(),
            breakers: vec![Breaker::default(); plan.populations.len() * plan.journeys.len() * plan.clusters.len()],
            scale,
            first_partitions: plan.first_partitions(),
            written: vec![(0.0, 0.0); plan.stores.iter().map(|store| store.partitions.len()).sum()],
            counts,
            several: Several::NONE,
            starts: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Lets requests happen until `to`, exclusive.
    pub(super) fn run_until(&mut self, to: SimTime) {
        self.until = to;
        if !self.straightened {
            self.straighten();
        }
        self.time_stages();
        let mut first = self.first_source();
        while !self.counts.has_traced() {
            if self.stages.any() {
                // A stretch would end there, for nothing.
                self.deadlines.forget(&self.entries);
            }
            let event = self.events.next_time().unwrap_or(SimTime::NEVER);
            let ((source, begins, others), gives_up) = (first, self.deadlines.first());
            let arrives = self.next_due();
            if self.go_in_stages(arrives.min(begins), event.min(gives_up + Span::from_nanos(1)).min(to)) {
                first = self.first_source();
                continue;
            }
            let arrives = if self.stages.on { self.stages.now } else { self.next_due() };
            let next = event.min(arrives).min(begins).min(gives_up);
            if next >= to {
                break;
            }
            if next == event {
                if let Some((now, event)) = self.events.pop() {
                    self.handle(now, event);
                }
            } else if next == arrives && self.stages.on {
                self.leave_stages();
            } else if next == arrives {
                if let Some(Reverse((key, slot, hop))) = self.due.pop() {
                    self.arrivals += 1;
                    self.go(time(key), slot, hop);
                }
            } else if next == begins {
                let until = event.min(arrives).min(gives_up).min(others).min(to);
                if !self.go_at_once(source, until) {
                    for _ in 0..self.sources[source].batch {
                        self.begin(begins, source);
                    }
                    self.sources[source].take();
                }
                self.begins[source.index()] = self.sources[source].next;
                if self.stages.least == Span::FOREVER {
                    self.time_stages();
                }
                first = self.first_source();
            } else if let Some((at, entry, life)) = self.deadlines.pop(&self.entries) {
                self.expire(at, entry, life);
            }
        }
        self.leave_stages();
        for way in 0..self.straight.len() as u32 {
            self.count_straight(way);
            self.count_ended(way);
        }
    }

    /// When the next of those that go by themselves reaches its next call.
    fn next_due(&self) -> SimTime {
        self.due.peek().map_or(SimTime::NEVER, |Reverse((key, ..))| time(*key))
    }

    /// Where the next request begins and when, and when one begins elsewhere.
    fn first_source(&self) -> (Id<Population>, SimTime, SimTime) {
        if self.closed {
            return (Id::new(0), SimTime::NEVER, SimTime::NEVER);
        }
        let (mut source, mut first, mut others) = (0, SimTime::NEVER, SimTime::NEVER);
        for (own, &begins) in self.begins.iter().enumerate() {
            others = others.min(first.max(begins));
            source = if begins < first { own } else { source };
            first = first.min(begins);
        }
        (Id::new(source), first, others)
    }

    /// How many events and arrivals there were.
    pub(super) fn processed(&self) -> u64 {
        self.events.processed() + self.arrivals + self.sources.iter().map(|source| source.count).sum::<u64>()
    }

    fn handle(&mut self, now: SimTime, event: Event) {
        match event {
            Event::Again(entry) => self.start(now, entry),
            Event::Step { entry, life } => {
                if self.entries[entry as usize].life == life {
                    self.go_on(now, entry, now);
                }
            }
            Event::Arrives { entry, life, station, back } => self.arrives(now, entry, life, station, back),
            Event::Answer { entry, life } => self.answered(now, entry, life),
            Event::Fails { entry, life, why } => {
                if self.entries[entry as usize].life == life {
                    self.fail(now, entry, why);
                }
            }
            Event::Leaves { entry: number, life, station, arrived } => {
                let entry = &mut self.entries[number as usize];
                let priority = self.plan.journeys[entry.journey].priority;
                let call = Call { entry: number, life, arrived, priority, back: Span::ZERO };
                if entry.life == life && self.stations[station as usize].withdraw(now, call) {
                    entry.queued = entry.queued.saturating_sub(1);
                    let root = self.overload_root(self.cluster_of[station as usize]);
                    self.fail(now, number, (Stage::Overload, root));
                }
            }
            Event::Taken { station, place, life } => {
                self.stations[station as usize].take_up_foreseen(now, place, life, &mut self.starts);
                self.schedule_starts(station);
            }
            Event::Hedge { entry, life } => self.hedge(now, entry, life),
            Event::Expires { entry, life } => self.expire(now, entry, life),
            Event::Served { station, place, life } => {
                let left = self.stations[station as usize].leave(now, place, life, &mut self.starts);
                self.schedule_starts(station);
                if !self.stations[station as usize].has_waiting(now) {
                    self.forget_beginnings(now, station as usize);
                }
                if let Some((call, after)) = left {
                    let after = span(after) + call.back;
                    if after.is_zero() {
                        self.answered(now, call.entry, call.life);
                    } else {
                        let event = Event::Answer { entry: call.entry, life: call.life };
                        self.events.schedule(now + after, event);
                    }
                }
            }
        }
    }

    fn schedule_starts(&mut self, station: u32) {
        for Start { place, life, done, call, queued, foreseen } in self.starts.drain(..) {
            if let Some((call, wait)) = call {
                let entry = &mut self.entries[call.entry as usize];
                if entry.life == call.life && queued {
                    entry.waited += wait.secs();
                    entry.queued -= 1;
                }
            }
            let event =
                if foreseen { Event::Taken { station, place, life } } else { Event::Served { station, place, life } };
            self.events.schedule(done, event);
        }
    }

    /// What too much load in a cluster is put down to: what waits keeps the fault that made it wait.
    fn overload_root(&self, cluster: Id<Cluster>) -> Id<Root> {
        let now = self.views[cluster].as_ref().map(|view| view.inputs.overload_root);
        now.filter(|root| root.index() != DEMAND).or(self.begun[cluster]).unwrap_or(Id::new(DEMAND))
    }

    /// Nothing waits in a cluster any more: what begins to is another's doing.
    fn forget_beginnings(&mut self, now: SimTime, station: usize) {
        let cluster = self.cluster_of[station];
        if self.begun[cluster].is_none() {
            return;
        }
        let first = self.first[cluster];
        let stations = &self.stations[first..first + self.plan.clusters[cluster].stations.len()];
        if stations.iter().all(|station| !station.has_waiting(now)) {
            self.begun[cluster] = None;
        }
    }
}
