//! The event list: what is due, in order of (time, sequence). Ties come out in the order they went in.
//!
//! A tournament of four a match (Knuth, *The Art of Computer Programming* 3, 5.4.1): each pending event has a place,
//! every four places have an earliest, every four of these, and so on up to one. A key is time, sequence and place in
//! one number, so no two are alike. A change is played again along its place's way up, which is as long for every
//! place and known before it begins: unlike in a heap, nothing has to be guessed, and no step waits for memory that
//! the one before it chose. Nor does a match wait for the one below: whom the others leave on the way up is known
//! without the new key, which needs only be compared with that. The place of what is taken out stays as it is until the
//! next event is put in, which most often follows, and gets that place: one way up for both.

use crate::base::SimTime;
use core::hint::select_unpredictable;

/// Bits of an order that say where its event is kept: 134 million may be pending, and 1.4·10¹¹ put in.
const SLOT_BITS: u32 = 27;
const SEQUENCE_BITS: u32 = u64::BITS - SLOT_BITS;
/// No place: it has more bits.
const NOWHERE: u32 = u32::MAX;

/// What an event is due by: nanoseconds, then its sequence above its place.
#[derive(Clone, Copy, Debug)]
struct Key {
    time: u64,
    order: u64,
}

/// No event: later than all, at a time for which none is kept.
const NONE: Key = Key { time: SimTime::NEVER.nanos(), order: u64::MAX };

impl Key {
    #[inline]
    const fn is_before(self, other: Self) -> bool {
        self.whole() < other.whole()
    }

    #[inline]
    const fn whole(self) -> u128 {
        (self.time as u128) << u64::BITS | self.order as u128
    }

    #[inline]
    const fn slot(self) -> u32 {
        (self.order & ((1 << SLOT_BITS) - 1)) as u32
    }
}

/// The earlier of two keys. Which it is can't be guessed, so there is no branch.
#[inline]
fn earlier(a: Key, b: Key) -> Key {
    let is_b = b.is_before(a);
    Key { time: select_unpredictable(is_b, b.time, a.time), order: select_unpredictable(is_b, b.order, a.order) }
}

/// The keys of one match: four times, then their orders. The last match is the first line; who plays for place `p` in
/// line `n` is the earliest of line `4 n + p + 1`.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; 8]);

impl Line {
    const EMPTY: Self = Self([u64::MAX; 8]);

    /// The key at a place, of which the last two bits count here.
    #[inline]
    const fn key(&self, place: usize) -> Key {
        Key { time: self.0[place % 4], order: self.0[place % 4 + 4] }
    }

    #[inline]
    const fn put(&mut self, place: usize, key: Key) {
        self.0[place % 4] = key.time;
        self.0[place % 4 + 4] = key.order;
    }
}

/// Pending events of type `E`, earliest first.
#[derive(Debug)]
pub struct EventList<E> {
    /// The earliest key, or that which was taken out last while its place is still its own.
    first: Key,
    /// The place of what was taken out last, until it is given to another event or given up; else [`NOWHERE`].
    vacant: u32,
    lines: Vec<Line>,
    /// The number of matches before those in which events themselves play.
    leaves: usize,
    events: Vec<E>,
    unused: Vec<u32>,
    now: SimTime,
    sequence: u64,
    popped: u64,
}

impl<E> Default for EventList<E> {
    fn default() -> Self {
        Self {
            first: NONE,
            vacant: NOWHERE,
            lines: vec![Line::EMPTY],
            leaves: 0,
            events: Vec::new(),
            unused: Vec::new(),
            now: SimTime::ZERO,
            sequence: 0,
            popped: 0,
        }
    }
}

impl<E: Copy> EventList<E> {
    /// Forgets everything and goes back to time 0, keeping the memory.
    pub fn reset(&mut self) {
        self.first = NONE;
        self.vacant = NOWHERE;
        self.lines.fill(Line::EMPTY);
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
        assert!(self.sequence >> SEQUENCE_BITS == 0, "more events than can be told apart");
        let key = Key { time: at.nanos(), order: self.sequence << SLOT_BITS };
        self.sequence += 1;
        let slot = core::mem::replace(&mut self.vacant, NOWHERE);
        if slot == NOWHERE {
            self.join(key, event);
        } else {
            self.events[slot as usize] = event;
            self.play(slot as usize, Key { order: key.order | u64::from(slot), ..key });
        }
    }

