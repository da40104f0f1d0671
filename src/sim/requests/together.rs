//! Requests on straight ways of several calls go together: those of a short while go through the stations one station
//! after the other, and none needs an event.
//!
//! A station has to meet its calls in order of time; nothing else has to be in order. So if all ways go through the
//! stations in one order, all that reaches the first of them within the while is served there first, then what reaches the
//! second, and so on. What reaches a station later than that waits for it in the lane, as ever (`going.rs`).
//!
//! It is for whiles in which nothing comes back: before whatever is due next in the world or to a request with an entry,
//! before any of these clients gives up, and with room in every queue for all of them at once. A request that leaves its
//! way does so because of something that is after the while, and goes on then. What this gives up: requests draw from the
//! streams that they share (round trips, access times) in another order than one by one, and a retry budget may be ahead by
//! what the requests of a while save up.

use super::Traffic;
use super::foresight::{Passage, Passed};
use super::going::Going;
use super::order::order;
use super::sample::{seconds, span};
use super::several::{Easy, SEVERAL};
use super::source::Source;
use super::straight::{Access, Straight, What};
use crate::base::{Id, SimTime, Span};
use crate::domain::Population;
use crate::plan::DEMAND;

/// As many requests as should begin in a while, at least and at most; at least as many as there are legs.
const FEW: f64 = 32.0;
const MANY: f64 = 512.0;

/// What goes together.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// Stations in the order in which all ways go through them; none if they don't, or some requests have other ways.
    order: Vec<usize>,
    legs: Vec<Leg>,
    /// By hop that is a call: the leg after it. By station: the legs after it.
    leg_of: Vec<u32>,
    legs_at: Vec<Vec<u32>>,
    /// By station: whose calls arrive there within the while.
    coming: Vec<Coming>,
    /// Whose calls arrive later, packed as (when, slot).
    later: Vec<u128>,
    /// By way: requests of this while.
    count: Vec<u64>,
    /// Those that begin are gathered.
    pub(super) gathers: bool,
    /// None of the requests that are on their way began before. The first client that gives up does so after its timeout.
    oldest: SimTime,
    timeout: Span,
    /// How long a while is worth it and how long it may be, and before when nobody has to look for one.
    pub(super) least: Span,
    most: Span,
    pub(super) not_before: SimTime,
    seconds: Vec<f64>,
}

/// A part of a way: after its beginning, or after a call, up to the next call or the end. The first are by way.
#[derive(Debug)]
struct Leg {
    way: u32,
    /// The first thing that is done on it.
    hop: u32,
    members: Vec<Member>,
}

/// One request.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// When it reaches its call, or goes on.
    at: SimTime,
    begun: SimTime,
    back: Span,
    waited: f64,
    /// Where it goes on.
    leg: u32,
}

/// Requests whose calls arrive at a station; and of each when after the while's beginning, with its place among them in the
/// lowest bits.
#[derive(Clone, Debug, Default)]
struct Coming {
    members: Vec<Member>,
    order: Vec<u64>,
}

impl Coming {
    #[inline]
    fn add(&mut self, now: SimTime, member: Member) {
        self.order.push((member.at - now).nanos() << PLACE | self.members.len() as u64);
        self.members.push(member);
    }
}

/// Bits of a place; there are as many left for nanoseconds as a minute has.
const PLACE: u32 = 28;
const LONGEST: Span = Span::from_whole_secs(60);

