//! The requests engine: every request is a thing that travels, queues, times out and is tried again.
//!
//! It runs over the same world as the flow engine: faults, verdicts, answers and pods are the world's, and between two
//! of its events each cluster's [`Inputs`] say where users are routed, what is down and where data is. A try walks its
//! journey's steps in order; the first hop that fails sets the stage of the loss. A client that gives up leaves its try
//! behind: the servers go on with it.
//!
//! Arrivals are Poisson with the profile's rate: a source draws how much of the integrated rate passes until the next
//! request, so a change of rate needs no new draw (Çinlar 1975). `scale` thins arrivals and servers alike, and counts are
//! multiplied out again.
//!
//! It runs all the time, or in a window of a run that is rates elsewhere: then what waits by rates waits here first, and
//! requests come for a while before they count, so that queues, retries and breakers are as they would be.

mod client;
mod counts;
mod known;
mod minutes;
mod pods;
mod remote;
mod sample;
mod source;
mod station;
mod straight;
mod walk;
mod ziggurat;

pub(in crate::sim) use counts::Counts;
pub(in crate::sim) use minutes::Minutes;

use super::index::Index;
use super::inputs::{Condition, Flow, Inputs};
use super::lookups::Hits;
use super::unit::slot_at;
use crate::base::stream::{Rng, Stream, digest};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::{Cluster, Journey, Population, Root, Stage, Store};
use crate::engine::EventList;
use crate::plan::{DEMAND, Plan, ServicePlan, StepPlan};
use crate::traffic::spec::Station as Kind;
use client::Breaker;
use sample::{Jitter, Sampler, span};
use source::Source;
use station::{Admission, Call, Making, Pace, Start, Station};
use std::collections::VecDeque;
use straight::Straight;

/// The streams of what requests draw.
const ARRIVALS: u64 = digest("arrivals");
const CHOICES: u64 = digest("choices of a request");
const NETWORK: u64 = digest("network of a request");
const SERVICE: u64 = digest("service times");

/// Seconds of requests that a retry budget saves up.
const BUDGET_SECONDS: f64 = 10.0;

/// When requests come, and what they draw from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// The first of them.
    pub(super) from: SimTime,
    /// The time in which stations are looked at.
    pub(super) counts: (SimTime, SimTime),
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
    /// A client has waited in a queue for as long as it will.
    Leaves { station: u32, call: Call },
    /// A client without an answer asks once more.
    Hedge { entry: u32, life: u32 },
    /// A client gives up what it asked once more.
    Expires { entry: u32, life: u32 },
    /// A server is done.
    Served { station: u32, place: u32, life: u32 },
}

/// One try of a request, or a request between two tries.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Entry {
    /// Goes up when the entry is somebody else's: what refers to an earlier life is void.
    life: u32,
    population: Id<Population>,
    journey: Id<Journey>,
    cluster: Id<Cluster>,
    /// Routed by the current answer, not by an old one.
    current: bool,
    /// When the request began.
    begun: SimTime,
    /// When the client gives this try up.
    deadline: SimTime,
    /// The way back to the client.
    back: Span,
    tries: u32,
    /// The next step: a position in the journey's program, or in its steps where it has none.
    step: u32,
    /// How far it has come with a read that missed a cache.
    miss: Miss,
    /// It has called a service already, and has crossed the region to the next.
    called: bool,
    crossed: bool,
    /// Calls whose answers it waits for.
    open: u32,
    /// Of these, calls that wait for a server, since when.
    queued: u32,
    queued_at: SimTime,
    /// Seconds that it has waited for servers.
    waited: f64,
    /// The client waits for it still.
    wanted: bool,
    /// The other one of two that the client waits for.
    twin: Option<(u32, u32)>,
}

impl Entry {
    /// A request that begins.
    fn begins(
        now: SimTime,
        population: Id<Population>,
        journey: Id<Journey>,
        (cluster, current): (Id<Cluster>, bool),
    ) -> Self {
        Self {
            life: 0,
            population,
            journey,
            cluster,
            current,
            begun: now,
            deadline: SimTime::NEVER,
            back: Span::ZERO,
            tries: 0,
            step: 0,
            miss: Miss::No,
            called: false,
            crossed: false,
            open: 0,
            queued: 0,
            queued_at: now,
            waited: 0.0,
            wanted: true,
            twin: None,
        }
    }

