//! The weekly orbit of a cluster: the slots of one week that follow each other again and again while nothing happens.
//!
//! It is found once, before the first seed, and skipped: a seed only counts how often it was in each of the slots, as
//! whole turns and the two ends of what is left over. Counts are whole numbers, so however a stay on an orbit is cut
//! into pieces the sums are the same to the bit.

use super::memo::{Memo, TransitionId};
use super::outcome::{Amounts, Requests};
use super::sums::Sums;
use crate::base::Id;
use crate::domain::Cluster;
use crate::plan::Plan;
use core::ops::Range;

/// The slots of one cluster's week under inputs that stay as they are.
#[derive(Clone, Debug)]
pub(super) struct Orbit {
    pub(super) cluster: Id<Cluster>,
    pub(super) slots: Vec<TransitionId>,
    /// What a month is billed for the first so many slots: no slot, one slot, …, all of them.
    pub(super) billed: Vec<Billed>,
    /// What else one whole week adds up to.
    pub(super) week: Sums,
}

/// What a month is billed for a part of an orbit.
#[derive(Clone, Debug, Default)]
pub(super) struct Billed {
    pub(super) amounts: Amounts,
    pub(super) node_seconds: f64,
}

impl Orbit {
    /// The orbit that `first` is on, if a week later it comes again and all that is lost on it is too little to matter.
    fn of(first: TransitionId, week: usize, cluster: Id<Cluster>, plan: &Plan, memo: &Memo) -> Option<Self> {
        let mut slots = vec![first];
        for _ in 1..week {
            slots.push(memo.transition(slots[slots.len() - 1]).next?);
        }
        let closes = memo.transition(slots[week - 1]).next == Some(first);
        if !closes || slots.iter().any(|&slot| memo.transition(slot).rough) {
            return None;
        }
        let mut billed = vec![Billed::default()];
        let (mut sums, mut requests) = (Sums::new(plan), Requests::default());
        for &slot in &slots {
            let mut sum = billed[billed.len() - 1].clone();
            let transition = memo.transition(slot);
            for &(solution, seconds, _) in &transition.stays {
                let (solution, outcome) = (memo.solution(solution), memo.outcome_of(solution));
                sum.amounts.add(outcome, solution.rates, plan.journeys.len(), seconds);
                requests.add(solution.outcome, solution.rates, seconds);
                sums.add_seconds(cluster, &solution, seconds, plan);
            }
            sum.node_seconds += transition.node_seconds;
            billed.push(sum);
        }
        requests.drain(|outcome, requests| sums.add_requests(memo.outcome(outcome), requests, plan));
        Some(Self { cluster, slots, billed, week: sums })
    }
}

/// The orbits of a plan's clusters when all is well.
#[derive(Clone, Default, Debug)]
pub(super) struct Orbits {
    all: Vec<Orbit>,
    /// By transition: its orbit and its place there.
    places: Vec<Option<Place>>,
}

/// A place on an orbit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) orbit: usize,
    pub(super) slot: usize,
}

impl Orbits {
    /// Finds the orbit that a transition is on, of so many slots.
    pub(super) fn find(&mut self, first: TransitionId, week: usize, cluster: Id<Cluster>, plan: &Plan, memo: &Memo) {
        let Some(orbit) = Orbit::of(first, week, cluster, plan, memo) else { return };
        self.places.resize(memo.transitions(), None);
        for (slot, id) in orbit.slots.iter().enumerate() {
            self.places[id.0 as usize] = Some(Place { orbit: self.all.len(), slot });
        }
        self.all.push(orbit);
    }

    pub(super) fn place(&self, id: TransitionId) -> Option<Place> {
        self.places.get(id.0 as usize).copied().flatten()
    }

    pub(super) fn get(&self, number: usize) -> &Orbit {
        &self.all[number]
    }
}

/// How often one seed was in each slot of an orbit.
#[derive(Clone, Default, Debug)]
pub(super) struct Turns {
    /// Slots of a week.
    week: usize,
    /// This month: whole turns; then of each stay where it begins (1) and where it ends (-1).
    whole: u64,
    edges: Vec<(usize, i64)>,
    /// In the months that are closed: by slot, how many stays more begin there than end. One more than there are slots.
    closed: Vec<i64>,
}