impl Traffic<'_> {
    /// Looks for the order of stations, once ways are known; `all` requests go one of them.
    pub(super) fn order_stations(&mut self, all: bool) {
        let together = &mut self.together;
        together.order.clear();
        together.legs.clear();
        together.leg_of.clear();
        if !all || self.straight.len() > MANY as usize || self.straight.iter().all(|way| way.at_once.is_some()) {
            return;
        }
        together.timeout = self.straight.iter().map(|way| way.timeout).min().unwrap_or(Span::FOREVER);
        together.leg_of.resize(self.hops.len(), u32::MAX);
        together.legs_at.iter_mut().for_each(Vec::clear);
        together.legs_at.resize(self.stations.len(), Vec::new());
        together.coming.resize(self.stations.len(), Coming::default());
        together.count.clear();
        together.count.resize(self.straight.len(), 0);
        let leg = |way: usize, hop: u32| Leg { way: way as u32, hop, members: Vec::new() };
        together.legs.extend(self.straight.iter().enumerate().map(|(number, way)| leg(number, way.first)));
        let mut calls: Vec<Vec<usize>> = vec![Vec::new(); self.straight.len()];
        for (number, way) in self.straight.iter().enumerate() {
            for hop in way.first.. {
                match self.hops[hop as usize].what {
                    What::Call(station) => {
                        together.leg_of[hop as usize] = together.legs.len() as u32;
                        together.legs_at[station].push(together.legs.len() as u32);
                        together.legs.push(leg(number, hop + 1));
                        calls[number].push(station);
                    }
                    What::End => break,
                    What::Cross(..) | What::Access(_) | What::Dependency(_) => {}
                }
            }
        }
        together.order = order(&calls);
        if together.order.iter().any(|&station| self.stations[station].limit == 0) {
            together.order.clear();
        }
    }

    /// Looks at how long a while may be, now that something may have changed.
    pub(super) fn time_whiles(&mut self) {
        let rate: f64 = self.sources.iter().map(Source::rate).sum();
        let together = &mut self.together;
        together.not_before = SimTime::NEVER;
        if together.order.is_empty() || self.closed || rate <= 0.0 || self.counts.is_traced() {
            return;
        }
        let few = FEW.max(together.legs.len() as f64);
        let mut most = MANY / rate;
        for &station in &together.order {
            let of = |&leg: &u32| {
                let way = &self.straight[together.legs[leg as usize].way as usize];
                self.sources[way.population].rate() * self.plan.populations[way.population].shares[way.journey]
            };
            let calls: f64 = together.legs_at[station].iter().map(of).sum();
            // As many are on their way already as begin, perhaps, and chance has its part.
            most = most.min(self.stations[station].limit as f64 / 4.0 / calls);
        }
        (together.least, together.most) = (Span::from_secs(few / rate), Span::from_secs(most).min(LONGEST));
        if together.least <= together.most {
            together.not_before = SimTime::ZERO;
        }
    }

    /// Lets all that begins or arrives from now on happen, up to where it is no longer sure that nothing else does: at most
    /// until `end`. False if it isn't worth it.
    pub(super) fn go_together(&mut self, now: SimTime, end: SimTime) -> bool {
        let Some(end) = self.next_while(now, end) else {
            self.together.not_before = now + self.together.most;
            return false;
        };
        self.together.count.fill(0);
        self.together.gathers = true;
        for population in self.plan.populations.keys() {
            self.begin_until(population, end);
        }
        self.together.gathers = false;
        while self.lane.next_time() < end {
            let Some((at, slot)) = self.lane.pop() else { break };
            let Going { way, hop, begun, back, waited } = self.end_going(slot);
            self.together.count[way as usize] += 1;
            if let What::Call(station) = self.hops[hop as usize].what {
                let leg = self.together.leg_of[hop as usize];
                self.together.coming[station].add(now, Member { at, begun, back, waited, leg });
            }
        }
        for way in 0..self.straight.len() {
            self.go_leg(way, (now, end));
        }
        if self.have_room(now) {
            for position in 0..self.together.order.len() {
                let station = self.together.order[position];
                self.serve_together(station, now);
                for position in 0..self.together.legs_at[station].len() {
                    self.go_leg(self.together.legs_at[station][position] as usize, (now, end));
                }
            }
        } else {
            // They go one by one.
            for station in 0..self.together.coming.len() {
                let mut coming = core::mem::take(&mut self.together.coming[station]);
                for member in coming.members.drain(..) {
                    self.call_later(self.together.legs[member.leg as usize].hop - 1, member);
                }
                coming.order.clear();
                self.together.coming[station] = coming;
            }
            self.together.not_before = end;
        }
        self.together.later.sort_unstable();
        for &due in &self.together.later {
            self.lane.push(SimTime::from_nanos((due >> 64) as u64), due as u32);
        }
        self.together.later.clear();
        true
    }

    /// Until when requests that begin or arrive from now on may go together.
    fn next_while(&mut self, now: SimTime, end: SimTime) -> Option<SimTime> {
        let mut end = end.min(now + self.together.most);
        if self.together.oldest + self.together.timeout < end || self.together.oldest < self.counts.since {
            self.together.oldest = self.going.iter().map(|going| going.begun).fold(now, SimTime::min);
            end = end.min(self.together.oldest + self.together.timeout);
        }
        let calm = self.begun.iter().all(Option::is_none)
            && self.plan.clusters.keys().all(|cluster| self.overload_root(cluster).index() == DEMAND);
        let together = &self.together;
        if end.since(now) < together.least || !calm || together.oldest < self.counts.since {
            return None;
        }
        let known = together.order.iter().all(|&station| self.stations[station].is_known(now));
        known.then_some(end)
    }

    /// Requests of a population begin.
    fn begin_until(&mut self, population: Id<Population>, end: SimTime) {
        while self.sources[population].next < end {
            let now = self.sources[population].next;
            for _ in 0..self.sources[population].batch {
                self.begin(now, population);
            }
            self.sources[population].take();
        }
        self.begins[population.index()] = self.sources[population].next;
    }

    /// A request sets out on a way, and will be in its cluster at `at`.
    pub(super) fn gather(&mut self, at: SimTime, Going { way, begun, back, waited, .. }: Going) {
        self.together.count[way as usize] += 1;
        self.together.legs[way as usize].members.push(Member { at, begun, back, waited, leg: way });
    }

    /// None of them could find a queue full, even if all were there.
    fn have_room(&mut self, now: SimTime) -> bool {
        let Self { together, stations, .. } = self;
        together.order.iter().all(|&station| {
            let legs = together.legs_at[station].iter();
            let most = legs.map(|&leg| together.count[together.legs[leg as usize].way as usize]).sum::<u64>();
            stations[station].room(now) >= most
        })
    }

    /// A call reaches a station later.
    fn call_later(&mut self, hop: u32, Member { at, begun, back, waited, leg }: Member) {
        let way = self.together.legs[leg as usize].way;
        let slot = self.begin_going(Going { way, hop, begun, back, waited });
        self.together.later.push(u128::from(at.nanos()) << 64 | u128::from(slot));
    }

    /// A station serves those who have arrived.
    fn serve_together(&mut self, station: usize, now: SimTime) {
        let Coming { mut members, mut order } = core::mem::take(&mut self.together.coming[station]);
        order.sort_unstable();
        self.arrivals += order.len() as u64;
        let easy = Easy { until: self.until, most: Span::FOREVER };
        let (mut first, mut most) = (0, SEVERAL);
        let place = |due: u64| (due & ((1 << PLACE) - 1)) as usize;
        while first < order.len() {
            let some = &order[first..order.len().min(first + most)];
            self.several.count = some.len();
            for (come, due) in self.several.come.iter_mut().zip(some) {
                *come = now.nanos() + (due >> PLACE);
            }
            let Passed { easy, stops, passage } = self.stations[station].pass_several(&mut self.several, easy);
            for (call, &due) in some.iter().enumerate().take(easy) {
                let passage = self.several.passage(call);
                let mut member = members[place(due)];
                let leg = &mut self.together.legs[member.leg as usize];
                if passage.done.since(member.begun) >= self.straight[leg.way as usize].timeout {
                    self.leave_at_call(member, station, Some(passage));
                    continue;
                }
                if passage.start > member.at {
                    member.waited += seconds(passage.start - member.at);
                }
                member.at = passage.done;
                leg.members.push(member);
            }
            first += easy;
            most = (2 * most).min(SEVERAL);
            if stops {
                self.leave_at_call(members[place(order[first])], station, passage);
                (first, most) = (first + 1, 1);
            }
        }
        members.clear();
        order.clear();
        self.together.coming[station] = Coming { members, order };
    }

    /// One leaves its way at a station: it isn't served, or its client gives it up before, or the world may change.
    fn leave_at_call(&mut self, member: Member, station: usize, passage: Option<Passage>) {
        let Member { at, begun, back, waited, leg } = member;
        let Leg { way, hop, .. } = self.together.legs[leg as usize];
        self.leave_called(Going { way, hop: hop - 1, begun, back, waited }, (at, station), passage);
    }

    /// Those that go on do so, up to their next calls.
    fn go_leg(&mut self, leg: usize, (now, end): (SimTime, SimTime)) {
        let mut members = core::mem::take(&mut self.together.legs[leg].members);
        if members.is_empty() {
            return;
        }
        let mut took = core::mem::take(&mut self.together.seconds);
        let Leg { way, mut hop, .. } = self.together.legs[leg];
        loop {
            let what = self.hops[hop as usize].what;
            if let What::Call(station) = what {
                let next = self.together.leg_of[hop as usize];
                let mut coming = core::mem::take(&mut self.together.coming[station]);
                for &member in &members {
                    if member.at < end {
                        coming.add(now, Member { leg: next, ..member });
                    } else {
                        self.call_later(hop, member);
                    }
                }
                self.together.coming[station] = coming;
                break;
            }
            if let What::End = what {
                self.end_together(&members, way, hop, &mut took);
                break;
            }
            took.clear();
            took.resize(members.len(), 0.0);
            self.take_together(way, what, &mut took);
            for (member, took) in members.iter_mut().zip(&took) {
                member.at += span(*took);
            }
            hop += 1;
            self.let_leave(&mut members, way, hop);
        }
        members.clear();
        self.together.legs[leg].members = members;
        self.together.seconds = took;
    }

    /// How long each of some takes for what they do next.
    fn take_together(&mut self, way: u32, what: What, took: &mut [f64]) {
        let Straight { cluster, journey, .. } = self.straight[way as usize];
        match what {
            What::Cross(trip, proxies) => {
                self.trips.add(trip, took);
                if proxies {
                    for took in took {
                        *took += self.proxies(cluster);
                    }
                }
            }
            What::Access(Access { store, writes, trip, ack, written }) => {
                self.trips.add(trip, took);
                self.trips.add(ack, took);
                self.store_time[store].add(1.0, took);
                self.counts.accessed_together(store, journey, writes, took);
                if let Some((partition, bytes)) = written {
                    let (sum, writes) = (&mut self.written[partition], self.counts.weight * took.len() as f64);
                    (sum.0, sum.1) = (sum.0 + writes, sum.1 + bytes * writes);
                }
            }
            What::Dependency(dependency) => self.dependency_time[dependency.index()].add(1.0, took),
            What::Call(_) | What::End => {}
        }
    }

    /// Those leave their way whose clients give them up before their next step, or before which the world may change.
    fn let_leave(&mut self, members: &mut Vec<Member>, way: u32, hop: u32) {
        let (until, timeout) = (self.until, self.straight[way as usize].timeout);
        let leaves = |member: &Member| member.at >= until || member.at.since(member.begun) >= timeout;
        if !members.iter().any(leaves) {
            return;
        }
        for &Member { at, begun, back, waited, .. } in members.iter().filter(|member| leaves(member)) {
            self.leave_later(Going { way, hop, begun, back, waited }, at);
        }
        members.retain(|member| !leaves(member));
    }

    /// They have come to the end of their way.
    fn end_together(&mut self, members: &[Member], way: u32, hop: u32, took: &mut Vec<f64>) {
        let Straight { population, journey, timeout, .. } = self.straight[way as usize];
        took.clear();
        for &Member { at, begun, back, waited, .. } in members {
            let all = (at + back).since(begun);
            if all > timeout {
                self.leave_later(Going { way, hop, begun, back, waited }, at);
            } else {
                took.push(seconds(all));
                self.count_good(way, begun);
            }
        }
        let cell = population.index() * self.plan.journeys.len() + journey.index();
        self.counts.latency[cell].record_each(took);
    }
}
