//! Requests one by one, through the product's own scenarios, network, histograms and tallies.

use super::scenario::plan;
use super::{Ready, Work};
use regionsim::base::{Seed, Span};
use regionsim::domain::Observations;
use regionsim::plan::{Plan, RequestsPlan};
use regionsim::sim::Simulator;
use std::hint::black_box;

pub(super) fn all(share: u64) -> Vec<Work> {
    vec![
        Work::new("M/M/4, a request", "request", move || {
            let mut queue = plan("validation/mm4.toml");
            queue.horizon = Span::from_secs(queue.horizon.secs() / share as f64);
            run(queue, |seen, requests| {
                // Erlang C at 3.2 of 4 servers. The variance of the share that waits of n requests in a row is 4.790 / n
                // (peers/rust/src/lib.rs); they are drawn the same each time.
                let station = &seen.stations[0][0];
                let error = station.waited / station.served - 0.596_432_471_787;
                error.abs() < 4.0 * (4.790 / requests).sqrt()
            })
        }),
        Work::new("checkout, a request", "request", move || {
            // Three services, a store that is read and two that are written to, a timeout, and jitter on every trip.
            run(part("benches/checkout.toml", 1.0 / share.min(5) as f64, 600 / share), mostly_good)
        }),
        Work::new("ecommerce, a request", "request", move || {
            run(part("scenarios/ecommerce.toml", 0.01, 600 / share), mostly_good)
        }),
    ]
}

/// A share of the requests, on as large a share of the servers.
fn part(file: &str, scale: f64, secs: u64) -> Plan {
    let mut plan = plan(file);
    plan.requests = Some(RequestsPlan { scale, windows: None });
    plan.horizon = Span::from_whole_secs(secs.max(60));
    plan
}

fn offered(seen: &Observations) -> f64 {
    seen.months.iter().flat_map(|month| &month.offered).sum()
}

/// Nothing fails in a few minutes; what hangs past its timeout is tried again.
fn mostly_good(seen: &Observations, offered: f64) -> bool {
    let good: f64 = seen.months.iter().flat_map(|month| &month.good).sum();
    good <= offered && good > 0.99 * offered
}

fn run(plan: Plan, holds: impl Fn(&Observations, f64) -> bool) -> Ready {
    let seed = |plan: &Plan| Simulator::new(plan).run(Seed { master: 1, replication: 0 }).expect("the seed ends");
    let first = seed(&plan);
    // What is offered stands for all; only a share of it was simulated.
    let scale = plan.requests.as_ref().map_or(1.0, |requests| requests.scale);
    let requests = offered(&first) * scale;
    assert!(requests > 5000.0 && holds(&first, offered(&first)), "{requests} requests: {:?}", first.months);
    Ready::new(requests as u64, move || assert!(seed(black_box(&plan)) == first, "another result of the same seed"))
}
