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
rtt = "250ms"
"#;
    let (scenario, found) = run(&format!("{GOOD}{rtt}"));
    let scenario = scenario.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!((scenario.region_rtt[0][1], scenario.region_rtt[1][0]), (0.1, 0.1));
    assert_eq!(scenario.population_rtt[1][1], 0.02, "no access on top");
    assert_eq!(scenario.population_rtt[0][1], 0.25, "by the cluster's name");
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
}

#[test]
fn mistakes_in_more_pairs() {
    let other = "scale = 0.2\n[[cluster]]\nname = \"paris\"\nregion = \"eu-west-3\"\nstandby-for = \"NAME\"";
    let second = other.replace("NAME", "ireland");
    mistake(("scale = 0.2", &second), "cluster.paris.standby-for", &["already has the standby `frankfurt`"]);
    let chained = other.replace("NAME", "frankfurt");
    mistake(("scale = 0.2", &chained), "cluster.paris.standby-for", &["is a standby itself"]);
}

#[test]
fn mistakes_in_references() {
    let browse = |path: &'static str| ("path = [\"web\"]", path);
    mistake(browse("path = [\"wbe\"]"), "journey.browse.path.0", &["did you mean `web`?"]);
    mistake(browse("path = [\"orders\"]"), "journey.browse.path.0", &["{ read = \"orders\" }"]);
    mistake(browse("path = []"), "journey.browse.path", &["empty"]);
    mistake(
        ("{ write = \"orders\" }", "{ write = \"order\" }"),
        "journey.buy.path.1.write",
        &["did you mean `orders`?"],
    );
    mistake(("dependency = \"bank\" }", "dependency = \"bnak\" }"), "journey.buy.path.2.dependency", &["`bank`"]);
    mistake(("[\"web\", \"checkout\"]", "[\"web\", \"chekout\"]"), "journey.buy.path.0.parallel.1", &["`checkout`"]);
    mistake(
        ("replicas = 10\n", "replicas = 10\nclusters = [\"us-east-1\", \"ireland\"]\n"),
        "service.checkout.clusters",
        &["`frankfurt` stands by for `ireland`"],
    );
    mistake(
        ("replicas = 10\n", "replicas = 10\nclusters = [\"ireland\", \"frankfurt\"]\n"),
        "service.checkout.clusters",
        &["`us-east-1` can serve `us`", "journey `buy`"],
    );
}

#[test]
fn mistakes_in_references_elsewhere() {
    mistake(
        ("time = \"20ms\"", "time = \"20ms\"\noverride = { irland = { replicas = 3 } }"),
        "service.checkout.override.irland",
        &["did you mean `ireland`?"],
    );
    mistake(("personal = true", "followers = [\"irland\"]"), "store.orders.followers.0", &["did you mean `ireland`?"]);
    mistake(
        ("personal = true", "clusters = [\"ireland\"]\nfollowers = [\"frankfurt\"]"),
        "store.orders.followers.0",
        &["holds no copy"],
    );
    mistake(
        ("personal = true\npartitions = { geo = {} }", "partitions = { single-leader = { leader = \"x\" } }"),
        "store.orders.partitions.single-leader.leader",
        &["unknown cluster `x`"],
    );
    mistake(
        ("rate = \"100/s\"\n", "rate = \"100/s\"\njourneys = { brows = 1.0 }\n"),
        "population.us.journeys.brows",
        &["did you mean `browse`?"],
    );
    mistake(
        ("populations = [\"us\"]", "populations = [\"uk\"]"),
        "surge.sale.populations.0",
        &["unknown population `uk`"],
    );
    mistake(("at = \"Frankfurt\"", "at = \"Frankfrut\""), "population.eu.at", &["did you mean `Frankfurt`?"]);
    mistake(("at-least = 0.999", "at-least = 0.999\nat-most = 1.0"), "expect.0.at-most", &["keep one"]);
    mistake(("at-least = 0.999", ""), "expect.0", &["neither"]);
    mistake(("at-least = 0.999", "at-least = 0.999\njourney = \"by\""), "expect.0.journey", &["did you mean `buy`?"]);
    mistake(
        ("[[cluster]]", "[routing]\npolicy = { priority = { order = [\"irland\"] } }\n[[cluster]]"),
        "routing.policy.priority.order.0",
        &["did you mean `ireland`?"],
    );
}

