//! One seed over one year: cold, as the first seed of a thread, and warm, as every later one.
//!
//! Each iteration runs the same seeds from the start, and what they observe is held to be the same each time.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use regionsim::base::Seed;
use regionsim::domain::Observations;
use regionsim::plan::Plan;
use regionsim::sim::Simulator;
use std::hint::black_box;

fn seed(replication: u64) -> Seed {
    Seed { master: 1, replication }
}

/// Good over offered requests.
fn availability(seen: &Observations) -> f64 {
    let sum = |cells: fn(&regionsim::domain::observation::Month) -> &Vec<f64>| -> f64 {
        seen.months.iter().flat_map(cells).sum()
    };
    sum(|month| &month.good) / sum(|month| &month.offered)
}

fn run(simulator: &mut Simulator<'_>, replication: u64) -> (f64, u64) {
    let seen = simulator.run(seed(replication)).expect("the seed ends");
    let result = (availability(&seen), seen.events);
    assert!((0.9..=1.0).contains(&result.0), "{result:?}");
    result
}

fn scenario(c: &mut Criterion, file: &str) {
    const SEEDS: u64 = 20;
    let plans = common::plans(file);
    let plan: &Plan = &plans[0];
    let expected: Vec<_> = (0..SEEDS).map(|k| run(&mut Simulator::new(plan), k)).collect();
    assert!(expected.iter().any(|(_, events)| *events > 0), "nothing happens in {file}");
    let mut group = c.benchmark_group(file.trim_end_matches(".toml"));
    group.sample_size(10);
    group.bench_function("cold", |b| {
        b.iter(|| assert_eq!(run(&mut Simulator::new(black_box(plan)), 0), expected[0]));
    });
    // The memo is warm from the first round on; the results are those of cold runs, bit for bit.
    let mut simulator = Simulator::new(plan);
    group.throughput(criterion::Throughput::Elements(SEEDS));
    group.bench_function("warm", |b| {
        b.iter(|| {
            for (k, expected) in (0..SEEDS).zip(&expected) {
                assert_eq!(run(&mut simulator, black_box(k)), *expected);
            }
        });
    });
    group.finish();
}

fn seed_year(c: &mut Criterion) {
    scenario(c, "quickstart.toml");
    scenario(c, "ecommerce.toml");
}

criterion_group!(benches, seed_year);
criterion_main!(benches);
