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

mod counts;
mod sample;
mod source;
mod station;
mod windows;

use super::index::Index;
use super::inputs::{Condition, Flow, Inputs, Route};
use super::log::Log;
use super::lookups::{Hits, cache_of};
use super::unit::slot_at;
use crate::base::stream::{Rng, digest, uniform};
use crate::base::{Id, Seed, SimTime, Span, Table};
use crate::domain::traced::TracedRequest;
use crate::domain::{Cluster, Journey, Observations, Population, Root, Service, Stage, Store};
use crate::engine::EventList;
use crate::plan::{CachePlan, ClusterPlan, DEMAND, Instruction, Plan, ServicePlan, StepPlan};
use crate::replication::spec::Replication;
use crate::traffic::spec::Station as Kind;
use counts::Counts;
use sample::{Jitter, Sampler, span};
use source::Source;
use station::{Admission, Call, Making, Pace, Start, Station};
use std::collections::VecDeque;

/// The streams of what requests draw.
const ARRIVALS: u64 = digest("arrivals");
const CHOICES: u64 = digest("choices of a request");
const NETWORK: u64 = digest("network of a request");
const SERVICE: u64 = digest("service times");

/// Share of a timeout that waits must take for a late answer to be put down to overload: as in flow.
const WAITS: f64 = 0.05;
/// Length of a breaker's window, of which it looks at this one and the one before.
const BREAKER: Span = Span::from_whole_secs(5);
/// Fewest tries that open a breaker.
const BREAKER_TRIES: f64 = 20.0;
/// Seconds of requests that a retry budget saves up.
const BUDGET_SECONDS: f64 = 10.0;

/// What is due.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A request tries again.
    Again(u32),
    /// A try goes on with its next step.
    Step { entry: u32, life: u32 },
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

/// What a breaker has seen: (tries, failures) in this window and the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    window: u64,
    now: (f64, f64),
    before: (f64, f64),
    why: Option<Why>,
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
    entries: Vec<Entry>,
    unused: Vec<u32>,
    stations: Vec<Station>,
    /// Position of a cluster's first station, and a station's cluster.
    first: Table<Cluster, usize>,
    cluster_of: Vec<Id<Cluster>>,
    views: Table<Cluster, Option<View<'p>>>,
    ways: Table<Population, Vec<Way>>,
    /// By cluster: the fault under which calls began to wait, as long as any wait; it may be over.
    begun: Table<Cluster, Option<Id<Root>>>,
    choices: Table<Population, Rng>,
    network: Rng,
    jitter: Jitter,
    store_time: Table<Store, Sampler>,
    dependency_time: Vec<Sampler>,
    /// Retries that each journey's clients have saved up, and the most they may.
    budget: Table<Journey, (f64, f64)>,
    /// By cell and cluster, where the journey has a breaker.
    breakers: Vec<Breaker>,
    scale: f64,
    /// The first partition of each store; and by partition the writes that were acknowledged by its leader, with their
    /// bytes, until the world asks.
    first_partitions: Table<Store, usize>,
    written: Vec<(f64, f64)>,
    counts: Counts,
    starts: Vec<Start>,
    dead: Vec<Call>,
}

