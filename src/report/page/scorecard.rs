//! The scorecard: a row for each design with what people ask first.

use super::table::{Cell, Table, cell, none, noted, star, who, with_interval};
use crate::experiment::results::{Direction, MetricResult, Results, VariantResult};
use crate::metric::{Better, Metric, Unit, catalogue};
use crate::report::text::{
    YEAR_S, availability, duration, interval, money, nines_text, percent, round_availability, short, value,
};
use crate::report::view::{Period, chief_objective, is_overall, mean, overall, worst_population};

pub(super) fn scorecard(results: &Results) -> Table {
    let period = Period::of(results);
    let per = if period.seconds() == YEAR_S { " a year" } else { "" };
    let usd = |x: f64| money(period.scale(x));
    let of = |metric: &'static Metric| move |v: &VariantResult| mean(v, metric);
    // The interval runs the other way round as time lost.
    let lost = |share: Option<&MetricResult>| {
        let show = |x: f64| duration((1.0 - x).max(0.0) * period.seconds());
        let Some((m, mean)) = share.and_then(|m| Some((m, m.mean?))) else { return none() };
        noted(show(mean), m.ci95.map_or_else(String::new, |[low, high]| interval(&show(high), &show(low))))
            .by(1.0 - mean)
    };
    let p99 = |v: &VariantResult| worst_population(v, &catalogue::LATENCY_P99).and_then(|(_, m)| m.mean);
    let mut rows: Vec<Vec<Cell>> = results
        .variants
        .iter()
        .map(|v| {
            let share = overall(v, &catalogue::AVAILABILITY);
            let available = share
                .and_then(|m| m.mean)
                .map_or_else(none, |mean| noted(availability(mean), nines_text(mean)).by(mean));
            let p99 = worst_population(v, &catalogue::LATENCY_P99).map(|(_, m)| m);
            let all = mean(v, &catalogue::LATENCY_P99);
            let latency = p99.and_then(|m| m.mean).or(all).map_or_else(none, |x| {
                noted(duration(x), all.map_or_else(String::new, |x| format!("all users {}", duration(x)))).by(x)
            });
            let rto = overall(v, &catalogue::RTO_SERVICE);
            let objective = chief_objective(v).map_or_else(none, |o| {
                noted(percent(o.p_met), interval(&percent(o.p_met_ci95[0]), &percent(o.p_met_ci95[1]))).by(o.p_met)
            });
            vec![
                cell(short(&v.name, 60)),
                available,
                objective,
                lost(share),
                latency,
                with_interval(rto, duration),
                with_interval(overall(v, &catalogue::RPO_SECONDS), duration),
                with_interval(overall(v, &catalogue::COST_BILL), usd),
                with_interval(overall(v, &catalogue::COST_LOSS), usd),
                with_interval(overall(v, &catalogue::COST_TOTAL), usd),
            ]
        })
        .collect();
    let column = |f: &dyn Fn(&VariantResult) -> Option<f64>| results.variants.iter().map(f).collect::<Vec<_>>();
    for (i, values, better) in [
        (1, column(&of(&catalogue::AVAILABILITY)), Better::Higher),
        (3, column(&of(&catalogue::AVAILABILITY)), Better::Higher),
        (4, column(&p99), Better::Lower),
        (5, column(&of(&catalogue::RTO_SERVICE)), Better::Lower),
        (6, column(&of(&catalogue::RPO_SECONDS)), Better::Lower),
        (7, column(&of(&catalogue::COST_BILL)), Better::Lower),
        (8, column(&of(&catalogue::COST_LOSS)), Better::Lower),
        (9, column(&of(&catalogue::COST_TOTAL)), Better::Lower),
    ] {
        star(&mut rows, i, &values, better);
    }
    let head = [
        "variant".to_owned(),
        "available".into(),
        "P(met)".into(),
        format!("lost{per}"),
        "p99".into(),
        "RTO".into(),
        "RPO".into(),
        format!("bill{per}"),
        format!("loss{per}"),
        format!("total{per}"),
    ];
    Table {
        title: "The designs side by side",
        caption: format!(
            "Means over seeds with 95 % intervals beneath; ★ marks the best mean. Lost: what is missing from availability, as \
             time of total outage. p99: the population that has it worst. {}",
            objectives(results)
        ),
        names: 1,
        head: head.to_vec(),
        rows,
        folded: false,
    }
}

/// Which objective P(met) is about, where every variant has the same.
fn objectives(results: &Results) -> String {
    let mut texts = results.variants.iter().filter_map(chief_objective).map(|o| {
        let bound = if o.unit == Unit::Share { round_availability(o.target) } else { value(o.unit, o.target) };
        let side = match o.direction {
            Direction::AtLeast => "at least",
            Direction::AtMost => "at most",
        };
        format!(
            "{}{} {side} {bound}",
            o.metric,
            if is_overall(&o.dims) { String::new() } else { format!(" ({})", who(&o.dims)) }
        )
    });
    match texts.next() {
        None => String::new(),
        Some(first) if texts.all(|text| text == first) => format!("P(met): share of seeds with {first}."),
        Some(_) => "P(met): share of seeds that meet the variant's first objective.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{bare, sample};

    #[test]
    fn the_scorecard_stars_the_best_of_each_column() {
        let table = scorecard(&sample());
        let starred = |row: usize| -> Vec<&str> {
            table
                .head
                .iter()
                .zip(&table.rows[row])
                .filter(|(_, cell)| cell.best)
                .map(|(head, _)| head.as_str())
                .collect()
        };
        assert_eq!(table.rows.iter().map(Vec::len).collect::<Vec<_>>(), [table.head.len(); 4]);
        // What the sample was made to be: the last variant loses least, the first is cheapest.
        assert_eq!(starred(0), ["bill a year"]);
        assert_eq!(starred(1), [""; 0]);
        assert_eq!(starred(2), ["total a year"]);
        assert_eq!(starred(3), ["available", "lost a year", "p99", "RTO", "RPO", "loss a year"]);
        assert!(
            table.caption.ends_with("P(met): share of seeds with availability at least 99.99 %."),
            "{}",
            table.caption
        );
    }

    #[test]
    fn one_variant_is_never_starred() {
        assert!(scorecard(&bare()).rows.iter().flatten().all(|cell| !cell.best));
    }
}
