//! Results that never were: four variants with plausible figures and hostile names, for the tests of this folder.

use crate::base::maths::{exp, ln};
use crate::base::stream::{Seed, digest, uniform};
use crate::domain::Stage;
use crate::experiment::results::*;
use crate::metric::{Better, Dims, Metric, catalogue as m};
use crate::stats::Verdict;
use std::sync::Arc;

/// Names that try to be something else.
pub(super) const HOSTILE: [&str; 3] = ["<script>alert(1)</script>", "=cmd()|' /C calc'!A0", "../../x\u{202e}🦀"];

const SEEDS: u32 = 20;
const VARIANTS: [(&str, f64, f64, f64); 4] = [
    // Name, minutes lost a year, bill of a year in USD, latency factor.
    ("single-region", 312.0, 6.1e6, 2.3),
    ("active-passive", 96.0, 7.4e6, 2.2),
    (HOSTILE[0], 22.0, 8.9e6, 1.05),
    ("active-active", 4.4, 13.8e6, 1.0),
];
const POPULATIONS: [(&str, f64, f64, f64, f64); 3] = [
    ("north-america", 39.0, -95.0, 9200.0, 0.115),
    (HOSTILE[1], 50.1, 9.0, 6100.0, 0.125),
    ("asia-pacific 東京", 25.0, 118.0, 4100.0, 0.18),
];
const JOURNEYS: [&str; 3] = ["browse", "checkout", HOSTILE[2]];
const YEAR: f64 = 31_536_000.0;

fn of(metric: &Metric, dims: Dims, values: Vec<Option<f64>>) -> MetricResult {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let mean = (n > 0).then(|| sorted.iter().sum::<f64>() / n as f64);
    let sd = mean
        .filter(|_| n > 1)
        .map(|mean| (sorted.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1) as f64).sqrt());
    let at = |p: f64| (n > 0).then(|| sorted[((n - 1) as f64 * p).round() as usize]);
    MetricResult {
        metric: metric.name.into(),
        dims,
        unit: metric.unit,
        better: metric.better,
        n: n as u32,
        mean,
        sd,
        ci95: mean.zip(sd).map(|(mean, sd)| {
            let half = 2.093 * sd / (n as f64).sqrt();
            [mean - half, mean + half]
        }),
        min: at(0.0),
        p1: at(0.01),
        p5: at(0.05),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
        values: Arc::new(values.into_iter().collect()),
    }
}

/// Where requests are lost.
const STAGES: [(Stage, f64); 8] = [
    (Stage::Undetected, 0.18),
    (Stage::Deciding, 0.3),
    (Stage::Promoting, 0.12),
    (Stage::Propagating, 0.05),
    (Stage::StaleDns, 0.2),
    (Stage::Overload, 0.1),
    (Stage::Timeout, 0.03),
    (Stage::Errors, 0.02),
];

fn population(name: &str) -> Dims {
    Dims { population: Some(name.into()), ..Dims::default() }
}

/// A positive factor around 1, the same for every variant of a seed and purpose: common random numbers.
fn factor(seed: u32, purpose: &str, spread: f64) -> f64 {
    let mut rng = Seed { master: 7, replication: u64::from(seed) }.stream().with(digest(purpose)).rng();
    let sum: f64 = (0..12).map(|_| uniform(&mut rng)).sum();
    exp((sum - 6.0) * spread)
}

