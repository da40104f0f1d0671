//! Straight ways of a single call over a network that takes a constant time: all of a request is known when it begins, and
//! one is taken after another until something else happens.

use super::Traffic;
use super::sample::seconds;
use crate::base::{Id, SimTime};
use crate::domain::Population;

impl Traffic<'_> {
    /// Takes the requests of a population that reach their station before `until`, as long as each is good. False if there
    /// was none.
    pub(super) fn go_at_once(&mut self, population: Id<Population>, until: SimTime) -> bool {
        let Some(number) = self.only_way(population) else { return false };
        let way = &mut self.straight[number as usize];
        let Some((station, half)) = way.at_once else { return false };
        let (source, world) = (&mut self.sources[population], self.until);
        let begins = |at: SimTime| at + half < until;
        let first = source.next;
        if source.batch > 1
            || !begins(first)
            || !self.counts.takes_straight(first)
            || self.begun[way.cluster].is_some()
            || !self.stations[station].is_known(first + half)
        {
            return false;
        }
        let end = self.counts.minutes.end_of(first).min(until);
        let cell = population.index() * self.plan.journeys.len() + way.journey.index();
        let (latency, station) = (&mut self.counts.latency[cell], &mut self.stations[station]);
        let (mut left, mut good) = (None, 0_u32);
        while source.next < end && begins(source.next) {
            let now = source.next;
            source.take();
            let Some(passage) = station.pass_through(now + half, world) else {
                left = Some((now, None));
                break;
            };
            let took = passage.done.since(now) + half;
            if took > way.timeout || passage.done >= world {
                left = Some((now, Some(passage)));
                break;
            }
            good += 1;
            latency.record(seconds(took));
        }
        let all = good + u32::from(left.is_some());
        if way.budget > 0.0 {
            let (tokens, most) = &mut self.budget[way.journey];
            *tokens = (*tokens + f64::from(all) * way.budget).min(*most);
        }
        self.count_straight(number);
        let way = &mut self.straight[number as usize];
        (way.began, way.good) = (first, good);
        way.minute = first;
        self.count_straight(number);
        if let Some((begun, passage)) = left {
            self.leave_at_once(begun, number, passage);
        }
        true
    }

    /// The straight way that all of a population go.
    fn only_way(&self, population: Id<Population>) -> Option<u32> {
        let [way] = self.ways[population].as_slice() else { return None };
        let journey = self.only_journey[population]?;
        let (flow, _) = self.flow(*way)?;
        self.straight_of[self.straight_at(population, journey, way.cluster)][usize::from(flow.current)]
    }
}
