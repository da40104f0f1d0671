//! The year as a trace that ui.perfetto.dev and Chrome's tracing page open.
//!
//! The format is JSON (Google, *Trace Event Format*, 2016): complete events (`X`) for what lasts, instants (`i`) for
//! moments, counters (`C`) for figures, times in microseconds from the start of the horizon. Slices of one thread must
//! nest, so what overlaps gets a lane, a thread, of its own. Faults, controllers, and each cluster, store and population
//! are processes.

use super::Explained;
use super::words::Words;
use crate::base::Id;
use crate::domain::story::{Moves, What};
use crate::domain::{Cluster, Population, Store};
use crate::report::text::{plain, significant};
use serde_json::{Value, json};

/// Microseconds of a second.
const MICROS: f64 = 1e6;

/// A process: what has tracks of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Process {
    Faults,
    Controllers,
    Cluster(Id<Cluster>),
    Store(Id<Store>),
    Population(Id<Population>),
}

/// Something that lasted.
struct Slice {
    process: Process,
    track: String,
    name: String,
    from: f64,
    to: f64,
    args: Value,
}

/// A cluster, or a store's copy in it.
type Marked = (Id<Cluster>, Option<Id<Store>>);

/// When a thread's last slice ends, and the thread.
type Lane = (f64, usize);

/// Collects events.
struct Trace<'e> {
    explained: &'e Explained<'e>,
    words: Words<'e>,
    end: f64,
    slices: Vec<Slice>,
    /// Events without a length, with their times.
    others: Vec<(f64, Value)>,
}

/// `trace.json`.
pub(super) fn trace(explained: &Explained<'_>) -> Vec<u8> {
    let mut trace = Trace {
        explained,
        words: Words { plan: explained.plan },
        end: explained.plan.horizon.secs(),
        slices: Vec::new(),
        others: Vec::new(),
    };
    trace.faults();
    trace.outages();
    trace.verdicts();
    trace.failovers();
    trace.leaders();
    trace.answers();
    trace.counters();
    trace.written()
}

