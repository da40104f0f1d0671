//! When clients give up what they wait for.
//!
//! All requests of a journey have one timeout, so their deadlines are in order by themselves. Those of requests that have
//! left straight ways aren't, for nobody keeps a deadline of who goes such a way.

use super::entry::Entry;
use crate::base::{Id, SimTime, Table};
use crate::domain::Journey;
use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// When an entry is given up, in which of its lives.
pub(super) type Deadline = (SimTime, u32, u32);

/// Those of all entries that are given up at some time.
#[derive(Debug)]
pub(super) struct Deadlines {
    of: Table<Journey, VecDeque<Deadline>>,
    left: BinaryHeap<Reverse<Deadline>>,
    /// The first of all, and of which journey it is unless it is of one that has left its way.
    first: (SimTime, Option<Id<Journey>>),
}

impl Deadlines {
    pub(super) fn new(journeys: usize) -> Self {
        Self { of: vec![VecDeque::new(); journeys].into(), left: BinaryHeap::new(), first: (SimTime::NEVER, None) }
    }

    /// When the first is due.
    #[inline]
    pub(super) fn first(&self) -> SimTime {
        self.first.0
    }

    /// A request of a journey begins, after all others of that.
    pub(super) fn add(&mut self, journey: Id<Journey>, due: Deadline) {
        self.of[journey].push_back(due);
        if due.0 < self.first.0 {
            self.first = (due.0, Some(journey));
        }
    }

    /// A request has left its way, and began some time ago.
    pub(super) fn add_left(&mut self, due: Deadline) {
        if due.0 == SimTime::NEVER {
            return;
        }
        self.left.push(Reverse(due));
        if due.0 < self.first.0 {
            self.first = (due.0, None);
        }
    }

    /// Takes the first.
    pub(super) fn pop(&mut self, entries: &[Entry]) -> Option<Deadline> {
        let due = match self.first.1 {
            Some(journey) => self.of[journey].pop_front(),
            None => self.left.pop().map(|Reverse(due)| due),
        };
        self.look(entries);
        due
    }

    /// Forgets the first if nobody waits for it any more, and others that come up.
    #[inline]
    pub(super) fn forget(&mut self, entries: &[Entry]) {
        let first = match self.first.1 {
            Some(journey) => self.of[journey].front(),
            None => self.left.peek().map(|Reverse(due)| due),
        };
        if first.is_some_and(|due| is_over(entries, due)) {
            self.look(entries);
        }
    }

    /// Looks for the first of whoever is waited for.
    #[inline(never)]
    fn look(&mut self, entries: &[Entry]) {
        self.first = (SimTime::NEVER, None);
        while self.left.peek().is_some_and(|Reverse(due)| is_over(entries, due)) {
            self.left.pop();
        }
        if let Some(&Reverse((at, ..))) = self.left.peek() {
            self.first.0 = at;
        }
        for (journey, all) in self.of.iter_mut_enumerated() {
            while all.front().is_some_and(|due| is_over(entries, due)) {
                all.pop_front();
            }
            if let Some(&(at, ..)) = all.front()
                && at < self.first.0
            {
                self.first = (at, Some(journey));
            }
        }
    }
}

/// Nobody waits for an entry any more, in that life.
#[inline]
fn is_over(entries: &[Entry], &(_, number, life): &Deadline) -> bool {
    let entry = &entries[number as usize];
    entry.life != life || !entry.wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_who_is_waited_for_is_given_up_first() {
        let at = SimTime::from_nanos;
        let (one, other) = (Id::new(0), Id::new(1));
        let mut entries = vec![Entry { wanted: true, ..Entry::nobodys(Id::new(0), at(0)) }; 6];
        let mut all = Deadlines::new(2);
        for (number, due) in [(0, 20), (1, 50)] {
            all.add(one, (at(due), number, 0));
        }
        all.add(other, (at(10), 2, 0));
        for (number, due) in [(3, 40), (4, 15)] {
            all.add_left((at(due), number, 0));
        }
        all.add_left((SimTime::NEVER, 5, 0));
        assert_eq!(all.pop(&entries), Some((at(10), 2, 0)));
        assert_eq!(all.first(), at(15));
        // One goes on to another life, and nobody wants the next.
        (entries[4].life, entries[0].wanted) = (1, false);
        all.forget(&entries);
        assert_eq!(all.first(), at(40));
        assert_eq!([0; 3].map(|_| all.pop(&entries).map(|due| due.1)), [Some(3), Some(1), None]);
        assert_eq!(all.first(), SimTime::NEVER);
    }
}
