//! Both engines held to theory and to published tables: `regionsim validate-engine`, as a user runs it.
//!
//! What is known stands in `validation/cases.toml`; the program judges. Here it is seen that it passes, that each mutation
//! is refused, that what it says is what `summary.json` says, and that the docs have its tables.
//!
//! `UPDATE=1 cargo test --test validation` writes the tables anew.
//! `MASTER_SEEDS=5 cargo test --test validation` does it all under five master seeds.

mod product;

use product::{repository, run};
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::fmt::Write as _;
use std::process::{Command, Output};

fn validate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    command.arg("validate-engine").args(arguments).output().expect("regionsim runs")
}

/// The verdict, and whether the program ends with 0.
fn verdict(arguments: &[&str]) -> (Value, bool) {
    let output = validate(&[arguments, &["--format", "json"]].concat());
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).expect("JSON"), code == Some(0))
}

/// Every figure of every case.
fn figures(verdict: &Value) -> impl Iterator<Item = &Value> {
    let cases = verdict["cases"].as_array().expect("cases");
    cases.iter().flat_map(|case| case["figures"].as_array().expect("figures"))
}

fn refused(verdict: &Value) -> Vec<&Value> {
    figures(verdict).filter(|figure| figure["refused"] == true).collect()
}

#[test]
fn the_suite_holds() {
    let masters: u32 = std::env::var("MASTER_SEEDS").map_or(1, |text| text.parse().expect("a number"));
    for master in 1..=masters {
        let (said, passed) = verdict(&["--seed", &master.to_string()]);
        let refused = refused(&said);
        assert!(passed && refused.is_empty(), "master seed {master}: {refused:#?}");
        assert_eq!((&said["passed"], &said["seed"], &said["level"]), (&true.into(), &master.into(), &0.001.into()));
        assert_eq!(figures(&said).count(), said["of"].as_u64().expect("a count") as usize);
        if master == 1 {
            block("docs/validation.md", &table(&said));
            block("docs/validity.md", &assumptions(&said));
        }
    }
}

/// What is off by a little is refused, as strictly as in the whole suite.
#[test]
fn mutations_are_caught() {
    for (case, mutation) in [
        ("mm1", "service.queue.time={ exponential = { mean = \"1010ms\" } }"),
        ("mmc", "service.queue.time={ exponential = { mean = \"3030ms\" } }"),
        ("md1", "service.queue.time=\"1010ms\""),
        ("tandem", "service.second.time={ exponential = { mean = \"1122222222ns\" } }"),
        ("wave", "population.users.rate=\"75/h\""),
        ("failover", "routing.health.failures=4"),
        ("failover", "routing.health.failures=2"),
        ("failover", "routing.via.dns.ttl=\"30s\""),
        ("dns", "routing.via.dns.stretched=0.11"),
        ("retries", "journey.call.retries.max=1"),
        ("retrial", "journey.call.retries.backoff=\"2100ms\""),
        ("retrial", "journey.call.retries.memoryless=false"),
        ("storm", "journey.call.retries.max=0"),
        ("storm-ends", "population.users.rate=\"510/s\""),
        ("crews", "fault.zone.crews=2"),
        ("breakdown-1", "fault.crash.repair={ exponential = { mean = \"5200ms\" } }"),
        ("interrupted", "fault.crash.every={ exponential = { mean = \"21s\" } }"),
        ("begun-anew", "fault.crash.every={ exponential = { mean = \"21s\" } }"),
        ("common-cause", "fault.both.every={ exponential = { mean = \"500min\" } }"),
        ("sla-one", "fault.instance.every={ exponential = { mean = \"799min\" } }"),
        ("quorum", "store.votes.time={ exponential = { mean = \"1010ms\" } }"),
        ("pbs", "store.votes.replication.quorum.read=2"),
        ("replay", "service.queue.time=\"501ms\""),
    ] {
        let (said, passed) = verdict(&[case, "--set", mutation]);
        assert!(!passed && said["passed"] == false, "{case} passes with {mutation}");
        assert!(!refused(&said).is_empty(), "{case} {mutation}");
    }
}

#[test]
fn it_says_what_summary_json_says() {
    let (said, _) = verdict(&["mm1", "--seed", "3"]);
    for (engine, argument) in [("requests", "name=\"mm1\""), ("flow", "simulation.traffic=\"flow\"")] {
        let summary = run("validation/mm1.toml", &["--seed", "3", "--set", argument]);
        for figure in figures(&said).filter(|figure| figure["engine"] == engine) {
            let service = figure["service"].as_str();
            let of: Vec<(&str, &str)> =
                service.iter().flat_map(|name| [("cluster", "c"), ("service", *name)]).collect();
            let own = summary.figure(figure["metric"].as_str().expect("a metric"), &of);
            assert_eq!(figure["mean"].as_f64(), Some(own.mean), "{figure}");
            if engine == "requests" {
                let half = figure["half"].as_f64().expect("a half-width");
                assert!((half - own.estimate().half).abs() <= 1e-9 * half, "{figure}");
                let t = (own.mean - figure["exact"].as_f64().expect("a number")) / (own.sd / own.n.sqrt());
                let p = 2.0 * StudentsT::new(0.0, 1.0, own.n - 1.0).expect("degrees of freedom").cdf(-t.abs());
                assert!((figure["p"].as_f64().expect("a chance") - p).abs() < 1e-9, "{figure}");
            }
        }
    }
}

