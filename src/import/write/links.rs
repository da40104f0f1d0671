//! What clusters are joined by, what they call outside, and how they are kept in step.

use super::super::cluster::Role;
use super::super::connect::{Outlier, kind_of};
use super::super::gitops::{Gitops, Said};
use super::super::platform::Platform;
use super::super::yaml::Place;
use super::{Text, comment, list, named, quoted, span};
use std::collections::{BTreeMap, BTreeSet};

/// The most hosts outside that are taken for dependencies.
const MAX_OUTSIDE: usize = 5;

/// Hosts outside that clusters with users call, each once.
pub(super) fn outside(platform: &Platform) -> Vec<(&str, Place)> {
    let mut seen = BTreeSet::new();
    let all = platform.fronts().flat_map(|index| &platform.clusters[index].signs.outside);
    let once = all.filter(|(host, _)| seen.insert(host.as_str()));
    once.map(|(host, place)| (host.as_str(), *place)).take(MAX_OUTSIDE).collect()
}

pub(super) fn dependencies(text: &mut Text<'_>, platform: &Platform) {
    for (host, place) in outside(platform) {
        text.line("[[dependency]]");
        text.from("name", &quoted(host), place);
        text.key("time", "\"100ms\"", "assumed");
        text.line("");
    }
}

/// A kind of connection, from which clusters to which.
type Way<'a> = (&'a str, Vec<usize>, Vec<usize>);

/// The mesh, and how services are reached that don't run in all clusters.
pub(super) fn connections(text: &mut Text<'_>, platform: &Platform) {
    let joined: Vec<usize> =
        (0..platform.clusters.len()).filter(|index| platform.clusters[*index].role != Role::Trial).collect();
    if joined.len() < 2 {
        return;
    }
    let meshed = mesh(text, platform, &joined);
    let mut others: BTreeMap<Way<'_>, BTreeSet<&str>> = BTreeMap::new();
    for (number, _) in platform.entries.iter().flat_map(|entry| &entry.path) {
        let service = &platform.services[*number];
        let runs = |index: &usize| service.by_cluster.contains_key(index);
        let from: Vec<usize> = platform.fronts().filter(|index| !runs(index)).collect();
        let to: Vec<usize> = joined.iter().filter(|index| runs(index)).copied().collect();
        let is_meshed =
            from.iter().all(|index| meshed.contains(index)) && to.iter().any(|index| meshed.contains(index));
        let exposed = to.iter().find_map(|index| service.by_cluster[index].exposed);
        if let Some((exposed, _)) = exposed.filter(|_| !from.is_empty() && !is_meshed) {
            others.entry((kind_of(exposed), from, to)).or_default().insert(&service.name);
        }
    }
    for ((kind, from, to), services) in others {
        let names = |clusters: &[usize]| list(clusters.iter().map(|index| platform.clusters[*index].name.as_str()));
        let called: Vec<_> = services.into_iter().map(|name| format!("`{name}`")).collect();
        let name = format!("{kind} to {}", called.join(", ").replace('`', ""));
        text.line("[[connection]]");
        text.key("name", &named(&name), "assumed");
        text.key("from", &names(&from), &format!("they are told of {}, and don't run it", called.join(", ")));
        text.key("to", &names(&to), "they run it");
        let change = "{ lognormal = { median = \"25min\", p95 = \"90min\" } }";
        let via = format!("{{ {kind} = {{ change = {change} }} }}");
        text.key("via", &via, "assumed from what exposes it; somebody changes the address");
        text.line("");
    }
}

/// Writes the mesh, and gives the clusters in it.
fn mesh(text: &mut Text<'_>, platform: &Platform, joined: &[usize]) -> Vec<usize> {
    let signs = |index: &usize| &platform.clusters[*index].signs;
    let outlier = joined.iter().find_map(|index| signs(index).outlier);
    let mut members: Vec<usize> = joined.iter().filter(|index| signs(index).spans.is_some()).copied().collect();
    let Some((what, place)) = members.first().and_then(|index| signs(index).spans) else {
        if outlier.is_some() {
            text.line("# Istio is there, and no manifest says that its mesh spans clusters. If it does:");
            text.line("# [[connection]]");
            text.line("# name = \"mesh\"");
            for (key, value, why) in settings(text, outlier) {
                text.line(&format!("# {key} = {value}  {}", comment(&why)));
            }
            text.line("");
        }
        return Vec::new();
    };
    let said = format!("{what}, {}", text.say(place));
    text.line("[[connection]]");
    text.key("name", "\"mesh\"", &said);
    if members.len() < 2 {
        members = joined.to_vec();
    }
    if members.len() < platform.clusters.len() {
        let names = list(members.iter().map(|index| platform.clusters[*index].name.as_str()));
        text.key("from", &names, "the clusters that say so");
        text.key("to", &names, "the clusters that say so");
    }
    for (key, value, why) in settings(text, outlier) {
        text.key(key, &value, &why);
    }
    text.line("");
    members
}

