//! Requests on straight ways: what each will draw, drawn beforehand, and what has become of it.
//!
//! All that such a request does between its calls takes times that are independent of one another and of everything else,
//! by laws that stay as long as the way does. So they are drawn for several requests at once, in loops that do one thing
//! each, from a stream of the way's own: the n-th request of a way is the same whatever others do meanwhile. What isn't
//! used when something changes is thrown away. Only what a request really does is counted, once it has done it.
//!
//! Requests of one way that begin one after another share a block: each is a place in its columns.

use super::Traffic;
use super::draws::BATCH;
use super::straight::What;
use super::units::{seconds_each, spans};
use crate::base::stream::Rng;
use crate::base::{Id, SimTime, Span};
use crate::domain::Cluster;
use core::ops::Range;

/// So many requests share a block.
pub(super) const BLOCK: usize = BATCH;
/// As many are prepared at first: what is drawn for a way that changes soon is in vain.
const FIRST: u32 = 4;

/// Columns of a block, in nanoseconds: when it began, the way back to the client, how long it has waited for servers, and
/// how long all took once it has its answer.
pub(super) const BEGUN: usize = 0;
pub(super) const BACK: usize = 1;
pub(super) const WAITED: usize = 2;
const TOOK: usize = 3;
/// A column of what concerns the whole block: at these places its way; of all requests on that, which one is its first; how
/// many have neither their answer nor left the way, or are yet to begin; how many have been counted; whether some have left.
const BLOCKS: usize = 4;
const WAY: usize = 0;
const NUMBER: usize = 1;
const OPEN: usize = 2;
const COUNTED: usize = 3;
const LEAVES: usize = 4;
/// From here on for each hop of the way how long that takes: with a call, which takes what the station says, stands what
/// all takes from there to the next call or the end.
pub(super) const HOPS: usize = 5;

/// As many bits have the nanoseconds of two years, of which two hundred fit the clock.
const LONG: u32 = 56;

/// It took so long that it has left its way.
const LEFT: u64 = u64::MAX;

/// All requests on straight ways. A slot is where in all columns of all blocks its first is.
#[derive(Debug, Default)]
pub(super) struct Slots {
    nanos: Vec<u64>,
    columns: usize,
    unused: Vec<u32>,
}

impl Slots {
    #[inline]
    pub(super) fn get(&self, slot: u32, column: usize) -> u64 {
        self.nanos[slot as usize + column * BLOCK]
    }

    #[inline]
    pub(super) fn span(&self, slot: u32, column: usize) -> Span {
        Span::from_nanos(self.get(slot, column))
    }

    pub(super) fn begun(&self, slot: u32) -> SimTime {
        SimTime::from_nanos(self.get(slot, BEGUN))
    }

    #[inline]
    pub(super) fn set(&mut self, slot: u32, column: usize, nanos: u64) {
        self.nanos[slot as usize + column * BLOCK] = nanos;
    }

    #[inline]
    pub(super) fn add(&mut self, slot: u32, column: usize, nanos: u64) {
        self.nanos[slot as usize + column * BLOCK] += nanos;
    }

    /// What concerns all of a slot's block.
    #[inline]
    fn of_block(&mut self, slot: u32, place: usize) -> &mut u64 {
        &mut self.nanos[at_block(slot, place)]
    }

    #[inline]
    pub(super) fn way(&self, slot: u32) -> u32 {
        self.nanos[at_block(slot, WAY)] as u32
    }

    /// A time, and of those who come at once an order that is theirs, wherever they lie.
    pub(super) fn key(&self, at: u64, slot: u32) -> u128 {
        let first = self.nanos[at_block(slot, NUMBER)];
        let order = u64::from(self.way(slot)) << 32 | (first + u64::from(slot) % BLOCK as u64);
        u128::from(at) << 64 | u128::from(order)
    }

