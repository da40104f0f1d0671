//! Random numbers: streams, and a draw from each kind of distribution.

use super::{DEVIATIONS, Ready, Work};
use regionsim::base::Seed;
use regionsim::base::stream::uniform;
use regionsim::dist::Dist;
use serde::Deserialize;
use std::hint::black_box;

/// A distribution as a scenario writes it.
#[derive(Deserialize)]
struct Written {
    law: Dist,
}

pub(super) fn all(share: u64) -> Vec<Work> {
    let draws = 100_000 / share;
    let mut works = vec![
        Work::new("a uniform number", "draw", move || {
            let mut rng = Seed { master: 1, replication: 0 }.stream().rng();
            mean(draws, 0.5, 1.0 / 12.0, move |_| uniform(&mut rng))
        }),
        Work::new("a new stream and its first number", "draw", move || {
            let family = Seed { master: 1, replication: 0 }.stream();
            mean(draws, 0.5, 1.0 / 12.0, move |k| uniform(&mut black_box(family).with(k).rng()))
        }),
    ];
    // As the reference writes each.
    works.extend(Dist::KINDS.iter().map(|kind| {
        Work::new(format!("a draw, {}", kind.name), "draw", move || {
            let written = format!("law = {}", kind.example);
            let Written { law } = toml::from_str(&written).expect("a distribution");
            let mut rng = Seed { master: 1, replication: 0 }.stream().rng();
            mean(draws, law.mean(), law.variance(), move |_| black_box(&law).sample(&mut rng))
        })
    }));
    works
}

/// Adds up draws, and holds their mean to what it should be.
fn mean(draws: u64, expected: f64, variance: f64, mut draw: impl FnMut(u64) -> f64 + 'static) -> Ready {
    let bound = DEVIATIONS * (variance / draws as f64).sqrt() + 1e-9 * expected;
    Ready::new(draws, move || {
        let mean = (0..draws).map(&mut draw).sum::<f64>() / draws as f64;
        assert!((mean - expected).abs() < bound, "{mean} is not {expected} ± {bound}");
    })
}
