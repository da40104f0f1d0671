//! Runs the product as a user would, and reads its `summary.json`: nothing else of it.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared by test targets: each has its own copy and uses a part"
)]

use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path in the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn regionsim(file: &str, arguments: &[&str], report: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
    command.args(["run", "--quiet", "--out"]).arg(report).args(arguments).arg(repository(file));
    command.output().expect("regionsim runs")
}

/// What `regionsim run FILE ARGUMENTS…` says when it refuses to.
pub fn refused(file: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report");
    let output = regionsim(file, arguments, &report);
    assert_eq!(output.status.code(), Some(2), "{file} {arguments:?} isn't refused");
    assert!(!report.exists(), "nothing is written");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `regionsim run FILE ARGUMENTS…`.
pub fn run(file: &str, arguments: &[&str]) -> Summary {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report");
    let output = regionsim(file, arguments, &report);
    assert!(output.status.success(), "{file} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(report.join("summary.json")).expect("a summary");
    Summary { file: file.to_owned(), json: serde_json::from_slice(&bytes).expect("JSON") }
}

/// A `summary.json`.
pub struct Summary {
    file: String,
    json: Value,
}

/// The dimensions in which a figure may differ.
const DIMENSIONS: [&str; 8] = ["population", "journey", "cluster", "service", "store", "stage", "root", "month"];

impl Summary {
    /// The horizon in seconds.
    pub fn horizon(&self) -> f64 {
        self.json["scenario"]["horizon_s"].as_f64().expect("a horizon")
    }

    /// A metric of the first variant. Dimensions that aren't named are null.
    pub fn figure(&self, metric: &str, of: &[(&str, &str)]) -> Figure {
        let first = self.json["variants"][0]["name"].as_str().expect("a variant");
        self.of(first, metric, of)
    }

    /// A metric of one variant.
    pub fn of(&self, variant: &str, metric: &str, of: &[(&str, &str)]) -> Figure {
        let found = self.all(variant, metric).find(|entry| {
            DIMENSIONS.iter().all(|dimension| {
                let wanted = of.iter().find(|(name, _)| name == dimension).map(|(_, value)| *value);
                entry[dimension].as_str() == wanted && (wanted.is_some() || entry[dimension].is_null())
            })
        });
        Figure::new(found.unwrap_or_else(|| panic!("{}: no {metric} of {of:?}", self.file)))
    }

    /// A metric of the first variant, whatever its value in one dimension: every one that is given, and no others.
    pub fn each(&self, metric: &str, dimension: &str) -> Vec<(String, Figure)> {
        let first = self.json["variants"][0]["name"].as_str().expect("a variant");
        self.all(first, metric)
            .filter(|entry| DIMENSIONS.iter().all(|other| entry[other].is_null() != (*other == dimension)))
            .map(|entry| (entry[dimension].as_str().expect("a name").to_owned(), Figure::new(entry)))
            .collect()
    }

    /// The share of seeds that meet an objective of the first variant, and how many seeds there were.
    pub fn share(&self, objective: &str) -> (f64, f64) {
        let objectives = self.json["variants"][0]["objectives"].as_array().expect("objectives");
        let found = objectives.iter().find(|entry| entry["metric"] == objective).expect("the objective");
        (found["p_met"].as_f64().expect("a share"), self.json["scenario"]["seeds"].as_f64().expect("seeds"))
    }

    fn all<'s>(&'s self, variant: &str, metric: &str) -> impl Iterator<Item = &'s Value> {
        let variants = self.json["variants"].as_array().expect("variants");
        let found = variants.iter().find(|entry| entry["name"] == variant);
        let metrics = found.unwrap_or_else(|| panic!("{}: no variant {variant}", self.file))["metrics"].as_array();
        metrics.expect("metrics").iter().filter(move |entry| entry["metric"] == metric)
    }
}

/// One metric over the seeds.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub n: f64,
    pub mean: f64,
    /// 0 where there is one seed.
    pub sd: f64,
    pub min: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// The 95 % interval; the mean twice where there is one seed.
    pub interval: [f64; 2],
}

impl Figure {
    fn new(entry: &Value) -> Self {
        let number = |key: &str| entry[key].as_f64();
        let given = |key: &str| number(key).unwrap_or_else(|| panic!("{key} of {entry} is null"));
        let bound = |position: usize| entry["ci95"][position].as_f64().unwrap_or_else(|| given("mean"));
        Self {
            interval: [bound(0), bound(1)],
            n: given("n"),
            mean: given("mean"),
            sd: number("sd").unwrap_or(0.0),
            min: given("min"),
            p50: given("p50"),
            p95: given("p95"),
            p99: given("p99"),
            max: given("max"),
        }
    }

    /// The mean with its 99.9 % interval, Student's.
    pub fn estimate(self) -> Estimate {
        assert!(self.n > 1.0, "one seed has no interval");
        let t = StudentsT::new(0.0, 1.0, self.n - 1.0).expect("degrees of freedom").inverse_cdf(0.9995);
        Estimate { value: self.mean, half: t * self.sd / self.n.sqrt() }
    }
}

/// A value and the half-width of its 99.9 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub value: f64,
    pub half: f64,
}

/// The normal distribution's two-sided 99.9 % quantile.
pub const Z: f64 = 3.290_526_731_491_926;

impl Estimate {
    /// `factor` times it.
    pub fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, half: self.half * factor.abs() }
    }

    /// 1 less it.
    pub fn complement(self) -> Self {
        Self { value: 1.0 - self.value, ..self }
    }

    /// A share of independent trials; the interval is the normal's, at the share that is expected.
    pub fn share(value: f64, trials: f64, expected: f64) -> Self {
        Self { value, half: Z * (expected * (1.0 - expected) / trials).sqrt() }
    }
}
