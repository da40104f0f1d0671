//! Both engines held to theory and to published tables: scenario files in, figures out of `summary.json`.
//!
//! Each claim is a figure whose exact value is known; what a run estimates is compared with it by Student's t over the
//! seeds. The verdict is on the whole suite: by Holm's method (1979) the chance that any claim is refused though all
//! hold is at most [`LEVEL`]. So a false alarm is rare, and what a 1 % error moves is told apart by the mutations below,
//! each of which must be refused.
//!
//! `UPDATE=1 cargo test --test validation` writes the table of docs/validation.md anew.
//! `MASTER_SEEDS=5 cargo test --release --test validation` does it all under five master seeds.

mod product;

use product::{Figure, Summary, repository, run};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::fmt::Write as _;

/// The chance of a false alarm of the whole suite.
const LEVEL: f64 = 0.001;

/// One figure whose exact value is known.
struct Claim {
    case: &'static str,
    what: &'static str,
    metric: &'static str,
    /// Of the station `queue`, or of the named one; of all requests where it is empty.
    service: &'static str,
    expected: f64,
}

/// A scenario, the source of what is claimed of it, and the claims.
struct Case {
    file: &'static str,
    title: &'static str,
    source: &'static str,
    claims: &'static [(&'static str, &'static str, &'static str, f64)],
}

/// (what, metric, service, expected).
const CASES: &[Case] = &[
    Case {
        file: "mm1",
        title: "M/M/1, 80 %",
        source: "Kleinrock 1975, section 3.2",
        claims: &[
            ("P(wait)", "station.waiting", "queue", 0.8),
            ("mean wait, s", "station.wait.mean", "queue", 4.0),
            ("mean number in system", "station.in-system", "queue", 4.0),
            ("sojourn p50, s", "latency.p50", "", 3.465_735_902_799_726_5),
            ("sojourn p99, s", "latency.p99", "", 23.025_850_929_940_454),
        ],
    },
    Case {
        file: "mmc",
        title: "M/M/14",
        source: "pyworkforce 0.5.1 (open case Q-MMC-MMCK c14)",
        claims: &[
            ("P(wait)", "station.waiting", "queue", 0.174_131_933_595_049_83),
            ("P(wait ≤ 20/60 s)", "station.wait.met", "queue", 0.888_350_019_179_466_9),
            ("utilisation", "utilisation", "queue", 0.714_285_714_285_714_3),
            ("mean wait, s", "station.wait.mean", "queue", 0.130_598_950_196_287_4),
            ("wait p99, s", "station.wait.p99", "queue", 2.142_921_118_465_869),
            ("sojourn p95, s", "latency.p95", "", 9.156_445_150_017_495),
        ],
    },
    Case {
        file: "mmck",
        title: "M/M/2/5",
        source: "octave-queueing 1.2.7 (open case Q-MMC-MMCK k5)",
        claims: &[
            ("P(empty)", "station.empty", "queue", 0.179_334_500_875_656_75),
            ("P(rejected)", "station.rejected", "queue", 0.085_113_835_376_532_4),
            ("mean number in system", "station.in-system", "queue", 2.005_954_465_849_387),
            ("mean wait of the accepted, s", "station.wait.mean", "queue", 0.230_857_580_398_162_32),
            ("variance of that wait, s²", "station.wait.variance", "queue", 0.129_323_460_574_274_2),
        ],
    },
    Case {
        file: "erlang-a",
        title: "M/M/10 + M",
        source: "Palm 1957; birth and death, solved",
        claims: &[
            ("share that abandons", "station.rejected", "queue", 0.084_452_009_000_741_21),
            ("mean number in system", "station.in-system", "queue", 10.302_294_085_507_032),
        ],
    },
    Case {
        file: "batches",
        title: "M[3]/M/1, 60 %",
        source: "Chaudhry and Templeton 1983",
        claims: &[
            ("mean wait, s", "station.wait.mean", "queue", 4.0),
            ("mean number in system", "station.in-system", "queue", 3.0),
        ],
    },
    Case {
        file: "sharing",
        title: "M/G/1 shared, 70 %",
        source: "Kleinrock 1976, section 4.4",
        claims: &[("mean sojourn, s", "latency.mean", "", 3.333_333_333_333_333_5)],
    },
    Case {
        file: "tandem",
        title: "two M/M/1 in series",
        source: "Reich 1957",
        claims: &[
            ("mean sojourn, s", "latency.mean", "", 5.833_333_333_333_334),
            ("sojourn p50, s", "latency.p50", "", 4.873_167_491_306_662),
            ("sojourn p99, s", "latency.p99", "", 19.599_352_436_432_38),
        ],
    },
    Case {
        file: "fork-join",
        title: "two M/M/1 at once, 50 %",
        source: "Flatto and Hahn 1984",
        claims: &[("mean response, s", "latency.mean", "", 2.875)],
    },
    Case {
        file: "retries",
        title: "a fifth fails, two retries",
        source: "geometric series",
        claims: &[("availability", "availability", "", 0.992), ("tries per second", "station.arrivals", "queue", 12.4)],
    },
    Case {
        file: "quorum",
        title: "second of three exponentials",
        source: "David and Nagaraja 2003",
        claims: &[
            ("mean, s", "latency.mean", "", 0.833_333_333_333_333_4),
            ("p50, s", "latency.p50", "", 0.693_147_180_559_945_2),
            ("p99, s", "latency.p99", "", 2.831_860_950_723_153),
        ],
    },
    Case {
        file: "hedging",
        title: "the first of two, the second asked after 1 s",
        source: "min(X, 1 + Y), both exponential",
        claims: &[
            ("mean, s", "latency.mean", "", 0.816_060_279_414_278_8),
            ("p99, s", "latency.p99", "", 2.802_585_092_994_045_6),
        ],
    },
    Case {
        file: "failover",
        title: "a region lost, and old DNS answers",
        source: "by hand: 100/s × (34 + 60 + 60/2) s",
        claims: &[("requests lost", "requests.lost", "", 12_400.0)],
    },
    Case {
        file: "breakdown-3",
        title: "M/M/3 whose servers fail",
        source: "quasi-birth-death chain, solved (open case Q-MMC-BREAKDOWN c3)",
        claims: &[
            ("mean number in system", "station.in-system", "queue", 2.570_015_548_527_658),
            ("mean sojourn, s", "latency.mean", "", 1.606_259_717_829_786_4),
            ("P(wait)", "station.waiting", "queue", 0.391_855_539_440_776_7),
            ("mean servers up", "replicas", "queue", 2.727_272_727_272_727),
        ],
    },
    Case {
        file: "breakdown-1",
        title: "M/M/1 whose server fails",
        source: "quasi-birth-death chain, solved (open case Q-MMC-BREAKDOWN c1)",
        claims: &[
            ("mean number in system", "station.in-system", "queue", 1.727_272_727_272_727_3),
            ("mean sojourn, s", "latency.mean", "", 3.454_545_454_545_454_6),
            ("P(wait)", "station.waiting", "queue", 0.590_909_090_909_090_9),
            ("mean servers up", "replicas", "queue", 0.909_090_909_090_909_1),
        ],
    },
    Case {
        file: "interrupted",
        title: "calls fail with their pod",
        source: "the earlier of two exponentials: 20/21",
        claims: &[
            ("availability", "availability", "", 0.952_380_952_380_952_4),
            ("mean sojourn of those that don't, s", "latency.mean", "", 0.952_380_952_380_952_4),
        ],
    },
    Case {
        file: "begun-anew",
        title: "calls begin anew when their pod fails",
        source: "20 s × (exp(1/20) − 1)",
        claims: &[("mean sojourn, s", "latency.mean", "", 1.025_421_927_520_481_3)],
    },
];

