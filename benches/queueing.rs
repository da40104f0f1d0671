//! M/M/c and M/M/c/K in closed form, from small stations to large ones.

use criterion::{Criterion, criterion_group, criterion_main};
use regionsim::traffic::queueing::{Load, mmc};
use std::hint::black_box;

fn queueing(c: &mut Criterion) {
    for servers in [4_u64, 100, 2_000, 100_000] {
        for queue in [None, Some(50)] {
            // 80 % busy at a service time of one second.
            let arrivals = 0.8 * servers as f64;
            let load = Load { arrivals, service: 1.0, cv: 1.0, servers, queue };
            let name = format!("c={servers}, {}", if queue.is_some() { "K=c+50" } else { "no limit" });
            c.bench_function(&name, |b| {
                b.iter(|| {
                    let steady = mmc(black_box(load));
                    // Next to nothing is rejected, so throughput is arrivals.
                    assert!((steady.utilisation - 0.8).abs() < 1e-5 && steady.waiting < 0.7, "{steady:?}");
                    steady
                });
            });
        }
    }
}

criterion_group!(benches, queueing);
criterion_main!(benches);
