//! Round-trip times: written ones first, then the catalogue's measured ones, then distance, each cited as what it is.
//!
//! A written time counts in both directions. A population that is placed at a catalogue region has that region's
//! measured times; one in a city has the time that the distance gives, since nobody measured it.

use super::{At, Model, at, citation, regions};
use crate::base::maths;
use crate::catalog::{Catalog, Cited, FLOOR_MS, Kind, ROUTE_FACTOR, Region, fallback_rtt_ms};
use crate::diag::Diagnostic;
use crate::routing::policy::Policy;
use crate::scenario::checks::Found;
use std::collections::{BTreeMap, BTreeSet};

/// What a written time is from and to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pair {
    /// Population and region.
    Users(usize, usize),
    /// Population and cluster.
    UsersOf(usize, usize),
    /// Two regions, the earlier one first.
    Regions(usize, usize),
}

/// One end of a round trip: the catalogue region that it is, and its place.
#[derive(Clone, Copy)]
struct End {
    known: Option<&'static Region>,
    at: At,
}

/// The catalogue's time, or that of the distance; none if a place isn't known. In milliseconds.
fn looked_up(a: End, b: End) -> Option<Cited<f64>> {
    if let Some(measured) = a.known.zip(b.known).and_then(|(a, b)| Catalog::get().rtt(a, b)) {
        return Some(measured);
    }
    let (a, b) = a.at.zip(b.at)?;
    Some(Cited {
        value: fallback_rtt_ms(a, b),
        kind: Kind::Derived,
        source: format!("not measured: from the great circle of {:.0} km", maths::great_circle_km(a, b)),
        date: String::new(),
        note: format!("2 x distance x {ROUTE_FACTOR} / (2/3 c), at least {FLOOR_MS} ms"),
    })
}

