//! `regionsim explain`: stories whose lines are worked out by hand, and that they are the run's own years.

mod place;

use place::Place;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

impl Place {
    fn regionsim(&self, command: &str, file: &str, arguments: &[&str]) -> Output {
        self.command().arg(command).arg(repository(file)).args(arguments).output().unwrap()
    }

    /// Explains a seed into the folder `told`, and gives what was printed.
    fn explain(&self, file: &str, arguments: &[&str]) -> String {
        let output = self.regionsim("explain", file, &[&["--out", "told"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path("told").join(file)).unwrap()).unwrap()
    }
}

/// (seconds from the start, words) of each line of an incident.
fn lines(incident: &Value) -> Vec<(f64, String)> {
    let line = |line: &Value| (line["at_s"].as_f64().unwrap(), line["words"].as_str().unwrap().to_owned());
    incident["lines"].as_array().unwrap().iter().map(line).collect()
}

#[track_caller]
fn close(actual: &Value, expected: f64) {
    let actual = actual.as_f64().unwrap();
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{actual} is not {expected}");
}

/// The region is lost an hour in, for an hour. Probes come every 10 s, the one at the very moment still succeeds; the
/// third that fails began at 30 s and times out after 4 s: 34 s. No decision, a promotion of 60 s: 94 s. Records live
/// for 60 s, so nobody is lost any more at 154 s, and under 1 % from 94 + 60 × 0.99 = 153.4 s on.
#[test]
fn losing_a_region_for_an_hour() {
    let place = Place::new();
    place.explain("tests/checks/failover.toml", &["--seed", "0"]);
    let told = place.json("explain.json");
    let incidents = told["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1);
    let incident = &incidents[0];
    assert_eq!(incident["name"], "us-east-1 lost: us-east-1");
    close(&incident["from_s"], 3600.0);
    close(&incident["to_s"], 7200.0);
    // 100 × 34, 100 × 60, 100 × 30; most first.
    close(&incident["lost"], 12_400.0);
    let stages = incident["stages"].as_array().unwrap();
    for (stage, (name, lost)) in
        stages.iter().zip([("promoting", 6000.0), ("undetected", 3400.0), ("stale-dns", 3000.0)])
    {
        assert_eq!(stage["stage"], name);
        close(&stage["lost"], lost);
    }
    let said = lines(incident);
    let at = |seconds: f64, words: &str| {
        let found = said.iter().find(|(_, text)| text.contains(words));
        let (at, _) = found.unwrap_or_else(|| panic!("no {words:?} in {said:#?}"));
        assert!((at - 3600.0 - seconds).abs() < 1e-6, "{words}: {at}");
    };
    at(0.0, "us-east-1 lost hits us-east-1");
    at(34.0, "health checks mark us-east-1 down");
    at(34.0, "decided: ");
    at(34.0, "a promotion of 60 s");
    at(94.0, "us-west-2 takes over ");
    at(94.0, "DNS leads us to us-west-2; the last old answer expires in 60 s");
    at(153.4, "every journey is above 99 % again");
    at(3600.0, "us-east-1 lost is over on us-east-1");
    // Nothing fails back, and no decision has to be waited for.
    assert!(said.iter().all(|(_, text)| !text.contains("back in") && !text.contains("somebody has to decide")));
    assert_eq!(
        incident["costs"],
        "Lost 12\u{202f}400 requests: 48 % promotion, 27 % not yet detected, 24 % stale DNS. Somebody was below 99 % for \
         2 min 33 s, from the moment it struck: browse and checkout of us. Failover ended it, for all users within 2 min 33 s."
    );
}

/// Somebody decides after ten minutes, the promotion loses what was on its way, and goes back half an hour after the
/// region is there again.
#[test]
fn a_person_decides_and_goes_back() {
    let place = Place::new();
    let set = ["failover.decide={manual=\"10m\"}", "failover.failback={after=\"30m\"}"];
    place.explain("tests/checks/failover.toml", &["--seed", "0", "--set", set[0], "--set", set[1]]);
    let told = place.json("explain.json");
    let said = lines(&told["incidents"][0]);
    let at = |seconds: f64, words: &str| {
        let found = said.iter().any(|(at, text)| text.contains(words) && (at - 3600.0 - seconds).abs() < 1e-6);
        assert!(found, "no {words:?} at {seconds} in {said:#?}");
    };
    at(34.0, "from us-east-1: 10 min");
    at(634.0, "decided: ");
    at(694.0, "us-west-2 takes over ");
    // The probe at the moment of the repair still fails; the third that succeeds comes after 30 s.
    at(3630.0, "health checks mark us-east-1 up again");
    at(3630.0, "will go back to us-east-1 in 30 min");
    at(5430.0, "back in us-east-1");
    at(5430.0, "DNS leads us to us-east-1");
    // 100 × 34 undetected, 100 × 600 waiting, 100 × 60 promotion, 100 × 30 stale.
    close(&told["incidents"][0]["lost"], 72_400.0);
    // An asynchronous follower lags: what the promotion lost is said, and is what a run says.
    let promoted: Vec<&Value> =
        told["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "promoted").collect();
    let lost: f64 = promoted.iter().map(|event| event["amount"].as_f64().unwrap()).sum();
    assert_eq!(Some(lost), told["metrics"]["writes.lost"].as_f64());
}

/// What is told of a seed is what a run says of it, to the last bit: every metric, its losses and its outages.
#[test]
fn a_story_is_the_run_s_own_year() {
    for (file, seed) in [("scenarios/split-brain.toml", "3"), ("scenarios/blast-radius.toml", "1")] {
        let place = Place::new();
        let output = place.regionsim("run", file, &["--quiet", "--seeds", "4", "--out", "run"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place.explain(file, &["--seed", seed]);
        let told = place.json("explain.json");
        let mut seen = BTreeMap::new();
        for row in csv::Reader::from_path(place.path("run/seeds.csv")).unwrap().records().map(Result::unwrap) {
            if &row[1] == seed && row[3].is_empty() && row[4].is_empty() {
                seen.insert(row[2].to_owned(), row[6].parse::<f64>().unwrap());
            }
        }
        assert!(seen.len() > 30, "{file}: {}", seen.len());
        for (metric, value) in &seen {
            assert_eq!(told["metrics"][metric].as_f64(), Some(*value), "{file}: {metric}");
        }
        // Every outage belongs to one incident, and every lost request to an incident or to the background.
        let incidents = told["incidents"].as_array().unwrap();
        let mut outages: Vec<(f64, f64)> = Vec::new();
        for outage in incidents.iter().flat_map(|incident| incident["outages"].as_array().unwrap()) {
            outages.push((outage["start_s"].as_f64().unwrap(), outage["end_s"].as_f64().unwrap()));
        }
        // Those that overlap are one, whoever they hit.
        outages.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut ends, mut apart) = (f64::NEG_INFINITY, 0);
        for outage in &outages {
            apart += i32::from(outage.0 > ends);
            ends = ends.max(outage.1);
        }
        assert_eq!(f64::from(apart), seen["outages"], "{file}");
        let mut listed = 0;
        for row in csv::Reader::from_path(place.path("run/outages.csv")).unwrap().records().map(Result::unwrap) {
            if &row[1] == seed {
                let (start, length) = (row[4].parse::<f64>().unwrap(), row[5].parse::<f64>().unwrap());
                assert!(
                    outages.iter().any(|outage| outage.0 == start && outage.1 - outage.0 == length),
                    "{file}: {start}"
                );
                listed += 1;
            }
        }
        assert!(listed > 0 || outages.is_empty(), "{file}");
        let lost: f64 = incidents.iter().map(|incident| incident["lost"].as_f64().unwrap()).sum();
        let lost = lost + told["background_lost"].as_f64().unwrap();
        // Faults that nobody noticed lose less than a request each.
        let slack = told["unnoticed"].as_f64().unwrap() + 1e-9 * lost;
        assert!((lost - seen["requests.lost"]).abs() <= slack, "{file}: {lost}, {}", seen["requests.lost"]);
    }
}

/// The trace is what the format says: known phases, whole times that don't go back, lengths that aren't negative, named
/// processes and threads, and slices of one thread that nest.
#[test]
fn a_trace_obeys_the_format() {
    for (file, seed) in [("tests/checks/failover.toml", "0"), ("scenarios/split-brain.toml", "3")] {
        let place = Place::new();
        place.explain(file, &["--seed", seed]);
        let trace = place.json("trace.json");
        let events = trace["traceEvents"].as_array().unwrap();
        let mut processes = BTreeMap::new();
        let mut threads = BTreeMap::new();
        let mut open: BTreeMap<(u64, u64), Vec<u64>> = BTreeMap::new();
        let (mut before, mut kinds) = (0, BTreeMap::new());
        for event in events {
            let number = |key: &str| event[key].as_u64().unwrap_or_else(|| panic!("{key} of {event}"));
            let phase = event["ph"].as_str().unwrap();
            *kinds.entry(phase).or_insert(0) += 1;
            let key = (number("pid"), number("tid"));
            assert!(event["name"].as_str().is_some_and(|name| !name.is_empty()), "{event}");
            if phase == "M" {
                let name = event["args"]["name"].as_str().unwrap().to_owned();
                match event["name"].as_str().unwrap() {
                    "process_name" => assert!(processes.insert(key.0, name).is_none(), "{event}"),
                    "thread_name" => assert!(threads.insert(key, name).is_none(), "{event}"),
                    other => panic!("{other}"),
                }
                continue;
            }
            let at = number("ts");
            assert!(at >= before, "times go back at {event}");
            before = at;
            assert!(processes.contains_key(&key.0), "{event}");
            match phase {
                "X" => {
                    assert!(threads.contains_key(&key), "{event}");
                    let end = at + number("dur");
                    let open = open.entry(key).or_default();
                    open.retain(|other| *other > at);
                    assert!(open.last().is_none_or(|other| end <= *other), "{event} doesn't nest");
                    open.push(end);
                }
                "i" => assert_eq!(event["s"], "t"),
                "C" => assert!(event["args"]["value"].is_number(), "{event}"),
                other => panic!("{other}"),
            }
        }
        // Counters are of what is lost, and of the worst incidents.
        let counts = kinds.contains_key("C") || !file.contains("failover");
        assert!(counts && ["M", "X", "i"].iter().all(|phase| kinds.contains_key(phase)), "{kinds:?}");
        assert!(processes.values().any(|name| name == "cluster us-east-1"), "{processes:?}");
        if file.contains("failover") {
            // By hand: the fault from 3600 s to 7200 s; orders promoted from 3634 s to 3694 s.
            let slice = |name: &str, from: u64, length: u64| {
                events.iter().any(|event| event["name"] == name && event["ts"] == from && event["dur"] == length)
            };
            assert!(slice("us-east-1", 3_600_000_000, 3_600_000_000));
            assert!(slice("promoting", 3_634_000_000, 60_000_000));
            assert!(slice("marked down", 3_634_000_000, 3_596_000_000));
            assert!(slice("old answers expire", 3_694_000_000, 60_000_000));
        }
    }
}

#[test]
fn the_worst_seed_is_found_and_the_same_again_is_the_same() {
    let place = Place::new();
    let file = "scenarios/quickstart.toml";
    let small = ["--horizon", "200d", "--set", "fault.\"region lost\".every=\"60d\""];
    let output = place.regionsim("run", file, &[&["--quiet", "--seeds", "6", "--out", "run"][..], &small].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut values: Vec<(String, f64)> = Vec::new();
    for row in csv::Reader::from_path(place.path("run/seeds.csv")).unwrap().records().map(Result::unwrap) {
        if &row[2] == "downtime" && row[3].is_empty() && row[4].is_empty() {
            values.push((row[1].to_owned(), row[6].parse().unwrap()));
        }
    }
    let worst = values.iter().fold(&values[0], |worst, one| if one.1 > worst.1 { one } else { worst });
    assert!(values.iter().any(|one| one.1 < worst.1), "{values:?}");
    let said = place.explain(file, &[&["--worst", "downtime", "--seeds", "6"][..], &small].concat());
    assert!(said.contains(&format!(", seed {}: ", worst.0)), "{said}");
    assert!(said.contains("Of 6 seeds it has the highest downtime"), "{said}");
    let told = place.json("explain.json");
    assert_eq!(told["seed"].to_string(), worst.0);
    let again = said.lines().find_map(|line| line.strip_prefix("The same again: ")).unwrap();
    assert!(again.ends_with(&format!("--seed {}", worst.0)), "{again}");
    // The same by its number, but for why it was chosen; and whatever the threads.
    let once_more = place.explain(file, &[&["--seed", &worst.0][..], &small].concat());
    assert!(!once_more.contains("the highest") && once_more.lines().nth(1) == said.lines().nth(2), "{once_more}");
    let events = fs::read(place.path("told/events.csv")).unwrap();
    place.explain(file, &[&["--worst", "downtime", "--seeds", "6", "--threads", "1"][..], &small].concat());
    assert!(events == fs::read(place.path("told/events.csv")).unwrap());
    // 80 columns, and no colours into a pipe.
    for line in said.lines().filter(|line| !line.starts_with("The same again") && !line.starts_with("Written")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(!said.contains('\u{1b}'));
}

/// The checks' way to the old leader is cut, the users' isn't: nobody loses a request, and what it takes is thrown away.
#[test]
fn a_split_brain_is_an_incident_though_no_request_is_lost() {
    let place = Place::new();
    place.explain("scenarios/split-brain.toml", &["--variant", "unfenced", "--seed", "0"]);
    let told = place.json("explain.json");
    let incident = &told["incidents"][0];
    assert!(incident["lost"].as_f64().unwrap() < 1.0);
    let conflicting = told["metrics"]["writes.conflicting"].as_f64().unwrap();
    assert!(conflicting > 1000.0, "{conflicting}");
    close(&incident["writes_split"], conflicting);
    let said = lines(incident);
    for words in ["split brain: us-east-1 goes on leading orders", "the split is over"] {
        assert!(said.iter().any(|(_, text)| text.contains(words)), "no {words:?} in {said:#?}");
    }
}

#[test]
fn slips_are_told_and_nothing_is_written() {
    let place = Place::new();
    for (arguments, says) in [
        (&["--worst", "availabilty"][..], "did you mean `availability`?"),
        (&["--worst", "availability", "--seed", "1"][..], "cannot be used with"),
        (&["--variant", "acitve"][..], "there is no variant `acitve`"),
        (&["--seed", "x"][..], "invalid digit"),
    ] {
        let output = place.regionsim("explain", "scenarios/ecommerce.toml", arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 0);
}

/// Names are text wherever they are shown.
#[test]
fn hostile_names_stay_text() {
    let place = Place::new();
    let text = fs::read_to_string(repository("tests/checks/failover.toml")).unwrap();
    let hostile = r#"name = "<script>|=cmd()""#;
    let text = text.replacen("name = \"us-east-1 lost\"", hostile, 1).replacen("name = \"us\"", "name = \"=1+1\"", 1);
    fs::write(place.path("hostile.toml"), text).unwrap();
    let output = place.run(&["explain", "hostile.toml", "--seed", "0", "--out", "told"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stdout).contains('\u{1b}'));
    let read = |name: &str| fs::read_to_string(place.path("told").join(name)).unwrap();
    assert!(!read("timeline.svg").contains("<script>") && read("timeline.svg").contains("&lt;script&gt;"));
    assert!(!read("story.md").contains("<script>") && !read("story.md").contains('\u{1b}'));
    assert!(!read("trace.json").contains('\u{1b}'));
    let cells = csv::Reader::from_path(place.path("told/events.csv"))
        .unwrap()
        .records()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    assert!(cells.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '@'])), "{cells:?}");
}
