//! Availability against the bill: which designs no other beats, and by how much one pays for a nine.

use super::axis::{Scale, horizontal, log10, ticks};
use super::canvas::{AXIS, Anchor, GRID, INK, PALETTE, SOFT, draw, faded};
use super::labels::{Labels, groups, size_of};
use super::{Chart, Kind};
use crate::experiment::results::{MetricResult, Results};
use crate::metric::catalogue;
use crate::report::text::{availability, duration, interval, money, round_availability, round_money, short};
use crate::report::verdict::break_even_is_shown;
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
    // Places, not lengths: where the bills are alike, the axis needn't begin at nothing.
    let cheapest = points.iter().flat_map(|p| ends(p.2)).map(|x| period.scale(x)).fold(most, f64::min);
    let range = most - cheapest;
    let low = if cheapest < range { 0.0 } else { (cheapest - 0.3 * range.max(0.02 * most)).max(0.0) };
    let high = most + 0.3 * range.max(0.02 * most);
    let dear = Scale { domain: (low, high), range: (LEFT, WIDTH - RIGHT) };
    let good = Scale { domain: (log10(floor), log10(worst)), range: (TOP + 10.0, BOTTOM) };
    let y_of = |share: f64| good.at(log10(missing(share).max(floor)));
    let svg = draw(WIDTH, HEIGHT, "Availability against yearly bill, by variant, with 95 % intervals.", |c| {
        horizontal(c, TOP, BOTTOM, ticks(low, high, 7.0).into_iter().map(|t| (dear.at(t), round_money(t))));
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
        c.text(LEFT + 10.0, TOP - 10.0, Anchor::Start, 11.5, SOFT, "↑ more available, ← cheaper");
        let places: Vec<(f64, f64)> =
            points.iter().map(|p| (dear.at(bill_of(p.2)), y_of(p.3.mean.unwrap_or(0.0)))).collect();
        let mut labels = Labels::new([LEFT, TOP + 12.0, WIDTH, BOTTOM]);
        let is_front = |i: usize| results.pareto.iter().any(|name| name == points[i].1);
        let mut front: Vec<usize> = (0..points.len()).filter(|&i| is_front(i)).collect();
        front.sort_by(|&a, &b| places[a].0.total_cmp(&places[b].0));
        for two in front.windows(2) {
            c.dashes(places[two[0]], places[two[1]], AXIS, 1.25);
            labels.keep_line_clear(places[two[0]], places[two[1]]);
        }
        for (i, (place, name, bill, share)) in points.iter().enumerate() {
            let colour = PALETTE[place % PALETTE.len()];
            let (x, y) = places[i];
            if let Some([low, high]) = bill.ci95.map(|ci| ci.map(|usd| period.scale(usd))) {
                c.line((dear.at(low), y), (dear.at(high), y), colour, 2.0);
                c.hover(&format!("{}: bill, 95 % interval {}", short(name, 60), interval(&money(low), &money(high))));
                labels.keep_line_clear((dear.at(low), y), (dear.at(high), y));
            }
            if let Some([low, high]) = share.ci95 {
                c.line((x, y_of(low)), (x, y_of(high)), colour, 2.0);
                let ends = interval(&availability(low), &availability(high.min(1.0)));
                c.hover(&format!("{}: availability, 95 % interval {ends}", short(name, 60)));
                labels.keep_line_clear((x, y_of(low)), (x, y_of(high)));
            }
            c.dot(x, y, 6.5, colour);
            c.hover(&format!(
                "{}: {}, {}",
                short(name, 60),
                availability(share.mean.unwrap_or(0.0)),
                money(bill_of(bill))
            ));
            if is_front(i) {
                c.ring(x, y, 10.0, faded(INK, 0.7), 1.5);
            }
            labels.keep_clear((x, y), 11.0);
        }
        for group in groups(&places, |_, _| true) {
            let names: Vec<String> = group.iter().map(|&i| short(points[i].1, 30)).collect();
            let all = |show: &dyn Fn(usize) -> String| {
                let mut shown: Vec<String> = group.iter().map(|&i| show(i)).collect();
                shown.dedup();
                shown.join(", ")
            };
            let shares = all(&|i| availability(points[i].3.mean.unwrap_or(0.0)));
            let label = names.join(", ");
            let figures = format!("{shares} · {}", all(&|i| money(bill_of(points[i].2))));
            let (x, y) = labels.place(places[group[0]], 14.0, size_of(&[(&label, 13.0), (&figures, 11.5)]));
            c.bold(x, y - 7.0, Anchor::Start, 13.0, INK, &label);
            c.text(x, y + 8.0, Anchor::Start, 11.5, SOFT, &figures);
        }
        for two in front.windows(2) {
            let Some(text) = pays(results, points[two[0]].1, points[two[1]].1) else { continue };
            let (from, to) = (places[two[0]], places[two[1]]);
            let middle = (from.0.midpoint(to.0), from.1.midpoint(to.1));
            let (x, y) = labels.place(middle, 8.0, size_of(&[(&text, 11.0)]));
            c.text(x, y, Anchor::Start, 11.0, SOFT, &text);
        }
    });
    Some(Chart {
        file: "tradeoff".into(),
        kind: Kind::Whole,
        title: "What a nine costs".into(),
        caption: "Availability (logarithmic in what is lost) against the bill; crosses are 95 % intervals of the means. \
                  Ringed: on the Pareto front of availability, bill and latency, so no other variant is at least as good at \
                  all three. Between two of them: the cost of a minute of total outage above which the dearer one pays, where a \
                  difference in availability is shown."
            .into(),
        svg,
    })
}

/// When the dearer of two designs pays, where the results say so.
fn pays(results: &Results, cheaper: &str, dearer: &str) -> Option<String> {
    let pair = results.break_even.iter().find(|b| b.dearer == dearer && b.cheaper == cheaper)?;
    let usd = pair.usd_per_minute?;
    let is_shown = break_even_is_shown(results, pair);
    Some(if is_shown { format!("pays above {} a minute", money(usd)) } else { "no difference shown".into() })
}
