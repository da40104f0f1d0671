//! From a scenario file to jobs, as the command line does it, without the command line.

use regionsim::diag::{Diagnostics, Origin, Sources};
use regionsim::experiment::Job;
use regionsim::metric::catalogue;
use regionsim::plan::{Plan, compile};
use regionsim::scenario::decode::decode;
use regionsim::scenario::load::{Reader, load};
use regionsim::scenario::patch::variants;
use regionsim::scenario::resolve::{Files, Places, resolve};
use regionsim::scenario::spec::ScenarioSpec;
use std::path::Path;

/// The repository.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

struct Disk;

impl Reader for Disk {
    fn read(&self, path: &Path, _limit: usize) -> std::io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}

/// A scenario that is no file.
pub(super) struct Text(pub(super) String);

impl Reader for Text {
    fn read(&self, _path: &Path, _limit: usize) -> std::io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }
}

/// The scenarios read no files beside their own, and their places are of no interest.
struct Nothing;

impl Files for Nothing {
    fn read(&self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not expected"))
    }
}

impl Places for Nothing {
    fn origin(&self, _path: &[&str]) -> Option<Origin> {
        None
    }
}

/// Every variant of a file of the repository, the unpatched one first.
///
/// # Panics
/// If the scenario has a mistake.
pub(super) fn jobs(name: &str) -> Vec<Job> {
    jobs_of(&Path::new(ROOT).join(name), &Disk)
}

/// The same of a file that need not be one.
pub(super) fn jobs_of(path: &Path, reader: &dyn Reader) -> Vec<Job> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let shape = schemars::schema_for!(ScenarioSpec);
    let tree = load(path, reader, &shape, &mut sources, &mut found).expect("the scenario is read");
    let metrics: Vec<&str> = catalogue::ALL.iter().map(|metric| metric.name).collect();
    let all = variants(&tree, &shape, &mut found);
    let jobs = all.iter().map(|variant| {
        let spec: ScenarioSpec = decode(&variant.tree, &mut found).expect("the scenario is decoded").value;
        let (scenario, mistakes) = resolve(spec, &variant.name, variant.summary.clone(), &Nothing, &Nothing, &metrics);
        let scenario = scenario.unwrap_or_else(|| panic!("{}: {mistakes:#?}", path.display()));
        Job { plan: compile(&scenario), scenario, resolved: String::new() }
    });
    let jobs = jobs.collect();
    assert!(!found.has_errors(), "the scenario has no mistakes");
    jobs
}

/// The plan of a file's unpatched variant.
pub(super) fn plan(name: &str) -> Plan {
    jobs(name).swap_remove(0).plan
}
