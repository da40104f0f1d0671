//! What `docs/` and the design promise by hand: each check as a scenario run through the product, its figures read
//! from `summary.json`. Flow has no request noise, so they hold to 1e-9.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// The figures of one run.
struct Summary(Value);

impl Summary {
    /// Runs `arguments` on a file under the repository and reads what it wrote.
    fn of(command: &str, file: &str, arguments: &[&str]) -> Self {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("report");
        run(command, file, &folder, arguments);
        Self::read(&folder)
    }

    fn read(folder: &Path) -> Self {
        Self(serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap())
    }

    /// The mean of a metric of a variant; `dims` are (key, value) and all others must be null.
    fn mean(&self, variant: &str, metric: &str, dims: &[(&str, &str)]) -> f64 {
        self.entry(variant, metric, dims)["mean"].as_f64().unwrap_or_else(|| panic!("{metric} has no mean"))
    }

    fn entry(&self, variant: &str, metric: &str, dims: &[(&str, &str)]) -> &Value {
        const DIMS: [&str; 8] = ["population", "journey", "cluster", "service", "store", "stage", "root", "month"];
        let variants = self.0["variants"].as_array().unwrap();
        let of =
            variants.iter().find(|entry| entry["name"] == variant).unwrap_or_else(|| panic!("no variant {variant}"));
        of["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["metric"] == metric)
            .find(|entry| {
                DIMS.iter().all(|dim| match dims.iter().find(|(key, _)| key == dim) {
                    Some((_, value)) => entry[dim] == *value,
                    None => entry[dim].is_null(),
                })
            })
            .unwrap_or_else(|| panic!("no {metric} with {dims:?} in {variant}"))
    }
}

fn run(command: &str, file: &str, folder: &Path, arguments: &[&str]) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    assert_cmd::Command::cargo_bin("regionsim")
        .unwrap()
        .arg(command)
        .arg(file)
        .args(["--quiet", "--out"])
        .arg(folder)
        .args(arguments)
        .assert()
        .success();
}

#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1e-9), "{actual} is not {expected}");
}

const US_LOST: &str = "us-east-1 lost: us-east-1";

#[test]
fn losing_a_region_for_an_hour() {
    let summary = Summary::of("compare", "tests/checks/failover.toml", &[]);
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    // 100 × (94 + 30); 96 × (34 + 30) + 4 × 94; 6144 + 4 × 3600.
    close(lost("pair"), 12_400.0);
    close(lost("active-active"), 6520.0);
    close(lost("no-follower"), 20_544.0);
    // Stages are counted one by one: 100 × 34, 100 × 60, 100 × 30.
    let stage =
        |variant: &str, stage: &str| summary.mean(variant, "requests.lost", &[("stage", stage), ("root", US_LOST)]);
    close(stage("pair", "undetected"), 3400.0);
    close(stage("pair", "promoting"), 6000.0);
    close(stage("pair", "stale-dns"), 3000.0);
    // The stretched tail leaves (1 − s) 30 + s 900 seconds of stale clients.
    close(stage("stretched", "stale-dns"), 100.0 * (0.913 * 30.0 + 0.087 * 900.0));
}

#[test]
fn recovery_times_and_their_stages() {
    let summary = Summary::of("compare", "tests/checks/failover.toml", &[]);
    let us = |variant: &str, metric: &str, journey: &str| {
        summary.mean(variant, metric, &[("population", "us"), ("journey", journey)])
    };
    close(us("stretched", "rto.service", "browse"), 94.0);
    // 0.087 (1 − t/1800) falls to 1 % at t = 1800 (1 − 1/8.7), counted from the new answer at 94 s.
    close(us("stretched", "rto.users", "browse"), 94.0 + 1800.0 * (1.0 - 1.0 / 8.7));
    close(us("active-active", "rto.service", "browse"), 34.0);
    close(us("active-active", "rto.service", "checkout"), 94.0);
    for (variant, journey) in [("pair", "browse"), ("pair", "checkout"), ("active-active", "checkout")] {
        let stages = ["rto.detect", "rto.decide", "rto.promote", "rto.route", "rto.scale"];
        let sum: f64 = stages.iter().map(|stage| us(variant, stage, journey)).sum();
        close(sum, us(variant, "rto.service", journey));
        close(us(variant, "rto.detect", journey), 34.0);
        close(us(variant, "rto.decide", journey), 0.0);
        close(us(variant, "rto.promote", journey), 60.0);
    }
    // Without a follower the repair comes first: no recovery time is made of it.
    assert!(
        summary.entry("no-follower", "rto.service", &[("population", "us"), ("journey", "checkout")])["mean"].is_null()
    );
    close(us("no-follower", "rto.not-achieved", "checkout"), 1.0);
}

#[test]
fn a_zone_and_its_region_lose_nothing_twice() {
    let summary = Summary::of("run", "tests/checks/zones.toml", &[]);
    close(summary.mean("base", "requests.lost", &[]), 312_000.0);
    let overload = [("stage", "overload"), ("root", "zone lost: us-east-1/2")];
    close(summary.mean("base", "requests.lost", &overload), 12_000.0);
    close(summary.mean("base", "requests.offered", &[]), 720_000.0);
}

#[test]
fn within_a_group_what_is_down_absorbs() {
    let summary = Summary::of("compare", "tests/checks/groups.toml", &[]);
    close(summary.mean("one-group", "outages.longest", &[]), 8.0 * 3600.0);
    close(summary.mean("two-groups", "outages.longest", &[]), 12.0 * 3600.0);
    // From 8 h on it is the shock that holds.
    let shock = [("stage", "no-target"), ("root", "shock: us-east-1/1")];
    close(summary.mean("two-groups", "requests.lost", &shock), 100.0 * 4.0 * 3600.0);
}

#[test]
fn a_cold_standby_grows_step_by_step() {
    let cluster = [("cluster", "us-west-2"), ("service", "web")];
    let mut before = 0.0;
    // Just before and after each step: ready pods, and what was shed by then.
    for (horizon, ready) in
        [("144s", 200.0), ("146s", 334.0), ("279s", 334.0), ("281s", 557.0), ("414s", 557.0), ("416s", 929.0)]
    {
        let summary = Summary::of("run", "tests/checks/cold-scale-up.toml", &["--horizon", horizon]);
        close(summary.mean("base", "replicas.ready-final", &cluster), ready);
        let shed = summary.mean("base", "station.shed", &cluster);
        assert!(shed >= before);
        before = shed;
    }
    // 400/s for 145 s, 266/s for 135 s, 43/s for 135 s: 67 %, 44 % and 7 % of 600/s.
    close(before, 400.0 * 145.0 + 266.0 * 135.0 + 43.0 * 135.0);
}

#[test]
fn where_no_node_is_to_be_had_a_standby_stays_cold() {
    let cluster = [("cluster", "us-west-2"), ("service", "web")];
    // Ten minutes; the next decision at 615 s, and pods 130 s later.
    for (horizon, ready) in [("744s", 200.0), ("746s", 334.0)] {
        let summary = Summary::of("run", "tests/checks/shortage.toml", &["--horizon", horizon]);
        close(summary.mean("base", "replicas.ready-final", &cluster), ready);
        close(summary.mean("base", "station.shed", &cluster), if ready < 300.0 { 400.0 * 744.0 } else { 298_266.0 });
    }
}

#[test]
fn a_week_offers_rate_times_seconds() {
    // 364 days of a profile whose mean is 1, in two places an hour apart.
    let summary = Summary::of("run", "tests/checks/offered.toml", &[]);
    close(summary.mean("base", "requests.offered", &[]), 300.0 * 364.0 * 86_400.0);
}

#[test]
fn a_client_gives_up_what_takes_longer_than_its_timeout() {
    // Of 220 ms a client without patience for the way there, for both ways, for all but a moment of it gets nothing.
    for (timeout, good) in [("40ms", 0.0), ("90ms", 0.0), ("180ms", 0.0), ("219ms", 0.0), ("221ms", 1.0), ("1s", 1.0)] {
        let set = format!("journey.call.timeout={timeout}");
        let summary = Summary::of("run", "tests/checks/timeouts.toml", &["--set", &set]);
        assert_eq!(summary.mean("base", "availability", &[]), good, "{timeout}");
    }
}

/// Every file of a report folder.
fn folder(file: &str, arguments: &[&str]) -> Vec<(String, Vec<u8>)> {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("report");
    run("compare", file, &folder, arguments);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let of = |threads: &str, seed: &str| {
        folder("scenarios/ecommerce.toml", &["--seeds", "6", "--horizon", "60d", "--threads", threads, "--seed", seed])
    };
    let one = of("1", "1");
    assert!(one.iter().any(|(name, _)| name == "summary.json"));
    assert!(one == of("2", "1"), "two threads differ from one");
    assert!(one == of("1", "1"), "two runs differ");
    assert!(one != of("1", "2"), "another master seed changes nothing");
}

