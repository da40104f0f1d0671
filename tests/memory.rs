//! Memory of a run: what is kept of a seed is its figures, and nothing else grows with the seeds.
#![cfg(target_os = "linux")]

use std::path::Path;

#[path = "../benches/table/peak.rs"]
mod peak;

/// Eight bytes for each figure of a seed, all of which differ at worst, and a quarter more: over so many seeds each figure
/// has one unfinished piece of four kilobytes at most, which is one byte more, and the rest is for the allocator.
const BYTES_A_FIGURE: f64 = 8.0 * 1.25;

/// A seed's summary, or its lines in `seeds.csv`, would be more than that.
#[test]
fn a_seed_takes_no_more_memory_than_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
    let peak = |seeds| peak::peak(env!("CARGO_BIN_EXE_regionsim"), &file, seeds, &folder.path().join("report"));
    let ((few, _), (many, metrics)) = (peak(200), peak(4200));
    let bound = BYTES_A_FIGURE * metrics as f64;
    let a_seed = (many - few) / 4000.0;
    assert!(metrics > 100 && a_seed < bound, "{a_seed} bytes a seed of {metrics} metrics; {bound} at most");
}