/// Claims of figures that rates don't have.
const BY_REQUESTS_ALONE: &[Case] = &[
    Case {
        file: "breakdown-3",
        title: "M/M/3 whose servers fail",
        source: "open case Q-MMC-BREAKDOWN c3",
        claims: &[
            ("P(empty)", "station.empty", "queue", 0.167_007_822_276_699_33),
            ("interruptions of a call", "station.interrupted", "queue", 0.01),
        ],
    },
    Case {
        file: "breakdown-1",
        title: "M/M/1 whose server fails",
        source: "open case Q-MMC-BREAKDOWN c1",
        claims: &[
            ("P(empty)", "station.empty", "queue", 0.420_779_220_779_220_75),
            ("interruptions of a call", "station.interrupted", "queue", 0.02),
        ],
    },
    Case {
        file: "begun-anew",
        title: "calls begin anew when their pod fails",
        source: "exp(1/20) − 1",
        claims: &[("interruptions of a call", "station.interrupted", "queue", 0.051_271_096_376_024_05)],
    },
];

#[test]
fn what_only_requests_tell_holds_to_theory() {
    let verdicts: Vec<Verdict> = BY_REQUESTS_ALONE.iter().flat_map(|case| judge(case, &[])).collect();
    let refused = refused(&verdicts);
    assert!(refused.is_empty(), "{}", told(&refused));
    // What the open cases demand: a 99.9 % interval no wider than 2 % to either side.
    for Verdict { claim, figure, .. } in &verdicts {
        let half = figure.estimate().half;
        assert!(half <= 0.02 * claim.expected, "{}: {} ± {half}", claim.case, claim.what);
    }
}