impl Trace<'_> {
    fn slice(&mut self, process: Process, track: &str, name: String, (from, to): (f64, f64), args: Value) {
        let (from, to) = (from.max(0.0), to.min(self.end));
        if from <= to {
            self.slices.push(Slice { process, track: track.to_owned(), name, from, to, args });
        }
    }

    fn faults(&mut self) {
        let plan = self.explained.plan;
        for hold in &self.explained.story.held {
            let root = &plan.roots[hold.root];
            let (fault, target) = (plain(&root.fault), plain(&root.target));
            let name = if target.is_empty() { fault.clone() } else { target };
            self.slice(Process::Faults, &fault, name, (hold.from, hold.to), json!({ "fault": plain(&root.label()) }));
        }
    }

    fn outages(&mut self) {
        let plan = self.explained.plan;
        for outage in &self.explained.story.seen.outages {
            let track = format!("below 99 %: {}", plain(&plan.journeys[outage.journey].name));
            let root = plain(&plan.roots[outage.root].label());
            let args = json!({ "requests_lost": outage.lost, "fault": root });
            self.slice(Process::Population(outage.population), &track, root.clone(), (outage.start, outage.end), args);
        }
    }

    /// Down as health checks see it, revisions, wakes.
    fn verdicts(&mut self) {
        let mut down: Vec<(Marked, f64)> = Vec::new();
        let mut woken: Vec<(Id<Cluster>, f64)> = Vec::new();
        for happening in &self.explained.story.happenings {
            let at = happening.at;
            match &happening.what {
                What::MarkedDown(cluster, store) => down.push(((*cluster, *store), at)),
                What::MarkedUp(cluster, store) => {
                    if let Some(place) = down.iter().position(|(key, _)| *key == (*cluster, *store)) {
                        let (key, from) = down.swap_remove(place);
                        self.marked(key, (from, at));
                    }
                }
                What::Wakes(cluster) => woken.push((*cluster, at)),
                What::Rests(cluster) => {
                    if let Some(place) = woken.iter().position(|(key, _)| key == cluster) {
                        let (cluster, from) = woken.swap_remove(place);
                        self.slice(Process::Cluster(cluster), "standby", "awake".to_owned(), (from, at), json!({}));
                    }
                }
                What::NodesShort(cluster, takes) => {
                    self.slice(
                        Process::Cluster(*cluster),
                        "nodes",
                        "no nodes to be had".to_owned(),
                        (at, at + takes),
                        json!({}),
                    );
                }
                What::CopyMoves(cluster, store, takes) => {
                    let name = format!("{} moves to another zone", self.words.store(*store));
                    self.slice(Process::Cluster(*cluster), "stores", name, (at, at + takes), json!({}));
                }
                What::Begins
                | What::Ends
                | What::Deciding(..)
                | What::StoodDown(_)
                | What::Promoting(..)
                | What::Stalled(_)
                | What::Promoted { .. }
                | What::FailingBack(..)
                | What::FailedBack(..)
                | What::Splits(..)
                | What::Rejoins(..)
                | What::Resynced(..)
                | What::Answers(..)
                | What::Readdressed(..)
                | What::NodesAgain(_)
                | What::Evicted(_)
                | What::Switchover(..)
                | What::Runs(..)
                | What::Noticed
                | What::Mended
                | What::Surges(_)
                | What::Ebbs => {}
            }
        }
        for (key, from) in down {
            self.marked(key, (from, self.end));
        }
        for (cluster, from) in woken {
            self.slice(Process::Cluster(cluster), "standby", "awake".to_owned(), (from, self.end), json!({}));
        }
        for run in &self.explained.story.seen.revisions {
            let args = json!({ "why": run.why.name() });
            let name = format!("revision {}", run.revision);
            self.slice(Process::Cluster(run.cluster), "revision", name, (run.from, run.to), args);
        }
    }

    fn marked(&mut self, (cluster, store): Marked, span: (f64, f64)) {
        let (track, name) = match store {
            None => ("health", "marked down".to_owned()),
            Some(store) => ("stores", format!("{} marked down", self.words.store(store))),
        };
        self.slice(Process::Cluster(cluster), track, name, span, json!({}));
    }

    /// What controllers do: intervals until what they wait for is due, and every moment.
    fn failovers(&mut self) {
        let happenings = &self.explained.story.happenings;
        for (place, happening) in happenings.iter().enumerate() {
            let at = happening.at;
            let wait = match &happening.what {
                What::Deciding(of, _, takes) => Some((*of, "deciding", *takes)),
                What::Promoting(of, _, takes, _) => Some((*of, "promoting", *takes)),
                What::FailingBack(of, _, takes) => Some((*of, "failing back", *takes)),
                What::Begins | What::Ends | What::Answers(..) | What::Runs(..) => None,
                other => {
                    let said = self.words.moment(&[happening]);
                    let text = said.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ");
                    let name = if text.is_empty() { other.kind().to_owned() } else { text };
                    self.others.push((at, json!({ "ph": "i", "s": "t", "name": name, "cat": other.kind(), "tid": 0 })));
                    None
                }
            };
            let Some((of, name, takes)) = wait else { continue };
            // Something may come between.
            let next =
                happenings[place + 1..].iter().find(|later| moves_of(&later.what) == Some(of)).map(|later| later.at);
            let to = next.map_or(at + takes, |next| next.min(at + takes));
            let track = match of {
                Moves::Users(cluster) => format!("users of {}", self.words.cluster(cluster)),
                Moves::Store(store, part) => self.words.part(store, part),
            };
            self.slice(Process::Controllers, &track, name.to_owned(), (at, to), json!({}));
        }
    }

    /// Who leads each store when.
    fn leaders(&mut self) {
        let plan = self.explained.plan;
        for (store, own) in plan.stores.iter_enumerated().filter(|(_, own)| own.is_led()) {
            for (part, partition) in own.partitions.iter().enumerate() {
                let population = (own.partitions.len() > 1).then(|| Id::new(part));
                let (mut leader, mut since) = (partition.leader, 0.0);
                let track = population
                    .map_or_else(|| "leader".to_owned(), |id| format!("leader for {}", self.words.population(id)));
                for happening in &self.explained.story.happenings {
                    let Some((of, to)) = taken_over(&happening.what) else { continue };
                    if of != Moves::Store(store, population) {
                        continue;
                    }
                    self.slice(
                        Process::Store(store),
                        &track,
                        self.words.cluster(leader),
                        (since, happening.at),
                        json!({}),
                    );
                    (leader, since) = (to, happening.at);
                }
                self.slice(Process::Store(store), &track, self.words.cluster(leader), (since, self.end), json!({}));
            }
        }
    }

    /// Where users are led, and how long some still have an old answer.
    fn answers(&mut self) {
        for (population, _) in self.explained.plan.populations.iter_enumerated() {
            let mut told: Option<(String, f64)> = None;
            for happening in &self.explained.story.happenings {
                let What::Answers(whose, answer, tail) = &happening.what else { continue };
                if *whose != population {
                    continue;
                }
                let to = self.words.answer(answer);
                if let Some((before, since)) = told.replace((to, happening.at)) {
                    self.slice(Process::Population(population), "led to", before, (since, happening.at), json!({}));
                }
                let name = "old answers expire".to_owned();
                self.slice(
                    Process::Population(population),
                    "DNS",
                    name,
                    (happening.at, happening.at + tail),
                    json!({}),
                );
            }
            if let Some((last, since)) = told {
                self.slice(Process::Population(population), "led to", last, (since, self.end), json!({}));
            }
        }
    }

    /// Requests lost a second, by population; success and pods where the year was looked at by the minute.
    fn counters(&mut self) {
        let plan = self.explained.plan;
        for population in plan.populations.keys() {
            let mut steps: Vec<(f64, f64)> = Vec::new();
            for piece in self.explained.story.losing.iter().filter(|piece| piece.population == population) {
                let rate = piece.requests / (piece.to - piece.from);
                steps.extend([(piece.from, rate), (piece.to, -rate)]);
            }
            steps.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut level = 0.0;
            for moment in steps.chunk_by(|a, b| a.0 == b.0) {
                level += moment.iter().map(|step| step.1).sum::<f64>();
                // Nothing is left over of a sum.
                level = if level < 1e-6 { 0.0 } else { level };
                self.counter(Process::Population(population), "lost per second", moment[0].0, level);
            }
        }
        for (series, process, name) in self.explained.timelines.iter().flat_map(|timeline| {
            let success = timeline.success.iter().zip(plan.populations.keys());
            let success = success.map(|(series, id)| (series, Process::Population(id), "success"));
            let ready = timeline.ready.iter().zip(plan.clusters.keys());
            success.chain(ready.map(|(series, id)| (series, Process::Cluster(id), "ready pods")))
        }) {
            for &(at, value) in &series.steps {
                self.counter(process, name, at, value);
            }
        }
    }

    fn counter(&mut self, process: Process, name: &str, at: f64, value: f64) {
        let value: f64 = significant(value, 6).parse().unwrap_or(value);
        self.others.push((
            at,
            json!({ "ph": "C", "pid": self.pid(process), "tid": 0, "name": name, "args": { "value": value } }),
        ));
    }

    fn pid(&self, process: Process) -> usize {
        let plan = self.explained.plan;
        let (clusters, stores) = (plan.clusters.len(), plan.stores.len());
        match process {
            Process::Faults => 1,
            Process::Controllers => 2,
            Process::Cluster(id) => 3 + id.index(),
            Process::Store(id) => 3 + clusters + id.index(),
            Process::Population(id) => 3 + clusters + stores + id.index(),
        }
    }

    fn name(&self, process: Process) -> String {
        match process {
            Process::Faults => "faults".to_owned(),
            Process::Controllers => "controllers".to_owned(),
            Process::Cluster(id) => format!("cluster {}", self.words.cluster(id)),
            Process::Store(id) => format!("store {}", self.words.store(id)),
            Process::Population(id) => format!("population {}", self.words.population(id)),
        }
    }

    /// Lays slices out in lanes, sorts everything, and writes it.
    fn written(mut self) -> Vec<u8> {
        let plan = self.explained.plan;
        let clusters = plan.clusters.keys().map(Process::Cluster);
        let stores = plan.stores.keys().map(Process::Store);
        let populations = plan.populations.keys().map(Process::Population);
        let mut events: Vec<Value> = [Process::Faults, Process::Controllers]
            .into_iter()
            .chain(clusters)
            .chain(stores)
            .chain(populations)
            .map(|process| named("process_name", self.pid(process), 0, &self.name(process)))
            .collect();
        events.push(named("thread_name", self.pid(Process::Controllers), 0, "what is done"));
        self.slices.sort_by(|a, b| a.from.total_cmp(&b.from).then(b.to.total_cmp(&a.to)));
        // By process and track: the ends of its lanes, and the lanes' threads.
        let mut lanes: Vec<(Process, String, Vec<Lane>)> = Vec::new();
        let mut threads = 0;
        let mut timed = core::mem::take(&mut self.others);
        for (at, event) in &mut timed {
            if event["pid"].is_null() {
                event["pid"] = json!(self.pid(Process::Controllers));
            }
            event["ts"] = json!(micros(*at));
        }
        for slice in &self.slices {
            let known = lanes.iter().position(|lane| lane.0 == slice.process && lane.1 == slice.track);
            let place = known.unwrap_or_else(|| {
                lanes.push((slice.process, slice.track.clone(), Vec::new()));
                lanes.len() - 1
            });
            let own = &mut lanes[place].2;
            let lane = own.iter().position(|(end, _)| *end <= slice.from).unwrap_or(own.len());
            if lane == own.len() {
                threads += 1;
                own.push((0.0, threads));
                let name = if lane == 0 { slice.track.clone() } else { format!("{} ({})", slice.track, lane + 1) };
                events.push(named("thread_name", self.pid(slice.process), threads, &name));
            }
            own[lane].0 = slice.to;
            let (ts, end) = (micros(slice.from), micros(slice.to));
            let event = json!({
                "ph": "X", "pid": self.pid(slice.process), "tid": own[lane].1, "ts": ts, "dur": end - ts,
                "name": slice.name, "args": slice.args,
            });
            timed.push((slice.from, event));
        }
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        events.extend(timed.into_iter().map(|(_, event)| event));
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n")).into_bytes()
    }
}

