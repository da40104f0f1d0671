//! Sweeps: lines with their intervals along one axis, a heat map over two, one for each value of the axes before them.

use super::axis::{Scale, log10, ticks};
use super::canvas::{AXIS, Anchor, Canvas, Colour, GRID, INK, PALETTE, SOFT, draw, width_of};
use super::{Chart, Kind};
use crate::experiment::results::{Grid, GridAxis, MetricResult, Results, VariantResult};
use crate::metric::{Metric, catalogue};
use crate::report::text::{availability, interval, money, round_availability, round_money, short};
use crate::report::view::{Period, overall};
use plotters::style::RGBAColor;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const ROW: f64 = 46.0;
/// Maps beyond so many are left to the table.
const MAPS: usize = 12;

/// Cividis (Nuñez, Anderton and Renslow, 2018), coarsely: it rises evenly in lightness for every colour vision.
const CIVIDIS: [(f64, f64, f64); 5] =
    [(0.0, 34.0, 78.0), (66.0, 78.0, 108.0), (124.0, 123.0, 120.0), (187.0, 175.0, 113.0), (254.0, 232.0, 56.0)];

/// What is drawn over the grid.
#[derive(Clone, Copy)]
struct Figure {
    metric: &'static Metric,
    period: Period,
}

impl Figure {
    /// Availability is spread by what is missing, so that nines tell; money evenly. More is worse.
    fn height(self, x: f64, least: f64) -> f64 {
        if self.is_share() { log10((1.0 - x).max(least)) } else { x }
    }

    fn is_share(self) -> bool {
        self.metric.name == catalogue::AVAILABILITY.name
    }

    fn show(self, x: f64) -> String {
        if self.is_share() { availability(x.clamp(0.0, 1.0)) } else { money(self.period.scale(x)) }
    }

    fn title(self) -> String {
        if self.is_share() { "Availability".into() } else { format!("Bill in US dollars {}", self.period.phrase()) }
    }

    fn of(self, point: &VariantResult) -> Option<(&MetricResult, f64)> {
        let found = overall(point, self.metric)?;
        Some((found, found.mean?))
    }

    /// A figure with its interval, in words.
    fn words(self, name: &str, m: &MetricResult, mean: f64) -> String {
        let between =
            m.ci95.map(|[low, high]| format!(", 95 % interval {}", interval(&self.show(low), &self.show(high))));
        format!("{}: {}{}", short(name, 80), self.show(mean), between.unwrap_or_default())
    }
}

/// The charts of a sweep: of availability and of the bill, where there are such.
pub(in crate::report) fn charts(results: &Results, grid: &Grid) -> Vec<Chart> {
    let period = Period::of(results);
    let figures = [(&catalogue::AVAILABILITY, "availability"), (&catalogue::COST_BILL, "bill")];
    figures
        .into_iter()
        .flat_map(|(metric, file)| {
            let figure = Figure { metric, period };
            if !results.variants.iter().any(|point| figure.of(point).is_some()) {
                return vec![];
            }
            match grid.axes.as_slice() {
                [] => vec![],
                [only] => vec![lines(results, only, figure, file)],
                [_, .., _] => maps(results, grid, figure, file),
            }
        })
        .collect()
}

/// The least that counts as missing from availability, below what any point loses.
fn least(results: &Results, figure: Figure) -> f64 {
    let means = results.variants.iter().filter_map(|point| Some(1.0 - figure.of(point)?.1)).filter(|x| *x > 0.0);
    (means.fold(1.0, f64::min) / 3.0).max(1e-10)
}

