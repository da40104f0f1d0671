//! Calls of services in other clusters, within one cluster's steady state.
//!
//! A cluster solves the stations that it calls elsewhere itself, as mirrors with everybody's load; the cluster that runs
//! them does the same with its callers' load. Both see the calls that requests make as they are routed, so they agree
//! but for what requests lose before their call, and for the retries of that.

use super::fixed_point::{Call, Hop, Path, Walk};
use super::inputs::{Condition, Inputs, Mirror, Remote};
use super::shape::failing;
use super::station::Server;
use crate::base::{Id, Span};
use crate::dist::Dist;
use crate::domain::observation::Carried;
use crate::domain::{Cluster, Population, Service, Stage};
use crate::plan::connections::calls_of;
use crate::plan::{JourneyPlan, Plan};
use crate::traffic::latency::{Curve, Part};

/// A station that is called: by its position here, or after those here if it is elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Called<'i> {
    pub(super) station: usize,
    pub(super) remote: Option<(&'i Remote, &'i Mirror)>,
}

/// Where a population's call of a service goes, if anywhere.
pub(super) fn called<'i>(
    plan: &Plan,
    inputs: &'i Inputs,
    population: Id<Population>,
    service: Id<Service>,
) -> Option<Called<'i>> {
    let own = &plan.clusters[inputs.cluster];
    let find = || {
        let address = plan.address_of(inputs.cluster, population, service)?;
        inputs.remotes.iter().find(|remote| remote.address == address)
    };
    let Some(remote) = (if inputs.remotes.is_empty() { None } else { find() }) else {
        return own.station_of[service].map(|position| Called { station: position as usize, remote: None });
    };
    let mirror = &inputs.mirrors[remote.mirror as usize];
    Some(Called { station: own.stations.len() + remote.mirror as usize, remote: Some((remote, mirror)) })
}

/// The mirrored stations.
pub(super) fn servers<'p>(plan: &'p Plan, inputs: &Inputs) -> impl Iterator<Item = Server<'p>> {
    inputs.mirrors.iter().map(|mirror| {
        let own = &plan.clusters[mirror.cluster].stations[mirror.station as usize];
        let degraded = mirror.condition.capacity.get() * mirror.front.capacity.get();
        Server::of(&plan.services[mirror.service], own.levels, mirror.level, mirror.ready, degraded)
    })
}

/// Adds the calls from elsewhere, as walks of one station each.
pub(super) fn outside<'p>(
    plan: &'p Plan,
    inputs: &Inputs,
    slot: usize,
    conditions: &[Condition],
    walks: &mut Vec<Walk<'p>>,
) {
    if inputs.front.down.is_some() {
        return;
    }
    for own in &inputs.outside {
        let station = own.station as usize;
        if conditions[station].down.is_some() {
            continue;
        }
        let population = &plan.populations[own.population];
        let rate = population.rate * population.profile[slot] * own.share() * own.factor.get();
        for (journey, share) in plan.journeys.iter().zip(&population.shares) {
            let calls = calls_of(journey, own.service);
            if calls == 0 || rate * share <= 0.0 {
                continue;
            }
            let hop = Hop::new(0.0, Stage::Overload, inputs.overload_root, Some(station));
            let calls =
                (0..calls).map(|before| Call { before, station, share: 1.0, missed: false }).collect::<Vec<_>>();
            let path = Path { hops: vec![hop; calls.len()], calls: calls.into(), lookups: Vec::new() };
            walks.push(Walk::new(journey, rate * share, path));
        }
    }
}

/// Adds the hops of a call that goes elsewhere, and the call itself unless nothing arrives.
pub(super) fn hops(
    (remote, mirror): (&Remote, &Mirror),
    station: usize,
    reached: usize,
    hops: &mut Vec<Hop>,
    calls: &mut Vec<Call>,
) {
    if let Some((stage, root)) = remote.fails {
        hops.push(Hop::new(1.0, stage, root, None));
        return;
    }
    let share = 1.0 - remote.way.errors.get();
    calls.push(Call { before: reached, station, share, missed: false });
    let mut errors = |condition: &Condition| {
        if let Some((fails, stage, root)) = failing(condition, Stage::NoTarget) {
            hops.push(Hop::new(fails, stage, root, None));
        }
    };
    errors(&remote.way);
    errors(&mirror.front);
    errors(&mirror.condition);
    if mirror.listed.get() > 0.0 {
        hops.push(Hop::new(mirror.listed.get(), Stage::Undetected, mirror.zones_root, None));
    }
    hops.push(Hop::new(0.0, Stage::Overload, mirror.overload_root, Some(station)));
}

/// What a call's latency depends on.
pub(super) fn key((remote, mirror): (&Remote, &Mirror), key: &mut Vec<u64>) {
    let way = u64::from(u32::MAX) << 32 | remote.connection.index() as u64;
    key.extend([way, remote.to.index() as u64, remote.way.latency.get().to_bits()]);
    key.push((mirror.front.latency.get() * mirror.condition.latency.get()).to_bits());
}

/// A call's latency but for waits: the way there and back, and the service.
pub(super) fn parts(plan: &Plan, from: Id<Cluster>, (remote, mirror): (&Remote, &Mirror), parts: &mut Vec<Part>) {
    let slowed = |dist: &Dist, factor: f64| if factor == 1.0 { dist.clone() } else { dist.scaled(factor.max(1e-9)) };
    let way = remote.way.latency.get();
    let seconds = plan.region_rtt[plan.clusters[from].region][plan.clusters[remote.to].region] * way;
    if seconds > 0.0 {
        parts.push(Part::One(Dist::lognormal(Span::from_secs(seconds), plan.jitter)));
    }
    if let Some(latency) = &plan.connections[remote.connection].latency {
        let latency = slowed(latency, way);
        parts.extend([Part::One(latency.clone()), Part::One(latency)]);
    }
    let factor = mirror.front.latency.get() * mirror.condition.latency.get();
    parts.push(Part::One(slowed(&plan.services[mirror.service].time, factor)));
}

/// The slowest of calls made at once, each with its own parts.
pub(super) fn slowest(calls: &[Vec<Part>]) -> Part {
    Part::Fastest(calls.len(), calls.iter().map(|parts| Curve::sum(parts)).collect())
}

/// Adds what calls of good requests carry to another cluster, per second.
pub(super) fn carry(
    plan: &Plan,
    from: Id<Cluster>,
    remote: &Remote,
    journey: &JourneyPlan,
    good: f64,
    carried: &mut Carried,
) {
    let connection = &plan.connections[remote.connection];
    let (there, back) = (good * journey.request, good * journey.response);
    carried.over(remote.connection, good, there + back);
    if connection.internet {
        carried.to_internet(from, there);
        carried.to_internet(remote.to, back);
    }
    for cluster in [from, remote.to] {
        if plan.clusters[cluster].proxies.is_some() {
            carried.through_proxies(cluster, good);
        }
    }
}
