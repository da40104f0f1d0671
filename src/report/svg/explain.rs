//! One seed's year as a picture: a strip of the whole horizon with a mark for each incident, then the worst of them by
//! the minute, each in a panel of its own.

use super::axis::{Scale, ticks};
use super::canvas::{
    AXIS, Anchor, Canvas, Colour, GRID, INK, ON_COLOUR, PALETTE, SOFT, VERMILION, draw, faded, width_of,
};
use super::{Chart, Kind};
use crate::experiment::results::{Series, SpanRow, Timeline};
use crate::report::explain::{Drawn, Explained, Panel};
use crate::report::text::{availability, count, duration, fitting, percent, short};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 74.0;
/// Height of the strip's bars.
const BARS: f64 = 70.0;
const SPAN_ROW: f64 = 20.0;
const STEP_ROW: f64 = 34.0;
/// Most rows of a kind in a panel.
const MOST_SPANS: usize = 8;
const MOST_SERIES: usize = 6;

/// The picture, as a file of its own.
pub(in crate::report) fn picture(explained: &Explained<'_>) -> String {
    let drawn = explained.drawn();
    let panels: Vec<Rows<'_>> = drawn.panels.iter().map(Rows::of).collect();
    let head = title_height(&drawn) + lanes(&drawn) as f64 * 18.0 + BARS + 56.0;
    let height = head + panels.iter().map(|panel| panel.height() + 26.0).sum::<f64>() + 10.0;
    let svg = draw(WIDTH, height, &drawn.description, |c| {
        strip(c, &drawn);
        let mut top = head;
        for (panel, rows) in drawn.panels.iter().zip(&panels) {
            rows.draw(c, panel, top);
            top += rows.height() + 26.0;
        }
    });
    let none = String::new;
    Chart { file: none(), kind: Kind::Timeline, title: none(), caption: none(), svg }.standalone()
}

/// Where the numbers of incidents stand so that none covers another: (position, lane).
fn places(drawn: &Drawn) -> Vec<(f64, usize)> {
    let x = Scale { domain: (0.0, drawn.horizon), range: (LEFT, WIDTH - RIGHT) };
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = vec![(0.0, 0); drawn.marks.len()];
    let mut order: Vec<usize> = (0..drawn.marks.len()).collect();
    order.sort_by(|&a, &b| drawn.marks[a].at.total_cmp(&drawn.marks[b].at));
    for mark in order {
        let at = x.at(drawn.marks[mark].at);
        let lane = ends.iter().position(|end| *end < at - 9.0).unwrap_or(ends.len());
        if lane == ends.len() {
            ends.push(0.0);
        }
        ends[lane] = at + 9.0;
        placed[mark] = (at, lane);
    }
    placed
}

fn lanes(drawn: &Drawn) -> usize {
    places(drawn).iter().map(|(_, lane)| lane + 1).max().unwrap_or(0)
}

fn title_height(drawn: &Drawn) -> f64 {
    40.0 + drawn.subtitle.len() as f64 * 16.0
}

