//! Latency by population: quantiles side by side, and the whole distribution.

use super::axis::{Scale, horizontal, log10};
use super::canvas::{Anchor, Canvas, Colour, GRID, INK, PALETTE, SOFT, draw, faded, width_of};
use super::{Chart, Kind};
use crate::experiment::results::{LatencyCurve, MetricResult, Results, VariantResult};
use crate::metric::{Metric, catalogue};
use crate::report::text::{duration, short};
use crate::report::view::{by_population, populations};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 200.0;
const RIGHT: f64 = 80.0;
const ROW: f64 = 24.0;
const QUANTILES: [(&Metric, &str, f64); 4] = [
    (&catalogue::LATENCY_P50, "p50", 6.0),
    (&catalogue::LATENCY_P90, "p90", 5.0),
    (&catalogue::LATENCY_P99, "p99", 4.25),
    (&catalogue::LATENCY_P999, "p99.9", 3.5),
];

/// Round latencies from `low` to `high` seconds on a logarithmic axis.
fn marks(low: f64, high: f64) -> Vec<f64> {
    let steps: &[f64] = if high / low < 30.0 { &[1.0, 2.0, 3.0, 5.0] } else { &[1.0, 3.0] };
    let decades = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0];
    let all = decades.iter().flat_map(|decade| steps.iter().map(move |step| decade * step));
    all.filter(|x| (low..=high).contains(x)).collect()
}

fn of<'a>(variant: &'a VariantResult, metric: &Metric, population: &str) -> Option<&'a MetricResult> {
    by_population(variant, metric).find(|(name, _)| *name == population).map(|(_, m)| m)
}

/// The quantiles, where any population has them.
pub(super) fn quantiles(results: &Results) -> Option<Chart> {
    let populations = populations(results, &catalogue::LATENCY_P50);
    let all: Vec<f64> = results
        .variants
        .iter()
        .flat_map(|v| QUANTILES.iter().flat_map(move |(metric, ..)| by_population(v, metric)))
        .flat_map(|(_, m)| m.ci95.into_iter().flatten().chain(m.mean))
        .filter(|x| *x > 0.0)
        .collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min) * 0.85;
    let high = all.iter().copied().fold(0.0, f64::max) * 1.12;
    if populations.is_empty() || all.is_empty() {
        return None;
    }
    let scale = Scale { domain: (log10(low), log10(high)), range: (LEFT, WIDTH - RIGHT) };
    let x_of = |seconds: f64| scale.at(log10(seconds.max(low)));
    let top = 22.0;
    let bottom = top + populations.len() as f64 * (30.0 + results.variants.len() as f64 * ROW);
    let svg = draw(WIDTH, bottom + 44.0, "Latency quantiles by population and variant.", |c| {
        horizontal(c, top, bottom, marks(low, high).into_iter().map(|t| (x_of(t), duration(t))));
        c.text(
            (LEFT + WIDTH - RIGHT) / 2.0,
            bottom + 32.0,
            Anchor::Middle,
            12.0,
            SOFT,
            "latency of good responses, logarithmic",
        );
        let mut y = top + 14.0;
        for population in &populations {
            c.bold(8.0, y, Anchor::Start, 13.0, INK, &short(population, 40));
            y += 18.0;
            for (i, variant) in results.variants.iter().enumerate() {
                quantile_row(c, variant, population, PALETTE[i % PALETTE.len()], &x_of, y);
                y += ROW;
            }
            c.line((8.0, y - 2.0), (WIDTH - 8.0, y - 2.0), GRID, 1.0);
            y += 12.0;
        }
        if let Some(first) = results.variants.first() {
            for (metric, name, _) in QUANTILES {
                if let Some(mean) = of(first, metric, populations[0]).and_then(|m| m.mean) {
                    c.text(x_of(mean), top + 16.0, Anchor::Middle, 11.0, SOFT, name);
                }
            }
        }
    });
    Some(Chart {
        file: "latency".into(),
        kind: Kind::Whole,
        title: "How long each population waits".into(),
        caption: "From left to right p50, p90, p99 and p99.9 (dots from large to small), mean over seeds; ticks through the dots are 95 % intervals, often too narrow to see.".into(),
        svg,
    })
}

fn quantile_row(
    c: &mut Canvas<'_>,
    variant: &VariantResult,
    population: &str,
    colour: Colour,
    x_of: &dyn Fn(f64) -> f64,
    y: f64,
) {
    c.text(LEFT - 10.0, y, Anchor::End, 12.0, INK, &short(&variant.name, 26));
    let found: Vec<(&str, f64, f64, Option<[f64; 2]>)> = QUANTILES
        .iter()
        .filter_map(|(metric, name, radius)| {
            of(variant, metric, population).and_then(|m| Some((*name, *radius, m.mean?, m.ci95)))
        })
        .collect();
    if let (Some(first), Some(last)) = (found.first(), found.last()) {
        c.line((x_of(first.2), y), (x_of(last.2), y), faded(colour, 0.45), 2.0);
        c.text(x_of(last.2) + 10.0, y, Anchor::Start, 11.0, SOFT, &duration(last.2));
    }
    for (name, radius, mean, ci) in found {
        c.dot(x_of(mean), y, radius, colour);
        c.hover(&format!("{name} {}", duration(mean)));
        if let Some([low, high]) = ci {
            c.line((x_of(low), y), (x_of(high), y), INK, 1.5);
        }
    }
}