/// Whole microseconds.
fn micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * MICROS).round() as u64
}

fn named(what: &str, pid: usize, tid: usize, name: &str) -> Value {
    json!({ "ph": "M", "pid": pid, "tid": tid, "name": what, "args": { "name": name } })
}

/// Who has what from now on.
fn taken_over(what: &What) -> Option<(Moves, Id<Cluster>)> {
    if let What::Promoted { of, to, .. } | What::FailedBack(of, to) = what { Some((*of, *to)) } else { None }
}

/// What a controller's step is about.
fn moves_of(what: &What) -> Option<Moves> {
    match what {
        What::Deciding(of, ..)
        | What::StoodDown(of)
        | What::Promoting(of, ..)
        | What::Promoted { of, .. }
        | What::FailingBack(of, ..)
        | What::FailedBack(of, _) => Some(*of),
        What::Begins
        | What::Ends
        | What::MarkedDown(..)
        | What::MarkedUp(..)
        | What::Stalled(_)
        | What::Splits(..)
        | What::Rejoins(..)
        | What::Resynced(..)
        | What::CopyMoves(..)
        | What::Answers(..)
        | What::Readdressed(..)
        | What::Wakes(_)
        | What::Rests(_)
        | What::NodesShort(..)
        | What::NodesAgain(_)
        | What::Evicted(_)
        | What::Switchover(..)
        | What::Runs(..)
        | What::Noticed
        | What::Mended
        | What::Surges(_)
        | What::Ebbs => None,
    }
}