    /// A call that nobody waits for any more; servers don't know.
    fn nobodys(cluster: Id<Cluster>, now: SimTime) -> Self {
        let way = (cluster, true);
        Self { step: u32::MAX, wanted: false, ..Self::begins(now, Id::new(0), Id::new(0), way) }
    }

    /// The same at the beginning of a try whose answers take so long on their way back.
    fn anew(self, back: Span) -> Self {
        let (step, open, queued, waited) = (0, 0, 0, 0.0);
        Self { back, step, miss: Miss::No, called: false, crossed: false, open, queued, waited, ..self }
    }
}

/// How far a read has come that missed a cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Miss {
    /// None has missed.
    No,
    /// It calls what is in front of the cached store.
    Calls,
    /// It reads the cached store.
    Reads,
}

/// Why a try failed.
type Why = (Stage, Id<Root>);

/// What a cluster is given now, ready to be looked up.
#[derive(Debug)]
struct View<'p> {
    inputs: Inputs,
    /// What the cluster's caches answer in a slot.
    hits: (usize, Hits<'p>),
    /// The interval over which its shares move.
    span: (SimTime, SimTime),
    /// Conditions by station.
    conditions: Vec<Condition>,
    /// Position of the flow by population: of the current answer, of an old one.
    flows: Table<Population, [Option<u32>; 2]>,
}

/// A cluster that users of a population are routed to.
#[derive(Clone, Copy, Debug)]
struct Way {
    cluster: Id<Cluster>,
    flow: u32,
}

/// All requests of one seed.
pub(super) struct Traffic<'p> {
    plan: &'p Plan,
    events: EventList<Event>,
    sources: Table<Population, Source>,
    /// No more requests begin.
    closed: bool,
    /// Deadlines by journey: all alike, so they are in order.
    deadlines: Table<Journey, VecDeque<(SimTime, u32, u32)>>,
    /// The first of them.
    gives_up: (SimTime, Id<Journey>),
    entries: Vec<Entry>,
    unused: Vec<u32>,
    stations: Vec<Station>,
    /// Position of a cluster's first station, and a station's cluster.
    first: Table<Cluster, usize>,
    cluster_of: Vec<Id<Cluster>>,
    views: Table<Cluster, Option<View<'p>>>,
    ways: Table<Population, Vec<Way>>,
    straight: Table<Population, Option<Straight>>,
    /// The journey of a population that has but one.
    only_journey: Table<Population, Option<Id<Journey>>>,
    /// By cluster: the fault under which calls began to wait, as long as any wait; it may be over.
    begun: Table<Cluster, Option<Id<Root>>>,
    choices: Table<Population, Rng>,
    network: Rng,
    jitter: Jitter,
    store_time: Table<Store, Sampler>,
    dependency_time: Vec<Sampler>,
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
    starts: Vec<Start>,
    dead: Vec<Call>,
}

