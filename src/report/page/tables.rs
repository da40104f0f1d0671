//! The tables under "In figures", but for those by population and journey.

use super::breakdown;
use super::table::{Cell, Table, cell, figure, heads, maybe, noted, side_by_side, with_interval};
use crate::domain::Stage;
use crate::experiment::drill::Outcome;
use crate::experiment::results::{BreakEven, Grid, Results};
use crate::metric::{Unit, catalogue};
use crate::report::Mode;
use crate::report::text::{YEAR_S, availability, count, duration, interval, money, percent, short, significant, value};
use crate::report::verdict::break_even_is_shown;
use crate::report::view::{Period, bill_lines, is_overall, overall};
use crate::stats::Verdict;

/// Every table of a run or a comparison.
pub(super) fn tables(results: &Results, mode: Mode) -> Vec<Table> {
    let mut all = vec![breakdown::by_population(results), breakdown::by_journey(results), breakdown::by_both(results)];
    all.extend([recovery(results), money_table(results), posture(results), outages(results)]);
    if mode == Mode::Compare {
        all.extend([comparisons(results), break_even(results)]);
    }
    all.into_iter().flatten().collect()
}

fn recovery(results: &Results) -> Option<Table> {
    side_by_side(
        results,
        "Recovery: time and data lost",
        "Over outages that failover ended; the stages of rto.service add up, and rto.dns-tail leads on to rto.users.",
        "stage",
        |m| {
            let about =
                m.metric.starts_with("rto.") || ["rpo.seconds", "writes.lost", "resync.seconds"].contains(&&*m.metric);
            (about && is_overall(&m.dims)).then(|| m.metric.clone())
        },
        value,
    )
}

fn money_table(results: &Results) -> Option<Table> {
    let period = Period::of(results);
    let lines: Vec<&str> = bill_lines().map(|metric| metric.name).collect();
    side_by_side(
        results,
        "The bill and the loss",
        &format!("US dollars {}; mean over seeds, 95 % interval beneath.", period.phrase()),
        "line",
        |m| {
            let wanted = lines.contains(&m.metric.as_str())
                || m.metric.starts_with("cost.loss")
                || ["cost.bill", "cost.total"].contains(&m.metric.as_str());
            (wanted && is_overall(&m.dims)).then(|| m.metric.trim_start_matches("cost.").to_owned())
        },
        |unit, x| value(unit, period.scale(x)),
    )
}

fn posture(results: &Results) -> Option<Table> {
    side_by_side(
        results,
        "Security posture of calls between clusters",
        "What each design leaves open beyond what its users come to: addresses that the internet can reach; bytes a month \
         in the clear and calls a month that don't prove who makes them, of good requests.",
        "what",
        |m| {
            let about = m.metric.starts_with("security.") || m.metric.starts_with("connections.");
            (about && is_overall(&m.dims)).then(|| m.metric.trim_start_matches("security.").to_owned())
        },
        value,
    )
}

fn outages(results: &Results) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = results
        .variants
        .iter()
        .flat_map(|v| {
            v.outages.iter().take(5).map(|o| {
                vec![
                    cell(short(&v.name, 40)),
                    cell(short(&o.root, 40)),
                    figure(o.duration_s, duration),
                    figure(o.lost, count),
                    cell(short(&o.population, 30)),
                    cell(short(&o.journey, 30)),
                    o.rto_service_s.map_or_else(|| cell("repair came first"), |x| figure(x, duration)),
                    cell(o.seed.to_string()).by(f64::from(o.seed)),
                ]
            })
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "The longest outages",
        caption: "The five longest of each variant over all seeds; more in outages.csv.".into(),
        names: 1,
        head: heads(["variant", "began with", "lasted", "requests lost", "population", "journey", "RTO", "seed"]),
        rows,
        folded: false,
    })
}