/// The distributions, where any population has one: a panel per population.
pub(super) fn curves(results: &Results) -> Option<Chart> {
    let mut names: Vec<Option<&str>> = Vec::new();
    for curve in results.variants.iter().flat_map(|v| &v.latency).filter(|curve| curve.points.len() > 1) {
        if !names.contains(&curve.population.as_deref()) {
            names.push(curve.population.as_deref());
        }
    }
    if names.len() > 1 {
        names.retain(Option::is_some);
    }
    let times = || {
        let points = results.variants.iter().flat_map(|v| &v.latency).flat_map(|curve| &curve.points);
        points.filter(|(t, share)| *t > 0.0 && (0.005..=0.9995).contains(share)).map(|(t, _)| *t)
    };
    let (low, high) = (times().fold(f64::INFINITY, f64::min) * 0.9, times().fold(0.0, f64::max) * 1.1);
    if names.is_empty() || high <= low {
        return None;
    }
    let across = names.len().min(3);
    let width = (WIDTH - 50.0) / across as f64;
    let down = names.len().div_ceil(across);
    let (top, tall) = (36.0, 250.0);
    let svg = draw(WIDTH, top + down as f64 * (tall + 34.0), "Latency distribution by population and variant.", |c| {
        let mut x = 50.0;
        for (i, variant) in results.variants.iter().enumerate() {
            let name = short(&variant.name, 26);
            c.rect(x, 10.0, 14.0, 4.0, PALETTE[i % PALETTE.len()]);
            c.text(x + 19.0, 12.0, Anchor::Start, 12.0, INK, &name);
            x += 19.0 + width_of(&name, 12.0) + 16.0;
        }
        for (i, name) in names.iter().enumerate() {
            let left = 50.0 + (i % across) as f64 * width;
            let y = top + (i / across) as f64 * (tall + 34.0);
            panel(c, results, *name, (low, high), [left, y + 22.0, left + width - 24.0, y + tall]);
        }
    });
    Some(Chart {
        file: "latency-distribution".into(),
        kind: Kind::Whole,
        title: "The whole distribution of latency".into(),
        caption:
            "Share of good responses at most that slow, all seeds together. The vertical axis stretches the tail: each \
                  step up is ten times rarer."
                .into(),
        svg,
    })
}

fn panel(c: &mut Canvas<'_>, results: &Results, name: Option<&str>, span: (f64, f64), frame: [f64; 4]) {
    let [left, top, right, bottom] = frame;
    let x = Scale { domain: (log10(span.0), log10(span.1)), range: (left, right) };
    let y = Scale { domain: (0.0, 3.3), range: (bottom, top) };
    c.bold(left, top - 12.0, Anchor::Start, 13.0, INK, &short(name.unwrap_or("all populations"), 30));
    // Labels about 55 units apart, or they run into one another.
    let mut last = f64::NEG_INFINITY;
    let ticks: Vec<(f64, String)> = marks(span.0, span.1)
        .into_iter()
        .map(|t| (x.at(log10(t)), duration(t)))
        .map(|(at, label)| {
            let keep = at - last > 52.0;
            last = if keep { at } else { last };
            (at, if keep { label } else { String::new() })
        })
        .collect();
    horizontal(c, top, bottom, ticks);
    for (share, label) in [(0.0, "0"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %")] {
        let at = y.at(-log10(1.0 - share));
        c.line((left, at), (right, at), GRID, 1.0);
        if left < 60.0 {
            c.text(left - 6.0, at, Anchor::End, 11.0, SOFT, label);
        }
    }
    for (i, variant) in results.variants.iter().enumerate() {
        let curve = |curve: &&LatencyCurve| curve.population.as_deref() == name;
        let Some(curve) = variant.latency.iter().find(curve) else { continue };
        let shown = curve.points.iter().filter(|(t, share)| *t >= span.0 && *t <= span.1 && *share <= 0.9995);
        let points: Vec<(f64, f64)> = shown.map(|(t, share)| (x.at(log10(*t)), y.at(-log10(1.0 - share)))).collect();
        if points.len() > 1 {
            c.path(&points, PALETTE[i % PALETTE.len()], 2.0);
            c.hover(&short(&variant.name, 60));
        }
    }
}
