//! All clusters together: workloads of one name are one service, and users are sent where they find a way in.

use super::cluster::{Cluster, Role};
use super::documents::{Documents, Problems};
use super::gitops::Gitops;
use super::journey::{Entry, entries};
use super::layout::{Group, NAMELESS};
use super::workload::Workload;
use crate::diag::harmless;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a scenario, in characters.
const LONGEST: usize = 100;
/// Parts of the names of clusters that serve no users.
const TRIAL: [&str; 15] = [
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "stage",
    "staging",
    "stg",
    "sandbox",
    "preview",
    "nonprod",
    "ci",
    "e2e",
];

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
    /// The ways in, each with what a request passes.
    pub(super) entries: Vec<Entry>,
    /// Clusters that nobody needs.
    pub(super) aside: Vec<String>,
    pub(super) gitops: Option<Gitops>,
}

impl Platform {
    /// `None` where there is no service.
    pub(super) fn new(groups: &[Group], documents: &Documents, problems: &mut Problems<'_>) -> Option<Self> {
        let gitops = Gitops::of(groups, documents);
        let mut clusters: Vec<Cluster> = groups.iter().map(|group| Cluster::new(group, documents, problems)).collect();
        for (index, cluster) in clusters.iter_mut().enumerate() {
            cluster.name = printable(&cluster.name, index);
        }
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        clusters.dedup_by(|later, first| later.name == first.name);
        name_all(&mut clusters);
        trials(&mut clusters);
        let services = merge(&clusters, false);
        let serves = |index: &&usize| clusters[**index].role == Role::Front;
        let front = |one: &&Merged| {
            let exposed = one.by_cluster.iter().filter(|(index, one)| serves(index) && one.exposed.is_some());
            (exposed.count(), one.by_cluster.keys().filter(serves).count())
        };
        // The first of those that most clusters run.
        let first = services.iter().rev().filter(|one| front(one).1 > 0).max_by_key(front)?;
        let fronts: Vec<usize> = first.by_cluster.keys().filter(serves).copied().collect();
        let entries = entries(&services, &fronts, &clusters, documents);
        let called = |index: usize| {
            let mut on_path = entries.iter().flat_map(|entry| &entry.path);
            on_path.any(|(service, _)| services[*service].by_cluster.contains_key(&index))
        };
        let (mut aside, mut kept) = (Vec::new(), Vec::new());
        for (index, mut cluster) in clusters.into_iter().enumerate() {
            let is_needed = match cluster.role {
                Role::Front if fronts.contains(&index) => true,
                Role::Front | Role::Called => {
                    cluster.role = Role::Called;
                    called(index)
                }
                Role::Trial => !cluster.workloads.is_empty(),
            };
            if is_needed {
                kept.push(cluster);
            } else if !cluster.workloads.is_empty() || cluster.name != NAMELESS {
                aside.push(cluster.name);
            }
        }
        // Those that users come to first: the others differ from them.
        kept.sort_by_key(|cluster| cluster.role);
        let names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
        let services = merge(&kept, false);
        let mut stores = merge(&kept, true);
        // What serves nobody holds nothing that users need.
        for store in &mut stores {
            store.by_cluster.retain(|index, _| kept[*index].role == Role::Front);
        }
        stores.retain(|store| !store.by_cluster.is_empty());
        let taken: BTreeSet<String> = services.iter().map(|service| service.name.clone()).collect();
        for store in &mut stores {
            if taken.contains(&store.name) {
                store.name = printable(&format!("{}-store", store.name), 0);
            }
        }
        // Services of clusters that were left out may be gone, and with them their numbers.
        let number = |old: usize| services.iter().position(|service| service.name == names[old]);
        let entries = entries
            .into_iter()
            .map(|entry| Entry {
                path: entry.path.into_iter().filter_map(|(old, why)| Some((number(old)?, why))).collect(),
                ..entry
            })
            .collect();
        let mut platform = Self { clusters: kept, services, stores, entries, aside, gitops };
        platform.keep_stores();
        Some(platform)
    }

    /// The clusters that users come to.
    pub(super) fn fronts(&self) -> impl Iterator<Item = usize> {
        (0..self.clusters.len()).filter(|index| self.clusters[*index].role == Role::Front)
    }
}

/// Clusters for development and tests serve no users, if there are others.
fn trials(clusters: &mut [Cluster]) {
    let is_trial = |name: &str| {
        let name = name.to_ascii_lowercase();
        let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let digits = |part: &str| part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let is_non = parts.windows(2).any(|pair| pair[0] == "non" && pair[1].starts_with("prod"));
        is_non || parts.iter().any(|part| TRIAL.contains(&digits(part).as_str()))
    };
    let others = clusters
        .iter()
        .any(|cluster| !is_trial(&cluster.name) && cluster.workloads.iter().any(|workload| workload.store.is_none()));
    for cluster in clusters.iter_mut().filter(|cluster| others && is_trial(&cluster.name)) {
        cluster.role = Role::Trial;
    }
}

/// A name that a scenario takes.
fn printable(name: &str, index: usize) -> String {
    let name: String = harmless(name.trim()).chars().take(LONGEST).collect();
    if name.is_empty() { format!("unnamed-{}", index + 1) } else { name }
}

/// Gives each workload the name of its service: without its cluster's, and with its namespace where a cluster has two.
fn name_all(clusters: &mut [Cluster]) {
    let mut doubled = BTreeSet::new();
    for cluster in clusters.iter_mut() {
        let (mut seen, end, begin) = (BTreeSet::new(), format!("-{}", cluster.name), format!("{}-", cluster.name));
        for workload in &mut cluster.workloads {
            let name = workload.name.as_str();
            let name = name.strip_suffix(&end).unwrap_or(name);
            workload.name = name.strip_prefix(&begin).unwrap_or(name).to_owned();
            if !seen.insert(workload.name.clone()) {
                doubled.insert(workload.name.clone());
            }
        }
    }
    for (index, cluster) in clusters.iter_mut().enumerate() {
        for workload in &mut cluster.workloads {
            if doubled.contains(&workload.name) {
                workload.name = format!("{}/{}", workload.namespace.as_deref().unwrap_or("default"), workload.name);
            }
            workload.name = printable(&workload.name, index);
        }
    }
}

/// Workloads by name, over all clusters.
fn merge(clusters: &[Cluster], stores: bool) -> Vec<Merged> {
    let mut merged: BTreeMap<String, BTreeMap<usize, Workload>> = BTreeMap::new();
    for (index, cluster) in clusters.iter().enumerate() {
        for workload in cluster.workloads.iter().filter(|workload| workload.store.is_some() == stores) {
            let by_cluster = merged.entry(workload.name.clone()).or_default();
            by_cluster.entry(index).or_insert_with(|| workload.clone());
        }
    }
    merged.into_iter().map(|(name, by_cluster)| Merged { name, by_cluster }).collect()
}