#[test]
fn mistakes_in_failures() {
    let of = |of: &'static str| ("of = { regions = \"all\" }", of);
    mistake(of("of = { region = \"us-east-2\" }"), "fault.\"region lost\".of.region", &["did you mean `us-east-1`?"]);
    mistake(
        of("of = { regions = [\"us-east-1\", \"x\"] }"),
        "fault.\"region lost\".of.regions.1",
        &["unknown region `x`"],
    );
    mistake(of("of = { regions = [] }"), "fault.\"region lost\".of.regions", &["empty list"]);
    mistake(of("of = { link = [\"us-east-1\", \"us-east-1\"] }"), "fault.\"region lost\".of.link", &["to itself"]);
    mistake(of("of = { service = { name = \"wbe\" } }"), "fault.\"region lost\".of.service.name", &["`web`"]);
    mistake(of("of = { zone = \"us-east-1\" }"), "fault.\"region lost\".of.zone", &["us-east-1/2"]);
    mistake(("us-east-1/2", "us-east-1/7"), "incident.\"black friday\".of.zone", &["its zones are 1 to 6"]);
    mistake(("mean = \"10y\"", "mean = \"500ms\""), "fault.\"region lost\".every", &["at least 1 s"]);
    mistake(("repair = \"4h\"", "repair = \"0s\""), "fault.\"region lost\".repair", &["more than 0s"]);
    mistake(
        ("at = \"300d\"\nfor = \"4h\"", "at = \"365d\"\nfor = \"4h\""),
        "incident.\"black friday\".at",
        &["horizon"],
    );
    mistake(("factor = 3.0", "factor = 0.0"), "surge.sale.factor", &["above 0"]);
    mistake(
        ("repair = \"4h\"", "repair = \"4h\"\neffect = { degraded = { latency = -1.0 } }"),
        "fault.\"region lost\".effect.degraded.latency",
        &["above 0"],
    );
}

#[test]
fn mistakes_in_faults_of_pods() {
    let of = |of: &'static str| ("of = { regions = \"all\" }", of);
    let path = "fault.\"region lost\".of.pods.service";
    mistake(of("of = { pods = { service = \"wbe\" } }"), path, &["did you mean `web`?"]);
    mistake(
        of("of = { pods = { service = \"web\" } }\neffect = { degraded = { errors = 0.1 } }"),
        "fault.\"region lost\".effect",
        &["can't be degraded", "down = {}"],
    );
    mistake(
        of("of = { regions = \"all\" }\neffect = { down = { calls = \"resume\" } }"),
        "fault.\"region lost\".effect.down.calls",
        &["only the calls of single pods", "of = { pods"],
    );
    let fluid = [
        of("of = { pods = { service = \"web\" } }\neffect = { down = { calls = \"restart\" } }"),
        ("name = \"web\"", "name = \"web\"\nstation = \"fluid\""),
    ];
    let (_, found) = run(&edited(&fluid));
    let error = found.iter().find(|found| found.severity == Severity::Error).expect("a mistake");
    assert_eq!(error.path.as_deref(), Some("fault.\"region lost\".effect.down.calls"));
    assert!(all(error).contains("`web` has no queue"), "{error:#?}");
}

#[test]
fn mistakes_in_coverage() {
    let before = |text: &'static str| ("[[cluster]]", text);
    mistake(before("[failover]\ncoverage = 0.9\n[[cluster]]"), "failover.coverage", &["aren't covered", "`uncovered`"]);
    advice(before("[failover]\nuncovered = \"10min\"\n[[cluster]]"), "failover.uncovered", "changes nothing");
}

