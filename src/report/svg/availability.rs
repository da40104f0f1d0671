//! Availability of every seed against the objective, in nines: risk, not only means.

use super::axis::Scale;
use super::canvas::{AXIS, Anchor, Canvas, GRID, INK, PALETTE, SOFT, VERMILION, draw, faded};
use super::{Chart, Kind};
use crate::experiment::results::{Direction, Results, VariantResult};
use crate::metric::catalogue;
use crate::report::text::{availability, duration, nines, percent, round_availability, short};
use crate::report::view::{Period, objective, overall};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 118.0;
const TOP: f64 = 56.0;
const ROW: f64 = 92.0;
/// Dots drawn at most; of more seeds, as many quantiles.
const DOTS: usize = 400;

/// The chart, where any seed has an availability.
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let shown: Vec<(usize, &VariantResult)> =
        results.variants.iter().enumerate().filter(|(_, v)| overall(v, &catalogue::AVAILABILITY).is_some()).collect();
    let all: Vec<f64> = shown
        .iter()
        .filter_map(|(_, v)| overall(v, &catalogue::AVAILABILITY))
        .flat_map(|m| m.values.present().chain(m.mean))
        .collect();
    if all.is_empty() {
        return None;
    }
    let targets = targets(results);
    let finite: Vec<f64> = all.iter().chain(&targets).filter_map(|x| nines(*x)).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min).min(8.0);
    let high = finite.iter().copied().fold(0.0, f64::max);
    let (low, high) = if low.is_finite() { ((low - 0.1).max(0.0), (high + 0.1).max(low + 0.5)) } else { (2.0, 5.0) };
    let perfect = all.iter().any(|x| *x >= 1.0);
    let end = WIDTH - RIGHT - if perfect { 70.0 } else { 0.0 };
    let scale = Scale { domain: (low, high), range: (LEFT, end) };
    let place = Place { scale, perfect: WIDTH - RIGHT - 20.0 };
    let bottom = TOP + shown.len() as f64 * ROW;
    let period = Period::of(results);
    let svg =
        draw(WIDTH, bottom + 56.0, "Availability of each seed by variant, in nines, against the objective.", |c| {
            axis(c, place, (low, high), bottom, perfect, period);
            for target in &targets {
                let x = place.x(*target);
                c.dashes((x, TOP - 14.0), (x, bottom), VERMILION, 1.75);
                c.bold(
                    x,
                    TOP - 24.0,
                    Anchor::Middle,
                    12.0,
                    VERMILION,
                    &format!("objective {}", round_availability(*target)),
                );
            }
            if !targets.is_empty() {
                c.bold(WIDTH - 8.0, TOP - 24.0, Anchor::End, 12.0, SOFT, "P(met)");
            }
            for (row, (i, variant)) in shown.iter().enumerate() {
                strip(c, variant, *i, place, TOP + row as f64 * ROW);
            }
        });
    Some(Chart {
        file: "availability".into(),
        kind: Kind::Whole,
        title: "How good is a good year, how bad a bad one".into(),
        caption: format!(
            "Each dot is one seed: one possible {}. Bar: 5th to 95th percentile; tick: median; diamond: mean with its 95 % \
             interval. Right is better; a seed that lost nothing stands at the right edge.",
            if period.seconds() == crate::report::text::YEAR_S { "year" } else { "run" }
        ),
        svg,
    })
}

fn targets(results: &Results) -> Vec<f64> {
    let mut targets: Vec<f64> = results
        .variants
        .iter()
        .filter_map(|v| objective(v, &catalogue::AVAILABILITY))
        .filter(|o| o.direction == Direction::AtLeast)
        .map(|o| o.target)
        .collect();
    targets.sort_by(f64::total_cmp);
    targets.dedup();
    targets
}

#[derive(Clone, Copy)]
struct Place {
    scale: Scale,
    perfect: f64,
}

impl Place {
    fn x(self, share: f64) -> f64 {
        nines(share).map_or(self.perfect, |nines| self.scale.at(nines))
    }
}