/// The whole horizon: what was lost when, numbered incidents, and ticks for faults that nobody noticed.
fn strip(c: &mut Canvas<'_>, drawn: &Drawn) {
    let x = Scale { domain: (0.0, drawn.horizon), range: (LEFT, WIDTH - RIGHT) };
    let title = |text: &str, size: f64| fitting(text, 200, |text| width_of(text, size) < WIDTH - 16.0);
    c.bold(8.0, 14.0, Anchor::Start, 15.0, INK, &title(&drawn.title, 15.0));
    for (line, sentence) in drawn.subtitle.iter().enumerate() {
        c.text(8.0, 34.0 + line as f64 * 16.0, Anchor::Start, 12.0, SOFT, &title(sentence, 12.0));
    }
    let top = title_height(drawn) + lanes(drawn) as f64 * 18.0;
    let bottom = top + BARS;
    for (at, label) in &drawn.months {
        c.line((x.at(*at), top), (x.at(*at), bottom + 14.0), GRID, 1.0);
        c.text(x.at(*at) + 3.0, bottom + 24.0, Anchor::Start, 10.5, SOFT, label);
    }
    // A bar's height follows the share of all that was lost, by its root: small ones are still seen.
    let most = drawn.bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let width = (WIDTH - LEFT - RIGHT) / drawn.bars.len().max(1) as f64;
    for (at, lost) in drawn.bars.iter().filter(|bar| bar.1 > 0.0) {
        let height = (BARS - 4.0) * (lost / most).sqrt();
        c.rect(x.at(*at), bottom - height, width.max(1.5), height.max(1.0), faded(VERMILION, 0.75));
        c.hover(&format!("{} requests lost", count(lost.round())));
    }
    c.text(LEFT - 10.0, bottom - BARS / 2.0, Anchor::End, 12.0, INK, "requests lost");
    c.text(LEFT - 10.0, bottom + 8.0, Anchor::End, 10.5, SOFT, "faults that nobody noticed");
    c.line((LEFT, bottom), (WIDTH - RIGHT, bottom), AXIS, 1.0);
    for at in &drawn.ticks {
        c.line((x.at(*at), bottom + 3.0), (x.at(*at), bottom + 13.0), faded(INK, 0.35), 1.0);
    }
    if most > 0.0 {
        let text = format!("max {}", count(most.round()));
        c.text(WIDTH - RIGHT + 6.0, top + 4.0, Anchor::Start, 10.5, SOFT, &text);
    }
    for (number, (mark, (at, lane))) in drawn.marks.iter().zip(places(drawn)).enumerate() {
        let y = top - 12.0 - lane as f64 * 18.0;
        c.line((at, y + 8.0), (at, bottom), faded(INK, 0.3), 0.75);
        let is_drawn = number < drawn.panels.len();
        c.dot(at, y, 8.0, if is_drawn { VERMILION } else { faded(VERMILION, 0.4) });
        c.hover(&mark.label);
        let size = if number < 9 { 11.0 } else { 9.0 };
        c.bold(at, y, Anchor::Middle, size, if is_drawn { ON_COLOUR } else { INK }, &(number + 1).to_string());
    }
}