#[test]
fn mistakes_in_connections() {
    let with = |old: &'static str, new: &'static str, path: &'static str, words: &[&str]| {
        let good = "[[hub]]\nname = \"tgw\"\n[[connection]]\nname = \"between\"\nfrom = [\"us-east-1\"]\nto = [\"ireland\"]\n\
                    hub = \"tgw\"\nvia = { mesh = { errors = 5, interval = \"10s\", cpu = 0.2 } }\n[[expect]]";
        assert!(run(&edited(&[("[[expect]]", good)])).0.is_some());
        mistake(("[[expect]]", &good.replacen(old, new, 1)), path, words);
    };
    with("[\"ireland\"]", "[\"irland\"]", "connection.between.to.0", &["did you mean `ireland`?"]);
    with("[\"us-east-1\"]", "[\"us-east-2\"]", "connection.between.from.0", &["did you mean `us-east-1`?"]);
    with("hub = \"tgw\"", "hub = \"tgv\"", "connection.between.hub", &["did you mean `tgw`?"]);
    with("[\"ireland\"]", "[\"us-east-1\"]", "connection.between.to", &["joins no two clusters"]);
    with("errors = 5", "errors = 0", "connection.between.via.mesh.errors", &["expected 1 to 1000"]);
    with("\"10s\"", "\"2h\"", "connection.between.via.mesh.interval", &["at most an hour"]);
    with("cpu = 0.2", "cpu = -1.0", "connection.between.via.mesh.cpu", &["at least 0"]);
    let of = |of: &'static str| ("of = { regions = \"all\" }", of);
    mistake(of("of = { connection = \"x\" }"), "fault.\"region lost\".of.connection", &["unknown connection `x`"]);
    mistake(of("of = { hub = \"x\" }"), "fault.\"region lost\".of.hub", &["unknown hub `x`"]);
    // What a journey calls is in its cluster, or over a connection; not where residency forbids.
    let elsewhere = "replicas = 10\nclusters = [\"ireland\", \"frankfurt\"]\n";
    mistake(("replicas = 10\n", elsewhere), "service.checkout.clusters", &["no connection leads", "[[connection]]"]);
    let joined = "[[connection]]\nname = \"between\"\nvia = { public-lb = {} }\n[[expect]]";
    assert!(run(&edited(&[("replicas = 10\n", elsewhere), ("[[expect]]", joined)])).0.is_some());
}

#[test]
fn mistakes_in_switchovers() {
    // An odd line changed in a good one.
    let with = |old: &'static str, new: &'static str, path: &'static str, words: &[&str]| {
        let good = "[[switchover]]\nname = \"move\"\nstore = \"orders\"\nto = \"ireland\"\nat = \"10d\"\nwrites-stop = \"1m\"\n\
                    writable = \"2m\"\nresolves = \"3m\"\n[[expect]]";
        assert!(run(&edited(&[("[[expect]]", good)])).0.is_some());
        mistake(("[[expect]]", &good.replacen(old, new, 1)), path, words);
    };
    with("to = \"ireland\"", "to = \"irland\"", "switchover.move.to", &["did you mean `ireland`?"]);
    with("store = \"orders\"", "store = \"oders\"", "switchover.move.store", &["did you mean `orders`?"]);
    with("\"10d\"", "\"365d\"", "switchover.move.at", &["the horizon ends"]);
    with("\"2m\"", "\"30s\"", "switchover.move.writable", &["before `reads-stop` at 1m", "counts from the command"]);
    with("\"3m\"", "\"90s\"", "switchover.move.resolves", &["before `writable` at 2m"]);
    with("writable", "reads-stop = \"50s\"\nwritable", "switchover.move.reads-stop", &["before `writes-stop`"]);
    with("\"move\"", "\"black friday\"", "switchover.\"black friday\".name", &["an incident and a switchover"]);
    let named = "personal = true\nclusters = [\"us-east-1\", \"frankfurt\"]\n";
    let mut text =
        edited(&[("personal = true\n", named), ("partitions = { geo = {} }", "")]).replace("personal = true", "");
    text.push_str("[[switchover]]\nname = \"move\"\nstore = \"orders\"\nto = \"ireland\"\nat = \"10d\"\nwrites-stop = \"1m\"\nwritable = \"2m\"\n");
    let found = run(&text).1;
    assert!(
        found
            .iter()
            .any(|found| found.path.as_deref() == Some("switchover.move.to") && found.message.contains("no copy"))
    );
    let text = text.replace("[[dependency]]", "replication = { quorum = { read = 1, write = 1 } }\n[[dependency]]");
    let found = run(&text).1;
    assert!(found.iter().any(|found| found.path.as_deref() == Some("switchover.move.store")), "{found:#?}");
}