/// What has no place and needs one; each is reported once.
struct Lost<'f, 'p> {
    found: &'f mut Found<'p>,
    /// Kind and name.
    told: BTreeSet<(&'static str, String)>,
}

const OR_TIME: &str = "give the time in [[network.rtt]]";
const OR_POLICY: &str = "choose a policy that doesn't go by distance, such as `latency`";

impl Lost<'_, '_> {
    fn tell(&mut self, kind: &'static str, name: &str, unknown: &str, otherwise: &str) {
        if !self.told.insert((kind, name.to_owned())) {
            return;
        }
        let message = format!("the place of {kind} `{name}` isn't known, and so neither is {unknown}");
        let diagnostic = if kind == "region" {
            let help = "add `lat` and `lon`, or `code` with a region of the catalogue";
            Diagnostic::error(message).suggest(name, Catalog::get().codes()).help(help)
        } else {
            Diagnostic::error(message).help("add `at` with a city or a region of the catalogue, or `lat` and `lon`")
        };
        self.found.push(&[kind, name], diagnostic.help(format!("or {otherwise}")));
    }
}

/// Fills in the times between populations and clusters and between regions.
pub(super) fn fill(model: &mut Model<'_>, found: &mut Found<'_>) {
    let written = written(model, found);
    let regions: Vec<End> = model
        .spec
        .region
        .iter()
        .zip(&model.regions)
        .map(|(region, resolved)| End { known: regions::of_catalog(region), at: at(resolved.lat, resolved.lon) })
        .collect();
    let mut lost = Lost { found, told: BTreeSet::new() };
    between_regions(model, &written, &regions, &mut lost);
    from_populations(model, &written, &regions, &mut lost);
    needs_of_geo(model, &mut lost);
}

/// The times that `network.rtt` gives.
fn written(model: &Model<'_>, found: &mut Found<'_>) -> BTreeMap<Pair, f64> {
    let mut times = BTreeMap::new();
    for (position, rtt) in model.spec.network.rtt.iter().enumerate() {
        let position = position.to_string();
        let region = |name: &str| model.region_names.get(name).copied();
        let population = model.population_names.get(&*rtt.from).copied();
        let to = (region(&rtt.to), model.cluster_names.get(&*rtt.to).copied());
        let pair = match (population, region(&rtt.from), to) {
            (Some(population), _, (Some(region), _)) => Some(Pair::Users(population, region)),
            (Some(population), _, (None, Some(cluster))) => Some(Pair::UsersOf(population, cluster)),
            (None, Some(from), (Some(to), _)) if from != to => Some(Pair::Regions(from.min(to), from.max(to))),
            (None, Some(_), (Some(_), _)) => {
                let message = "from a region to itself".to_owned();
                let help = "`network.in-region` is the round-trip time within every region";
                found.push(&["network", "rtt", &position, "to"], Diagnostic::error(message).help(help));
                None
            }
            (None, None, _) => {
                let names = model.population_names.keys().chain(model.region_names.keys()).copied();
                found.unknown(&["network", "rtt", &position, "from"], "population or region", &rtt.from, names);
                None
            }
            (Some(_), _, (None, None)) | (None, Some(_), (None, _)) => {
                let names = model.region_names.keys().copied();
                found.unknown(&["network", "rtt", &position, "to"], "region", &rtt.to, names);
                None
            }
        };
        if let Some(pair) = pair
            && times.insert(pair, rtt.rtt.secs()).is_some()
        {
            let message = format!("the round-trip time from `{}` to `{}` is given twice", rtt.from, rtt.to);
            let help = "remove one of them: a time counts in both directions";
            found.push(&["network", "rtt", &position], Diagnostic::error(message).help(help));
        }
    }
    times
}

fn between_regions(model: &mut Model<'_>, written: &BTreeMap<Pair, f64>, ends: &[End], lost: &mut Lost<'_, '_>) {
    let count = ends.len();
    let mut times = vec![vec![Some(model.spec.network.in_region.secs()); count]; count];
    for a in 0..count {
        for b in a + 1..count {
            let seconds = written.get(&Pair::Regions(a, b)).copied().or_else(|| {
                let cited = looked_up(ends[a], ends[b])?;
                let path = ["network", "rtt", &model.spec.region[a].name, &model.spec.region[b].name];
                model.citations.cite(&path, &cited);
                Some(cited.value * 1e-3)
            });
            if seconds.is_none() {
                let (here, there) = if ends[a].at.is_none() { (a, b) } else { (b, a) };
                let [here, there] = [here, there].map(|region| &*model.spec.region[region].name);
                lost.tell("region", here, &format!("the round-trip time to region `{there}`"), OR_TIME);
            }
            (times[a][b], times[b][a]) = (seconds, seconds);
        }
    }
    model.region_rtt = times;
}

fn from_populations(model: &mut Model<'_>, written: &BTreeMap<Pair, f64>, ends: &[End], lost: &mut Lost<'_, '_>) {
    let mut rows = Vec::with_capacity(model.spec.population.len());
    for (users, population) in model.spec.population.iter().enumerate() {
        let place = model.populations[users].as_ref();
        let from = End {
            known: population.at.as_deref().and_then(|at| Catalog::get().region(at)),
            at: place.and_then(|place| at(place.lat, place.lon)),
        };
        // Many clusters can share a region: one look-up and one citation.
        let mut by_region: BTreeMap<usize, Option<f64>> = BTreeMap::new();
        let mut row = Vec::with_capacity(model.clusters.len());
        for (position, cluster) in model.clusters.iter().enumerate() {
            let Some(cluster) = cluster else {
                row.push(None);
                continue;
            };
            let region = cluster.region;
            let given =
                written.get(&Pair::UsersOf(users, position)).or_else(|| written.get(&Pair::Users(users, region)));
            if let Some(&seconds) = given {
                row.push(Some(seconds));
                continue;
            }
            let citations = &mut model.citations;
            let seconds = *by_region.entry(region).or_insert_with(|| {
                let cited = looked_up(from, ends[region])?;
                let path = ["network", "rtt", &population.name, &model.spec.region[region].name];
                citations.add(&path, format!("{}; plus `access`", citation(&cited)));
                Some(cited.value * 1e-3 + population.access.secs())
            });
            if seconds.is_none() && place.is_some() {
                let region = &*model.spec.region[region].name;
                if from.at.is_none() {
                    let unknown = format!("the round-trip time to region `{region}`");
                    lost.tell("population", &population.name, &unknown, OR_TIME);
                } else {
                    let unknown = format!("the round-trip time from `{}`", population.name);
                    lost.tell("region", region, &unknown, OR_TIME);
                }
            }
            row.push(seconds);
        }
        rows.push(row);
    }
    model.population_rtt = rows;
}

const GEO: &str = "the distance, which the routing policy `geo` goes by";

/// Geographic routing goes by distance.
fn needs_of_geo(model: &Model<'_>, lost: &mut Lost<'_, '_>) {
    if !matches!(model.spec.routing.policy, Policy::Geo(_)) || model.clusters.len() < 2 {
        return;
    }
    let serving: BTreeSet<usize> = model.clusters.iter().flatten().map(|cluster| cluster.region).collect();
    for region in serving.into_iter().map(|region| &model.regions[region]).filter(|region| region.lat.is_none()) {
        lost.tell("region", &region.name, GEO, OR_POLICY);
    }
    for (population, place) in model.spec.population.iter().zip(&model.populations) {
        if place.as_ref().is_some_and(|place| place.lat.is_none()) {
            lost.tell("population", &population.name, GEO, OR_POLICY);
        }
    }
}
