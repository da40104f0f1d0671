//! Stations as a plan says, and as faults leave them.

use super::Opening;
use super::SERVICE;
use super::sample::{Sampler, Tables};
use super::station::{Making, Pace, Station};
use crate::base::stream::digest;
use crate::base::{Id, Table};
use crate::domain::{Cluster, Journey};
use crate::plan::{Plan, ServicePlan, StepPlan};
use crate::sim::inputs::Condition;
use crate::traffic::spec::Station as Kind;

/// What faults leave of a station's servers.
pub(super) fn pace(service: &ServicePlan, ready: u32, condition: &Condition, front: &Condition, scale: f64) -> Pace {
    let whole = f64::from(ready) * f64::from(service.concurrency) * scale;
    let capacity = whole * condition.capacity.get() * front.capacity.get();
    // Whole servers, each as much slower as rounding up made them too many.
    let servers = (capacity - 1e-9).ceil().max(0.0);
    Pace {
        servers: servers as u32,
        slower: if capacity > 0.0 { servers / capacity } else { 1.0 },
        later: condition.latency.get() * front.latency.get(),
    }
}

/// The only journey with a share.
pub(super) fn only(shares: &Table<Journey, f64>) -> Option<Id<Journey>> {
    let mut some = shares.iter_enumerated().filter(|(_, share)| **share > 0.0);
    let first = some.next()?;
    some.next().is_none().then_some(first.0)
}

/// Makes a station.
pub(super) fn station(
    plan: &Plan,
    (id, position): (Id<Cluster>, usize),
    opening: Opening,
    scale: f64,
    tables: &mut Tables,
) -> Station {
    let cluster = &plan.clusters[id];
    let own = &cluster.stations[position];
    let service = &plan.services[own.service];
    let good = Condition::good();
    let calls = |step: &StepPlan| match step {
        StepPlan::Call(services) => services.contains(&own.service),
        StepPlan::Read(store, _) => plan.stores[*store].cache.is_some_and(|cache| cache.through == Some(own.service)),
        StepPlan::Write(..) | StepPlan::Dependency(_) => false,
    };
    let callers = || plan.journeys.iter().filter(|journey| journey.steps.iter().any(calls));
    Station::new(Making {
        ready: own.standby_replicas,
        pace: pace(service, own.standby_replicas, &good, &good, scale),
        // What never waits is shed at once.
        limit: match service.station {
            Kind::Fluid => Some(0),
            Kind::Mmc | Kind::Ps => service.queue.map(|limit| (limit as f64 * scale).ceil() as u64),
        },
        time: Sampler::new(&service.time, tables),
        rng: opening.stream.with(cluster.digest).with(digest(&service.name)).with(SERVICE).rng(),
        objective: service.wait_objective,
        patient: callers().all(|journey| journey.patience.is_none() && journey.hedge.is_none()),
        shared: matches!(service.station, Kind::Ps),
        opens: opening.from,
        priorities: callers().map(|journey| journey.priority).collect(),
    })
}
