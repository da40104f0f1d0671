//! Prices by region: those of the scenario first, then the catalogue's, cited; 0 with a warning where nobody has one.
//!
//! Of the catalogue, a region's load balancer is one application load balancer without its traffic units, and storage
//! is what its provider's managed database charges with in-region redundancy (Aurora, Azure's `postgres-flexible`,
//! twice the zonal price of Cloud SQL).

use super::{Citations, regions};
use crate::base::{Bytes, Money};
use crate::catalog::{Catalog, Cited, Kind, Region};
use crate::diag::Diagnostic;
use crate::routing::policy::Policy;
use crate::scenario::checks::Found;
use crate::scenario::resolved::ResolvedRegion;
use crate::scenario::spec::ScenarioSpec;

/// What a provider calls a thing that every provider sells: service and item.
type Item = (&'static str, &'static str);

struct Items {
    control_plane: Item,
    load_balancer: Item,
    storage: Item,
    /// What the price of storage is multiplied by for in-region redundancy.
    copies: f64,
    health_check: Item,
    /// Probing more often than every 30 s.
    fast: Item,
}

/// None for a provider that isn't in the table.
fn items(provider: &str) -> Option<Items> {
    match provider {
        "aws" => Some(Items {
            control_plane: ("eks", "control plane (standard"),
            load_balancer: ("alb", "application load balancer"),
            storage: ("aurora", "storage"),
            copies: 1.0,
            health_check: ("route53", "health check (AWS"),
            fast: ("route53", "optional feature"),
        }),
        "azure" => Some(Items {
            control_plane: ("aks", "control plane Standard"),
            load_balancer: ("lb", "Standard rule"),
            storage: ("postgres-flexible", "storage"),
            copies: 1.0,
            health_check: ("traffic-manager", "basic health check"),
            fast: ("traffic-manager", "fast-interval"),
        }),
        "gcp" => Some(Items {
            control_plane: ("gke", "cluster management fee"),
            load_balancer: ("lb", "forwarding rule"),
            storage: ("cloudsql", "SSD storage zonal"),
            copies: 2.0,
            // It sells neither by this name: AWS checks endpoints anywhere.
            health_check: ("", ""),
            fast: ("", ""),
        }),
        _ => None,
    }
}

fn service(region: &Region, (service, item): Item) -> Option<Cited<f64>> {
    Some(Catalog::get().service(region, service, item)?.map(|price| price.usd))
}

fn times(mut cited: Cited<f64>, factor: f64, note: &str) -> Cited<f64> {
    if factor != 1.0 {
        cited.value *= factor;
        cited.kind = Kind::Derived;
        cited.note = if cited.note.is_empty() { note.to_owned() } else { format!("{}; {note}", cited.note) };
    }
    cited
}

/// Fills in the prices of every region; gives those of a million DNS queries and of a health check and month.
pub(super) fn fill(
    spec: &ScenarioSpec,
    resolved: &mut [ResolvedRegion],
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> (f64, f64) {
    let known: Vec<Option<&Region>> = spec.region.iter().map(regions::of_catalog).collect();
    for (from, region) in resolved.iter_mut().enumerate() {
        let missing = region_prices(spec, region, known[from], citations);
        let (transfer, all_known) = transfer(spec, from, &known, citations);
        region.transfer = transfer;
        let missing: Vec<_> = missing.into_iter().chain((!all_known).then_some("inter-region")).collect();
        if !missing.is_empty() {
            let message =
                format!("no prices in region `{}`, which count as 0 USD: {}", region.name, missing.join(", "));
            let help = "set them under [cost] (storage: `storage-price` of the stores), or `code` of the region";
            found.push(&["region", &region.name], Diagnostic::warning(message).help(help));
        }
    }
    routing(spec, &known, citations, found)
}

/// Fills in what has a price of its own; gives the keys of those that nobody has a price for.
fn region_prices(
    spec: &ScenarioSpec,
    region: &mut ResolvedRegion,
    known: Option<&Region>,
    citations: &mut Citations,
) -> Vec<&'static str> {
    let cost = &spec.cost;
    let name = region.name.clone();
    let sold = known.and_then(|known| Some((known, items(known.provider)?)));
    let of = |item: fn(&Items) -> Item| sold.as_ref().and_then(|(known, items)| service(known, item(items)));
    let transfer = known.map(|known| Catalog::get().transfer(known));
    let mut missing = Vec::new();
    let mut take = |key: &'static str, written: Option<f64>, listed: Option<Cited<f64>>| match (written, listed) {
        (Some(usd), _) => usd,
        (None, Some(cited)) => {
            citations.cite(&["region", &name, key], &cited);
            cited.value
        }
        (None, None) => {
            missing.push(key);
            0.0
        }
    };
    region.control_plane = take("control-plane", cost.control_plane.map(Money::get), of(|items| items.control_plane));
    region.load_balancer = take("load-balancer", cost.load_balancer.map(Money::get), of(|items| items.load_balancer));
    // Every gigabyte that crosses is charged where it leaves and, by AWS, where it arrives.
    let both_sides = transfer.map(|transfer| Cited {
        value: transfer.cross_zone_out.value + transfer.cross_zone_in.value,
        ..transfer.cross_zone_out.clone()
    });
    region.cross_zone = take("cross-zone", cost.cross_zone.map(|usd| 2.0 * usd.get()), both_sides);
    let stores_say = !spec.store.is_empty() && spec.store.iter().all(|store| store.storage_price.is_some());
    let storage = of(|items| items.storage).map(|cited| {
        let copies = sold.as_ref().map_or(1.0, |(_, items)| items.copies);
        times(cited, copies, "twice the zonal price, for a copy in a second zone")
    });
    // Where every store has a price, or there is none, nobody asks for the region's.
    let nobody_asks = (stores_say || spec.store.is_empty()).then_some(0.0).filter(|_| storage.is_none());
    region.storage = take("storage", nobody_asks, storage);
    if let Some(tiers) = &cost.egress {
        region.egress = tiers.iter().map(|tier| (tier.up_to.map(Bytes::gigabytes), tier.price.get())).collect();
    } else if let Some(transfer) = transfer {
        citations.cite(&["region", &name, "egress"], &transfer.internet);
        let tiers = transfer.internet.value.iter();
        region.egress = tiers.map(|tier| (tier.up_to_tb.map(|end| end * 1e3), tier.usd_per_gb)).collect();
    } else {
        missing.push("egress");
    }
    missing
}

