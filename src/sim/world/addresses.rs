//! Where calls of services in other clusters go: which target an address leads to now, and when callers turn elsewhere.
//!
//! A mesh leaves a target that fails half of its calls or more after its outlier detection, for the nearest that is
//! well, and comes back a while after the nearest is well again. A static address stays as it is until somebody changes
//! it. Neither turns anywhere that residency forbids: candidates are the permitted ones. In a mesh, calls of a service
//! that a cluster runs itself leave it in the same way.

use super::super::inputs::{Bits, Condition, Inputs, Mirror, Outside, Remote};
use super::{Composed, Event, World, purpose};
use crate::base::{Id, SimTime, Span, Table};
use crate::domain::story::What;
use crate::domain::{Cluster, Connection, Population, Root, Service, Stage};
use crate::plan::{AddressPlan, DEMAND, Failover, Plan};

/// Callers look at pods and backlogs elsewhere no more often than this, and no less often than each hour.
const LEAST: Span = Span::from_whole_secs(1);
/// A target that fails so many of its calls is one to leave.
const FAILS: f64 = 0.5;

/// What fails at a target: cause, occurrence; and whether it is on the way there.
#[derive(Clone, Copy, Debug)]
struct Failing {
    root: Id<Root>,
    occurrence: u64,
    on_the_way: bool,
}

/// One address.
#[derive(Clone, Debug)]
struct Address {
    /// The candidate that it leads to.
    at: usize,
    serial: u32,
    /// What callers are about to do: leave, or come back.
    pending: Option<Turn>,
    /// It is known to fail, and there is nowhere to go yet.
    stranded: bool,
    /// Why it doesn't lead to the first candidate, since when.
    moved: Option<(Id<Root>, SimTime)>,
    /// The occurrence that it was left for last.
    cause: (Id<Root>, u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    Away,
    Back,
}

/// By station: pods ready, and the level of its backlog.
type Seen = Vec<(u32, u32)>;

/// Where calls of other clusters go.
#[derive(Debug)]
pub(super) struct Remotes {
    addresses: Table<AddressPlan, Address>,
    /// Clusters that are called, with the pods ready and the levels of backlogs of their stations at the last look.
    seen: Vec<(Id<Cluster>, Seen)>,
    serial: u32,
    look_again: Span,
    /// This look is one that was due, with nothing else that happened.
    due: bool,
}

impl Remotes {
    pub(super) fn new(plan: &Plan) -> Self {
        let demand = (Id::new(DEMAND), 0);
        let address = Address { at: 0, serial: 0, pending: None, stranded: false, moved: None, cause: demand };
        let mut called: Vec<Id<Cluster>> =
            plan.addresses.iter().flat_map(|address| address.candidates.iter().map(|candidate| candidate.1)).collect();
        called.sort_unstable();
        called.dedup();
        Self {
            addresses: vec![address; plan.addresses.len()].into(),
            seen: called.into_iter().map(|cluster| (cluster, Vec::new())).collect(),
            serial: 0,
            look_again: LEAST,
            due: false,
        }
    }

    /// Whether a look is the one that is due.
    pub(super) fn looks_at(&mut self, serial: u32) -> bool {
        self.due = self.serial == serial;
        self.due
    }
}

impl World<'_> {
    /// What faults make of a connection between two clusters, its hub and the network under it included.
    fn way(&self, connection: Id<Connection>, from: Id<Cluster>, to: Id<Cluster>) -> Composed {
        let (a, b) = (self.plan.clusters[from].region, self.plan.clusters[to].region);
        let (low, high) = (a.min(b), a.max(b));
        let under = self.index.links.iter().filter(|link| link.0 == low && link.1 == high).map(|link| link.2);
        self.compose(self.index.connections[connection].iter().copied().chain(under))
    }

