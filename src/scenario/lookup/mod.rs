//! What a scenario leaves to the catalogue: places, zones, nodes, round-trip times, prices, profiles.
//!
//! Each figure that is taken from the catalogue gets a citation by its path. Nothing is made up: a price that nobody
//! has counts as 0 with a warning, a round-trip time between places that nobody knows is an error.

mod clusters;
mod nodes;
mod populations;
mod prices;
mod regions;
mod rtt;

pub(super) use regions::imply as imply_regions;

use super::checks::{Found, dotted};
use super::resolve::Files;
use super::resolved::{ResolvedCluster, ResolvedPopulation, ResolvedRegion, Scenario};
use super::spec::ScenarioSpec;
use crate::base::{Bytes, Money, Span, maths};
use crate::catalog::{Cited, Kind};
use crate::domain::Selection;
use crate::routing::policy::{Candidate, Policy};
use crate::routing::spec::Fallback;
use crate::traffic::spec::{Residency, UtcOffset};
use indexmap::IndexMap;

/// The positions of the entries of a kind, by name; of two of one name the first.
pub(super) type Index<'a> = IndexMap<&'a str, usize>;

fn index<'a>(names: impl Iterator<Item = &'a str>) -> Index<'a> {
    let mut index = Index::new();
    for (position, name) in names.enumerate() {
        index.entry(name).or_insert(position);
    }
    index
}

/// Where looked-up values came from.
#[derive(Default)]
pub(super) struct Citations(IndexMap<String, String>);

impl Citations {
    fn add(&mut self, path: &[&str], text: impl Into<String>) {
        self.0.insert(dotted(path), text.into());
    }

    fn cite<T>(&mut self, path: &[&str], cited: &Cited<T>) {
        self.add(path, citation(cited));
    }
}

/// The source of a figure, how it was come by if it isn't the source's own, and its caveats.
fn citation<T>(cited: &Cited<T>) -> String {
    let mut text = match cited.kind {
        Kind::Measured => cited.source.clone(),
        Kind::Derived | Kind::Assumed => format!("{}; {}", cited.source, cited.kind.name()),
    };
    if !cited.note.is_empty() {
        text = format!("{text}: {}", cited.note);
    }
    text
}

/// Latitude and longitude in degrees.
pub(super) type At = Option<(f64, f64)>;

fn at(lat: Option<f64>, lon: Option<f64>) -> At {
    lat.zip(lon)
}

/// A scenario with what was looked up for it. What couldn't be is `None`, and was reported.
pub(super) struct Model<'a> {
    pub(super) spec: &'a ScenarioSpec,
    pub(super) region_names: Index<'a>,
    pub(super) cluster_names: Index<'a>,
    pub(super) service_names: Index<'a>,
    pub(super) store_names: Index<'a>,
    pub(super) dependency_names: Index<'a>,
    pub(super) journey_names: Index<'a>,
    pub(super) population_names: Index<'a>,
    /// By region.
    pub(super) regions: Vec<ResolvedRegion>,
    /// By cluster.
    pub(super) clusters: Vec<Option<ResolvedCluster>>,
    /// By population.
    pub(super) populations: Vec<Option<ResolvedPopulation>>,
    /// By population and cluster, in seconds.
    pub(super) population_rtt: Vec<Vec<Option<f64>>>,
    /// By cluster: the position of the cluster that it stands by for.
    pub(super) standby_for: Vec<Option<usize>>,
    region_rtt: Vec<Vec<Option<f64>>>,
    dns_queries: f64,
    health_check: f64,
    start_in_week: Option<Span>,
    citations: Citations,
}

impl<'a> Model<'a> {
    pub(super) fn new(spec: &'a ScenarioSpec, files: &dyn Files, found: &mut Found<'_>) -> Self {
        let mut citations = Citations::default();
        let region_names = index(spec.region.iter().map(|entry| &*entry.name));
        let cluster_names = index(spec.cluster.iter().map(|entry| &*entry.name));
        let population_names = index(spec.population.iter().map(|entry| &*entry.name));
        let mut regions = regions::resolve(spec, &mut citations, found);
        let (dns_queries, health_check) = prices::fill(spec, &mut regions, &mut citations, found);
        let standby_for = clusters::standbys(spec, &cluster_names, found);
        let clusters = clusters::resolve(spec, &region_names, &regions, &standby_for, &mut citations, found);
        let populations = populations::resolve(spec, files, &mut citations, found);
        let mut model = Self {
            spec,
            region_names,
            cluster_names,
            service_names: index(spec.service.iter().map(|entry| &*entry.name)),
            store_names: index(spec.store.iter().map(|entry| &*entry.name)),
            dependency_names: index(spec.dependency.iter().map(|entry| &*entry.name)),
            journey_names: index(spec.journey.iter().map(|entry| &*entry.name)),
            population_names,
            regions,
            clusters,
            populations,
            population_rtt: Vec::new(),
            standby_for,
            region_rtt: Vec::new(),
            dns_queries,
            health_check,
            start_in_week: populations::start_in_week(&spec.simulation.start, found),
            citations,
        };
        rtt::fill(&mut model, found);
        model
    }

    /// The positions of the clusters that are meant and exist.
    pub(super) fn selected_clusters(&self, selection: &Selection) -> Vec<usize> {
        match selection {
            Selection::All => (0..self.clusters.len()).collect(),
            Selection::Named(names) => {
                names.iter().filter_map(|name| self.cluster_names.get(&**name).copied()).collect()
            }
        }
    }

