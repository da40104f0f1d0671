//! How many users a bad release reaches: the share of all users on it, from when it first shows until it is gone.

use super::axis::{Scale, horizontal, ticks};
use super::canvas::{Anchor, GRID, INK, PALETTE, SOFT, draw, width_of};
use super::{Chart, Kind};
use crate::experiment::results::{Results, VariantResult};
use crate::report::text::{duration, fitting, percent, short};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = HEIGHT - 56.0;

/// The worst bad release of the first seed: (seconds since it first showed, share from then on); the last share is 0,
/// unless the horizon ends before.
fn worst(variant: &VariantResult) -> Option<Vec<(f64, f64)>> {
    let all = &variant.exposures;
    let peak =
        (0..all.len()).filter(|&i| all[i].1 > 0.0).reduce(|best, i| if all[i].1 > all[best].1 { i } else { best })?;
    let first = all[..peak].iter().rposition(|(_, share)| *share <= 0.0).map_or(0, |before| before + 1);
    let last = all[peak..].iter().position(|(_, share)| *share <= 0.0).map_or(all.len() - 1, |after| peak + after);
    Some(all[first..=last].iter().map(|&(at, share)| (at - all[first].0, share)).collect())
}

/// The chart, where a bad release reached anybody.
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let variants = results.variants.iter().enumerate();
    let curves: Vec<_> = variants.filter_map(|(place, v)| Some((place, v, worst(v)?))).collect();
    let points = || curves.iter().flat_map(|(_, _, curve)| curve);
    let longest = points().map(|(at, _)| *at).reduce(f64::max)?.max(60.0);
    let most = points().map(|(_, share)| *share).fold(0.0, f64::max);
    let end = longest * 1.06;
    // Whole units of time on the axis.
    let unit = if longest < 7200.0 { 60.0 } else { 3600.0 };
    let name = if unit < 3600.0 { "min" } else { "h" };
    let x_of = Scale { domain: (0.0, end), range: (LEFT, WIDTH - RIGHT) };
    let y_of = Scale { domain: (0.0, (most * 1.1).min(1.0)), range: (BOTTOM, TOP) };
    let svg = draw(WIDTH, HEIGHT, "The share of all users on a bad release, since it first showed.", |c| {
        let marks = ticks(0.0, end / unit, 8.0);
        horizontal(c, TOP, BOTTOM, marks.into_iter().map(|t| (x_of.at(t * unit), format!("{t} {name}"))));
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        c.text(middle, BOTTOM + 36.0, Anchor::Middle, 12.0, SOFT, "since it first showed to anybody");
        for t in ticks(0.0, y_of.domain.1, 5.0) {
            c.line((LEFT, y_of.at(t)), (WIDTH - RIGHT, y_of.at(t)), GRID, 1.0);
            c.text(LEFT - 10.0, y_of.at(t), Anchor::End, 11.5, INK, &percent(t));
        }
        let mut labels: Vec<(f64, usize, String)> = Vec::new();
        for (place, variant, curve) in &curves {
            let colour = PALETTE[place % PALETTE.len()];
            let mut line: Vec<(f64, f64)> = vec![(x_of.at(0.0), y_of.at(0.0))];
            for (i, &(at, share)) in curve.iter().enumerate() {
                let before = if i == 0 { 0.0 } else { curve[i - 1].1 };
                line.push((x_of.at(at), y_of.at(before)));
                line.push((x_of.at(at), y_of.at(share)));
            }
            // A release that nobody noticed goes on.
            let still = curve.last().map_or(0.0, |(_, share)| *share);
            if still > 0.0 {
                line.push((x_of.at(end), y_of.at(still)));
            }
            c.path(&line, colour, 2.0);
            let peak = curve.iter().map(|(_, share)| *share).fold(0.0, f64::max);
            let gone = curve.last().map_or(0.0, |(at, _)| *at);
            let until = if still > 0.0 { "to the end".to_owned() } else { duration(gone) };
            let words = format!("{}: at most {} of users, {until}", short(&variant.name, 40), percent(peak));
            c.hover(&words);
            labels.push((y_of.at(peak), *place, short(&variant.name, 24)));
        }
        // Labels at their curve's height, none over another.
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = TOP;
        for (y, place, label) in labels {
            let y = y.max(free);
            free = y + 16.0;
            c.rect(WIDTH - RIGHT + 12.0, y - 2.0, 14.0, 4.0, PALETTE[place % PALETTE.len()]);
            c.text(WIDTH - RIGHT + 31.0, y, Anchor::Start, 12.0, INK, &fit(&label));
        }
    });
    Some(Chart {
        file: "exposure".into(),
        kind: Kind::Whole,
        title: "How many users a bad release reaches".into(),
        caption:
            "Of the first seed's bad releases the one that reached most, in each design: the share of all users on it, \
                  from when it first showed until it was gone."
                .into(),
        svg,
    })
}

/// As much of a name as fits beside the chart.
fn fit(label: &str) -> String {
    fitting(label, label.chars().count(), |short| width_of(short, 12.0) <= RIGHT - 35.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn the_one_that_reached_most_from_its_beginning_to_its_end() {
        let mut variant = sample().variants.remove(0);
        variant.exposures =
            vec![(10.0, 0.1), (20.0, 0.0), (100.0, 0.2), (160.0, 0.5), (200.0, 0.1), (230.0, 0.0), (300.0, 0.5)];
        assert_eq!(worst(&variant).unwrap(), [(0.0, 0.2), (60.0, 0.5), (100.0, 0.1), (130.0, 0.0)]);
        variant.exposures = vec![(300.0, 0.5)];
        assert_eq!(worst(&variant).unwrap(), [(0.0, 0.5)]);
        variant.exposures.clear();
        assert_eq!(worst(&variant), None);
    }
}
