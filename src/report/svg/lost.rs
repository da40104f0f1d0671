//! Where the minutes went: lost requests by stage and root, as minutes of total outage at the mean rate.

use super::axis::{Scale, horizontal, ticks};
use super::canvas::{AXIS, Anchor, Canvas, Colour, INK, PALETTE, SOFT, draw, faded, width_of};
use super::{Chart, Kind};
use crate::domain::Stage;
use crate::experiment::results::{Results, VariantResult};
use crate::metric::{Dims, catalogue};
use crate::report::text::{duration, percent, short};
use crate::report::view::{Period, mean};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 90.0;
const ROW: f64 = 21.0;
const ROOTS: usize = 4;

/// A stage keeps its colour in every chart.
pub(super) fn stage_colour(stage: Stage) -> Colour {
    match stage {
        Stage::Undetected => PALETTE[5],
        Stage::Deciding => PALETTE[1],
        Stage::Promoting => PALETTE[3],
        Stage::Propagating => PALETTE[4],
        Stage::RoutingDown => faded(PALETTE[4], 0.5),
        Stage::StaleDns => PALETTE[0],
        Stage::NoTarget => PALETTE[6],
        Stage::Overload => PALETTE[2],
        Stage::Timeout => faded(PALETTE[2], 0.5),
        Stage::Errors => faded(PALETTE[5], 0.5),
        Stage::Residency => faded(PALETTE[3], 0.5),
        Stage::QuorumLost => faded(PALETTE[1], 0.5),
        Stage::Partition => faded(PALETTE[0], 0.5),
        Stage::ReadOnly => faded(PALETTE[1], 0.25),
        Stage::StaticAddress => faded(PALETTE[0], 0.25),
        Stage::Dependency => faded(PALETTE[6], 0.5),
    }
}

/// One bar: a root and its seconds by stage.
struct Bar {
    root: String,
    parts: Vec<(Stage, f64)>,
}

impl Bar {
    fn total(&self) -> f64 {
        self.parts.iter().map(|(_, seconds)| seconds).sum()
    }

    fn add(&mut self, stage: Stage, seconds: f64) {
        match self.parts.iter_mut().find(|(s, _)| *s == stage) {
            Some((_, sum)) => *sum += seconds,
            None => self.parts.push((stage, seconds)),
        }
    }
}

/// The largest roots first, the rest as one.
fn bars(variant: &VariantResult, period: Period) -> Vec<Bar> {
    let Some(offered) = mean(variant, &catalogue::REQUESTS_OFFERED).filter(|x| *x > 0.0) else { return Vec::new() };
    let mut bars: Vec<Bar> = Vec::new();
    for m in variant.metrics.iter().filter(|m| m.metric == catalogue::REQUESTS_LOST.name) {
        let Dims {
            population: None,
            journey: None,
            cluster: None,
            service: None,
            store: None,
            stage,
            root,
            month: None,
        } = &m.dims
        else {
            continue;
        };
        let (Some(stage), Some(root), Some(lost)) = (stage, root, m.mean.filter(|x| *x > 0.0)) else { continue };
        let seconds = lost / offered * period.seconds();
        // A root is "fault: target"; one bar takes a fault's targets together.
        let fault = root.rsplit_once(": ").map_or(root.as_str(), |(fault, _)| fault);
        match bars.iter_mut().find(|bar| bar.root == fault) {
            Some(bar) => bar.add(*stage, seconds),
            None => bars.push(Bar { root: fault.to_owned(), parts: vec![(*stage, seconds)] }),
        }
    }
    bars.sort_by(|a, b| b.total().total_cmp(&a.total()));
    if bars.len() > ROOTS + 1 {
        let rest = bars.split_off(ROOTS);
        let mut other = Bar { root: format!("{} others", rest.len()), parts: Vec::new() };
        for (stage, seconds) in rest.iter().flat_map(|bar| &bar.parts) {
            other.add(*stage, *seconds);
        }
        bars.push(other);
    }
    for bar in &mut bars {
        bar.parts.sort_by_key(|(stage, _)| *stage);
    }
    bars
}

