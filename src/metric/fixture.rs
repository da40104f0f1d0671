//! A small platform by hand for tests: two regions, a pair, two populations, two journeys, one store.

use crate::plan::{Plan, compile};
use crate::scenario::resolved::{ResolvedCluster, ResolvedNode, ResolvedPopulation, ResolvedRegion, Scenario};
use indexmap::IndexMap;

const SPEC: &str = r#"
format = 1
name = "fixture"
[simulation]
horizon = "1460h"
[[cluster]]
name = "a"
zones = 3
nodes = { vcpu = 4.0, memory = "16GiB", price = "0.2 USD", min = 1, max = 100, provisioning = "90s" }
[[cluster]]
name = "b"
zones = 2
standby-for = "a"
nodes = { vcpu = 4.0, memory = "16GiB", price = "0.3 USD", min = 1, max = 100, provisioning = "90s" }
[[service]]
name = "web"
replicas = 10
time = "20ms"
wait-objective = "5ms"
[[store]]
name = "orders"
clusters = "all"
replication = { async = { lag = "1s" } }
size = "100GB"
instance-price = "0.24 USD"
storage-price = "0.115 USD"
[[journey]]
name = "browse"
share = 0.9
path = ["web"]
loss-per-failure = "0.01 USD"
[[journey]]
name = "checkout"
share = 0.1
path = ["web", { write = "orders", bytes = "4kB" }]
loss-per-failure = "50 USD"
recaptured = 0.6
[[population]]
name = "us"
lat = 40.0
lon = -75.0
rate = "100/s"
[[population]]
name = "eu"
lat = 50.0
lon = 8.0
rate = "50/s"
[[fault]]
name = "outage"
of = { regions = "all" }
every = "1000h"
repair = "1h"
[cost]
people-hours = 10.0
people-price = "50 USD"
outage-per-minute = "1000 USD"
sla = { revenue = "100000 USD", credits = [{ below = 0.999, share = 0.1 }, { below = 0.99, share = 0.25 }] }
[[expect]]
metric = "availability"
at-least = 0.999
[[expect]]
metric = "rto.users"
at-most = "5m"
"#;

fn region(name: &str, egress: Vec<(Option<f64>, f64)>, transfer: [f64; 2]) -> ResolvedRegion {
    ResolvedRegion {
        name: name.to_owned(),
        lat: 40.0,
        lon: -75.0,
        jurisdiction: None,
        zones: 3,
        control_plane: 0.1,
        load_balancer: 0.025,
        egress,
        transfer: transfer.to_vec(),
        cross_zone: 0.02,
        storage: 0.1,
    }
}

/// The platform, resolved.
pub(crate) fn scenario() -> Scenario {
    let cluster = |region, zones, standby_for, price| ResolvedCluster {
        region,
        zones,
        standby_for,
        node: Some(ResolvedNode { vcpu: 4.0, memory: 16e9, price }),
    };
    let population =
        || ResolvedPopulation { lat: 40.0, lon: -75.0, jurisdiction: None, utc_offset_minutes: 0, profile: None };
    Scenario {
        variant: "base".to_owned(),
        variant_summary: Some("One pair.".to_owned()),
        spec: toml::from_str(SPEC).unwrap(),
        regions: vec![
            region("east", vec![(Some(100.0), 0.0), (Some(10_240.0), 0.09), (None, 0.085)], [0.0, 0.02]),
            region("west", vec![(None, 0.1)], [0.03, 0.0]),
        ],
        clusters: vec![cluster(0, 3, None, 0.2), cluster(1, 2, Some(0), 0.3)],
        populations: vec![population(), population()],
        population_rtt: vec![vec![0.01, 0.07], vec![0.1, 0.15]],
        region_rtt: vec![vec![0.001, 0.06], vec![0.06, 0.001]],
        dns_queries: 0.4,
        health_check: 0.5,
        start_in_week: crate::base::Span::ZERO,
        citations: IndexMap::from([
            ("region.east.egress".to_owned(), "data/prices.csv (list price)".to_owned()),
            ("region.west.egress".to_owned(), "data/prices.csv (list price)".to_owned()),
            ("region.west.zones".to_owned(), "data/zones.csv, assumed: three".to_owned()),
        ]),
    }
}

/// The platform, compiled: roots are demand, outage of east, outage of west; cells are us/browse, us/checkout,
/// eu/browse, eu/checkout.
pub(crate) fn plan() -> Plan {
    compile(&scenario())
}
