use super::*;
use crate::catalog::{Catalog, fallback_rtt_ms};
use crate::diag::{Severity, SourceId, Sources};
use crate::scenario::resolved::Scenario;

/// Knows the place of everything.
struct Everywhere(SourceId);

impl Places for Everywhere {
    fn origin(&self, path: &[&str]) -> Option<Origin> {
        // The span says which path was asked for: its number of segments.
        Some(Origin::new(self.0, 0..path.len()))
    }
}

/// One file.
struct Beside(&'static str, String);

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == self.0 { Ok(self.1.clone()) } else { Err("no such file".to_owned()) }
    }
}

const GOOD: &str = r#"
format = 1
name = "two regions"

[[cluster]]
name = "us-east-1"
nodes = { type = "m6i.2xlarge", min = 2, max = 50 }
[[cluster]]
name = "ireland"
region = "eu-west-1"
[[cluster]]
name = "frankfurt"
region = "eu-central-1"
zones = 2
standby-for = "ireland"
scale = 0.2

[[service]]
name = "web"
replicas = 100
time = "50ms"
autoscale = { target = 0.6, min = 50, max = 200 }
[[service]]
name = "checkout"
replicas = 10
time = "20ms"
[[store]]
name = "orders"
personal = true
partitions = { geo = {} }
[[dependency]]
name = "bank"

[[journey]]
name = "browse"
share = 0.9
timeout = "3s"
path = ["web"]
[[journey]]
name = "buy"
share = 0.1
path = [{ parallel = ["web", "checkout"] }, { write = "orders" }, { dependency = "bank" }]

[[population]]
name = "us"
at = "us-east-1"
rate = "100/s"
[[population]]
name = "eu"
at = "Frankfurt"
rate = "100/s"
profile = "web"
residency = { must-stay-in = ["EU"] }

[[fault]]
name = "region lost"
of = { regions = "all" }
every = { exponential = { mean = "10y" } }
repair = "4h"
[[incident]]
name = "black friday"
of = { zone = "us-east-1/2" }
at = "300d"
for = "4h"
[[surge]]
name = "sale"
at = "300d"
for = "20h"
factor = 3.0
populations = ["us"]

[[expect]]
metric = "availability"
at-least = 0.999
"#;

fn run(text: &str) -> (Option<Scenario>, Vec<Diagnostic>) {
    let spec = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let source = Sources::default().file("test.toml", text);
    let files = Beside("load.csv", load_csv());
    resolve(spec, "base", None, &Everywhere(source), &files, &["availability", "latency.p99"])
}

fn load_csv() -> String {
    let rows = (0..168).map(|hour| format!("{hour},{}\n", if hour < 84 { 1 } else { 3 }));
    std::iter::once("hour_of_week,load\n".to_owned()).chain(rows).collect()
}

fn good() -> Scenario {
    let (scenario, found) = run(GOOD);
    assert_eq!(found, [], "no errors and no advice");
    scenario.unwrap()
}

/// The good scenario with pieces replaced.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(GOOD.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

fn all(diagnostic: &Diagnostic) -> String {
    let (notes, help) = (diagnostic.notes.join("\n"), diagnostic.help.join("\n"));
    format!("{}\n{notes}\n{help}", diagnostic.message)
}

/// One edit gives this error at this path, saying `words` somewhere, and no scenario; there is no other error.
#[track_caller]
fn mistake(edit: (&str, &str), path: &str, words: &[&str]) {
    let (scenario, found) = run(&edited(&[edit]));
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(errors[0].path.as_deref(), Some(path), "{errors:#?}");
    assert_eq!(errors[0].labels.len(), 1, "there is a caret");
    assert!(!errors[0].help.is_empty(), "there is a remedy: {errors:#?}");
    for words in words {
        assert!(all(errors[0]).contains(words), "{words}: {errors:#?}");
    }
    assert!(scenario.is_none());
}

