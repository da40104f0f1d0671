//! Big worlds by rates: what an event costs where it touches one cluster of many. Users are in four clusters only, so the
//! fewer clusters there are, the more faults hit one that has users, and cost more.

use super::loads::world;
use super::scenario::{Text, jobs_of};
use super::{DEVIATIONS, Ready, Work};
use regionsim::base::Seed;
use regionsim::sim::Simulator;
use std::fmt::Write;
use std::path::Path;

/// Faults of services and clusters in a seed, however many clusters there are.
const FAULTS: u64 = 4_000;
const POPULATIONS: u64 = 100;
/// Hours that a seed lasts.
const HOURS: f64 = 240.0;

pub(super) fn all(share: u64) -> Vec<Work> {
    let sizes = [100_u64, 300, 1_000].map(|clusters| {
        let name = format!("a fault of one service or cluster of {clusters}");
        Work::new(name, "fault", move || faults(clusters / 10, POPULATIONS / share.min(10), FAULTS / share))
    });
    sizes.into_iter().collect()
}

/// A seed with so many faults, half of them of one service in a cluster, half of a cluster.
fn faults(each: u64, populations: u64, faults: u64) -> Ready {
    let mut text = world(each, populations);
    let hours = HOURS * 2.0 * 10.0 * each as f64 / faults as f64;
    text += "[simulation]\nhorizon = \"10d\"\n";
    for of in ["{ service = { name = \"s7\" } }", "{ clusters = \"all\" }"] {
        let _ = write!(
            text,
            "[[fault]]\nname = \"{}\"\nof = {of}\nevery = {{ exponential = {{ mean = \"{hours}h\" }} }}\n\
             repair = {{ exponential = {{ mean = \"10m\" }} }}\n",
            &of[2..9]
        );
    }
    let plan = jobs_of(Path::new("world.toml"), &Text(text)).swap_remove(0).plan;
    let mut seed = 0;
    let plan: &'static _ = Box::leak(Box::new(plan));
    let mut simulator = Simulator::new(plan);
    Ready::new(faults, move || {
        seed += 1;
        let seen = simulator.run(Seed { master: 1, replication: seed }).expect("the seed ends");
        let struck = seen.faults.iter().map(|fault| fault.0).sum::<u64>() as f64;
        let expected = faults as f64;
        assert!((struck - expected).abs() < DEVIATIONS * expected.sqrt() + 0.01 * expected, "{struck} faults");
    })
}
