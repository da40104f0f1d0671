//! Availability against the bill: which designs no other beats, and by how much one pays for a nine.

use super::axis::{Scale, horizontal, log10, ticks};
use super::canvas::{AXIS, Anchor, GRID, INK, PALETTE, SOFT, draw, faded, width_of};
use super::{Chart, Kind};
use crate::experiment::results::{MetricResult, Results};
use crate::metric::catalogue;
use crate::report::text::{availability, duration, money, round_availability, round_money, short};
use crate::report::view::{Period, overall};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 430.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// The chart, where two variants or more have both figures.
#[expect(clippy::too_many_lines, reason = "one drawing, from back to front")]
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let period = Period::of(results);
    let points: Vec<(usize, &str, &MetricResult, &MetricResult)> = results
        .variants
        .iter()
        .enumerate()
        .filter_map(|(i, v)| {
            let both = overall(v, &catalogue::COST_BILL).zip(overall(v, &catalogue::AVAILABILITY));
            both.map(|(bill, share)| (i, v.name.as_str(), bill, share))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let bill_of = |m: &MetricResult| period.scale(m.mean.unwrap_or(0.0));
    let missing = |share: f64| (1.0 - share).max(0.0);
    let ends = |m: &MetricResult| m.ci95.into_iter().flatten().chain(m.mean).collect::<Vec<_>>();
    // Below a tenth of the least mean an interval's end would only stretch the axis.
    let least = points.iter().map(|p| missing(p.3.mean.unwrap_or(1.0))).filter(|x| *x > 0.0).fold(1.0, f64::min);
    let floor = (least / 3.0).max(1e-10);
    let worst = points.iter().flat_map(|p| ends(p.3)).map(missing).fold(floor * 10.0, f64::max).min(1.0) * 1.6;
    let most = points.iter().flat_map(|p| ends(p.2)).map(|x| period.scale(x)).fold(0.0, f64::max);
    let dear = Scale { domain: (0.0, most * 1.12), range: (LEFT, WIDTH - RIGHT) };
    let good = Scale { domain: (log10(floor), log10(worst)), range: (TOP + 10.0, BOTTOM) };
    let y_of = |share: f64| good.at(log10(missing(share).max(floor)));
    let svg = draw(WIDTH, HEIGHT, "Availability against yearly bill, by variant, with 95 % intervals.", |c| {
        horizontal(c, TOP, BOTTOM, ticks(0.0, most * 1.12, 7.0).into_iter().map(|t| (dear.at(t), round_money(t))));
        c.text(
            (LEFT + WIDTH - RIGHT) / 2.0,
            BOTTOM + 34.0,
            Anchor::Middle,
            12.0,
            SOFT,
            &format!("bill in US dollars {}", period.phrase()),
        );
        let mut miss = 1.0;
        for _ in 0..11 {
            for (step, wanted) in [(1.0, true), (0.3, log10(worst / floor) < 2.5)] {
                let share: f64 = 1.0 - miss * step;
                if wanted && missing(share) >= floor && missing(share) <= worst {
                    let y = y_of(share);
                    c.line((LEFT, y), (WIDTH - RIGHT, y), GRID, 1.0);
                    c.text(LEFT - 10.0, y - 6.5, Anchor::End, 11.5, INK, &round_availability(share));
                    c.text(
                        LEFT - 10.0,
                        y + 7.5,
                        Anchor::End,
                        10.5,
                        SOFT,
                        &format!("{} lost", duration(missing(share) * period.seconds())),
                    );
                }
            }
            miss /= 10.0;
        }
        c.text(LEFT + 10.0, TOP + 2.0, Anchor::Start, 11.5, SOFT, "↑ more available, ← cheaper");
        let mut front: Vec<(f64, f64)> = points
            .iter()
            .filter(|p| results.pareto.iter().any(|name| name == p.1))
            .map(|p| (dear.at(bill_of(p.2)), y_of(p.3.mean.unwrap_or(0.0))))
            .collect();
        front.sort_by(|a, b| a.0.total_cmp(&b.0));
        for two in front.windows(2) {
            c.dashes(two[0], two[1], AXIS, 1.25);
        }
        for (i, name, bill, share) in &points {
            let colour = PALETTE[i % PALETTE.len()];
            let (x, y) = (dear.at(bill_of(bill)), y_of(share.mean.unwrap_or(0.0)));
            if let Some([low, high]) = bill.ci95 {
                c.line((dear.at(period.scale(low)), y), (dear.at(period.scale(high)), y), colour, 2.0);
            }
            if let Some([low, high]) = share.ci95 {
                c.line((x, y_of(low)), (x, y_of(high)), colour, 2.0);
                c.hover(&format!(
                    "availability, 95 % interval: {} to {}",
                    availability(low),
                    availability(high.min(1.0))
                ));
            }
            c.dot(x, y, 6.5, colour);
            c.hover(&format!(
                "{}: {}, {}",
                short(name, 60),
                availability(share.mean.unwrap_or(0.0)),
                money(bill_of(bill))
            ));
            let best = results.pareto.iter().any(|p| p == name);
            if best {
                c.ring(x, y, 10.0, faded(INK, 0.7), 1.5);
            }
            let label = short(name, 30);
            let figures = format!("{} · {}", availability(share.mean.unwrap_or(0.0)), money(bill_of(bill)));
            // The front rises to the right, so its free sides are below right and above left.
            let fits = x + 14.0 + width_of(&label, 13.0).max(width_of(&figures, 11.5)) < WIDTH && y + 36.0 < BOTTOM;
            let (at, anchor, first) =
                if fits { (x + 14.0, Anchor::Start, y + 13.0) } else { (x - 14.0, Anchor::End, y - 26.0) };
            c.bold(at, first, anchor, 13.0, INK, &label);
            c.text(at, first + 15.0, anchor, 11.5, SOFT, &figures);
        }
    });
    Some(Chart {
        file: "tradeoff".into(),
        kind: Kind::Whole,
        title: "What a nine costs".into(),
        caption: "Availability (logarithmic in what is lost) against the bill; crosses are 95 % intervals of the means. \
                  Ringed: on the Pareto front of availability, bill and latency, so no other variant is at least as good at \
                  all three."
            .into(),
        svg,
    })
}