/// One edit gives this advice at this path, and a scenario.
#[track_caller]
fn advice(edit: (&str, &str), path: &str, words: &str) {
    let (scenario, found) = run(&edited(&[edit]));
    assert!(scenario.is_some(), "{found:#?}");
    let one = found.iter().find(|found| found.path.as_deref() == Some(path) && all(found).contains(words));
    assert!(one.is_some_and(|one| one.severity == Severity::Warning && !one.help.is_empty()), "{found:#?}");
}

#[test]
fn a_good_scenario_is_resolved() {
    let scenario = good();
    assert_eq!(scenario.variant, "base");
    let regions: Vec<_> = scenario.regions.iter().map(|r| (&*r.name, r.jurisdiction.as_deref(), r.zones)).collect();
    assert_eq!(regions, [("us-east-1", Some("US"), 6), ("eu-west-1", Some("EU"), 3), ("eu-central-1", Some("EU"), 3)]);
    let clusters: Vec<_> = scenario.clusters.iter().map(|c| (c.region, c.zones, c.standby_for)).collect();
    assert_eq!(clusters, [(0, 3, None), (1, 3, None), (2, 2, Some(1))]);
    // data/prices/compute_aws.csv: 8 vCPUs, 32 GiB.
    let node = scenario.clusters[0].node.unwrap();
    assert_eq!((node.vcpu, node.memory, node.price), (8.0, 32.0 * 1_073_741_824.0, 0.384));
    assert_eq!(scenario.clusters[1].node, None);
    assert_eq!(scenario.start_in_week, crate::base::Span::ZERO, "2026-01-05 was a Monday");
    let eu = &scenario.populations[1];
    assert_eq!((eu.utc_offset_minutes, eu.jurisdiction.as_deref()), (60, Some("EU")));
    let mean = eu.profile.as_ref().unwrap().iter().sum::<f64>() / 168.0;
    assert!((mean - 1.0).abs() < 1e-12);
    assert_eq!(scenario.populations[0].profile, None, "flat");
    // What was looked up is in the places that the format has for it.
    assert_eq!(scenario.spec.region[1].name, "eu-west-1");
    assert_eq!(scenario.spec.cluster[0].nodes.as_ref().unwrap().price.unwrap().get(), 0.384);
}

#[test]
fn what_was_resolved_resolves_to_itself() {
    let first = good();
    let written = toml::to_string(&first.spec).unwrap();
    let (again, found) = run(&written);
    assert!(found.is_empty(), "{found:#?}");
    let again = again.unwrap();
    assert_eq!(again.spec, first.spec);
    assert_eq!(again.regions, first.regions);
    assert_eq!(again.population_rtt, first.population_rtt);
    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), first);
}

#[test]
fn round_trips_are_measured_or_marked() {
    let scenario = good();
    let catalog = Catalog::get();
    let [virginia, ireland] = ["us-east-1", "eu-west-1"].map(|code| catalog.region(code).unwrap());
    // us-east-1 to eu-west-1: 69.601 ms in the matrix; in-region 0.76 ms; access 10 ms.
    assert!((scenario.region_rtt[0][1] - 0.069_601).abs() < 1e-12);
    assert_eq!(scenario.region_rtt[0][1], scenario.region_rtt[1][0]);
    assert_eq!(scenario.region_rtt[2][2], 0.000_76);
    assert!((scenario.population_rtt[0][1] - 0.079_601).abs() < 1e-12);
    assert_eq!(catalog.rtt(virginia, virginia), None);
    assert!((scenario.population_rtt[0][0] - 0.011).abs() < 1e-12, "the floor of 1 ms, and access");
    let frankfurt = catalog.place("Frankfurt").unwrap();
    let expected = fallback_rtt_ms(frankfurt.at(), ireland.at()) * 1e-3 + 0.010;
    assert!((scenario.population_rtt[1][1] - expected).abs() < 1e-12);
    let citation = |path: &str| &*scenario.citations[path];
    assert!(citation("network.rtt.us-east-1.eu-west-1").starts_with("data/latency/aws_rtt_p50_2025.csv"));
    assert!(citation("network.rtt.us.eu-west-1").starts_with("data/latency/aws_rtt_p50_2025.csv"));
    assert!(citation("network.rtt.eu.eu-west-1").starts_with("not measured: from the great circle"));
}

