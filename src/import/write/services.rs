//! Services and stores.

use super::super::platform::{Merged, Platform};
use super::super::store::Family;
use super::super::workload::Workload;
use super::{CONCURRENCY, Text, comment, list, quoted};

/// `clusters = […]`, where it isn't in all of them.
fn where_it_runs(text: &mut Text<'_>, platform: &Platform, merged: &Merged) {
    if merged.by_cluster.len() < platform.clusters.len() {
        let names = merged.by_cluster.keys().map(|index| platform.clusters[*index].name.as_str());
        text.key("clusters", &list(names), "the clusters whose folders have it");
    }
}

pub(super) fn service(text: &mut Text<'_>, platform: &Platform, service: &Merged) {
    let Some(first) = service.first() else { return };
    text.line("[[service]]");
    text.from("name", &quoted(&service.name), first.place);
    where_it_runs(text, platform, service);
    let pods = first.pods();
    match (&first.scaler, first.replicas) {
        (_, Some((said, place))) if said == pods => text.from("replicas", &pods.to_string(), place),
        (Some(scaler), _) => {
            let why = format!("within the autoscaler's bounds, {}", text.say(scaler.place));
            text.key("replicas", &pods.to_string(), &why);
        }
        (None, _) => text.key("replicas", &pods.to_string(), "assumed: Kubernetes' default"),
    }
    text.key("concurrency", &CONCURRENCY.to_string(), "assumed");
    text.key("time", "{ lognormal = { mean = \"50ms\", cv = 1.0 } }", "assumed");
    if let Some((cpu, place)) = first.cpu {
        text.from("cpu", &format!("{cpu:?}"), place);
    }
    if let Some((memory, place)) = first.memory {
        text.from("memory", &quoted(&format!("{memory}B")), place);
    }
    scaler(text, service);
    if let Some((budget, place)) = &first.budget {
        let said = format!("PodDisruptionBudget: {budget} ({})", text.documents.say(*place));
        text.line(&comment(&said));
    }
    if !first.image.is_empty() {
        text.line(&comment(&format!("{} of image {}", first.kind, first.image)));
    }
    if first.also.len() > 1 {
        text.line(&comment(&format!("Counted as one: {}", first.also.join(", "))));
    }
    for (index, workload) in service.by_cluster.iter().filter(|(_, workload)| workload.pods() != pods) {
        let key = format!("override.{}.replicas", quoted(&platform.clusters[*index].name));
        let place = workload.replicas.map_or(workload.place, |(_, place)| place);
        text.from(&key, &workload.pods().to_string(), place);
    }
    text.line("");
}

/// One autoscaler for all clusters, as wide as the widest.
fn scaler(text: &mut Text<'_>, service: &Merged) {
    let all: Vec<_> = service.by_cluster.values().filter_map(|workload| workload.scaler.as_ref()).collect();
    let Some(first) = all.first() else { return };
    let pods = || service.by_cluster.values().map(Workload::pods);
    let min = all.iter().map(|scaler| scaler.min).chain(pods()).min().unwrap_or(1);
    let max = all.iter().map(|scaler| scaler.max).chain(pods()).max().unwrap_or(1);
    let mut why = text.say(first.place);
    let target = first.target.unwrap_or_else(|| {
        why += ", target assumed: it follows no CPU utilisation";
        0.8
    });
    if all.len() < service.by_cluster.len() || all.iter().any(|s| (s.min, s.max) != (first.min, first.max)) {
        why += ", as wide as the clusters' together";
    }
    text.key("autoscale", &format!("{{ target = {target:?}, min = {min}, max = {max} }}"), &why);
}

pub(super) fn store(text: &mut Text<'_>, platform: &Platform, number: usize) {
    let store = &platform.stores[number];
    let Some(first) = store.first() else { return };
    let family = first.store.unwrap_or(Family::Leader);
    text.line("[[store]]");
    text.from("name", &quoted(&store.name), first.place);
    where_it_runs(text, platform, store);
    let copies = store.by_cluster.len();
    let (time, reads) = family.usual();
    if let Some((of, _)) = platform.cached(number) {
        let of = &platform.stores[of].name;
        let replication = format!("{{ cache = {{ ttl = \"5m\", of = {} }} }}", quoted(of));
        text.key("replication", &replication, "assumed: that it is a cache, of what, and for how long");
    } else if let Some((replication, why)) = family.replication(copies) {
        text.key("replication", &replication, why);
        if let Some(reads) = reads {
            text.key("reads", &quoted(reads), "assumed");
        }
    } else if family == Family::Cache && copies > 1 {
        let why = "assumed: there is no store that it could be a cache of";
        text.key("replication", "{ async = { lag = \"1s\" } }", why);
        text.key("reads", "\"local\"", "assumed");
    }
    text.key("time", &quoted(time), "assumed");
    if let Some((size, place)) = first.storage {
        text.from("size", &quoted(&format!("{size:.0}B")), place);
    }
    let pods: Vec<_> = store
        .by_cluster
        .iter()
        .map(|(index, one)| format!("{} in {}", one.pods(), platform.clusters[*index].name))
        .collect();
    text.line(&comment(&format!("{} of image {}; pods: {}", first.kind, first.image, pods.join(", "))));
    text.line("");
}
