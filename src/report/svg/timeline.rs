//! One bad day: what failed, what the failover did, who noticed.

use super::axis::{Scale, ticks};
use super::canvas::{
    AXIS, Anchor, Canvas, Colour, GRID, INK, ON_COLOUR, PALETTE, SOFT, VERMILION, draw, faded, width_of,
};
use super::{Chart, Kind};
use crate::experiment::results::{Series, Timeline, VariantResult};
use crate::report::text::{availability, count, duration, short};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 100.0;
const STEP_ROW: f64 = 46.0;
const SPAN_ROW: f64 = 24.0;

fn span_colour(label: &str) -> Colour {
    match label {
        "detect" => PALETTE[5],
        "decide" => PALETTE[1],
        "promote" => PALETTE[3],
        "route" => PALETTE[4],
        "scale" => PALETTE[2],
        "dns" | "dns-tail" => PALETTE[0],
        "degraded" => faded(VERMILION, 0.5),
        "down" => VERMILION,
        _ => PALETTE[6],
    }
}

/// The chart, where a seed had a bad day.
pub(super) fn chart(variant: &VariantResult, file: &str) -> Option<Chart> {
    let t = variant.timeline.as_ref().filter(|t| t.to_s > t.from_s)?;
    let mut rows: Vec<&str> = Vec::new();
    for span in &t.spans {
        if !rows.contains(&span.row.as_str()) {
            rows.push(&span.row);
        }
    }
    let marks = mark_rows(t);
    let tiers = marks.iter().map(|(_, _, tier)| tier + 1).max().unwrap_or(0);
    let top = 10.0 + tiers as f64 * 17.0;
    let spans_end = top + rows.len() as f64 * SPAN_ROW + 12.0;
    let users_end = spans_end + if t.success.is_empty() { 0.0 } else { 24.0 } + t.success.len() as f64 * STEP_ROW;
    let bottom = users_end + if t.ready.is_empty() { 0.0 } else { 24.0 } + t.ready.len() as f64 * STEP_ROW;
    let name = short(&variant.name, 60);
    let svg = draw(WIDTH, bottom + 44.0, &format!("Timeline of one bad day of {name}."), |c| {
        let x = Scale { domain: (t.from_s, t.to_s), range: (LEFT, WIDTH - RIGHT) };
        clock(c, t, x, top, bottom);
        for (at, label, tier) in &marks {
            let px = x.at(*at);
            let y = top - 8.0 - *tier as f64 * 17.0;
            c.dashes((px, y + 5.0), (px, bottom), faded(INK, 0.45), 1.0);
            let (anchor, dx) =
                if px + width_of(label, 11.5) > WIDTH - 6.0 { (Anchor::End, -3.0) } else { (Anchor::Start, 3.0) };
            c.bold(px + dx, y, anchor, 11.5, INK, label);
        }
        for (i, row) in rows.iter().enumerate() {
            let y = top + 6.0 + i as f64 * SPAN_ROW;
            c.text(LEFT - 10.0, y + 8.0, Anchor::End, 12.0, INK, &short(row, 26));
            let here = || t.spans.iter().filter(|s| s.row == *row);
            let mut key = here().map(|s| x.at(s.to_s)).fold(LEFT, f64::max) + 10.0;
            let crowded = here().count() > 8;
            for span in here() {
                let (a, b) = (x.at(span.from_s), x.at(span.to_s));
                c.rect(a, y, (b - a).max(1.5), 16.0, span_colour(&span.label));
                c.hover(&format!("{}: {}", short(&span.label, 60), duration(span.to_s - span.from_s)));
                let text = format!("{} {}", short(&span.label, 24), duration(span.to_s - span.from_s));
                if width_of(&text, 11.0) < b - a - 4.0 {
                    c.bold(a + 5.0, y + 8.0, Anchor::Start, 11.0, ON_COLOUR, &text);
                } else if !crowded && key + 14.0 + width_of(&text, 10.5) < WIDTH - RIGHT {
                    // Too short for words: they follow the row's last bar, with its colour.
                    c.rect(key, y + 4.0, 8.0, 8.0, span_colour(&span.label));
                    c.text(key + 11.0, y + 8.0, Anchor::Start, 10.5, INK, &text);
                    key += 11.0 + width_of(&text, 10.5) + 6.0;
                }
            }
        }
        if !t.success.is_empty() {
            c.text(8.0, spans_end + 10.0, Anchor::Start, 11.5, SOFT, "share of requests that succeed");
        }
        for (i, series) in t.success.iter().enumerate() {
            let y = spans_end + 24.0 + i as f64 * STEP_ROW;
            steps(
                c,
                series,
                t,
                x,
                y,
                1.0,
                PALETTE[2],
                |least| {
                    format!(
                        "min {}",
                        if least >= 1.0 {
                            "100 %".into()
                        } else if least > 0.99999 {
                            "≥ 99.999 %".into()
                        } else if least > 0.9 {
                            availability(least)
                        } else {
                            format!("{:.0} %", least * 100.0)
                        }
                    )
                },
                true,
            );
        }
        if !t.ready.is_empty() {
            c.text(8.0, users_end + 10.0, Anchor::Start, 11.5, SOFT, "ready pods");
        }
        for (i, series) in t.ready.iter().enumerate() {
            let y = users_end + 24.0 + i as f64 * STEP_ROW;
            let most = series.steps.iter().map(|(_, v)| *v).fold(1.0, f64::max);
            steps(c, series, t, x, y, most, PALETTE[0], |most| format!("max {}", count(most)), false);
        }
    });
    Some(Chart {
        file: file.into(),
        kind: Kind::Timeline,
        title: name,
        caption: format!(
            "Seed {}, from {} into the horizon. Above: faults and the stages of failover; below: who was served, and the pods \
             that served them. Time runs from the window's start.",
            t.seed,
            duration(t.from_s)
        ),
        svg,
    })
}

