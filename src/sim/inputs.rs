//! What one cluster is given from outside: its condition and the shares of users routed to it.
//!
//! The unit of the flow engine's memo. Two moments with equal inputs, slot and pods are the same to a cluster,
//! whatever happens elsewhere.

use crate::base::{Id, SimTime};
use crate::domain::{Cluster, Connection, Dependency, Population, Root, Service, Stage};
use crate::plan::{AddressPlan, DEMAND};
use crate::replication::cache::Warmth;
use std::sync::Arc;

/// A float that is compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Bits(u64);

impl Bits {
    pub(super) const ONE: Self = Self(0x3ff0_0000_0000_0000);
    pub(super) const ZERO: Self = Self(0);

    pub(super) fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        // -0 and 0 are the same input.
        Self((value + 0.0).to_bits())
    }
}

/// What faults make of one thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Condition {
    /// Down, and why.
    pub(super) down: Option<Id<Root>>,
    /// Share of requests through it that fail.
    pub(super) errors: Bits,
    /// Why they fail.
    pub(super) errors_root: Id<Root>,
    /// What its time is multiplied by.
    pub(super) latency: Bits,
    /// What its capacity is multiplied by.
    pub(super) capacity: Bits,
}

impl Condition {
    pub(super) fn good() -> Self {
        Self { down: None, errors: Bits::ZERO, errors_root: Id::new(DEMAND), latency: Bits::ONE, capacity: Bits::ONE }
    }

    pub(super) fn is_good(&self) -> bool {
        self.down.is_none() && self.errors == Bits::ZERO && self.latency == Bits::ONE && self.capacity == Bits::ONE
    }
}

/// Where an access to a store goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Route {
    /// To the copy in this cluster; a write waits this long for its followers.
    Via(Id<Cluster>, Bits),
    /// To the follower at hand, which may not have the newest writes.
    Near(Id<Cluster>),
    /// To a copy that leads no more, and doesn't know.
    Deposed(Id<Cluster>),
    /// To copies that vote: through this cluster's, to those of the bits (positions in the store's copies), until so
    /// many have answered.
    Vote(Id<Cluster>, u64, u32),
    /// To the cache at hand, which holds so much; what misses goes where reads of the cached store go.
    Cache(Warmth),
    /// Nowhere.
    Fail(Stage, Id<Root>),
}

/// Where a population's accesses to one store go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Access {
    pub(super) read: Route,
    pub(super) write: Route,
}

/// The users of one population that are routed to a cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Flow {
    pub(super) population: Id<Population>,
    /// Share of the population at the start of the interval.
    pub(super) start: Bits,
    /// Share of the population at its end; linear in between.
    pub(super) end: Bits,
    /// What surges and growth multiply the rate by.
    pub(super) factor: Bits,
    /// These are the users of the current answer, not of an old one.
    pub(super) current: bool,
    /// The stage of what is lost because something here is down.
    pub(super) blame: Stage,
    /// Turned away before they reach anything, and why.
    pub(super) refused: Option<Id<Root>>,
    /// By store. Shared, as mostly they go where they went before.
    pub(super) stores: Arc<[Access]>,
}

impl Flow {
    /// Mean share over the interval.
    pub(super) fn share(&self) -> f64 {
        0.5 * (self.start.get() + self.end.get())
    }

    /// The share at a time within the interval.
    pub(super) fn share_at(&self, at: SimTime, (from, to): (SimTime, SimTime)) -> f64 {
        let (start, end) = (self.start.get(), self.end.get());
        if start == end || to <= from {
            return start;
        }
        start + (end - start) * (at.since(from).secs() / (to - from).secs()).min(1.0)
    }
}