impl Turns {
    /// So many slots from a place on, round and round.
    pub(super) fn add(&mut self, week: usize, from: usize, count: usize) {
        self.week = week;
        self.whole += (count / week) as u64;
        let (rest, end) = (count % week, from + count % week);
        if rest == 0 {
            return;
        }
        if end <= week {
            self.edges.extend([(from, 1), (end, -1)]);
        } else {
            // Over the end of the week, and on from its beginning.
            self.edges.extend([(from, 1), (0, 1), (end - week, -1)]);
        }
    }

    /// Closes the month: `visit` is called with numbers of slots from the beginning of the week on, and how often those
    /// first slots were taken; what is negative was counted too often before.
    pub(super) fn close_month(&mut self, mut visit: impl FnMut(usize, i64)) {
        self.closed.resize(self.week + 1, 0);
        self.edges.push((self.week, 0));
        self.edges.sort_unstable();
        let whole = core::mem::take(&mut self.whole).cast_signed();
        let mut count = whole;
        self.closed[0] += whole;
        for same in self.edges.chunk_by(|a, b| a.0 == b.0) {
            let (slot, mut edge) = (same[0].0, same.iter().map(|edge| edge.1).sum::<i64>());
            count += edge;
            if slot == self.week {
                // What goes on into the next week is one of the whole turns.
                edge -= core::mem::take(&mut count);
            }
            self.closed[slot] += edge;
            if edge != 0 && slot > 0 {
                visit(slot, -edge);
            }
        }
        self.edges.clear();
    }

    /// Takes out how often slots were taken in the months that are closed, run by run; and before it
    /// how often most were.
    pub(super) fn take_closed(&mut self) -> (u64, Vec<(u64, Range<usize>)>) {
        let (mut runs, mut count, mut from) = (Vec::with_capacity(self.closed.len()), 0, 0);
        for (slot, edge) in self.closed.drain(..).enumerate() {
            if (edge != 0 || slot == self.week) && from < slot {
                runs.push((count as u64, from..slot));
                from = slot;
            }
            count += edge;
        }
        let mut lengths: Vec<(u64, usize)> = runs.iter().map(|run| (run.0, run.1.len())).collect();
        lengths.sort_unstable();
        let same = lengths.chunk_by(|a, b| a.0 == b.0);
        let most = same.max_by_key(|same| same.iter().map(|run| run.1).sum::<usize>());
        (most.map_or(0, |same| same[0].0), runs)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;

    /// What a month and the whole are told, slot by slot.
    fn months(months: &[&[(usize, usize)]]) -> (Vec<Vec<i64>>, Vec<u64>) {
        let mut turns = Turns::default();
        let each = |stays: &&[(usize, usize)]| {
            stays.iter().for_each(|&(from, count)| turns.add(5, from, count));
            let mut told = vec![0; 5];
            turns.close_month(|slots, count| told[..slots].iter_mut().for_each(|told| *told += count));
            told
        };
        let months = months.iter().map(each).collect();
        let mut closed = vec![0; 5];
        turns.take_closed().1.into_iter().for_each(|(count, slots)| closed[slots].fill(count));
        (months, closed)
    }

    #[test]
    fn a_stay_counts_each_slot_that_it_goes_through() {
        // By hand: 2 slots; 4 slots over the end of the week; 12 slots, two turns and 2 more, up to the end itself.
        let (told, whole) = months(&[&[(1, 2)], &[(3, 4)], &[(3, 12)]]);
        assert_eq!(told, [[0, 1, 1, 0, 0], [1, 1, 0, 1, 1], [2, 2, 2, 3, 3]]);
        assert_eq!(whole, [3, 4, 3, 4, 4]);
    }

    #[test]
    fn most_slots_are_taken_as_often() {
        let mut turns = Turns::default();
        turns.add(5, 1, 12);
        turns.close_month(|_, _| {});
        // 12 slots from the second on are two weeks and two slots more.
        assert_eq!(turns.take_closed(), (2, vec![(2, 0..1), (3, 1..3), (2, 3..5)]));
        assert_eq!(turns.take_closed(), (0, vec![]));
    }

    #[test]
    fn a_stay_in_pieces_is_one_stay() {
        let pieces: &[(usize, usize)] = &[(4, 1), (0, 1), (1, 3), (4, 7)];
        assert_eq!(months(&[pieces]), months(&[&[(4, 12)]]));
    }
}
