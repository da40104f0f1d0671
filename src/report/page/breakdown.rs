//! Who had it how: a row for each population, each journey, and each journey of a population, under each design.

use super::table::{Cell, Table, cell, who, with_interval};
use crate::experiment::results::{MetricResult, Results, VariantResult};
use crate::metric::{Dims, Metric, catalogue};
use crate::report::text::{YEAR_S, availability, count, duration, interval, short};
use crate::report::view::Period;

/// A row for each population under each design.
pub(super) fn by_population(results: &Results) -> Option<Table> {
    let is_one = |dims: &Dims| dims.population.is_some() && dims.journey.is_none();
    table(results, "By population", "population", is_one, false)
}

/// A row for each journey under each design.
pub(super) fn by_journey(results: &Results) -> Option<Table> {
    let is_one = |dims: &Dims| dims.journey.is_some() && dims.population.is_none();
    table(results, "By journey", "journey", is_one, false)
}

/// A row for each journey of a population under each design.
pub(super) fn by_both(results: &Results) -> Option<Table> {
    let is_one = |dims: &Dims| dims.journey.is_some() && dims.population.is_some();
    table(results, "By population and journey", "population · journey", is_one, true)
}

/// True for what users notice: no cluster, service or store, no stage or root, no single month.
fn of_users(dims: &Dims) -> bool {
    Dims { population: None, journey: None, ..dims.clone() } == Dims::default()
}

fn table(
    results: &Results,
    title: &'static str,
    first: &str,
    is_one: impl Fn(&Dims) -> bool,
    folded: bool,
) -> Option<Table> {
    let period = Period::of(results);
    let per = if period.seconds() == YEAR_S { " a year" } else { "" };
    let mut whose: Vec<&Dims> = Vec::new();
    for m in results.variants.iter().flat_map(|v| &v.metrics) {
        if m.metric == catalogue::AVAILABILITY.name && is_one(&m.dims) && of_users(&m.dims) && !whose.contains(&&m.dims)
        {
            whose.push(&m.dims);
        }
    }
    let rows: Vec<Vec<Cell>> = whose
        .iter()
        .flat_map(|dims| results.variants.iter().map(move |v| (*dims, v)))
        .filter(|(dims, v)| of(v, &catalogue::AVAILABILITY, dims).is_some())
        .map(|(dims, v)| row(v, dims, period))
        .collect();
    (!rows.is_empty()).then(|| Table {
        title,
        caption:
            "Means over seeds with 95 % intervals beneath. Lost: what is missing from availability, as time of total \
                  outage. Latency is that of good responses."
                .into(),
        names: 2,
        head: [first, "variant", "available"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("lost{per}"), format!("requests lost{per}"), format!("outages{per}")])
            .chain(["p50", "p90", "p99"].map(str::to_owned))
            .collect(),
        rows,
        folded,
    })
}

fn of<'a>(variant: &'a VariantResult, metric: &Metric, dims: &Dims) -> Option<&'a MetricResult> {
    variant.metrics.iter().find(|m| m.metric == metric.name && m.dims == *dims && m.mean.is_some())
}

fn row(variant: &VariantResult, dims: &Dims, period: Period) -> Vec<Cell> {
    let find = |metric| of(variant, metric, dims);
    // Student's interval of a small mean reaches below what can be.
    let sum = |x: f64| count(period.scale(x).max(0.0));
    let share = find(&catalogue::AVAILABILITY);
    // The interval runs the other way round as time lost.
    let show = |x: f64| duration((1.0 - x).max(0.0) * period.seconds());
    let lost = share.and_then(|m| Some((m.mean?, m.ci95))).map_or_else(Cell::default, |(mean, ci)| Cell {
        text: show(mean),
        note: ci.map_or_else(String::new, |[low, high]| interval(&show(high), &show(low))),
        key: Some(1.0 - mean),
        best: false,
    });
    let mut row = vec![cell(who(dims)), cell(short(&variant.name, 40)), with_interval(share, availability), lost];
    row.extend([&catalogue::REQUESTS_LOST, &catalogue::OUTAGES].map(|metric| with_interval(find(metric), sum)));
    let quantiles = [&catalogue::LATENCY_P50, &catalogue::LATENCY_P90, &catalogue::LATENCY_P99];
    row.extend(quantiles.map(|metric| with_interval(find(metric), duration)));
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn a_row_for_each_of_them_under_each_design() {
        let results = sample();
        // Three populations and three journeys under four designs.
        for (table, rows) in [(by_population(&results), 12), (by_journey(&results), 12), (by_both(&results), 36)] {
            let table = table.unwrap();
            assert_eq!(table.rows.len(), rows, "{}", table.title);
            assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
        }
        let table = by_population(&results).unwrap();
        assert_eq!((&*table.rows[0][0].text, &*table.rows[0][1].text), ("north-america", "single-region"));
        assert!(table.rows[0][2].key.is_some() && table.rows[0][6].key.is_some());
    }
}
