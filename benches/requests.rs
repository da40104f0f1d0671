//! Requests one by one: how many a second, through the product's own scenario, network, histograms and tallies.
//!
//! `checkout` has three services, a store written to and another read, a timeout and jitter on every trip.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use regionsim::base::Seed;
use regionsim::domain::Observations;
use regionsim::plan::{Plan, RequestsPlan};
use regionsim::sim::Simulator;
use std::hint::black_box;

fn seed(plan: &Plan) -> Observations {
    Simulator::new(black_box(plan)).run(Seed { master: 1, replication: 0 }).expect("the seed ends")
}

fn requests(seen: &Observations) -> u64 {
    seen.months.iter().flat_map(|month| &month.offered).sum::<f64>() as u64
}

fn bench(c: &mut Criterion, name: &str, plan: &Plan, holds: impl Fn(&Observations) -> bool) {
    let first = seed(plan);
    assert!(holds(&first), "{name}: {first:?}");
    let mut group = c.benchmark_group("requests");
    group.sample_size(10);
    group.throughput(Throughput::Elements(requests(&first)));
    group.bench_function(name, |b| b.iter(|| assert_eq!(seed(plan), first)));
    group.throughput(Throughput::Elements(first.events));
    group.bench_function(format!("{name}, events"), |b| b.iter(|| assert_eq!(seed(plan).events, first.events)));
    group.finish();
}

fn engine(c: &mut Criterion) {
    let queue = &common::plans("../validation/mm4.toml")[0];
    bench(c, "M/M/4", queue, |seen| {
        // Erlang C at 3.2 of 4 servers: 0.5964 wait. 576,000 calls that depend on each other: within 2 %.
        let station = &seen.stations[0][0];
        (station.waited / station.served - 0.5964).abs() < 0.012
    });
    let mut shop = common::plans("ecommerce.toml").swap_remove(0);
    shop.requests = Some(RequestsPlan { scale: 0.01, windows: None });
    shop.horizon = regionsim::base::Span::from_whole_secs(600);
    bench(c, "ecommerce at a hundredth", &shop, |seen| requests(seen) > 100_000);
}

criterion_group!(benches, engine);
criterion_main!(benches);