    /// What faults make of a service in a cluster.
    fn state_of(&self, cluster: Id<Cluster>, service: Id<Service>) -> Composed {
        let position = self.plan.clusters[cluster].station_of[service];
        let holds = self.index.stations[cluster].iter().filter(|(other, _)| Some(*other) == position);
        self.compose(holds.map(|&(_, hold)| hold))
    }

    /// Why a candidate of an address is one to leave, if it is.
    fn failing(&self, address: &AddressPlan, candidate: usize) -> Option<Failing> {
        let &(connection, to) = address.candidates.get(candidate)?;
        let bad = |composed: &Composed, on_the_way: bool| {
            let condition = &composed.condition;
            if condition.down.is_none() && condition.errors.get() < FAILS {
                return None;
            }
            let (root, occurrence, _) = composed.cause?;
            Some(Failing { root, occurrence, on_the_way })
        };
        let there = || bad(&self.state_of(to, address.service), false);
        if to == address.caller {
            return there();
        }
        bad(&self.way(connection, address.caller, to), true).or_else(|| bad(&self.fronts[to], false)).or_else(there)
    }

    /// The first candidate that is well, of those that callers of the present one can turn to.
    fn refuge(&self, id: Id<AddressPlan>) -> Option<usize> {
        let address = &self.plan.addresses[id];
        let meshed = |candidate: usize| match self.plan.connections[address.candidates[candidate].0].failover {
            Failover::Outlier(..) => true,
            Failover::Static(_) => false,
        };
        let in_mesh = meshed(self.remotes.addresses[id].at);
        (0..address.candidates.len())
            .find(|&candidate| (!in_mesh || meshed(candidate)) && self.failing(address, candidate).is_none())
    }

    /// Callers look at what they call: who fails, how many pods there are, what waits.
    pub(super) fn review_addresses(&mut self, now: SimTime) {
        if self.plan.addresses.is_empty() {
            return;
        }
        for id in self.plan.addresses.keys() {
            self.review_address(now, id);
        }
        if self.by_request.is_none() {
            self.look(now);
        }
    }

    fn review_address(&mut self, now: SimTime, id: Id<AddressPlan>) {
        let plan = self.plan;
        let address = &plan.addresses[id];
        let at = self.remotes.addresses[id].at;
        let failing = self.failing(address, at);
        let own = &mut self.remotes.addresses[id];
        let turn = if let Some(failing) = failing {
            own.cause = (failing.root, failing.occurrence);
            Some(Turn::Away)
        } else {
            own.stranded = false;
            (at > 0 && self.refuge(id).is_some_and(|better| better < at)).then_some(Turn::Back)
        };
        let own = &mut self.remotes.addresses[id];
        if own.stranded && turn == Some(Turn::Away) {
            if let Some(to) = self.refuge(id) {
                self.lead_to(id, to, now);
            }
            return;
        }
        if own.pending == turn {
            return;
        }
        own.pending = turn;
        own.serial += 1;
        let (serial, (root, occurrence)) = (own.serial, own.cause);
        let Some(turn) = turn else { return };
        let delay = match &plan.connections[address.candidates[at].0].failover {
            Failover::Outlier(detection, ejection) => Some(match turn {
                Turn::Away => *detection,
                Turn::Back => *ejection,
            }),
            Failover::Static(change) => change.as_ref().map(|change| {
                let attempt = u64::from(turn == Turn::Back);
                change.sample_span(&mut self.consequence(root, occurrence, address.digest, purpose::ADDRESS, attempt))
            }),
        };
        if let Some(delay) = delay {
            self.events.schedule(now + delay, Event::Readdress { address: id.index() as u32, serial });
        }
    }

    /// Callers turn elsewhere, if they still want to.
    pub(super) fn readdress(&mut self, now: SimTime, id: Id<AddressPlan>, serial: u32) {
        if self.remotes.addresses[id].serial != serial {
            return;
        }
        self.remotes.addresses[id].pending = None;
        match self.refuge(id) {
            Some(to) => self.lead_to(id, to, now),
            None => self.remotes.addresses[id].stranded = true,
        }
    }