/// What a claim came to.
struct Verdict {
    claim: Claim,
    figure: Figure,
    /// Two-sided.
    p: f64,
}

fn figure(summary: &Summary, metric: &str, service: &str) -> Figure {
    if service.is_empty() {
        summary.figure(metric, &[])
    } else {
        summary.figure(metric, &[("cluster", "c"), ("service", service)])
    }
}

/// The chance of being as far from what is expected, if that is true.
fn p_value(figure: &Figure, expected: f64) -> f64 {
    assert!(figure.sd > 0.0, "no spread: {figure:?}");
    let t = (figure.mean - expected) / (figure.sd / figure.n.sqrt());
    2.0 * (1.0 - StudentsT::new(0.0, 1.0, figure.n - 1.0).expect("degrees of freedom").cdf(t.abs()))
}

fn judge(case: &Case, arguments: &[&str]) -> Vec<Verdict> {
    let summary = run(&format!("tests/validation/{}.toml", case.file), arguments);
    let claims = case.claims.iter().map(|&(what, metric, service, expected)| {
        let figure = figure(&summary, metric, service);
        let claim = Claim { case: case.title, what, metric, service, expected };
        Verdict { p: p_value(&figure, expected), claim, figure }
    });
    claims.collect()
}

/// Which verdicts Holm's method refuses at a level over all of them.
fn refused(verdicts: &[Verdict]) -> Vec<&Verdict> {
    let mut order: Vec<&Verdict> = verdicts.iter().collect();
    order.sort_by(|a, b| a.p.total_cmp(&b.p));
    let all = order.len();
    let refuses = |(rank, verdict): &(usize, &Verdict)| verdict.p <= LEVEL / (all - rank) as f64;
    order.into_iter().enumerate().take_while(refuses).map(|(_, verdict)| verdict).collect()
}

fn told(verdicts: &[&Verdict]) -> String {
    let mut text = String::new();
    for Verdict { claim, figure, p } in verdicts {
        let Claim { case, what, metric, service, expected } = claim;
        let half = figure.estimate().half;
        writeln!(text, "{case}: {what} ({metric} {service}): {} ± {half}, exactly {expected}, p {p:e}", figure.mean)
            .expect("a string");
    }
    text
}

fn case(file: &str) -> &'static Case {
    CASES.iter().find(|case| case.file == file).expect("a case")
}

#[test]
fn requests_hold_to_theory() {
    let masters: u32 = std::env::var("MASTER_SEEDS").map_or(1, |text| text.parse().expect("a number"));
    for master in 1..=masters {
        let seed = master.to_string();
        let verdicts: Vec<Verdict> = CASES.iter().flat_map(|case| judge(case, &["--seed", &seed])).collect();
        let refused = refused(&verdicts);
        assert!(refused.is_empty(), "master seed {master}:\n{}", told(&refused));
        if master == 1 {
            table(&verdicts);
        }
    }
}

/// The same by rates: flow is exact, or off by as much as the table says. `None` where it refuses the scenario.
fn by_rates(case: &Case) -> Option<Vec<f64>> {
    if REFUSED_BY_FLOW.contains(&case.file) {
        return None;
    }
    let summary = run(&format!("tests/validation/{}.toml", case.file), &["--set", "simulation.traffic=\"flow\""]);
    Some(case.claims.iter().map(|&(_, metric, service, _)| figure(&summary, metric, service).mean).collect())
}

/// What rates can't say: a client that leaves a queue, or asks twice.
const REFUSED_BY_FLOW: &[&str] = &["erlang-a", "hedging"];

/// Cases in which flow is no approximation, and how exact it is: 1e-9, or the stated error of latency curves.
const EXACT_IN_FLOW: &[&str] = &["mm1", "mmc", "retries", "quorum", "failover"];

#[test]
fn flow_is_exact_where_it_says_so() {
    for case in CASES.iter().filter(|case| EXACT_IN_FLOW.contains(&case.file)) {
        for ((what, metric, _, expected), got) in case.claims.iter().zip(by_rates(case).expect("runs")) {
            let within = if metric.starts_with("latency") { 1e-3 } else { 1e-9 };
            assert!((got / expected - 1.0).abs() <= within, "{}: {what}: {got}, exactly {expected}", case.title);
        }
    }
}

