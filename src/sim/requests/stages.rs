//! Requests on straight ways go through the stations together: those of a short stretch of time through one station after
//! the other, in loops that do one thing each, and none needs an event.
//!
//! A station has to meet its calls in order of time; nothing else has to be in order. So where all journeys call services
//! in one order, all that reaches the first of them within the stretch is served there, then what reaches the second, and
//! so on. What reaches a station later than that waits for it until the next stretch.
//!
//! It is exact, for nothing that happens within the stretch comes back into it. It ends before whatever is due next in the
//! world or to a request that goes by itself, and before any client on a straight way gives up; every queue has room for all
//! who might come; nobody saves up retries; and whoever waits is put down to demand. A request that leaves its way does so
//! for something that is after the stretch, and goes on then. What requests draw depends on their way, and at a station on
//! their order (`slots.rs`), so it doesn't matter who is looked at first. Where that isn't so, or a stretch would be too
//! short to be worth it, they go one by one (`going.rs`) and fare the same, but for how sums round.

use super::Traffic;
use super::foresight::{Passage, Passed};
use super::going::time;
use super::order::{PLACE, are_ties, place, rank, sort};
use super::several::{Easy, SEVERAL};
use super::slots::{BACK, BEGUN, WAITED};
use super::source::Source;
use super::straight::{Hop, What};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::{Population, Service};
use crate::plan::{DEMAND, Plan};
use core::cmp::Reverse;

/// As many requests as should begin in a stretch, at least and at most; and how many may be shorter in a row.
const FEW: f64 = 16.0;
const MANY: f64 = 1024.0;
const SHORT: u32 = 8;
/// Where a queue has no room for all of them fewer begin in the next one, down to a part, and slowly more again; before that
/// they go one by one for as long as so many of the shortest that are worth it.
const SHORTEST: f64 = 32.0;
const LONGER: f64 = 0.995;
const REST: u64 = 8;

/// What is due then is due after all that comes until then.
const NEXT: Span = Span::from_nanos(1);

/// A stretch is no longer: its nanoseconds take 40 bits (`order.rs`).
const LONGEST: Span = Span::from_whole_secs(600);

/// A request that will reach a station at a time.
#[derive(Clone, Copy, Debug)]
struct Coming {
    at: u64,
    slot: u32,
    hop: u32,
}

/// Those who will come to a station, and when the first of them does.
#[derive(Debug)]
struct Calls {
    all: Vec<Coming>,
    first: u64,
}

impl Default for Calls {
    fn default() -> Self {
        Self { all: Vec::new(), first: u64::MAX }
    }
}

/// What goes together.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// By service: where it comes in the order in which all journeys call them; none if they don't, or nobody shall go
    /// together.
    rank: Option<Table<Service, usize>>,
    /// Stations on straight ways in that order.
    order: Vec<usize>,
    /// By station: who will come.
    coming: Vec<Calls>,
    /// Those of a stretch: when after its beginning, and their places among those who come, in the lowest bits.
    keys: Vec<u64>,
    /// Of some short times in a stretch: how many come in them.
    counts: Vec<u32>,
    /// By station: as many may come in a stretch.
    most_calls: Vec<u64>,
    /// Those who go one by one must look elsewhere. All before this time has happened.
    pub(super) on: bool,
    pub(super) now: SimTime,
    /// No client on a straight way gives up before, and the shortest time after which one does.
    gives_up: SimTime,
    timeout: Span,
    /// How long a stretch is worth it and how long it may be; and before when nobody has to look for one.
    pub(super) least: Span,
    most: Span,
    not_before: SimTime,
    /// So many in a row weren't worth it.
    short: u32,
    /// It is made so many times shorter, for want of room in a queue.
    shorter: f64,
}

impl Stages {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { rank: rank(plan), ..Self::default() }
    }

    /// Some may go together.
    pub(super) fn any(&self) -> bool {
        !self.order.is_empty()
    }

    #[inline]
    pub(super) fn come(&mut self, station: usize, at: u64, slot: u32, hop: u32) {
        let calls = &mut self.coming[station];
        calls.first = calls.first.min(at);
        calls.all.push(Coming { at, slot, hop });
    }
}