#[expect(clippy::too_many_lines, reason = "a table of made-up figures")]
fn variant(place: usize) -> VariantResult {
    let (name, minutes, bill, slowness) = VARIANTS[place];
    let seeds = |f: &dyn Fn(u32) -> f64| (0..SEEDS).map(|seed| Some(f(seed))).collect::<Vec<_>>();
    let spread = 0.55;
    // In some years nothing fails that an active-active design would notice.
    let lost_minutes = |seed: u32| {
        let calm = place == 3 && seed % 7 == 3;
        if calm { 0.0 } else { minutes * factor(seed, "faults", spread) * factor(seed, name, 0.15) }
    };
    let share = |seed: u32| 1.0 - lost_minutes(seed) / (YEAR / 60.0);
    let offered = |seed: u32| 19_400.0 * YEAR * factor(seed, "demand", 0.01);
    let mut metrics = vec![of(&m::AVAILABILITY, Dims::default(), seeds(&share))];
    for (who, ..) in POPULATIONS {
        let values = seeds(&|seed| (1.0 - (1.0 - share(seed)) * factor(seed, who, 0.2)).min(1.0));
        metrics.push(of(&m::AVAILABILITY, population(who), values));
        for journey in JOURNEYS {
            let dims = Dims { journey: Some(journey.into()), ..population(who) };
            metrics.push(of(&m::AVAILABILITY, dims, seeds(&share)));
        }
    }
    for journey in JOURNEYS {
        let dims = Dims { journey: Some(journey.into()), ..Dims::default() };
        metrics.push(of(&m::AVAILABILITY, dims, seeds(&share)));
    }
    metrics.push(of(&m::AVAILABILITY_TIME, Dims::default(), seeds(&|seed| 1.0 - 0.8 * (1.0 - share(seed)))));
    metrics.push(of(&m::DOWNTIME, Dims::default(), seeds(&|seed| lost_minutes(seed) * 60.0 * 0.9)));
    metrics.push(of(&m::OUTAGES, Dims::default(), seeds(&|seed| (lost_minutes(seed) / 9.0).ceil())));
    metrics.push(of(&m::REQUESTS_OFFERED, Dims::default(), seeds(&offered)));
    metrics.push(of(&m::REQUESTS_GOOD, Dims::default(), seeds(&|seed| offered(seed) * share(seed))));
    metrics.push(of(&m::REQUESTS_LOST, Dims::default(), seeds(&|seed| offered(seed) * (1.0 - share(seed)))));
    let roots =
        ["region us-east-1", "region eu-west-1", HOSTILE[0], "store orders", "demand", "zone use1-az4", "link atl"];
    for (i, root) in (1..).zip(roots.iter()) {
        for (stage, weight) in STAGES {
            let weight = 0.5_f64.powi(i) * weight;
            let dims = Dims { stage: Some(stage), root: Some((*root).into()), ..Dims::default() };
            let values = seeds(&|seed| offered(seed) * (1.0 - share(seed)) * weight);
            metrics.push(of(&m::REQUESTS_LOST, dims, values));
        }
    }
    let quantiles = [
        (&m::LATENCY_P50, 1.0),
        (&m::LATENCY_P90, 1.7),
        (&m::LATENCY_P95, 2.1),
        (&m::LATENCY_P99, 3.2),
        (&m::LATENCY_P999, 6.0),
    ];
    let latency = |who: usize| POPULATIONS[who].4 * if who == 0 { 1.0 + (slowness - 1.0) * 0.1 } else { slowness };
    for (metric, times) in quantiles {
        metrics.push(of(metric, Dims::default(), seeds(&|seed| latency(0) * 1.1 * times * factor(seed, "slow", 0.01))));
        for (who, (name, ..)) in POPULATIONS.iter().enumerate() {
            let values = seeds(&|seed| latency(who) * times * factor(seed, "slow", 0.01 * times));
            metrics.push(of(metric, population(name), values));
        }
    }
    if place > 0 {
        let stages = [
            (&m::RTO_SERVICE, 1.0),
            (&m::RTO_USERS, 1.35),
            (&m::RTO_DETECT, 0.12),
            (&m::RTO_DECIDE, 0.5),
            (&m::RTO_PROMOTE, 0.2),
            (&m::RTO_ROUTE, 0.05),
            (&m::RTO_SCALE, 0.13),
            (&m::RTO_DNS_TAIL, 0.35),
        ];
        for (metric, part) in stages {
            let seconds = [0.0, 1900.0, 420.0, 70.0][place];
            let values = (0..SEEDS).map(|s| (s % 3 != 0).then(|| seconds * part * factor(s, "rto", 0.3))).collect();
            metrics.push(of(metric, Dims::default(), values));
        }
        metrics.push(of(
            &m::RPO_SECONDS,
            Dims::default(),
            seeds(&|seed| [0.0, 2.1, 0.8, 0.0][place] * factor(seed, "rpo", 0.2)),
        ));
        metrics.push(of(
            &m::WRITES_LOST,
            Dims::default(),
            seeds(&|seed| [0.0, 2100.0, 340.0, 0.0][place] * factor(seed, "rpo", 0.2)),
        ));
    }
    let lines = [
        (&m::COST_NODES, 0.62),
        (&m::COST_CONTROL_PLANE, 0.01),
        (&m::COST_LOAD_BALANCERS, 0.03),
        (&m::COST_DATABASES, 0.12),
        (&m::COST_STORAGE, 0.02),
        (&m::COST_EGRESS, 0.1),
        (&m::COST_REPLICATION, 0.04),
        (&m::COST_CROSS_ZONE, 0.03),
        (&m::COST_DNS, 0.005),
        (&m::COST_HEALTH_CHECKS, 0.005),
        (&m::COST_PEOPLE, 0.02),
    ];
    let wobble = |seed: u32| factor(seed, "demand", 0.01);
    let loss = |seed: u32| lost_minutes(seed) * 41_000.0;
    metrics.push(of(&m::COST_BILL, Dims::default(), seeds(&|seed| bill * wobble(seed))));
    metrics.push(of(&m::COST_LOSS, Dims::default(), seeds(&loss)));
    metrics.push(of(&m::COST_TOTAL, Dims::default(), seeds(&|seed| bill * wobble(seed) + loss(seed))));
    for (metric, part) in lines {
        metrics.push(of(metric, Dims::default(), seeds(&|seed| bill * wobble(seed) * part)));
    }
    metrics.push(of(&m::LOSS_REQUESTS, Dims::default(), seeds(&|seed| loss(seed) * 0.7)));
    metrics.push(of(&m::LOSS_MINUTES, Dims::default(), seeds(&|seed| loss(seed) * 0.3)));
    let objectives = [(&m::AVAILABILITY, 0.9999, Direction::AtLeast), (&m::LATENCY_P99, 0.8, Direction::AtMost)]
        .map(|(metric, target, direction)| {
            let result = metrics.iter().find(|r| r.metric == metric.name).unwrap();
            let met = result.values.present().filter(|x| match direction {
                Direction::AtLeast => *x >= target,
                Direction::AtMost => *x <= target,
            });
            let p = met.count() as f64 / f64::from(SEEDS);
            let p_met_ci95 = [(p - 0.12).max(0.0), (p + 0.12).min(1.0)];
            let dims = Dims::default();
            Objective { metric: metric.name.into(), dims, target, direction, unit: metric.unit, p_met: p, p_met_ci95 }
        })
        .to_vec();
    VariantResult {
        name: name.into(),
        summary: Some(format!("Design number {place}: \"{name}\" & what it does.")),
        metrics,
        objectives,
        latency: POPULATIONS
            .iter()
            .enumerate()
            .map(|(who, (name, ..))| LatencyCurve {
                population: Some((*name).into()),
                points: (1..200)
                    .map(|i| {
                        let tail = exp(-f64::from(i) * 0.046);
                        (latency(who) * (0.55 + 0.45 * (-ln(tail) / ln(2.0)).powf(0.85)), 1.0 - tail)
                    })
                    .collect(),
            })
            .collect(),
        revisions: vec![RevisionRecord {
            cluster: HOSTILE[0].into(),
            revision: 1,
            from_s: 0.0,
            to_s: 60.0,
            why: Why::Release,
        }],
        exposures: vec![(100.0, 0.1), (3700.0, 0.25), (5000.0, 0.0)],
        outages: (0..3)
            .map(|i| OutageRecord {
                seed: i * 5,
                population: POPULATIONS[i as usize].0.into(),
                journey: JOURNEYS[i as usize].into(),
                start_s: 1e6 + 4e6 * f64::from(i),
                duration_s: minutes * 60.0 / f64::from(i + 1),
                lost: minutes * 5e5 / f64::from(i + 1),
                root: roots[i as usize].into(),
                rto_service_s: (place > 0).then_some(400.0),
                rto_users_s: (place > 0).then_some(520.0),
            })
            .collect(),
        timeline: (place > 0).then(|| timeline(place)),
        map: map(place),
        resolved: format!("name = \"demo\"\n\n[variants.{place}]\nsummary = {name:?}\n"),
    }
}