#[test]
fn mistakes_in_releases() {
    // An odd line changed in a good one.
    let with = |old: &'static str, new: &'static str, path: &'static str, words: &[&str]| {
        let good = "[gitops]\npoll = \"3m\"\n[rollout]\nwaves = [[\"frankfurt\"], [\"us-east-1\", \"ireland\"]]\n\
                    canary = { share = 0.1 }\n[[rollout.freeze]]\nfrom = \"1d\"\nfor = \"2d\"\n[[release]]\nname = \"build\"\n\
                    at = \"10d\"\n[[drift]]\nname = \"by hand\"\nevery = \"30d\"\nnoticed = \"1d\"\n[[expect]]";
        assert!(run(&edited(&[("[[expect]]", good)])).0.is_some());
        assert!(good.contains(old), "{old}");
        mistake(("[[expect]]", &good.replacen(old, new, 1)), path, words);
    };
    with("\"ireland\"]", "\"irland\"]", "rollout.waves.1.1", &["did you mean `ireland`?"]);
    with("\"frankfurt\"", "\"ireland\"", "rollout.waves.1.1", &["in wave 1 already"]);
    with(", \"ireland\"", "", "rollout.waves", &["no wave has `ireland`"]);
    with("[[\"frankfurt\"]", "[[], [\"frankfurt\"]", "rollout.waves.0", &["without clusters"]);
    with("0.1", "1.0", "rollout.canary.share", &["not none or all"]);
    with("\"2d\"", "\"0s\"", "rollout.freeze.0.for", &["0s"]);
    with("\"3m\"", "\"0s\"", "gitops.poll", &["more than 0s"]);
    with("\"10d\"", "\"400d\"", "release.build.at", &["the horizon ends"]);
    with("at = \"10d\"\n", "", "release.build", &["`every` or `at`"]);
    with("at =", "every = \"1d\"\nat =", "release.build", &["one of them"]);
    with("at =", "service = \"wep\"\nat =", "release.build.service", &["unknown service `wep`"]);
    with("\"build\"", "\"region lost\"", "release.\"region lost\".name", &["a fault and a release"]);
    with("\"by hand\"", "\"build\"", "drift.build.name", &["a release and a drift"]);
    with("\"30d\"", "\"1s\"", "drift.\"by hand\".every", &["at least a minute"]);
    with("\"1d\"\n[[expect]]", "\"0s\"\n[[expect]]", "drift.\"by hand\".noticed", &["noticed at once"]);
    let orphan = "\"10d\"\norphan = { noticed = \"0s\" }";
    with("\"10d\"", orphan, "release.build.orphan.noticed", &["noticed at once"]);
    let twice = "orphan = {}\n[[drift]]\nname = \"build left behind\"";
    with("[[drift]]\nname = \"by hand\"", twice, "release.build.orphan", &["under `build left behind`"]);
    let away = "[[incident]]\nname = \"away\"\nof = { gitops = { clusters = [\"ireland\"] } }\nat = \"1d\"\n\
                for = \"1h\"\n[[drift]]";
    with("[[drift]]", away, "incident.away.of.gitops.clusters", &["one controller serves all clusters"]);
}

#[test]
fn clusters_that_serve_nobody() {
    let (scenario, found) = run(&edited(&[("name = \"us-east-1\"\n", "name = \"us-east-1\"\nserves = false\n")]));
    assert!(scenario.is_none());
    let at = |found: &&Diagnostic| found.path.as_deref() == Some("cluster.us-east-1.serves");
    let messages: Vec<_> = found.iter().filter(at).map(|found| &*found.message).collect();
    assert!(messages.iter().any(|message| message.contains("holds a copy of `orders`")), "{found:#?}");
}

