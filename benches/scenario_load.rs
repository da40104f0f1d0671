//! From a file to the plans of all its variants.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn load(c: &mut Criterion) {
    for (file, variants) in [("quickstart.toml", 1), ("ecommerce.toml", 4)] {
        c.bench_function(&format!("load {file}"), |b| {
            b.iter(|| assert_eq!(common::plans(black_box(file)).len(), variants));
        });
    }
}

criterion_group!(benches, load);
criterion_main!(benches);