impl<'p> Traffic<'p> {
    pub(super) fn new(plan: &'p Plan, index: &Index, seed: Seed, scale: f64) -> Self {
        let origin = SimTime::ZERO + plan.warm_up;
        let mut stations = Vec::new();
        let mut first = Table::new();
        for (id, cluster) in plan.clusters.iter_enumerated() {
            first.push(stations.len());
            for position in 0..cluster.stations.len() {
                stations.push(station(plan, index, id, cluster, position, seed, scale));
            }
        }
        let stream = |name: &str, purpose: u64| seed.stream().with(digest(name)).with(purpose).rng();
        let sources = plan.populations.iter_enumerated();
        let sources = sources.map(|(id, own)| Source::new(plan, id, scale, stream(&own.name, ARRIVALS)));
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
            begun: vec![None; plan.clusters.len()].into(),
            choices: plan.populations.iter().map(|own| stream(&own.name, CHOICES)).collect(),
            network: seed.stream().with(NETWORK).rng(),
            jitter: Jitter::new(plan.jitter),
            store_time: plan.stores.iter().map(|store| Sampler::new(&store.time)).collect(),
            dependency_time: plan.dependencies.iter().map(|own| Sampler::new(&own.time)).collect(),
            budget: budget.collect(),
            breakers: vec![Breaker::default(); plan.populations.len() * plan.journeys.len() * plan.clusters.len()],
            scale,
            first_partitions: plan.first_partitions(),
            written: vec![(0.0, 0.0); plan.stores.iter().map(|store| store.partitions.len()).sum()],
            counts: Counts::new(plan, origin, scale),
            starts: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Lets requests happen until `to`, exclusive.
    pub(super) fn run_until(&mut self, to: SimTime) {
        loop {
            if self.counts.has_traced() {
                return;
            }
            let event = self.events.next_time().unwrap_or(SimTime::NEVER);
            let (mut source, mut arrives) = (Id::new(0), SimTime::NEVER);
            if !self.closed {
                for (id, own) in self.sources.iter_enumerated() {
                    if own.next < arrives {
                        (source, arrives) = (id, own.next);
                    }
                }
            }
            let (mut late, mut gives_up) = (Id::new(0), SimTime::NEVER);
            for (id, deadlines) in self.deadlines.iter_enumerated() {
                if let Some(&(at, ..)) = deadlines.front()
                    && at < gives_up
                {
                    (late, gives_up) = (id, at);
                }
            }
            let next = event.min(arrives).min(gives_up);
            if next >= to {
                return;
            }
            if next == event {
                if let Some((now, event)) = self.events.pop() {
                    self.handle(now, event);
                }
            } else if next == arrives {
                for _ in 0..self.sources[source].batch {
                    self.begin(arrives, source);
                }
                self.sources[source].take();
            } else if let Some((at, entry, life)) = self.deadlines[late].pop_front() {
                self.expire(at, entry, life);
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
            Event::Answer { entry, life } => self.answered(now, entry, life),
            Event::Leaves { station, call } => {
                let entry = &mut self.entries[call.entry as usize];
                if entry.life == call.life && self.stations[station as usize].withdraw(now, call) {
                    entry.queued = entry.queued.saturating_sub(1);
                    let root = self.overload_root(self.entries[call.entry as usize].cluster);
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
                    if after > 0.0 {
                        let event = Event::Answer { entry: call.entry, life: call.life };
                        self.events.schedule(now + span(after), event);
                    } else {
                        self.answered(now, call.entry, call.life);
                    }
                }
            }
        }
    }

    fn schedule_starts(&mut self, station: u32) {
        for Start { place, life, done, call } in self.starts.drain(..) {
            if let Some((call, wait)) = call {
                let entry = &mut self.entries[call.entry as usize];
                if entry.life == call.life && !wait.is_zero() {
                    entry.waited += wait.secs();
                    entry.queued -= 1;
                }
            }
            self.events.schedule(done, Event::Served { station, place, life });
        }
    }

    /// A request begins.
    fn begin(&mut self, now: SimTime, population: Id<Population>) {
        let plan = self.plan;
        let own = &plan.populations[population];
        let rng = &mut self.choices[population];
        let mut left = uniform(rng);
        let mut journey = Id::new(0);
        for (id, &share) in own.shares.iter_enumerated() {
            if share > 0.0 {
                journey = id;
            }
            left -= share;
            if left < 0.0 {
                break;
            }
        }
        let part = uniform(rng);
        let Some((cluster, current)) = self.route(now, population, part) else { return };
        let (tokens, most) = &mut self.budget[journey];
        *tokens = (*tokens + plan.journeys[journey].budget.min(1e9)).min(*most);
        let entry = self.take_entry(Entry {
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
        });
        self.counts.offered(now, population, journey, current);
        self.start(now, entry);
    }

    /// Where a request of this population goes: a share of all ways, which may move.
    fn route(&self, now: SimTime, population: Id<Population>, part: f64) -> Option<(Id<Cluster>, bool)> {
        let ways = &self.ways[population];
        if let [only] = ways.as_slice() {
            return Some((only.cluster, self.flow(*only)?.0.current));
        }
        let share = |way: &Way| self.flow(*way).map_or(0.0, |(flow, span)| share_at(flow, span, now));
        let all: f64 = ways.iter().map(share).sum();
        let mut left = part * all;
        let mut chosen = None;
        for way in ways {
            let share = share(way);
            if share > 0.0 {
                chosen = self.flow(*way).map(|(flow, _)| (way.cluster, flow.current));
            }
            left -= share;
            if left < 0.0 {
                break;
            }
        }
        chosen
    }

    fn flow(&self, way: Way) -> Option<(&Flow, (SimTime, SimTime))> {
        let view = self.views[way.cluster].as_ref()?;
        Some((&view.inputs.flows[way.flow as usize], view.span))
    }

    fn take_entry(&mut self, entry: Entry) -> u32 {
        if let Some(number) = self.unused.pop() {
            let life = self.entries[number as usize].life;
            self.entries[number as usize] = Entry { life, ..entry };
            return number;
        }
        self.entries.push(entry);
        self.entries.len() as u32 - 1
    }

    fn free(&mut self, entry: u32) {
        self.entries[entry as usize].life += 1;
        self.unused.push(entry);
    }

    /// A try begins.
    fn start(&mut self, now: SimTime, number: u32) {
        let plan = self.plan;
        let entry = self.entries[number as usize];
        let journey = &plan.journeys[entry.journey];
        if journey.breaker.is_some()
            && let Some(why) = self.broken(now, &entry)
        {
            self.lose(now, number, why);
            return;
        }
        let trip = self.jitter.draw(plan.populations[entry.population].rtt[entry.cluster], &mut self.network);
        let half = span(0.5 * trip);
        let entry = &mut self.entries[number as usize];
        *entry = entry.anew(half);
        entry.tries += 1;
        entry.deadline = SimTime::NEVER;
        if let Some(timeout) = journey.timeout {
            entry.deadline = now + span(timeout);
            self.deadlines[entry.journey].push_back((entry.deadline, number, entry.life));
        }
        if let Some(after) = journey.hedge {
            self.events.schedule(now + span(after), Event::Hedge { entry: number, life: entry.life });
        }
        if half.is_zero() {
            self.walk(now, number);
        } else {
            self.events.schedule(now + half, Event::Step { entry: number, life: entry.life });
        }
    }

    /// A client that has no answer yet asks once more: whichever comes first counts.
    fn hedge(&mut self, now: SimTime, number: u32, life: u32) {
        let entry = self.entries[number as usize];
        if entry.life != life || !entry.wanted {
            return;
        }
        let trip = self.jitter.draw(self.plan.populations[entry.population].rtt[entry.cluster], &mut self.network);
        let half = span(0.5 * trip);
        let twin = self.take_entry(Entry { twin: Some((number, life)), ..entry.anew(half) });
        let own = self.entries[twin as usize].life;
        self.entries[number as usize].twin = Some((twin, own));
        if entry.deadline < SimTime::NEVER {
            self.events.schedule(entry.deadline, Event::Expires { entry: twin, life: own });
        }
        self.events.schedule(now + half, Event::Step { entry: twin, life: own });
    }

    /// The other one that the client waits for, if it is on its way.
    fn twin(&self, entry: &Entry) -> Option<u32> {
        let (twin, life) = entry.twin?;
        let other = &self.entries[twin as usize];
        (other.life == life && other.wanted).then_some(twin)
    }

    /// A try goes on from its step.
    fn walk(&mut self, now: SimTime, number: u32) {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, life, step, miss, .. } = self.entries[number as usize];
        let own = &plan.journeys[journey];
        if step == 0
            && miss == Miss::No
            && let Some(why) = self.at_the_front(cluster, population, current)
        {
            self.fail(now, number, why);
            return;
        }
        loop {
            let Some(next) = self.next_step(number) else {
                self.finish(now, number);
                return;
            };
            let after = match &own.steps[next] {
                StepPlan::Call(services) => {
                    let entry = &mut self.entries[number as usize];
                    // The population's round trip ends at the first service; later calls cross the region.
                    if entry.called && !entry.crossed {
                        entry.crossed = true;
                        let trip = self.within(cluster);
                        if trip > 0.0 {
                            self.events.schedule(now + span(trip), Event::Step { entry: number, life });
                            return;
                        }
                    }
                    let entry = &mut self.entries[number as usize];
                    (entry.called, entry.crossed) = (true, false);
                    entry.step += 1;
                    self.call(now, number, services);
                    return;
                }
                StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                    let writes = matches!(own.steps[next], StepPlan::Write(..));
                    let route = self.access(cluster, population, current, *store, writes);
                    if let (false, Some(cache)) = (writes, cache_of(plan, *store, route)) {
                        match self.look_up(now, number, *store, cache) {
                            Ok(Some(seconds)) if seconds > 0.0 => {
                                self.events
                                    .schedule(now + Span::from_secs(seconds), Event::Step { entry: number, life });
                                return;
                            }
                            Ok(Some(_)) => continue,
                            Ok(None) => return,
                            Err(why) => {
                                self.fail(now, number, why);
                                return;
                            }
                        }
                    }
                    match self.take_trip(cluster, *store, writes, route) {
                        Ok(seconds) => {
                            self.counts.accessed(now, *store, journey, writes, seconds);
                            if let (StepPlan::Write(_, bytes), Route::Via(..)) = (&own.steps[next], route) {
                                let partition = self.first_partitions[*store];
                                let partition = partition + plan.stores[*store].partition_of(population);
                                let sum = &mut self.written[partition];
                                sum.0 += 1.0 / self.scale;
                                sum.1 += bytes / self.scale;
                            }
                            seconds
                        }
                        Err(why) => {
                            self.fail(now, number, why);
                            return;
                        }
                    }
                }
                StepPlan::Dependency(dependency) => {
                    let view = self.views[cluster].as_ref();
                    let condition = view.and_then(|view| {
                        view.inputs.dependencies.iter().find(|(other, _)| other == dependency).map(|(_, own)| *own)
                    });
                    if let Some(why) = condition.and_then(|own| self.meets(&own, Stage::Dependency, population)) {
                        self.fail(now, number, why);
                        return;
                    }
                    let slower = condition.map_or(1.0, |own| own.latency.get());
                    self.dependency_time[dependency.index()].draw(&mut self.network) * slower
                }
            };
            self.entries[number as usize].step += 1;
            if after > 0.0 {
                self.events.schedule(now + span(after), Event::Step { entry: number, life });
                return;
            }
        }
    }

