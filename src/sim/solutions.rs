//! Solutions that are kept: their lists lie one after another in a few long ones, so that to keep and to forget a thousand of
//! them is no work for the allocator, and those of one seed lie side by side.

use super::curves::{CurveId, Kind};
use super::data::Use;
use super::memo::{InputsId, SolutionId};
use super::outcome::OutcomeId;
use super::solve::Solution;
use super::station::StationState;
use super::views::ViewId;
use crate::base::Id;
use crate::domain::Store;
use core::ops::Range;

/// All of them, by number.
#[derive(Clone, Default, Debug)]
pub(super) struct Solutions {
    heads: Vec<Head>,
    rates: Vec<f64>,
    stations: Vec<StationState>,
    by_journey: Vec<Use>,
    accesses: Vec<(Id<Store>, Kind, CurveId, f64)>,
    views: Vec<(Id<Store>, ViewId, f64)>,
}

/// What is no list, and where its lists end; they begin where those of the one before end.
#[derive(Clone, Copy, Debug)]
struct Head {
    inputs: InputsId,
    outcome: OutcomeId,
    /// A backlog begins here.
    grows: bool,
    ends: Ends,
}

#[derive(Clone, Copy, Default, Debug)]
struct Ends {
    rates: usize,
    stations: usize,
    by_journey: usize,
    accesses: usize,
    views: usize,
}

/// A solution that is kept; see [`Solution`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Solved<'a> {
    pub(super) outcome: OutcomeId,
    pub(super) rates: &'a [f64],
    pub(super) stations: &'a [StationState],
    pub(super) by_journey: &'a [Use],
    pub(super) accesses: &'a [(Id<Store>, Kind, CurveId, f64)],
    pub(super) views: &'a [(Id<Store>, ViewId, f64)],
}

impl Solutions {
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Keeps one, and says its number.
    pub(super) fn keep(&mut self, inputs: InputsId, solution: &Solution) -> SolutionId {
        self.rates.extend_from_slice(&solution.rates);
        self.stations.extend_from_slice(&solution.stations);
        self.by_journey.extend_from_slice(&solution.uses.by_journey);
        self.accesses.extend_from_slice(&solution.uses.accesses);
        self.views.extend_from_slice(&solution.uses.views);
        let number = SolutionId(self.heads.len() as u32);
        self.heads.push(Head { inputs, outcome: solution.outcome, grows: solution.grows, ends: self.ends() });
        number
    }

    /// Forgets all but the first so many.
    pub(super) fn truncate(&mut self, most: usize) {
        self.heads.truncate(most);
        let ends = self.heads.last().map_or(Ends::default(), |head| head.ends);
        self.rates.truncate(ends.rates);
        self.stations.truncate(ends.stations);
        self.by_journey.truncate(ends.by_journey);
        self.accesses.truncate(ends.accesses);
        self.views.truncate(ends.views);
    }

    fn ends(&self) -> Ends {
        Ends {
            rates: self.rates.len(),
            stations: self.stations.len(),
            by_journey: self.by_journey.len(),
            accesses: self.accesses.len(),
            views: self.views.len(),
        }
    }

    pub(super) fn inputs(&self, id: SolutionId) -> InputsId {
        self.heads[id.0 as usize].inputs
    }

    pub(super) fn outcome(&self, id: SolutionId) -> OutcomeId {
        self.heads[id.0 as usize].outcome
    }

    /// A backlog begins in it.
    pub(super) fn grows(&self, id: SolutionId) -> bool {
        self.heads[id.0 as usize].grows
    }

    pub(super) fn rates(&self, id: SolutionId) -> &[f64] {
        let ends = self.heads[id.0 as usize].ends.rates;
        &self.rates[self.begins(id).rates..ends]
    }

    pub(super) fn stations(&self, id: SolutionId) -> &[StationState] {
        let ends = self.heads[id.0 as usize].ends.stations;
        &self.stations[self.begins(id).stations..ends]
    }

    /// Where the lists of one begin.
    fn begins(&self, id: SolutionId) -> Ends {
        (id.0 as usize).checked_sub(1).map_or(Ends::default(), |before| self.heads[before].ends)
    }

    pub(super) fn get(&self, id: SolutionId) -> Solved<'_> {
        let Head { outcome, ends, .. } = self.heads[id.0 as usize];
        let begins = self.begins(id);
        let range = |of: fn(&Ends) -> usize| -> Range<usize> { of(&begins)..of(&ends) };
        Solved {
            outcome,
            rates: &self.rates[range(|ends| ends.rates)],
            stations: &self.stations[range(|ends| ends.stations)],
            by_journey: &self.by_journey[range(|ends| ends.by_journey)],
            accesses: &self.accesses[range(|ends| ends.accesses)],
            views: &self.views[range(|ends| ends.views)],
        }
    }
}