impl Traffic<'_> {
    /// From now on requests go one by one; what they do is the same.
    pub(in crate::sim) fn go_one_by_one(&mut self) {
        self.stages.rank = None;
    }

    /// Looks for the stations on straight ways, once these are known.
    pub(super) fn order_stations(&mut self) {
        let Self { stages, cluster_of, first, plan, .. } = self;
        stages.order.clear();
        let alone = self.straight.iter().all(|way| way.at_once.is_some()) && self.sources.len() == 1;
        let Some(rank) = stages.rank.as_ref().filter(|_| !alone && !self.counts.is_traced()) else { return };
        for way in &self.straight {
            let hops = &self.hops[way.first as usize..way.last as usize];
            let called = |hop: &Hop| if let What::Call(station) = hop.what { Some(station) } else { None };
            stages.order.extend(hops.iter().filter_map(called));
        }
        let rank_of = |&station: &usize| {
            let cluster = cluster_of[station];
            (rank[plan.clusters[cluster].stations[station - first[cluster]].service], station)
        };
        stages.order.sort_unstable_by_key(rank_of);
        stages.order.dedup();
        stages.coming.resize_with(self.stations.len(), Calls::default);
        stages.most_calls.resize(self.stations.len(), 0);
        stages.timeout = self.straight.iter().map(|way| way.timeout).min().unwrap_or(Span::FOREVER);
        stages.gives_up = SimTime::ZERO;
        stages.shorter = 1.0;
    }

    /// Looks at how long a stretch should be.
    pub(super) fn time_stages(&mut self) {
        if self.stages.order.is_empty() {
            return;
        }
        let rate: f64 = self.sources.iter().map(Source::rate).sum();
        let after = |requests: f64| if rate > 0.0 { Span::from_secs(requests / rate) } else { Span::FOREVER };
        (self.stages.least, self.stages.most) = (after(FEW), after(MANY / self.stages.shorter).min(LONGEST));
    }

    /// Lets all that begins or arrives from `next` on happen, up to where it is no longer sure that nothing else does: at
    /// most until `end`. False if that is now, or isn't worth it.
    pub(super) fn go_in_stages(&mut self, next: SimTime, end: SimTime) -> bool {
        let stages = &self.stages;
        let now = if stages.on { stages.now } else { next };
        let off = now < stages.not_before || end.since(now) < stages.least;
        if stages.order.is_empty() || (off && !stages.on) {
            return false;
        }
        let end = self.end_of_stretch(now, end);
        if self.stages.on && end <= now {
            return false;
        }
        let long = end.since(now) >= self.stages.least;
        self.stages.short = if long { 0 } else { self.stages.short + 1 };
        let worth = if self.stages.on { self.stages.short <= SHORT } else { long };
        if !worth {
            self.leave_stages();
            return false;
        }
        if !self.may_go_in_stages(now) {
            self.rest_from_stages(now);
            return false;
        }
        if !self.stages.on {
            self.stages.on = true;
            for Reverse((key, slot, hop)) in core::mem::take(&mut self.due) {
                if let What::Call(station) = self.hops[hop as usize].what {
                    self.stages.come(station, time(key).nanos(), slot, hop);
                }
            }
        }
        for population in self.plan.populations.keys() {
            if self.all_straight[population] && self.sources[population].next < end {
                self.begin_until(population, end);
            }
        }
        if !self.have_room(now) {
            self.stages.shorter = (2.0 * self.stages.shorter).min(SHORTEST);
            self.rest_from_stages(now);
            return true;
        }
        for position in 0..self.stages.order.len() {
            let station = self.stages.order[position];
            if self.stages.coming[station].first < end.nanos() {
                self.serve(station, (now, end));
            }
        }
        self.stages.now = end;
        if long {
            self.stages.shorter = (LONGER * self.stages.shorter).max(1.0);
            self.time_stages();
        }
        true
    }

    /// Until when requests that begin or arrive from now on may go together.
    fn end_of_stretch(&mut self, now: SimTime, end: SimTime) -> SimTime {
        let others = self.begins.iter().zip(self.all_straight.iter()).filter(|(_, straight)| !**straight);
        let others = others.map(|(&begins, _)| begins).min().unwrap_or(SimTime::NEVER);
        let mut end = end.min(others + NEXT).min(now + self.stages.most);
        // A bit further, so that hardly anybody comes on after that.
        if self.stages.gives_up < end + self.stages.most {
            self.stages.gives_up = self.first_to_give_up().min(now + self.stages.timeout);
            end = end.min(self.stages.gives_up);
        }
        end
    }

    /// Nobody is put down to a fault who waits, and of all calls on straight ways it is known when they leave.
    fn may_go_in_stages(&mut self, now: SimTime) -> bool {
        let calm = self.begun.iter().all(Option::is_none)
            && self.views.iter().flatten().all(|view| view.inputs.overload_root.index() == DEMAND);
        let Self { stages, stations, .. } = self;
        calm && !self.closed && stages.order.iter().all(|&station| stations[station].is_known(now))
    }

    /// When the first client on a straight way gives up.
    fn first_to_give_up(&self) -> SimTime {
        let due = self.due.iter().map(|&Reverse((_, slot, _))| slot);
        let coming = self.stages.order.iter().flat_map(|&station| self.stages.coming[station].all.iter());
        due.chain(coming.map(|coming| coming.slot)).map(|slot| self.deadline(slot)).min().unwrap_or(SimTime::NEVER)
    }

    /// They go one by one for a while.
    fn rest_from_stages(&mut self, now: SimTime) {
        self.time_stages();
        self.stages.not_before = now + Span::from_nanos(self.stages.least.nanos().saturating_mul(REST));
        self.leave_stages();
    }

    /// From now on they go one by one.
    pub(super) fn leave_stages(&mut self) {
        if !core::mem::take(&mut self.stages.on) {
            return;
        }
        for &station in &self.stages.order {
            self.stages.coming[station].first = u64::MAX;
            for Coming { at, slot, hop } in self.stages.coming[station].all.drain(..) {
                self.due.push(Reverse((self.slots.key(at, slot), slot, hop)));
            }
        }
    }

    /// Requests of a population begin.
    fn begin_until(&mut self, population: Id<Population>, end: SimTime) {
        let way = self.only_way(population).filter(|_| self.sources[population].batch == 1);
        let mut begins = [0; SEVERAL];
        while self.sources[population].next < end {
            let count = self.sources[population].ahead(end, &mut begins);
            self.sources[population].take_several(&begins, count);
            if let Some(way) = way {
                self.set_out_together(way, &begins[..count]);
                continue;
            }
            for &begins in &begins[..count] {
                for _ in 0..self.sources[population].batch {
                    self.begin(SimTime::from_nanos(begins), population);
                }
            }
        }
        self.begins[population.index()] = self.sources[population].next;
    }

    /// Requests begin on a way at these times.
    fn set_out_together(&mut self, number: u32, mut begins: &[u64]) {
        let bound = self.until.min(self.stages.gives_up).nanos();
        while !begins.is_empty() {
            let slots = self.take_slots(number, begins.len());
            let (some, rest) = begins.split_at(slots.len());
            begins = rest;
            let Hop { next, then, column, .. } = self.hops[self.straight[number as usize].first as usize];
            for (slot, &begins) in slots.zip(some) {
                let at = begins + self.slots.get(slot, column as usize);
                if let Some(station) = then.filter(|_| at < bound) {
                    self.slots.set(slot, BEGUN, begins);
                    self.stages.come(station as usize, at, slot, next);
                } else {
                    self.set_off(SimTime::from_nanos(begins), number, slot);
                }
            }
        }
    }

    /// No queue could be full even if all who are on their way to it came at once.
    fn have_room(&mut self, now: SimTime) -> bool {
        let Self { stages: Stages { order, most_calls, .. }, stations, hops, .. } = self;
        // Nor does the place of one of them take more bits than it has.
        let all: u64 = self.straight.iter().map(|way| u64::from(way.under_way)).sum();
        if all >> PLACE != 0 || order.iter().all(|&station| stations[station].limit == u64::MAX) {
            return all >> PLACE == 0;
        }
        for &station in &*order {
            most_calls[station] = 0;
        }
        for way in self.straight.iter().filter(|way| way.under_way > 0) {
            for hop in &hops[way.first as usize..way.last as usize] {
                if let What::Call(station) = hop.what {
                    most_calls[station] += u64::from(way.under_way);
                }
            }
        }
        order.iter().all(|&station| stations[station].has_room(now, most_calls[station]))
    }

    /// A station serves those who come within the stretch.
    fn serve(&mut self, station: usize, (now, end): (SimTime, SimTime)) {
        let mut coming = core::mem::take(&mut self.stages.coming[station].all);
        let mut all = core::mem::take(&mut self.stages.keys);
        let times = coming.iter().map(|coming| coming.at - now.nanos());
        let within = sort(end.since(now).nanos(), times, (&mut all, &mut self.stages.counts));
        let (keys, others) = all.split_at_mut(within);
        // Those who come at once go in an order that is theirs.
        if are_ties(keys) {
            keys.sort_unstable_by_key(|key| (key >> PLACE, self.slots.key(0, coming[place(*key)].slot)));
        }
        self.arrivals += keys.len() as u64;
        let easy = Easy { until: self.until, most: Span::FOREVER };
        // Nothing else happens to who comes on before.
        let bound = self.until.min(self.stages.gives_up).nanos();
        let (mut first, mut most) = (0, SEVERAL);
        while first < keys.len() {
            let some = &keys[first..keys.len().min(first + most)];
            self.several.count = some.len();
            for (come, key) in self.several.come.iter_mut().zip(some) {
                *come = now.nanos() + (key >> PLACE);
            }
            let Passed { easy, stops, passage } = self.stations[station].pass_several(&mut self.several, easy);
            let (starts, ends) = (self.several.start, self.several.done);
            for ((&key, &start), &done) in some[..easy].iter().zip(&starts[..easy]).zip(&ends[..easy]) {
                let Coming { at: came, slot, hop } = coming[place(key)];
                let Hop { next, then, column, .. } = self.hops[hop as usize];
                let at = done + self.slots.get(slot, column as usize);
                if at >= bound {
                    // It is done before the world changes: nobody asks for seconds on an undisturbed server.
                    let (start, done) = (SimTime::from_nanos(start), SimTime::from_nanos(done));
                    let passage = Some(Passage { start, done, service: 0.0 });
                    self.pass(SimTime::from_nanos(came), (slot, hop), station, passage);
                    continue;
                }
                if start > came {
                    self.slots.add(slot, WAITED, start - came);
                }
                if let Some(then) = then {
                    self.stages.come(then as usize, at, slot, next);
                    continue;
                }
                let answer = at + self.slots.get(slot, BACK);
                if answer < bound {
                    self.is_good(slot, SimTime::from_nanos(answer));
                } else {
                    self.comes_to_end(SimTime::from_nanos(came), SimTime::from_nanos(at), slot, next);
                }
            }
            first += easy;
            most = (2 * most).min(SEVERAL);
            if stops {
                let Coming { at: came, slot, hop } = coming[place(keys[first])];
                self.pass(SimTime::from_nanos(came), (slot, hop), station, passage);
                (first, most) = (first + 1, 1);
            }
        }
        // The others are in the order in which they were.
        let mut next = u64::MAX;
        for (to, key) in others.iter().enumerate() {
            coming[to] = coming[place(*key)];
            next = next.min(coming[to].at);
        }
        coming.truncate(others.len());
        self.stages.coming[station] = Calls { all: coming, first: next };
        self.stages.keys = all;
    }
}