    /// Goes on with a read of a cache: a hit ends it, a miss calls what is in front of the cached store and then reads
    /// that. The seconds until it goes on, `None` while it waits for a call, or why it fails.
    fn look_up(&mut self, now: SimTime, number: u32, store: Id<Store>, cache: CachePlan) -> Result<Option<f64>, Why> {
        let plan = self.plan;
        let Entry { population, journey, cluster, current, miss, crossed, .. } = self.entries[number as usize];
        let through = cache.through.filter(|&service| plan.clusters[cluster].station_of[service].is_some());
        match (miss, through) {
            (Miss::No, _) => {
                let seconds = self.store_time[store].draw(&mut self.network);
                self.counts.took(now, store, false, seconds);
                let hits = self.hits(now, cluster, population, store);
                let entry = &mut self.entries[number as usize];
                if uniform(&mut self.choices[population]) < hits {
                    self.counts.read(now, store, journey, true);
                    entry.step += 1;
                } else {
                    entry.miss = if through.is_some() { Miss::Calls } else { Miss::Reads };
                    entry.crossed = false;
                }
                Ok(Some(seconds))
            }
            (Miss::Calls, Some(service)) => {
                let entry = &mut self.entries[number as usize];
                entry.crossed = !crossed;
                if !crossed {
                    return Ok(Some(self.within(cluster)));
                }
                entry.miss = Miss::Reads;
                self.call(now, number, &[service]);
                Ok(None)
            }
            (Miss::Calls, None) | (Miss::Reads, _) => {
                let route = self.access(cluster, population, current, cache.of, false);
                let seconds = self.take_trip(cluster, cache.of, false, route)?;
                self.counts.read(now, store, journey, false);
                self.counts.accessed(now, cache.of, journey, false, seconds);
                let entry = &mut self.entries[number as usize];
                entry.miss = Miss::No;
                entry.step += 1;
                Ok(Some(seconds))
            }
        }
    }