    /// When the next event is due.
    pub fn next_time(&mut self) -> Option<SimTime> {
        self.give_up();
        (self.first.time != NONE.time).then_some(SimTime::from_nanos(self.first.time))
    }

    /// Takes out the next event due.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.give_up();
        let key = self.first;
        if key.time == NONE.time {
            return None;
        }
        self.vacant = key.slot();
        self.now = SimTime::from_nanos(key.time);
        self.popped += 1;
        Some((SimTime::from_nanos(key.time), self.events[key.slot() as usize]))
    }

    /// Gives up the place of what was taken out, if no event took it.
    #[inline]
    fn give_up(&mut self) {
        let slot = core::mem::replace(&mut self.vacant, NOWHERE);
        if slot != NOWHERE {
            self.unused.push(slot);
            self.play(slot as usize, NONE);
        }
    }

    /// Puts an event in a place that has none. It only wins what was won by a later one.
    #[inline(never)]
    fn join(&mut self, key: Key, event: E) {
        let slot = if let Some(slot) = self.unused.pop() {
            self.events[slot as usize] = event;
            slot as usize
        } else {
            self.events.push(event);
            self.events.len() - 1
        };
        assert!(slot >> SLOT_BITS == 0, "more events than can be told apart");
        while slot >= 4 * (self.lines.len() - self.leaves) {
            self.grow();
        }
        let key = Key { order: key.order | slot as u64, ..key };
        let mut place = 4 * self.leaves + slot;
        self.lines[place / 4].put(place, key);
        while let Some(next) = (place / 4).checked_sub(1) {
            let line = &mut self.lines[next / 4];
            if line.key(next).is_before(key) {
                return;
            }
            line.put(next, key);
            place = next;
        }
        self.first = earlier(self.first, key);
    }

    /// Puts another key in the place of what was taken out, and plays all matches on its way up. It is kept out of
    /// callers' loops, in which the compiler would weigh its choices anew and make branches of them.
    #[inline(never)]
    fn play(&mut self, slot: usize, key: Key) {
        let (mut place, mut others, mut earliest) = (4 * self.leaves + slot, NONE, key);
        loop {
            let number = place / 4;
            let line = &mut self.lines[number];
            line.put(place, earliest);
            let here = earlier(earlier(line.key(place ^ 1), line.key(place ^ 2)), line.key(place ^ 3));
            others = earlier(others, here);
            earliest = earlier(key, others);
            if number == 0 {
                break;
            }
            place = number - 1;
        }
        self.first = earliest;
    }

    /// One more round: four times as many places.
    #[cold]
    fn grow(&mut self) {
        let next = self.lines.len();
        // Places keep their numbers: what was in the last round moves to a new one, and the old one holds its earliest.
        let mut lines = self.lines[..self.leaves].to_vec();
        let played = &self.lines[self.leaves..];
        lines.resize(next, Line::EMPTY);
        lines.extend_from_slice(played);
        lines.resize(4 * next + 1, Line::EMPTY);
        for number in (1..lines.len()).rev() {
            let line = lines[number];
            let earliest = (0..4).map(|place| line.key(place)).fold(NONE, earlier);
            lines[(number - 1) / 4].put(number - 1, earliest);
        }
        self.leaves = next;
        self.lines = lines;
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
    fn a_list_that_has_grown_forgets_all() {
        let mut list = EventList::default();
        for round in 0..3 {
            let at = |number: u64| SimTime::from_nanos(number * 7919 % 5000);
            for number in 0..5000 {
                list.schedule(at(number), number);
            }
            let order: Vec<u64> = core::iter::from_fn(|| list.pop()).map(|(_, number)| at(number).nanos()).collect();
            assert_eq!(order, (0..5000).collect::<Vec<_>>(), "round {round}");
            list.schedule(SimTime::from_nanos(5000 + round), 0);
            list.reset();
            assert_eq!((list.next_time(), list.pop(), list.now()), (None, None, SimTime::ZERO));
        }
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
