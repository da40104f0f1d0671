//! What must add up in every run, on scenarios made at random: nothing is lost or made on the way.

#![allow(clippy::format_push_string, reason = "a scenario is put together by lines")]

use assert_cmd::Command;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

/// Pods of the service in each cluster; each serves ten requests a second.
const PODS: f64 = 20.0;

/// The parts of a scenario that vary.
#[derive(Clone, Debug)]
struct Parts {
    clusters: usize,
    standby: bool,
    load: f64,
    station: &'static str,
    queue: Option<u32>,
    retries: &'static str,
    priorities: [u32; 2],
    via: &'static str,
    sticky: &'static str,
    health: &'static str,
    replication: &'static str,
    geo: bool,
    /// Reads go through a cache; those that miss call the service once more.
    cached: bool,
    faults: Vec<&'static str>,
    /// What else happens: releases, drift.
    changes: Vec<&'static str>,
    /// Calls of a second service go from the last cluster to the first.
    connection: Option<&'static str>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let shape = (1_usize..=3, any::<bool>(), 0.2..1.6_f64);
    let station = (
        prop::sample::select(vec!["mmc", "fluid"]),
        prop::option::of(prop::sample::select(vec![0_u32, 50, 2000])),
        prop::sample::select(vec![
            "{ max = 0 }",
            "{ max = 2, backoff = \"100ms\" }",
            "{ max = 3, budget = 0.2 }",
            "{ max = 1, breaker = { opens-at = 0.4, probes = 0.2 } }",
        ]),
        [0_u32..3, 0_u32..3],
    );
    let routing = (
        prop::sample::select(vec![
            "{ dns = { ttl = \"60s\" } }",
            "{ dns = { ttl = \"60s\", stretched = 0.1 } }",
            "{ anycast = { converge = \"20s\" } }",
            "{ global-lb = { converge = \"10s\", spill-above = 0.8 } }",
        ]),
        prop::sample::select(vec!["", "sticky = { share = 0.3, lasts = \"30m\" }"]),
        prop::sample::select(vec![
            "check = \"shallow\"",
            "check = \"deep\", hold-down = \"20m\"",
            "false-alarms = { exponential = { mean = \"2d\" } }",
        ]),
    );
    let data = (
        prop::sample::select(vec![
            "{ sync = {} }",
            "{ sync = { degrade = true } }",
            "{ semi-sync = { lag = \"2s\" } }",
            "{ async = { lag = { exponential = { mean = \"2s\" } } } }",
            "{ quorum = { read = 1, write = 1 } }",
            "{ multi-leader = { lag = \"1s\" } }",
            "{ multi-leader = { lag = \"1s\", conflicts = \"merge\" } }",
        ]),
        any::<bool>(),
        // Their many hit ratios take time.
        prop::sample::select(vec![false, false, false, false, true]),
    );
    let faults = prop::sample::subsequence(
        vec![
            "of = { regions = \"all\" }",
            "of = { zones = \"all\" }",
            "of = { service = { name = \"web\" } }\neffect = { degraded = { errors = 0.3, capacity = 0.4 } }",
            "of = { store = { name = \"orders\" } }",
            "of = { store = { name = \"orders\" } }\neffect = { read-only = {} }",
            "of = { link = [\"us-east-1\", \"us-west-2\"] }",
            "of = { access = { population = \"east\", cluster = \"us-east-1\" } }",
            "of = { checks = \"us-east-1\" }",
            "of = { routing = {} }",
            "of = { pods = { service = \"web\" } }",
        ],
        1..=5,
    );
    let changes = prop::sample::subsequence(
        vec![
            "[[release]]\nname = \"build\"\nevery = { exponential = { mean = \"3d\" } }\nbad = 0.5\n\
             orphan = { chance = 0.5, noticed = \"5h\" }\n",
            "[[release]]\nname = \"crash\"\nevery = \"5d\"\nbad = 0.5\nservice = \"web\"\neffect = { crash = {} }\n\
             incubation = { exponential = { mean = \"2h\" } }\n",
            "[[drift]]\nname = \"hotfix\"\nevery = { exponential = { mean = \"10d\" } }\n\
             effect = { degraded = { errors = 0.1, latency = 2.0, capacity = 0.7 } }\n",
            "[gitops]\ncontroller = \"each-cluster\"\nself-heal = true\n\
             [[fault]]\nname = \"controller\"\nof = { gitops = {} }\nevery = { exponential = { mean = \"5d\" } }\nrepair = \"7h\"\n",
            "[rollout]\nbake = \"1h\"\ndeploy = \"20m\"\ncanary = { share = 0.1, bake = \"30m\" }\n\
             freeze = [{ from = \"20d\", for = \"5d\" }]\n",
        ],
        0..=5,
    );
    let connection = prop::option::of(prop::sample::select(vec!["mesh", "vpn", "public-lb"]));
    let more = (changes, connection);
    (shape, station, routing, data, faults, more).prop_map(|(shape, station, routing, data, faults, more)| Parts {
        clusters: shape.0,
        standby: shape.1 && shape.0 > 1,
        load: shape.2,
        station: station.0,
        queue: station.1,
        retries: station.2,
        priorities: station.3,
        via: routing.0,
        sticky: routing.1,
        health: routing.2,
        replication: if shape.0 == 1 && data.0.contains("semi-sync") { "{ sync = {} }" } else { data.0 },
        geo: data.1,
        cached: data.2,
        // One region has no link.
        changes: more.0,
        // A standby runs what its primary runs.
        connection: more.1.filter(|_| shape.0 > 1 && !shape.1),
        faults: faults.into_iter().filter(|fault| shape.0 > 1 || !fault.contains("link")).collect(),
    })
}

