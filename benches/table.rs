//! The table of benches/README.md: `cargo bench --bench table`; `-- --update` writes it there.
//!
//! Each work is timed in several rounds, all works in turn, each beside a fixed reference loop: 10⁷ steps of xoshiro256++,
//! which no cache and no memory holds up. Medians are shown. Ratios to the reference travel between machines better than
//! nanoseconds do.
//!
//! `-- --only NAME` prints nanoseconds a unit and nothing else (benches/peers/run); `-- --instructions NAME` runs a small
//! share of a work once, under callgrind (.ci/instructions).

mod common;
mod table {
    pub(crate) mod goals;
    pub(crate) mod machine;
    pub(crate) mod peak;
    pub(crate) mod product;
}

use common::{Ready, Work};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 3;
/// A work is run again until it took so long, in seconds, so that a clock's resolution is no matter.
const LONG_ENOUGH: f64 = 0.1;
const STEPS: u64 = 10_000_000;
/// Counting instructions takes fifty times as long as running: shares of one in so many.
const SHARE: u64 = 40;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => print!("{}", measured()),
        ["--update"] => machine::update("benches/README.md", "table", &measured()),
        ["--only", name] => {
            let mut ready = (find(common::all(1), name).set_up)();
            // Once before, for what the first run alone has to do.
            (ready.run)();
            println!("{:.1}", timed(&mut ready));
        }
        ["--instructions", name] => {
            // Only this thread is looked at, so it does everything itself.
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            alone.build_global().unwrap_or_else(|error| panic!("{error}"));
            let mut ready = (find(common::all(SHARE), name).set_up)();
            counted_by_callgrind(&mut ready);
        }
        _ => {
            eprintln!("usage: table [--update | --only NAME | --instructions NAME]");
            std::process::exit(2);
        }
    }
}

use table::{goals, machine, product};

fn find(works: Vec<Work>, name: &str) -> Work {
    works.into_iter().find(|work| work.name == name).unwrap_or_else(|| panic!("no work is called {name}"))
}

/// What .ci/instructions has callgrind look at: the set-up isn't counted.
#[inline(never)]
fn counted_by_callgrind(ready: &mut Ready) {
    (ready.run)();
}

/// Nanoseconds a unit.
fn timed(ready: &mut Ready) -> f64 {
    let (begun, mut runs) = (Instant::now(), 0);
    loop {
        (ready.run)();
        runs += 1;
        let took = begun.elapsed().as_secs_f64();
        if took > LONG_ENOUGH {
            return took * 1e9 / (runs * ready.units) as f64;
        }
    }
}

/// Nanoseconds a step.
fn reference() -> f64 {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(black_box(1));
    let begun = Instant::now();
    let sum = (0..STEPS).fold(0_u64, |sum, _| sum.wrapping_add(rng.next_u64()));
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(sum, 13_499_433_667_778_547_695, "the reference is the same work everywhere");
    took * 1e9 / STEPS as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The table, and what it was measured on.
fn measured() -> String {
    let works = common::all(1);
    let mut readies: Vec<Ready> = works.iter().map(|work| (work.set_up)()).collect();
    // The first run of each is held to more, and no later one has its page faults.
    for ready in &mut readies {
        (ready.run)();
    }
    let mut times: Vec<Vec<(f64, f64)>> = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        for (ready, times) in readies.iter_mut().zip(&mut times) {
            let steps = reference();
            times.push((timed(ready), steps));
        }
    }
    let mut steps: Vec<f64> = times.iter().flatten().map(|time| time.1).collect();
    let mut page = format!(
        "{}Reference: {:.2} ns a step of xoshiro256++.\n\n| work | of | time | × reference | goal |\n|---|---|---:|---:|---|\n",
        machine::about(),
        median(&mut steps)
    );
    for (work, times) in works.iter().zip(&times) {
        let nanos = median(&mut times.iter().map(|time| time.0).collect::<Vec<_>>());
        let ratio = median(&mut times.iter().map(|time| time.0 / time.1).collect::<Vec<_>>());
        let goal = goals::of(&work.name, ratio, time);
        let (name, unit, time, ratio) = (&work.name, work.unit, time(nanos), rounded(ratio));
        let _ = writeln!(page, "| {name} | {unit} | {time} | {ratio} | {goal} |");
    }
    for (name, value, goal) in product::rows() {
        let _ = writeln!(page, "| {name} | – | {value} | – | {goal} |");
    }
    page
}

/// Nanoseconds in the unit that says them best, to three digits.
fn time(nanos: f64) -> String {
    let (size, unit) = match nanos {
        ..1e3 => (1.0, "ns"),
        ..1e6 => (1e3, "µs"),
        ..1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", rounded(nanos / size))
}

/// Three digits; more where there are more before the point.
fn rounded(value: f64) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$}")
}
