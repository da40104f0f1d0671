//! From a scenario file to plans, as the command line does it, without the command line.

use regionsim::diag::{Diagnostics, Origin, Sources};
use regionsim::metric::catalogue;
use regionsim::plan::{Plan, compile};
use regionsim::scenario::decode::decode;
use regionsim::scenario::load::{Reader, load};
use regionsim::scenario::patch::variants;
use regionsim::scenario::resolve::{Files, Places, resolve};
use regionsim::scenario::spec::ScenarioSpec;
use std::path::Path;

struct Disk;

impl Reader for Disk {
    fn read(&self, path: &Path, _limit: usize) -> std::io::Result<Vec<u8>> {
        std::fs::read(path)
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

/// The plan of every variant of a file under `scenarios/`, the unpatched one first.
///
/// # Panics
/// If the scenario has a mistake.
pub(crate) fn plans(name: &str) -> Vec<Plan> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let shape = schemars::schema_for!(ScenarioSpec);
    let tree = load(&path, &Disk, &shape, &mut sources, &mut found).expect("the scenario is read");
    let metrics: Vec<&str> = catalogue::ALL.iter().map(|metric| metric.name).collect();
    let all = variants(&tree, &shape, &mut found);
    let plans = all.iter().map(|variant| {
        let spec: ScenarioSpec = decode(&variant.tree, &mut found).expect("the scenario is decoded").value;
        let (scenario, _) = resolve(spec, &variant.name, variant.summary.clone(), &Nothing, &Nothing, &metrics);
        compile(&scenario.expect("the scenario has no mistakes"))
    });
    let plans = plans.collect();
    assert!(!found.has_errors(), "the scenario has no mistakes");
    plans
}
