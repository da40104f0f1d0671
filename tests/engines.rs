//! Rates against requests on the scenarios of `scenarios/`: the same figures by both engines, within what the requests'
//! interval allows and what flow's own curves are off.
//!
//! Where they differ the reason stands beside the row, and in docs/validity.md.

mod product;

use product::{Summary, run};

/// A scenario, how it is cut to size, and what is compared.
struct Row {
    file: &'static str,
    arguments: &'static [&'static str],
    /// The share of the requests that is simulated.
    scale: &'static str,
    figures: &'static [Compared],
}

/// Metric, stage and root if it is of one, and how far flow may be off beyond the interval, and why.
type Compared = (&'static str, &'static [(&'static str, &'static str)], f64, &'static str);

/// Flow's stated error of a latency curve, and of a histogram's bucket.
const CURVE: f64 = 2e-3;
const STORM: &[(&str, &str)] = &[("stage", "overload"), ("root", "bad query: api in us-east-1")];
const GREY: &[(&str, &str)] = &[("stage", "errors"), ("root", "grey: checkout in us-east-1")];

const LOST: &str = "us-east-1 lost: us-east-1";
const UNDETECTED: &[(&str, &str)] = &[("stage", "undetected"), ("root", LOST)];
const PROMOTING: &[(&str, &str)] = &[("stage", "promoting"), ("root", LOST)];
const STALE: &[(&str, &str)] = &[("stage", "stale-dns"), ("root", LOST)];
const OVERLOAD: &[(&str, &str)] = &[("stage", "overload"), ("root", LOST)];

const ROWS: &[Row] = &[
    Row {
        file: "scenarios/capacity.toml",
        arguments: &["--seeds", "4", "--set", "service.web.station=\"mmc\""],
        scale: "1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("requests.lost", &[("stage", "undetected"), ("root", "a lost: a")], 0.0, ""),
            ("requests.lost", &[("stage", "stale-dns"), ("root", "a lost: a")], 0.0, ""),
            ("latency.p50", &[], 2e-2, "a constant service: the shape of waits in M/D/c"),
            ("latency.p95", &[], 2e-2, "the same"),
            ("latency.p99", &[], 2e-2, "the same"),
            ("cost.bill", &[], 0.0, ""),
        ],
    },
    Row {
        file: "scenarios/replication-modes.toml",
        arguments: &["--horizon", "5min", "--seeds", "4"],
        scale: "1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], CURVE, ""),
            ("latency.p99", &[], CURVE, ""),
            ("writes", &[], 0.0, ""),
            ("cost.bill", &[], 1e-4, "bytes of what is under way at the end"),
        ],
    },
    Row {
        file: "scenarios/four-clusters.toml",
        arguments: &["--horizon", "5min", "--seeds", "4"],
        scale: "1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], CURVE, ""),
            ("latency.p99", &[], CURVE, ""),
            ("cost.bill", &[], 1e-4, "bytes of what is under way at the end"),
        ],
    },
    Row {
        file: "scenarios/headroom.toml",
        arguments: &["--horizon", "30min", "--seeds", "4", "--set", "incident.\"us-east-1 lost\".at=\"10min\""],
        scale: "0.1",
        figures: &[
            ("requests.lost", UNDETECTED, 0.0, ""),
            ("requests.lost", STALE, 0.0, ""),
            ("requests.lost", OVERLOAD, 4e-2, "a fluid station has no queue: Erlang's B of a tenth of the servers"),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], CURVE, ""),
            ("latency.p99", &[], CURVE, ""),
            ("cost.bill", &[], 1e-4, "bytes of what is under way at the end"),
        ],
    },
    Row {
        file: "scenarios/cold-cache.toml",
        arguments: &["--horizon", "40min", "--seeds", "4", "--set", "incident.\"us-east-1 lost\".at=\"10min\""],
        scale: "0.2",
        figures: &[
            ("availability", &[], 5e-3, "the database is a fluid station: Erlang's B of four servers"),
            ("requests.lost", UNDETECTED, 0.0, ""),
            ("requests.lost", PROMOTING, 0.0, ""),
            ("requests.lost", STALE, 0.0, ""),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], 1e-2, "misses of what is shed, and their share in 4096ths"),
            ("latency.p99", &[], 1e-2, "the same"),
            ("cost.bill", &[], 1e-3, "bytes of what is shed"),
        ],
    },
    Row {
        file: "scenarios/quickstart.toml",
        arguments: &["--horizon", "10m", "--seeds", "8"],
        scale: "1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], CURVE, ""),
            ("latency.p99", &[], CURVE, ""),
            ("cost.bill", &[], 0.0, ""),
        ],
    },
    Row {
        file: "scenarios/retry-storm.toml",
        arguments: &["--horizon", "46h", "--seeds", "4"],
        scale: "0.003",
        figures: &[
            ("availability", &[], 1e-3, "a storm begins when a level of an eighth of the timeout is passed"),
            ("requests.lost", STORM, 1e-2, "the same"),
            ("cost.bill", &[], 0.0, ""),
        ],
    },
    Row {
        file: "scenarios/grey-failure.toml",
        arguments: &["--horizon", "10h", "--seeds", "4"],
        scale: "0.1",
        figures: &[
            ("availability", &[], 1e-4, "a probe sees or doesn't see the failure by chance, alike in both"),
            ("requests.lost", GREY, 1e-3, "the same"),
            ("cost.bill", &[], 1e-4, "nodes of autoscalers that measure"),
        ],
    },
    Row {
        file: "scenarios/split-brain.toml",
        arguments: &["--seeds", "4"],
        scale: "0.1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("latency.p50", &[], 1e-2, "a tenth of the servers wait longer"),
            ("latency.p99", &[], 1e-2, "the same"),
            ("writes", &[], 0.0, ""),
            ("cost.bill", &[], 1e-4, "bytes of what is under way at the end"),
        ],
    },
];

fn compared(row: &Row) -> Vec<String> {
    let traffic = format!("simulation.traffic={{ requests = {{ scale = {} }} }}", row.scale);
    let rates = run(row.file, row.arguments);
    let requests: Summary = run(row.file, &[row.arguments, &["--set", &traffic]].concat());
    let differs = |&(metric, of, beyond, _): &Compared| {
        let (flow, by_request) = (rates.figure(metric, of), requests.figure(metric, of));
        let room = by_request.estimate().half + beyond * flow.mean.abs() + 1e-12;
        ((flow.mean - by_request.mean).abs() > room)
            .then(|| format!("{} {metric}: flow {}, requests {} ± {room}", row.file, flow.mean, by_request.mean))
    };
    row.figures.iter().filter_map(differs).collect()
}

#[test]
fn rates_and_requests_agree() {
    let differences: Vec<String> = ROWS.iter().flat_map(compared).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
