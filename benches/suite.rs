//! All work under criterion: `cargo bench --bench suite -- 'event list'` times what has that in its name.

mod common;

use criterion::{Criterion, Throughput};

fn main() {
    // Criterion filters what it runs; nothing else needs to be made ready.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut criterion = Criterion::default().configure_from_args();
    for work in common::all(1).into_iter().filter(|work| work.name.contains(&filter)) {
        let mut ready = (work.set_up)();
        let mut group = criterion.benchmark_group(work.unit);
        group.sample_size(10);
        group.throughput(Throughput::Elements(ready.units));
        group.bench_function(&work.name, |bencher| bencher.iter(|| (ready.run)()));
        group.finish();
    }
    criterion.final_summary();
}
