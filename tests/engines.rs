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

const BAD: &[(&str, &str)] = &[("stage", "errors"), ("root", "build: prod-us")];
const DRIFT: &[(&str, &str)] = &[("stage", "errors"), ("root", "hotfix: a")];

const ROWS: &[Row] = &[
    // A bad release reaches half of a quarter of the users with its canary, and is rolled back five minutes later.
    Row {
        file: "tests/checks/releases.toml",
        arguments: &[
            "--variant",
            "waves",
            "--horizon",
            "40min",
            "--seeds",
            "4",
            "--set",
            "release.build.at=\"5min\"",
            "--set",
            "release.build.detect={ after = \"5min\" }",
            "--set",
            "rollout.canary={ share = 0.5, bake = \"3min\" }",
            "--set",
            "rollout.bake=\"2min\"",
            "--set",
            "rollout.on-bad={ roll-back = \"5min\" }",
        ],
        scale: "1",
        figures: &[
            ("availability", &[], 0.0, ""),
            ("requests.lost", BAD, 0.0, ""),
            ("blast-radius", &[], 0.0, ""),
            ("blast-radius.exposure", &[], 0.0, ""),
            ("latency.p50", &[], CURVE, ""),
            ("cost.bill", &[], 1e-4, "bytes of what is under way at the end"),
        ],
    },
    Row {
        file: "tests/checks/drift.toml",
        arguments: &["--variant", "self-heal", "--horizon", "80min", "--seeds", "4"],
        scale: "1",
        figures: &[("availability", &[], 0.0, ""), ("requests.lost", DRIFT, 0.0, ""), ("drift.time", &[], 0.0, "")],
    },
    // At its full 38,000 requests a second: fewer would wait longer on fewer servers.
    Row {
        file: "scenarios/ecommerce.toml",
        arguments: &["--horizon", "10s", "--seeds", "3", "--set", "simulation.warm-up=\"5s\""],
        scale: "1",
        figures: &[
            ("availability", &[], 1e-9, "one late answer in ten thousand million, which 400,000 requests don't see"),
            ("latency.p50", &[], CURVE, ""),
            ("latency.p95", &[], CURVE, ""),
            ("latency.p99", &[], CURVE, ""),
            ("writes", &[], 0.0, ""),
            ("reads", &[], 0.0, ""),
            ("cost.bill", &[], 0.0, ""),
        ],
    },
    Row {
        file: "scenarios/capacity.toml",
        arguments: &["--seeds", "8", "--set", "service.web.station=\"mmc\""],
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
        // All requests: a tenth of 111 pods would be twelve, each a little slower.
        file: "scenarios/headroom.toml",
        arguments: &["--horizon", "30min", "--seeds", "4", "--set", "incident.\"us-east-1 lost\".at=\"10min\""],
        scale: "1",
        figures: &[
            ("requests.lost", UNDETECTED, 0.0, ""),
            ("requests.lost", STALE, 0.0, ""),
            ("requests.lost", OVERLOAD, 2e-2, "a fluid station has no queue: Erlang's B of 111 servers"),
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

/// Patience that nobody loses takes requests off the way that needs no events, and draws nothing. Who still waits when the
/// horizon ends has arrived on one of the ways only: of 576,000 some, so figures of the station differ by parts of 1e-5.
#[test]
fn the_way_without_events_leads_to_the_same() {
    let straight = run("validation/mm4.toml", &[]);
    let ordinary = run("validation/mm4.toml", &["--set", "journey.call.patience=300d"]);
    for metric in ["requests.offered", "requests.good", "latency.p50", "latency.p90", "latency.p99", "latency.p99.9"] {
        let [a, b] = [&straight, &ordinary].map(|summary| summary.figure(metric, &[]));
        assert_eq!((a.mean, a.sd), (b.mean, b.sd), "{metric}");
    }
    let of = &[("cluster", "c"), ("service", "queue")];
    for metric in ["utilisation", "station.throughput", "station.waiting", "station.wait.mean", "station.queue"] {
        let [a, b] = [&straight, &ordinary].map(|summary| summary.figure(metric, of).mean);
        assert!((a - b).abs() <= 1e-5 * b, "{metric}: {a}, {b}");
    }
}

/// Patience that nobody loses, and a breaker that never blocks, take requests off the ways that need no events: the first
/// gives stations an event for each departure, the second tries one for each thing they do. Nothing but service times is
/// drawn, and those are a station's, in the order in which it serves: so all is the same, whatever happens meanwhile.
#[test]
fn journeys_without_events_lead_to_the_same() {
    const PATIENCE: &[&str] = &["--set", "journey.buy.patience=300d", "--set", "journey.look.patience=300d"];
    const BREAKER: &[&str] =
        &["--set", "journey.buy.retries={ max = 1, backoff = \"150ms\", breaker = { opens-at = 1.0, probes = 1.0 } }"];
    let metrics = [
        ("requests.offered", 0.0),
        ("requests.good", 0.0),
        ("requests.lost", 0.0),
        ("latency.p50", 0.0),
        ("latency.p99", 0.0),
        ("writes", 1e-12),
        ("outages.client", 0.0),
    ];
    let of_station = ["utilisation", "station.throughput", "station.rejected", "station.waiting", "station.wait.mean"];
    let straight = run("tests/checks/ways.toml", &[]);
    // Of each way there is something: some come too late, some are shed, some find nothing there.
    for (stage, root) in
        [("timeout", "demand"), ("overload", "slow back: back in c"), ("undetected", "front lost: front in c")]
    {
        assert!(straight.figure("requests.lost", &[("stage", stage), ("root", root)]).mean > 100.0, "{stage}");
    }
    for arguments in [PATIENCE.to_vec(), BREAKER.to_vec(), [PATIENCE, BREAKER].concat()] {
        let ordinary = run("tests/checks/ways.toml", &arguments);
        let near = |metric: &str, of: &[(&str, &str)], relative: f64| {
            let [a, b] = [&straight, &ordinary].map(|summary| summary.figure(metric, of).mean);
            assert!((a - b).abs() <= relative * b.abs(), "{metric} {of:?}: {a}, {b} with {arguments:?}");
        };
        for (metric, relative) in metrics {
            near(metric, &[], relative);
        }
        for (stage, root) in [("timeout", "demand"), ("overload", "slow back: back in c")] {
            near("requests.lost", &[("stage", stage), ("root", root)], 0.0);
        }
        for service in ["front", "back"] {
            // Sums round otherwise.
            for metric in of_station {
                near(metric, &[("cluster", "c"), ("service", service)], 1e-9);
            }
        }
    }
}

fn around(what: &str, before: &str, after: &str) -> String {
    let window = format!("{{ around = \"{what}\", before = \"{before}\", after = \"{after}\" }}");
    format!("simulation.traffic={{ requests = {{ window = {window} }} }}")
}

const WINDOWS: &str = "tests/checks/windows.toml";
const OF: &[(&str, &str)] = &[];

#[track_caller]
fn near(actual: f64, expected: f64, half: f64) {
    assert!((actual - expected).abs() <= half, "{actual} is not {expected} ± {half}");
}

#[test]
fn a_window_of_requests_in_a_run_of_rates() {
    let flow = run(WINDOWS, &["--variant", "lost"]);
    let both = run(WINDOWS, &["--variant", "lost", "--set", &around("incidents", "10m", "40m")]);
    let mean = |summary: &Summary, metric: &str, of: &[(&str, &str)]| summary.figure(metric, of).mean;
    // 110 minutes of 100/s are Poisson, over 8 seeds; all else is exact. Four standard deviations.
    let offered = mean(&flow, "requests.offered", OF);
    near(mean(&both, "requests.offered", OF), offered, 4.0 * (660_000.0_f64 / 8.0).sqrt());
    let ended = mean(&both, "requests.good", OF) + mean(&both, "requests.lost", OF);
    near(ended, mean(&both, "requests.offered", OF), 1e-9 * offered);
    // All are lost for 34 s, and then fewer and fewer for 60 s.
    for (stage, lost) in [("undetected", 3400.0), ("stale-dns", 3000.0)] {
        let of = [("stage", stage), ("root", "trouble: a")];
        near(mean(&both, "requests.lost", &of), lost, 4.0 * (lost / 8.0_f64).sqrt());
    }
    near(mean(&both, "availability", OF), mean(&flow, "availability", OF), 4.0 * (6400.0_f64 / 8.0).sqrt() / offered);
    // The rush is far from the window: not one request more or less.
    let rush = [("stage", "overload"), ("root", "demand")];
    near(mean(&both, "requests.lost", &rush), mean(&flow, "requests.lost", &rush), 1e-9 * offered);
    // By the minute: 34 s end in the first, and those who come too late until 93.4 s in the second.
    assert_eq!((mean(&both, "rto.service", OF), mean(&both, "rto.users", OF)), (60.0, 120.0));
    near(mean(&both, "rto.detect", OF), 34.0, 1e-6);
    // Only the window is noise.
    near(mean(&both, "latency.p50", OF), mean(&flow, "latency.p50", OF), CURVE * mean(&flow, "latency.p50", OF));
    near(mean(&both, "replicas", OF), mean(&flow, "replicas", OF), 1e-6);
}

#[test]
fn a_window_without_trouble_changes_nothing_elsewhere() {
    let flow = run(WINDOWS, &["--variant", "unscathed"]);
    let both = run(WINDOWS, &["--variant", "unscathed", "--set", &around("incidents", "10m", "40m")]);
    let [by_rates, lost] = [&flow, &both].map(|summary| summary.figure("requests.lost", OF).mean);
    assert!(by_rates > 1e6, "the rush loses half of what comes");
    near(lost, by_rates, 1e-9 * by_rates);
    let [by_rates, below] = [&flow, &both].map(|summary| summary.figure("downtime", OF).mean);
    near(below, by_rates, 1e-6);
}

#[test]
fn windows_that_overlap_are_one() {
    let flow = run(WINDOWS, &["--variant", "thrice"]);
    let one = run(WINDOWS, &["--variant", "thrice", "--set", &around("incidents", "10m", "10m")]);
    let offered = flow.figure("requests.offered", OF).mean;
    // From 50 min to 4460 s and 10 minutes, in whole minutes: 35 minutes of 100/s.
    near(one.figure("requests.offered", OF).mean, offered, 4.0 * (210_000.0_f64 / 8.0).sqrt());
    for root in ["trouble: a", "again: a", "and again: a"] {
        let of = [("stage", "undetected"), ("root", root)];
        near(one.figure("requests.lost", &of).mean, 3400.0, 4.0 * (3400.0_f64 / 8.0).sqrt());
    }
}

#[test]
fn what_waits_is_handed_over() {
    let file = "tests/checks/windows-backlog.toml";
    // 7 s of waiting are 700 calls, which 20/s too many make in 35 s and 60/s too few take away: beyond them all are
    // late. The interval is twice that of 95 %.
    let lost =
        |arguments: &[&str]| run(file, &[&["--variant", "hasty"], arguments].concat()).figure("requests.lost", OF);
    // The window ends with the rush, when 1200 wait.
    let found = lost(&["--set", &around("surges", "10m", "0s")]);
    near(found.mean, 120.0 * 25.0 + 40.0 * 500.0 / 60.0, 2.0 * found.estimate().half);
    // It begins with the end of a longer one, when 2400 do.
    let found = lost(&["--set", "surge.rush.for=\"120s\"", "--set", &around("incidents", "0s", "10m")]);
    near(found.mean, 120.0 * 85.0 + 40.0 * 1700.0 / 60.0, 2.0 * found.estimate().half);
}

#[test]
fn windows_are_the_same_on_any_number_of_threads() {
    let set = around("incidents", "1m", "2m");
    let [one, two] = ["1", "2"].map(|threads| {
        let summary = run(WINDOWS, &["--variant", "thrice", "--threads", threads, "--set", &set]);
        ["availability", "requests.lost", "latency.mean", "outages.mean", "rto.service", "replicas"]
            .map(|metric| summary.figure(metric, OF).mean.to_bits())
    });
    assert_eq!(one, two);
}

#[test]
fn a_window_around_nothing_gets_advice_and_a_trace_is_of_windows() {
    let regionsim = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_regionsim")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let (file, out) = (product::repository(WINDOWS), tempfile::tempdir().unwrap());
    let (file, out) = (file.to_str().unwrap(), out.path().join("report"));
    let nothing = around("switchovers", "10m", "40m");
    let run = ["run", file, "--variant", "lost", "--seeds", "1", "--out", out.to_str().unwrap(), "--set", &nothing];
    let [_, said] = regionsim(&run);
    assert!(said.contains("there is nothing for a window to be around") && said.contains("[[incident]]"), "{said}");
    let window = around("incidents", "10m", "40m");
    let [lines, _] = regionsim(&["trace", file, "--variant", "lost", "--limit", "5", "--set", &window]);
    let begun = lines.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<f64>().unwrap());
    // The window begins 50 minutes after the horizon.
    assert!(begun.clone().count() == 5 && begun.clone().all(|at| (3000.0..3001.0).contains(&at)), "{lines}");
}
