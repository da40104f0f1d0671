//! Requests whose whole way is known when they begin: one call of a station that tells at once when it leaves, over a
//! network that takes a constant time. They need neither events nor an entry, and are taken one after another until
//! something else happens. One that fails or comes too late goes on as any other.

use super::counts::Straightforward;
use super::sample::{seconds, span};
use super::{Entry, Traffic};
use crate::base::{Id, SimTime, Span};
use crate::domain::{Cluster, Journey, Population, Stage};
use crate::plan::StepPlan;

/// The way of all requests of a population, for now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Straight {
    journey: Id<Journey>,
    cluster: Id<Cluster>,
    current: bool,
    station: usize,
    /// From the client to the station; as long back.
    half: Span,
    timeout: Span,
}

/// How the last of some requests ended.
enum Last {
    /// Nothing has become of it yet: it comes too late for this.
    Waits,
    Rejected,
    Late {
        done: SimTime,
        wait: Span,
    },
}

impl Traffic<'_> {
    /// Looks for populations whose requests all go one way.
    pub(super) fn straighten(&mut self) {
        self.straight = self.plan.populations.keys().map(|population| self.straight_way(population)).collect();
    }

    fn straight_way(&self, population: Id<Population>) -> Option<Straight> {
        let (plan, own) = (self.plan, &self.plan.populations[population]);
        let [way] = self.ways[population].as_slice() else { return None };
        let journey = self.only_journey[population]?;
        let of = &plan.journeys[journey];
        let [StepPlan::Call(services)] = of.steps.as_slice() else { return None };
        let [service] = services.as_slice() else { return None };
        let plain = of.program.is_empty() && of.breaker.is_none() && of.hedge.is_none() && of.patience.is_none();
        let view = self.views[way.cluster].as_ref()?;
        let flow = &view.inputs.flows[way.flow as usize];
        let position = plan.clusters[way.cluster].station_of[*service]? as usize;
        let station = self.first[way.cluster] + position;
        let good = view.inputs.front.is_good() && view.conditions[position].is_good();
        let there = flow.refused.is_none() && view.inputs.zones_listed == 0 && view.inputs.zones_up > 0;
        let half = 0.5 * self.jitter.constant(own.rtt[way.cluster])?;
        let calm = plain && good && there && view.inputs.remotes.is_empty() && own.batch <= 1;
        (calm && self.stations[station].is_known()).then_some(Straight {
            journey,
            cluster: way.cluster,
            current: flow.current,
            station,
            half: span(half),
            timeout: of.timeout.map_or(Span::FOREVER, span),
        })
    }

    /// Takes the requests of a population that reach their station before `until`, as long as they go straight. False
    /// if there was none.
    pub(super) fn go_straight(&mut self, population: Id<Population>, until: SimTime) -> bool {
        let Some(way) = self.straight[population] else { return false };
        let Straight { journey, half, timeout, .. } = way;
        let mut next = self.sources[population].next;
        if next + half >= until || !self.counts.takes_straight(next) {
            return false;
        }
        let journeys = self.plan.journeys.len();
        let mut last = Last::Waits;
        let mut now = next;
        while next + half < until && matches!(last, Last::Waits) {
            let (minute, mut good) = (self.counts.minutes.end_of(next), 0_u32);
            let end = minute.min(SimTime::from_nanos(until.nanos().saturating_sub(half.nanos())));
            let (source, station) = (&mut self.sources[population], &mut self.stations[way.station]);
            let latency = &mut self.counts.latency[population.index() * journeys + journey.index()];
            let began = next;
            while next < end {
                now = next;
                source.take();
                next = source.next;
                let Some((done, wait)) = station.pass_through(now + half) else {
                    last = Last::Rejected;
                    break;
                };
                let took = done.since(now) + half;
                if took > timeout {
                    last = Last::Late { done, wait };
                    break;
                }
                good += 1;
                latency.record(seconds(took), self.counts.weight);
            }
            let Straight { cluster, current, .. } = way;
            self.counts.went_straight(Straightforward { began, good, population, journey, cluster, current });
            let (tokens, most) = &mut self.budget[journey];
            *tokens = (*tokens + f64::from(good) * self.plan.journeys[journey].budget.min(1e9)).min(*most);
        }
        match last {
            Last::Waits => {}
            Last::Rejected => {
                let number = self.stray(population, now, way);
                let root = self.overload_root(way.cluster);
                self.fail(now + half, number, (Stage::Overload, root));
            }
            Last::Late { done, wait } => {
                let number = self.stray(population, now, way);
                self.entries[number as usize].waited = wait.secs();
                self.finish(done, number);
            }
        }
        true
    }

    /// A request that began now has left the straight way at its station.
    fn stray(&mut self, population: Id<Population>, now: SimTime, way: Straight) -> u32 {
        let Straight { journey, cluster, current, half, timeout, .. } = way;
        let (tokens, most) = &mut self.budget[journey];
        *tokens = (*tokens + self.plan.journeys[journey].budget.min(1e9)).min(*most);
        self.counts.offered(now, population, journey, current);
        let deadline = if timeout == Span::FOREVER { SimTime::NEVER } else { now + timeout };
        let entry = Entry {
            deadline,
            back: half,
            tries: 1,
            step: 1,
            called: true,
            ..Entry::begins(now, population, journey, (cluster, current))
        };
        self.take_entry(entry)
    }
}
