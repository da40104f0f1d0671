//! From a file to the plans of all its variants: read, checked, looked up and compiled.

use super::scenario::{Text, jobs, jobs_of};
use super::{Ready, Work};
use std::fmt::Write;
use std::path::Path;

/// A big world: clusters in these regions, so many in each, that all run all services for all populations.
const REGIONS: [&str; 10] = [
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-south-1",
    "sa-east-1",
    "ca-central-1",
];
const EACH: u64 = 100;
const SERVICES: u64 = 50;
const POPULATIONS: u64 = 100;

pub(super) fn all(share: u64) -> Vec<Work> {
    let mut works: Vec<Work> = [("quickstart", 1), ("ecommerce", 4)]
        .into_iter()
        .map(|(name, variants)| {
            Work::new(format!("load {name}"), "file", move || {
                let file = format!("scenarios/{name}.toml");
                Ready::new(1, move || assert_eq!(jobs(&file).len(), variants))
            })
        })
        .collect();
    works.push(Work::new("load a world of 1,000 clusters, 50 services and 100 populations", "file", move || {
        let [each, populations] = [EACH, POPULATIONS].map(|count| (count / share).max(1));
        let text = world(each, populations);
        Ready::new(1, move || {
            let jobs = jobs_of(Path::new("world.toml"), &Text(text.clone()));
            let plan = &jobs[0].plan;
            let counts = [plan.clusters.len(), plan.services.len(), plan.populations.len()];
            assert_eq!(counts.map(|count| count as u64), [10 * each, SERVICES, populations]);
        })
    }));
    works
}

/// Of ten regions.
pub(super) fn world(each: u64, populations: u64) -> String {
    let mut text = String::from("format = 1\nname = \"world\"\n");
    for region in REGIONS {
        for k in 0..each {
            let _ = write!(text, "[[cluster]]\nname = \"{region}-{k}\"\nregion = \"{region}\"\n");
        }
    }
    for k in 0..SERVICES {
        let _ = write!(
            text,
            "[[service]]\nname = \"s{k}\"\nreplicas = 10\ntime = {{ exponential = {{ mean = \"5ms\" }} }}\n"
        );
    }
    let path: Vec<String> = (0..SERVICES).map(|k| format!("\"s{k}\"")).collect();
    let _ = write!(text, "[[journey]]\nname = \"all\"\npath = [{}]\n", path.join(", "));
    for k in 0..populations {
        let at = ["New York", "London", "Tokyo", "Sydney"][k as usize % 4];
        let _ = write!(text, "[[population]]\nname = \"p{k}\"\nat = \"{at}\"\nrate = \"100/s\"\n");
    }
    text +=
        "[[fault]]\nname = \"region lost\"\nof = { regions = \"all\" }\nevery = { exponential = { mean = \"4y\" } }\n";
    text += "repair = { lognormal = { median = \"4h\", p95 = \"14h\" } }\n";
    text
}
