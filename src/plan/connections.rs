//! Connections between clusters, compiled: which addresses callers hold, and what each leads over.

use super::{ClusterPlan, JourneyPlan, Plan, PopulationPlan, StepPlan};
use crate::base::stream::digest;
use crate::base::{Id, Money, Span, Table};
use crate::dist::Dist;
use crate::domain::{Cluster, Connection, Hub, Journey, Population, Region, Service};
use crate::network::connection::{ConnectionKind, ConnectionSpec};
use crate::scenario::resolved::Scenario;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionPlan {
    /// Its name.
    pub name: String,
    /// Its kind, as a scenario writes it.
    pub kind: String,
    /// The pairs of clusters that it joins: who calls, who is called.
    pub pairs: Vec<(Id<Cluster>, Id<Cluster>)>,
    /// What it adds to a call on each of its two ways; `None` if nothing.
    pub latency: Option<Dist>,
    /// What callers do when their target fails.
    pub failover: Failover,
    /// Bytes on it are encrypted.
    pub encrypted: bool,
    /// Each call proves who makes it.
    pub authenticated: bool,
    /// Bytes between regions cost what those to the internet cost.
    pub internet: bool,
    /// Addresses of it that the internet can reach.
    pub endpoints: u32,
    /// USD per hour, for all that it joins.
    pub per_hour: f64,
    /// USD per GB, its hub's included.
    pub per_gb: f64,
    /// The hub that it goes through.
    pub hub: Option<Id<Hub>>,
}

/// What callers do when their target fails.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Failover {
    /// They leave it after a while, and come back a while after it is well again.
    Outlier(Span, Span),
    /// Somebody changes the address, after so long; nobody does where it is `None`.
    Static(Option<Dist>),
}

/// A hub.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HubPlan {
    /// Its name.
    pub name: String,
    /// USD per hour, for all clusters attached to it.
    pub per_hour: f64,
}

/// The address under which a cluster calls a service that it doesn't run, or may call elsewhere.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AddressPlan {
    /// Who calls.
    pub caller: Id<Cluster>,
    /// What is called.
    pub service: Id<Service>,
    /// Digest of both, for streams.
    pub digest: u64,
    /// Where it may lead, the nearest first: the caller itself, if it runs the service. At first it leads to the first.
    pub candidates: Vec<(Id<Connection>, Id<Cluster>)>,
}

/// The proxies beside the pods of a cluster in a mesh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProxyPlan {
    /// What the two proxies of a call add to it.
    pub latency: Dist,
    /// vCPU-seconds that a proxy takes for one call.
    pub cpu: f64,
}

impl Plan {
    /// The address under which a population's requests in a cluster call a service that isn't there.
    pub fn address_of(
        &self,
        cluster: Id<Cluster>,
        population: Id<Population>,
        service: Id<Service>,
    ) -> Option<Id<AddressPlan>> {
        self.clusters[cluster].addresses.get(population.index())?.get(service.index()).copied().flatten()
    }
}

/// What a plan holds of connections.
pub(super) struct Compiled {
    pub(super) connections: Table<Connection, ConnectionPlan>,
    pub(super) hubs: Table<Hub, HubPlan>,
    pub(super) addresses: Table<AddressPlan>,
}

/// Calls of a service that a journey makes.
pub(crate) fn calls_of(journey: &JourneyPlan, service: Id<Service>) -> usize {
    let calls = |step: &StepPlan| match step {
        StepPlan::Call(services) => services.iter().filter(|&&other| other == service).count(),
        StepPlan::Read(..) | StepPlan::Write(..) | StepPlan::Dependency(_) => 0,
    };
    journey.steps.iter().map(calls).sum()
}

/// What the compiler knows of the clusters and their users.
struct Known<'a> {
    clusters: &'a mut Table<Cluster, ClusterPlan>,
    names: Vec<&'a str>,
    services: Vec<&'a str>,
    populations: &'a Table<Population, PopulationPlan>,
    journeys: &'a Table<Journey, JourneyPlan>,
    region_rtt: &'a Table<Region, Table<Region, f64>>,
}

