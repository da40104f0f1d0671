//! M/M/c and M/M/c/K in closed form, from small stations to large ones.

use super::{Ready, Work};
use regionsim::traffic::queueing::{Load, mmc};
use std::hint::black_box;

/// 80 % busy at a service time of one second.
fn load(servers: u64, queue: Option<u64>) -> Load {
    Load { arrivals: 0.8 * servers as f64, service: 1.0, cv: 1.0, servers, queue }
}

pub(super) fn all() -> Vec<Work> {
    let mut works = Vec::new();
    for servers in [4_u64, 100, 2_000, 100_000] {
        for queue in [None, Some(50)] {
            let kind = if queue.is_some() { "M/M/c/c+50" } else { "Erlang C" };
            works.push(Work::new(format!("{kind}, {servers} servers"), "call", move || {
                Ready::new(1000, move || {
                    for _ in 0..1000 {
                        let steady = mmc(black_box(load(servers, queue)));
                        // Next to nothing is rejected, so throughput is arrivals.
                        assert!((steady.utilisation - 0.8).abs() < 1e-5 && steady.waiting < 0.7, "{steady:?}");
                    }
                })
            }));
        }
    }
    works.push(Work::new("Erlang C, 1,000 sizes up to 100,000 servers", "call", || {
        // Evenly spread on a logarithmic scale, each size once.
        let mut sizes: Vec<u64> = (0..1000).map(|k| 10_f64.powf(f64::from(k) / 999.0 * 5.0).round() as u64).collect();
        sizes.dedup();
        let loads: Vec<Load> = sizes.into_iter().map(|servers| load(servers, None)).collect();
        assert!((mmc(load(4, None)).waiting - 0.596_432_471_787).abs() < 1e-9, "Erlang C at 3.2 of 4 servers");
        Ready::new(loads.len() as u64, move || {
            let mut last = 1.0;
            for load in black_box(&loads) {
                let waiting = mmc(*load).waiting;
                assert!(waiting <= last + 1e-12, "at the same utilisation, more servers make fewer wait");
                last = waiting;
            }
        })
    }));
    works
}
