//! Straight ways of a single call over a network that takes a constant time: all of a request is known when it begins, and
//! several are taken at once until something else happens.

use super::Traffic;
use super::client::save_up;
use super::counts::Straightforward;
use super::foresight::Passed;
use super::several::{Easy, SEVERAL};
use super::straight::Straight;
use super::units::seconds_each;
use crate::base::{Id, SimTime, Span};
use crate::domain::Population;

impl Traffic<'_> {
    /// Takes the requests of a population that reach their station before `until`, as long as each is good. False if there
    /// was none.
    pub(super) fn go_at_once(&mut self, population: Id<Population>, until: SimTime) -> bool {
        let Some(number) = self.only_way(population) else { return false };
        let way = &self.straight[number as usize];
        let Some((station, half)) = way.at_once else { return false };
        let (source, world) = (&self.sources[population], self.until);
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
        // Those before them.
        self.count_straight(number);
        let (way, source) = (&mut self.straight[number as usize], &mut self.sources[population]);
        let end = SimTime::from_nanos(until.nanos().saturating_sub(half.nanos()));
        let easy = Easy { until: world, most: Span::from_nanos(way.timeout.nanos() - 2 * half.nanos()) };
        let cell = population.index() * self.plan.journeys.len() + way.journey.index();
        let station = &mut self.stations[station];
        let (mut left, mut all_good) = (None, 0_u32);
        // Of the minute that began last.
        let Straight { journey, cluster, current, .. } = *way;
        let mut minute = Straightforward { began: first, good: 0, population, journey, cluster, current };
        let mut minute_ends = self.counts.minutes.end_of(first);
        // Not many more than there were good ones in a row: what is worked out after these is in vain.
        let mut most = (way.row as usize + 1).min(SEVERAL);
        let calls = &mut self.several;
        while left.is_none() && source.next < end {
            calls.count = source.ahead(end, &mut calls.begin[..most]);
            for (come, begin) in calls.come[..calls.count].iter_mut().zip(&calls.begin[..calls.count]) {
                *come = begin + half.nanos();
            }
            let Passed { easy, stops, passage } = station.pass_several(calls, easy);
            let good = calls.done[..easy].iter().zip(&calls.begin[..easy]).zip(&mut calls.lasts[..easy]);
            for ((done, begin), lasts) in good {
                *lasts = done - begin + half.nanos();
            }
            seconds_each(&calls.lasts[..easy], &mut calls.took);
            self.counts.latency[cell].record_all(&calls.took[..easy]);
            let mut counted = 0;
            while calls.begin[counted..easy].last().is_some_and(|&begin| begin >= minute_ends.nanos()) {
                let next = calls.begin[..easy].partition_point(|&begin| begin < minute_ends.nanos());
                minute.good += (next - counted) as u32;
                self.counts.went_straight(minute);
                let began = SimTime::from_nanos(calls.begin[next]);
                (minute, counted) = (Straightforward { began, good: 0, ..minute }, next);
                minute_ends = self.counts.minutes.end_of(began);
            }
            minute.good += (easy - counted) as u32;
            all_good += easy as u32;
            left = stops.then(|| (SimTime::from_nanos(calls.begin[easy]), passage));
            source.take_several(&calls.begin, easy + usize::from(left.is_some()));
            most = (2 * most).min(SEVERAL);
        }
        self.counts.went_straight(minute);
        way.row = all_good;
        if way.budget > 0.0 {
            save_up(&mut self.budget[way.journey], f64::from(all_good + u32::from(left.is_some())) * way.budget);
        }
        if let Some((begun, passage)) = left {
            self.leave_at_once(begun, number, passage);
        }
        true
    }

    /// The straight way that all of a population go.
    pub(super) fn only_way(&self, population: Id<Population>) -> Option<u32> {
        let [way] = self.ways[population].as_slice() else { return None };
        let journey = self.only_journey[population]?;
        let (flow, _) = self.flow(*way)?;
        self.straight_of[self.straight_at(population, journey, way.cluster)][usize::from(flow.current)]
    }
}