    fn column(&mut self, block: u32, column: usize) -> &mut [u64] {
        &mut self.nanos[block as usize + column * BLOCK..][..BLOCK]
    }

    /// A block for requests of a way, of which so many have begun.
    fn open(&mut self, way: u32, number: u32) -> u32 {
        let block = self.unused.pop().unwrap_or_else(|| {
            let block = self.nanos.len() as u32;
            self.nanos.resize(self.nanos.len() + self.columns * BLOCK, 0);
            block
        });
        let places = [u64::from(way), u64::from(number), BLOCK as u64, 0, 0];
        self.column(block, BLOCKS)[..places.len()].copy_from_slice(&places);
        block
    }

    /// A column's seconds of those of a block that have had their answers. Gives how many these are.
    fn of_good(&self, block: u32, column: usize, (from, to): (usize, usize), secs: &mut [f64; BLOCK]) -> usize {
        let column_at = |column| &self.nanos[block as usize + column * BLOCK..][..BLOCK];
        let column = &column_at(column)[from..to];
        if column_at(BLOCKS)[LEAVES] == 0 {
            seconds_each(column, secs);
            return column.len();
        }
        let took = &column_at(TOOK)[from..to];
        let (mut good, mut count) = ([0; BLOCK], 0);
        for (&nanos, _) in column.iter().zip(took).filter(|(_, took)| **took != LEFT) {
            good[count] = nanos;
            count += 1;
        }
        seconds_each(&good[..count], secs);
        count
    }
}

/// Where it stands what concerns all of a slot's block.
#[inline]
fn at_block(slot: u32, place: usize) -> usize {
    slot as usize / BLOCK * BLOCK + BLOCKS * BLOCK + place
}