#[test]
fn an_unrelated_cluster_leaves_the_others_faults_as_they_were() {
    let summary = Summary::of("compare", "tests/checks/fourth-cluster.toml", &[]);
    for root in ["region lost: us-east-1", "region lost: eu-west-1", "zone lost: us-east-1/2", "push: eu-west-1"] {
        for metric in ["fault.count", "fault.time"] {
            let of = |variant: &str| summary.entry(variant, metric, &[("root", root)]).clone();
            assert!(of("two")["mean"].as_f64().unwrap() > 0.0, "{root} never happens");
            assert_eq!(of("two"), of("three"), "{metric} of {root}");
        }
    }
}

#[test]
fn cost_grows_with_what_happens_not_with_request_rate() {
    // Rates × 100 with service times ÷ 100 are the same load, so the same states in the same order.
    let figures = |file: &str, variant: &str| {
        let summary = Summary::of("run", file, &["--seeds", "3", "--horizon", "90d"]);
        (summary.mean(variant, "requests.offered", &[]), summary.mean(variant, "availability", &[]))
    };
    let (offered, availability) = figures("tests/checks/fourth-cluster.toml", "two");
    let (more, same) = figures("tests/checks/hundredfold.toml", "base");
    close(more, 100.0 * offered);
    close(same, availability);
}

#[test]
fn what_goes_wrong_between_users_and_clusters() {
    let summary = Summary::of("compare", "tests/checks/routing.toml", &[]);
    let lost = |variant: &str, dims: &[(&str, &str)]| summary.mean(variant, "requests.lost", dims);
    let stage = |variant: &str, stage: &str, root: &str| lost(variant, &[("stage", stage), ("root", root)]);
    // 34 s until it is found, half of 60 s of old answers.
    close(lost("lost", &[]), 100.0 * (34.0 + 30.0));
    close(lost("anycast", &[]), 100.0 * (34.0 + 20.0));
    close(stage("anycast", "propagating", "trouble: a"), 100.0 * 20.0);
    // Errors are told at once: found at the third probe, 30 s.
    close(lost("grey", &[]), 20.0 * 3600.0);
    close(lost("grey-deep", &[]), 20.0 * (30.0 + 30.0));
    close(stage("users-cut-off", "partition", "trouble: us to a"), 100.0 * 3600.0);
    close(lost("users-cut-off", &[]), 100.0 * 3600.0);
    // Users go to b for nothing: from 3634 s until three good probes after 7200 s; as long to go as to come back.
    close(lost("checks-cut-off", &[]), 0.0);
    let there = [("cluster", "b"), ("service", "web")];
    close(summary.mean("checks-cut-off", "station.arrivals", &there) * 10_800.0, 100.0 * (7230.0 - 3634.0));
    // Found at 3634 s, frozen until 5400 s.
    close(lost("routing-down", &[]), 100.0 * (1800.0 + 30.0));
    close(stage("routing-down", "undetected", "trouble: a"), 100.0 * 34.0);
    close(stage("routing-down", "routing-down", "trouble: a"), 100.0 * (5400.0 - 3634.0));
    close(lost("tools-elsewhere", &[]), 100.0 * (34.0 + 60.0 + 30.0));
    close(lost("tools-in-a", &[]), 100.0 * 3600.0);
    close(stage("tools-in-a", "deciding", "trouble: a"), 100.0 * (3600.0 - 34.0));
    // 34 s; then for 26 s those who still hold the old answer, of whom 1/60 leaves each second.
    let flap = 100.0 * (34.0 + 26.0 - 26.0 * 26.0 / 120.0);
    close(lost("flapping", &[]), 3.0 * flap);
    close(lost("damped", &[]), flap);
    // Until the edges know; then a takes 80 of 150/s and b the rest, in 256ths: 137 and 119.
    close(lost("spill", &[]), 50.0 * 10.0);
    close(summary.mean("spill", "utilisation.final", &[("cluster", "a"), ("service", "web")]), 1.5 * 137.0 / 256.0);
    close(lost("no-spill", &[]), 50.0 * 10_800.0);
}

#[test]
fn what_an_outage_loses_while_clients_leave() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("report");
    run("run", "tests/checks/routing.toml", &folder, &["--variant", "grey-deep", "--seeds", "1"]);
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(folder.join("outages.csv")).unwrap().records().map(Result::unwrap).collect();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let column = |number: usize| row[number].parse::<f64>().unwrap();
    // A fifth fails for 30 s; then 1/60 of the clients leave each second, until a twentieth of them is left.
    close(column(5), 30.0 + 57.0);
    close(column(6), 20.0 * (30.0 + 57.0 - 57.0 * 57.0 / 120.0));
}

#[test]
fn connections_stay_until_they_end_or_break() {
    let summary = Summary::of("compare", "tests/checks/sticky.toml", &[]);
    let lost = |variant: &str, dims: &[(&str, &str)]| summary.mean(variant, "requests.lost", dims);
    let at_b =
        |variant: &str| summary.mean(variant, "station.arrivals", &[("cluster", "b"), ("service", "web")]) * 10_800.0;
    // Connections to what is dead break: as without any.
    close(lost("lost", &[]), 100.0 * (34.0 + 30.0));
    // b has its users from 3634 s, who come in 30 s in the mean, until 7230 s. Then 0.7 leave in 30 s and 0.3 in 900 s.
    close(at_b("lost"), 100.0 * (7230.0 - 3634.0 - 30.0 + 0.7 * 30.0 + 0.3 * 900.0));
    // Found after 30 s; those who stay suffer on.
    close(lost("grey", &[]), 20.0 * (30.0 + 0.7 * 30.0 + 0.3 * 900.0));
    close(lost("grey", &[("stage", "errors"), ("root", "trouble: web in a")]), lost("grey", &[]));
    // Of those at b after 30 s only who is on old records stays there: the integral of 1 - t/60 from 30 to 60 s.
    close(lost("cut", &[]), 6400.0 + 100.0 * 7.5);
    close(lost("cut", &[("stage", "stale-dns"), ("root", "then b: b")]), 750.0);
    let moved = 0.7 * (30.0 - 7.5) + 0.3 * (30.0 - 0.25);
    close(at_b("cut"), 100.0 * (7230.0 - 3634.0 - 30.0 + moved));
    // All routes move at 3654 s, but for connections.
    close(lost("anycast", &[]), 0.0);
    close(at_b("anycast"), 100.0 * (10_800.0 - 3654.0 - 0.3 * 900.0));
}

#[test]
fn a_standby_waits_for_its_last_connection() {
    // Given back at 7230 + 600 s; the last connection ends 1800 s later.
    for (horizon, ready) in [("9629s", 100.0), ("9631s", 50.0)] {
        let arguments = ["--variant", "pair", "--horizon", horizon];
        let summary = Summary::of("run", "tests/checks/sticky.toml", &arguments);
        close(summary.mean("pair", "replicas.ready-final", &[("cluster", "b"), ("service", "web")]), ready);
    }
}

#[test]
fn what_a_cache_answers_and_what_it_lets_through() {
    let summary = Summary::of("compare", "tests/checks/cache.toml", &[]);
    let cached = [("store", "cached")];
    let hits = |variant: &str| summary.mean(variant, "cache.hit-ratio", &cached);
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    let calls = |variant: &str, cluster: &str| {
        summary.mean(variant, "station.arrivals", &[("cluster", cluster), ("service", "db")]) * 10_800.0
    };
    close(hits("well"), 10.0 / 11.0);
    close(calls("well", "a"), 100.0 / 11.0 * 10_800.0);
    close(summary.mean("well", "reads", &cached), 100.0 * 10_800.0);
    close(summary.mean("well", "reads", &[("store", "products")]), 100.0 / 11.0 * 10_800.0);
    // An entry is up to 64 s old, and a key is written to once in that time: 1 - (1 - 1/e).
    close(summary.mean("well", "reads.stale-share", &cached), 10.0 / 11.0 * 0.367_879_441_171_442_3);
    // A miss takes 10 ms at db and 40 ms to the store, to a share of 2^-13.
    let latency = summary.mean("well", "latency.mean", &[("journey", "look")]);
    let by_hand = 0.001 + 0.01 + 0.05 / 11.0;
    assert!((latency - by_hand).abs() <= 0.05 / 8192.0, "{latency} is not {by_hand}");
    // Of 50/s that miss, db serves 5: a tenth of the reads fills the cache, one in a key's time to live, so half hit.
    // Of what is answered 50 of 55 do.
    assert!((lost("small") / (45.0 * 10_800.0) - 1.0).abs() < 1e-8, "{}", lost("small"));
    assert!((hits("small") - 10.0 / 11.0).abs() < 1e-8, "{}", hits("small"));
    // What the cache holds lives for 64 s: then nothing is answered until the store is back.
    close(lost("store-lost"), 100.0 * (64.0 * (1.0 - 5.0 / 11.0) + 56.0));
    // Empty, each key is fetched once: 640 (1 - exp(-10)) in 64 s. a has lost its memory when it is back.
    let (warming, warm) = (640.0 * (1.0 - 4.539_992_976_248_485_4e-5), 100.0 / 11.0);
    close(calls("lost", "b"), warming + warm * (7250.0 - 3654.0 - 64.0));
    close(calls("lost", "a"), warm * 3600.0 + warming + warm * (10_800.0 - 7250.0 - 64.0));
    close(lost("lost"), 100.0 * 54.0);
}

