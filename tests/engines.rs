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

const ROWS: &[Row] = &[
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