#[test]
fn written_round_trips_come_first() {
    let rtt = r#"
[[network.rtt]]
from = "eu-west-1"
to = "us-east-1"
rtt = "100ms"
[[network.rtt]]
from = "eu"
to = "eu-west-1"
rtt = "20ms"
[[network.rtt]]
from = "us"
to = "ireland"
rtt = "30ms"
"#;
    let (scenario, found) = run(&format!("{GOOD}{rtt}"));
    let scenario = scenario.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!((scenario.region_rtt[0][1], scenario.region_rtt[1][0]), (0.1, 0.1));
    assert_eq!(scenario.population_rtt[1][1], 0.02, "no access on top");
    assert_eq!(scenario.population_rtt[0][1], 0.03, "by the cluster's name");
    assert!(!scenario.citations.contains_key("network.rtt.eu.eu-west-1"));
    let (none, found) =
        run(&format!("{GOOD}{rtt}{}", rtt.replace("eu-west-1\"\nto = \"us-east-1", "us-east-1\"\nto = \"eu-west-1")));
    assert!(none.is_none());
    let paths: Vec<_> = found.iter().map(|found| found.path.clone().unwrap()).collect();
    assert_eq!(paths, ["network.rtt.3", "network.rtt.4", "network.rtt.5"]);
}

#[test]
fn prices_are_cited() {
    let scenario = good();
    let citation = |path: &str| &*scenario.citations[path];
    assert!(citation("cluster.us-east-1.nodes.price").starts_with("data/prices/compute_aws.csv ("));
    assert!(citation("region.us-east-1.egress").starts_with("data/prices/transfer_aws.csv ("));
    assert!(citation("region.us-east-1.control-plane").starts_with("data/prices/services.csv ("));
    assert!(citation("region.eu-west-1.control-plane").contains("assumed: no price for eu-west-1"));
    assert!(citation("population.eu.profile").contains("worldcup98"));
    let virginia = &scenario.regions[0];
    // data/prices: EKS 0.1, ALB 0.0225, 0.01 on both sides, Aurora storage 0.1, 0.09 for the first 10 TB.
    assert_eq!((virginia.control_plane, virginia.load_balancer), (0.1, 0.0225));
    assert_eq!((virginia.cross_zone, virginia.storage), (0.02, 0.1));
    assert_eq!(virginia.egress[0], (Some(10_000.0), 0.09));
    assert_eq!((virginia.egress.last().unwrap().0, virginia.transfer.clone()), (None, vec![0.0, 0.02, 0.02]));
    // Geo queries; a check every 30 s has no add-on.
    assert_eq!((scenario.dns_queries, scenario.health_check), (0.7, 0.5));
    let (fast, _) = run(&edited(&[("[[cluster]]", "[routing]\nhealth = { interval = \"10s\" }\n[[cluster]]")]));
    assert_eq!(fast.unwrap().health_check, 1.5);
}

#[test]
fn written_prices_come_first() {
    let cost = r#"
[cost]
control-plane = "1 USD"
cross-zone = "0.5 USD"
inter-region = "2 USD"
dns-queries = "3 USD"
egress = [{ up-to = "1TB", price = "4 USD" }, { price = "5 USD" }]
"#;
    let scenario = run(&format!("{GOOD}{cost}")).0.unwrap();
    let ireland = &scenario.regions[1];
    assert_eq!((ireland.control_plane, ireland.cross_zone), (1.0, 1.0));
    assert_eq!(ireland.transfer, [2.0, 0.0, 2.0]);
    assert_eq!(ireland.egress, [(Some(1000.0), 4.0), (None, 5.0)]);
    assert_eq!(scenario.dns_queries, 3.0);
    assert!(!scenario.citations.contains_key("region.eu-west-1.control-plane"));
}