    /// The share of a population's reads that a cluster's cache answers: as the planned rates of the hour keep it.
    fn hits(&mut self, now: SimTime, cluster: Id<Cluster>, population: Id<Population>, store: Id<Store>) -> f64 {
        let plan = self.plan;
        let Some(view) = &mut self.views[cluster] else { return 0.0 };
        let (slot, _) = slot_at(plan, now);
        if view.hits.0 != slot {
            view.hits = (slot, Hits::expected(plan, &view.inputs, slot));
        }
        view.hits.1.of(store, plan.stores[store].partition_of(population)).1
    }

    /// The position of a try's next step in its journey, once chance has had its say; `None` at the end.
    fn next_step(&mut self, number: u32) -> Option<usize> {
        let Entry { journey, population, step, .. } = self.entries[number as usize];
        let own = &self.plan.journeys[journey];
        if own.program.is_empty() {
            return ((step as usize) < own.steps.len()).then_some(step as usize);
        }
        let mut at = step as usize;
        loop {
            match own.program.get(at) {
                None => return None,
                Some(&Instruction::Step(next)) => {
                    self.entries[number as usize].step = at as u32;
                    return Some(next);
                }
                Some(&Instruction::Jump(chance, to)) => {
                    let jumps = chance >= 1.0 || uniform(&mut self.choices[population]) < chance;
                    at = if jumps { to } else { at + 1 };
                }
            }
        }
    }