impl Traffic<'_> {
    /// Slots for the next requests on a way, with all that they will draw: at most so many, at least one.
    #[inline]
    pub(super) fn take_slots(&mut self, way: u32, most: usize) -> Range<u32> {
        let own = &self.straight[way as usize];
        if own.used == own.ready {
            self.prepare(way);
        }
        let own = &mut self.straight[way as usize];
        let count = (own.ready - own.used).min(most as u32);
        let first = own.block + own.used;
        own.used += count;
        own.under_way += count;
        first..first + count
    }

    /// Draws what some requests on a way will.
    #[inline(never)]
    fn prepare(&mut self, number: u32) {
        let way = &mut self.straight[number as usize];
        let (first, last, cluster, trip) = (way.first as usize, way.last as usize, way.cluster, way.trip);
        if way.used == BLOCK as u32 {
            way.block = self.slots.open(number, way.number);
            (way.used, way.ready) = (0, 0);
        }
        let from = way.ready as usize;
        way.ready = if way.number >= BLOCK as u32 { BLOCK as u32 } else { (2 * way.ready).max(FIRST) };
        let (block, count) = (way.block, way.ready as usize - from);
        way.number = way.number.wrapping_add(count as u32);
        let mut rng = way.rng.clone();
        let some = from..from + count;
        self.slots.column(block, WAITED)[some.clone()].fill(0);
        let (mut since, mut sums, mut long) = (first, [0_u64; BLOCK], last - first >= 1 << (64 - LONG));
        for hop in first..=last {
            let what = self.hops[hop].what;
            if let What::Call(_) | What::End = what {
                let column = self.slots.column(block, HOPS + since - first);
                column[some.clone()].copy_from_slice(&sums[..count]);
                (since, sums) = (hop, [0; BLOCK]);
                continue;
            }
            let mut seconds = [0.0; BLOCK];
            self.draw_hop(what, (cluster, trip), &mut rng, &mut seconds[..count]);
            let column = if hop == first { BACK } else { HOPS + hop - first };
            let nanos = &mut self.slots.column(block, column)[some.clone()];
            long |= spans(&seconds[..count], 1.0, nanos) >> LONG != 0;
            if long {
                sums.iter_mut().zip(nanos).for_each(|(sum, nanos)| *sum = sum.saturating_add(*nanos));
            } else {
                sums.iter_mut().zip(nanos).for_each(|(sum, nanos)| *sum += *nanos);
            }
        }
        self.straight[number as usize].rng = rng;
    }

    /// Seconds that a hop takes; of the start the way to the cluster.
    fn draw_hop(&self, what: What, (cluster, trip): (Id<Cluster>, f64), rng: &mut Rng, seconds: &mut [f64]) {
        match what {
            What::Start => self.trips.add(0.5, trip, rng, seconds),
            What::Cross(trip, proxies) => {
                self.trips.add(1.0, trip, rng, seconds);
                if proxies {
                    for seconds in seconds {
                        *seconds += self.extras.of_proxies(cluster, rng);
                    }
                }
            }
            What::Access(access) => {
                self.trips.add(1.0, access.trip, rng, seconds);
                self.trips.add(1.0, access.ack, rng, seconds);
                self.store_time[access.store].add(1.0, rng, seconds);
            }
            What::Dependency(dependency) => self.dependency_time[dependency.index()].add(1.0, rng, seconds),
            What::Call(_) | What::End => {}
        }
    }

    /// One has its answer after so long.
    #[inline]
    pub(super) fn end_good(&mut self, way: u32, slot: u32, took: u64) {
        self.slots.set(slot, TOOK, took);
        self.end(way, slot);
    }

    /// One has left its way.
    pub(super) fn end_left(&mut self, slot: u32) {
        self.slots.set(slot, TOOK, LEFT);
        *self.slots.of_block(slot, LEAVES) = 1;
        self.end(self.slots.way(slot), slot);
    }

    #[inline]
    fn end(&mut self, way: u32, slot: u32) {
        self.straight[way as usize].under_way -= 1;
        let open = self.slots.of_block(slot, OPEN);
        *open -= 1;
        if *open == 0 {
            self.close(slot - slot % BLOCK as u32);
        }
    }

    /// All of a block have ended.
    #[inline(never)]
    fn close(&mut self, block: u32) {
        self.count_slots(block, BLOCK);
        self.slots.unused.push(block);
    }

    /// Counts those that have begun on a way, all of which have ended.
    pub(super) fn count_ended(&mut self, way: u32) {
        let way = &self.straight[way as usize];
        if way.used < BLOCK as u32 {
            self.count_slots(way.block, way.used as usize);
        }
    }

    /// Counts how long those took that have their answers, and what they did: of a block's requests up to this one.
    fn count_slots(&mut self, block: u32, to: usize) {
        let counted = core::mem::replace(self.slots.of_block(block, COUNTED), to as u64);
        let some = (counted as usize, to);
        let way = &self.straight[self.slots.way(block) as usize];
        let cell = way.population.index() * self.plan.journeys.len() + way.journey.index();
        let mut secs = [0.0; BLOCK];
        let count = self.slots.of_good(block, TOOK, some, &mut secs);
        if count == 0 {
            return;
        }
        self.counts.latency[cell].record_all(&secs[..count]);
        for hop in way.first..way.last {
            let What::Access(access) = self.hops[hop as usize].what else { continue };
            self.slots.of_good(block, HOPS + (hop - way.first) as usize, some, &mut secs);
            self.counts.accessed_each(access.store, way.journey, access.writes, &secs[..count]);
            access.add_written(count as f64 * self.counts.weight, &mut self.written);
        }
    }

    /// Something has changed, and nobody is on a straight way: all that was prepared is thrown away.
    pub(super) fn forget_slots(&mut self) {
        debug_assert!(self.due.is_empty(), "until something changes all have left their ways");
        let longest = self.straight.iter().map(|way| (way.last - way.first) as usize).max().unwrap_or(0);
        self.slots.nanos.clear();
        self.slots.unused.clear();
        self.slots.columns = HOPS + longest;
    }
}