    fn lead_to(&mut self, id: Id<AddressPlan>, to: usize, now: SimTime) {
        let own = &mut self.remotes.addresses[id];
        let (root, plan) = (own.cause.0, &self.plan.addresses[id]);
        let (from, target) = (plan.candidates[own.at].1, plan.candidates[to].1);
        self.log.note(now, root, || What::Readdressed(plan.caller, plan.service, from, target));
        let since = own.moved.map_or(now, |(_, since)| since);
        *own =
            Address { at: to, stranded: false, pending: None, moved: (to > 0).then_some((root, since)), ..own.clone() };
        own.serial += 1;
    }

    /// Takes pods and backlogs of the clusters that are called as they are now, and says when to do so again.
    fn look(&mut self, now: SimTime) {
        let mut changed = false;
        for position in 0..self.remotes.seen.len() {
            let cluster = self.remotes.seen[position].0;
            self.flush(now, cluster);
            let levels = self.units[cluster].waiting(self.plan, self.memo);
            let pods = self.units[cluster].pods(self.memo).iter().map(|pods| pods.ready).enumerate();
            let seen: Vec<_> =
                pods.map(|(station, ready)| (ready, levels.get(station).copied().unwrap_or(0))).collect();
            let before = &mut self.remotes.seen[position].1;
            changed |= *before != seen;
            *before = seen;
        }
        let own = &mut self.remotes;
        // What doesn't change is looked at less and less often; after an event it may.
        let settled = core::mem::take(&mut own.due) && !changed;
        own.look_again = if settled { (own.look_again + own.look_again).min(Span::HOUR) } else { LEAST };
        own.serial += 1;
        let look = Event::Look { serial: own.serial };
        self.events.schedule(now + self.remotes.look_again, look);
    }

    /// Why calls come to a cluster from others that don't when all is well.
    pub(super) fn turned_to(&self, cluster: Id<Cluster>) -> Option<(Id<Root>, SimTime)> {
        let addresses = self.plan.addresses.iter().zip(&self.remotes.addresses);
        let here = addresses.filter(|(plan, own)| plan.candidates.get(own.at).is_some_and(|one| one.1 == cluster));
        here.filter_map(|(_, own)| own.moved).min_by_key(|&(root, since)| (since, root))
    }

    /// Adds to a cluster's inputs where its calls go, and what comes from elsewhere.
    pub(super) fn add_remotes(&self, now: SimTime, inputs: &mut Inputs) {
        let (plan, here) = (self.plan, inputs.cluster);
        if plan.addresses.is_empty() {
            return;
        }
        for (id, address) in plan.addresses.iter_enumerated().filter(|(_, address)| address.caller == here) {
            let own = &self.remotes.addresses[id];
            let (connection, to) = address.candidates[own.at];
            if to == here {
                continue;
            }
            let way = self.way(connection, here, to).condition;
            let known = inputs.mirrors.iter().position(|one| (one.cluster, one.service) == (to, address.service));
            let mirror = known.unwrap_or_else(|| {
                inputs.mirrors.push(self.mirror(to, address.service));
                inputs.mirrors.len() - 1
            });
            let there = &inputs.mirrors[mirror];
            let down = way.down.or(there.front.down).or(there.condition.down);
            let fails = down.map(|root| (self.blame_address(id), root));
            let remote = Remote { address: id, connection, to, fails, way, mirror: mirror as u32 };
            inputs.remotes.push(remote);
        }
        let stations = plan.clusters[here].stations.iter().map(|station| (here, station.service));
        let all: Vec<_> = stations.chain(inputs.mirrors.iter().map(|one| (one.cluster, one.service))).collect();
        for (station, (cluster, service)) in all.into_iter().enumerate() {
            self.outside(now, here, (cluster, service), station as u32, &mut inputs.outside);
        }
    }

