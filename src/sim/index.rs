//! What hits what: looked up once per plan.

use crate::base::{Id, Table};
use crate::domain::{Cluster, Connection, Dependency, Population, Region, Service, Store};
use crate::failure::spec::EffectSpec;
use crate::plan::{Element, PartitionPlan, Plan, PopulationPlan, StepPlan};

/// Positions of holds by what they hit.
#[derive(Debug)]
pub(super) struct Index {
    /// On a cluster's region or the cluster itself.
    pub(super) front: Table<Cluster, Vec<usize>>,
    /// On a zone of a cluster: (zone, hold).
    pub(super) zones: Table<Cluster, Vec<(u32, usize)>>,
    /// On a service of a cluster: (station, hold).
    pub(super) stations: Table<Cluster, Vec<(u32, usize)>>,
    /// On a pod of a service of a cluster: (station, hold).
    pub(super) pods: Table<Cluster, Vec<(u32, usize)>>,
    /// On a store's copy: by cluster and store.
    pub(super) copies: Table<Cluster, Table<Store, Vec<usize>>>,
    /// On a dependency.
    pub(super) dependencies: Table<Dependency, Vec<usize>>,
    /// On the network between two regions, the lower id first.
    pub(super) links: Vec<(Id<Region>, Id<Region>, usize)>,
    /// On the way of a population to a cluster: (population, cluster, hold).
    pub(super) access: Vec<(Id<Population>, Id<Cluster>, usize)>,
    /// On the way of the health checks to a cluster.
    pub(super) checks: Table<Cluster, Vec<usize>>,
    /// On a connection or its hub.
    pub(super) connections: Table<Connection, Vec<usize>>,
    /// On what gives out answers.
    pub(super) routing: Vec<usize>,
    /// On the one `GitOps` controller.
    pub(super) gitops: Vec<usize>,
    /// On a cluster's own.
    pub(super) controllers: Table<Cluster, Vec<usize>>,
    /// On the region that the failover's tools run in.
    pub(super) tools: Vec<usize>,
    /// Something may make stores read-only.
    pub(super) read_only: bool,
    /// By cluster: stations whose service comes first in some journey.
    pub(super) fronts: Table<Cluster, Vec<u32>>,
    /// By population: calls that a request of its makes, by service.
    pub(super) calls: Table<Population, Vec<f64>>,
    /// By hold: what it makes a difference to; none if it may be everything.
    pub(super) hits: Vec<Option<Hits>>,
    /// By hold on a zone: the clusters that have it.
    pub(super) zones_hit: Vec<Vec<Id<Cluster>>>,
    /// Stores that some journey uses.
    pub(super) used_stores: Table<Store, bool>,
    /// Dependencies that some journey uses.
    pub(super) used_dependencies: Table<Dependency, bool>,
}

/// What alone a hold makes a difference to.
#[derive(Debug, Default)]
pub(super) struct Hits {
    pub(super) clusters: Vec<Id<Cluster>>,
    /// Partitions with a copy that isn't there, or isn't written to, while the hold does more than degrade.
    pub(super) partitions: Vec<usize>,
}

impl Index {
    pub(super) fn new(plan: &Plan) -> Self {
        let clusters = plan.clusters.len();
        let mut index = Self {
            front: vec![Vec::new(); clusters].into(),
            zones: vec![Vec::new(); clusters].into(),
            stations: vec![Vec::new(); clusters].into(),
            pods: vec![Vec::new(); clusters].into(),
            copies: vec![vec![Vec::new(); plan.stores.len()].into(); clusters].into(),
            dependencies: vec![Vec::new(); plan.dependencies.len()].into(),
            links: Vec::new(),
            access: Vec::new(),
            checks: vec![Vec::new(); clusters].into(),
            connections: vec![Vec::new(); plan.connections.len()].into(),
            routing: Vec::new(),
            gitops: Vec::new(),
            controllers: vec![Vec::new(); clusters].into(),
            tools: Vec::new(),
            read_only: makes_read_only(plan),
            fronts: vec![Vec::new(); clusters].into(),
            calls: plan.populations.iter().map(|population| calls(plan, population)).collect(),
            hits: plan.holds.iter().map(|hold| hits(plan, hold.element)).collect(),
            zones_hit: plan.holds.iter().map(|hold| zones_hit(plan, hold.element)).collect(),
            used_stores: vec![false; plan.stores.len()].into(),
            used_dependencies: vec![false; plan.dependencies.len()].into(),
        };
        for (hold, plan_of_hold) in plan.holds.iter().enumerate() {
            match plan_of_hold.element {
                Element::Region(region) => {
                    if plan.failover.runs_in == Some(region) {
                        index.tools.push(hold);
                    }
                    for (id, cluster) in plan.clusters.iter_enumerated() {
                        if cluster.region == region {
                            index.front[id].push(hold);
                        }
                    }
                }
                Element::Zone(_, zone) => {
                    for &id in &index.zones_hit[hold] {
                        index.zones[id].push((zone, hold));
                    }
                }
                Element::Cluster(cluster) => index.front[cluster].push(hold),
                Element::Service(cluster, service) => {
                    if let Some(station) = plan.clusters[cluster].station_of[service] {
                        index.stations[cluster].push((station, hold));
                    }
                }
                Element::Pod(cluster, service, _) => {
                    if let Some(station) = plan.clusters[cluster].station_of[service] {
                        index.pods[cluster].push((station, hold));
                    }
                }
                Element::Copy(cluster, store) => index.copies[cluster][store].push(hold),
                Element::Access(population, cluster) => index.access.push((population, cluster, hold)),
                Element::Checks(cluster) => index.checks[cluster].push(hold),
                Element::Connection(connection) => index.connections[connection].push(hold),
                Element::Hub(hub) => {
                    let through = plan.connections.iter_enumerated().filter(|(_, own)| own.hub == Some(hub));
                    through.for_each(|(id, _)| index.connections[id].push(hold));
                }
                Element::Routing => index.routing.push(hold),
                Element::Gitops => index.gitops.push(hold),
                Element::Controller(cluster) => index.controllers[cluster].push(hold),
                Element::Link(a, b) => index.links.push((a, b, hold)),
                Element::Dependency(dependency) => index.dependencies[dependency].push(hold),
            }
        }
        index.add_journeys(plan);
        index
    }

