//! A small platform by hand for tests: two regions, a pair, two populations, two journeys, one store.

use crate::base::Id;
use crate::domain::observation::{
    CURVE_NODES, Carried, DataTally, Latency, Loss, Month, Outage, Promotion, Recovery, StationTally, StoreTally,
    curve_node,
};
use crate::domain::{Observations, Stage};
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
read-after = "5s"
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
        lat: Some(40.0),
        lon: Some(-75.0),
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
    let population = || ResolvedPopulation {
        lat: Some(40.0),
        lon: Some(-75.0),
        jurisdiction: None,
        utc_offset_minutes: 0,
        profile: None,
        replay: None,
    };
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

/// Seconds of the fixture's horizon: two billing months.
pub(crate) const SECONDS: f64 = 1460.0 * 3600.0;

fn orders() -> StoreTally {
    StoreTally {
        reads: Some((0.002, [0.001, 0.004, 0.005])),
        writes: Some((0.08, [0.07, 0.09, 0.1])),
        visible: Some(6.9),
    }
}

/// Two months; in the second, 10,500 requests times `scale` are lost, in three outages. None at a scale of 0.
#[expect(clippy::too_many_lines, reason = "a table, line by line")]
pub(crate) fn observations(scale: f64) -> Observations {
    let [east, west] = [0, 1].map(Id::new);
    let month = |lost: [f64; 4], a_hours: f64, a_egress: f64, transfer| {
        let offered = vec![900_000.0, 100_000.0, 450_000.0, 50_000.0];
        Month {
            seconds: SECONDS / 2.0,
            good: offered.iter().zip(lost).map(|(offered, lost)| offered - scale * lost).collect(),
            offered,
            node_hours: vec![a_hours, 300.0],
            egress: vec![a_egress, 10e9],
            internal: vec![3e12, 0.5e12],
            transfer: vec![transfer],
            carried: Carried::default(),
        }
    };
    let loss = |population, journey, stage, root, requests: f64| Loss {
        population: Id::new(population),
        journey: Id::new(journey),
        stage,
        root: Id::new(root),
        requests: requests * scale,
    };
    let outage = |(population, journey): (usize, usize), start, end, lost: f64, root, recovery| Outage {
        population: Id::new(population),
        journey: Id::new(journey),
        start,
        end,
        below: end - start,
        lost: lost * scale,
        client: 0.5 * (end - start),
        lot: end,
        root: Id::new(root),
        recovery: Some(recovery),
    };
    let recovery = |service, users, stages| Recovery { service, users, stages };
    let promotion = |rpo, lost| Promotion {
        store: Id::new(0),
        population: None,
        at: 1060.0,
        from: Id::new(0),
        to: Id::new(1),
        rpo,
        lost,
        root: Id::new(1),
    };
    let latency = |population: Option<usize>, mean: f64| Latency {
        population: population.map(Id::new),
        journey: None,
        mean,
        quantiles: [mean, 2.0 * mean, 3.0 * mean, 4.0 * mean, 5.0 * mean],
    };
    // Of one time in seconds.
    let step = |at: f64| (0..CURVE_NODES).map(|k| if curve_node(k) >= at { 1.0 } else { 0.0 }).collect();
    let served = 99.0 * SECONDS;
    let busy = StationTally {
        wait_again: 0.0,
        interrupted: 0.0,
        service: served * 0.02,
        in_system: served * 0.024,
        arrivals: 100.0 * SECONDS,
        served,
        utilisation: 0.5 * SECONDS,
        ready: 10.0 * SECONDS,
        wait: 0.004 * served,
        wait_square: 5e-5 * served,
        waited: 0.2 * served,
        met: 0.9 * served,
        empty: Some(0.01 * SECONDS),
        wait_quantiles: [0.0, 0.01, 0.02],
        last: (12, 10, 0.55),
    };
    let mut seen = Observations {
        months: vec![
            month([0.0; 4], 1000.0, 12e12, (east, west, 500e9)),
            month([9000.0, 1000.0, 500.0, 0.0], 1100.0, 50e9, (west, east, 100e9)),
        ],
        latency: vec![latency(None, 0.05), latency(Some(0), 0.02), latency(Some(1), 0.11)],
        curves: vec![step(0.01), step(0.1), step(0.01)],
        below: vec![0.0; 4],
        stations: vec![vec![busy], vec![StationTally::default()]],
        faults: vec![(0, 0.0), (3, 7200.0), (1, 60.0)],
        violations: vec![5.0, 7.0],
        data: vec![vec![
            DataTally { reads: 5000.0, stale: 25.0, unseen: 10.0, ..DataTally::default() },
            DataTally { writes: 1000.0, undone: 10.0, latency: 80.0, ..DataTally::default() },
        ]],
        stores: vec![orders()],
        ..Observations::default()
    };
    if scale > 0.0 {
        seen.losses = vec![
            loss(0, 0, Stage::Promoting, 1, 3000.0),
            loss(0, 0, Stage::Undetected, 1, 6000.0),
            loss(0, 1, Stage::Undetected, 1, 1000.0),
            loss(1, 0, Stage::Overload, 2, 500.0),
        ];
        seen.outages = vec![
            outage((0, 1), 1000.0, 2800.0, 1000.0, 1, recovery(None, None, [0.0; 5])),
            outage((0, 0), 1000.0, 4600.0, 9000.0, 1, recovery(Some(94.0), Some(200.0), [34.0, 0.0, 60.0, 0.0, 0.0])),
            outage((1, 0), 10_000.0, 10_100.0, 500.0, 2, recovery(Some(60.0), Some(60.0), [30.0, 0.0, 30.0, 0.0, 0.0])),
        ];
        seen.below = vec![3600.0, 1800.0, 0.0, 0.0];
        seen.any_below = 4000.0;
        seen.promotions = vec![promotion(1.5, 30.0), promotion(0.5, 0.0)];
    }
    seen
}