fn comparisons(results: &Results) -> Option<Table> {
    let wanted = [
        "availability",
        "downtime",
        "latency.p50",
        "latency.p99",
        "rto.service",
        "rpo.seconds",
        "cost.bill",
        "cost.loss",
        "cost.total",
    ];
    let rows: Vec<Vec<Cell>> = results
        .comparisons
        .iter()
        .filter(|c| is_overall(&c.dims) && wanted.contains(&c.metric.as_str()))
        .map(|c| {
            // A difference of availabilities is clearer in points than as an availability.
            let show = |x: f64| match c.unit {
                Unit::Share => format!("{} points", significant(x * 100.0, 3)),
                unit => value(unit, x),
            };
            let verdict = match c.verdict {
                Verdict::Better => "better".to_owned(),
                Verdict::Worse => "worse".into(),
                Verdict::NoDifferenceShown => "no difference shown".into(),
            };
            let need = c.seeds_needed.map_or_else(String::new, |n| format!("about {n} seeds would show it"));
            vec![
                cell(format!("{} against {}", short(&c.a, 30), short(&c.b, 30))),
                cell(c.metric.clone()),
                noted(show(c.difference), interval(&show(c.ci95[0]), &show(c.ci95[1]))).by(c.difference),
                maybe(c.a_better_share, percent),
                maybe(c.narrowing, |x| format!("{}×", significant(x, 2))),
                noted(verdict, need),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "One variant against another",
        caption:
            "Differences of the first less the second, paired by seed; 95 % interval beneath. Narrowing: by how much \
                  pairing shrank the interval against independent runs."
                .into(),
        names: 1,
        head: heads(["pair", "metric", "difference", "first better in", "narrowing", "the first is"]),
        rows,
        folded: false,
    })
}

fn break_even(results: &Results) -> Option<Table> {
    let period = Period::of(results);
    let row = |b: &BreakEven| {
        let is_shown = break_even_is_shown(results, b);
        let pays = |usd: Option<f64>| match usd {
            None => cell("never pays").by(f64::INFINITY),
            Some(usd) if is_shown => figure(usd, money),
            Some(usd) => noted(money(usd), "no difference shown").by(usd),
        };
        vec![
            cell(format!("{} over {}", short(&b.dearer, 30), short(&b.cheaper, 30))),
            figure(period.scale(b.bill_difference), money),
            figure(period.scale(b.good_requests_difference), count),
            pays(b.usd_per_failed_request),
            pays(b.usd_per_minute),
        ]
    };
    let rows: Vec<Vec<Cell>> = results.break_even.iter().map(row).collect();
    (!rows.is_empty()).then(|| Table {
        title: "When the dearer design pays",
        caption:
            "It pays where losing a request, or a minute of everything, costs more than this, by the means. Where no \
                  difference in availability is shown, that it ever pays isn't either."
                .into(),
        names: 1,
        head: heads(["pair", "dearer by", "more good requests", "per failed request", "per minute of outage"]),
        rows,
        folded: false,
    })
}

/// The table of a sweep's points.
pub(super) fn points(results: &Results, grid: &Grid) -> Table {
    let period = Period::of(results);
    let per = if period.seconds() == YEAR_S { " a year" } else { "" };
    let usd = |x: f64| money(period.scale(x));
    let requests = |x: f64| count(period.scale(x));
    let has_rpo = results.variants.iter().any(|v| overall(v, &catalogue::RPO_SECONDS).is_some());
    let mut head: Vec<String> = grid.axes.iter().map(|axis| short(&axis.name, 40)).collect();
    head.extend(["available".to_owned(), format!("requests lost{per}"), "p99".to_owned()]);
    head.extend(has_rpo.then(|| "RPO".to_owned()));
    head.extend(["bill", "loss"].map(|what| format!("{what}{per}")));
    let rows = results.variants.iter().enumerate().map(|(place, v)| {
        let mut row: Vec<Cell> = grid.values(place).into_iter().map(|value| cell(short(value, 40))).collect();
        row.push(with_interval(overall(v, &catalogue::AVAILABILITY), availability));
        row.push(with_interval(overall(v, &catalogue::REQUESTS_LOST), requests));
        row.push(with_interval(overall(v, &catalogue::LATENCY_P99), duration));
        row.extend(has_rpo.then(|| with_interval(overall(v, &catalogue::RPO_SECONDS), duration)));
        row.push(with_interval(overall(v, &catalogue::COST_BILL), usd));
        row.push(with_interval(overall(v, &catalogue::COST_LOSS), usd));
        row
    });
    Table {
        title: "Every point",
        caption: "Means over seeds with 95 % intervals beneath; all points under the same seeds.".into(),
        names: grid.axes.len(),
        head,
        rows: rows.collect(),
        folded: false,
    }
}

/// The table of a drill's faults, in the order given.
pub(super) fn drills(outcomes: &[&Outcome]) -> Table {
    let row = |one: &&Outcome| {
        vec![
            cell(short(&one.fault, 80)),
            cell(one.fate.words()),
            figure(one.lost, count),
            figure(one.lost_s, duration),
            maybe(one.longest_outage_s, duration),
            maybe(one.rto_service_s, duration),
            maybe(one.rto_users_s, duration),
            maybe(one.rpo_s, duration),
            figure(one.writes_lost, count),
            cell(one.stage.map_or("–", Stage::label)),
        ]
    };
    Table {
        title: "What fails, and what becomes of it",
        caption:
            "Worst first. Requests lost, less what is lost without a fault, and the same as time of total outage; the \
                  longest outage of any population in any seed; all else means over seeds."
                .into(),
        names: 2,
        head: heads([
            "fails",
            "fate",
            "requests lost",
            "lost",
            "longest outage",
            "RTO service",
            "RTO users",
            "RPO",
            "writes lost",
            "most in stage",
        ]),
        rows: outcomes.iter().map(row).collect(),
        folded: false,
    }
}
