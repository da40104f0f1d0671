//! The event list: what is due, in order of (time, sequence). Ties come out in the order they went in.

use crate::base::SimTime;
use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pending events of type `E`, earliest first.
#[derive(Debug)]
pub struct EventList<E> {
    heap: BinaryHeap<Reverse<(SimTime, u64, Slot<E>)>>,
    now: SimTime,
    sequence: u64,
    popped: u64,
}

/// Keeps the payload out of the order.
#[derive(Debug)]
struct Slot<E>(E);

impl<E> PartialEq for Slot<E> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<E> Eq for Slot<E> {}
impl<E> PartialOrd for Slot<E> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Slot<E> {
    fn cmp(&self, _: &Self) -> core::cmp::Ordering {
        core::cmp::Ordering::Equal
    }
}

impl<E> Default for EventList<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), now: SimTime::ZERO, sequence: 0, popped: 0 }
    }
}

impl<E> EventList<E> {
    /// Forgets everything and goes back to time 0, keeping the memory.
    pub fn reset(&mut self) {
        self.heap.clear();
        self.now = SimTime::ZERO;
        self.sequence = 0;
        self.popped = 0;
    }

    /// The time of the last event taken out.
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// How many events were taken out.
    pub const fn processed(&self) -> u64 {
        self.popped
    }

    /// Puts in an event. One that is never due is dropped.
    ///
    /// # Panics
    /// If it is due before now: a bug in the model.
    pub fn schedule(&mut self, at: SimTime, event: E) {
        assert!(at >= self.now, "an event at {at:?} was scheduled at {:?}", self.now);
        if at < SimTime::NEVER {
            self.heap.push(Reverse((at, self.sequence, Slot(event))));
            self.sequence += 1;
        }
    }

    /// When the next event is due.
    pub fn next_time(&self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out the next event due.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let Reverse((at, _, Slot(event))) = self.heap.pop()?;
        self.now = at;
        self.popped += 1;
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn in_time_order_and_ties_in_the_order_they_went_in() {
        let mut list = EventList::default();
        let at = |secs| SimTime::ZERO + Span::from_whole_secs(secs);
        for (secs, name) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (5, "e")] {
            list.schedule(at(secs), name);
        }
        list.schedule(SimTime::NEVER, "never");
        let order: Vec<_> = core::iter::from_fn(|| list.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e"]);
        assert_eq!(list.now(), at(5));
        assert_eq!(list.processed(), 5);
    }

    #[test]
    #[should_panic(expected = "was scheduled at")]
    fn the_past_is_a_bug() {
        let mut list = EventList::default();
        list.schedule(SimTime::from_nanos(9), ());
        list.pop();
        list.schedule(SimTime::from_nanos(8), ());
    }
}
