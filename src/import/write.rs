//! The scenario's text: each value with the file and line that it is from, or `# assumed`.

use super::documents::Documents;
use super::platform::{Merged, Platform};
use super::yaml::Place;
use crate::diag::harmless;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Requests that one pod serves at a time, where nothing says it.
const CONCURRENCY: u32 = 8;
/// Mean service time in seconds, where nothing says it.
const TIME: f64 = 0.05;
/// The share of what a cluster can carry that its users ask for, where nothing says it.
const LOAD: f64 = 0.3;

/// Text as TOML has it, on one line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", harmless(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// A comment: one line, whatever the text holds.
fn comment(text: &str) -> String {
    format!("# {}", harmless(text))
}

/// Lines of TOML.
struct Text<'a> {
    out: String,
    documents: &'a Documents,
}

impl Text<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    fn key(&mut self, key: &str, value: &str, why: &str) {
        let _ = writeln!(self.out, "{key} = {value}  {}", comment(why));
    }

    fn from(&mut self, key: &str, value: &str, place: Place) {
        let why = self.documents.say(place);
        self.key(key, value, &why);
    }
}

pub(super) fn scenario(name: &str, platform: &Platform, documents: &Documents) -> String {
    let mut text = Text { out: String::new(), documents };
    text.line(&comment(
        "Written by `regionsim import k8s`. Each value says which line it is from, or that it is assumed:",
    ));
    text.line(&comment(
        "users, service times, how data is replicated and what fails are in no manifest. Check those first.",
    ));
    text.line("format = 1");
    let name: String = harmless(name).chars().take(100).collect();
    let _ = writeln!(text.out, "name = {}", quoted(if name.trim().is_empty() { "imported" } else { &name }));
    text.line("");
    clusters(&mut text, platform);
    for service in &platform.services {
        one_service(&mut text, platform, service);
    }
    for store in &platform.stores {
        one_store(&mut text, platform, store);
    }
    journeys(&mut text, platform);
    populations(&mut text, platform);
    text.line("[[fault]]");
    text.key("name", "\"region lost\"", "assumed; more are in `regionsim list figures`");
    text.line("of = { regions = \"all\" }");
    text.key("every", "{ exponential = { mean = \"4y\" } }", "assumed");
    text.key("repair", "{ lognormal = { median = \"4h\", p95 = \"14h\" } }", "assumed");
    text.out
}

fn clusters(text: &mut Text<'_>, platform: &Platform) {
    for name in &platform.aside {
        text.line(&comment(&format!("Left out: cluster `{name}` doesn't run what users call.")));
    }
    for cluster in &platform.clusters {
        text.line("[[cluster]]");
        text.key("name", &quoted(&cluster.name), &cluster.because);
        text.key("region", &quoted(&cluster.region.0), &cluster.region.1);
        text.line(
            "# nodes = { type = \"m6i.2xlarge\", min = 3, max = 50 }  # in no manifest: without it nodes cost nothing",
        );
        for remark in cluster.remarks.iter().take(200) {
            text.line(&comment(remark));
        }
        text.line("");
    }
}

/// `clusters = […]`, where it isn't in all of them.
fn where_it_runs(text: &mut Text<'_>, platform: &Platform, merged: &Merged) {
    if merged.by_cluster.len() < platform.clusters.len() {
        let names: Vec<_> = merged.by_cluster.keys().map(|index| quoted(&platform.clusters[*index].name)).collect();
        text.key("clusters", &format!("[{}]", names.join(", ")), "the clusters whose folders have it");
    }
}

