//! Nodes: an instance type of the catalogue brings vCPUs, memory and price.

use super::Citations;
use crate::base::{Bytes, Money};
use crate::catalog::{Catalog, Cited, Compute, Region};
use crate::diag::Diagnostic;
use crate::scaling::spec::NodesSpec;
use crate::scenario::checks::Found;
use crate::scenario::resolved::ResolvedNode;

const BYTES_PER_GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// The instance type where the region's provider sells it; in a region that no provider has, its size alone.
fn instance(region: Option<&Region>, name: &str) -> Option<(Cited<Compute>, bool)> {
    let catalog = Catalog::get();
    if let Some(region) = region {
        return Some((catalog.compute_or_assumed(region, name)?, true));
    }
    catalog
        .providers()
        .iter()
        .find_map(|provider| Some((catalog.compute(catalog.region(provider.home)?, name)?, false)))
}

/// The types that could have been written.
fn known(region: Option<&Region>) -> Vec<&'static str> {
    let catalog = Catalog::get();
    let Some(region) = region.and_then(|region| catalog.region(&region.code)) else {
        return catalog.providers().iter().flat_map(|provider| catalog.instance_types(provider.name)).collect();
    };
    let here: Vec<_> = catalog.instances(region).map(|(name, _)| name).collect();
    if here.is_empty() { catalog.instance_types(region.provider) } else { here }
}

pub(super) fn resolve(
    cluster: &str,
    nodes: &NodesSpec,
    region: Option<&Region>,
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> Option<ResolvedNode> {
    let path = |key: &'static str| ["cluster", cluster, "nodes", key];
    let complete = nodes.vcpu.is_some() && nodes.memory.is_some() && nodes.price.is_some();
    let looked_up = match &nodes.instance {
        Some(name) => {
            let looked_up = instance(region, name);
            if looked_up.is_none() && !complete {
                let types = known(region);
                let place = region.map_or_else(String::new, |region| format!(" in {}", region.code));
                let diagnostic = Diagnostic::error(format!("no instance type `{name}`{place} in the catalogue"))
                    .note(format!("the types that exist: {}", types.join(", ")))
                    .suggest(name, types)
                    .help("name one of them, or give `vcpu`, `memory` and `price`");
                found.push(&path("type"), diagnostic);
                return None;
            }
            looked_up
        }
        None => None,
    };
    let catalog = looked_up.as_ref().map(|(cited, _)| cited.value);
    let vcpu = nodes.vcpu.or(catalog.map(|instance| instance.vcpu));
    let memory = nodes.memory.map(Bytes::get).or(catalog.map(|instance| instance.memory_gib * BYTES_PER_GIB));
    let priced = looked_up.as_ref().filter(|(_, in_region)| *in_region).map(|(cited, _)| cited.value.usd_per_hour);
    let price = nodes.price.map(Money::get).or(priced);
    if let Some((cited, in_region)) = &looked_up {
        for (key, written) in
            [("vcpu", nodes.vcpu.is_some()), ("memory", nodes.memory.is_some()), ("price", nodes.price.is_some())]
        {
            if !written && (*in_region || key != "price") {
                citations.cite(&path(key), cited);
            }
        }
    }
    let (Some(vcpu), Some(memory)) = (vcpu, memory) else {
        let help = "write type = \"m6i.2xlarge\" or another of the catalogue, or give `vcpu`, `memory` and `price`";
        let message = "a node's vCPUs and memory aren't known";
        found.push(&["cluster", cluster, "nodes"], Diagnostic::error(message).help(help));
        return None;
    };
    if price.is_none() {
        let message = format!("the catalogue has no price for the nodes of `{cluster}`: they count as 0 USD");
        found.push(&["cluster", cluster, "nodes"], Diagnostic::warning(message).help("set `nodes.price`"));
    }
    for (key, size) in [("vcpu", vcpu), ("memory", memory)] {
        if !(size.is_finite() && size > 0.0) {
            let message = format!("`{key}` of a node is {size}; expected more than 0");
            found.push(&path(key), Diagnostic::error(message).help("leave it out for the catalogue's"));
        }
    }
    Some(ResolvedNode { vcpu, memory, price: price.unwrap_or(0.0) })
}
