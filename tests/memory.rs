//! Memory: what is kept of a seed is its figures, until there are too many, and nothing else grows with the seeds; of a sweep's
//! point its metrics and its plan.
#![cfg(target_os = "linux")]

use std::path::Path;

#[path = "../benches/table/peak.rs"]
mod peak;

/// Eight bytes for each figure of a seed, all of which differ at worst, and a quarter more: over so many seeds each figure
/// has one unfinished piece of four kilobytes at most, which is one byte more, and the rest is for the allocator.
const BYTES_A_FIGURE: f64 = 8.0 * 1.25;

fn peak(seeds: u32) -> (f64, usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
    peak::peak(env!("CARGO_BIN_EXE_regionsim"), "run", &file, seeds, &folder.path().join("report"))
}

/// A seed's summary, or its lines in `seeds.csv`, would be more than that.
#[test]
fn a_seed_takes_no_more_memory_than_its_figures() {
    let ((few, _), (many, metrics)) = (peak(200), peak(4200));
    let bound = BYTES_A_FIGURE * metrics as f64;
    let a_seed = (many - few) / 4000.0;
    assert!(metrics > 100 && a_seed < bound, "{a_seed} bytes a seed of {metrics} metrics; {bound} at most");
}

/// From 16 MB on figures are put away (`src/experiment/kept.rs`), which 15,000 seeds have more than. Of each figure there is
/// then an unfinished piece, as of fewer seeds, and the places of the others: eight bytes for 512. A fold sorts the figures
/// of a metric for each of two threads: two lists of eight bytes. The allocator has as much again.
#[test]
fn many_seeds_take_no_more_memory_than_fewer() {
    let ((few, _), (many, metrics)) = (peak(15_000), peak(25_000));
    let bound = metrics as f64 * 8.0 / 512.0 + 2.0 * 2.0 * 8.0;
    let a_seed = (many - few) / 10_000.0;
    assert!(a_seed < 2.0 * bound, "{a_seed} bytes a seed of {metrics} metrics; {bound} expected");
}

/// Of a point stay its plan and, of each metric, its figures in `summary.json` with its names (some 400 bytes), the column
/// they come from (160) and its place in the layout (80). The file's text would be as much as all of these again, and a
/// tree of its values several times that: three kilobytes a metric.
#[test]
fn a_point_of_a_sweep_takes_little_more_than_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml")).unwrap();
    let taken = |points| {
        let file = folder.path().join("swept.toml");
        peak::swept(&text, points, &file);
        let (bytes, metrics) =
            peak::peak(env!("CARGO_BIN_EXE_regionsim"), "sweep", &file, 1, &folder.path().join("report"));
        (bytes, metrics / points)
    };
    let ((few, _), (many, metrics)) = (taken(100), taken(500));
    let (a_point, bound) = ((many - few) / 400.0, 2.0 * 640.0 * metrics as f64);
    assert!(metrics > 100 && a_point < bound, "{a_point} bytes a point of {metrics} metrics; {bound} at most");
}