fn axis(c: &mut Canvas<'_>, place: Place, (low, high): (f64, f64), bottom: f64, perfect: bool, period: Period) {
    let mut miss = 1.0;
    let mut last = f64::NEG_INFINITY;
    for decade in 0..10 {
        for (step, major) in [(1.0, true), (0.5, false), (0.2, false)] {
            let share: f64 = 1.0 - miss * step;
            let at = nines(share).unwrap_or(f64::INFINITY);
            if at < low || at > high || (decade == 0 && major) {
                continue;
            }
            let x = place.x(share);
            c.line((x, TOP), (x, bottom), GRID, if major { 1.5 } else { 0.75 });
            if x - last > 74.0 && (major || high - low < 2.2) {
                c.text(x, bottom + 13.0, Anchor::Middle, 11.5, INK, &round_availability(share));
                let lost = format!("{} lost", duration((1.0 - share) * period.seconds()));
                c.text(x, bottom + 29.0, Anchor::Middle, 11.0, SOFT, &lost);
                last = x;
            }
        }
        miss /= 10.0;
    }
    if perfect {
        c.line((place.perfect, TOP), (place.perfect, bottom), AXIS, 1.0);
        c.text(place.perfect, bottom + 13.0, Anchor::Middle, 11.5, INK, "100 %");
        c.text(place.perfect, bottom + 29.0, Anchor::Middle, 11.0, SOFT, "no loss");
    }
    let title = format!("availability, logarithmic in what is lost {}", period.phrase());
    c.text((LEFT + WIDTH - RIGHT) / 2.0, bottom + 47.0, Anchor::Middle, 12.0, SOFT, &title);
}

/// One variant: a swarm of dots, its spread and its mean.
fn strip(c: &mut Canvas<'_>, variant: &VariantResult, i: usize, place: Place, top: f64) {
    let Some(m) = overall(variant, &catalogue::AVAILABILITY) else { return };
    let colour = PALETTE[i % PALETTE.len()];
    let (base, line) = (top + 56.0, top + 74.0);
    c.line((8.0, top + ROW - 2.0), (WIDTH - 8.0, top + ROW - 2.0), GRID, 1.0);
    c.bold(8.0, top + 36.0, Anchor::Start, 13.0, INK, &short(&variant.name, 24));
    if let Some(mean) = m.mean {
        c.text(8.0, top + 54.0, Anchor::Start, 12.0, SOFT, &format!("mean {}", availability(mean)));
    }
    if let Some(o) = objective(variant, &catalogue::AVAILABILITY) {
        c.bold(WIDTH - 8.0, top + 40.0, Anchor::End, 20.0, INK, &percent(o.p_met));
        let [low, high] = o.p_met_ci95;
        c.text(WIDTH - 8.0, top + 60.0, Anchor::End, 11.0, SOFT, &format!("{} to {}", percent(low), percent(high)));
    }
    let mut values: Vec<f64> = m.values.present().collect();
    values.sort_by(f64::total_cmp);
    let step = values.len().div_ceil(DOTS).max(1);
    let picked: Vec<f64> = values.iter().copied().skip(step / 2).step_by(step).collect();
    // A swarm: dots of one column stack, centred on the row's middle.
    let radius = if picked.len() > 120 { 2.25 } else { 3.5 };
    let mut columns: Vec<(i64, Vec<f64>)> = Vec::new();
    for value in picked {
        let column = (place.x(value) / (radius * 2.0)).round() as i64;
        match columns.last_mut() {
            Some((last, members)) if *last == column => members.push(value),
            _ => columns.push((column, vec![value])),
        }
    }
    let tallest = columns.iter().map(|(_, members)| members.len()).max().unwrap_or(1) as f64;
    let rise = (radius * 2.0).min(46.0 / tallest);
    for (_, members) in &columns {
        for (place_in_stack, value) in members.iter().enumerate() {
            c.dot(place.x(*value), base - place_in_stack as f64 * rise, radius, faded(colour, 0.75));
            c.hover(&availability(*value));
        }
    }
    if let (Some(p5), Some(p95)) = (m.p5, m.p95) {
        c.rect(place.x(p5), line - 3.0, place.x(p95) - place.x(p5), 6.0, faded(colour, 0.35));
        c.hover(&format!("5th to 95th percentile: {} to {}", availability(p5), availability(p95)));
    }
    if let Some(p50) = m.p50 {
        let x = place.x(p50);
        c.line((x, line - 7.0), (x, line + 7.0), colour, 2.5);
        c.hover(&format!("median {}", availability(p50)));
    }
    if let Some(mean) = m.mean {
        if let Some([low, high]) = m.ci95 {
            c.line((place.x(low), line), (place.x(high.min(1.0)), line), INK, 1.5);
            c.hover(&format!("mean, 95 % interval: {} to {}", availability(low), availability(high.min(1.0))));
        }
        let x = place.x(mean);
        c.area(&[(x - 5.0, line), (x, line - 5.0), (x + 5.0, line), (x, line + 5.0)], INK);
        c.hover(&format!("mean {}", availability(mean)));
    }
}