impl Parts {
    fn scenario(&self) -> String {
        let mut text = "format = 1\nname = \"random\"\nsimulation = { horizon = \"60d\", seeds = 2 }\n".to_owned();
        for (position, name) in ["us-east-1", "us-west-2", "us-east-2"].iter().take(self.clusters).enumerate() {
            text +=
                &format!("[[cluster]]\nname = \"{name}\"\nnodes = {{ type = \"m6i.2xlarge\", min = 1, max = 20 }}\n");
            if position == 1 && self.standby {
                text += "standby-for = \"us-east-1\"\nscale = 0.3\n";
            }
        }
        let queue = self.queue.map_or(String::new(), |queue| format!("queue = {queue}\n"));
        text += &format!(
            "[[service]]\nname = \"web\"\nreplicas = {PODS}\ntime = \"100ms\"\nstation = \"{}\"\n{queue}",
            self.station
        );
        if let Some(via) = self.connection {
            text += &format!(
                "[[service]]\nname = \"deep\"\nclusters = [\"us-east-1\"]\nreplicas = {PODS}\ntime = \"10ms\"\n\
                 [[connection]]\nname = \"between\"\nvia = {{ {via} = {{}} }}\n\
                 [[fault]]\nname = \"way lost\"\nof = {{ connection = \"between\" }}\n\
                 every = {{ exponential = {{ mean = \"9d\" }} }}\nrepair = \"1h\"\n"
            );
        }
        let partitions = if self.geo { "{ geo = {} }" } else { "{ single-leader = {} }" };
        text += &format!(
            "[[store]]\nname = \"orders\"\npartitions = {partitions}\nreads = \"local\"\nreplication = {}\n\
             keys = {{ count = 1000 }}\nfencing = false\nloss-per-write = \"1 USD\"\n",
            self.replication
        );
        let mut read_from = "orders";
        if self.cached {
            read_from = "cached";
            text += "[[store]]\nname = \"cached\"\nkeys = { count = 100000 }\n\
                     replication = { cache = { ttl = \"5m\", of = \"orders\", through = \"web\" } }\n";
        }
        let journeys =
            [("look", "read", read_from, self.priorities[0]), ("buy", "write", "orders", self.priorities[1])];
        for (name, step, store, priority) in journeys {
            text += &format!(
                "[[journey]]\nname = \"{name}\"\nshare = 0.5\ntimeout = \"2s\"\nretries = {}\npriority = {priority}\n\
                 path = [\"web\",{} {{ {step} = \"{store}\", bytes = \"1KB\" }}]\nloss-per-failure = \"0.01 USD\"\n",
                self.retries,
                if self.connection.is_some() && name == "look" { " \"deep\"," } else { "" }
            );
        }
        for (name, city) in [("east", "New York"), ("west", "San Francisco")] {
            let rate = 10.0 * PODS * self.load;
            text += &format!(
                "[[population]]\nname = \"{name}\"\nat = \"{city}\"\nrate = \"{rate}/s\"\nprofile = \"web\"\n"
            );
        }
        let health = format!("{{ interval = \"10s\", {} }}", self.health);
        text += &format!("[routing]\nvia = {}\n{}\nhealth = {health}\n", self.via, self.sticky);
        text += "[failover]\npromote = \"60s\"\n";
        text += &self.changes.concat();
        for (position, fault) in self.faults.iter().enumerate() {
            // Of pods there are dozens.
            let every = if fault.contains("pods") { "100d" } else { "5d" };
            text += &format!(
                "[[fault]]\nname = \"fault {position}\"\n{fault}\nevery = {{ exponential = {{ mean = \"{every}\" }} }}\n\
                 repair = {{ lognormal = {{ median = \"40m\", p95 = \"5h\" }} }}\n"
            );
        }
        text
    }
}

