//! The event list: what is due, in order of (time, sequence). Ties come out in the order they went in.
//!
//! A heap of four children a node: half as deep as one of two, and four children of 16 bytes are one line of the cache
//! (`LaMarca` and Ladner 1996). A key is time, sequence and where the event is kept, in one number. What is taken out
//! leaves the top empty for the event that is most often put in next.

use crate::base::SimTime;

/// Bits of a key that say where its event is kept: 268 million may be pending, and 6·10¹⁰ put in.
const SLOT_BITS: u32 = 28;
const SEQUENCE_BITS: u32 = 36;
/// No event: later than all.
const NONE: u128 = u128::MAX;

/// The keys of four children. Those of the root are the first line; those of the `n`-th key in all lines are line
/// `n + 1`.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u128; 4]);

impl Line {
    /// The earliest, and which it is.
    #[inline]
    fn first(&self) -> (u128, usize) {
        let [a, b, c, d] = self.0;
        let (left, left_at) = if b < a { (b, 1) } else { (a, 0) };
        let (right, right_at) = if d < c { (d, 3) } else { (c, 2) };
        if right < left { (right, right_at) } else { (left, left_at) }
    }
}

/// Pending events of type `E`, earliest first.
#[derive(Debug)]
pub struct EventList<E> {
    /// The earliest key; none while it is empty, with or without others pending.
    top: u128,
    /// The other keys; the last line is filled up with none.
    lines: Vec<Line>,
    /// How many these are.
    others: usize,
    events: Vec<Option<E>>,
    unused: Vec<u32>,
    now: SimTime,
    sequence: u64,
    popped: u64,
}

impl<E> Default for EventList<E> {
    fn default() -> Self {
        Self {
            top: NONE,
            lines: Vec::new(),
            others: 0,
            events: Vec::new(),
            unused: Vec::new(),
            now: SimTime::ZERO,
            sequence: 0,
            popped: 0,
        }
    }
}

/// The time of a key.
const fn time(key: u128) -> SimTime {
    SimTime::from_nanos((key >> 64) as u64)
}

impl<E> EventList<E> {
    /// Forgets everything and goes back to time 0, keeping the memory.
    pub fn reset(&mut self) {
        self.top = NONE;
        self.lines.clear();
        self.others = 0;
        self.events.clear();
        self.unused.clear();
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
    /// If it is due before now: a bug in the model. Or if there have been more events than a key has room for.
    pub fn schedule(&mut self, at: SimTime, event: E) {
        assert!(at >= self.now, "an event at {at:?} was scheduled at {:?}", self.now);
        if at == SimTime::NEVER {
            return;
        }
        let slot = if let Some(slot) = self.unused.pop() {
            self.events[slot as usize] = Some(event);
            u64::from(slot)
        } else {
            self.events.push(Some(event));
            self.events.len() as u64 - 1
        };
        assert!(slot >> SLOT_BITS == 0 && self.sequence >> SEQUENCE_BITS == 0, "more events than can be told apart");
        let key = u128::from(at.nanos()) << 64 | u128::from(self.sequence << SLOT_BITS | slot);
        self.sequence += 1;
        if self.top == NONE {
            self.sink(key);
        } else {
            self.rise(key);
        }
    }

    /// When the next event is due.
    pub fn next_time(&self) -> Option<SimTime> {
        let first = if self.top == NONE { self.lines.first()?.first().0 } else { self.top };
        (first != NONE).then_some(time(first))
    }

    /// Takes out the next event due.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        if self.top == NONE {
            self.others = self.others.checked_sub(1)?;
            let last = core::mem::replace(&mut self.lines[self.others / 4].0[self.others % 4], NONE);
            if self.others.is_multiple_of(4) {
                self.lines.pop();
            }
            self.sink(last);
        }
        let key = core::mem::replace(&mut self.top, NONE);
        let slot = (key as u64 & ((1 << SLOT_BITS) - 1)) as u32;
        self.unused.push(slot);
        self.now = time(key);
        self.popped += 1;
        self.events[slot as usize].take().map(|event| (self.now, event))
    }

    /// Puts a key in from the empty top down.
    fn sink(&mut self, key: u128) {
        let (mut hole, mut line) = (None, 0);
        while let Some(children) = self.lines.get(line) {
            let (first, at) = children.first();
            if key < first {
                break;
            }
            self.put(hole, first);
            hole = Some(4 * line + at);
            line = 4 * line + at + 1;
        }
        self.put(hole, key);
    }

    /// Puts a key in from the end up.
    fn rise(&mut self, key: u128) {
        let mut hole = Some(self.others);
        if self.others.is_multiple_of(4) {
            self.lines.push(Line([NONE; 4]));
        }
        self.others += 1;
        while let Some(at) = hole {
            let parent = (at / 4).checked_sub(1);
            let other = parent.map_or(self.top, |parent| self.lines[parent / 4].0[parent % 4]);
            if other < key {
                break;
            }
            self.put(hole, other);
            hole = parent;
        }
        self.put(hole, key);
    }

    /// Writes a key to the top, or to a place in the lines.
    #[inline]
    fn put(&mut self, place: Option<usize>, key: u128) {
        match place {
            None => self.top = key,
            Some(at) => self.lines[at / 4].0[at % 4] = key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stream::uniform;
    use crate::base::{Seed, Span};

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
    fn comes_out_as_from_a_sorted_list() {
        // Whatever the order of putting in and taking out; many at the same time.
        let mut rng = Seed { master: 5, replication: 0 }.stream().rng();
        let mut list = EventList::default();
        let mut sorted = std::collections::BTreeMap::new();
        for number in 0..20_000_u64 {
            let at = list.now() + Span::from_nanos((uniform(&mut rng) * 50.0) as u64);
            list.schedule(at, number);
            sorted.insert((at, number), number);
            let out = if number % 1000 < 600 { 0 } else { (uniform(&mut rng) * 5.0) as usize };
            for _ in 0..out {
                assert_eq!(list.next_time(), sorted.keys().next().map(|key| key.0));
                let first = sorted.pop_first().map(|((at, _), number)| (at, number));
                assert_eq!(list.pop(), first);
            }
        }
        let rest: Vec<_> = core::iter::from_fn(|| list.pop()).collect();
        assert_eq!(rest, sorted.into_iter().map(|((at, _), number)| (at, number)).collect::<Vec<_>>());
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