#[test]
fn single_requests_hit_and_miss_a_cache() {
    let requests =
        ["--variant", "well", "--seeds", "1", "--horizon", "20min", "--set", "simulation.traffic={ requests = {} }"];
    let summary = Summary::of("run", "tests/checks/cache.toml", &requests);
    let cached = [("store", "cached")];
    let reads = summary.mean("well", "reads", &cached);
    let (ratio, hits) = (summary.mean("well", "cache.hit-ratio", &cached), 10.0 / 11.0);
    // Five standard deviations of a share of so many.
    let half = 5.0 * (hits / 11.0 / reads).sqrt();
    assert!((ratio - hits).abs() < half && half < 0.005, "{ratio} of {reads}");
    // Each miss calls db at `a` and reads the store, once; some are on their way in the end.
    let misses = reads * (1.0 - ratio);
    close(summary.mean("well", "reads", &[("store", "products")]), misses);
    let calls = summary.mean("well", "station.arrivals", &[("cluster", "a"), ("service", "db")]) * 1200.0;
    assert!((calls - misses).abs() <= 10.0, "{calls} calls of {misses} misses");
    // 11 ms, and with each miss 10 ms at db and 40 ms to the store; services and the share of misses vary.
    let latency = summary.mean("well", "latency.mean", &[("journey", "look")]);
    let by_hand = 0.011 + 0.05 * (1.0 - ratio);
    assert!((latency - by_hand).abs() <= 5.0 * 0.011 / reads.sqrt(), "{latency} is not {by_hand}");
}

#[test]
fn a_cold_cache_warms_key_by_key() {
    // Seconds since the first read at b, and 1 - exp(-s / 6.4): 100 misses a second at first, and fewer and fewer.
    for (horizon, fetched) in [
        ("3655s", 0.144_654_672_692_577_48),
        ("3656s", 0.268_384_371_053_358_2),
        ("3662s", 0.713_495_203_139_809_9),
        ("3686s", 0.993_262_053_000_914_5),
    ] {
        let summary = Summary::of("run", "tests/checks/cache.toml", &["--horizon", horizon]);
        let seconds: f64 = horizon.trim_end_matches('s').parse().unwrap();
        let calls = summary.mean("lost", "station.arrivals", &[("cluster", "b"), ("service", "db")]) * seconds;
        close(calls, 640.0 * fetched);
    }
}

#[test]
fn false_alarms_come_as_often_as_told() {
    let summary = Summary::of("run", "tests/checks/routing.toml", &["--variant", "false-alarms", "--seeds", "400"]);
    let count = summary.entry("false-alarms", "fault.count", &[("root", "false alarm: a")]);
    // A check that cries wolf is silent until three good probes later: 25 s in the mean. So one in 3625 s; the first
    // takes 3600 s, which adds under 0.01.
    let (mean, sd) = (count["mean"].as_f64().unwrap(), count["sd"].as_f64().unwrap());
    let half = 3.29 * sd / 400_f64.sqrt();
    assert!((mean - 10_800.0 / 3625.0).abs() <= half + 0.01 && half < 0.35, "{mean} ± {half}");
    close(summary.mean("false-alarms", "requests.lost", &[]), 0.0);
}

#[test]
fn how_a_store_replicates() {
    let summary = Summary::of("compare", "tests/checks/replication.toml", &[]);
    let store = [("store", "orders")];
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &store);
    let lost = |variant: &str, dims: &[(&str, &str)]| summary.mean(variant, "requests.lost", dims);
    // From a, with b 20 ms away and c 80 ms: all followers, the fastest one, none.
    // c is gone for an hour and catches up, at twice the speed of the writes, for another: nobody waits for it.
    close(of("degrade", "writes.latency"), (0.080 + 2.0 * 0.020) / 3.0);
    close(of("semi-sync", "writes.latency"), 0.020);
    close(of("async", "writes.latency"), 0.0);
    // The copy at hand and the fastest other one are two of three. Who needs all three can't write without c.
    close(of("quorum", "writes.latency"), 0.020);
    close(of("quorum-of-three", "writes.latency"), 0.080);
    close(lost("quorum", &[]), 0.0);
    close(lost("quorum-of-three", &[("stage", "quorum-lost"), ("root", "c lost: c")]), 4.0 * 3600.0);
    close(lost("quorum-of-three", &[]), 4.0 * 3600.0);
    // Strict ones stop as well, first undetected, then with nobody to take c's part.
    close(lost("sync", &[]), 4.0 * 3600.0);
    close(lost("semi-sync-of-two", &[]), 4.0 * 3600.0);
    close(lost("semi-sync-of-two", &[("stage", "undetected"), ("root", "c lost: c")]), 4.0 * 34.0);
    for safe in ["degrade", "semi-sync", "async", "last-write-wins", "merge"] {
        close(lost(safe, &[]), 0.0);
    }
    // A read at b misses a write of the last 250 ms: 1 - exp(-4 · 0.25).
    close(of("async", "reads.stale-share"), 0.632_120_558_828_557_7);
    // b is the follower that acknowledges.
    for fresh in ["sync", "semi-sync", "quorum"] {
        close(of(fresh, "reads.stale-share"), 0.0);
    }
    close(of("async", "reads.stale"), 0.632_120_558_828_557_7 * 10.0 * 10_800.0);
    // b has a's write 10 ms after a has acknowledged it: 1 - exp(-4 · 0.01). When it has it is told to 1e-5.
    let near = |got: f64, by_hand: f64| assert!((got - by_hand).abs() <= 1e-5 * by_hand, "{got}, by hand {by_hand}");
    near(of("quorum-of-one", "reads.stale-share"), 0.039_210_560_847_676_8);
    near(of("quorum-of-one", "visibility.p99.9"), 0.010);
    close(of("quorum-of-one", "writes.latency"), 0.0);
    for (behind, seen) in [("async", 0.250), ("last-write-wins", 0.250)] {
        near(of(behind, "visibility.p99.9"), seen);
    }
    for (variant, after_5ms) in [
        ("sync", 1.0),
        ("semi-sync", 1.0),
        ("quorum", 1.0),
        ("async", 0.0),
        ("quorum-of-one", 0.0),
        // b's own third of the writes.
        ("last-write-wins", 1.0 / 3.0),
    ] {
        close(of(variant, "reads.consistent-after"), after_5ms);
    }
    close(of("sync", "visibility.p99.9"), 0.0);
    // Delays hold for the copy at hand as well; reads go by the round trips: from b to itself and a.
    for metric in ["writes.latency", "writes.latency.p50", "writes.latency.p99.9"] {
        assert!((of("quorum-with-delays", metric) - 0.007).abs() < 1e-8);
    }
    assert!((of("quorum-with-delays", "reads.latency.p99") - 0.020).abs() < 1e-7);
    // a's writes are undone by b's 2/s, b's by a's 4/s: 4 (1 - exp(-0.5)) + 2 (1 - exp(-1)) a second.
    let met = (4.0 * 0.393_469_340_287_366_6 + 2.0 * 0.632_120_558_828_557_7) * 10_800.0;
    close(of("last-write-wins", "writes.conflicting"), met);
    close(of("last-write-wins", "writes.merged"), 0.0);
    close(of("last-write-wins", "writes.durable"), 6.0 * 10_800.0 - met);
    close(of("merge", "writes.conflicting"), 0.0);
    close(of("merge", "writes.merged"), met);
    close(of("merge", "writes.durable"), 6.0 * 10_800.0);
    for variant in ["sync", "semi-sync", "async", "quorum", "last-write-wins", "merge"] {
        close(of(variant, "writes"), of(variant, "writes.durable") + of(variant, "writes.conflicting"));
        close(of(variant, "writes"), summary.mean(variant, "writes", &[("journey", "buy")]));
    }
}

#[test]
fn a_retry_storm_outlives_its_cause_unless_something_stops_it() {
    let summary = Summary::of("compare", "tests/checks/retry-storm.toml", &[]);
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    // A backlog of 7 s is too much for an 8 s timeout: at 120/s it takes 700 / 20 = 35 s. For the last 25 s of the rush
    // all fail. Where a step of the wait begins is told to a millionth, hence 1e-4.
    let near = |variant: &str, by_hand: f64| {
        assert!((lost(variant) - by_hand).abs() <= 1e-4 * by_hand, "{variant}: {}, by hand {by_hand}", lost(variant));
    };
    // Twice 60/s is more than 100/s: nobody is served again.
    near("storm", 25.0 * 120.0 + (10_800.0 - 3660.0) * 60.0);
    // 1.1 × 120/s for 25 s: 800 more; then they go at 100 - 66 = 34/s.
    near("budget", 25.0 * 120.0 + 800.0 / 34.0 * 60.0);
    // 20/s for 25 s: 500 more; then they go at 40/s.
    near("patient", 25.0 * 120.0 + 500.0 / 40.0 * 60.0);
    // 2 × 120/s for 25 s: 3500 more; then they go at 100 - 90 = 10/s.
    near("below", 25.0 * 120.0 + 3500.0 / 10.0 * 45.0);
    // Open, 2 × 12/s are sent; closed, 120: for 100/s it is open for 20.8 % of the 25 s. A turn takes 1.2 s.
    let open = (120.0 - 100.0) / (120.0 - 24.0);
    assert!((lost("breaker") - open * 25.0 * 120.0).abs() <= 1.2 * 120.0, "{}", lost("breaker"));
    // The storm of 3635 s ends with the minute from 7200 s on.
    near("restart", 25.0 * 120.0 + (7260.0 - 3660.0) * 60.0);
    near("crash", 60.0 * 60.0);
    // Full after 500 / 20 = 25 s: for 35 s what is more than 100/s is shed, retries or not.
    near("bounded", 35.0 * 20.0);
    let cause = [("stage", "overload"), ("root", "demand")];
    near("storm", summary.mean("storm", "requests.lost", &cause));
}

