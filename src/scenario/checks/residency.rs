//! Residency: users who must stay in a jurisdiction find a cluster there, its standby is there too, and so are the
//! copies of their data.

use super::Found;
use crate::catalog::Catalog;
use crate::diag::Diagnostic;
use crate::domain::Selection;
use crate::replication::spec::{Partitions, StoreSpec};
use crate::scenario::lookup::Model;
use crate::traffic::spec::Residency;
use std::collections::BTreeSet;

pub(super) fn check(model: &Model<'_>, found: &mut Found<'_>) {
    let known = Catalog::get().all_regions().iter().map(|region| &*region.jurisdiction);
    let declared = model.spec.region.iter().filter_map(|region| region.jurisdiction.as_deref());
    let known: BTreeSet<&str> = known.chain(declared).collect();
    for (position, population) in model.spec.population.iter().enumerate() {
        let (tag, allowed) = match &population.residency {
            None => continue,
            Some(Residency::MustStayIn(allowed)) => ("must-stay-in", allowed),
            Some(Residency::Prefer(allowed)) => ("prefer", allowed),
        };
        let path = ["population", &*population.name, "residency", tag];
        found.require(!allowed.is_empty(), &path, || {
            ("an empty list of jurisdictions".to_owned(), "name at least one, or remove `residency`")
        });
        for (index, jurisdiction) in allowed.iter().enumerate().filter(|(_, name)| !known.contains(&***name)) {
            let index = index.to_string();
            found.unknown(&[&path[..], &[&*index]].concat(), "jurisdiction", jurisdiction, known.iter().copied());
        }
        // A jurisdiction that isn't known has no clusters either: once is enough.
        if allowed.is_empty() || allowed.iter().any(|name| !known.contains(&**name)) {
            continue;
        }
        match &population.residency {
            Some(Residency::MustStayIn(_)) => must_stay(model, position, allowed, found),
            Some(Residency::Prefer(_)) | None => {}
        }
    }
}

/// The clusters that aren't standbys and whose region is known.
fn serving(model: &Model<'_>) -> impl Iterator<Item = usize> {
    (0..model.clusters.len()).filter(|&cluster| {
        let own = &model.spec.cluster[cluster];
        model.clusters[cluster].is_some() && own.standby_for.is_none() && own.serves
    })
}

fn must_stay(model: &Model<'_>, population: usize, allowed: &[String], found: &mut Found<'_>) {
    let name = &*model.spec.population[population].name;
    let places = allowed.join(", ");
    // A cluster whose region isn't known may be the one.
    let all_known = model.clusters.iter().all(Option::is_some);
    if all_known && model.order(population).is_empty() {
        let diagnostic = Diagnostic::error(format!("`{name}` must stay in {places}, where no cluster may serve it"));
        let places: Vec<_> = serving(model)
            .map(|cluster| {
                let here = model.jurisdiction(cluster).unwrap_or("no known jurisdiction");
                format!("`{}` is in {here}", model.spec.cluster[cluster].name)
            })
            .take(12)
            .collect();
        let help = "add a cluster there, set `jurisdiction` of a [[region]], or use `prefer`, which counts violations";
        found.push(&["population", name, "residency", "must-stay-in"], diagnostic.note(places.join(", ")).help(help));
        return;
    }
    for primary in model.order(population) {
        let Some(standby) = model.standby_of(primary).filter(|&standby| !model.permits(population, standby)) else {
            continue;
        };
        if model.clusters[standby].is_none() {
            continue;
        }
        let [standby, primary] = [standby, primary].map(|cluster| &*model.spec.cluster[cluster].name);
        found.push(
            &["cluster", standby, "standby-for"],
            Diagnostic::error(format!("`{standby}` stands by for `{primary}`, and `{name}` must stay in {places}"))
                .help(format!("move `{standby}` there, or let a cluster there stand by for `{primary}`")),
        );
    }
    for store in model.spec.store.iter().filter(|store| store.personal) {
        copies(model, store, population, &places, found);
    }
}

/// The leader and the named followers of a population's personal data.
fn copies(model: &Model<'_>, store: &StoreSpec, population: usize, places: &str, found: &mut Found<'_>) {
    let name = &*model.spec.population[population].name;
    let outside = |cluster: usize| model.clusters[cluster].is_some() && !model.permits(population, cluster);
    let help = "keep the copies there, remove `personal`, or use `prefer`, which counts violations";
    match &store.partitions {
        Partitions::Geo {} => {
            let held = model.selected_clusters(&store.clusters);
            if !held.is_empty() && held.iter().all(|&cluster| outside(cluster)) {
                found.push(
                    &["store", &store.name, "clusters"],
                    Diagnostic::error(format!(
                        "`{name}` must stay in {places}, where no cluster holds a copy of `{}`",
                        store.name
                    ))
                    .help("add a cluster there to `clusters` of the store, or remove `personal`"),
                );
            }
        }
        Partitions::SingleLeader(single) => {
            let leader = match &single.leader {
                Some(leader) => model.cluster_names.get(&**leader).copied(),
                None => model.selected_clusters(&store.clusters).first().copied(),
            };
            if let Some(leader) = leader.filter(|&leader| outside(leader)) {
                found.push(
                    &["store", &store.name, "partitions", "single-leader", "leader"],
                    Diagnostic::error(format!(
                        "`{}` leads `{}`, which is personal, and `{name}` must stay in {places}",
                        model.spec.cluster[leader].name, store.name
                    ))
                    .help("write partitions = { geo = { } }: then each population's data is led where it is served"),
                );
            }
        }
    }
    if let Selection::Named(followers) = &store.followers {
        for (position, follower) in followers.iter().enumerate() {
            if model.cluster_names.get(&**follower).is_some_and(|&cluster| outside(cluster)) {
                found.push(
                    &["store", &store.name, "followers", &position.to_string()],
                    Diagnostic::error(format!(
                        "`{follower}` would hold personal data of `{name}`, which must stay in {places}"
                    ))
                    .note("followers = \"all\" leaves out those that residency forbids")
                    .help(help),
                );
            }
        }
    }
}