/// Marks with a tier each, so that no label runs into the next.
fn mark_rows(t: &Timeline) -> Vec<(f64, String, usize)> {
    let scale = Scale { domain: (t.from_s, t.to_s), range: (LEFT, WIDTH - RIGHT) };
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = Vec::new();
    for mark in t.marks.iter().filter(|m| (t.from_s..=t.to_s).contains(&m.at_s)).take(12) {
        let label = short(&mark.label, 44);
        let x = scale.at(mark.at_s);
        let width = width_of(&label, 11.5);
        let start = if x + width > WIDTH - 6.0 { x - width } else { x };
        let tier = ends.iter().position(|end| *end < start).unwrap_or(ends.len());
        if tier == ends.len() {
            ends.push(0.0);
        }
        ends[tier] = start + width + 10.0;
        placed.push((mark.at_s, label, tier));
    }
    placed
}

fn clock(c: &mut Canvas<'_>, t: &Timeline, x: Scale, top: f64, bottom: f64) {
    let length = t.to_s - t.from_s;
    let (unit, name) = match length {
        _ if length > 4.0 * 3600.0 => (3600.0, "h"),
        _ if length > 240.0 => (60.0, "min"),
        _ => (1.0, "s"),
    };
    for mark in ticks(0.0, length / unit, 9.0) {
        let px = x.at(t.from_s + mark * unit);
        c.line((px, top), (px, bottom), GRID, 1.0);
        c.text(px, bottom + 13.0, Anchor::Middle, 11.0, SOFT, &format!("{} {name}", count(mark)));
    }
}

#[expect(clippy::too_many_arguments, reason = "a row of steps has a place, a scale and a look")]
fn steps(
    c: &mut Canvas<'_>,
    series: &Series,
    t: &Timeline,
    x: Scale,
    top: f64,
    most: f64,
    colour: Colour,
    label: impl Fn(f64) -> String,
    least_matters: bool,
) {
    let y = Scale { domain: (0.0, most), range: (top + STEP_ROW - 10.0, top) };
    c.text(LEFT - 10.0, top + STEP_ROW / 2.0 - 5.0, Anchor::End, 12.0, INK, &short(&series.name, 26));
    let mut line = Vec::new();
    let mut shown: Vec<f64> = Vec::new();
    for (i, (at, value)) in series.steps.iter().enumerate() {
        let until = series.steps.get(i + 1).map_or(t.to_s, |next| next.0);
        if until < t.from_s || *at > t.to_s {
            continue;
        }
        shown.push(*value);
        line.push((x.at(*at), y.at(*value)));
        line.push((x.at(until), y.at(*value)));
    }
    let (Some(first), Some(last)) = (line.first().copied(), line.last().copied()) else { return };
    let floor = y.at(0.0);
    let mut area = vec![(first.0, floor)];
    area.extend(&line);
    area.push((last.0, floor));
    c.area(&area, faded(colour, 0.22));
    c.hover(&short(&series.name, 60));
    c.path(&line, colour, 1.75);
    c.line((LEFT, floor), (WIDTH - RIGHT, floor), AXIS, 0.5);
    let pick = |a: f64, b: f64| if least_matters { a.min(b) } else { a.max(b) };
    let extreme = shown.into_iter().reduce(pick).unwrap_or(0.0);
    c.text(WIDTH - RIGHT + 6.0, top + STEP_ROW / 2.0 - 5.0, Anchor::Start, 11.0, SOFT, &label(extreme));
}
