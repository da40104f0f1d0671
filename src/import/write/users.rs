//! What users do, and how many there are: all of it assumed but for the ways in.

use super::super::journey::Entry;
use super::super::platform::Platform;
use super::super::workload::Workload;
use super::{CONCURRENCY, LOAD, TIME, Text, comment, links, named, quoted};
use std::collections::BTreeSet;

/// Shares are written in millionths: they have to add up to 1.
const WHOLE: u32 = 1_000_000;

/// A journey that reads for each way in, and one that writes where there is something to write.
pub(super) fn journeys(text: &mut Text<'_>, platform: &Platform) {
    let outside = links::outside(platform);
    let mut left = WHOLE;
    for (number, entry) in platform.entries.iter().enumerate() {
        let is_last = number + 1 == platform.entries.len();
        let share = if is_last { left } else { WHOLE / platform.entries.len() as u32 };
        left -= share;
        for (index, why) in &entry.path {
            let said = format!("On the path: `{}` ({why})", platform.services[*index].name);
            text.line(&comment(&said));
        }
        let outside = if number == 0 { outside.as_slice() } else { &[] };
        let own = match entry.path.first().filter(|_| platform.entries.len() > 1) {
            Some((first, _)) => format!(" {}", platform.services[*first].name),
            None => String::new(),
        };
        let changes = if entry.writes.is_empty() && outside.is_empty() { 0 } else { share / 10 };
        let reads = steps("read", &entry.reads, platform);
        let why = if reads.is_empty() {
            "the order is assumed"
        } else {
            "the order, and that it reads these stores, is assumed"
        };
        journey(text, &format!("visit{own}"), share - changes, &path(entry, platform, reads), why);
        if changes > 0 {
            let mut writes = steps("write", &entry.writes, platform);
            writes.extend(outside.iter().map(|(host, _)| format!("{{ dependency = {} }}", quoted(host))));
            journey(text, &format!("change{own}"), changes, &path(entry, platform, writes), "assumed");
        }
        text.line("");
    }
}

fn journey(text: &mut Text<'_>, name: &str, share: u32, path: &str, why: &str) {
    text.line("[[journey]]");
    text.key("name", &named(name), "assumed");
    if share < WHOLE {
        text.key("share", &format!("{}", f64::from(share) / f64::from(WHOLE)), "assumed");
    }
    text.key("timeout", "\"3s\"", "assumed");
    text.key("path", path, why);
}

fn steps(step: &str, stores: &[usize], platform: &Platform) -> Vec<String> {
    stores.iter().map(|store| format!("{{ {step} = {} }}", quoted(&platform.stores[*store].name))).collect()
}

fn path(entry: &Entry, platform: &Platform, behind: Vec<String>) -> String {
    let calls = entry.path.iter().map(|(index, _)| quoted(&platform.services[*index].name));
    format!("[{}]", calls.chain(behind).collect::<Vec<_>>().join(", "))
}

/// Users beside each region, as many as fill a part of what its clusters carry.
pub(super) fn populations(text: &mut Text<'_>, platform: &Platform) {
    let mut seen = BTreeSet::new();
    for code in platform.fronts().map(|index| &platform.clusters[index].region.0) {
        if !seen.insert(code) {
            continue;
        }
        let here = platform.fronts().filter(|index| platform.clusters[*index].region.0 == *code);
        let rate: f64 = here.map(|index| capacity(platform, index) * LOAD).sum();
        text.line("[[population]]");
        text.key("name", &quoted(&format!("near {code}")), "assumed");
        text.key("at", &quoted(code), "assumed: users live beside the region");
        text.key(
            "rate",
            &quoted(&format!("{:.0}/s", rate.max(1.0))),
            "assumed: 30 % of what the clusters there can carry",
        );
        text.line("");
    }
}

/// Requests per second that a cluster can carry: as many as the first of its services that is full.
fn capacity(platform: &Platform, cluster: usize) -> f64 {
    let on_path: BTreeSet<usize> =
        platform.entries.iter().flat_map(|entry| &entry.path).map(|(service, _)| *service).collect();
    let carried = on_path.into_iter().map(|service| {
        let is_passed = |entry: &&Entry| entry.path.iter().any(|(known, _)| *known == service);
        let share: f64 = platform.entries.iter().filter(is_passed).map(|entry| entry.share).sum();
        let by_cluster = &platform.services[service].by_cluster;
        let pods = if let Some(own) = by_cluster.get(&cluster) {
            f64::from(own.pods())
        } else {
            // All who don't run it share those that are elsewhere.
            let pods: f64 = by_cluster.values().map(Workload::pods).map(f64::from).sum();
            pods / platform.fronts().count().max(1) as f64
        };
        pods * f64::from(CONCURRENCY) / TIME / share
    });
    carried.fold(f64::INFINITY, f64::min)
}