/// The means of one run by metric and dimensions.
struct Run(Vec<Value>);

impl Run {
    fn of(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("random.toml");
        std::fs::write(&file, scenario).unwrap();
        let report = folder.path().join("report");
        let output = Command::cargo_bin("regionsim")
            .unwrap()
            .args(["run", "--quiet", "--out"])
            .arg(&report)
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}\n{scenario}", String::from_utf8_lossy(&output.stderr));
        let summary: Value = serde_json::from_slice(&std::fs::read(report.join("summary.json")).unwrap()).unwrap();
        Self(summary["variants"][0]["metrics"].as_array().unwrap().clone())
    }

    /// The entries of a metric that have exactly these dimensions, whatever their values.
    fn by(&self, metric: &str, dims: &[&str]) -> Vec<&Value> {
        const DIMS: [&str; 8] = ["population", "journey", "cluster", "service", "store", "stage", "root", "month"];
        let fits = |entry: &&Value| {
            entry["metric"] == metric && DIMS.iter().all(|dim| entry[dim].is_null() != dims.contains(dim))
        };
        self.0.iter().filter(fits).collect()
    }

    fn sum(&self, metric: &str, dims: &[&str]) -> f64 {
        self.by(metric, dims).iter().filter_map(|entry| entry["mean"].as_f64()).fold(0.0, |sum, mean| sum + mean)
    }
}

/// Random scenarios.
const CASES: u32 = 30;

#[test]
fn everything_is_accounted_for() {
    every_second(0);
}

/// The other half of the same cases, so that two cores have something to do.
#[test]
fn everything_is_accounted_for_in_the_others() {
    every_second(1);
}