fn timeline(place: usize) -> Timeline {
    let at = 5_000_000.0;
    let long = [0.0, 1900.0, 420.0, 70.0][place];
    let span = |row: &str, label: &str, from: f64, to: f64| SpanRow {
        row: row.into(),
        label: label.into(),
        from_s: at + from,
        to_s: at + to,
    };
    Timeline {
        seed: 7,
        from_s: at - 1800.0,
        to_s: at + 9000.0,
        success: POPULATIONS
            .iter()
            .enumerate()
            .map(|(i, (name, ..))| Series {
                name: (*name).into(),
                steps: if i == 0 {
                    vec![
                        (at - 1800.0, 1.0),
                        (at, 0.02),
                        (at + long, 0.7),
                        (at + long * 1.2, 0.95),
                        (at + long * 1.35 + 60.0, 1.0),
                    ]
                } else {
                    vec![(at - 1800.0, 1.0), (at + long, 1.0 - 0.04 * i as f64), (at + long + 600.0, 1.0)]
                },
            })
            .collect(),
        ready: vec![
            Series { name: "us-east".into(), steps: vec![(at - 1800.0, 1800.0), (at, 0.0), (at + 7200.0, 1800.0)] },
            Series {
                name: "us-west".into(),
                steps: vec![
                    (at - 1800.0, 360.0),
                    (at + long * 0.8, 800.0),
                    (at + long, 1300.0),
                    (at + long + 300.0, 1800.0),
                ],
            },
            Series { name: HOSTILE[2].into(), steps: vec![(at - 1800.0, 1100.0)] },
        ],
        spans: vec![
            span("region us-east-1", "down", 0.0, 7200.0),
            span("failover of us-east", "detect", 0.0, long * 0.12),
            span("failover of us-east", "decide", long * 0.12, long * 0.62),
            span("failover of us-east", "promote", long * 0.62, long * 0.82),
            span("failover of us-east", "route", long * 0.82, long * 0.87),
            span("failover of us-east", "scale", long * 0.87, long),
            span(HOSTILE[0], "degraded", 3000.0, 3300.0),
        ],
        marks: vec![
            Mark { at_s: at, label: "us-east-1 goes down".into() },
            Mark { at_s: at + long, label: "served from us-west".into() },
            Mark { at_s: at + 7200.0, label: "repaired".into() },
        ],
    }
}