    /// One trip within a cluster's region, in seconds.
    fn within(&mut self, cluster: Id<Cluster>) -> f64 {
        let region = self.plan.clusters[cluster].region;
        self.jitter.draw(self.plan.region_rtt[region][region], &mut self.network)
    }

    /// Why a try fails before it reaches anything in a cluster, if it does.
    fn at_the_front(&mut self, cluster: Id<Cluster>, population: Id<Population>, current: bool) -> Option<Why> {
        let view = self.views[cluster].as_ref()?;
        let flow = view.flow(population, current)?;
        let blame = flow.blame;
        if let Some(root) = flow.refused {
            return Some((blame, root));
        }
        let front = view.inputs.front;
        let inputs = &view.inputs;
        let dead = (inputs.zones_up == 0 && inputs.zones_listed == 0).then_some(inputs.zones_root);
        if let Some(root) = front.down.or(dead) {
            return Some((blame, root));
        }
        self.meets(&front, blame, population)
    }

    /// What a condition does to one who meets it.
    fn meets(&mut self, condition: &Condition, down: Stage, population: Id<Population>) -> Option<Why> {
        if let Some(root) = condition.down {
            return Some((down, root));
        }
        let errors = condition.errors.get();
        if errors > 0.0 && uniform(&mut self.choices[population]) < errors {
            return Some((Stage::Errors, condition.errors_root));
        }
        None
    }

