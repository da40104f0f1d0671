//! Every scenario that is shipped validates without an error, and `ecommerce.toml` has the designs that it promises.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn validate(file: &Path) -> (bool, String, String) {
    let output = Command::cargo_bin("regionsim").unwrap().arg("validate").arg(file).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_scenario_is_valid() {
    let files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .chain(fs::read_dir(folder().join("evolution")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    let base = ["quickstart", "ecommerce", "black-friday", "geo-latency", "capacity", "four-clusters"];
    let data = ["replication-modes", "split-brain", "headroom", "retry-storm", "grey-failure", "cold-cache"];
    let calls = ["cross-cluster", "1-single", "2-dr", "3-regions", "4-mesh"];
    let releases = ["blast-radius", "six-hour-rollout", "gitops-drift"];
    for promised in base.into_iter().chain(data).chain(calls).chain(releases) {
        assert!(files.iter().any(|file| file.file_stem().is_some_and(|stem| stem == promised)), "{promised} is there");
    }
    for file in files {
        let (valid, out, err) = validate(&file);
        assert!(valid, "{}: {err}", file.display());
        assert!(out.contains(": valid"), "{out}");
    }
}

#[test]
fn the_four_designs_are_compared() {
    let (_, out, _) = validate(&folder().join("ecommerce.toml"));
    let variants = out.trim_end().rsplit("variants: ").next();
    assert_eq!(variants, Some("regional-dr, single-region, active-passive, active-active"));
}

#[test]
fn quickstart_is_short() {
    let text = fs::read_to_string(folder().join("quickstart.toml")).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count();
    assert!(lines <= 30, "{lines} lines; a first reader sees all at once");
}

/// Claim C18: what one cluster can't hold is refused, with the advice to add clusters.
#[test]
fn one_cluster_has_limits() {
    let mut command = Command::cargo_bin("regionsim").unwrap();
    let file = folder().join("capacity.toml");
    let output = command.arg("validate").arg(file).args(["--set", "service.web.replicas=150001"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("at most 150000") && err.contains("add clusters"), "{err}");
}