fn one_service(text: &mut Text<'_>, platform: &Platform, service: &Merged) {
    let Some(first) = service.first() else { return };
    text.line("[[service]]");
    text.from("name", &quoted(&service.name), first.place);
    where_it_runs(text, platform, service);
    let pods = first.pods();
    match (&first.scaler, first.replicas) {
        (_, Some((said, place))) if said == pods => text.from("replicas", &pods.to_string(), place),
        (Some(scaler), _) => {
            let why = format!("within the autoscaler's bounds, {}", text.documents.say(scaler.place));
            text.key("replicas", &pods.to_string(), &why);
        }
        (None, _) => text.key("replicas", &pods.to_string(), "Kubernetes' default"),
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
    let pods = || service.by_cluster.values().map(super::workload::Workload::pods);
    let min = all.iter().map(|scaler| scaler.min).chain(pods()).min().unwrap_or(1);
    let max = all.iter().map(|scaler| scaler.max).chain(pods()).max().unwrap_or(1);
    let mut why = text.documents.say(first.place);
    let target = first.target.unwrap_or_else(|| {
        why += ", target assumed: it follows no CPU utilisation";
        0.8
    });
    if all.len() < service.by_cluster.len() || all.iter().any(|s| (s.min, s.max) != (first.min, first.max)) {
        why += ", as wide as the clusters' together";
    }
    text.key("autoscale", &format!("{{ target = {target:?}, min = {min}, max = {max} }}"), &why);
}

fn one_store(text: &mut Text<'_>, platform: &Platform, store: &Merged) {
    let Some(first) = store.first() else { return };
    text.line("[[store]]");
    text.from("name", &quoted(&store.name), first.place);
    where_it_runs(text, platform, store);
    if store.by_cluster.len() > 1 {
        text.key(
            "replication",
            "{ async = { lag = \"1s\" } }",
            "assumed: the first cluster leads and the others follow",
        );
        text.key("reads", "\"local\"", "assumed");
    }
    text.key("time", "\"2ms\"", "assumed");
    if let Some((size, place)) = first.storage {
        text.from("size", &quoted(&format!("{size}B")), place);
    }
    let replicas: Vec<_> = store
        .by_cluster
        .iter()
        .map(|(index, one)| format!("{} in {}", one.pods(), platform.clusters[*index].name))
        .collect();
    let said = format!("{} of image {}; pods: {}", first.kind, first.image, replicas.join(", "));
    text.line(&comment(&said));
    text.line("");
}

fn journeys(text: &mut Text<'_>, platform: &Platform) {
    for (index, why) in &platform.path {
        let said = format!("On the path: `{}` ({why})", platform.services[*index].name);
        text.line(&comment(&said));
    }
    let calls = platform.path.iter().map(|(index, _)| quoted(&platform.services[*index].name));
    let all = |step: &str| {
        platform.stores.iter().map(|store| format!("{{ {step} = {} }}", quoted(&store.name))).collect::<Vec<_>>()
    };
    let path = |stores: Vec<String>| format!("[{}]", calls.clone().chain(stores).collect::<Vec<_>>().join(", "));
    text.line("[[journey]]");
    text.key("name", "\"visit\"", "assumed");
    if !platform.stores.is_empty() {
        text.key("share", "0.9", "assumed");
    }
    text.key("timeout", "\"3s\"", "assumed");
    text.key("path", &path(all("read")), "the order, and that it reads every store, is assumed");
    if !platform.stores.is_empty() {
        text.line("[[journey]]");
        text.key("name", "\"change\"", "assumed");
        text.key("share", "0.1", "assumed");
        text.key("timeout", "\"3s\"", "assumed");
        text.key("path", &path(all("write")), "assumed");
    }
    text.line("");
}

/// Users beside each region, as many as fill a part of what its clusters carry.
fn populations(text: &mut Text<'_>, platform: &Platform) {
    let mut seen = BTreeSet::new();
    for (code, _) in platform.clusters.iter().map(|cluster| &cluster.region) {
        if !seen.insert(code) {
            continue;
        }
        let here = platform.clusters.iter().enumerate().filter(|(_, cluster)| cluster.region.0 == *code);
        let rate: f64 = here
            .map(|(index, _)| {
                let on_path = platform.path.iter().map(|(service, _)| &platform.services[*service]);
                let pods =
                    on_path.filter_map(|service| service.by_cluster.get(&index)).map(super::workload::Workload::pods);
                f64::from(pods.min().unwrap_or(1)) * f64::from(CONCURRENCY) / TIME * LOAD
            })
            .sum();
        text.line("[[population]]");
        text.key("name", &quoted(&format!("near {code}")), "assumed");
        text.key("at", &quoted(code), "assumed: users live beside the region");
        text.key("rate", &quoted(&format!("{rate:.0}/s")), "assumed: 30 % of what the clusters there can carry");
        text.line("");
    }
}