/// USD per GB to each region, and whether all of them are known.
fn transfer(
    spec: &ScenarioSpec,
    from: usize,
    known: &[Option<&Region>],
    citations: &mut Citations,
) -> (Vec<f64>, bool) {
    let mut all_known = true;
    let prices = known
        .iter()
        .enumerate()
        .map(|(to, there)| {
            if to == from {
                return 0.0;
            }
            if let Some(price) = spec.cost.inter_region {
                return price.get();
            }
            let Some(here) = known[from] else {
                all_known = false;
                return 0.0;
            };
            let path = ["region", &spec.region[from].name, "transfer", &spec.region[to].name];
            let cited = if let Some(there) = there {
                Catalog::get().inter_region(here, there)
            } else {
                let internet = Catalog::get().transfer(here).internet.clone();
                let first = internet.map(|tiers| tiers.first().map_or(0.0, |tier| tier.usd_per_gb));
                Cited {
                    kind: Kind::Derived,
                    note: "to a region outside the catalogue: first step of the internet price".to_owned(),
                    ..first
                }
            };
            citations.cite(&path, &cited);
            cited.value
        })
        .collect();
    (prices, all_known)
}

/// USD per million DNS queries, and per health check and month, at the provider of the first region that has them.
fn routing(
    spec: &ScenarioSpec,
    known: &[Option<&Region>],
    citations: &mut Citations,
    found: &mut Found<'_>,
) -> (f64, f64) {
    const FAST: f64 = 30.0;
    let query = match &spec.routing.policy {
        Policy::Latency(_) => "latency-routing queries",
        Policy::Geo(_) => "geo queries",
        Policy::Weighted(_) | Policy::Priority(_) => "standard queries",
    };
    let regions = || known.iter().flatten();
    let queries = regions().find_map(|region| {
        service(region, ("route53", query)).or_else(|| service(region, ("traffic-manager", "DNS queries")))
    });
    let check = regions().find_map(|region| {
        let items = items(region.provider)?;
        let check = service(region, items.health_check)?;
        let extra = (spec.routing.health.interval.secs() < FAST).then(|| service(region, items.fast)).flatten();
        Some(match extra {
            Some(extra) => Cited {
                value: check.value + extra.value,
                note: "with the add-on for an interval under 30 s".to_owned(),
                ..check
            },
            None => check,
        })
    });
    let mut take = |key: &'static str, what: &str, written: Option<Money>, listed: Option<Cited<f64>>| {
        if let Some(usd) = written {
            return usd.get();
        }
        if let Some(cited) = listed {
            citations.cite(&["cost", key], &cited);
            return cited.value;
        }
        let message = format!("no price for {what}: they count as 0 USD");
        found.push(&["cost"], Diagnostic::warning(message).help(format!("set `cost.{key}`")));
        0.0
    };
    let queries = take("dns-queries", "DNS queries", spec.cost.dns_queries, queries);
    (queries, take("health-check", "health checks", spec.cost.health_check, check))
}
