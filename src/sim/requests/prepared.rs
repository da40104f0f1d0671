//! What requests on a straight way will draw, drawn beforehand: several requests' at once, in loops that do one thing each.
//!
//! All that such a request does between its calls takes times that are independent of one another and of everything else,
//! by laws that stay as long as the way does. So nothing depends on when they are drawn, and what isn't used when something
//! changes is thrown away. Only what the request really does is counted, once it has done it.

use super::Traffic;
use super::draws::BATCH;
use super::going::Going;
use super::straight::What;
use super::units::spans;
use crate::base::{Id, SimTime, Span};
use crate::domain::Cluster;

/// At most so many are prepared at once.
const MOST: usize = BATCH;

/// By request and hop of its way: how many nanoseconds that takes. A call takes what the station says; with it stands what
/// all takes from there to the next call or the end.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    nanos: Vec<u64>,
    /// The most hops that a way has.
    longest: usize,
}

impl Prepared {
    #[inline]
    pub(super) fn hop(&self, slot: u32, hop: u32) -> Span {
        Span::from_nanos(self.nanos[slot as usize * self.longest + hop as usize])
    }

    fn put(&mut self, slots: &[u32], hop: usize, nanos: &[u64]) {
        for (&slot, &nanos) in slots.iter().zip(nanos) {
            self.nanos[slot as usize * self.longest + hop] = nanos;
        }
    }
}

impl Traffic<'_> {
    /// A request that is prepared for a way.
    #[inline]
    pub(super) fn take_prepared(&mut self, way: u32) -> u32 {
        loop {
            if let Some(slot) = self.straight[way as usize].ready.pop() {
                return slot;
            }
            self.prepare(way);
        }
    }

    /// Draws what some requests on a way will.
    #[inline(never)]
    fn prepare(&mut self, number: u32) {
        let way = &mut self.straight[number as usize];
        let (first, last, cluster, trip) = (way.first as usize, way.last as usize, way.cluster, way.trip);
        // Few at first: what is drawn for a way that changes soon is in vain.
        let count = way.prepare as usize;
        way.prepare = (2 * way.prepare).min(MOST as u32);
        let mut ready = core::mem::take(&mut way.ready);
        let nothing = Going {
            way: number,
            hop: 0,
            begun: SimTime::ZERO,
            deadline: SimTime::NEVER,
            back: Span::ZERO,
            waited: 0.0,
        };
        for _ in 0..count {
            ready.push(self.ended.pop().unwrap_or_else(|| {
                self.going.push(nothing);
                self.going.len() as u32 - 1
            }));
        }
        let longest = self.prepared.longest;
        self.prepared.nanos.resize(self.going.len() * longest, 0);
        let (mut since, mut sums) = (first, [0_u64; MOST]);
        for hop in first..=last {
            let what = self.hops[hop].what;
            if let What::Call(_) | What::End = what {
                self.prepared.put(&ready, since - first, &sums);
                (since, sums) = (hop, [0; MOST]);
                continue;
            }
            let (mut seconds, mut nanos) = ([0.0; MOST], [0; MOST]);
            self.draw_hop(what, (cluster, trip), &mut seconds[..count]);
            spans(&seconds, 1.0, &mut nanos);
            sums.iter_mut().zip(nanos).for_each(|(sum, nanos)| *sum = sum.saturating_add(nanos));
            if hop == first {
                for (&slot, back) in ready.iter().zip(nanos) {
                    self.going[slot as usize] = Going { back: Span::from_nanos(back), ..nothing };
                }
            } else {
                self.prepared.put(&ready, hop - first, &nanos);
            }
        }
        self.straight[number as usize].ready = ready;
    }

    /// Seconds that a hop takes; of the start the way to the cluster.
    fn draw_hop(&mut self, what: What, (cluster, trip): (Id<Cluster>, f64), seconds: &mut [f64]) {
        match what {
            What::Start => self.trips.add(0.5, trip, seconds),
            What::Cross(trip, proxies) => {
                self.trips.add(1.0, trip, seconds);
                if proxies {
                    for seconds in seconds {
                        *seconds += self.proxies(cluster);
                    }
                }
            }
            What::Access(access) => {
                self.trips.add(1.0, access.trip, seconds);
                self.trips.add(1.0, access.ack, seconds);
                self.store_time[access.store].add(1.0, seconds);
            }
            What::Dependency(dependency) => self.dependency_time[dependency.index()].add(1.0, seconds),
            What::Call(_) | What::End => {}
        }
    }

    /// Something has changed, and nobody is on a straight way: all that was prepared is thrown away.
    pub(super) fn forget_prepared(&mut self) {
        debug_assert!(self.lane.next_time() == SimTime::NEVER, "until something changes all have left their ways");
        self.going.clear();
        self.ended.clear();
        self.prepared.nanos.clear();
        self.prepared.longest = self.straight.iter().map(|way| (way.last - way.first) as usize).max().unwrap_or(0);
    }
}
