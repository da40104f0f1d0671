//! All clusters together: workloads of one name are one service, and users are sent where the whole path runs.

use super::cluster::Cluster;
use super::documents::{Documents, Problems};
use super::layout::Group;
use super::workload::Workload;
use crate::diag::harmless;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a scenario, in characters.
const LONGEST: usize = 100;
/// The most services on an assumed path.
const MAX_PATH: usize = 12;

/// A service or a store, and what each of its clusters says of it.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) name: String,
    /// By the cluster's number.
    pub(super) by_cluster: BTreeMap<usize, Workload>,
}

impl Merged {
    /// The workload of its first cluster.
    pub(super) fn first(&self) -> Option<&Workload> {
        self.by_cluster.values().next()
    }
}

/// What a scenario is written from.
#[derive(Debug)]
pub(super) struct Platform {
    pub(super) clusters: Vec<Cluster>,
    pub(super) services: Vec<Merged>,
    pub(super) stores: Vec<Merged>,
    /// The services that a request passes, by number, and why.
    pub(super) path: Vec<(usize, String)>,
    /// Clusters that can't serve the path.
    pub(super) aside: Vec<String>,
}

impl Platform {
    /// `None` where there is no service.
    pub(super) fn new(groups: &[Group], documents: &Documents, problems: &mut Problems<'_>) -> Option<Self> {
        let mut clusters: Vec<Cluster> = groups.iter().map(|group| Cluster::new(group, documents, problems)).collect();
        for (index, cluster) in clusters.iter_mut().enumerate() {
            cluster.name = printable(&cluster.name, index);
        }
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        clusters.dedup_by(|later, first| later.name == first.name);
        let services = merge(&clusters, false);
        let front =
            |one: &&Merged| (one.by_cluster.values().any(|workload| workload.exposed.is_some()), one.by_cluster.len());
        // The first of those that most clusters run.
        let first = services.iter().rev().max_by_key(front)?;
        let serving: Vec<usize> = first.by_cluster.keys().copied().collect();
        let mut aside = Vec::new();
        let all = clusters.len();
        let kept: Vec<Cluster> = clusters
            .into_iter()
            .enumerate()
            .filter_map(|(index, cluster)| {
                if serving.contains(&index) {
                    return Some(cluster);
                }
                aside.push(cluster.name.clone());
                None
            })
            .collect();
        debug_assert_eq!(kept.len() + aside.len(), all);
        let services = merge(&kept, false);
        let mut stores = merge(&kept, true);
        let taken: BTreeSet<&str> = services.iter().map(|service| service.name.as_str()).collect();
        for store in &mut stores {
            if taken.contains(store.name.as_str()) {
                store.name = printable(&format!("{}-store", store.name), 0);
            }
        }
        let path = path(&services, kept.len(), documents);
        Some(Self { clusters: kept, services, stores, path, aside })
    }
}

/// A name that a scenario takes.
fn printable(name: &str, index: usize) -> String {
    let name: String = harmless(name.trim()).chars().take(LONGEST).collect();
    if name.is_empty() { format!("unnamed-{}", index + 1) } else { name }
}

/// Workloads by name, over all clusters.
fn merge(clusters: &[Cluster], stores: bool) -> Vec<Merged> {
    let short = |cluster: &Cluster, workload: &Workload| {
        let name = workload.name.as_str();
        let name = name.strip_suffix(&format!("-{}", cluster.name)).unwrap_or(name);
        let name = name.strip_prefix(&format!("{}-", cluster.name)).unwrap_or(name);
        name.to_owned()
    };
    // Two namespaces of one cluster may use one name.
    let mut doubled = BTreeSet::new();
    for cluster in clusters {
        let mut seen = BTreeSet::new();
        for workload in &cluster.workloads {
            let name = short(cluster, workload);
            if !seen.insert(name.clone()) {
                doubled.insert(name);
            }
        }
    }
    let mut merged: BTreeMap<String, BTreeMap<usize, Workload>> = BTreeMap::new();
    for (index, cluster) in clusters.iter().enumerate() {
        for workload in cluster.workloads.iter().filter(|workload| workload.is_store == stores) {
            let mut name = short(cluster, workload);
            if doubled.contains(&name) {
                name = format!("{}/{name}", workload.namespace.as_deref().unwrap_or("default"));
            }
            merged.entry(printable(&name, index)).or_default().entry(index).or_insert_with(|| workload.clone());
        }
    }
    merged.into_iter().map(|(name, by_cluster)| Merged { name, by_cluster }).collect()
}

/// The services that a request passes: those that users reach, then those that these name in their environment. All
/// that run in every cluster, where users reach none.
fn path(services: &[Merged], clusters: usize, documents: &Documents) -> Vec<(usize, String)> {
    let everywhere = |index: &usize| services[*index].by_cluster.len() == clusters;
    let mut path: Vec<(usize, String)> = Vec::new();
    for (index, service) in services.iter().enumerate().filter(|(index, _)| everywhere(index)) {
        let way = service.by_cluster.values().find_map(|workload| workload.exposed);
        if let Some((what, place)) = way {
            path.push((index, format!("{what}, {}", documents.say(place))));
        }
    }
    if path.is_empty() {
        let all = (0..services.len()).filter(everywhere).take(MAX_PATH);
        return all.map(|index| (index, "assumed: no manifest exposes a service".to_owned())).collect();
    }
    path.truncate(MAX_PATH);
    let mut next = 0;
    while let Some((caller, _)) = path.get(next).cloned() {
        next += 1;
        let told: Vec<&str> =
            services[caller].first().map_or(Vec::new(), |one| one.told.iter().map(String::as_str).collect());
        for index in (0..services.len()).filter(everywhere) {
            let name = services[index].name.as_str();
            let is_known = path.iter().any(|(known, _)| *known == index);
            if !is_known && path.len() < MAX_PATH && told.iter().any(|text| is_host(text, name)) {
                path.push((index, format!("assumed: `{}` is told its address", services[caller].name)));
            }
        }
    }
    path
}

/// Whether the text holds an address of this name: `cart:7070`, `http://cart/v1`, `cart.shop.svc`.
fn is_host(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        (before.is_empty() || before.ends_with(['/', '@', '=', ',', ' ']))
            && (after.starts_with([':', '/', '.']) || (after.is_empty() && before.ends_with("//")))
    })
}