/// A scenario of made-up places, as the textbook's 10, 100 and 200 ms.
const TEXTBOOK: &str = r#"
format = 1
name = "textbook"
[routing]
policy = { latency = {} }
[[region]]
name = "us"
[[cluster]]
name = "us"
[[service]]
name = "web"
replicas = 1
time = "1us"
[[journey]]
name = "browse"
path = ["web"]
[[population]]
name = "asia"
rate = "1/s"
[[network.rtt]]
from = "asia"
to = "us"
rtt = "200ms"
"#;

#[test]
fn a_place_is_asked_for_only_where_it_is_needed() {
    let (scenario, found) = run(TEXTBOOK);
    let scenario = scenario.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(scenario.population_rtt, [[0.2]]);
    assert_eq!((scenario.regions[0].lat, scenario.populations[0].lat), (None, None));
    let unpriced: Vec<_> = found.iter().map(|found| (found.severity, found.path.as_deref().unwrap())).collect();
    assert_eq!(unpriced, [(Severity::Warning, "region.us"), (Severity::Warning, "cost"), (Severity::Warning, "cost")]);
    assert!(all(&found[0]).contains("count as 0 USD: control-plane, load-balancer, cross-zone, egress"));

    let missing = TEXTBOOK.split("[[network.rtt]]").next().unwrap();
    let (none, found) = run(missing);
    assert!(none.is_none());
    let error = found.iter().find(|found| found.severity == Severity::Error).unwrap();
    assert_eq!(error.path.as_deref(), Some("population.asia"));
    assert!(all(error).contains("the round-trip time to region `us`"));

    let two = TEXTBOOK.replace("latency", "geo").replace(
        "[[service]]",
        "[[region]]\nname = \"moon\"\nlat = 1.0\nlon = 1.0\n[[cluster]]\nname = \"moon\"\n[[service]]",
    );
    let (none, found) = run(&two);
    assert!(none.is_none());
    let paths: Vec<_> =
        found.iter().filter(|f| f.severity == Severity::Error).map(|f| f.path.clone().unwrap()).collect();
    assert_eq!(paths, ["region.us", "population.asia"]);
}

#[test]
fn profiles_are_read_and_normalised() {
    let csv = edited(&[("profile = \"web\"", "profile = { csv = \"load.csv\" }")]);
    let scenario = run(&csv).0.unwrap();
    let profile = scenario.populations[1].profile.as_ref().unwrap();
    // Half at 1 and half at 3: 0.5 and 1.5 of the mean.
    assert_eq!((profile[0], profile[167]), (0.5, 1.5));
    let of = |profile: &'static str| ("profile = \"web\"", profile);
    mistake(of("profile = { csv = \"none.csv\" }"), "population.eu.profile", &["no such file"]);
    mistake(of("profile = { hourly = [1, 2] }"), "population.eu.profile", &["expected 168", "found 2"]);
    let flat = format!("profile = {{ hourly = [{}] }}", ["2"; 168].join(", "));
    assert_eq!(run(&edited(&[("profile = \"web\"", &flat)])).0.unwrap().populations[1].profile, None);
}

#[test]
fn the_hour_of_the_week_at_the_start() {
    let at = |start: &str| {
        let text = edited(&[("[[cluster]]", &format!("[simulation]\nstart = \"{start}\"\n[[cluster]]"))]);
        run(&text).0.unwrap().start_in_week.secs()
    };
    // 2026-01-11 was a Sunday.
    assert_eq!(at("2026-01-11T23:59:59Z"), 7.0 * 86_400.0 - 1.0);
    assert_eq!(at("2026-01-06T01:00:00+02:00"), 23.0 * 3600.0, "Monday 23:00 in UTC");
    mistake(
        ("[[cluster]]", "[simulation]\nstart = \"Monday\"\n[[cluster]]"),
        "simulation.start",
        &["2026-01-05T00:00:00Z"],
    );
}

