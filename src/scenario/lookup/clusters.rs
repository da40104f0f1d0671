//! Clusters: their region, zones and pairs.

use super::{Citations, Index, nodes, regions};
use crate::diag::Diagnostic;
use crate::scenario::checks::Found;
use crate::scenario::resolved::{ResolvedCluster, ResolvedRegion};
use crate::scenario::spec::ScenarioSpec;
use std::collections::BTreeMap;

/// Zones that a cluster spans unless told: a control plane's quorum needs three.
const ZONES: u32 = 3;

/// By cluster: the position of the one that it stands by for.
pub(super) fn standbys(spec: &ScenarioSpec, names: &Index<'_>, found: &mut Found<'_>) -> Vec<Option<usize>> {
    let mut taken: BTreeMap<usize, &str> = BTreeMap::new();
    spec.cluster
        .iter()
        .map(|cluster| {
            let primary = cluster.standby_for.as_ref()?;
            let path = ["cluster", &cluster.name, "standby-for"];
            let Some(&position) = names.get(&**primary) else {
                let others = names.keys().copied().filter(|name| *name != cluster.name);
                found.unknown(&path, "cluster", primary, others);
                return None;
            };
            if *primary == cluster.name {
                let message = format!("cluster `{primary}` stands by for itself");
                found.push(&path, Diagnostic::error(message).help("name the cluster that it takes over from"));
                return None;
            }
            if spec.cluster[position].standby_for.is_some() {
                let message = format!("`{primary}` is a standby itself");
                let help = "a standby stands by for a cluster that serves: remove one of the two `standby-for`";
                found.push(&path, Diagnostic::error(message).help(help));
                return None;
            }
            if let Some(other) = taken.insert(position, &cluster.name) {
                let message = format!("`{primary}` already has the standby `{other}`");
                let help = "a cluster has one standby: remove one of the two `standby-for`";
                found.push(&path, Diagnostic::error(message).help(help));
                return None;
            }
            Some(position)
        })
        .collect()
}

/// What could be resolved of each cluster.
pub(super) fn resolve(
    spec: &ScenarioSpec,
    names: &Index<'_>,
    regions: &[ResolvedRegion],
    standby_for: &[Option<usize>],
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Vec<Option<ResolvedCluster>> {
    let clusters = spec.cluster.iter().zip(standby_for);
    clusters
        .map(|(cluster, &standby_for)| {
            let region = *names.get(cluster.region.as_deref()?)?;
            let there = regions[region].zones;
            let path = ["cluster", &cluster.name, "zones"];
            let zones = cluster.zones.unwrap_or_else(|| ZONES.min(there));
            if zones == 0 {
                let help = "write 1 for a cluster in one zone";
                found.push(&path, Diagnostic::error("a cluster spans at least one zone").help(help));
            } else if zones > there {
                let message = format!("{zones} zones, and region `{}` has {there}", regions[region].name);
                let help = format!("write at most {there}, or set `zones` of the [[region]]");
                found.push(&path, Diagnostic::error(message).help(help));
            }
            if cluster.zones.is_none() {
                citations.add(&path, format!("the region's zones, at most {ZONES}"));
            }
            let of_catalog = regions::of_catalog(&spec.region[region]);
            let node = match &cluster.nodes {
                Some(written) => nodes::resolve(&cluster.name, written, of_catalog, citations, found),
                None => None,
            };
            Some(ResolvedCluster { region, zones, standby_for, node })
        })
        .collect()
}
