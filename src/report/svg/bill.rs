//! The bill, stacked by line, with the loss beneath it.

use super::axis::{Scale, horizontal, ticks};
use super::canvas::{Anchor, Canvas, Colour, INK, PALETTE, SOFT, VERMILION, draw, faded, width_of};
use super::{Chart, Kind};
use crate::experiment::results::{MetricResult, Results, VariantResult};
use crate::metric::{Metric, catalogue};
use crate::report::text::{money, round_money, short};
use crate::report::view::{Period, bill_lines, mean, overall};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 190.0;
const ROW: f64 = 70.0;
/// Lines shown by name; the rest is "other lines".
const NAMED: usize = 6;

/// The chart, where there is a bill.
pub(super) fn chart(results: &Results) -> Option<Chart> {
    let period = Period::of(results);
    let of = |v: &VariantResult, metric: &Metric| mean(v, metric).map_or(0.0, |x| period.scale(x));
    let high = |v: &VariantResult, metric: &Metric| {
        overall(v, metric).and_then(|m| m.ci95).map_or(0.0, |ci| period.scale(ci[1])).max(of(v, metric))
    };
    let shown: Vec<&VariantResult> =
        results.variants.iter().filter(|v| mean(v, &catalogue::COST_BILL).is_some()).collect();
    let most =
        shown.iter().map(|v| high(v, &catalogue::COST_BILL).max(high(v, &catalogue::COST_LOSS))).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let total = |metric: &Metric| shown.iter().map(|v| of(v, metric)).sum::<f64>();
    let mut lines: Vec<&Metric> = bill_lines().filter(|metric| total(metric) > 0.0).collect();
    lines.sort_by(|a, b| total(b).total_cmp(&total(a)));
    lines.truncate(NAMED);
    let colours: [Colour; NAMED] = [PALETTE[0], PALETTE[4], PALETTE[2], PALETTE[3], PALETTE[1], faded(PALETTE[0], 0.5)];
    let top = 46.0;
    let bottom = top + shown.len() as f64 * ROW;
    let svg = draw(WIDTH, bottom + 44.0, &format!("Bill by line, and loss, {}, by variant.", period.phrase()), |c| {
        legend(c, &lines, &colours);
        let scale = Scale { domain: (0.0, most), range: (LEFT, WIDTH - RIGHT) };
        horizontal(c, top, bottom, ticks(0.0, most, 6.0).into_iter().map(|t| (scale.at(t), round_money(t))));
        let title = format!("US dollars {}, mean over seeds with 95 % interval", period.phrase());
        c.text((LEFT + WIDTH - RIGHT) / 2.0, bottom + 32.0, Anchor::Middle, 12.0, SOFT, &title);
        for (row, v) in shown.iter().enumerate() {
            let y = top + row as f64 * ROW + 8.0;
            c.bold(LEFT - 10.0, y + 22.0, Anchor::End, 13.0, INK, &short(&v.name, 22));
            let mut from = 0.0;
            let bill = of(v, &catalogue::COST_BILL);
            let mut parts: Vec<(&str, f64, Colour)> =
                lines.iter().zip(colours).map(|(metric, colour)| (metric.name, of(v, metric), colour)).collect();
            let rest = bill - parts.iter().map(|(_, usd, _)| usd).sum::<f64>();
            parts.push(("cost.other lines", rest.max(0.0), PALETTE[6]));
            for (name, usd, colour) in parts.into_iter().filter(|(_, usd, _)| *usd > 0.0) {
                let (a, b) = (scale.at(from), scale.at(from + usd));
                c.rect(a, y, b - a, 24.0, colour);
                c.hover(&format!("{}: {}", name.trim_start_matches("cost."), money(usd)));
                from += usd;
            }
            amount(c, overall(v, &catalogue::COST_BILL), scale, period, y + 12.0, "bill");
            let loss = of(v, &catalogue::COST_LOSS);
            c.rect(LEFT, y + 28.0, scale.at(loss) - LEFT, 14.0, VERMILION);
            c.hover(&format!("loss: {}", money(loss)));
            amount(c, overall(v, &catalogue::COST_LOSS), scale, period, y + 35.0, "loss");
        }
    });
    Some(Chart {
        file: "bill".into(),
        kind: Kind::Whole,
        title: "What it costs, and what outages cost".into(),
        caption: "Upper bar: the bill by line. Lower bar: the business loss of the outages. Whiskers: 95 % interval of the mean.".into(),
        svg,
    })
}

fn legend(c: &mut Canvas<'_>, lines: &[&Metric], colours: &[Colour]) {
    let mut x = 8.0;
    let named = lines.iter().map(|m| m.name.trim_start_matches("cost.")).zip(colours.iter().copied());
    for (name, colour) in named.chain([("other lines", PALETTE[6]), ("loss", VERMILION)]) {
        c.rect(x, 10.0, 10.0, 10.0, colour);
        c.text(x + 15.0, 15.0, Anchor::Start, 12.0, INK, name);
        x += 15.0 + width_of(name, 12.0) + 16.0;
    }
}

/// The whisker of a sum and the sum beside it.
fn amount(c: &mut Canvas<'_>, m: Option<&MetricResult>, scale: Scale, period: Period, y: f64, what: &str) {
    let Some((m, mean)) = m.and_then(|m| Some((m, period.scale(m.mean?)))) else { return };
    let mut x = scale.at(mean);
    if let Some([low, high]) = m.ci95.map(|ci| ci.map(|x| period.scale(x))) {
        let (a, b) = (scale.at(low), scale.at(high));
        c.line((a, y), (b, y), INK, 1.5);
        c.hover(&format!("{what}: 95 % interval {} to {}", money(low), money(high)));
        for end in [a, b] {
            c.line((end, y - 3.0), (end, y + 3.0), INK, 1.5);
        }
        x = x.max(b);
    }
    c.text(x + 7.0, y, Anchor::Start, 12.0, INK, &format!("{what} {}", money(mean)));
}