/// A connection, as the compiler finds its candidates: what it joins, and whether it is a mesh.
type Joins = (Vec<(Id<Cluster>, Id<Cluster>)>, bool);

/// Compiles connections, and gives each cluster the addresses that it holds and its proxies.
pub(super) fn compile(
    scenario: &Scenario,
    clusters: &mut Table<Cluster, ClusterPlan>,
    populations: &Table<Population, PopulationPlan>,
    journeys: &Table<Journey, JourneyPlan>,
    region_rtt: &Table<Region, Table<Region, f64>>,
) -> Compiled {
    let spec = &scenario.spec;
    let (specs, hubs) = (&spec.connection, &spec.hub);
    let names = spec.cluster.iter().map(|cluster| &*cluster.name).collect();
    let services = spec.service.iter().map(|service| &*service.name).collect();
    let mut known = Known { clusters, names, services, populations, journeys, region_rtt };
    let hub = |name: &String| hubs.iter().position(|hub| hub.name == *name).map(Id::new);
    let pairs_of = |spec: &ConnectionSpec| {
        let selected = |selection: &crate::domain::Selection| -> Vec<Id<Cluster>> {
            let names = known.names.iter().enumerate();
            names.filter(|(_, name)| super::compile::selects(selection, name)).map(|(at, _)| Id::new(at)).collect()
        };
        let to = selected(&spec.to);
        let pairs = selected(&spec.from).into_iter().flat_map(|from| to.iter().map(move |&to| (from, to)));
        (pairs.filter(|(from, to)| from != to).collect::<Vec<_>>(), matches!(spec.via, ConnectionKind::Mesh(_)))
    };
    let all_pairs: Vec<_> = specs.iter().map(pairs_of).collect();
    let addresses = addresses(&all_pairs, &mut known);
    for (spec, (pairs, _)) in specs.iter().zip(&all_pairs) {
        let ConnectionKind::Mesh(mesh) = &spec.via else { continue };
        for &cluster in pairs.iter().flat_map(|(from, to)| [from, to]) {
            let proxies = ProxyPlan { latency: mesh.proxies.clone(), cpu: mesh.cpu / 1000.0 };
            known.clusters[cluster].proxies.get_or_insert(proxies);
        }
    }
    let one = |(number, (spec, (pairs, _))): (usize, (&ConnectionSpec, Joins))| {
        let (own, hub) = (spec.via.defaults(), spec.hub.as_ref().and_then(hub));
        let through: BTreeSet<_> = addresses
            .iter()
            .flat_map(|address: &AddressPlan| {
                let elsewhere = address.candidates.iter().filter(|candidate| candidate.1 != address.caller);
                elsewhere.map(|candidate| (candidate, address.service))
            })
            .filter(|((connection, _), _)| connection.index() == number)
            .map(|(&(_, to), service)| (to, service))
            .collect();
        let called: BTreeSet<_> = through.iter().map(|(to, _)| to).collect();
        let public = spec.public.unwrap_or(own.public);
        let endpoints = match &spec.via {
            ConnectionKind::PublicLb(_) => through.len(),
            ConnectionKind::Mesh(_)
            | ConnectionKind::Vpn(_)
            | ConnectionKind::Peering(_)
            | ConnectionKind::ApiGateway(_) => called.len(),
        };
        let units = if spec.via.is_billed_by_pair() {
            pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect::<BTreeSet<_>>().len()
        } else {
            called.len()
        };
        let (failover, proxies) = match &spec.via {
            ConnectionKind::Mesh(mesh) => {
                (Failover::Outlier(mesh.detection(), mesh.ejection), Some(mesh.proxies.scaled(0.5)))
            }
            ConnectionKind::PublicLb(own)
            | ConnectionKind::Vpn(own)
            | ConnectionKind::Peering(own)
            | ConnectionKind::ApiGateway(own) => (Failover::Static(own.change.clone()), None),
        };
        ConnectionPlan {
            name: spec.name.clone(),
            kind: spec.via.tag().to_owned(),
            latency: spec.latency.clone().or(proxies).filter(|latency| latency.mean() > 0.0),
            failover,
            encrypted: spec.encrypted.unwrap_or(own.encrypted),
            authenticated: spec.authenticated.unwrap_or(own.authenticated),
            internet: spec.via.is_over_the_internet(),
            endpoints: if public { endpoints as u32 } else { 0 },
            per_hour: spec.per_hour.map_or(own.per_hour, Money::get) * units as f64,
            per_gb: spec.per_gb.map_or(own.per_gb, Money::get)
                + hub.map_or(0.0, |hub: Id<Hub>| hubs[hub.index()].per_gb.get()),
            pairs,
            hub,
        }
    };
    let connections: Table<Connection, ConnectionPlan> = specs.iter().zip(all_pairs).enumerate().map(one).collect();
    let hubs = hubs.iter().enumerate().map(|(number, spec)| {
        let through = connections.iter().filter(|connection| connection.hub == Some(Id::new(number)));
        let attached: BTreeSet<_> = through.flat_map(|own| own.pairs.iter().flat_map(|&(a, b)| [a, b])).collect();
        HubPlan { name: spec.name.clone(), per_hour: spec.per_hour.get() * attached.len() as f64 }
    });
    let hubs = hubs.collect();
    Compiled { connections, hubs, addresses }
}