/// docs/validation.md has the table of the first master seed.
fn table(verdicts: &[Verdict]) {
    let mut text = String::from(
        "| case | figure | exact | requests, with 99.9 % interval | flow | source |\n|---|---|---|---|---|---|\n",
    );
    let mut verdicts = verdicts.iter();
    for case in CASES {
        let rates = by_rates(case);
        for (position, (what, _, _, expected)) in case.claims.iter().enumerate() {
            let figure = verdicts.next().expect("a verdict for each claim").figure;
            let (mean, half) = (figure.mean, figure.estimate().half);
            let flow = rates.as_ref().map_or("refused".to_owned(), |rates| {
                let off = 100.0 * (rates[position] / expected - 1.0);
                if off.abs() < 0.05 { "exact".to_owned() } else { format!("{off:+.1} %") }
            });
            let Case { title, source, .. } = case;
            writeln!(text, "| {title} | {what} | {expected:.6} | {mean:.6} ± {half:.6} | {flow} | {source} |")
                .expect("a string");
        }
    }
    let path = repository("docs/validation.md");
    let page = std::fs::read_to_string(&path).expect("docs/validation.md");
    let (begins, ends) = ("<!-- table -->\n", "<!-- end -->");
    let (head, rest) = page.split_once(begins).expect("where the table begins");
    let (old, tail) = rest.split_once(ends).expect("where the table ends");
    if old != text {
        assert!(std::env::var_os("UPDATE").is_some(), "docs/validation.md is out of date: run this with UPDATE=1");
        std::fs::write(path, format!("{head}{begins}{text}{ends}{tail}")).expect("writes the page");
    }
}

/// What is off by a little is refused.
#[test]
fn mutations_are_caught() {
    for (file, mutation) in [
        ("mm1", "service.queue.time={ exponential = { mean = \"1010ms\" } }"),
        ("mmc", "service.queue.time={ exponential = { mean = \"3030ms\" } }"),
        ("tandem", "service.second.time={ exponential = { mean = \"1122222222ns\" } }"),
        ("failover", "routing.health.failures=4"),
        ("failover", "routing.health.failures=2"),
        ("failover", "routing.via.dns.ttl=\"30s\""),
        ("retries", "journey.call.retries.max=1"),
        ("breakdown-1", "fault.crash.repair={ exponential = { mean = \"5200ms\" } }"),
        ("interrupted", "fault.crash.every={ exponential = { mean = \"21s\" } }"),
        ("begun-anew", "fault.crash.every={ exponential = { mean = \"21s\" } }"),
        ("quorum", "store.votes.time={ exponential = { mean = \"1010ms\" } }"),
    ] {
        let verdicts = judge(case(file), &["--set", mutation]);
        // As strict as if it were one of the whole suite.
        let all: usize = CASES.iter().map(|case| case.claims.len()).sum();
        let least = verdicts.iter().map(|verdict| verdict.p).fold(1.0, f64::min);
        assert!(
            least <= LEVEL / all as f64,
            "{mutation} passes: p {least:e}\n{}",
            told(&verdicts.iter().collect::<Vec<_>>())
        );
    }
}

#[test]
fn recorded_arrivals_are_replayed() {
    // Ten at once on one server of half a second: the last waits 4.5 s, the mean of all is 0.5 × 45 / 40 s.
    let summary = run("tests/validation/replay.toml", &[]);
    let station = |metric: &str| figure(&summary, metric, "queue").mean;
    assert_eq!(summary.figure("requests.offered", &[]).mean, 40.0);
    assert!((station("station.wait.mean") - 22.5 / 40.0).abs() < 1e-9);
    assert_eq!(station("station.waiting"), 9.0 / 40.0);
    assert!((station("utilisation") - 20.0 / 300.0).abs() < 1e-9);
}

#[test]
fn holm_refuses_what_it_should() {
    // Thresholds for three claims: 1/3000, 1/2000, 1/1000.
    let verdict = |p: f64| Verdict {
        claim: Claim { case: "", what: "", metric: "", service: "", expected: 0.0 },
        figure: run_nothing(),
        p,
    };
    let count = |ps: [f64; 3]| refused(&ps.map(verdict)).len();
    assert_eq!(count([0.5, 0.4, 0.0004]), 0);
    assert_eq!(count([0.0003, 0.4, 0.0006]), 1);
    assert_eq!(count([0.0003, 0.0009, 0.0004]), 3);
}

fn run_nothing() -> Figure {
    Figure { n: 2.0, mean: 0.0, sd: 1.0, min: 0.0, p50: 0.0, p95: 0.0, p99: 0.0, max: 0.0, interval: [0.0, 0.0] }
}