#[test]
fn what_a_station_cannot_do_waits() {
    let summary = Summary::of("compare", "tests/checks/backlog.toml", &[]);
    let horizon = 7200.0;
    let requests = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    let web = |variant: &str, metric: &str| summary.mean(variant, metric, &[("cluster", "a"), ("service", "web")]);
    // A step of the wait ends a millionth of a step after its own end.
    let near = |got: f64, by_hand: f64| assert!((got - by_hand).abs() <= 1e-5 * by_hand, "{got}, by hand {by_hand}");
    // 20/s too many for 60 s are 1200, which go at 100 - 40 = 60/s in 20 s. Of 40/s none waits, of 100/s it is 6 s in
    // the mean; all are in time.
    let offered = 40.0 * horizon + 80.0 * 60.0;
    near(requests("patient", "requests.good"), offered);
    near(web("patient", "utilisation"), 0.4 + 0.6 * 80.0 / horizon);
    near(web("patient", "station.throughput") * horizon, offered);
    near(web("patient", "station.wait.mean"), 6.0 * 8000.0 / offered);
    near(requests("patient", "latency.mean"), 1.001 + 6.0 * 8000.0 / offered);
    // Who waits for 7 s is late: from 35 s on, with 700 before him, until 500 of the 1200 are gone.
    let late = 25.0 * 120.0 + 500.0 / 60.0 * 40.0;
    near(requests("hasty", "requests.lost"), late);
    near(summary.mean("hasty", "requests.lost", &[("stage", "overload"), ("root", "demand")]), late);
    // They are served all the same.
    near(web("hasty", "station.throughput") * horizon - requests("hasty", "requests.good"), late);
    // 500 wait after 25 s; for 35 s what is more than 100/s is shed. They are gone in 500 / 60 s.
    near(requests("full", "requests.lost"), 35.0 * 20.0);
    near(web("full", "station.shed"), 35.0 * 20.0);
    near(web("full", "utilisation"), 0.4 + 0.6 * (60.0 + 500.0 / 60.0) / horizon);
    // 30 s of backlog, 3000, are there after 150 s of 300, and 6000 in the end.
    near(requests("for-ever", "requests.lost"), 150.0 * 120.0 + 3000.0 / 60.0 * 40.0);
    // The data's 110 pods never see more than 100/s; 1 ms and 2 s of service, and the same wait.
    let data = |metric: &str| summary.mean("in-a-row", metric, &[("cluster", "a"), ("service", "data")]);
    near(data("station.arrivals") * horizon, offered);
    near(data("utilisation"), offered / horizon / 110.0);
    near(requests("in-a-row", "requests.good"), offered);
    // Of 110 servers at 100/110 a few wait, for a constant service half as long: C(110, 100) × 0.5 / (110 - 100).
    let waits = 0.232_9 * 0.05 * 8000.0 / offered;
    let got = requests("in-a-row", "latency.mean") - 2.001 - 6.0 * 8000.0 / offered;
    assert!((got - waits).abs() <= 0.02 * waits, "{got}, by hand {waits}");
}