    /// Whether a cluster runs a service.
    pub(super) fn runs(&self, cluster: usize, service: usize) -> bool {
        match &self.spec.service[service].clusters {
            Selection::All => true,
            Selection::Named(names) => names.contains(&self.spec.cluster[cluster].name),
        }
    }

    /// Whose law applies in a cluster.
    pub(super) fn jurisdiction(&self, cluster: usize) -> Option<&str> {
        self.regions[self.clusters[cluster].as_ref()?.region].jurisdiction.as_deref()
    }

    /// Whether a population's requests and data may go to a cluster.
    pub(super) fn permits(&self, population: usize, cluster: usize) -> bool {
        match &self.spec.population[population].residency {
            Some(Residency::MustStayIn(allowed)) => {
                self.jurisdiction(cluster).is_some_and(|here| allowed.iter().any(|one| one == here))
            }
            Some(Residency::Prefer(_)) | None => true,
        }
    }

    /// The cluster that stands by for one.
    pub(super) fn standby_of(&self, cluster: usize) -> Option<usize> {
        self.standby_for.iter().position(|primary| *primary == Some(cluster))
    }

    /// The clusters that a population may be sent to when all is well or its pair fails, best first, their standbys
    /// not included: what the routing policy makes of the clusters that residency permits.
    pub(super) fn order(&self, population: usize) -> Vec<usize> {
        let routing = &self.spec.routing;
        let here = self.populations[population].as_ref();
        let mut scored: Vec<(f64, usize)> = (0..self.clusters.len())
            .filter(|&cluster| self.spec.cluster[cluster].standby_for.is_none() && self.spec.cluster[cluster].serves)
            .filter(|&cluster| self.permits(population, cluster))
            .filter_map(|cluster| {
                let region = &self.regions[self.clusters[cluster].as_ref()?.region];
                let places = at(region.lat, region.lon).zip(here.and_then(|here| at(here.lat, here.lon)));
                let candidate = Candidate {
                    name: &self.spec.cluster[cluster].name,
                    distance_km: places.map_or(0.0, |(a, b)| maths::great_circle_km(a, b)),
                    rtt: self.population_rtt[population][cluster].unwrap_or(f64::INFINITY),
                };
                let order = routing.policy.kind();
                // What has no weight is never chosen.
                order.weight(candidate).is_none_or(|weight| weight > 0.0).then(|| (order.score(candidate), cluster))
            })
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let pairs = self.standby_for.iter().any(Option::is_some);
        let first_only = routing.fallback.map_or(pairs, |fallback| fallback == Fallback::None);
        if first_only && !matches!(routing.policy, Policy::Weighted(_)) {
            scored.truncate(1);
        }
        scored.into_iter().map(|(_, cluster)| cluster).collect()
    }

    /// What was looked up, if all of it was found.
    pub(super) fn finish(self) -> Option<LookedUp> {
        let all = |rows: Vec<Vec<Option<f64>>>| rows.into_iter().map(|row| row.into_iter().collect()).collect();
        let population_rtt: Option<_> = all(self.population_rtt);
        let region_rtt: Option<_> = all(self.region_rtt);
        Some(LookedUp {
            regions: self.regions,
            clusters: self.clusters.into_iter().collect::<Option<_>>()?,
            populations: self.populations.into_iter().collect::<Option<_>>()?,
            population_rtt: population_rtt?,
            region_rtt: region_rtt?,
            dns_queries: self.dns_queries,
            health_check: self.health_check,
            start_in_week: self.start_in_week?,
            citations: self.citations.0,
        })
    }
}

/// Everything that was looked up.
pub(super) struct LookedUp {
    regions: Vec<ResolvedRegion>,
    clusters: Vec<ResolvedCluster>,
    populations: Vec<ResolvedPopulation>,
    population_rtt: Vec<Vec<f64>>,
    region_rtt: Vec<Vec<f64>>,
    dns_queries: f64,
    health_check: f64,
    start_in_week: Span,
    citations: IndexMap<String, String>,
}

impl LookedUp {
    /// The scenario, with what was looked up written into the places that the format has for it.
    pub(super) fn into_scenario(
        self,
        mut spec: ScenarioSpec,
        variant: String,
        variant_summary: Option<String>,
    ) -> Scenario {
        for (written, region) in spec.region.iter_mut().zip(&self.regions) {
            (written.lat, written.lon) = (region.lat, region.lon);
            written.jurisdiction.clone_from(&region.jurisdiction);
            written.zones = Some(region.zones);
        }
        for (written, cluster) in spec.cluster.iter_mut().zip(&self.clusters) {
            written.zones = Some(cluster.zones);
            if let (Some(nodes), Some(node)) = (&mut written.nodes, cluster.node) {
                nodes.vcpu = Some(node.vcpu);
                nodes.memory = Some(Bytes::new(node.memory));
                nodes.price = Some(Money::usd(node.price));
            }
        }
        for (written, population) in spec.population.iter_mut().zip(&self.populations) {
            if population.profile.is_some() {
                written.utc_offset = UtcOffset::from_minutes(population.utc_offset_minutes);
            }
        }
        Scenario {
            variant,
            variant_summary,
            spec,
            regions: self.regions,
            clusters: self.clusters,
            populations: self.populations,
            population_rtt: self.population_rtt,
            region_rtt: self.region_rtt,
            dns_queries: self.dns_queries,
            health_check: self.health_check,
            start_in_week: self.start_in_week,
            citations: self.citations,
        }
    }
}