/// The keys of a mesh, each with its value and why.
fn settings(text: &Text<'_>, outlier: Option<Outlier>) -> Vec<(&'static str, String, String)> {
    let Some(outlier) = outlier else {
        return vec![(
            "via",
            "{ mesh = {} }".to_owned(),
            "assumed: outlier detection as Istio's defaults are".to_owned(),
        )];
    };
    let istios = || "assumed: Istio's default".to_owned();
    let from = |place| text.say(place);
    let (errors, why) = outlier.errors.map_or((5, istios()), |(errors, place)| (errors, from(place)));
    let mut out = vec![("via.mesh.errors", errors.to_string(), why)];
    for (key, said, default) in
        [("via.mesh.interval", outlier.interval, 10.0), ("via.mesh.ejection", outlier.ejection, 30.0)]
    {
        let (seconds, why) = said.map_or((default, istios()), |(seconds, place)| (seconds, from(place)));
        out.push((key, span(seconds), why));
    }
    out
}

/// The key above all tables: how clusters are managed.
pub(super) fn management(text: &mut Text<'_>, platform: &Platform) {
    if let Some(gitops) = platform.gitops.as_ref().filter(|gitops| !gitops.heals.is_empty()) {
        let place = gitops.heals.first().map_or_else(Place::default, |(_, place)| *place);
        let why = format!("{}, {}; its hours and errors of people are assumed", tool(gitops), text.say(place));
        text.key("management", "\"gitops\"", &why);
    }
}

fn tool(gitops: &Gitops) -> &'static str {
    if gitops.is_argo { "Argo CD" } else { "Flux" }
}

/// The controllers, and what they have to take back.
pub(super) fn gitops(text: &mut Text<'_>, platform: &Platform) {
    let Some(gitops) = &platform.gitops else { return };
    let tool = tool(gitops);
    if let Some(place) = gitops.by_hand.first() {
        let (by_hand, all) = (gitops.by_hand.len(), gitops.by_hand.len() + gitops.heals.len());
        let said = format!("{tool}: {by_hand} of {all} are synced by hand, the first {}", text.say(*place));
        text.line(&comment(&said));
    }
    if gitops.heals.is_empty() {
        text.line("");
        return;
    }
    text.line("[gitops]");
    let usual = || format!("assumed: {tool}'s default");
    let (poll, why) = gitops.poll.map_or_else(|| (120.0, usual()), |(poll, place)| (poll, text.say(place)));
    text.key("poll", &span(poll), &why);
    let jitter = if gitops.is_argo { ("60s", usual()) } else { ("0s", "assumed: Flux adds none".to_owned()) };
    match gitops.jitter {
        Some((jitter, place)) => text.from("jitter", &span(jitter), place),
        None => text.key("jitter", &quoted(jitter.0), &jitter.1),
    }
    let (heals, why) = all(&gitops.heals, text);
    text.key("self-heal", &heals.to_string(), &if gitops.is_argo { why } else { "Flux always does".to_owned() });
    let (prunes, why) = all(&gitops.prunes, text);
    text.line(&format!("# prune = {prunes}  {}", comment(&why)));
    text.line("");
    text.line("[[drift]]");
    text.key("name", "\"manual change\"", "assumed; how often goes with `management`");
    text.key("effect", "{ degraded = { errors = 0.1 } }", "assumed");
    text.key("noticed", "{ exponential = { mean = \"24h\" } }", "assumed: where no controller takes it back");
    text.line("");
}

/// Whether all do, with the line of one that tells: one that doesn't, if there is one.
fn all(said: &[Said<bool>], text: &Text<'_>) -> (bool, String) {
    let yes = said.iter().filter(|(does, _)| *does).count();
    let teller = said.iter().find(|(does, _)| !*does).or_else(|| said.first());
    let mut why = teller.map_or_else(String::new, |(_, place)| text.say(*place));
    if yes > 0 && yes < said.len() {
        why = format!("{why}; {yes} of {} do", said.len());
    }
    (yes == said.len(), why)
}