    /// The stage of what is lost under an address that fails.
    fn blame_address(&self, id: Id<AddressPlan>) -> Stage {
        let address = &self.plan.addresses[id];
        let at = self.remotes.addresses[id].at;
        if self.refuge(id).is_none() {
            let on_the_way = self.failing(address, at).is_some_and(|failing| failing.on_the_way);
            return if on_the_way { Stage::Partition } else { Stage::NoTarget };
        }
        match self.plan.connections[address.candidates[at].0].failover {
            Failover::Outlier(..) => Stage::Undetected,
            Failover::Static(_) => Stage::StaticAddress,
        }
    }

    /// A station as its callers see it.
    fn mirror(&self, cluster: Id<Cluster>, service: Id<Service>) -> Mirror {
        let own = &self.plan.clusters[cluster];
        let station = own.station_of[service].unwrap_or(0);
        let seen = self.remotes.seen.iter().find(|seen| seen.0 == cluster);
        let (ready, level) = seen.and_then(|seen| seen.1.get(station as usize).copied()).unwrap_or((0, 0));
        let zones = &self.zones[cluster];
        let (up, listed) = (f64::from(self.zones_up(cluster)), f64::from(zones.listed.count_ones()));
        let demand = Id::new(DEMAND);
        let given = self.memo.inputs(self.units[cluster].inputs).overload_root;
        let overload_root =
            if given == demand { self.turned_to(cluster).map_or(demand, |moved| moved.0) } else { given };
        Mirror {
            cluster,
            service,
            station,
            ready,
            level,
            front: self.fronts[cluster].condition,
            condition: self.state_of(cluster, service).condition,
            listed: Bits::from(listed / (up + listed).max(1.0)),
            zones_root: zones.cause.map_or(demand, |(root, _)| root),
            overload_root,
        }
    }

    /// Adds the users who call a service in a cluster and aren't served `here`: those served there, and those whose
    /// clusters call it.
    fn outside(
        &self,
        now: SimTime,
        here: Id<Cluster>,
        (to, service): (Id<Cluster>, Id<Service>),
        station: u32,
        outside: &mut Vec<Outside>,
    ) {
        let plan = self.plan;
        for (population, routed) in self.routed.iter_enumerated() {
            if plan
                .journeys
                .iter()
                .zip(&plan.populations[population].shares)
                .all(|(journey, &share)| share <= 0.0 || crate::plan::connections::calls_of(journey, service) == 0)
            {
                continue;
            }
            let (mut start, mut end) = (0.0, 0.0);
            for cluster in plan.clusters.keys().filter(|&cluster| cluster != here) {
                let passes = self.passes(cluster, population, (to, service));
                let front = &self.fronts[cluster].condition;
                if passes <= 0.0 || front.down.is_some() || self.cut_off(population, cluster).is_some() {
                    continue;
                }
                let (from, until, _) = self.shares(now, cluster, population);
                start += from * passes;
                end += until * passes;
            }
            if start > 0.0 || end > 0.0 {
                let (start, end, factor) = (Bits::from(start), Bits::from(end), Bits::from(routed.factor));
                outside.push(Outside { station, service, population, start, end, factor });
            }
        }
    }

    /// The share of a population's calls from one cluster that arrive at a service in another.
    fn passes(&self, from: Id<Cluster>, population: Id<Population>, (to, service): (Id<Cluster>, Id<Service>)) -> f64 {
        let Some(id) = self.plan.address_of(from, population, service) else {
            return if from == to { 1.0 } else { 0.0 };
        };
        let (connection, target) = self.plan.addresses[id].candidates[self.remotes.addresses[id].at];
        if target != to {
            return 0.0;
        }
        if from == to {
            return 1.0;
        }
        let way: Condition = self.way(connection, from, to).condition;
        if way.down.is_some() { 0.0 } else { 1.0 - way.errors.get() }
    }
}
