//! `regionsim drill`, by hand: what fails, what becomes of it, and what is said.

mod place;

use place::Place;
use serde_json::Value;
use std::fs;
use std::process::Output;

/// One region in the small, or two with a standby that takes over; 100 requests a second, twice as many on Tuesday at 9.
fn scenario(standby: bool) -> String {
    let mut profile = vec!["1.0"; 168];
    profile[24 + 9] = "2.0";
    let standby = if standby { "[[cluster]]\nname = \"us-west-2\"\nstandby-for = \"us-east-1\"\n" } else { "" };
    format!(
        r#"format = 1
name = "small"
[[cluster]]
name = "us-east-1"
{standby}
[[service]]
name = "web"
replicas = 100
time = "50ms"
[[journey]]
name = "browse"
path = ["web"]
[[population]]
name = "us"
at = "New York"
rate = "100/s"
utc-offset = "+00:00"
profile = {{ hourly = [{}] }}
[routing]
via = {{ dns = {{ ttl = "60s", stretched = 0.0 }} }}
[[fault]]
name = "always"
of = {{ regions = "all" }}
every = "1h"
repair = "1h"
[[surge]]
name = "ten times as many"
at = "0s"
for = "364d"
factor = 10.0
"#,
        profile.join(", ")
    )
}

/// A folder with this scenario.
fn scene(text: &str) -> Place {
    let place = Place::new();
    place.write("s.toml", text);
    place
}

impl Place {
    fn drill(&self, arguments: &[&str]) -> Output {
        self.command().args(["drill", "s.toml"]).args(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.drill(&[arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn find<'a>(json: &'a Value, fault: &str) -> &'a Value {
    let all = json["outcomes"].as_array().unwrap();
    all.iter().find(|one| one["fault"] == fault).unwrap_or_else(|| panic!("no {fault} in {all:#?}"))
}

/// The profile's mean is 169/168, so its peak hour has 100 × 2 × 168/169 a second, for an hour; before and after half as
/// many. Without a standby all of them are lost; the scenario's own fault and surge are gone.
#[test]
fn one_region_alone_is_out_until_the_repair() {
    let place = scene(&scenario(false));
    let json = place.json(&["--seeds", "2"]);
    let lost = find(&json, "region us-east-1");
    let peak = 200.0 * 168.0 / 169.0 * 3600.0;
    assert!((lost["lost"].as_f64().unwrap() - peak).abs() < 1e-6 * peak, "{lost}");
    assert_eq!(lost["fate"], "out-until-repair");
    // Five hours: one before, the fault, three after; all but the peak at half of it.
    let offered = peak / 2.0 * 6.0;
    let seconds = 5.0 * 3600.0 * peak / offered;
    assert!((lost["lost_s"].as_f64().unwrap() - seconds).abs() < 1e-6 * seconds, "{lost}");
    assert_eq!(find(&json, "cluster us-east-1")["fate"], "out-until-repair");
    assert_eq!(find(&json, "what gives out answers")["fate"], "unharmed");
    // Two hours of it: the second has half as many.
    let longer = place.json(&["--seeds", "2", "--for", "2h"]);
    assert!((find(&longer, "region us-east-1")["lost"].as_f64().unwrap() - 1.5 * peak).abs() < 1e-6 * peak);
    let folder = place.path("reports/small-drill");
    let csv = fs::read_to_string(folder.join("drill.csv")).unwrap();
    assert!(csv.starts_with("fault,fate,requests_lost") && csv.contains("region us-east-1,out until repair,"), "{csv}");
    assert!(fs::read_to_string(folder.join("report.html")).unwrap().contains("The worst is"));
}

#[test]
fn a_standby_recovers_and_both_at_once_do_not() {
    let place = scene(&scenario(true));
    let json = place.json(&["--seeds", "3"]);
    let east = find(&json, "region us-east-1");
    assert_eq!(east["fate"], "recovers");
    assert!(east["rto_users_s"].as_f64().unwrap() < 600.0, "{east}");
    assert_eq!(find(&json, "region us-west-2")["fate"], "unharmed");
    let pairs = place.json(&["--seeds", "3", "--pairs"]);
    assert_eq!(find(&pairs, "region us-east-1 + region us-west-2")["fate"], "out-until-repair");
    let n = json["outcomes"].as_array().unwrap().len();
    assert_eq!(pairs["outcomes"].as_array().unwrap().len(), n * (n - 1) / 2);
}

#[test]
fn it_says_the_worst_first_within_eighty_columns_whatever_the_threads() {
    let place = scene(&scenario(true));
    let said = |threads: &str| String::from_utf8(place.drill(&["--threads", threads, "--seeds", "3"]).stdout).unwrap();
    let text = said("1");
    assert_eq!(text, said("2"));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("from Tuesday 09:00 UTC") && text.contains("recovered from"), "{text}");
    let refused = place.drill(&["--for", "0s"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--for 1h"));
    assert_eq!(place.drill(&["--variant", "nope"]).status.code(), Some(2));
}