fn lines(results: &Results, axis: &GridAxis, figure: Figure, file: &str) -> Chart {
    const BOTTOM: f64 = 320.0;
    let least = least(results, figure);
    let ends = |point| {
        let (m, mean) = figure.of(point)?;
        Some(m.ci95.into_iter().flatten().chain([mean]).map(|x| figure.height(x, least)).collect::<Vec<_>>())
    };
    let heights: Vec<f64> = results.variants.iter().filter_map(ends).flatten().collect();
    let (low, high) = heights.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let slack = if high > low { (high - low) * 0.12 } else { high.abs().max(1e-9) * 0.1 };
    // What is better is up: less is missing. A bill stands on its amounts, which rise upwards.
    let range = if figure.is_share() { (TOP, BOTTOM) } else { (BOTTOM, TOP) };
    let scale = Scale { domain: (low - slack, high + slack), range };
    let count = axis.values.len();
    let step = (WIDTH - LEFT - RIGHT) / count as f64;
    let x_of = |place: usize| LEFT + (place as f64 + 0.5) * step;
    let description = format!("{} by {}, with 95 % intervals.", figure.title(), short(&axis.name, 60));
    let svg = draw(WIDTH, BOTTOM + 62.0, &description, |c| {
        c.bold(LEFT, 20.0, Anchor::Start, 13.0, INK, &figure.title());
        for (at, label) in marks(figure, low - slack, high + slack) {
            let y = scale.at(at);
            c.line((LEFT, y), (WIDTH - RIGHT, y), GRID, 1.0);
            c.text(LEFT - 10.0, y, Anchor::End, 11.5, SOFT, &label);
        }
        c.line((LEFT, BOTTOM), (WIDTH - RIGHT, BOTTOM), AXIS, 1.0);
        let every = (count / 24).max(1);
        for (place, value) in axis.values.iter().enumerate().filter(|(place, _)| place % every == 0) {
            let letters = (step * every as f64 / 7.0).max(3.0) as usize;
            c.text(x_of(place), BOTTOM + 16.0, Anchor::Middle, 12.0, INK, &short(value, letters));
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        c.text(middle, BOTTOM + 42.0, Anchor::Middle, 12.0, SOFT, &short(&axis.name, 80));
        let y_of = |x: f64| scale.at(figure.height(x, least));
        let known: Vec<_> =
            results.variants.iter().enumerate().filter_map(|(i, v)| Some((i, v, figure.of(v)?))).collect();
        let path: Vec<_> = known.iter().map(|(place, _, (_, mean))| (x_of(*place), y_of(*mean))).collect();
        c.path(&path, PALETTE[0], 2.0);
        for (place, point, (m, mean)) in &known {
            let (x, y) = (x_of(*place), y_of(*mean));
            if let Some([low, high]) = m.ci95 {
                whisker(c, x, y_of(low), y_of(high));
                c.hover(&figure.words(&point.name, m, *mean));
            }
            c.dot(x, y, 5.0, PALETTE[0]);
            c.hover(&figure.words(&point.name, m, *mean));
            let label = figure.show(*mean);
            if width_of(&label, 12.0) <= step * 1.1 {
                c.text(x, y - 15.0, Anchor::Middle, 12.0, INK, &label);
            }
        }
    });
    Chart {
        file: format!("sweep-{file}"),
        kind: Kind::Whole,
        title: format!("{} along {}", figure.title(), short(&axis.name, 60)),
        caption: "Means over seeds; bars are their 95 % intervals. Values stand in the order written, evenly spaced."
            .into(),
        svg,
    }
}

fn whisker(c: &mut Canvas<'_>, x: f64, low: f64, high: f64) {
    for end in [low, high] {
        c.line((x - 5.0, end), (x + 5.0, end), PALETTE[0], 2.0);
    }
    c.line((x, low), (x, high), PALETTE[0], 2.0);
}

/// Round figures of the scale from `low` to `high`.
fn marks(figure: Figure, low: f64, high: f64) -> Vec<(f64, String)> {
    if !figure.is_share() {
        let scale = figure.period.scale(1.0);
        let round = ticks(low * scale, high * scale, 5.0).into_iter();
        return round.filter(|usd| *usd >= 0.0).map(|usd| (usd / scale, round_money(usd))).collect();
    }
    let mut marks = Vec::new();
    let mut decade = 1.0;
    for _ in 0..11 {
        for part in [1.0, 0.5, 0.2] {
            let missing: f64 = decade * part;
            let is_shown = part == 1.0 || high - low < 2.0;
            if is_shown && log10(missing) >= low && log10(missing) <= high {
                marks.push((log10(missing), round_availability(1.0 - missing)));
            }
        }
        decade /= 10.0;
    }
    marks
}

/// A map for each combination of what the axes before the last two are set to.
fn maps(results: &Results, grid: &Grid, figure: Figure, file: &str) -> Vec<Chart> {
    let [before @ .., rows, columns] = grid.axes.as_slice() else { return vec![] };
    let size = rows.values.len() * columns.values.len();
    let least = least(results, figure);
    let all = results.variants.iter().filter_map(|point| Some(figure.height(figure.of(point)?.1, least)));
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    // One scale for all maps; the best is brightest.
    let shade = Scale { domain: (low, high), range: (1.0, 0.0) };
    if size == 0 || results.variants.len() / size > MAPS {
        return vec![];
    }
    let charts = results.variants.chunks(size).enumerate().map(|(place, points)| {
        let values = grid.values(place * size);
        let fixed: Vec<_> = before
            .iter()
            .zip(values)
            .map(|(axis, value)| format!("{}={}", short(&axis.name, 30), short(value, 30)))
            .collect();
        let of = if fixed.is_empty() { String::new() } else { format!(", {}", fixed.join(", ")) };
        let number = if fixed.is_empty() { String::new() } else { format!("-{}", place + 1) };
        let title = format!("{} by {} and {}{of}", figure.title(), short(&rows.name, 60), short(&columns.name, 60));
        let bright = if figure.is_share() { "more available" } else { "cheaper" };
        Chart {
            file: format!("sweep-{file}{number}"),
            kind: Kind::Whole,
            svg: map(points, rows, columns, figure, &title, |x| shade.at(figure.height(x, least))),
            title,
            caption: format!("Means over seeds, 95 % intervals beneath where there is room. Brighter is {bright}."),
        }
    });
    charts.collect()
}

fn map(
    points: &[VariantResult],
    rows: &GridAxis,
    columns: &GridAxis,
    figure: Figure,
    title: &str,
    shade: impl Fn(f64) -> f64,
) -> String {
    let (width, count) = ((WIDTH - LEFT - RIGHT) / columns.values.len() as f64, columns.values.len());
    let height = TOP + rows.values.len() as f64 * ROW + 12.0;
    draw(WIDTH, height, &format!("Heat map: {title}."), |c| {
        c.text(f64::midpoint(LEFT, WIDTH - RIGHT), 16.0, Anchor::Middle, 12.0, SOFT, &short(&columns.name, 80));
        c.text(LEFT - 12.0, TOP - 18.0, Anchor::End, 12.0, SOFT, &short(&rows.name, 20));
        let every = (count / 24).max(1);
        for (place, value) in columns.values.iter().enumerate().filter(|(place, _)| place % every == 0) {
            let letters = (width * every as f64 / 7.0).max(3.0) as usize;
            let x = LEFT + (place as f64 + 0.5) * width;
            c.text(x, TOP - 18.0, Anchor::Middle, 12.5, INK, &short(value, letters));
        }
        for (place, value) in rows.values.iter().enumerate() {
            let y = TOP + (place as f64 + 0.5) * ROW;
            c.text(LEFT - 12.0, y, Anchor::End, 12.5, INK, &short(value, 19));
        }
        for (place, point) in points.iter().enumerate() {
            let (x, y) = (LEFT + (place % count) as f64 * width, TOP + (place / count) as f64 * ROW);
            let middle = (x + width / 2.0, y + ROW / 2.0);
            let Some((m, mean)) = figure.of(point) else {
                c.text(middle.0, middle.1, Anchor::Middle, 12.0, SOFT, "–");
                continue;
            };
            let bright = shade(mean);
            let gap = if width > 12.0 { 1.0 } else { 0.0 };
            c.rect(x + gap, y + 1.0, width - 2.0 * gap, ROW - 2.0, colour(bright));
            c.hover(&figure.words(&point.name, m, mean));
            // Either contrasts by more than 4.5 to 1 with its half of the colours.
            let ink = if bright > 0.5 { RGBAColor(16, 16, 16, 1.0) } else { RGBAColor(255, 255, 255, 1.0) };
            let label = figure.show(mean);
            let between = m.ci95.map(|ci| ci.map(|x| figure.show(x))).filter(|[low, high]| low != high);
            let between = between.map(|[low, high]| interval(&low, &high)).filter(|t| width_of(t, 10.5) <= width - 6.0);
            if width_of(&label, 12.5) <= width - 4.0 {
                let up = if between.is_some() { 8.0 } else { 0.0 };
                c.bold(middle.0, middle.1 - up, Anchor::Middle, 12.5, ink, &label);
            }
            if let Some(between) = between {
                c.text(middle.0, middle.1 + 9.0, Anchor::Middle, 10.5, ink, &between);
            }
        }
    })
}

/// A colour of the map, from the darkest at 0 to the brightest at 1.
fn colour(share: f64) -> Colour {
    let last = CIVIDIS.len() - 1;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = (at as usize).min(last - 1);
    let ((a, b, c), (x, y, z), part) = (CIVIDIS[below], CIVIDIS[below + 1], at - below as f64);
    let mix = |from: f64, to: f64| (from + (to - from) * part).round() as u8;
    RGBAColor(mix(a, x), mix(b, y), mix(c, z), 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2).
    fn luminance(c: Colour) -> f64 {
        let part = |x: u8| {
            let x = f64::from(x) / 255.0;
            if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(c.0) + 0.7152 * part(c.1) + 0.0722 * part(c.2)
    }

    #[test]
    fn lightness_rises_and_every_label_can_be_read() {
        let steps: Vec<f64> = (0..=100).map(|i| luminance(colour(f64::from(i) / 100.0))).collect();
        assert!(steps.is_sorted());
        for (i, step) in steps.iter().enumerate() {
            let ink = if i > 50 { luminance(RGBAColor(16, 16, 16, 1.0)) } else { 1.0 };
            let contrast = (step.max(ink) + 0.05) / (step.min(ink) + 0.05);
            assert!(contrast >= 4.0, "{i}: {contrast}");
        }
    }
}