    /// Calls services at once.
    fn call(&mut self, now: SimTime, number: u32, services: &[Id<Service>]) {
        let plan = self.plan;
        let entry = self.entries[number as usize];
        let own = &plan.clusters[entry.cluster];
        let Some(view) = self.views[entry.cluster].as_ref() else { return };
        let blame = view.flow(entry.population, entry.current).map_or(Stage::Undetected, |flow| flow.blame);
        let (up, listed, zones_root) = (view.inputs.zones_up, view.inputs.zones_listed, view.inputs.zones_root);
        let overload_root = self.overload_root(entry.cluster);
        let later = view.inputs.front.latency.get();
        let priority = plan.journeys[entry.journey].priority;
        let mut latest = now;
        let mut open = 0;
        self.entries[number as usize].open = u32::MAX;
        for &service in services {
            let Some(position) = own.station_of[service].map(|position| position as usize) else { continue };
            let condition = self.views[entry.cluster].as_ref().map(|view| view.conditions[position]);
            let fails = (listed > 0 && {
                let share = f64::from(listed) / f64::from(up + listed);
                uniform(&mut self.choices[entry.population]) < share
            })
            .then_some((Stage::Undetected, zones_root))
            .or_else(|| condition.and_then(|condition| self.meets(&condition, blame, entry.population)));
            if let Some(why) = fails {
                self.fail(now, number, why);
                return;
            }
            let station = self.first[entry.cluster] + position;
            let leaves = plan.journeys[entry.journey]
                .patience
                .as_ref()
                .map_or(SimTime::NEVER, |patience| now + patience.sample_span(&mut self.choices[entry.population]));
            let call = Call { entry: number, life: entry.life, arrived: now, priority };
            let admission = self.stations[station].arrive(now, call, &mut self.starts);
            if matches!(admission, Admission::Waits | Admission::Displaces(_)) {
                if self.begun[entry.cluster].is_none() {
                    self.begun[entry.cluster] = Some(overload_root).filter(|root| root.index() != DEMAND);
                }
                let entry = &mut self.entries[number as usize];
                entry.queued += 1;
                entry.queued_at = now;
                self.events.schedule(leaves, Event::Leaves { station: station as u32, call });
            }
            self.schedule_starts(station as u32);
            match admission {
                Admission::Rejected => {
                    self.fail(now, number, (Stage::Overload, overload_root));
                    return;
                }
                Admission::Displaces(other) => {
                    open += 1;
                    self.fail_call(now, other, (Stage::Overload, overload_root));
                }
                Admission::Taken | Admission::Waits => open += 1,
                Admission::Leaves(at, wait) => {
                    self.entries[number as usize].waited += wait.secs();
                    let service = later * condition.map_or(1.0, |condition| condition.latency.get());
                    debug_assert!(service == 1.0, "what is known beforehand doesn't degrade");
                    latest = latest.max(at);
                }
            }
        }
        self.entries[number as usize].open = open + u32::from(latest > now && open > 0);
        if open == 0 {
            self.go_on(latest, number, now);
        } else if latest > now {
            self.events.schedule(latest, Event::Answer { entry: number, life: entry.life });
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

    /// All calls of a step are back at `at`, which is now or known already.
    fn go_on(&mut self, at: SimTime, number: u32, now: SimTime) {
        let Entry { journey, step, life, .. } = self.entries[number as usize];
        let own = &self.plan.journeys[journey];
        if own.program.is_empty() && step as usize == own.steps.len() {
            self.finish(at, number);
        } else if at > now {
            self.events.schedule(at, Event::Step { entry: number, life });
        } else {
            self.walk(now, number);
        }
    }

    /// One call's answer is back.
    fn answered(&mut self, now: SimTime, number: u32, life: u32) {
        let entry = &mut self.entries[number as usize];
        if entry.life != life {
            return;
        }
        entry.open -= 1;
        if entry.open == 0 {
            self.go_on(now, number, now);
        }
    }

    /// How long an access to a store takes, or why it can't be.
    fn take_trip(&mut self, from: Id<Cluster>, store: Id<Store>, writes: bool, route: Route) -> Result<f64, Why> {
        let plan = self.plan;
        let between =
            |a: Id<Cluster>, b: Id<Cluster>| plan.region_rtt[plan.clusters[a].region][plan.clusters[b].region];
        let time = &self.store_time[store];
        let (jitter, rng) = (self.jitter, &mut self.network);
        Ok(match route {
            Route::Via(copy, ack) => {
                jitter.draw(between(from, copy), rng) + jitter.draw(ack.get(), rng) + time.draw(rng)
            }
            Route::Near(copy) | Route::Deposed(copy) => jitter.draw(between(from, copy), rng) + time.draw(rng),
            Route::Vote(through, copies, wanted) => {
                let trip = jitter.draw(between(from, through), rng);
                let delays = match (&plan.stores[store].replication, writes) {
                    (Replication::Quorum(own), true) => (own.delays.write.as_ref(), own.delays.ack.as_ref()),
                    (Replication::Quorum(own), false) => (own.delays.read.as_ref(), own.delays.response.as_ref()),
                    (
                        Replication::Sync(_)
                        | Replication::SemiSync(_)
                        | Replication::Async(_)
                        | Replication::MultiLeader(_)
                        | Replication::Cache(_),
                        _,
                    ) => (None, None),
                };
                let mut answers: Vec<f64> = plan.stores[store]
                    .copies
                    .iter()
                    .enumerate()
                    .filter(|(position, _)| copies >> position & 1 == 1)
                    .map(|(_, &copy)| {
                        let round_trip = if copy == through { 0.0 } else { between(through, copy) };
                        let way = match delays {
                            (None, None) => jitter.draw(round_trip, rng),
                            (there, back) => [there, back].into_iter().fold(0.0, |sum, delay| match delay {
                                Some(own) => sum + own.sample(rng),
                                None => sum + jitter.draw(0.5 * round_trip, rng),
                            }),
                        };
                        way + time.draw(rng)
                    })
                    .collect();
                answers.sort_by(f64::total_cmp);
                trip + answers.get(wanted as usize - 1).copied().unwrap_or(0.0)
            }
            Route::Cache(_) => time.draw(rng),
            Route::Fail(stage, root) => return Err((stage, root)),
        })
    }

    /// Where a population's accesses to a store go now.
    fn access(
        &self,
        cluster: Id<Cluster>,
        population: Id<Population>,
        current: bool,
        store: Id<Store>,
        writes: bool,
    ) -> Route {
        let flow = self.views[cluster].as_ref().and_then(|view| view.flow(population, current));
        let access = flow.map(|flow| flow.stores[store.index()]);
        match access {
            Some(access) => {
                if writes {
                    access.write
                } else {
                    access.read
                }
            }
            None => Route::Near(cluster),
        }
    }

    /// A try has come to its end: the client has the answer once it is back.
    fn finish(&mut self, at: SimTime, number: u32) {
        let entry = self.entries[number as usize];
        let answer = at + entry.back;
        if !entry.wanted {
            self.free(number);
            return;
        }
        if answer <= entry.deadline {
            if let Some(twin) = self.twin(&entry) {
                self.entries[twin as usize].wanted = false;
            }
            self.judge(at, &entry, None);
            self.counts.good(&entry, answer);
            self.free(number);
            return;
        }
        // Too late, and known before the client gives up: it learns of it then.
        let why = self.lateness(entry.deadline, &entry);
        self.ends(entry.deadline, number, why);
    }

    /// Why an answer comes too late, by `at`.
    fn lateness(&self, at: SimTime, entry: &Entry) -> Why {
        let Some(view) = &self.views[entry.cluster] else { return (Stage::Timeout, Id::new(0)) };
        let timeout = self.plan.journeys[entry.journey].timeout.unwrap_or(f64::INFINITY);
        let waits = if entry.queued > 0 { at.since(entry.queued_at).secs() } else { 0.0 };
        if entry.waited + waits > WAITS * timeout {
            (Stage::Overload, self.overload_root(entry.cluster))
        } else {
            (Stage::Timeout, view.inputs.front.errors_root)
        }
    }

    /// A client gives up a try.
    fn expire(&mut self, at: SimTime, number: u32, life: u32) {
        let entry = self.entries[number as usize];
        if entry.life != life || !entry.wanted {
            return;
        }
        let why = self.lateness(at, &entry);
        // The try goes on without it.
        self.entries[number as usize].wanted = false;
        let next = self.take_entry(entry);
        self.ends(at, next, why);
    }

    /// A hop fails.
    fn fail(&mut self, now: SimTime, number: u32, why: Why) {
        let entry = self.entries[number as usize];
        if entry.wanted {
            self.ends((now + entry.back).min(entry.deadline), number, why);
        } else {
            self.free(number);
        }
    }

    fn fail_call(&mut self, now: SimTime, call: Call, why: Why) {
        if self.entries[call.entry as usize].life == call.life {
            self.fail(now, call.entry, why);
        }
    }

    /// The client learns at `at` that its try has failed: it tries again, or the request is lost.
    fn ends(&mut self, at: SimTime, number: u32, why: Why) {
        let entry = self.entries[number as usize];
        if self.twin(&entry).is_some() {
            self.free(number);
            return;
        }
        self.entries[number as usize].twin = None;
        self.judge(at, &entry, Some(why));
        let journey = &self.plan.journeys[entry.journey];
        let (tokens, _) = &mut self.budget[entry.journey];
        if entry.tries > journey.retries() || (journey.budget.is_finite() && *tokens < 1.0) {
            self.lose(at, number, why);
            return;
        }
        if journey.budget.is_finite() {
            *tokens -= 1.0;
        }
        let (sure, drawn) = journey.backoffs[entry.tries as usize - 1];
        let backoff = if drawn > 0.0 { sure + drawn * uniform(&mut self.choices[entry.population]) } else { sure };
        let entry = &mut self.entries[number as usize];
        entry.life += 1;
        self.events.schedule(at + Span::from_secs(backoff), Event::Again(number));
    }

    fn lose(&mut self, at: SimTime, number: u32, why: Why) {
        let entry = self.entries[number as usize];
        self.counts.lost(at, &entry, why);
        self.free(number);
    }

    fn breaker(&mut self, entry: &Entry) -> &mut Breaker {
        let cell = entry.population.index() * self.plan.journeys.len() + entry.journey.index();
        &mut self.breakers[cell * self.plan.clusters.len() + entry.cluster.index()]
    }

    /// A breaker hears how a try ended.
    fn judge(&mut self, at: SimTime, entry: &Entry, why: Option<Why>) {
        if self.plan.journeys[entry.journey].breaker.is_none() {
            return;
        }
        let breaker = self.breaker(entry);
        breaker.turn(at);
        breaker.now.0 += 1.0;
        if let Some(why) = why {
            breaker.now.1 += 1.0;
            breaker.why = Some(why);
        }
    }

    /// Why a request isn't even sent, if its breaker is open and it is no probe.
    fn broken(&mut self, now: SimTime, entry: &Entry) -> Option<Why> {
        let (opens_at, probes) = self.plan.journeys[entry.journey].breaker?;
        let breaker = self.breaker(entry);
        breaker.turn(now);
        let (tries, failed) = (breaker.now.0 + breaker.before.0, breaker.now.1 + breaker.before.1);
        let why = breaker.why?;
        if tries < BREAKER_TRIES || failed < opens_at * tries {
            return None;
        }
        (uniform(&mut self.choices[entry.population]) > probes).then_some(why)
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

    /// Keeps so many of the requests that end.
    pub(super) fn trace(&mut self, most: usize) {
        self.counts.trace(most);
    }

    /// As many requests have ended as are kept: nobody asks for more.
    pub(super) fn has_traced(&self) -> bool {
        self.counts.has_traced()
    }

    /// The requests that were kept.
    pub(super) fn traced(&mut self) -> Vec<TracedRequest> {
        self.counts.traced()
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

    /// The warm-up is over.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.settle_all();
        self.counts.restart(self.plan, now);
        self.stations.iter_mut().for_each(|station| station.restart(now));
    }

    /// A month ends, with so many node-hours by cluster.
    pub(super) fn close_month(&mut self, now: SimTime, node_hours: Vec<f64>) {
        self.settle_all();
        self.counts.close_month(self.plan, now, node_hours);
    }

    /// The horizon ends: nobody comes any more, and who is here is served.
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
    }

    /// Everything that requests observed.
    pub(super) fn observe(mut self, plan: &Plan, log: &Log, clients: &mut Rng, observations: &mut Observations) {
        self.settle_all();
        let tallies = plan.clusters.iter_enumerated().map(|(id, own)| {
            let first = self.first[id];
            let stations = self.stations[first..first + own.stations.len()].iter();
            stations.map(|station| counts::unscaled(&station.tally, self.scale)).collect()
        });
        observations.stations = tallies.collect();
        self.counts.finish(plan, log, clients, observations);
    }
}

impl Breaker {
    fn turn(&mut self, now: SimTime) {
        let window = now.nanos() / BREAKER.nanos();
        if window == self.window {
            return;
        }
        self.before = if window == self.window + 1 { self.now } else { (0.0, 0.0) };
        self.now = (0.0, 0.0);
        self.window = window;
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

/// The share of a flow at a time within its span.
fn share_at(flow: &Flow, (from, to): (SimTime, SimTime), now: SimTime) -> f64 {
    let (start, end) = (flow.start.get(), flow.end.get());
    if start == end || to <= from {
        return start;
    }
    start + (end - start) * (now.since(from).secs() / (to - from).secs()).clamp(0.0, 1.0)
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

/// Makes a station.
fn station(
    plan: &Plan,
    index: &Index,
    id: Id<Cluster>,
    cluster: &ClusterPlan,
    position: usize,
    seed: Seed,
    scale: f64,
) -> Station {
    let own = &cluster.stations[position];
    let service = &plan.services[own.service];
    let good = Condition::good();
    let paired =
        plan.pairs.iter().any(|pair| pair.standby.is_some() && (pair.primary == id || pair.standby == Some(id)));
    let hit = index.stations[id].iter().any(|&(other, _)| other as usize == position);
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
        rng: seed.stream().with(cluster.digest).with(digest(&service.name)).with(SERVICE).rng(),
        objective: service.wait_objective,
        known,
        shared: matches!(service.station, Kind::Ps),
        window: (SimTime::ZERO + plan.warm_up, SimTime::ZERO + plan.warm_up + plan.horizon),
        priorities: callers().map(|journey| journey.priority).collect(),
    })
}
