//! The hold model: take out the next event, put one in an exponential time later, with a constant number pending.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use regionsim::base::{Seed, SimTime, Span};
use regionsim::dist::Dist;
use regionsim::engine::EventList;
use std::hint::black_box;

/// Delays are drawn beforehand, so that only the list is timed.
const DRAWS: usize = 4096;

fn hold(c: &mut Criterion) {
    let mut rng = Seed { master: 1, replication: 0 }.stream().rng();
    let law = Dist::exponential(Span::from_whole_secs(1));
    let delays: Vec<Span> = (0..DRAWS).map(|_| law.sample_span(&mut rng)).collect();
    let mut group = c.benchmark_group("hold");
    group.throughput(Throughput::Elements(DRAWS as u64));
    for pending in [10_usize, 1_000] {
        group.bench_function(pending.to_string(), |b| {
            let mut list = EventList::default();
            b.iter(|| {
                list.reset();
                for (k, delay) in delays[..pending].iter().enumerate() {
                    list.schedule(SimTime::ZERO + *delay, k);
                }
                let mut last = SimTime::ZERO;
                for delay in black_box(&delays) {
                    let (at, event) = list.pop().expect("as many are pending as before");
                    assert!(at >= last, "events come out in order");
                    last = at;
                    list.schedule(at + *delay, event);
                }
                assert_eq!(list.processed(), DRAWS as u64);
                last
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hold);
criterion_main!(benches);