/// What a panel has room for.
struct Rows<'d> {
    /// Rows of spans by their name, and how many more there are.
    spans: Vec<(String, Vec<&'d SpanRow>)>,
    /// Populations that fared alike are one row.
    success: Vec<(String, &'d Series)>,
    ready: Vec<&'d Series>,
}

/// Rows that are alike as one, with the name of the first and how many more there are.
fn alike<T>(all: Vec<T>, is_same: impl Fn(&T, &T) -> bool, name: impl Fn(&T) -> String) -> Vec<(String, T)> {
    let mut rows: Vec<(String, usize, T)> = Vec::new();
    for one in all {
        match rows.iter_mut().find(|row| is_same(&row.2, &one)) {
            Some(row) => row.1 += 1,
            None => rows.push((name(&one), 0, one)),
        }
    }
    let named = |(name, more, row): (String, usize, T)| {
        (if more == 0 { name } else { format!("{} and {more} more", short(&name, 16)) }, row)
    };
    rows.into_iter().map(named).collect()
}

/// By how much a series moves.
fn range(series: &Series) -> (f64, f64) {
    let values = series.steps.iter().map(|step| step.1);
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

impl<'d> Rows<'d> {
    fn of(panel: &'d Panel<'_>) -> Self {
        let t = panel.timeline;
        let mut spans: Vec<(String, Vec<&SpanRow>)> = Vec::new();
        // The incident's own faults first, what else was going on last.
        let is_own = |row: &str| panel.roots.iter().any(|root| root == row);
        let is_done = |row: &str| row.starts_with("failover of ") || row.starts_with("DNS of ");
        for pass in 0..3 {
            for span in t.spans.iter().filter(|span| span.from_s < t.to_s && span.to_s > t.from_s) {
                let rank = if is_own(&span.row) { 0 } else { 2 - u8::from(is_done(&span.row)) };
                if rank != pass {
                    continue;
                }
                match spans.iter_mut().find(|row| row.0 == span.row) {
                    Some(row) => row.1.push(span),
                    None => spans.push((span.row.clone(), vec![span])),
                }
            }
        }
        let is_same = |a: &[&SpanRow], b: &[&SpanRow]| {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| (&a.label, a.from_s, a.to_s) == (&b.label, b.from_s, b.to_s))
        };
        let mut spans = alike(spans, |a, b| is_done(&a.0) && is_same(&a.1, &b.1), |row| row.0.clone());
        spans.truncate(MOST_SPANS);
        let spans = spans.into_iter().map(|(name, row)| (name, row.1)).collect();
        let mut success: Vec<&Series> = t.success.iter().filter(|series| !series.steps.is_empty()).collect();
        success.sort_by(|a, b| range(a).0.total_cmp(&range(b).0));
        let near = |a: f64, b: f64| (a - b).abs() < 0.005;
        let mut success = alike(
            success,
            |a, b| {
                // Steps of one moment may come as several.
                a.steps.len() == b.steps.len()
                    && a.steps.iter().zip(&b.steps).all(|(a, b)| a.0 == b.0 && near(a.1, b.1))
            },
            |series| series.name.clone(),
        );
        success.truncate(MOST_SERIES);
        let moves = |series: &&Series| range(series).1 > range(series).0;
        let mut ready: Vec<&Series> = t.ready.iter().filter(moves).collect();
        ready.sort_by(|a, b| (range(b).1 - range(b).0).total_cmp(&(range(a).1 - range(a).0)));
        ready.truncate(MOST_SERIES - 2);
        Self { spans, success, ready }
    }

    fn height(&self) -> f64 {
        let part = |rows: usize, each: f64| if rows == 0 { 0.0 } else { 18.0 + rows as f64 * each };
        44.0 + self.spans.len() as f64 * SPAN_ROW
            + part(self.success.len(), STEP_ROW)
            + part(self.ready.len(), STEP_ROW)
            + 24.0
    }

    fn draw(&self, c: &mut Canvas<'_>, panel: &Panel<'_>, top: f64) {
        let t = panel.timeline;
        let bottom = top + self.height() - 24.0;
        let x = Scale { domain: (t.from_s, t.to_s), range: (LEFT, WIDTH - RIGHT) };
        c.line((8.0, top), (WIDTH - 8.0, top), GRID, 1.0);
        let fit = |text: &str, size: f64| fitting(text, 200, |text| width_of(text, size) < WIDTH - 16.0);
        c.bold(8.0, top + 14.0, Anchor::Start, 13.0, INK, &fit(&panel.title, 13.0));
        c.text(8.0, top + 31.0, Anchor::Start, 11.5, SOFT, &fit(&panel.costs, 11.5));
        let first = top + 44.0;
        clock(c, panel, x, (first, bottom));
        for (i, (row, spans)) in self.spans.iter().enumerate() {
            bars(c, x, first + i as f64 * SPAN_ROW, row, spans);
        }
        let mut y = first + self.spans.len() as f64 * SPAN_ROW;
        if !self.success.is_empty() {
            c.text(8.0, y + 10.0, Anchor::Start, 11.0, SOFT, "share of requests that succeed");
            y += 18.0;
        }
        for (name, series) in &self.success {
            let least = range(series).0;
            let label = if least >= 1.0 {
                "100 %".to_owned()
            } else if least > 0.9 {
                format!("min {}", availability(least.min(0.999_99)))
            } else {
                format!("min {}", percent(least))
            };
            steps(c, t, (name, series), (x, y, 1.0), PALETTE[2], &label);
            y += STEP_ROW;
        }
        if !self.ready.is_empty() {
            c.text(8.0, y + 10.0, Anchor::Start, 11.0, SOFT, "ready pods");
            y += 18.0;
        }
        for series in &self.ready {
            let (low, high) = range(series);
            steps(
                c,
                t,
                (&series.name, series),
                (x, y, high.max(1.0)),
                PALETTE[0],
                &format!("{} to {}", count(low), count(high)),
            );
            y += STEP_ROW;
        }
    }
}

/// Grid lines with the time since the incident struck.
fn clock(c: &mut Canvas<'_>, panel: &Panel<'_>, x: Scale, (top, bottom): (f64, f64)) {
    let t = panel.timeline;
    let (unit, name) = match t.to_s - t.from_s {
        length if length > 4.0 * 3600.0 => (3600.0, "h"),
        length if length > 240.0 => (60.0, "min"),
        _ => (1.0, "s"),
    };
    let (from, to) = ((t.from_s - panel.since) / unit, (t.to_s - panel.since) / unit);
    for mark in ticks(from, to, 9.0) {
        let px = x.at(panel.since + mark * unit);
        let colour = if mark == 0.0 { AXIS } else { GRID };
        c.line((px, top - 3.0), (px, bottom), colour, 1.0);
        let label = if mark == 0.0 {
            "it strikes".to_owned()
        } else {
            format!("{}{} {name}", if mark > 0.0 { "+" } else { "" }, count(mark))
        };
        c.text(px, bottom + 11.0, Anchor::Middle, 10.5, SOFT, &label);
    }
}

fn colour_of(label: &str, row: &str) -> Colour {
    match label {
        "detect" => PALETTE[5],
        "decide" => PALETTE[1],
        "promote" => PALETTE[3],
        "old answers" => PALETTE[4],
        _ if row.starts_with("failover of ") => PALETTE[2],
        _ => VERMILION,
    }
}

fn bars(c: &mut Canvas<'_>, x: Scale, y: f64, row: &str, spans: &[&SpanRow]) {
    // The bars say the fault's name; the row is its target.
    let row_name = spans.first().and_then(|span| row.strip_prefix(&format!("{}: ", span.label))).unwrap_or(row);
    let name = fitting(row_name, 60, |text| width_of(text, 11.0) < LEFT - 14.0);
    c.text(LEFT - 8.0, y + 7.0, Anchor::End, 11.0, INK, &name);
    let mut key = spans.iter().map(|span| x.at(span.to_s)).fold(LEFT, f64::max) + 8.0;
    for span in spans {
        let (a, b) = (x.at(span.from_s), x.at(span.to_s));
        let colour = colour_of(&span.label, row);
        c.rect(a, y, (b - a).max(1.5), 14.0, colour);
        let text = format!("{} {}", short(&span.label, 30), duration(span.to_s - span.from_s));
        c.hover(&text);
        if width_of(&text, 10.5) < b - a - 4.0 {
            c.bold(a + 4.0, y + 7.0, Anchor::Start, 10.5, ON_COLOUR, &text);
        } else if spans.len() <= 6 && key + 12.0 + width_of(&text, 10.0) < WIDTH - 8.0 {
            c.rect(key, y + 3.0, 8.0, 8.0, colour);
            c.text(key + 11.0, y + 7.0, Anchor::Start, 10.0, INK, &text);
            key += 11.0 + width_of(&text, 10.0) + 6.0;
        }
    }
}

fn steps(
    c: &mut Canvas<'_>,
    t: &Timeline,
    (name, series): (&str, &Series),
    (x, top, most): (Scale, f64, f64),
    colour: Colour,
    label: &str,
) {
    let y = Scale { domain: (0.0, most), range: (top + STEP_ROW - 8.0, top) };
    let name = fitting(name, 60, |text| width_of(text, 11.0) < LEFT - 14.0);
    c.text(LEFT - 8.0, top + STEP_ROW / 2.0 - 4.0, Anchor::End, 11.0, INK, &name);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (i, (at, value)) in series.steps.iter().enumerate() {
        let until = series.steps.get(i + 1).map_or(t.to_s, |next| next.0);
        line.extend([(x.at(*at), y.at(*value)), (x.at(until), y.at(*value))]);
    }
    let (Some(first), Some(last)) = (line.first().copied(), line.last().copied()) else { return };
    let floor = y.at(0.0);
    let area: Vec<_> = [(first.0, floor)].into_iter().chain(line.iter().copied()).chain([(last.0, floor)]).collect();
    c.area(&area, faded(colour, 0.22));
    c.hover(&short(&series.name, 60));
    c.path(&line, colour, 1.5);
    c.line((LEFT, floor), (WIDTH - RIGHT, floor), AXIS, 0.5);
    c.text(WIDTH - RIGHT + 6.0, top + STEP_ROW / 2.0 - 4.0, Anchor::Start, 10.5, SOFT, label);
}