/// The chart, where any request was lost.
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let period = Period::of(results);
    let groups: Vec<(&VariantResult, Vec<Bar>)> = results.variants.iter().map(|v| (v, bars(v, period))).collect();
    let longest = groups.iter().flat_map(|(_, bars)| bars).map(Bar::total).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let used: Vec<Stage> = Stage::ALL
        .iter()
        .copied()
        .filter(|s| groups.iter().flat_map(|(_, bars)| bars).any(|bar| bar.parts.iter().any(|(p, _)| p == s)))
        .collect();
    let (legend, top) = place_legend(&used);
    let rows: usize = groups.iter().map(|(_, bars)| bars.len().max(1)).sum();
    let bottom = top + rows as f64 * ROW + groups.len() as f64 * 30.0;
    let description = format!("Minutes lost {} by variant, root fault and stage.", period.phrase());
    let svg = draw(WIDTH, bottom + 44.0, &description, |c| {
        for (stage, x, y) in &legend {
            c.rect(*x, y - 5.0, 10.0, 10.0, stage_colour(*stage));
            c.text(x + 15.0, *y, Anchor::Start, 12.0, INK, stage.label());
        }
        let scale = Scale { domain: (0.0, longest), range: (LEFT, WIDTH - RIGHT) };
        let unit = if longest >= 7200.0 * 2.0 {
            3600.0
        } else if longest >= 120.0 {
            60.0
        } else {
            1.0
        };
        let name = if unit == 3600.0 {
            "hours"
        } else if unit == 60.0 {
            "minutes"
        } else {
            "seconds"
        };
        let marks =
            ticks(0.0, longest / unit, 7.0).into_iter().map(|t| (scale.at(t * unit), crate::report::text::count(t)));
        horizontal(c, top, bottom, marks);
        let title = format!("{name} of total outage {}, mean over seeds", period.phrase());
        c.text((LEFT + WIDTH - RIGHT) / 2.0, bottom + 32.0, Anchor::Middle, 12.0, SOFT, &title);
        let mut y = top + 18.0;
        for (variant, bars) in &groups {
            y = group(c, variant, bars, scale, y);
        }
    });
    Some(Chart {
        file: "lost-minutes".into(),
        kind: Kind::Whole,
        title: "Where the minutes went".into(),
        caption: "Requests lost, as time of total outage at the mean rate, by the fault at their root (rows) and the stage \
                  of the failure (colours). The first failing hop sets the stage, and the fault that made it fail is the \
                  root: a convention, not a counterfactual."
            .into(),
        svg,
    })
}

fn place_legend(used: &[Stage]) -> (Vec<(Stage, f64, f64)>, f64) {
    let (mut x, mut y) = (8.0, 14.0);
    let mut places = Vec::new();
    for stage in used {
        let width = 15.0 + width_of(stage.label(), 12.0) + 16.0;
        if x + width > WIDTH {
            (x, y) = (8.0, y + 20.0);
        }
        places.push((*stage, x, y));
        x += width;
    }
    (places, y + 20.0)
}

/// The three stages that cost most: readable where the bars are too short to be.
fn chief_stages(bars: &[Bar], total: f64) -> String {
    let mut sum = Bar { root: String::new(), parts: Vec::new() };
    for (stage, seconds) in bars.iter().flat_map(|bar| &bar.parts) {
        sum.add(*stage, *seconds);
    }
    sum.parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shares = sum.parts.iter().take(3).map(|(stage, s)| format!("{} {}", percent(s / total), stage.label()));
    shares.collect::<Vec<_>>().join(" · ")
}

fn group(c: &mut Canvas<'_>, variant: &VariantResult, bars: &[Bar], scale: Scale, top: f64) -> f64 {
    let total: f64 = bars.iter().map(Bar::total).sum();
    c.bold(8.0, top, Anchor::Start, 13.0, INK, &short(&variant.name, 40));
    c.bold(WIDTH - 8.0, top, Anchor::End, 13.0, INK, &duration(total));
    let name_end = 8.0 + width_of(&short(&variant.name, 40), 13.5) + 12.0;
    c.text(name_end.max(LEFT), top, Anchor::Start, 11.5, SOFT, &chief_stages(bars, total));
    c.line((8.0, top + 11.0), (WIDTH - 8.0, top + 11.0), AXIS, 0.5);
    let mut y = top + 15.0;
    if bars.is_empty() {
        c.text(LEFT + 6.0, y + ROW / 2.0, Anchor::Start, 12.0, SOFT, "nothing lost");
        y += ROW;
    }
    for bar in bars {
        c.text(LEFT - 8.0, y + ROW / 2.0, Anchor::End, 12.0, INK, &short(&bar.root, 30));
        let mut from = 0.0;
        for (stage, seconds) in &bar.parts {
            let (a, b) = (scale.at(from), scale.at(from + seconds));
            c.rect(a, y + 3.0, b - a, ROW - 6.0, stage_colour(*stage));
            c.hover(&format!("{}: {}, {}", short(&bar.root, 60), stage.label(), duration(*seconds)));
            from += seconds;
        }
        c.text(scale.at(from) + 6.0, y + ROW / 2.0, Anchor::Start, 11.0, SOFT, &duration(from));
        y += ROW;
    }
    y + 15.0
}