fn map(place: usize) -> Map {
    let clusters = [
        ("us-east", "us-east-1", 38.9, -77.4, false),
        ("us-west", "us-west-2", 45.8, -119.7, true),
        ("eu", "eu-west-1", 53.3, -6.2, false),
        ("eu-dr", "eu-central-1", 50.1, 8.7, true),
        ("apac", "ap-northeast-1", 35.6, 139.8, false),
        (HOSTILE[2], "ap-southeast-1", 1.35, 103.8, true),
    ];
    let wanted = if place == 0 { 1 } else { clusters.len() };
    Map {
        clusters: clusters[..wanted]
            .iter()
            .map(|&(name, region, lat, lon, standby)| MapCluster {
                name: name.into(),
                region: region.into(),
                lat,
                lon,
                standby: standby && place < 3,
            })
            .collect(),
        populations: POPULATIONS
            .iter()
            .enumerate()
            .map(|(i, &(name, lat, lon, rate, rtt))| MapPopulation {
                name: name.into(),
                lat,
                lon,
                rate,
                served_by: if place == 3 {
                    vec![(clusters[2 * i].0.into(), 0.8, rtt / 4.0), (clusters[2 * i + 1].0.into(), 0.2, rtt / 3.0)]
                } else {
                    vec![(clusters[if place == 0 { 0 } else { 2 * i }].0.into(), 1.0, rtt / 3.0)]
                },
            })
            .collect(),
    }
}

fn comparisons(variants: &[VariantResult]) -> Vec<Comparison> {
    let mut all = Vec::new();
    for (i, a) in variants.iter().enumerate() {
        for b in &variants[i + 1..] {
            for (x, y) in a.metrics.iter().filter_map(|x| {
                let same = |y: &&MetricResult| y.metric == x.metric && y.dims == x.dims;
                (x.dims.stage.is_none()).then_some(())?;
                b.metrics.iter().find(same).map(|y| (x, y))
            }) {
                let pairs: Vec<f64> = x.values.iter().zip(y.values.iter()).filter_map(|(x, y)| Some(x? - y?)).collect();
                let d = of(&m::AVAILABILITY, Dims::default(), pairs.iter().map(|d| Some(*d)).collect());
                let (Some(difference), Some(ci95)) = (d.mean, d.ci95) else { continue };
                let towards = match x.better {
                    Better::Higher => 1.0,
                    Better::Lower => -1.0,
                    Better::Neither => continue,
                };
                let wins = pairs.iter().map(|d| if *d == 0.0 { 0.5 } else { f64::from(u8::from(d * towards > 0.0)) });
                let verdict = match () {
                    () if ci95[0] * towards > 0.0 && ci95[1] * towards > 0.0 => Verdict::Better,
                    () if ci95[0] * towards < 0.0 && ci95[1] * towards < 0.0 => Verdict::Worse,
                    () => Verdict::NoDifferenceShown,
                };
                all.push(Comparison {
                    a: a.name.clone(),
                    b: b.name.clone(),
                    metric: x.metric.clone(),
                    dims: x.dims.clone(),
                    unit: x.unit,
                    difference,
                    ci95,
                    a_better_share: Some(wins.sum::<f64>() / pairs.len() as f64),
                    narrowing: Some(2.4),
                    verdict,
                    seeds_needed: (verdict == Verdict::NoDifferenceShown).then_some(310),
                });
            }
        }
    }
    all
}