#[test]
fn its_table_fits_a_terminal() {
    let output = validate(&["failover", "pbs", "dns", "hedging", "replay"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for said in ["failover: a region lost", "12400.0", "exact", "All 12 hold under master seed 1"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let output = validate(&["replay", "--set", "service.queue.time=\"501ms\""]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("REFUSED: requests gives") && text.contains("2 of 4 are REFUSED"), "{text}");
}

#[test]
fn an_unknown_case_and_a_change_that_fits_none_are_usage() {
    for (arguments, says) in [
        (&["mm2"][..], "did you mean `mm1`?"),
        (&["mm1", "--set", "service.nothing.time=\"1s\""], "service.nothing"),
        (&["mm1", "--seed", "x"], "--seed"),
    ] {
        let output = validate(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(says) && output.stdout.is_empty(), "{error}");
    }
}

/// By case: its name, title and source, and each figure by requests and by flow.
fn rows<'v>(said: &'v Value, mut each: impl FnMut(&'v Value, Option<&'v Value>, Option<&'v Value>)) {
    for case in said["cases"].as_array().expect("cases") {
        let of = |engine: &str| {
            let all = case["figures"].as_array().expect("figures").iter();
            all.filter(move |figure| figure["engine"] == engine).collect::<Vec<_>>()
        };
        let (requests, flow) = (of("requests"), of("flow"));
        for position in 0..requests.len().max(flow.len()) {
            each(case, requests.get(position).copied(), flow.get(position).copied());
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().expect("a text")
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().expect("a number")
}

/// docs/validation.md has the table of the first master seed.
fn table(said: &Value) -> String {
    let head =
        "| case | figure | exact | requests, with 99.9 % interval | flow | source |\n|---|---|---|---|---|---|\n";
    let mut page = head.to_owned();
    rows(said, |case, requests, flow| {
        let Some(figure) = requests.or(flow) else { return };
        let exact = number(figure, "exact");
        let mean = |figure: &Value| format!("{:.6} ± {:.6}", number(figure, "mean"), number(figure, "half"));
        let off = |figure: &Value| match (number(figure, "half"), 100.0 * (number(figure, "mean") / exact - 1.0)) {
            (half, _) if half > 0.0 => mean(figure),
            (_, off) if off.abs() < 0.05 => "exact".to_owned(),
            (_, off) => format!("{off:+.1} %"),
        };
        let absent = || "–".to_owned();
        let (title, what, source) = (text(case, "title"), text(figure, "what"), text(case, "source"));
        let (requests, flow) = (requests.map_or_else(absent, mean), flow.map_or_else(absent, off));
        writeln!(page, "| {title} | {what} | {exact:.6} | {requests} | {flow} | {source} |").expect("a string");
    });
    page
}

/// docs/validity.md says where the assumptions of rates end.
fn assumptions(said: &Value) -> String {
    let mut page =
        String::from("| case | figure | exact | flow | off by | what flow assumes |\n|---|---|---|---|---|---|\n");
    rows(said, |case, _, flow| {
        let Some(figure) = flow.filter(|figure| !figure["flow"].is_null()) else { return };
        let (title, what, because) = (text(case, "title"), text(figure, "what"), text(&figure["flow"], "because"));
        let (exact, got) = (number(figure, "exact"), number(figure, "mean"));
        let off = 100.0 * (got / exact - 1.0);
        writeln!(page, "| {title} | {what} | {exact:.4} | {got:.4} | {off:+.0} % | {because} |").expect("a string");
    });
    page
}

/// Holds a page to what stands between its marks.
fn block(path: &str, text: &str) {
    let path = repository(path);
    let page = std::fs::read_to_string(&path).expect("the page");
    let (begins, ends) = ("<!-- table -->\n", "<!-- end -->");
    let (head, rest) = page.split_once(begins).expect("where the table begins");
    let (old, tail) = rest.split_once(ends).expect("where the table ends");
    if old != text {
        assert!(std::env::var_os("UPDATE").is_some(), "{} is out of date: run this with UPDATE=1", path.display());
        std::fs::write(path, format!("{head}{begins}{text}{ends}{tail}")).expect("writes the page");
    }
}