/// What one cluster is given from outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Inputs {
    pub(super) cluster: Id<Cluster>,
    /// The region and the cluster themselves.
    pub(super) front: Condition,
    /// Zones that are up.
    pub(super) zones_up: u32,
    /// Dead zones whose endpoints are still listed.
    pub(super) zones_listed: u32,
    /// Why zones are dead.
    pub(super) zones_root: Id<Root>,
    /// Stations that aren't good, by position.
    pub(super) stations: Vec<(u32, Condition)>,
    /// Dependencies that aren't good.
    pub(super) dependencies: Vec<(Id<Dependency>, Condition)>,
    /// Why there is more load than capacity, should there be.
    pub(super) overload_root: Id<Root>,
    /// Autoscaling is on: not an unpromoted standby.
    pub(super) active: bool,
    /// No node is to be had.
    pub(super) short: bool,
    /// Users, by population; those of the current answer apart from those of old ones.
    pub(super) flows: Vec<Flow>,
    /// Where calls of services go that aren't here.
    pub(super) remotes: Vec<Remote>,
    /// The stations in other clusters that they go to.
    pub(super) mirrors: Vec<Mirror>,
    /// Calls from elsewhere to the stations here and to those mirrored.
    pub(super) outside: Vec<Outside>,
}

/// Where the calls go that a cluster makes under one address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Remote {
    pub(super) address: Id<AddressPlan>,
    pub(super) connection: Id<Connection>,
    pub(super) to: Id<Cluster>,
    /// They all fail, in this stage and for this cause.
    pub(super) fails: Option<(Stage, Id<Root>)>,
    /// What faults make of the way.
    pub(super) way: Condition,
    /// The position of the station in the mirrors.
    pub(super) mirror: u32,
}

/// A station in another cluster, as its callers see it. They solve it themselves, with everybody's load.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Mirror {
    pub(super) cluster: Id<Cluster>,
    pub(super) service: Id<Service>,
    /// Its position in its cluster.
    pub(super) station: u32,
    pub(super) ready: u32,
    /// The level of its backlog.
    pub(super) level: u32,
    /// Its region and cluster.
    pub(super) front: Condition,
    pub(super) condition: Condition,
    /// Share of its cluster's zones that are dead and still listed, and why.
    pub(super) listed: Bits,
    pub(super) zones_root: Id<Root>,
    pub(super) overload_root: Id<Root>,
}

/// Requests of a population that are routed elsewhere and call a station here, or one that is mirrored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Outside {
    /// A station here by position; then those mirrored.
    pub(super) station: u32,
    pub(super) service: Id<Service>,
    pub(super) population: Id<Population>,
    /// Share of the population at the start and at the end of the interval.
    pub(super) start: Bits,
    pub(super) end: Bits,
    /// What surges and growth multiply the rate by.
    pub(super) factor: Bits,
}

impl Outside {
    /// Mean share over the interval.
    pub(super) fn share(&self) -> f64 {
        0.5 * (self.start.get() + self.end.get())
    }
}

impl Default for Inputs {
    /// Of a cluster that nothing is known of.
    fn default() -> Self {
        Self {
            cluster: Id::new(0),
            front: Condition::good(),
            zones_up: 0,
            zones_listed: 0,
            zones_root: Id::new(DEMAND),
            stations: Vec::new(),
            dependencies: Vec::new(),
            overload_root: Id::new(DEMAND),
            active: true,
            short: false,
            flows: Vec::new(),
            remotes: Vec::new(),
            mirrors: Vec::new(),
            outside: Vec::new(),
        }
    }
}

impl Inputs {
    /// Shares move within the interval.
    pub(super) fn moving(&self) -> bool {
        self.flows.iter().any(|flow| flow.start != flow.end) || self.outside.iter().any(|own| own.start != own.end)
    }

    /// The same over the first `part` (0 to 1) of the interval.
    pub(super) fn first_part(&self, part: f64) -> Self {
        let mut inputs = self.clone();
        let flows = inputs.flows.iter_mut().map(|flow| (flow.start, &mut flow.end));
        for (start, end) in flows.chain(inputs.outside.iter_mut().map(|own| (own.start, &mut own.end))) {
            *end = Bits::from(start.get() + (end.get() - start.get()) * part);
        }
        inputs
    }
}
