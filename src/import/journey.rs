//! What a request passes: from a way in, through the services whose address each is told, to their stores.

use super::cluster::{Cluster, Role};
use super::documents::Documents;
use super::platform::{Merged, Platform};
use super::store::Family;
use std::collections::BTreeSet;

/// The most services on one path.
const MAX_PATH: usize = 12;
/// The most ways in.
const MAX_ENTRIES: usize = 12;
/// The most stores on one path.
const MAX_STORES: usize = 6;

/// A way in.
#[derive(Debug)]
pub(super) struct Entry {
    /// Services by number, in the order that they are called, and why.
    pub(super) path: Vec<(usize, String)>,
    /// Stores by number: those that are read, and those that are written.
    pub(super) reads: Vec<usize>,
    pub(super) writes: Vec<usize>,
    /// Its share of the requests.
    pub(super) share: f64,
}

impl Entry {
    fn new(path: Vec<(usize, String)>) -> Self {
        Self { path, reads: Vec::new(), writes: Vec::new(), share: 1.0 }
    }

    fn passes(&self, service: usize) -> bool {
        self.path.iter().any(|(known, _)| *known == service)
    }
}

/// The ways into these clusters. Where users reach nothing, all services of each are one path.
pub(super) fn entries(
    services: &[Merged],
    fronts: &[usize],
    clusters: &[Cluster],
    documents: &Documents,
) -> Vec<Entry> {
    let everywhere = |index: &usize| fronts.iter().all(|front| services[*index].by_cluster.contains_key(front));
    let mut entries = Vec::new();
    for (index, service) in services.iter().enumerate().filter(|(index, _)| everywhere(index)) {
        let way = fronts.iter().find_map(|front| service.by_cluster.get(front)?.exposed);
        if let Some((what, place)) = way.filter(|(what, _)| *what != super::entry::INTERNAL) {
            entries.push(Entry::new(vec![(index, format!("{what}, {}", documents.say(place)))]));
        }
    }
    if entries.is_empty() {
        let all = (0..services.len()).filter(everywhere).take(MAX_PATH);
        let path = all.map(|index| (index, "assumed: no manifest exposes a service".to_owned()));
        return vec![Entry::new(path.collect())];
    }
    entries.truncate(MAX_ENTRIES);
    let share = 1.0 / entries.len() as f64;
    for entry in &mut entries {
        entry.share = share;
        follow(entry, services, |index| everywhere(&index) || is_joined(&services[index], fronts, clusters));
    }
    // One way in that is told nothing: addresses are in its code, and what has a Service is called by somebody.
    if let [entry] = entries.as_mut_slice()
        && entry.path.len() == 1
    {
        let has_address = |index: &usize| services[*index].by_cluster.values().any(|one| !one.services.is_empty());
        let others: Vec<_> =
            (0..services.len()).filter(|index| !entry.passes(*index)).filter(everywhere).filter(has_address).collect();
        let why = || "assumed: it has a Service, and no manifest says who calls it".to_owned();
        entry.path.extend(others.into_iter().take(MAX_PATH - 1).map(|index| (index, why())));
    }
    entries
}

/// Adds what the services of a path are told the addresses of.
fn follow(entry: &mut Entry, services: &[Merged], is_called: impl Fn(usize) -> bool) {
    let mut next = 0;
    while let Some((caller, _)) = entry.path.get(next).cloned() {
        next += 1;
        for index in (0..services.len()).filter(|index| is_called(*index)) {
            if !entry.passes(index) && entry.path.len() < MAX_PATH && is_told(&services[caller], &services[index]) {
                entry.path.push((index, format!("assumed: `{}` is told its address", services[caller].name)));
            }
        }
    }
}

/// Whether the clusters that don't run it can call it where it runs: over a mesh, or by what exposes it there.
fn is_joined(service: &Merged, fronts: &[usize], clusters: &[Cluster]) -> bool {
    let callers = fronts.iter().filter(|front| !service.by_cluster.contains_key(front));
    let is_meshed = |index: &usize| clusters[*index].signs.spans.is_some();
    let targets = || service.by_cluster.keys().filter(|index| clusters[**index].role != Role::Trial);
    let exposed = targets().any(|index| service.by_cluster[index].exposed.is_some());
    targets().next().is_some() && (exposed || (targets().any(is_meshed) && callers.into_iter().all(is_meshed)))
}

/// Whether the caller's containers are told an address of the other.
fn is_told(caller: &Merged, other: &Merged) -> bool {
    let names: BTreeSet<&str> = other
        .by_cluster
        .values()
        .flat_map(|one| one.services.iter().chain([&one.original, &one.name]))
        .map(String::as_str)
        .collect();
    caller.by_cluster.values().flat_map(|one| &one.told).any(|text| names.iter().any(|name| is_host(text, name)))
}

impl Platform {
    /// Gives each way in the stores that its services are told of. A store that nobody is told of is the first one's.
    pub(super) fn keep_stores(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        for store in 0..self.stores.len() {
            let family = self.family(store);
            let is_reader = |entry: &Entry| {
                entry.path.iter().any(|(service, _)| is_told(&self.services[*service], &self.stores[store]))
            };
            let known = entries.iter().any(is_reader);
            for (position, entry) in entries.iter_mut().enumerate() {
                let is_its = if known { is_reader(entry) } else { position == 0 };
                if !is_its {
                    continue;
                }
                if family != Family::Queue && entry.reads.len() < MAX_STORES {
                    entry.reads.push(store);
                }
                if self.cached(store).is_none() && entry.writes.len() < MAX_STORES {
                    entry.writes.push(store);
                }
            }
        }
        for entry in &mut entries {
            // What is cached is read through its cache, where it is plain what that caches.
            let through: Vec<_> = entry.reads.iter().filter_map(|store| self.cached(*store)).collect();
            entry.reads.retain(|store| !through.contains(&(*store, true)));
        }
        self.entries = entries;
    }

    fn family(&self, store: usize) -> Family {
        self.stores[store].first().and_then(|one| one.store).unwrap_or(Family::Leader)
    }

    /// The store that this one is taken to cache, and whether that is plain: one that a service is told of together with
    /// the cache, or the only one there is; else the first of its namespace, or of all.
    pub(super) fn cached(&self, cache: usize) -> Option<(usize, bool)> {
        if self.family(cache) != Family::Cache {
            return None;
        }
        let holds = |other: &usize| !matches!(self.family(*other), Family::Cache | Family::Queue);
        let others: Vec<usize> = (0..self.stores.len()).filter(holds).collect();
        let told = |caller: &Merged, store: usize| is_told(caller, &self.stores[store]);
        let callers: Vec<&Merged> = self.services.iter().filter(|caller| told(caller, cache)).collect();
        let together = others.iter().find(|other| callers.iter().any(|caller| told(caller, **other)));
        let space = |index: usize| self.stores[index].first().and_then(|one| one.namespace.as_deref());
        let near = || others.iter().find(|other| space(**other) == space(cache)).or(others.first());
        let is_plain = together.is_some() || others.len() == 1;
        together.or_else(near).map(|other| (*other, is_plain))
    }
}

/// Whether the text holds an address of this name: `cart:7070`, `http://cart/v1`, `cart.shop.svc`.
fn is_host(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        (before.is_empty() || before.ends_with(['/', '@', '=', ',', ' ']))
            && (after.starts_with([':', '/', '.']) || (after.is_empty() && before.ends_with("//")))
    })
}