impl<'p> Traffic<'p> {
    /// Nothing is on its way yet; what ends is added to `counts`.
    pub(super) fn new(plan: &'p Plan, index: &Index, opening: Opening, scale: f64, counts: Counts) -> Self {
        let mut stations = Vec::new();
        let mut first = Table::new();
        for (id, cluster) in plan.clusters.iter_enumerated() {
            first.push(stations.len());
            for position in 0..cluster.stations.len() {
                stations.push(station(plan, index, (id, position), opening, scale));
            }
        }
        let stream = |name: &str, purpose: u64| opening.stream.with(digest(name)).with(purpose).rng();
        let sources = plan.populations.iter_enumerated();
        let sources = sources.map(|(id, own)| Source::new(plan, id, opening.from, scale, stream(&own.name, ARRIVALS)));
        let budget = plan.journeys.iter_enumerated().map(|(id, journey)| {
            let rate: f64 = plan.populations.iter().map(|own| own.rate * own.shares[id]).sum();
            let most = (journey.budget.min(1e9) * rate * scale * BUDGET_SECONDS).max(10.0);
            (most, most)
        });
        Self {
            plan,
            events: EventList::default(),
            sources: sources.collect(),
            closed: false,
            deadlines: vec![VecDeque::new(); plan.journeys.len()].into(),
            gives_up: (SimTime::NEVER, Id::new(0)),
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
            straight: vec![None; plan.populations.len()].into(),
            only_journey: plan.populations.iter().map(|own| only(&own.shares)).collect(),
            begun: vec![None; plan.clusters.len()].into(),
            choices: plan.populations.iter().map(|own| stream(&own.name, CHOICES)).collect(),
            network: opening.stream.with(NETWORK).rng(),
            jitter: Jitter::new(plan.jitter),
            store_time: plan.stores.iter().map(|store| Sampler::new(&store.time)).collect(),
            extras: remote::Extras::new(plan),
            dependency_time: plan.dependencies.iter().map(|own| Sampler::new(&own.time)).collect(),
            budget: budget.collect(),
            breakers: vec![Breaker::default(); plan.populations.len() * plan.journeys.len() * plan.clusters.len()],
            scale,
            first_partitions: plan.first_partitions(),
            written: vec![(0.0, 0.0); plan.stores.iter().map(|store| store.partitions.len()).sum()],
            counts,
            starts: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Lets requests happen until `to`, exclusive.
    pub(super) fn run_until(&mut self, to: SimTime) {
        let mut first = self.first_source();
        while !self.counts.has_traced() {
            let event = self.events.next_time().unwrap_or(SimTime::NEVER);
            let ((source, arrives, others), (gives_up, late)) = (first, self.gives_up);
            let next = event.min(arrives).min(gives_up);
            if next >= to {
                return;
            }
            if next == event {
                if let Some((now, event)) = self.events.pop() {
                    self.handle(now, event);
                }
            } else if next == arrives {
                if !self.go_straight(source, event.min(gives_up).min(others).min(to)) {
                    for _ in 0..self.sources[source].batch {
                        self.begin(arrives, source);
                    }
                    self.sources[source].take();
                }
                first = self.first_source();
            } else {
                let due = self.deadlines[late].pop_front();
                self.first_deadline();
                if let Some((at, entry, life)) = due {
                    self.expire(at, entry, life);
                }
            }
        }
    }

    /// Where the next request begins and when, and when one begins elsewhere.
    fn first_source(&self) -> (Id<Population>, SimTime, SimTime) {
        let mut first = (Id::new(0), SimTime::NEVER, SimTime::NEVER);
        let open = self.sources.iter_enumerated().filter(|_| !self.closed);
        for (id, own) in open {
            if own.next < first.1 {
                first = (id, own.next, first.1);
            } else {
                first.2 = first.2.min(own.next);
            }
        }
        first
    }

    /// Looks for the first deadline.
    fn first_deadline(&mut self) {
        self.gives_up = (SimTime::NEVER, Id::new(0));
        for (id, deadlines) in self.deadlines.iter_enumerated() {
            if let Some(&(at, ..)) = deadlines.front()
                && at < self.gives_up.0
            {
                self.gives_up = (at, id);
            }
        }
    }

    /// How many events and arrivals there were.
    pub(super) fn processed(&self) -> u64 {
        self.events.processed() + self.sources.iter().map(|source| source.count).sum::<u64>()
    }

    fn handle(&mut self, now: SimTime, event: Event) {
        match event {
            Event::Again(entry) => self.start(now, entry),
            Event::Step { entry, life } => {
                if self.entries[entry as usize].life == life {
                    self.walk(now, entry);
                }
            }
            Event::Arrives { entry, life, station, back } => self.arrives(now, entry, life, station, back),
            Event::Answer { entry, life } => self.answered(now, entry, life),
            Event::Leaves { station, call } => {
                let entry = &mut self.entries[call.entry as usize];
                if entry.life == call.life && self.stations[station as usize].withdraw(now, call) {
                    entry.queued = entry.queued.saturating_sub(1);
                    let root = self.overload_root(self.cluster_of[station as usize]);
                    self.fail(now, call.entry, (Stage::Overload, root));
                }
            }
            Event::Hedge { entry, life } => self.hedge(now, entry, life),
            Event::Expires { entry, life } => self.expire(now, entry, life),
            Event::Served { station, place, life } => {
                let left = self.stations[station as usize].leave(now, place, life, &mut self.starts);
                self.schedule_starts(station);
                if self.stations[station as usize].waiting == 0 {
                    self.forget_beginnings(station as usize);
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
        for Start { place, life, done, call, queued } in self.starts.drain(..) {
            if let Some((call, wait)) = call {
                let entry = &mut self.entries[call.entry as usize];
                if entry.life == call.life && queued {
                    entry.waited += wait.secs();
                    entry.queued -= 1;
                }
            }
            self.events.schedule(done, Event::Served { station, place, life });
        }
    }

    /// What too much load in a cluster is put down to: what waits keeps the fault that made it wait.
    fn overload_root(&self, cluster: Id<Cluster>) -> Id<Root> {
        let now = self.views[cluster].as_ref().map(|view| view.inputs.overload_root);
        now.filter(|root| root.index() != DEMAND).or(self.begun[cluster]).unwrap_or(Id::new(DEMAND))
    }

    /// Nothing waits in a cluster any more: what begins to is another's doing.
    fn forget_beginnings(&mut self, station: usize) {
        let cluster = self.cluster_of[station];
        if self.begun[cluster].is_none() {
            return;
        }
        let first = self.first[cluster];
        let stations = &self.stations[first..first + self.plan.clusters[cluster].stations.len()];
        if stations.iter().all(|station| station.waiting == 0) {
            self.begun[cluster] = None;
        }
    }

    /// Counts the bytes of what a cluster has served under what it was given.
    fn settle(&mut self, cluster: Id<Cluster>) {
        let given = self.views[cluster].as_ref().map(|view| (&view.inputs, &view.hits.1));
        self.counts.settle(self.plan, cluster, given);
    }

    fn settle_all(&mut self) {
        self.plan.clusters.keys().for_each(|cluster| self.settle(cluster));
    }

    /// A cluster is given something else.
    pub(super) fn give(&mut self, now: SimTime, cluster: Id<Cluster>, inputs: &Inputs, span: (SimTime, SimTime)) {
        self.settle(cluster);
        let own = &self.plan.clusters[cluster];
        let before = self.views[cluster].take();
        let view = View::new(self.plan, now, inputs, span, own.stations.len());
        let up = |view: &View| (view.inputs.front.down.is_none(), view.inputs.zones_up);
        let (was_up, zones) = before.as_ref().map_or((true, own.zones), up);
        let (is_up, zones_up) = up(&view);
        let mut kills: Vec<(usize, f64, Why)> = Vec::new();
        for position in 0..own.stations.len() {
            let condition = view.conditions[position];
            let was = before.as_ref().map_or_else(Condition::good, |before| before.conditions[position]);
            let root = view.inputs.front.down.or((zones_up == 0).then_some(view.inputs.zones_root));
            if let Some(root) = root.filter(|_| was_up && (!is_up || zones_up == 0)) {
                kills.push((position, 1.0, (Stage::Undetected, root)));
            } else if let (Some(root), None) = (condition.down, was.down) {
                kills.push((position, 1.0, (Stage::Undetected, root)));
            } else if zones_up < zones {
                let chance = f64::from(zones - zones_up) / f64::from(zones.max(1));
                kills.push((position, chance, (Stage::Undetected, view.inputs.zones_root)));
            }
        }
        self.views[cluster] = Some(view);
        for (position, chance, why) in kills {
            let station = self.first[cluster] + position;
            let mut dead = core::mem::take(&mut self.dead);
            self.stations[station].kill(now, chance, &mut dead, &mut self.starts);
            self.schedule_starts(station as u32);
            for call in dead.drain(..) {
                self.fail_call(now, call, why);
            }
            self.dead = dead;
        }
        for (population, ways) in self.ways.iter_mut_enumerated() {
            ways.retain(|way| way.cluster != cluster);
            let flows = inputs.flows.iter().enumerate().filter(|(_, flow)| flow.population == population);
            ways.extend(flows.map(|(flow, _)| Way { cluster, flow: flow as u32 }));
            ways.sort_by_key(|way| (way.cluster, way.flow));
        }
        self.straighten();
    }

    /// A cluster has so many ready pods.
    pub(super) fn staff(&mut self, now: SimTime, cluster: Id<Cluster>, ready: impl Iterator<Item = u32>) {
        let own = &self.plan.clusters[cluster];
        for (position, ready) in ready.enumerate() {
            let service = &self.plan.services[own.stations[position].service];
            let view = self.views[cluster].as_ref();
            let condition = view.map_or_else(Condition::good, |view| view.conditions[position]);
            let front = view.map_or_else(Condition::good, |view| view.inputs.front);
            let pace = pace(service, ready, &condition, &front, self.scale);
            let station = self.first[cluster] + position;
            self.stations[station].change(now, ready, pace, &mut self.starts);
            self.schedule_starts(station as u32);
        }
    }

    /// By partition: the writes that its leader has acknowledged, and their bytes.
    pub(super) fn written(&mut self) -> &mut [(f64, f64)] {
        &mut self.written
    }

    /// The rate of a population is multiplied by this from now on.
    pub(super) fn demand(&mut self, now: SimTime, population: Id<Population>, factor: f64) {
        self.sources[population].change(now, factor);
    }

    /// Calls per second and utilisation of a station since this was asked last.
    pub(super) fn look(&mut self, now: SimTime, cluster: Id<Cluster>, position: usize) -> (f64, f64) {
        let (arrivals, utilisation) = self.stations[self.first[cluster] + position].look(now);
        (arrivals / self.scale, utilisation)
    }

    /// So many calls wait at a station for this reason, of clients who have been counted elsewhere.
    pub(super) fn crowd(
        &mut self,
        now: SimTime,
        cluster: Id<Cluster>,
        position: usize,
        (calls, root): (f64, Id<Root>),
    ) {
        self.begun[cluster] = Some(root).filter(|root| root.index() != DEMAND);
        let station = self.first[cluster] + position;
        for _ in 0..(calls * self.scale).round() as u64 {
            let entry = self.take_entry(Entry { open: 1, ..Entry::nobodys(cluster, now) });
            let life = self.entries[entry as usize].life;
            let call = Call { entry, life, arrived: now, priority: 0, back: Span::ZERO };
            match self.stations[station].arrive(now, call, &mut self.starts) {
                Admission::Taken => {}
                Admission::Waits => self.entries[entry as usize].queued = 1,
                Admission::Rejected | Admission::Leaves(..) | Admission::Displaces(_) => self.free(entry),
            }
            self.schedule_starts(station as u32);
        }
    }

    /// Calls that wait at a station, multiplied out, and the fault that made them.
    pub(super) fn queue(&self, now: SimTime, cluster: Id<Cluster>, position: usize) -> (f64, Id<Root>) {
        let calls = self.stations[self.first[cluster] + position].queue(now);
        (calls / self.scale, self.overload_root(cluster))
    }

    /// From now on it counts.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.settle_all();
        self.counts.since(now);
        self.stations.iter_mut().for_each(|station| station.restart(now));
    }

    /// A month ends, with so many node-hours by cluster.
    pub(super) fn close_month(&mut self, now: SimTime, node_hours: Vec<f64>) {
        self.settle_all();
        self.counts.close_month(self.plan, now, node_hours);
    }

    /// The time ends: nobody comes any more, and who is here is served.
    pub(super) fn drain(&mut self, end: SimTime) {
        self.stations.iter_mut().for_each(|station| station.finish(end));
        self.closed = true;
        self.run_until(SimTime::NEVER);
        let mut in_use = vec![true; self.entries.len()];
        self.unused.iter().for_each(|&number| in_use[number as usize] = false);
        for number in 0..self.entries.len() as u32 {
            let entry = self.entries[number as usize];
            if in_use[number as usize] && entry.wanted {
                // Nothing will ever serve it.
                let why = self.lateness(SimTime::NEVER, &entry);
                self.lose(end, number, why);
            }
        }
        self.settle_all();
    }

    /// What it counted, once it is drained.
    pub(super) fn into_counts(mut self) -> Counts {
        self.counts.processed += self.processed();
        for (cluster, own) in self.plan.clusters.iter_enumerated() {
            for position in 0..own.stations.len() {
                let station = &self.stations[self.first[cluster] + position];
                self.counts.add_station((cluster.index(), position), &station.tally, &station.waits);
            }
        }
        self.counts.minutes.close();
        self.counts
    }
}

impl<'p> View<'p> {
    fn new(plan: &'p Plan, now: SimTime, inputs: &Inputs, span: (SimTime, SimTime), stations: usize) -> Self {
        let mut conditions = vec![Condition::good(); stations];
        for (position, condition) in &inputs.stations {
            conditions[*position as usize] = *condition;
        }
        let mut flows: Table<Population, [Option<u32>; 2]> = vec![[None; 2]; plan.populations.len()].into();
        for (position, flow) in inputs.flows.iter().enumerate() {
            flows[flow.population][usize::from(!flow.current)] = Some(position as u32);
        }
        let (slot, _) = slot_at(plan, now);
        let hits = (slot, Hits::expected(plan, inputs, slot));
        Self { inputs: inputs.clone(), hits, span, conditions, flows }
    }

    /// The flow of a population; that of the other answer once its own has gone.
    fn flow(&self, population: Id<Population>, current: bool) -> Option<&Flow> {
        let [now, old] = self.flows[population];
        let position = if current { now.or(old) } else { old.or(now) };
        position.map(|position| &self.inputs.flows[position as usize])
    }
}

/// What faults leave of a station's servers.
fn pace(service: &ServicePlan, ready: u32, condition: &Condition, front: &Condition, scale: f64) -> Pace {
    let whole = f64::from(ready) * f64::from(service.concurrency) * scale;
    let capacity = whole * condition.capacity.get() * front.capacity.get();
    // Whole servers, each as much slower as rounding up made them too many.
    let servers = (capacity - 1e-9).ceil().max(0.0);
    Pace {
        servers: servers as u32,
        slower: if capacity > 0.0 { servers / capacity } else { 1.0 },
        later: condition.latency.get() * front.latency.get(),
    }
}

/// The only journey with a share.
fn only(shares: &Table<Journey, f64>) -> Option<Id<Journey>> {
    let mut some = shares.iter_enumerated().filter(|(_, share)| **share > 0.0);
    let first = some.next()?;
    some.next().is_none().then_some(first.0)
}

/// Makes a station.
fn station(plan: &Plan, index: &Index, (id, position): (Id<Cluster>, usize), opening: Opening, scale: f64) -> Station {
    let cluster = &plan.clusters[id];
    let own = &cluster.stations[position];
    let service = &plan.services[own.service];
    let good = Condition::good();
    let paired =
        plan.pairs.iter().any(|pair| pair.standby.is_some() && (pair.primary == id || pair.standby == Some(id)));
    let faults = index.stations[id].iter().chain(&index.pods[id]);
    let hit = faults.map(|&(other, _)| other as usize).any(|other| other == position);
    let calls = |step: &StepPlan| match step {
        StepPlan::Call(services) => services.contains(&own.service),
        StepPlan::Read(store, _) => plan.stores[*store].cache.is_some_and(|cache| cache.through == Some(own.service)),
        StepPlan::Write(..) | StepPlan::Dependency(_) => false,
    };
    let callers = || plan.journeys.iter().filter(|journey| journey.steps.iter().any(calls));
    let steady = own.hpa.is_none() && !paired && !hit && index.front[id].is_empty() && index.zones[id].is_empty();
    let known = steady && callers().all(|journey| journey.patience.is_none() && journey.hedge.is_none());
    Station::new(Making {
        ready: own.standby_replicas,
        pace: pace(service, own.standby_replicas, &good, &good, scale),
        // What never waits is shed at once.
        limit: match service.station {
            Kind::Fluid => Some(0),
            Kind::Mmc | Kind::Ps => service.queue.map(|limit| (limit as f64 * scale).ceil() as u64),
        },
        time: Sampler::new(&service.time),
        rng: opening.stream.with(cluster.digest).with(digest(&service.name)).with(SERVICE).rng(),
        objective: service.wait_objective,
        known,
        queue_is_looked_at: plan.requests.as_ref().is_some_and(|requests| requests.windows.is_some()),
        shared: matches!(service.station, Kind::Ps),
        opens: opening.from,
        window: opening.counts,
        priorities: callers().map(|journey| journey.priority).collect(),
    })
}
