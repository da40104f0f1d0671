//! Regions: those listed, and those of the catalogue that a cluster names.

use super::Citations;
use crate::catalog::{Catalog, Region};
use crate::diag::Diagnostic;
use crate::scenario::checks::Found;
use crate::scenario::resolved::ResolvedRegion;
use crate::scenario::spec::{RegionSpec, ScenarioSpec};
use std::collections::BTreeSet;

/// Zones of a region of which nobody says how many it has: what every large provider builds.
const ZONES: u32 = 3;

/// The catalogue region that a listed one is.
pub(super) fn of_catalog(region: &RegionSpec) -> Option<&'static Region> {
    Catalog::get().region(region.code.as_deref().unwrap_or(&region.name))
}

/// Gives each cluster its region, and lists the catalogue's regions that clusters name.
pub(in crate::scenario) fn imply(spec: &mut ScenarioSpec, found: &mut Found<'_>) {
    let catalog = Catalog::get();
    let mut listed: BTreeSet<String> = spec.region.iter().map(|region| region.name.clone()).collect();
    for cluster in &mut spec.cluster {
        let written = cluster.region.is_some();
        let name = cluster.region.get_or_insert_with(|| cluster.name.clone());
        if listed.contains(name) {
            continue;
        }
        if catalog.region(name).is_some() {
            listed.insert(name.clone());
            spec.region.push(RegionSpec { name: name.clone(), ..RegionSpec::default() });
            continue;
        }
        let path = ["cluster", &cluster.name, if written { "region" } else { "name" }];
        let known = listed.iter().map(String::as_str).chain(catalog.codes());
        let message = if written {
            format!("unknown region `{name}`")
        } else {
            format!("cluster `{name}` says no region, and `{name}` is none")
        };
        let list = "name a region of the catalogue (`regionsim list regions`), or describe it in a [[region]] with \
                    its name, lat, lon and jurisdiction";
        found.push(&path, Diagnostic::error(message).suggest(name, known).help(list));
    }
}

/// Places, jurisdictions and zones; prices are still 0.
pub(super) fn resolve(spec: &ScenarioSpec, citations: &mut Citations, found: &mut Found<'_>) -> Vec<ResolvedRegion> {
    spec.region.iter().map(|region| one(region, citations, found)).collect()
}

fn one(region: &RegionSpec, citations: &mut Citations, found: &mut Found<'_>) -> ResolvedRegion {
    let name = &*region.name;
    let known = of_catalog(region);
    if let (Some(code), None) = (&region.code, known) {
        let diagnostic = Diagnostic::error(format!("unknown region `{code}`")).suggest(code, Catalog::get().codes());
        found
            .push(&["region", name, "code"], diagnostic.help("`regionsim list regions` prints those of the catalogue"));
    }
    let (lat, lon) = place(region.lat, region.lon, ["region", name], found)
        .or_else(|| known.map(Region::at))
        .map_or((None, None), |(lat, lon)| (Some(lat), Some(lon)));
    if region.zones == Some(0) {
        let help = "write 1 for a region that isn't split, or leave it out for the catalogue's number";
        found.push(&["region", name, "zones"], Diagnostic::error("a region has at least one zone").help(help));
    }
    if let Some(known) = known {
        for (key, written) in [
            ("lat", region.lat.is_some()),
            ("lon", region.lon.is_some()),
            ("jurisdiction", region.jurisdiction.is_some()),
            ("zones", region.zones.is_some() || known.zones.is_none()),
        ] {
            if !written {
                citations.cite(&["region", name, key], &known.source);
            }
        }
    }
    if region.zones.or(known.and_then(|known| known.zones)).is_none() {
        citations.add(&["region", name, "zones"], format!("assumed: {ZONES}, where nobody says"));
    }
    ResolvedRegion {
        name: name.to_owned(),
        lat,
        lon,
        jurisdiction: region.jurisdiction.clone().or_else(|| known.map(|known| known.jurisdiction.clone())),
        zones: region.zones.or(known.and_then(|known| known.zones)).unwrap_or(ZONES).max(1),
        control_plane: 0.0,
        load_balancer: 0.0,
        egress: vec![(None, 0.0)],
        transfer: Vec::new(),
        cross_zone: 0.0,
        storage: 0.0,
    }
}

/// A place that is written: both coordinates, on the globe.
pub(super) fn place(
    lat: Option<f64>,
    lon: Option<f64>,
    [kind, name]: [&str; 2],
    found: &mut Found<'_>,
) -> Option<(f64, f64)> {
    for (key, other, value, limit) in [("lat", "lon", lat, 90.0), ("lon", "lat", lon, 180.0)] {
        let Some(degrees) = value else { continue };
        if !(-limit..=limit).contains(&degrees) {
            found.push(
                &[kind, name, key],
                Diagnostic::error(format!("`{key}` is {degrees}; expected degrees from -{limit} to {limit}"))
                    .help("latitude is north of the equator, longitude is east of Greenwich"),
            );
        }
        if lat.zip(lon).is_none() {
            found.push(
                &[kind, name, key],
                Diagnostic::error(format!("`{key}` without `{other}`")).help(format!("add `{other}`, in degrees")),
            );
        }
    }
    lat.zip(lon)
}