#[test]
fn mistakes_in_numbers() {
    let before = |text: &'static str| ("[[cluster]]", text);
    mistake(("share = 0.1", "share = 0.2"), "journey.buy.share", &["add up to 1.1", "browse 0.9, buy 0.2"]);
    mistake(
        ("rate = \"100/s\"\n", "rate = \"100/s\"\njourneys = { browse = 0.5 }\n"),
        "population.us.journeys",
        &["add up to 0.5"],
    );
    mistake(("rate = \"100/s\"\n", "rate = \"100/s\"\ngrowth = -1.0\n"), "population.us.growth", &["more than -1"]);
    mistake(("target = 0.6, ", ""), "service.web.autoscale", &["neither"]);
    mistake(("target = 0.6", "target = 0.0"), "service.web.autoscale.target", &["up to 1"]);
    mistake(("target = 0.6", "target = 0.6, per-pod = \"5/s\""), "service.web.autoscale.per-pod", &["both"]);
    mistake(("min = 50, max = 200", "min = 300, max = 200"), "service.web.autoscale.min", &["300", "200"]);
    mistake(("replicas = 100", "replicas = 100\nconcurrency = 0"), "service.web.concurrency", &["at least one"]);
    mistake(("timeout = \"3s\"", "timeout = \"0s\""), "journey.browse.timeout", &["0s"]);
    mistake(before("[routing]\nhealth = { interval = \"0s\" }\n[[cluster]]"), "routing.health.interval", &["more"]);
    mistake(before("[routing]\nhealth = { failures = 0 }\n[[cluster]]"), "routing.health.failures", &["1 to 1000"]);
    mistake(
        before("[routing]\nhealth = { checkers = 3, quorum = 4 }\n[[cluster]]"),
        "routing.health.quorum",
        &["4 of 3"],
    );
    mistake(before("[routing]\nhealth = { checkers = 101 }\n[[cluster]]"), "routing.health.checkers", &["1 to 100"]);
    mistake(
        before("[routing]\nsticky = { share = 0.3, lasts = \"0s\" }\n[[cluster]]"),
        "routing.sticky.lasts",
        &["more than 0s"],
    );
    mistake(before("[simulation]\nseeds = 0\n[[cluster]]"), "simulation.seeds", &["1 to 1000000"]);
    mistake(
        before("[simulation]\nhorizon = \"501y\"\n[[cluster]]"),
        "simulation.horizon",
        &["501 years", "at most 500"],
    );
    mistake(before("[network]\njitter = 0.5\n[[cluster]]"), "network.jitter", &["1 to 100"]);
    mistake(
        before("[cost]\negress = [{ up-to = \"1TB\", price = \"1 USD\" }]\n[[cluster]]"),
        "cost.egress.0",
        &["last tier"],
    );
}

#[test]
fn mistakes_in_caches() {
    let cached = |cache: &str| {
        let read = "path = [\"web\", { read = \"cached\" }]";
        let store = format!("[[store]]\nname = \"cached\"\nreplication = {{ cache = {cache} }}\n[[dependency]]");
        (read, store)
    };
    let mistake = |cache: &str, path: &str, words: &[&str]| {
        let (read, store) = cached(cache);
        let text = edited(&[("path = [\"web\"]", read), ("[[dependency]]", &store)]);
        let (_, found) = run(&text);
        let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!(errors[0].path.as_deref(), Some(path), "{errors:#?}");
        assert!(!errors[0].help.is_empty() && errors[0].labels.len() == 1, "{errors:#?}");
        for words in words {
            assert!(all(errors[0]).contains(words), "{words}: {errors:#?}");
        }
    };
    let of = "store.cached.replication.cache";
    mistake("{ ttl = \"0s\", of = \"orders\" }", &format!("{of}.ttl"), &["more than 0s"]);
    mistake("{ ttl = \"60s\", of = \"order\" }", &format!("{of}.of"), &["did you mean `orders`?"]);
    mistake("{ ttl = \"60s\", of = \"cached\" }", &format!("{of}.of"), &["a cache itself"]);
    let reported = "{ ttl = \"60s\", of = \"orders\" } }\nread-after = \"1s\"\nkeys = { count = 10";
    mistake(reported, "store.cached.read-after", &["`ttl`", "1m"]);
    mistake("{ ttl = \"60s\", of = \"orders\", through = \"webb\" }", &format!("{of}.through"), &["`web`"]);
    let (read, store) = cached("{ ttl = \"60s\", of = \"orders\" }");
    let writes =
        edited(&[("path = [\"web\"]", read), ("[[dependency]]", &store), ("write = \"orders\"", "write = \"cached\"")]);
    let (_, found) = run(&writes);
    let error = found.iter().find(|found| found.severity == Severity::Error).unwrap();
    assert_eq!(error.path.as_deref(), Some("journey.buy.path.1.write"));
    assert!(all(error).contains("{ write = \"orders\" }"), "{error:#?}");
    let (scenario, found) = run(&edited(&[("path = [\"web\"]", read), ("[[dependency]]", &store)]));
    assert!(scenario.is_some(), "{found:#?}");
}

