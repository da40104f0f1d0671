//! A request as its client sees it: where it is sent, when it is given up, tried again, asked twice, or not sent at all.

use super::entry::Entry;
use super::station::Call;
use super::units::span;
use super::view::Way;
use super::{Event, Traffic, Why};
use crate::base::maths::ln;
use crate::base::stream::uniform;
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Population, Stage};
use crate::plan::Backoff;
use crate::sim::inputs::Flow;

/// Share of a timeout that waits must take for a late answer to be put down to overload: as in flow.
const WAITS: f64 = 0.05;
/// Length of a breaker's window, of which it looks at this one and the one before.
const BREAKER: Span = Span::from_whole_secs(5);
/// Fewest tries that open a breaker.
const BREAKER_TRIES: f64 = 20.0;

/// What a breaker has seen: (tries, failures) in this window and the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    window: u64,
    now: (f64, f64),
    before: (f64, f64),
    why: Option<Why>,
}

impl Traffic<'_> {
    /// A request begins.
    pub(super) fn begin(&mut self, now: SimTime, population: Id<Population>) {
        let plan = self.plan;
        let own = &plan.populations[population];
        let journey = self.only_journey[population].unwrap_or_else(|| {
            let mut left = uniform(&mut self.beginnings[population]);
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
            journey
        });
        let Some(way) = self.route(now, population) else { return };
        let straight = self.straight_of[self.straight_at(population, journey, way.0)][usize::from(way.1)];
        if let Some(straight) = straight.filter(|_| !self.counts.is_traced()) {
            self.set_out(now, straight);
            return;
        }
        save_up(&mut self.budget[journey], plan.journeys[journey].budget.min(1e9));
        let entry = self.take_entry(Entry::begins(now, population, journey, way));
        self.counts.offered(now, population, journey, way.1);
        self.start(now, entry);
    }

    /// Where a request of this population goes: a share of all ways, which may move.
    pub(super) fn route(&mut self, now: SimTime, population: Id<Population>) -> Option<(Id<Cluster>, bool)> {
        let part = if self.ways[population].len() > 1 { uniform(&mut self.beginnings[population]) } else { 0.0 };
        let ways = &self.ways[population];
        if let [only] = ways.as_slice() {
            return Some((only.cluster, self.flow(*only)?.0.current));
        }
        let share = |way: &Way| self.flow(*way).map_or(0.0, |(flow, span)| flow.share_at(now, span));
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

    pub(super) fn flow(&self, way: Way) -> Option<(&Flow, (SimTime, SimTime))> {
        let view = self.views[way.cluster].as_ref()?;
        Some((&view.inputs.flows[way.flow as usize], view.span))
    }

    pub(super) fn take_entry(&mut self, entry: Entry) -> u32 {
        if let Some(number) = self.unused.pop() {
            let life = self.entries[number as usize].life;
            self.entries[number as usize] = Entry { life, ..entry };
            return number;
        }
        self.entries.push(entry);
        self.entries.len() as u32 - 1
    }

    pub(super) fn free(&mut self, entry: u32) {
        self.entries[entry as usize].life += 1;
        self.unused.push(entry);
    }

    /// A try begins.
    pub(super) fn start(&mut self, now: SimTime, number: u32) {
        let plan = self.plan;
        let entry = self.entries[number as usize];
        let journey = &plan.journeys[entry.journey];
        if journey.breaker.is_some()
            && let Some(why) = self.broken(now, &entry)
        {
            self.lose(now, number, why);
            return;
        }
        let trip = self.trips.draw(plan.populations[entry.population].rtt[entry.cluster]);
        let half = span(0.5 * trip);
        let entry = &mut self.entries[number as usize];
        *entry = entry.anew(half);
        entry.tries += 1;
        entry.deadline = SimTime::NEVER;
        if let Some(timeout) = journey.timeout {
            entry.deadline = now + span(timeout);
            self.await_deadline(number);
        }
        if let Some(after) = journey.hedge {
            let life = self.entries[number as usize].life;
            self.events.schedule(now + span(after), Event::Hedge { entry: number, life });
        }
        self.go_on(now + half, number, now);
    }

    /// The client of a try that begins now will give it up at its deadline.
    pub(super) fn await_deadline(&mut self, number: u32) {
        let Entry { deadline, journey, life, .. } = self.entries[number as usize];
        self.deadlines.add(journey, (deadline, number, life));
    }

    /// A client that has no answer yet asks once more: whichever comes first counts.
    pub(super) fn hedge(&mut self, now: SimTime, number: u32, life: u32) {
        let entry = self.entries[number as usize];
        if entry.life != life || !entry.wanted {
            return;
        }
        let trip = self.trips.draw(self.plan.populations[entry.population].rtt[entry.cluster]);
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
    pub(super) fn twin(&self, entry: &Entry) -> Option<u32> {
        let (twin, life) = entry.twin?;
        let other = &self.entries[twin as usize];
        (other.life == life && other.wanted).then_some(twin)
    }

    /// A try has come to its end: the client has the answer once it is back.
    pub(super) fn finish(&mut self, at: SimTime, number: u32) {
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
    pub(super) fn lateness(&self, at: SimTime, entry: &Entry) -> Why {
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
    pub(super) fn expire(&mut self, at: SimTime, number: u32, life: u32) {
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
    pub(super) fn fail(&mut self, now: SimTime, number: u32, why: Why) {
        let entry = self.entries[number as usize];
        if entry.wanted {
            self.ends((now + entry.back).min(entry.deadline), number, why);
        } else {
            self.free(number);
        }
    }

    pub(super) fn fail_call(&mut self, now: SimTime, call: Call, why: Why) {
        if self.entries[call.entry as usize].life == call.life {
            self.fail(now, call.entry, why);
        }
    }

    /// The client learns at `at` that its try has failed: it tries again, or the request is lost.
    pub(super) fn ends(&mut self, at: SimTime, number: u32, why: Why) {
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
        let rng = &mut self.choices[entry.population];
        let backoff = match journey.backoffs[entry.tries as usize - 1] {
            Backoff::Even(sure, drawn) if drawn > 0.0 => sure + drawn * uniform(rng),
            Backoff::Even(sure, _) => sure,
            Backoff::Memoryless(mean) => -mean * ln(uniform(rng)),
        };
        let entry = &mut self.entries[number as usize];
        entry.life += 1;
        self.events.schedule(at + Span::from_secs(backoff), Event::Again(number));
    }

    pub(super) fn lose(&mut self, at: SimTime, number: u32, why: Why) {
        let entry = self.entries[number as usize];
        self.counts.lost(at, &entry, why);
        self.free(number);
    }

    pub(super) fn breaker(&mut self, entry: &Entry) -> &mut Breaker {
        let cell = entry.population.index() * self.plan.journeys.len() + entry.journey.index();
        &mut self.breakers[cell * self.plan.clusters.len() + entry.cluster.index()]
    }

    /// A breaker hears how a try ended.
    pub(super) fn judge(&mut self, at: SimTime, entry: &Entry, why: Option<Why>) {
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
    pub(super) fn broken(&mut self, now: SimTime, entry: &Entry) -> Option<Why> {
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

/// Retries that a journey's clients save up, as far as they may.
pub(super) fn save_up((tokens, most): &mut (f64, f64), more: f64) {
    *tokens = (*tokens + more).min(*most);
}