#[test]
fn mistakes_in_regions_clusters_and_nodes() {
    mistake(
        ("region = \"eu-west-1\"", "region = \"eu-wst-1\""),
        "cluster.ireland.region",
        &["eu-wst-1", "did you mean `eu-west-1`?"],
    );
    mistake(("region = \"eu-west-1\"\n", ""), "cluster.ireland.name", &["says no region"]);
    mistake(
        ("m6i.2xlarge", "m6i.2xlrage"),
        "cluster.us-east-1.nodes.type",
        &["did you mean `m6i.2xlarge`?", "the types that exist"],
    );
    mistake(("type = \"m6i.2xlarge\", ", ""), "cluster.us-east-1.nodes", &["vCPUs and memory"]);
    mistake(("min = 2, max = 50", "min = 60, max = 50"), "cluster.us-east-1.nodes.min", &["60", "50"]);
    mistake(("max = 50 ", "max = 5001 "), "cluster.us-east-1.nodes.max", &["Kubernetes", "add clusters"]);
    mistake(("zones = 2", "zones = 4"), "cluster.frankfurt.zones", &["has 3"]);
    mistake(("zones = 2", "zones = 0"), "cluster.frankfurt.zones", &["at least one"]);
    mistake(("name = \"two regions\"", "name = \"\""), "name", &["empty"]);
    mistake(("format = 1", "format = 2"), "format", &["expected 1"]);
    mistake(
        ("name = \"bank\"", "name = \"bank\"\n[[dependency]]\nname = \"bank\""),
        "dependency.bank.name",
        &["two entries"],
    );
    let long = format!("name = \"{}\"", "x".repeat(101));
    mistake(("name = \"two regions\"", &long), "name", &["101", "100"]);
    mistake(
        ("[[cluster]]", "[[region]]\nname = \"us-east-1\"\nlat = 91.0\nlon = 0.0\n[[cluster]]"),
        "region.us-east-1.lat",
        &["-90 to 90"],
    );
    mistake(
        ("[[cluster]]", "[[region]]\nname = \"us-east-1\"\nlat = 9.0\n[[cluster]]"),
        "region.us-east-1.lat",
        &["without `lon`"],
    );
    mistake(
        ("[[cluster]]", "[[region]]\nname = \"x\"\ncode = \"us-eest-1\"\nlat = 9.0\nlon = 0.0\n[[cluster]]"),
        "region.x.code",
        &["did you mean `us-east-1`?"],
    );
}

#[test]
fn mistakes_in_pairs() {
    let of = |primary: &'static str| ("standby-for = \"ireland\"", primary);
    mistake(of("standby-for = \"irland\""), "cluster.frankfurt.standby-for", &["did you mean `ireland`?"]);
    mistake(of("standby-for = \"frankfurt\""), "cluster.frankfurt.standby-for", &["itself"]);
    mistake(of("standby-for = \"us-east-1\""), "population.eu.residency.must-stay-in", &[]);
}

#[test]
fn several_mistakes_are_listed_in_one_go() {
    let (scenario, found) = run(&edited(&[
        ("standby-for = \"ireland\"", "standby-for = \"nowhere\""),
        ("path = [\"web\"]", "path = [\"wbe\"]"),
        ("share = 0.1", "share = 0.2"),
        ("metric = \"availability\"", "metric = \"availabilty\""),
        ("zone = \"us-east-1/2\"", "zone = \"us-east-1/7\""),
    ]));
    assert!(scenario.is_none());
    let mut paths: Vec<_> = found.iter().map(|found| found.path.clone().unwrap()).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "cluster.frankfurt.standby-for",
            "expect.0.metric",
            "incident.\"black friday\".of.zone",
            "journey.browse.path.0",
            "journey.buy.share",
        ]
    );
}
