//! The program as it is called: its first result, what a second core is worth, and its memory.

use super::goals::reached;
use super::peak::{peak, swept};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 3;
const FIRST: f64 = 50.0;
const SPEEDUP: f64 = 1.9;
/// Bytes for each of 100,000 seeds: 10 MB in all.
const FLAT: f64 = 100.0;

/// Seconds from the start of programs with these arguments, one for each folder, to when all are done and have written
/// their reports.
fn seconds(folders: &[&str], arguments: &[&str]) -> f64 {
    let start = |folder: &&str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        command.args(arguments).args(["--quiet", "--out", folder]).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.stdout(Stdio::null()).spawn().expect("the program starts")
    };
    let begun = Instant::now();
    let started: Vec<Child> = folders.iter().map(start).collect();
    for mut one in started {
        assert!(one.wait().is_ok_and(|status| status.success()), "{arguments:?} succeeds");
    }
    begun.elapsed().as_secs_f64()
}

/// Bytes of memory for each further seed of quickstart when there are many.
fn memory_of_a_seed(folder: &str) -> f64 {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/quickstart.toml");
    let bytes = |seeds| peak(env!("CARGO_BIN_EXE_regionsim"), "run", &file, seeds, Path::new(folder)).0;
    (bytes(100_000) - bytes(20_000)) / 80_000.0
}

/// Milliseconds and megabytes for each further point of a sweep of ecommerce, on two threads.
fn point(own: &Path) -> (f64, f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("scenarios/ecommerce.toml")).expect("the scenario");
    let taken = |points| {
        let file = own.join("swept.toml");
        swept(&text, points, &file);
        let begun = Instant::now();
        let (bytes, _) = peak(env!("CARGO_BIN_EXE_regionsim"), "sweep", &file, 2, &own.join("swept"));
        (begun.elapsed().as_secs_f64() * 1e3, bytes / 1e6)
    };
    let (few, many) = (taken(100), taken(300));
    ((many.0 - few.0) / 200.0, (many.1 - few.1) / 200.0)
}

/// Name, figure and goal.
pub(crate) fn rows() -> Vec<(&'static str, String, String)> {
    let own = tempfile::tempdir().expect("a folder for reports");
    let [folder, other] = ["report", "other"].map(|name| own.path().join(name).display().to_string());
    let quick = || seconds(&[&folder], &["run", "scenarios/quickstart.toml"]) * 1e3;
    let mut first: Vec<f64> = (0..ROUNDS * 3).map(|_| quick()).collect();
    let compare =
        |folders: &[&str], threads| seconds(folders, &["compare", "scenarios/ecommerce.toml", "--threads", threads]);
    let (mut times, mut ratios, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 3 {
        let (one, two) = (compare(&[&folder], "1"), compare(&[&folder], "2"));
        times.push(one);
        ratios.push(one / two);
        beside.push(2.0 * one / compare(&[&folder, &other], "1"));
    }
    let [first, time, ratio, beside] =
        [&mut first, &mut times, &mut ratios, &mut beside].map(|values| super::super::median(values));
    let memory = memory_of_a_seed(&folder);
    let (time_of_a_point, memory_of_a_point) = point(own.path());
    vec![
        (
            "`run scenarios/quickstart.toml`, from start to report",
            format!("{first:.0} ms"),
            reached(first < FIRST, "first result < 50 ms"),
        ),
        ("`compare scenarios/ecommerce.toml`, one thread", format!("{time:.2} s"), String::new()),
        ("the same on two threads", format!("{ratio:.2} × as fast"), reached(ratio >= SPEEDUP, "≥ 1.9 ×")),
        (
            "two of the first side by side: what the machine's second core is worth",
            format!("{beside:.2} × as much"),
            String::new(),
        ),
        (
            "memory for each seed from the 20,000th to the 100,000th, `run scenarios/quickstart.toml`",
            format!("{memory:.0} bytes"),
            reached(memory < FLAT, "flat: < 100 bytes"),
        ),
        (
            "a point from the 100th to the 300th of a sweep of `scenarios/ecommerce.toml`, two seeds each, on two threads",
            format!("{time_of_a_point:.1} ms and {memory_of_a_point:.1} MB"),
            String::new(),
        ),
    ]
}
