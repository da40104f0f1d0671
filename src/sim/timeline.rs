//! One bad day of one seed, for a picture: success by population, ready pods, faults, what controllers did.

use super::log::{Deed, Log};
use super::memo::Memo;
use super::tally::Rough;
use crate::base::Id;
use crate::domain::Cluster;
use crate::domain::timeline::{Mark, Series, SpanRow, Timeline};
use crate::plan::Plan;

/// Draws up the timeline between two times, in seconds from the start of the horizon.
pub(super) fn draw(
    plan: &Plan,
    memo: &Memo,
    trace: &[(Id<Cluster>, Rough)],
    log: &Log,
    seed: u32,
    (from_s, to_s): (f64, f64),
) -> Timeline {
    let origin = plan.warm_up.secs();
    let (success, ready) = series(plan, memo, trace, (from_s, to_s));
    let mut spans: Vec<SpanRow> = log
        .held
        .iter()
        .map(|held| (held, held.from.secs() - origin, held.to.secs() - origin))
        .filter(|&(_, from, to)| from < to_s && to > from_s)
        .map(|(held, from, to)| SpanRow {
            row: plan.roots[held.root].label(),
            label: plan.roots[held.root].fault.clone(),
            from_s: from,
            to_s: to,
        })
        .collect();
    let mut marks = Vec::new();
    controllers(plan, log, (from_s, to_s), &mut spans, &mut marks);
    for (population, own) in plan.populations.iter_enumerated() {
        for (at, answer) in &log.answers[population.index()] {
            let at = at.secs() - origin;
            if at > from_s && at <= to_s {
                let names: Vec<&str> =
                    answer.iter().map(|&(cluster, _)| plan.clusters[cluster].name.as_str()).collect();
                marks.push(Mark { at_s: at, label: format!("{} → {}", own.name, names.join(", ")) });
                let tail = plan.routing.expiry.ends(false);
                span(&mut spans, &format!("DNS of {}", own.name), "old answers", at, at + tail);
            }
        }
    }
    spans.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    Timeline { seed, from_s, to_s, success, ready, spans, marks }
}

/// Success by population and ready pods by cluster, in steps.
fn series(
    plan: &Plan,
    memo: &Memo,
    trace: &[(Id<Cluster>, Rough)],
    (from_s, to_s): (f64, f64),
) -> (Vec<Series>, Vec<Series>) {
    let origin = plan.warm_up.secs();
    let within = |from: f64, to: f64| from < to_s && to > from_s;
    let mut stays: Vec<_> = trace
        .iter()
        .map(|(cluster, rough)| (rough.stay.from.secs() - origin, rough.stay.to.secs() - origin, *cluster, rough))
        .filter(|&(from, to, ..)| within(from, to))
        .collect();
    stays.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    let mut times: Vec<f64> = stays.iter().flat_map(|stay| [stay.0.max(from_s), stay.1.min(to_s)]).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();

    let mut success: Vec<Series> =
        plan.populations.iter().map(|p| Series { name: p.name.clone(), steps: Vec::new() }).collect();
    let mut ready: Vec<Series> =
        plan.clusters.iter().map(|c| Series { name: c.name.clone(), steps: Vec::new() }).collect();
    let mut live: Vec<usize> = Vec::new();
    let mut next = 0;
    for &at in times.iter().filter(|&&at| at < to_s) {
        live.retain(|&stay| stays[stay].1 > at);
        while next < stays.len() && stays[next].0 <= at {
            if stays[next].1 > at {
                live.push(next);
            }
            next += 1;
        }
        let mut sums = vec![(0.0, 0.0); plan.populations.len()];
        for &stay in &live {
            let (_, _, cluster, rough) = stays[stay];
            let solution = memo.solution(rough.stay.solution);
            for (cell, rate) in memo.outcome_of(rough.stay.solution).cells.iter().zip(solution.rates) {
                let sum = &mut sums[cell.population.index()];
                sum.0 += rate * cell.success;
                sum.1 += rate;
            }
            let pods: u32 = solution.stations.iter().map(|station| station.ready).sum();
            push(&mut ready[cluster.index()].steps, at, f64::from(pods));
        }
        for (series, (good, all)) in success.iter_mut().zip(sums) {
            if all > 0.0 {
                push(&mut series.steps, at, good / all);
            }
        }
    }
    (success, ready)
}

/// What the controllers did to each cluster: rows of stages, and moments.
fn controllers(plan: &Plan, log: &Log, (from_s, to_s): (f64, f64), spans: &mut Vec<SpanRow>, marks: &mut Vec<Mark>) {
    let origin = plan.warm_up.secs();
    for (cluster, own) in plan.clusters.iter_enumerated() {
        let row = format!("failover of {}", own.name);
        let mut open: Option<(f64, &str)> = None;
        let faults: Vec<f64> = spans.iter().map(|span| span.from_s).collect();
        for &(at, deed) in &log.deeds {
            let at = at.secs() - origin;
            if at < from_s || at > to_s {
                continue;
            }
            let label = match deed {
                Deed::Detected(other) if other == cluster => {
                    // Detection began with the last fault before it.
                    if let Some(fault) = faults.iter().copied().filter(|&fault| fault <= at).reduce(f64::max) {
                        span(spans, &row, "detect", fault, at);
                    }
                    open = Some((at, "decide"));
                    "detected"
                }
                Deed::Decided(other) if other == cluster => {
                    if let Some((since, stage)) = open {
                        span(spans, &row, stage, since, at);
                    }
                    open = Some((at, "promote"));
                    "decided"
                }
                Deed::Promoted(other) if other == cluster => {
                    if let Some((since, stage)) = open.take() {
                        span(spans, &row, stage, since, at);
                    }
                    "promoted"
                }
                Deed::Recovered(other) if other == cluster => {
                    open = None;
                    "healthy again"
                }
                Deed::FailedBack(other) if other == cluster => "failed back",
                Deed::Detected(_) | Deed::Decided(_) | Deed::Promoted(_) | Deed::Recovered(_) | Deed::FailedBack(_) => {
                    continue;
                }
            };
            let label = format!("{}: {label}", own.name);
            if marks.last().is_none_or(|mark: &Mark| mark.label != label || mark.at_s != at) {
                marks.push(Mark { at_s: at, label });
            }
        }
    }
}

fn span(spans: &mut Vec<SpanRow>, row: &str, label: &str, from_s: f64, to_s: f64) {
    if to_s > from_s && !spans.iter().any(|other| other.row == row && other.label == label && other.from_s == from_s) {
        spans.push(SpanRow { row: row.to_owned(), label: label.to_owned(), from_s, to_s });
    }
}

fn push(steps: &mut Vec<(f64, f64)>, at: f64, value: f64) {
    match steps.last_mut() {
        Some(last) if last.1 == value => {}
        Some(last) if last.0 == at => last.1 = value,
        Some(_) | None => steps.push((at, value)),
    }
}
