//! The tables of a report folder, for spreadsheets and notebooks. Units stand in the headers, or in a column beside
//! the value; figures are in SI and to the last bit.
//!
//! Names come from the scenario. A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, tab or carriage return
//! as a formula (OWASP, *CSV Injection*), so such names get an apostrophe in front; numbers are left alone.

use super::columns::{COST, LATENCY, OUTAGES, REVISIONS, SEEDS, SWEEP, names};
use super::view::{bill_lines, is_overall};
use crate::experiment::results::{Grid, MetricResult, Results};
use crate::metric::{Dims, Unit};

/// A name that no spreadsheet takes for a formula.
pub(super) fn name(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

fn maybe(text: Option<&String>) -> String {
    text.map(|text| name(text)).unwrap_or_default()
}

/// The shortest text that reads back as the same number.
fn number(x: impl Into<Option<f64>>) -> String {
    x.into().map(|x| serde_json::Number::from_f64(x).map_or_else(String::new, |x| x.to_string())).unwrap_or_default()
}

pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head).expect("a Vec takes every byte");
    for row in rows {
        writer.write_record(row).expect("a Vec takes every byte");
    }
    writer.into_inner().expect("a Vec takes every byte")
}

/// What a user notices, or pays: no cluster, service or store, no stage or root, no single month.
fn is_headline(dims: &Dims) -> bool {
    let Dims { population: _, journey: _, cluster, service, store, stage, root, month } = dims;
    cluster.is_none() && service.is_none() && store.is_none() && stage.is_none() && root.is_none() && month.is_none()
}

/// `seeds.csv`: one value a line, for the metrics of all users, of a population and of a journey.
pub(super) fn seeds(results: &Results) -> Vec<u8> {
    let rows = results.variants.iter().flat_map(|variant| {
        variant.metrics.iter().filter(|m| is_headline(&m.dims)).flat_map(|m| {
            m.values.iter().enumerate().filter_map(|(seed, x)| {
                x.map(|x| {
                    [
                        name(&variant.name),
                        seed.to_string(),
                        m.metric.clone(),
                        maybe(m.dims.population.as_ref()),
                        maybe(m.dims.journey.as_ref()),
                        m.unit.symbol().to_owned(),
                        number(x),
                    ]
                })
            })
        })
    });
    table(names(&SEEDS), rows)
}

/// `latency.csv`: quantiles by population and journey, mean over seeds with its 95 % interval.
pub(super) fn latency(results: &Results) -> Vec<u8> {
    let rows = results.variants.iter().flat_map(|variant| {
        let of_users = |m: &&MetricResult| m.metric.starts_with("latency.") && is_headline(&m.dims);
        variant.metrics.iter().filter(of_users).map(|m| {
            [
                name(&variant.name),
                maybe(m.dims.population.as_ref()),
                maybe(m.dims.journey.as_ref()),
                m.metric.trim_start_matches("latency.").to_owned(),
                number(m.mean),
                number(m.ci95.map(|ci| ci[0])),
                number(m.ci95.map(|ci| ci[1])),
                number(m.p5),
                number(m.p50),
                number(m.p95),
            ]
        })
    });
    table(names(&LATENCY), rows)
}

/// `cost.csv`: every line of bill and loss over the horizon, mean over seeds with its 95 % interval.
pub(super) fn cost(results: &Results) -> Vec<u8> {
    let lines: Vec<&str> = bill_lines().map(|metric| metric.name).collect();
    let rows = results.variants.iter().flat_map(|variant| {
        let lines = &lines;
        let of_money = |m: &&MetricResult| m.unit == Unit::Usd && is_overall(&m.dims);
        variant.metrics.iter().filter(of_money).map(move |m| {
            let part = match m.metric.as_str() {
                line if lines.contains(&line) => "bill",
                line if line.starts_with("cost.loss-") => "loss",
                _ => "total",
            };
            [
                name(&variant.name),
                m.metric.trim_start_matches("cost.").to_owned(),
                part.to_owned(),
                number(m.mean),
                number(m.ci95.map(|ci| ci[0])),
                number(m.ci95.map(|ci| ci[1])),
                number(m.p5),
                number(m.p95),
            ]
        })
    });
    table(names(&COST), rows)
}

/// `sweep.csv`: the metrics of everything together at each point, mean over seeds with its 95 % interval.
pub(super) fn sweep(results: &Results, grid: &Grid) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let axes = grid.axes.iter().map(|axis| name(&axis.name));
    let head = axes.chain(names(&SWEEP).map(str::to_owned));
    writer.write_record(head).expect("a Vec takes every byte");
    for (place, point) in results.variants.iter().enumerate() {
        for m in point.metrics.iter().filter(|m| is_overall(&m.dims) && m.mean.is_some()) {
            let figures = [
                name(&point.name),
                m.metric.clone(),
                m.unit.symbol().to_owned(),
                number(m.mean),
                number(m.ci95.map(|ci| ci[0])),
                number(m.ci95.map(|ci| ci[1])),
            ];
            let values = grid.values(place).into_iter().map(name);
            writer.write_record(values.chain(figures)).expect("a Vec takes every byte");
        }
    }
    writer.into_inner().expect("a Vec takes every byte")
}

/// `outages.csv`: the longest outages over all seeds, worst first.
pub(super) fn outages(results: &Results) -> Vec<u8> {
    let rows = results.variants.iter().flat_map(|variant| {
        variant.outages.iter().map(|o| {
            [
                name(&variant.name),
                o.seed.to_string(),
                name(&o.population),
                name(&o.journey),
                number(o.start_s),
                number(o.duration_s),
                number(o.lost),
                name(&o.root),
                number(o.rto_service_s),
                number(o.rto_users_s),
            ]
        })
    });
    table(names(&OUTAGES), rows)
}

/// `revisions.csv`: who ran which revision when, and why, in the first seed.
pub(super) fn revisions(results: &Results) -> Vec<u8> {
    let rows = results.variants.iter().flat_map(|variant| {
        variant.revisions.iter().map(|run| {
            [
                name(&variant.name),
                name(&run.cluster),
                run.revision.to_string(),
                number(run.from_s),
                number(run.to_s),
                run.why.name().to_owned(),
            ]
        })
    });
    table(names(&REVISIONS), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn names_are_never_formulas_and_numbers_stay() {
        for (given, expected) in
            [("=cmd()", "'=cmd()"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("eu", "eu")]
        {
            assert_eq!(name(given), expected);
        }
        assert_eq!(number(-0.25), "-0.25");
        assert_eq!(number(None), "");
    }

    #[test]
    fn every_table_reads_back_and_no_cell_is_a_formula() {
        let results = sample();
        for (bytes, rows_at_least) in [
            (seeds(&results), 400),
            (latency(&results), 40),
            (cost(&results), 40),
            (outages(&results), 4),
            (revisions(&results), 2),
        ] {
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let records: Vec<_> = reader.records().map(Result::unwrap).collect();
            assert!(records.len() >= rows_at_least, "{}", records.len());
            for cell in records.iter().flatten() {
                assert!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{cell}");
                assert!(!cell.starts_with('-') || cell.parse::<f64>().is_ok(), "{cell}");
            }
        }
    }

    #[test]
    fn a_seed_s_value_is_there_to_the_last_bit() {
        let results = sample();
        let expected = results.variants[0].metrics[0].values[7].unwrap();
        let bytes = seeds(&results);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let row = reader.records().map(Result::unwrap).nth(7).unwrap();
        assert_eq!((&row[1], &row[2], &row[5]), ("7", "availability", "1"));
        assert_eq!(row[6].parse::<f64>().unwrap(), expected);
    }
}
