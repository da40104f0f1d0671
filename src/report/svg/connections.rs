//! Ways for calls to get from cluster to cluster: latency against the bill, with what each leaves open.

use super::axis::{Scale, horizontal, ticks};
use super::canvas::{Anchor, GRID, INK, PALETTE, SOFT, VERMILION, draw, faded};
use super::labels::{Labels, groups, size_of};
use super::{Chart, Kind};
use crate::experiment::results::Results;
use crate::metric::catalogue;
use crate::report::posture::posture;
use crate::report::text::{duration, money, round_money, short};
use crate::report::view::{Period, mean};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// Names of designs, their bill, their latency, and what they leave open.
struct Point<'a> {
    place: usize,
    name: &'a str,
    bill: f64,
    latency: f64,
    open: String,
}

/// The chart, where two variants or more have connections.
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let period = Period::of(results);
    let points: Vec<Point<'_>> = results
        .variants
        .iter()
        .enumerate()
        .filter_map(|(place, v)| {
            let (open, bill) = (posture(v)?, period.scale(mean(v, &catalogue::COST_BILL)?));
            Some(Point { place, name: &v.name, bill, latency: mean(v, &catalogue::LATENCY_MEAN)?, open })
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let range = |of: fn(&Point<'_>) -> f64| {
        let (low, high) =
            points.iter().map(of).fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        let margin = (high - low).max(high * 0.02).max(1e-12);
        ((low - 0.25 * margin).max(0.0), high + 0.25 * margin)
    };
    let (dear, slow) = (range(|p| p.bill), range(|p| p.latency));
    let x_of = Scale { domain: dear, range: (LEFT, WIDTH - RIGHT) };
    let y_of = Scale { domain: slow, range: (BOTTOM, TOP + 10.0) };
    let svg = draw(WIDTH, HEIGHT, "Latency against the bill, by way of calling another cluster.", |c| {
        horizontal(c, TOP, BOTTOM, ticks(dear.0, dear.1, 6.0).into_iter().map(|t| (x_of.at(t), round_money(t))));
        let title = format!("bill in US dollars {}", period.phrase());
        c.text((LEFT + WIDTH - RIGHT) / 2.0, BOTTOM + 34.0, Anchor::Middle, 12.0, SOFT, &title);
        for t in ticks(slow.0, slow.1, 5.0) {
            c.line((LEFT, y_of.at(t)), (WIDTH - RIGHT, y_of.at(t)), GRID, 1.0);
            c.text(LEFT - 10.0, y_of.at(t), Anchor::End, 11.5, INK, &duration(t));
        }
        c.text(LEFT + 10.0, TOP + 2.0, Anchor::Start, 11.5, SOFT, "mean latency: ↓ faster, ← cheaper");
        for p in &points {
            let (x, y) = (x_of.at(p.bill), y_of.at(p.latency));
            c.dot(x, y, 6.5, PALETTE[p.place % PALETTE.len()]);
            c.hover(&format!("{}: {}, {}, open: {}", short(p.name, 60), duration(p.latency), money(p.bill), p.open));
            if p.open != "nothing" {
                c.ring(x, y, 10.0, faded(VERMILION, 0.9), 2.0);
            }
        }
        // Designs that coincide and leave the same open share a label.
        let places: Vec<_> = points.iter().map(|p| (x_of.at(p.bill), y_of.at(p.latency))).collect();
        let mut labels = Labels::new([0.0, TOP + 10.0, WIDTH, BOTTOM]);
        for place in &places {
            labels.keep_clear(*place, 10.0);
        }
        for group in groups(&places, |a, b| points[a].open == points[b].open) {
            let first = &points[group[0]];
            let others = group[1..].iter().map(|&i| format!(", {}", short(points[i].name, 20)));
            let label = short(first.name, 30) + &others.collect::<String>();
            let open = format!("open: {}", first.open);
            let size = size_of(&[(&label, 13.0), (&open, 11.0)]);
            let (x, y) = labels.place(places[group[0]], 14.0, size);
            c.bold(x, y - 7.0, Anchor::Start, 13.0, INK, &label);
            c.text(x, y + 8.0, Anchor::Start, 11.0, SOFT, &open);
        }
    });
    Some(Chart {
        file: "connections".into(),
        kind: Kind::Whole,
        title: "Ways from cluster to cluster: latency, cost, exposure".into(),
        caption:
            "Mean latency of all good requests against the whole bill; ringed: something is open to others, as the \
                  label says."
                .into(),
        svg,
    })
}