    /// What journeys call first, and what they use.
    fn add_journeys(&mut self, plan: &Plan) {
        for journey in &plan.journeys {
            let first: &[Id<Service>] = journey
                .steps
                .iter()
                .find_map(|step| match step {
                    StepPlan::Call(services) => Some(services.as_slice()),
                    StepPlan::Read(..) | StepPlan::Write(..) | StepPlan::Dependency(_) => None,
                })
                .unwrap_or(&[]);
            for (id, cluster) in plan.clusters.iter_enumerated() {
                for &service in first {
                    if let Some(station) = cluster.station_of[service]
                        && !self.fronts[id].contains(&station)
                    {
                        self.fronts[id].push(station);
                    }
                }
            }
            for step in &journey.steps {
                match step {
                    StepPlan::Read(store, _) | StepPlan::Write(store, _) => {
                        self.used_stores[*store] = true;
                        if let Some(cache) = plan.stores[*store].cache {
                            self.used_stores[cache.of] = true;
                        }
                    }
                    StepPlan::Dependency(dependency) => self.used_dependencies[*dependency] = true,
                    StepPlan::Call(_) => {}
                }
            }
        }
    }
}

/// Some fault or incident makes stores read-only.
fn makes_read_only(plan: &Plan) -> bool {
    let faults = plan.faults.iter().map(|fault| &fault.effect);
    let mut effects = faults.chain(plan.incidents.iter().map(|incident| &incident.effect));
    effects.any(|effect| matches!(effect, EffectSpec::ReadOnly(_)))
}

/// Calls that a request of a population makes, by service.
fn calls(plan: &Plan, population: &PopulationPlan) -> Vec<f64> {
    let mut calls = vec![0.0; plan.services.len()];
    for (journey, share) in plan.journeys.iter().zip(&population.shares) {
        for step in &journey.steps {
            if let StepPlan::Call(services) = step {
                for service in services {
                    calls[service.index()] += share;
                }
            }
        }
    }
    calls
}

/// What alone a hold on this makes a difference to; none if it may be everything.
fn hits(plan: &Plan, element: Element) -> Option<Hits> {
    let (clusters, of) = match element {
        Element::Region(region) => {
            let inside = plan.clusters.iter_enumerated().filter(|(_, cluster)| cluster.region == region);
            (inside.map(|(id, _)| id).collect(), None)
        }
        Element::Zone(..) => (zones_hit(plan, element), None),
        Element::Cluster(cluster) => (vec![cluster], None),
        Element::Copy(cluster, store) => (vec![cluster], Some(store)),
        Element::Service(cluster, _)
        | Element::Pod(cluster, ..)
        | Element::Access(_, cluster)
        | Element::Checks(cluster) => return Some(Hits { clusters: vec![cluster], partitions: Vec::new() }),
        Element::Gitops | Element::Controller(_) => return Some(Hits::default()),
        Element::Link(..) | Element::Routing | Element::Dependency(_) | Element::Connection(_) | Element::Hub(_) => {
            return None;
        }
    };
    let all = plan.stores.iter_enumerated().flat_map(|(id, store)| store.partitions.iter().map(move |own| (id, own)));
    let has_copy = |(store, own): (Id<Store>, &PartitionPlan)| {
        of.is_none_or(|of| of == store) && own.members().any(|member| clusters.contains(&member))
    };
    let partitions = all.enumerate().filter(|(_, own)| has_copy(*own)).map(|(partition, _)| partition).collect();
    Some(Hits { clusters, partitions })
}

/// The clusters that have a zone.
fn zones_hit(plan: &Plan, element: Element) -> Vec<Id<Cluster>> {
    let Element::Zone(region, zone) = element else { return Vec::new() };
    let all = plan.clusters.iter_enumerated();
    all.filter(|(_, cluster)| cluster.region == region && zone < cluster.zones).map(|(id, _)| id).collect()
}