#[test]
fn mistakes_in_residency() {
    let stay = |allowed: &'static str| ("must-stay-in = [\"EU\"]", allowed);
    mistake(stay("must-stay-in = [\"UE\"]"), "population.eu.residency.must-stay-in.0", &["did you mean `EU`?"]);
    mistake(stay("must-stay-in = []"), "population.eu.residency.must-stay-in", &["empty"]);
    // No copy of the personal store matters where nobody serves.
    mistake(
        stay("must-stay-in = [\"UK\"]"),
        "population.eu.residency.must-stay-in",
        &["no cluster may serve", "`ireland` is in EU"],
    );
    mistake(
        ("region = \"eu-central-1\"", "region = \"us-west-2\""),
        "cluster.frankfurt.standby-for",
        &["must stay in EU"],
    );
    mistake(("partitions = { geo = {} }", ""), "store.orders.partitions.single-leader.leader", &["`us-east-1` leads"]);
    mistake(
        ("partitions = { geo = {} }", "partitions = { geo = {} }\nfollowers = [\"us-east-1\"]"),
        "store.orders.followers.0",
        &["personal data of `eu`", "\"all\""],
    );
    mistake(
        ("partitions = { geo = {} }", "partitions = { geo = {} }\nclusters = [\"us-east-1\"]"),
        "store.orders.clusters",
        &["no cluster holds a copy"],
    );
}

#[test]
fn kubernetes_holds_150_000_pods() {
    let replicas = "replicas = 10\noverride = { ireland = { replicas = 149901 } }\n";
    mistake(("replicas = 10\n", replicas), "cluster.ireland", &["150001 pods", "add clusters"]);
    let fits = replicas.replace("149901", "149900");
    assert!(run(&edited(&[("replicas = 10\n", &fits)])).0.is_some());
}

#[test]
fn odd_scenarios_get_advice() {
    let before = |text: &'static str| ("[[cluster]]", text);
    advice(
        before("[failover]\nscale = { when = \"on-load\" }\n[[cluster]]"),
        "service.checkout",
        "with 2 of its 10 pods",
    );
    advice(before("[simulation]\nseeds = 9\n[[cluster]]"), "simulation.seeds", "9 seeds");
    advice(before("[simulation]\nwarm-up = \"366d\"\n[[cluster]]"), "simulation.warm-up", "longer than the horizon");
    advice(("timeout = \"3s\"", "timeout = \"5ms\""), "journey.browse.timeout", "always times out");
    advice(before("[[dependency]]\nname = \"mail\"\n[[cluster]]"), "dependency.mail", "no journey uses");
    advice(("{ write = \"orders\" }, ", ""), "store.orders", "no journey uses");
    advice(("standby-for = \"ireland\"\n", ""), "cluster.frankfurt.scale", "no standby");
}

#[test]
fn work_is_estimated_and_bounded() {
    // By hand: 3 regions, 365 days over cycles of 10 s + 4 h, 200 events each, and 3 clusters x 8760 hours:
    // 3 x 31,536,000 / 14,410 x 200 + 26,280 = 1.339e6. A repair of 10 s makes it 9.46e8, of 5 s 1.26e9.
    let text = |repair: &str| edited(&[("mean = \"10y\"", "mean = \"10s\""), ("repair = \"4h\"", repair)]);
    assert!(run(&text("repair = \"10s\"")).0.is_some());
    let (none, found) = run(&text("repair = \"5s\""));
    assert!(none.is_none());
    assert_eq!(found[0].path.as_deref(), Some("fault.\"region lost\".every"));
    assert!(found[0].message.contains("about 1.3e9 events"), "{}", found[0].message);
    let seeds = text("repair = \"10s\"")
        .replace("[[cluster]]\nname = \"us-east-1\"", "[simulation]\nseeds = 1100\n[[cluster]]\nname = \"us-east-1\"");
    let (none, found) = run(&seeds);
    assert!(none.is_none());
    assert_eq!(found[0].path.as_deref(), Some("simulation.seeds"));
    assert!(found[0].message.contains("1.0e12 events"), "{}", found[0].message);
}

#[test]
fn a_huge_file_is_refused_at_once() {
    let many: Vec<_> = (0..101).map(|i| format!("[[journey]]\nname = \"j{i}\"\npath = [\"web\"]\n")).collect();
    let (none, found) = run(&format!("{GOOD}{}", many.concat()));
    assert!(none.is_none());
    let paths: Vec<_> = found.iter().map(|found| found.path.as_deref().unwrap()).collect();
    assert_eq!(paths, ["journey"]);
    assert!(found[0].message.contains("103 entries"));
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