/// The addresses of all clusters, and of what they run themselves in a mesh: one for each service and each set of clusters that residency permits.
fn addresses(joins: &[Joins], known: &mut Known<'_>) -> Table<AddressPlan> {
    let mut addresses: Table<AddressPlan> = Table::new();
    if joins.is_empty() {
        return addresses;
    }
    for caller in (0..known.names.len()).map(Id::<Cluster>::new) {
        let mut by_population = Vec::new();
        for population in known.populations {
            let mut by_service = vec![None; known.services.len()];
            for (number, entry) in by_service.iter_mut().enumerate() {
                let service = Id::new(number);
                let runs = |cluster: Id<Cluster>| known.clusters[cluster].station_of[service].is_some();
                let called = known.journeys.iter().any(|journey| calls_of(journey, service) > 0);
                if !called {
                    continue;
                }
                let rtt = |to: Id<Cluster>| known.region_rtt[known.clusters[caller].region][known.clusters[to].region];
                // What runs here is called elsewhere only where a mesh may turn there.
                let here = runs(caller);
                let mut candidates: Vec<(Id<Connection>, Id<Cluster>)> = joins
                    .iter()
                    .enumerate()
                    .filter(|(_, (_, mesh))| *mesh || !here)
                    .flat_map(|(connection, (pairs, _))| pairs.iter().map(move |pair| (Id::new(connection), pair)))
                    .filter(|(_, (from, to))| *from == caller && runs(*to) && !population.forbidden[*to])
                    .map(|(connection, &(_, to))| (connection, to))
                    .collect();
                // Of a pair's clusters the standby comes last: it may be scaled down.
                candidates.sort_by(|&(a, x), &(b, y)| {
                    let standby = |cluster: Id<Cluster>| known.clusters[cluster].standby;
                    standby(x).cmp(&standby(y)).then(rtt(x).total_cmp(&rtt(y))).then(x.cmp(&y)).then(a.cmp(&b))
                });
                candidates.dedup();
                let Some(&(first, _)) = candidates.first() else { continue };
                if here {
                    candidates.insert(0, (first, caller));
                }
                let name = format!("{}\u{0}{}", known.names[caller.index()], known.services[number]);
                let address = AddressPlan { caller, service, digest: digest(&name), candidates };
                let same = addresses.iter_enumerated().find(|(_, other)| **other == address).map(|(id, _)| id);
                *entry = Some(same.unwrap_or_else(|| addresses.push_and_get_key(address)));
            }
            by_population.push(by_service);
        }
        known.clusters[caller].addresses = by_population;
    }
    addresses
}
