//! The flow engine: seeds of every scenario, one after another on one core, with nothing solved beforehand.

use super::scenario::{ROOT, plan};
use super::{Ready, Work};
use regionsim::base::Seed;
use regionsim::domain::Observations;
use regionsim::domain::observation::Month;
use regionsim::sim::Simulator;
use std::hint::black_box;
use std::path::Path;

pub(super) fn all(share: u64) -> Vec<Work> {
    let mut works = vec![
        Work::new("ecommerce, a year, of 1,000", "year", move || seeds("scenarios/ecommerce.toml", 1000 / share)),
        Work::new("ecommerce, the first year", "year", || seeds("scenarios/ecommerce.toml", 1)),
    ];
    works.extend(["scenarios", "scenarios/evolution"].into_iter().flat_map(files).map(|file| {
        let name = file.trim_start_matches("scenarios/").trim_end_matches(".toml").to_owned();
        Work::new(format!("{name}, a seed, of 20"), "seed", move || seeds(&file, 20 / share.min(20)))
    }));
    works
}

/// The scenarios in a folder, by name.
fn files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder of scenarios");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = names
        .filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "toml"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    files.sort();
    files
}

fn sum(seen: &Observations, cells: fn(&Month) -> &Vec<f64>) -> f64 {
    seen.months.iter().flat_map(cells).sum()
}

/// Over its horizon, so many seeds.
fn seeds(file: &str, count: u64) -> Ready {
    let plan = plan(file);
    let name = file.to_owned();
    let mut first = None;
    Ready::new(count, move || {
        let mut simulator = Simulator::new(black_box(&plan));
        let (mut offered, mut good, mut last) = (0.0, 0.0, None);
        for replication in 0..count {
            let seen = simulator.run(Seed { master: 1, replication }).expect("the seed ends");
            offered += sum(&seen, |month| &month.offered);
            good += sum(&seen, |month| &month.good);
            last = Some(seen);
        }
        let result = (offered, good);
        // The first run is held to a simulator that knows nothing of the seeds before, the others to the first.
        let expected = first.get_or_insert_with(|| {
            let alone = Simulator::new(&plan).run(Seed { master: 1, replication: count - 1 }).ok();
            assert!(alone == last, "{name}: what is remembered changes a result");
            result
        });
        assert!(offered > 0.0 && good > 0.0 && good <= offered * (1.0 + 1e-9), "{name}: {good} of {offered}");
        assert!(result == *expected, "{name}: {result:?} is not {expected:?}");
    })
}