#[test]
fn how_long_a_later_try_takes() {
    let summary = Summary::of("compare", "tests/checks/retries.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // Curves have nodes 2 % apart.
    let near = |got: f64, by_hand: f64| assert!((got - by_hand).abs() <= 1e-3 * by_hand, "{got}, by hand {by_hand}");
    // Two of three succeed at once, in 150 ms; the third after another round trip and 100 to 200 ms.
    close(of("jitter", "availability"), 0.75);
    close(of("jitter", "latency.mean"), (2.0 * 0.15 + 0.4) / 3.0);
    near(of("jitter", "latency.p50"), 0.15);
    near(of("jitter", "latency.p95"), 0.45 - 0.1 * 3.0 * 0.05);
    near(of("jitter", "latency.p99"), 0.45 - 0.1 * 3.0 * 0.01);
    // 8, 4, 2 and 1 of 15 succeed at each try, after 0, 100, 400 and 900 ms.
    close(of("steps", "latency.mean"), 0.15 + (0.1 * (4.0 + 2.0 * 2.0 + 3.0) + 4.0 * 0.1 + 2.0 * 0.4 + 0.9) / 15.0);
    near(of("steps", "latency.p99"), 0.15 + 3.0 * 0.1 + 0.9);
    near(of("steps", "latency.p95"), 0.15 + 3.0 * 0.1 + 0.9);
    near(of("steps", "latency.p90"), 0.15 + 2.0 * 0.1 + 0.4);
    // 4, 2 and 1 of 7. The last 7 % of the last seventh: the sum of even times of 200 and 400 ms exceeds 600 ms - x
    // with probability x² / (2 · 0.2 · 0.4).
    close(of("jitters", "latency.mean"), 0.15 + (2.0 * 0.2 + (0.2 + 0.3)) / 7.0);
    near(of("jitters", "latency.p99"), 0.35 + 0.6 - (0.07 * 0.16_f64).sqrt());
    // A third after another round trip and an exponential time: the last 15 % and 3 % of them.
    close(of("memoryless", "latency.mean"), 0.15 + (0.1 + 0.2) / 3.0);
    near(of("memoryless", "latency.p95"), 0.25 - 0.2 * 0.15_f64.ln());
    near(of("memoryless", "latency.p99"), 0.25 - 0.2 * 0.03_f64.ln());
    // In time: 100 ms and an exponential below 200 ms; a late one has cost 300 and 400 ms.
    let q = 0.135_335_283_236_612_7;
    near(of("late", "requests.lost"), 36_000.0 * q * q);
    near(of("late", "latency.mean"), 0.1 + 0.1 - 0.2 * q / (1.0 - q) + 0.7 * q / (1.0 + q));
    // 1 - F(t) = (q e^-((t - 0.8) / 0.1) - q²) / (1 - q²) = 1 % on the second try: F in units of all tries.
    near(of("late", "latency.p99"), 0.8 - 0.1 * ((0.01 * (1.0 - q * q) + q * q) / q).ln());
    // Three tries for half of the time, and no backlog of 30/s on 20,000/s.
    let web = |variant: &str, metric: &str| summary.mean(variant, metric, &[("cluster", "a"), ("service", "web")]);
    close(web("slow", "station.arrivals"), 20.0);
    close(of("slow", "requests.lost"), 18_000.0);
    // A sojourn exceeds 500 ms with probability p = e^-(10 - 5 (1 + p)) / 2 = 0.107355: a fixed point.
    near(web("queue", "station.arrivals"), 5.536_776_231_953_954);
    near(of("queue", "availability"), 0.988_474_851_072_372_5);
}

#[test]
fn two_leaders_and_followers_that_are_behind() {
    let summary = Summary::of("compare", "tests/checks/split-brain.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[("store", "orders")]);
    // Promoted at 94 s after the first answer changed at 34 s: from then on 1 - t/300 of the users still come to a, for
    // 240 s, which goes on taking their writes: 4 × 240 × 0.8 / 2.
    close(of("unfenced", "writes.conflicting"), 4.0 * 96.0);
    close(of("fenced", "writes.conflicting"), 0.0);
    for variant in ["fenced", "unfenced"] {
        close(of(variant, "rpo.seconds"), 0.0);
        close(summary.mean(variant, "requests.lost", &[]), 0.0);
        close(of(variant, "writes"), 4.0 * 10_800.0);
        close(of(variant, "writes.durable"), of(variant, "writes") - of(variant, "writes.conflicting"));
    }
    // 600 s behind, and 300 s to catch up at twice the speed.
    for variant in ["behind", "degraded"] {
        close(of(variant, "rpo.seconds"), 300.0);
        close(of(variant, "writes.lost"), 4.0 * 300.0);
    }
    // Back at 7200 s, a lacks what b took since it leads, at 3694 s: 3506 s of it, so it catches up until 8369 s. b is lost
    // at 8000 s; a is promoted after 34 + 60 s, 3506 - 3 × 800 s behind. Had a caught up it would lead since 7830 s.
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[("stage", "promoting"), ("root", "b lost: b")]);
    close(lost("resync"), 4.0 * 60.0);
    close(of("resync", "writes.lost"), 4.0 * 1106.0);
    let b_lost = |variant: &str| {
        let all = summary.0["variants"].as_array().unwrap().iter().find(|entry| entry["name"] == variant).unwrap();
        let lost = |entry: &&Value| entry["metric"] == "requests.lost" && entry["root"] == "b lost: b";
        all["metrics"].as_array().unwrap().iter().filter(lost).map(|entry| entry["mean"].as_f64().unwrap()).sum::<f64>()
    };
    close(b_lost("resync"), 4.0 * 94.0);
    close(b_lost("fast-resync"), 0.0);
    close(of("fast-resync", "writes.lost"), 0.0);
    // Who stops rather than go on alone loses requests instead.
    close(of("strict", "rpo.seconds"), 0.0);
    close(of("strict", "writes.lost"), 0.0);
    close(summary.mean("strict", "requests.lost", &[("stage", "partition"), ("root", "cut: a – b")]), 4.0 * 600.0);
}

#[test]
fn what_a_promotion_loses() {
    let summary = Summary::of("compare", "tests/checks/loss.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[("store", "orders")]);
    // Promoted 94 s after the cut. Until the answer changed, at 34 s, all users came to a; then, for 60 s, 1 - t/300 of
    // them. a took all of those writes, and b has none: 4 × (34 + 60 - 60²/600).
    for variant in ["deposed", "deposed-degrade", "deposed-semi-sync"] {
        close(of(variant, "writes.lost"), 352.0);
        close(of(variant, "rpo.seconds"), 94.0);
        close(of(variant, "writes.conflicting"), 0.0);
        close(of(variant, "writes"), of(variant, "writes.durable") + 352.0);
    }
    // Who stops rather than go on alone loses requests instead, from those who come to b as from those who come to a.
    close(of("deposed-strict", "writes.lost"), 0.0);
    close(of("deposed-strict", "rpo.seconds"), 0.0);
    // b was cut off for 600 s, and caught up for 300 s at twice the speed. Then nothing more was written.
    close(of("alone", "writes.lost"), 4.0 * 300.0);
    close(of("alone", "rpo.seconds"), 300.0);
    close(of("alone-strict", "writes.lost"), 0.0);
    close(of("alone-strict", "rpo.seconds"), 0.0);
    // c has everything, though b comes first in the store's order.
    close(of("freshest", "writes.lost"), 0.0);
    close(of("freshest", "rpo.seconds"), 0.0);
}

#[test]
fn how_copies_are_brought_up_to_date() {
    let summary = Summary::of("compare", "tests/checks/loss.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[("store", "orders")]);
    // a has writes that b never got: 1 GB at 10 MB/s, then as long again for the 100 s written meanwhile.
    for variant in ["deposed", "deposed-degrade", "deposed-semi-sync"] {
        close(of(variant, "resyncs"), 1.0);
        close(of(variant, "resync.seconds"), 200.0);
        close(of(variant, "resync.bytes"), 1e9);
    }
    // Of the copy, what was written to b until a could be reached again, at 5400 s, is billed as writes: from 3694 s, 60 s
    // after the new answer, t/300 of 4/s until 3934 s, then all, of 1 KB at 1 USD/GB.
    let written = 4.0 * (300.0 * 300.0 - 60.0 * 60.0) / 600.0 + 4.0 * (5400.0 - 3934.0);
    let bill = |variant: &str| summary.mean(variant, "cost.replication", &[]);
    let difference = bill("deposed") - bill("deposed-empty");
    assert!((difference - (1.0 - written * 1e-6)).abs() < 1e-9, "{difference}");
    // Of three copies b lacks 600 s. It is 300 s behind when a is lost, and goes on after c leads, 94 s later. a comes
    // back after 3600 s and has what c wrote without it from 3994 s on: t/300 of 4/s from 60 s after the answer changed.
    close(of("freshest", "resyncs"), 2.0);
    close(of("freshest", "resync.seconds"), f64::midpoint(600.0, 3506.0));
    let written = 4.0 * (300.0 * 300.0 - 60.0 * 60.0) / 600.0 + 4.0 * (7500.0 - 4234.0);
    close(of("freshest", "resync.bytes"), (600.0 * 4.0 + written) * 1000.0 / 2.0);
    // a is gone from 3600 s to 4200 s, and b leads from 3694 s on: 506 s behind, so level at 4706 s. Users stay at a, 100 ms
    // from b, which waits another 100 ms for a once that is level; from 14,000 s on a is lost for good measure, and b stops.
    close(of("rejoins", "resync.seconds"), 506.0);
    close(of("rejoins", "resync.bytes"), 506.0 * 4.0 * 1000.0);
    let (near, far) = (3600.0 + (4706.0 - 3694.0), 14_000.0 - 4706.0 + 300.0);
    close(of("rejoins", "writes.latency"), (near * 0.1 + far * 0.2) / (near + far));
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[("journey", "buy")]);
    close(lost("rejoins"), 4.0 * (94.0 + 100.0));
    // Lost again at 4500 s, 206 s behind; back at 4600 s, 306 s behind. b never waits for it.
    close(lost("lost-early"), 4.0 * 94.0);
    close(of("lost-early", "resyncs"), 1.0);
    close(of("lost-early", "resync.seconds"), 300.0 + 306.0);
    close(of("lost-early", "resync.bytes"), (506.0 + 100.0) * 4.0 * 1000.0);
}

#[test]
fn a_store_that_takes_no_writes() {
    let summary = Summary::of("compare", "tests/checks/loss.toml", &[]);
    let lost = |variant: &str, dims: &[(&str, &str)]| summary.mean(variant, "requests.lost", dims);
    let promoted = |variant: &str| !summary.entry(variant, "rpo.seconds", &[("store", "orders")])["mean"].is_null();
    for (variant, target) in [("read-only", "orders in a"), ("read-only-region", "a")] {
        let root = format!("trouble: {target}");
        close(lost(variant, &[("stage", "read-only"), ("root", &root)]), 4.0 * 600.0);
        close(lost(variant, &[]), 4.0 * 600.0);
        assert!(!promoted(variant));
    }
    // A follower takes what its leader sends; one of many leaders leaves writes to the others.
    close(lost("read-only-follower", &[]), 0.0);
    close(lost("read-only-of-many", &[]), 0.0);
    // Down over read-only: for 20 s, which nobody notices, reads fail as well.
    let variant = "read-only-then-down";
    close(lost(variant, &[("stage", "read-only"), ("root", "trouble: a")]), 4.0 * 580.0);
    close(lost(variant, &[("stage", "undetected"), ("root", "cut: orders in a")]), (4.0 + 6.0) * 20.0);
    close(lost(variant, &[]), 4.0 * 580.0 + 10.0 * 20.0);
    // Seen at the third probe, after 30 s, and promoted 60 s later: a hands over.
    let variant = "read-only-deep";
    close(lost(variant, &[("stage", "read-only"), ("root", "trouble: orders in a")]), 4.0 * 90.0);
    close(lost(variant, &[]), 4.0 * 90.0);
    close(summary.mean(variant, "rpo.seconds", &[("store", "orders")]), 0.0);
    close(summary.mean(variant, "writes.lost", &[("store", "orders")]), 0.0);
}

#[test]
fn five_ways_to_replicate_one_platform() {
    let summary = Summary::of("compare", "scenarios/replication-modes.toml", &["--seeds", "30"]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[("store", "orders")]);
    // What waits for nobody is fastest; for one follower, for all of them. A copy at hand is faster than a leader.
    let latency = ["multi-leader", "async", "semi-sync", "sync"].map(|variant| of(variant, "writes.latency"));
    assert!(latency.is_sorted(), "{latency:?}");
    // Only who doesn't wait loses, and pays for it.
    assert!(of("async", "rpo.seconds") > 0.0 && of("async", "writes.lost") > 0.0);
    close(of("async", "cost.loss-writes"), 18.5 * of("async", "writes.lost"));
    for safe in ["sync", "semi-sync"] {
        assert_eq!((of(safe, "rpo.seconds"), of(safe, "writes.lost"), of(safe, "cost.loss-writes")), (0.0, 0.0, 0.0));
    }
    assert!(of("multi-leader", "writes.conflicting") > 0.0);
    let stale =
        ["sync", "quorum", "semi-sync", "async", "multi-leader"].map(|variant| of(variant, "reads.stale-share"));
    assert!(stale.is_sorted() && stale[1] == 0.0 && stale[2] > 0.0, "{stale:?}");
    for variant in ["sync", "semi-sync", "async", "quorum", "multi-leader"] {
        let parts = ["writes.durable", "writes.lost", "writes.conflicting"].map(|metric| of(variant, metric));
        close(of(variant, "writes"), parts.iter().sum());
    }
}

#[test]
fn a_cold_cache_floods_its_database() {
    let summary = Summary::of("compare", "scenarios/cold-cache.toml", &["--seeds", "2"]);
    let shed = |variant: &str| {
        let all = summary.0["variants"].as_array().unwrap();
        let metrics = all.iter().find(|entry| entry["name"] == variant).unwrap()["metrics"].as_array().unwrap();
        let lost = metrics.iter().filter(|entry| entry["metric"] == "requests.lost" && entry["stage"] == "overload");
        // The region is back for long, and its loss is still the cause.
        lost.inspect(|entry| assert_eq!(entry["root"], "us-east-1 lost: us-east-1"))
            .fold(0.0, |sum, entry| sum + entry["mean"].as_f64().unwrap())
    };
    // Once in each cluster, the standby and the region that comes back; where the standby is kept warm, hardly there.
    assert_eq!(shed("headroom"), 0.0);
    assert!(shed("kept-warm") > 0.0 && 1.3 * shed("kept-warm") < shed("cold"), "{}", shed("cold"));
    let hits = |variant: &str| summary.mean(variant, "cache.hit-ratio", &[("store", "product-cache")]);
    assert!(hits("kept-warm") < hits("headroom"), "few users keep a cache less warm than many");
}

#[test]
fn a_storm_that_only_the_night_ends() {
    let summary = Summary::of("compare", "scenarios/retry-storm.toml", &["--seeds", "2"]);
    let longest = |variant: &str| summary.mean(variant, "outages.longest", &[]);
    // Ten minutes of a bad query: until 22:00, seven hours; or not a minute longer.
    assert!(longest("no-limit") > 6.5 * 3600.0, "{}", longest("no-limit"));
    for stopped in ["budget", "breaker", "bounded-queue"] {
        assert!(longest(stopped) < 600.0, "{stopped}: {}", longest(stopped));
    }
    let root = "bad query: api in us-east-1";
    let cause = [("stage", "overload"), ("root", root)];
    close(summary.mean("no-limit", "requests.lost", &cause), summary.mean("no-limit", "requests.lost", &[]));
}

#[test]
fn the_lowest_priority_is_shed_first() {
    let summary = Summary::of("compare", "tests/checks/priority.toml", &[]);
    let lost = |variant: &str, journey: &str| summary.mean(variant, "requests.lost", &[("journey", journey)]);
    // 70/s of each on 100/s: 40 of the low. 150/s of each: all of the low, and 50 of the high.
    close(lost("some", "low"), 40.0 * 3600.0);
    close(lost("some", "high"), 0.0);
    close(lost("many", "low"), 150.0 * 3600.0);
    close(lost("many", "high"), 50.0 * 3600.0);
    // The queue takes the first 500. Where it is full is told to a millionth of a level.
    assert!((lost("queue", "low") - (40.0 * 3600.0 - 500.0)).abs() < 1.0, "{}", lost("queue", "low"));
    close(lost("queue", "high"), 0.0);
}

#[test]
fn survivors_need_headroom() {
    let summary = Summary::of("compare", "scenarios/headroom.toml", &["--seeds", "2"]);
    let shed = |variant: &str| {
        let all = summary.0["variants"].as_array().unwrap();
        let of = all.iter().find(|entry| entry["name"] == variant).unwrap();
        let metrics = of["metrics"].as_array().unwrap().iter();
        let lost = metrics.filter(|entry| entry["metric"] == "requests.lost" && entry["stage"] == "overload");
        lost.map(|entry| (entry["root"].as_str().unwrap().to_owned(), entry["mean"].as_f64().unwrap()))
            .collect::<Vec<_>>()
    };
    for roomy in ["45-fixed", "45-slow", "45-fast"] {
        assert!(shed(roomy).is_empty(), "{:?}", shed(roomy));
    }
    // 4,000/s on 111 pods that serve 20/s each: 1780 too many for four hours, but for what fails otherwise meanwhile.
    let [(root, lost)] = &shed("90-fixed")[..] else { panic!("{:?}", shed("90-fixed")) };
    assert_eq!(root, "us-east-1 lost: us-east-1");
    assert!((1780.0 * (14_400.0 - 100.0)..1780.0 * (14_400.0 + 100.0)).contains(lost), "{lost}");
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    assert!(lost("90-fast") < lost("90-slow") && lost("90-slow") < lost("90-fixed"));
}

/// What a survivor of capacity C sheds of 4,000/s: 4000 − C while all are there. While names expire, over a TTL of 60 s,
/// the load rises evenly by 2000/s, and afterwards falls so again: two triangles of 60 s × (4000 − C)² / 4000. How long
/// all are there hangs on the health checks alone, which are alike at every point.
#[test]
fn headroom_is_swept() {
    let summary = Summary::of("sweep", "scenarios/headroom.toml", &["--seeds", "2"]);
    assert_eq!(summary.0["variants"].as_array().unwrap().len(), 15);
    assert_eq!(summary.0["sweep"]["axes"][1]["values"][2], "fast");
    let levels = ["0 %", "25 %", "50 %", "75 %", "100 %"];
    let point = |level: &str, scaler: &str| format!("headroom={level}, autoscaler={scaler}");
    let lost = |level: &str, scaler: &str| summary.mean(&point(level, scaler), "requests.lost", &[]);
    let otherwise = lost("100 %", "none");
    // Undetected for 20 to 40 s, then a TTL over which half is lost on average.
    assert!((2000.0 * (20.0 + 30.0)..2000.0 * (40.0 + 30.0)).contains(&otherwise), "{otherwise}");
    let shed = |level: &str| lost(level, "none") - otherwise;
    let (all, ttl) = (2000.0, 60.0);
    let whole = shed("0 %") / all - ttl;
    assert!((14_400.0 - 100.0..14_400.0).contains(&whole), "{whole}");
    for (level, capacity) in levels.iter().zip([2000.0, 2500.0, 3000.0, 3500.0, 4000.0]) {
        let over: f64 = 4000.0 - capacity;
        let expected = over * whole + ttl * over * over / all;
        assert!((shed(level) - expected).abs() <= 1e-9 * 4000.0 * 14_400.0, "{level}: {} {expected}", shed(level));
        for scaler in ["slow", "fast"] {
            assert!(lost(level, scaler) <= lost(level, "none") * (1.0 + 1e-12), "{level} {scaler}");
        }
    }
    for level in ["25 %", "50 %", "75 %"] {
        assert!(lost(level, "fast") < lost(level, "slow") && lost(level, "slow") < lost(level, "none"), "{level}");
    }
    // An autoscaler that holds 100 % never sees more.
    close(lost("0 %", "fast"), lost("0 %", "none"));
}

#[test]
fn a_leader_is_moved_by_plan() {
    let summary = Summary::of("compare", "tests/checks/switchover.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[("store", "orders")]);
    let lost = |variant: &str, journey: &str| summary.mean(variant, "requests.lost", &[("journey", journey)]);
    let move_ = |variant: &str, stage: &str| {
        summary.mean(variant, "requests.lost", &[("stage", stage), ("root", "move: orders")])
    };
    // No writes for 200 s, no reads at a leader for 150 s; the last 100 s for want of a name.
    close(lost("planned", "buy"), 4.0 * 200.0);
    close(lost("planned", "look"), 10.0 * 150.0);
    close(move_("planned", "promoting"), 4.0 * 100.0 + 10.0 * 50.0);
    close(move_("planned", "propagating"), 14.0 * 100.0);
    for metric in ["rpo.seconds", "writes.lost"] {
        assert_eq!(of("planned", metric), 0.0);
    }
    close(lost("local-reads", "buy"), 4.0 * 200.0);
    close(lost("local-reads", "look"), 10.0 * 50.0);
    // Acknowledged by b over 20 ms for 3700 s; after 3900 s written at b over 20 ms and acknowledged by a. No failback.
    close(of("sync", "writes.latency"), (0.020 * 3700.0 + 0.040 * 6900.0) / 10_600.0);
    // Not begun, or called off while it costs nothing.
    for variant in ["lost-before", "lost-at-once"] {
        close(summary.mean(variant, "requests.lost", &[]), 0.0);
        assert!(summary.entry(variant, "rpo.seconds", &[("store", "orders")])["mean"].is_null());
    }
    let time = |variant: &str| summary.mean(variant, "fault.time", &[("root", "move: orders")]);
    close(time("planned"), 300.0);
    close(time("lost-before"), 0.0);
    close(time("lost-at-once"), 100.0);
    // Called off when b should have taken writes: a takes them again.
    close(time("lost-midway"), 200.0);
    close(lost("lost-midway", "buy"), 4.0 * 100.0);
    close(lost("lost-midway", "look"), 10.0 * 50.0);
    assert!(summary.entry("lost-midway", "rpo.seconds", &[("store", "orders")])["mean"].is_null());
    // b still leads at 9000 s, and is failed over from after 34 + 60 s.
    let b_lost =
        |stage: &str| summary.mean("lost-later", "requests.lost", &[("stage", stage), ("root", "b lost: orders in b")]);
    close(b_lost("undetected"), 14.0 * 34.0);
    close(b_lost("promoting"), 14.0 * 60.0);
    // What was planned isn't a recovery.
    assert!(summary.entry("planned", "rto.not-achieved", &[])["mean"].is_null());
}

#[test]
fn pods_fail_one_by_one() {
    let root = [("root", "crash: pods of web in us-east-1")];
    let of = |arguments: &[&str]| {
        let summary = Summary::of("run", "tests/checks/pods.toml", arguments);
        let fault = |metric: &str| summary.mean("base", metric, &root);
        let ready = summary.mean("base", "replicas", &[("cluster", "us-east-1"), ("service", "web")]);
        (fault("fault.count"), fault("fault.time"), ready, summary.mean("base", "requests.lost", &[]))
    };
    // Ten times three pods for 10 s; then nobody is there for 10 requests a second.
    let (count, time, ready, lost) = of(&[]);
    assert_eq!(count, 30.0);
    close(time, 300.0);
    close(ready, 3.0 - 300.0 / 1100.0);
    close(lost, 10.0 * 100.0);
    // One crew: they are back after 10, 20 and 30 s, and from then on fail 10 s after each other: at 100 + 110 k,
    // 220 + 110 k and 230 + 110 k. All are down for the first 10 s alone.
    let (count, time, ready, lost) = of(&["--set", "fault.crash.crews=1"]);
    assert_eq!(count, 10.0 + 9.0 + 9.0);
    close(time, 100.0 + (20.0 + 80.0) + (30.0 + 80.0));
    close(ready, 3.0 - 310.0 / 1100.0);
    close(lost, 10.0 * 10.0);
}

#[test]
fn calls_of_other_clusters_take_their_way_and_load_them() {
    let summary = Summary::of("compare", "tests/checks/connection.toml", &[]);
    let orders = |variant: &str, metric: &str, cluster: &str| {
        summary.mean(variant, metric, &[("cluster", cluster), ("service", "orders")])
    };
    // 10 ms to `a`, 10 ms of web; 40 ms to `b` and back, 3 ms each way, 20 ms of orders.
    close(summary.mean("well", "latency.mean", &[]), 0.086);
    // Within `a` it is the two proxies that a call passes.
    close(summary.mean("proxies", "latency.mean", &[]), 0.01 + 0.01 + 0.00265 + 0.02);
    // 100/s of 20 ms on ten servers.
    close(orders("well", "utilisation", "b"), 0.2);
    close(orders("well", "utilisation", "c"), 0.0);
    // One server of 200/s for 100/s from `a` and 50/s of its own: M/M/1 waits 0.75 / (200 - 150).
    close(orders("shared", "station.arrivals", "b"), 150.0);
    close(orders("shared", "utilisation", "b"), 0.75);
    close(orders("shared", "station.wait.mean", "b"), 0.015);
    // Who is served at `a` waits as long there: to the 0.03 % of the curve's grid.
    let us = summary.mean("shared", "latency.mean", &[("population", "us")]);
    let by_hand = 0.01 + 0.01 + 0.04 + 0.006 + 0.005 + 0.015;
    assert!((us / by_hand - 1.0).abs() < 3e-4, "{us} is not {by_hand}");
    // 50/s too many, at the callee as with the callers.
    close(summary.mean("crowded", "requests.lost", &[]), 50.0 * 10_800.0);
    close(orders("crowded", "station.shed", "b"), 50.0 * 10_800.0);
}

#[test]
fn a_mesh_turns_elsewhere_and_an_address_stays() {
    let summary = Summary::of("compare", "tests/checks/connection.toml", &[]);
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    let stage = |variant: &str, stage: &str, root: &str| {
        summary.mean(variant, "requests.lost", &[("stage", stage), ("root", root)])
    };
    let at = |variant: &str, cluster: &str| {
        summary.mean(variant, "station.arrivals", &[("cluster", cluster), ("service", "orders")]) * 10_800.0
    };
    // Five errors, one in ten seconds; nothing is lost on the way back.
    close(lost("mesh"), 100.0 * 50.0);
    close(stage("mesh", "undetected", "trouble: b"), lost("mesh"));
    // At `c` until 30 s after `b` is back.
    close(at("mesh", "c"), 100.0 * (3600.0 - 50.0 + 30.0));
    close(at("mesh", "b"), 100.0 * (7200.0 - 30.0));
    let (near, far) = (100.0 * 7170.0, 100.0 * 3580.0);
    close(summary.mean("mesh", "latency.mean", &[]), (near * 0.086 + far * 0.106) / (near + far));
    close(lost("by-address"), 100.0 * 3600.0);
    close(stage("by-address", "static-address", "trouble: b"), lost("by-address"));
    // Ten minutes there, and ten minutes back, which lose nothing.
    close(lost("changed"), 100.0 * 600.0);
    close(at("changed", "c"), 100.0 * 3600.0);
    // What fails at home goes to the nearest in the same way, in a mesh.
    close(lost("own"), 100.0 * 50.0);
    close(stage("own", "undetected", "trouble: orders in a"), lost("own"));
    close(at("own", "b"), 100.0 * (3600.0 - 50.0 + 30.0));
    close(at("own", "a"), 100.0 * (10_800.0 - 3580.0));
    close(lost("own-alone"), 100.0 * 3600.0);
    close(stage("nowhere-else", "no-target", "trouble: b"), 100.0 * 3600.0);
    // 50/s too many at `c`, for what sent them there.
    close(stage("too-small", "overload", "trouble: b"), 50.0 * 3580.0);
    close(lost("too-small"), 5000.0 + 50.0 * 3580.0);
}

#[test]
fn connections_fail_and_a_hub_takes_all_its_spokes() {
    let summary = Summary::of("compare", "tests/checks/connection.toml", &[]);
    let lost = |variant: &str| summary.mean(variant, "requests.lost", &[]);
    let stage = |variant: &str, stage: &str, root: &str| {
        summary.mean(variant, "requests.lost", &[("stage", stage), ("root", root)])
    };
    close(lost("way-lost"), 100.0 * 50.0);
    close(stage("way-lost", "undetected", "trouble: between"), lost("way-lost"));
    close(lost("link"), 100.0 * 50.0);
    // Two connections and ten minutes to change from one to the other: the hub has both.
    close(lost("hub"), 100.0 * 3600.0);
    close(stage("hub", "partition", "trouble: tgw"), lost("hub"));
    // A fifth fails, and what comes takes twice as long on its way.
    close(lost("grey"), 20.0 * 3600.0);
    let (good, slow) = (100.0 * 7200.0, 80.0 * 3600.0);
    let latency = (good * 0.086 + slow * (0.086 + 0.046)) / (good + slow);
    close(summary.mean("grey", "latency.mean", &[]), latency);
}

#[test]
fn what_connections_cost_and_leave_open() {
    let summary = Summary::of("compare", "tests/checks/connection.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // 1.08 million requests of 1 kB and 9 kB in three hours; a month has 730.
    let (gigabytes, calls, month) = (10.8, 1.08e6, 730.0 / 3.0);
    close(of("well", "connections.calls"), calls);
    close(of("well", "connections.bytes"), gigabytes * 1e9);
    for (variant, hours, data, egress, inter_region) in [
        // A gateway at `b` and one at `c`.
        ("well", 2.0 * 0.0225, 0.006, 9.72, gigabytes),
        ("in-the-clear", 2.0 * 0.0225, 0.006, 9.72 + gigabytes, 0.0),
        ("gateway", 2.0 * 0.0225, 0.008, 9.72 + gigabytes, 0.0),
        // Two pairs of clusters.
        ("tunnel", 2.0 * 0.05, 0.0, 9.72 + gigabytes, 0.0),
    ] {
        close(of(variant, "cost.connections"), hours * 3.0);
        close(of(variant, "cost.connection-data"), gigabytes * data);
        close(of(variant, "cost.egress"), egress * 0.09);
        close(of(variant, "cost.replication"), inter_region * 0.02);
    }
    // Two proxies of each call take 0.2 vCPUs for 1000/s; a node of four costs 0.2 USD an hour.
    close(of("well", "cost.proxies"), 2.0 * calls * 0.2 / 1000.0 / 3600.0 * 0.05);
    close(of("tunnel", "cost.proxies"), 0.0);
    // Three clusters on the hub; a third of the time nothing goes through it.
    close(of("hub", "cost.connections"), 3.0 * 0.05 * 3.0);
    close(of("hub", "cost.connection-data"), 7.2 * 0.02);
    for (variant, endpoints, clear, unknown) in [
        ("well", 0.0, 0.0, 0.0),
        ("in-the-clear", 2.0, gigabytes * 1e9 * month, calls * month),
        ("gateway", 2.0, 0.0, 0.0),
        ("tunnel", 0.0, 0.0, calls * month),
    ] {
        close(of(variant, "security.public-endpoints"), endpoints);
        close(of(variant, "security.unencrypted"), clear);
        close(of(variant, "security.unauthenticated"), unknown);
    }
}

#[test]
fn single_requests_call_other_clusters() {
    let requests = ["--seeds", "1", "--set", "simulation.traffic={ requests = {} }"];
    let run = |variant: &str| {
        let arguments = [&["--variant", variant][..], &requests[..]].concat();
        Summary::of("run", "tests/checks/connection.toml", &arguments)
    };
    // Ten servers without a queue lose Erlang's B(10, 2) of their calls.
    let blocked = 3.819e-5;
    let well = run("well");
    close(well.mean("well", "latency.mean", &[]), 0.086);
    let calls = well.mean("well", "connections.calls", &[]);
    assert!((calls - 1.08e6).abs() < 5.0 * 1.08e6_f64.sqrt(), "{calls}");
    close(well.mean("well", "connections.bytes", &[]), calls * 1e4);
    for (variant, lost) in [("mesh", 5000.0), ("own", 5000.0), ("by-address", 360_000.0), ("hub", 360_000.0)] {
        let expected = lost + blocked * (1.08e6 - lost);
        let found = run(variant).mean(variant, "requests.lost", &[]);
        // Five standard deviations of a count.
        assert!((found - expected).abs() < 5.0 * expected.sqrt(), "{variant}: {found} is not {expected}");
    }
    let shared = run("shared");
    let orders = [("cluster", "b"), ("service", "orders")];
    // The wait of an M/M/1 at 0.75 over 1.6 million calls: its error is that of some ten thousand busy periods.
    let wait = shared.mean("shared", "station.wait.mean", &orders);
    assert!((wait / 0.015 - 1.0).abs() < 0.05, "{wait}");
    let us = shared.mean("shared", "latency.mean", &[("population", "us")]);
    assert!((us - 0.071 - wait).abs() < 0.001, "{us}");
}

#[test]
fn waves_stop_where_all_at_once_is_too_late() {
    let summary = Summary::of("compare", "tests/checks/releases.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // Nobody sees it before the third wave, at 1 h + 2 h; then a quarter of 100/s for 30 + 10 min.
    close(of("waves", "blast-radius"), 0.25);
    close(of("waves", "blast-radius.exposure"), 0.25 * 2400.0);
    close(of("waves", "requests.lost"), 25.0 * 0.2 * 2400.0);
    let lost = [("stage", "errors"), ("root", "build: prod-us")];
    close(summary.mean("waves", "requests.lost", &lost), 25.0 * 0.2 * 2400.0);
    close(of("all-at-once", "blast-radius"), 1.0);
    close(of("all-at-once", "blast-radius.exposure"), 2400.0);
    close(of("all-at-once", "requests.lost"), 100.0 * 0.2 * 2400.0);
    for (metric, value) in [("rollouts", 1.0), ("releases", 1.0), ("releases.bad", 1.0)] {
        close(of("waves", metric), value);
    }
    // A fix after two hours; synthetic requests that see it where no user does.
    close(of("roll-forward", "blast-radius.exposure"), 0.25 * (1800.0 + 7200.0));
    close(of("synthetic", "blast-radius"), 0.0);
    close(of("synthetic", "requests.lost"), 0.0);
    // A quarter of all users reaches 900 s in an hour, just when all of them get it.
    close(of("exposure", "blast-radius.exposure"), 900.0 + 600.0);
    close(of("exposure", "blast-radius"), 1.0);
}

#[test]
fn the_trail_says_who_ran_what_when() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("report");
    run("run", "tests/checks/releases.toml", &folder, &["--variant", "waves"]);
    let trail = std::fs::read_to_string(folder.join("revisions.csv")).unwrap();
    let expected = "variant,cluster,revision,from_s,to_s,why\n\
                    waves,dev,0,0.0,3600.0,start\nwaves,dev,1,3600.0,13200.0,release\nwaves,dev,0,13200.0,28800.0,roll-back\n\
                    waves,staging,0,0.0,7200.0,start\nwaves,staging,1,7200.0,13200.0,release\n\
                    waves,staging,0,13200.0,28800.0,roll-back\n\
                    waves,prod-us,0,0.0,10800.0,start\nwaves,prod-us,1,10800.0,13200.0,release\n\
                    waves,prod-us,0,13200.0,28800.0,roll-back\nwaves,prod-eu,0,0.0,28800.0,start\n";
    assert_eq!(trail, expected);
}

#[test]
fn good_releases_take_their_waves_and_lose_nothing() {
    let summary = Summary::of("compare", "tests/checks/releases.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    close(of("good", "rollouts.duration"), 4.0 * 3600.0);
    close(of("good", "releases.lead-time"), 3.0 * 3600.0);
    close(of("good", "requests.lost"), 0.0);
    close(of("good", "blast-radius"), 0.0);
    // From the commit at 1 h to the end of the freeze at 2.5 h, then three waves.
    close(of("frozen", "releases.lead-time"), (1.5 + 3.0) * 3600.0);
    close(of("frozen", "rollouts.duration"), 4.0 * 3600.0);
}

#[test]
fn canaries_incubation_and_pauses() {
    let summary = Summary::of("compare", "tests/checks/releases.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // 5 % of a quarter for the 20 min of the canary, then half of the way to all, until the alarm: eight of its sixteen
    // steps, whose mean is a quarter of the way and whose last is 7.5/16 of it. There it stays for 10 min.
    let (half, stopped) = (0.05 + 0.95 * 0.25, 0.05 + 0.95 * 7.5 / 16.0);
    close(of("canary", "blast-radius.exposure"), 0.25 * (0.05 * 1200.0 + half * 600.0 + stopped * 600.0));
    close(of("canary", "blast-radius"), 0.25 * stopped);
    // Waves of 30 min: prod-us has it at 2 h, where it shows at 2 h 45 min, by when prod-eu has it too, from 2.5 h on;
    // there it shows at 3 h 15 min, when the alarm rings.
    close(of("incubation", "blast-radius"), 1.0);
    close(of("incubation", "blast-radius.exposure"), 0.25 * 1800.0 + 1.0 * (45.0 + 10.0) * 60.0);
    close(of("incubation", "requests.lost"), 25.0 * 0.2 * 2400.0 + 75.0 * 0.2 * 600.0);
    // Half an hour late it is in prod-us at 3.5 h and in prod-eu at 4.5 h; the alarm rings at 5.5 h.
    close(of("target-down", "blast-radius.exposure"), 0.25 * 3600.0 + 1.0 * (7800.0 - 3600.0));
    close(of("target-down", "releases.lead-time"), 3.5 * 3600.0);
}

#[test]
fn controllers_look_when_it_is_time() {
    let summary = Summary::of("compare", "tests/checks/releases.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // Seen at 1 h 1 min, then after each hour at once; the revert of 3 h 41 min at 3 h 43 min.
    close(of("gitops", "blast-radius.exposure"), 0.25 * (1800.0 + 600.0 + 120.0));
    // Away from 3 h 35 min to 4 h 36 min, which is a look.
    close(of("no-controller", "blast-radius.exposure"), 0.25 * 96.0 * 60.0);
    // Nobody has another release to go to.
    close(of("crash", "requests.lost"), 100.0 * 2400.0);
}

#[test]
fn drift_lasts_until_noticed_or_for_one_look() {
    let summary = Summary::of("compare", "tests/checks/drift.toml", &[]);
    let of = |variant: &str, metric: &str| summary.mean(variant, metric, &[]);
    // A cluster that is down isn't healed.
    close(of("cluster-down", "drift.time"), 3779.0 + 20.0);
    for (variant, seconds) in [
        ("noticed", 6.0 * 3600.0),
        ("self-heal", 179.0 + 20.0),
        ("no-controller", 3779.0 + 20.0),
        ("own-controller", 3779.0 + 20.0),
    ] {
        close(of(variant, "drift.time"), seconds);
        close(of(variant, "drift.count"), 1.0);
        close(of(variant, "requests.lost"), 100.0 * 0.2 * seconds);
    }
    close(summary.mean("self-heal", "requests.lost", &[("stage", "errors"), ("root", "hotfix: a")]), 20.0 * 199.0);
}

#[test]
fn exposure_is_shares_times_the_chance_of_not_being_noticed() {
    // Noticed after an exponential time of all users with a mean of 10 min, rolled back at once; a quarter of the users is
    // watched for half an hour, then all are. What is expected of a wave is its share × P(not yet noticed) × time:
    // 600 (1 − e^(−450/600)) and e^(−450/600) 600 (1 − e^(−1800/600)).
    let set = |value: &'static str| ["--set", value];
    let sets = [
        set("release.build.detect={ exposure = { exponential = { mean = \"10m\" } } }"),
        set("rollout.on-bad={ roll-back = \"0s\" }"),
        set("rollout.bake=\"30m\""),
        set("simulation.horizon=\"3h\""),
        ["--seeds", "400"],
    ];
    let summary = Summary::of("run", "tests/checks/releases.toml", &sets.concat());
    let entry = summary.entry("waves", "blast-radius.exposure", &[]);
    let (mean, sd) = (entry["mean"].as_f64().unwrap(), entry["sd"].as_f64().unwrap());
    let (first, second) = (1.0 - (-0.75_f64).exp(), (-0.75_f64).exp() * (1.0 - (-3.0_f64).exp()));
    // The release comes at 1 h, so prod-us has it at 2 h, prod-eu at 2.5 h, and the horizon ends with its half hour.
    let expected = 600.0 * (first + second);
    assert!((mean - expected).abs() <= 4.0 * sd / 20.0, "{mean}, expected {expected}");
    // Whoever is noticed in the first wave never reaches the second: P = 1 − e^(−0.75), by 400 draws.
    let stopped = summary.mean("waves", "blast-radius", &[]);
    let p = (1.0 - stopped) / 0.75;
    assert!((p - first).abs() <= 4.0 * (first * (1.0 - first) / 400.0).sqrt(), "{p}, expected {first}");
}