fn every_second(first: u32) {
    let count = std::cell::Cell::new(0_u32);
    let close = |a: f64, b: f64, of: f64| (a - b).abs() <= 1e-9 * of.max(1.0);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: CASES, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    runner
        .run(&parts(), |parts| {
            // One that fails is tried smaller and smaller, by this half alone.
            if count.replace(count.get() + 1) < CASES && count.get() % 2 == first {
                return Ok(());
            }
            let scenario = parts.scenario();
            let run = Run::of(&scenario);
            let offered = run.sum("requests.offered", &[]);
            let (good, lost) = (run.sum("requests.good", &[]), run.sum("requests.lost", &[]));
            prop_assert!(offered > 1e6 && close(offered, good + lost, offered), "{offered} {good} {lost}\n{scenario}");
            for dims in [&["stage", "root"][..], &["population"], &["journey"], &["population", "journey"]] {
                let parts = run.sum("requests.lost", dims);
                prop_assert!(close(parts, lost, offered), "lost {lost}, by {dims:?} {parts}\n{scenario}");
            }
            let writes = run.sum("writes", &["store"]);
            let kept = ["writes.durable", "writes.lost", "writes.conflicting"].map(|part| run.sum(part, &["store"]));
            prop_assert!(close(writes, kept.iter().sum(), writes), "{writes} {kept:?}\n{scenario}");
            prop_assert!(kept.iter().all(|part| *part >= 0.0), "{kept:?}\n{scenario}");
            let good_writes = run.by("requests.good", &["journey"]);
            let good = |journey: &str| {
                good_writes.iter().find(|entry| entry["journey"] == journey).unwrap()["mean"].as_f64().unwrap()
            };
            let (buys, looks) = (good("buy"), good("look"));
            prop_assert!(close(writes, buys, buys), "{writes} writes, {buys} purchases\n{scenario}");
            // Every look reads once; what misses the cache reads its store as well.
            let reads = |store: &str| {
                let of = run.by("reads", &["store"]).into_iter().find(|entry| entry["store"] == store);
                of.and_then(|entry| entry["mean"].as_f64()).unwrap_or(0.0)
            };
            let (all, misses) = if parts.cached { (reads("cached"), reads("orders")) } else { (reads("orders"), 0.0) };
            prop_assert!(close(all, looks, looks), "{all} reads, {looks} looks\n{scenario}");
            prop_assert!((0.0..=looks).contains(&misses) && parts.cached == (misses > 0.0), "{misses}\n{scenario}");
            let lines = [
                "nodes",
                "control-plane",
                "load-balancers",
                "databases",
                "storage",
                "egress",
                "replication",
                "cross-zone",
                "dns",
                "health-checks",
                "people",
                "connections",
                "connection-data",
                "proxies",
            ];
            let bill: f64 = lines.iter().map(|line| run.sum(&format!("cost.{line}"), &[])).sum();
            prop_assert!(close(bill, run.sum("cost.bill", &[]), bill), "{bill}\n{scenario}");
            let losses = ["loss-requests", "loss-minutes", "loss-writes", "loss-sla"];
            let loss: f64 = losses.iter().map(|line| run.sum(&format!("cost.{line}"), &[])).sum();
            prop_assert!(close(loss, run.sum("cost.loss", &[]), loss), "{loss}\n{scenario}");
            for metric in ["utilisation", "station.rejected", "availability", "reads.stale-share", "cache.hit-ratio"] {
                let there = run.0.iter().any(|entry| entry["metric"] == metric);
                prop_assert!(there || metric == "cache.hit-ratio", "no {metric}");
                for entry in run.0.iter().filter(|entry| entry["metric"] == metric) {
                    let within =
                        |key: &str| entry[key].as_f64().is_none_or(|value| (0.0..=1.0 + 1e-9).contains(&value));
                    prop_assert!(within("min") && within("max"), "{entry}\n{scenario}");
                }
            }
            let calls = run.sum("connections.calls", &[]);
            prop_assert!(calls <= looks * (1.0 + 1e-9), "{calls} calls of {looks} looks\n{scenario}");
            let sum = |metric: &str| run.sum(metric, &[]);
            prop_assert!((0.0..=1.0).contains(&sum("blast-radius")), "{}\n{scenario}", sum("blast-radius"));
            prop_assert!((0.0..=1.0).contains(&sum("promotions.stale-revision")), "{scenario}");
            let exposure = sum("blast-radius.exposure");
            prop_assert!((0.0..=60.0 * 86_400.0).contains(&exposure), "{exposure}\n{scenario}");
            prop_assert!(sum("releases.bad") <= sum("releases") && sum("releases.lead-time") >= 0.0, "{scenario}");
            // What is served never exceeds what is up: ten a second for each ready pod.
            let of_web = |metric: &str| -> Vec<&Value> {
                run.by(metric, &["cluster", "service"]).into_iter().filter(|entry| entry["service"] == "web").collect()
            };
            let (served, ready) = ["station.throughput", "replicas"].map(of_web).into();
            prop_assert_eq!(served.len(), parts.clusters);
            prop_assert_eq!(ready.len(), parts.clusters);
            for (served, ready) in served.iter().zip(ready) {
                prop_assert_eq!(&served["cluster"], &ready["cluster"]);
                let (served, ready) = (served["mean"].as_f64().unwrap(), ready["mean"].as_f64().unwrap());
                prop_assert!(served <= 10.0 * ready * (1.0 + 1e-9), "{served} {ready}\n{scenario}");
            }
            Ok(())
        })
        .unwrap();
}