/// Four variants, three populations, three journeys, twenty seeds of one year.
pub(super) fn sample() -> Results {
    let variants: Vec<_> = (0..VARIANTS.len()).map(variant).collect();
    let note = |kind, text: &str| Note { kind, text: text.into() };
    Results {
        tool: Tool { name: "regionsim".into(), version: "0.1.0".into(), commit: Some("0123abc".into()) },
        scenario: ScenarioInfo {
            name: "E-commerce, three regions & a DR each".into(),
            summary: Some("Web, gateway, product and checkout for users in the US, the EU and APAC.".into()),
            hash: "9f2c66f0a1b2c3d4e5f60718293a4b5c".into(),
            horizon_s: YEAR,
            seeds: SEEDS,
            seed: 1,
        },
        comparisons: comparisons(&variants),
        pareto: [0, 1, 2, 3].map(|i: usize| VARIANTS[i].0.to_owned()).to_vec(),
        break_even: vec![
            BreakEven {
                dearer: VARIANTS[3].0.into(),
                cheaper: VARIANTS[2].0.into(),
                bill_difference: 4.9e6,
                good_requests_difference: 2.05e7,
                usd_per_failed_request: Some(0.239),
                usd_per_minute: Some(278_000.0),
            },
            BreakEven {
                dearer: VARIANTS[2].0.into(),
                cheaper: VARIANTS[1].0.into(),
                bill_difference: 1.5e6,
                good_requests_difference: 8.6e7,
                usd_per_failed_request: Some(0.0174),
                usd_per_minute: Some(20_300.0),
            },
            BreakEven {
                dearer: VARIANTS[1].0.into(),
                cheaper: VARIANTS[0].0.into(),
                bill_difference: 1.3e6,
                good_requests_difference: -1.0,
                usd_per_failed_request: None,
                usd_per_minute: None,
            },
        ],
        variants,
        grid: None,
        notes: vec![
            note(
                NoteKind::Method,
                "Flow engine: rates are piecewise constant between events, so only failures are random.",
            ),
            note(NoteKind::Assumption, "An operator answers a page within 5 min in working hours and 15 min at night."),
            note(NoteKind::Source, "Round-trip times: measured p50 of 2025; <b>not bold</b>."),
            note(NoteKind::Limit, "Grey failures are not modelled."),
        ],
    }
}

/// One variant of which little is known: no objectives, outages, timeline, map or comparison.
pub(super) fn bare() -> Results {
    let mut results = sample();
    results.variants.truncate(1);
    results.comparisons.clear();
    results.break_even.clear();
    results.pareto.clear();
    results.notes.clear();
    results.scenario.summary = None;
    results.tool.commit = None;
    let variant = &mut results.variants[0];
    variant.summary = None;
    variant.objectives.clear();
    variant.latency.clear();
    variant.outages.clear();
    variant.timeline = None;
    variant.map = Map::default();
    variant
        .metrics
        .retain(|m| !m.metric.starts_with("latency") && !m.metric.starts_with("cost") && m.dims.stage.is_none());
    results
}

/// A sweep of two axes by two values, hostile names among them.
pub(super) fn swept() -> Results {
    use crate::experiment::results::{Grid, GridAxis};
    let mut results = sample();
    results.comparisons.clear();
    results.break_even.clear();
    results.pareto.clear();
    let axis = |name: &str, values: [&str; 2]| GridAxis { name: name.into(), values: values.map(str::to_owned).into() };
    let grid = Grid { axes: vec![axis(HOSTILE[1], ["30s", HOSTILE[0]]), axis(HOSTILE[2], ["a", "\u{1b}[31m<b>"])] };
    for (place, variant) in results.variants.iter_mut().enumerate() {
        variant.name = grid.values(place).join(", ");
    }
    results.grid = Some(grid);
    results
}
