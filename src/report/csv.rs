//! The tables of a report folder, for spreadsheets and notebooks. Units stand in the headers, or in a column beside
//! the value; figures are in SI and to the last bit.
//!
//! Names come from the scenario. A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, tab or carriage return
//! as a formula (OWASP, *CSV Injection*), so such names get an apostrophe in front; numbers are left alone.

use super::ahead;
use super::columns::{COST, LATENCY, OUTAGES, REVISIONS, SEEDS, SWEEP, names};
use super::view::{bill_lines, is_overall};
use crate::experiment::results::{Grid, MetricResult, Results};
use crate::metric::{Dims, Unit};
use std::io::{self, Write};

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

/// Seeds of one metric whose lines are made together: some hundreds of kilobytes.
const TOGETHER: usize = 4096;
/// Lines for each thread that are in memory before they are written: a megabyte or so.
const AHEAD: usize = 4 * TOGETHER;

/// Bytes of a seed's number and value that lines mostly have room in.
const NUMBERS: usize = 28;

/// Text as a cell of a line that has others.
fn cell(text: &str) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([text, ""]).expect("a Vec takes every byte");
    let line = String::from_utf8(writer.into_inner().expect("a Vec takes every byte")).unwrap_or_default();
    line.strip_suffix(",\n").unwrap_or_default().to_owned()
}

/// `seeds.csv`: one value a line, for the metrics of all users, of a population and of a journey.
///
/// It grows with the seeds, up to gigabytes.
///
/// # Errors
/// If it can't be written.
pub(super) fn seeds(results: &Results, to: &mut (dyn Write + Send)) -> io::Result<()> {
    to.write_all(&table(names(&SEEDS), []))?;
    let metrics = results.variants.iter().flat_map(|variant| {
        let of_users = variant.metrics.iter().filter(|m| is_headline(&m.dims));
        of_users.map(move |m| (variant, m))
    });
    let pieces: Vec<_> = metrics
        .flat_map(|(variant, m)| (0..m.values.len()).step_by(TOGETHER).map(move |first| (variant, m, first)))
        .collect();
    let seeds = pieces.iter().map(|(_, m, _)| m.values.len().min(TOGETHER)).max().unwrap_or(1);
    ahead::write(&pieces, AHEAD / seeds, |&(variant, m, first)| lines(&variant.name, m, first), to)
}

/// The lines of a metric's seeds from `first` on.
fn lines(variant: &str, m: &MetricResult, first: usize) -> Vec<u8> {
    let [variant, metric, unit] = [&name(variant), &m.metric, m.unit.symbol()].map(cell);
    let [population, journey] = [&m.dims.population, &m.dims.journey].map(|text| cell(&maybe(text.as_ref())));
    let (before, after) = (format!("{variant},"), format!(",{metric},{population},{journey},{unit},"));
    let rows = (m.values.len() - first).min(TOGETHER);
    let mut text = Vec::with_capacity(rows * (before.len() + after.len() + NUMBERS));
    for (seed, x) in (first..).zip(m.values.iter_from(first)).take(TOGETHER) {
        let Some(x) = x else { continue };
        text.extend_from_slice(before.as_bytes());
        write!(text, "{seed}").expect("a Vec takes every byte");
        text.extend_from_slice(after.as_bytes());
        serde_json::to_writer(&mut text, &x).expect("a Vec takes every byte");
        text.push(b'\n');
    }
    text
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

    fn seeds_of(results: &Results) -> Vec<u8> {
        let mut text = Vec::new();
        seeds(results, &mut text).unwrap();
        text
    }

    /// A cell is what the `csv` crate makes of it between others.
    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        for (text, expected) in
            [("", ""), ("a b", "a b"), ("a,b", "\"a,b\""), ("say \"a\"", "\"say \"\"a\"\"\""), ("a\nb", "\"a\nb\"")]
        {
            assert_eq!(cell(text), expected);
        }
    }

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
            (seeds_of(&results), 400),
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
        let expected = results.variants[0].metrics[0].values.iter_from(7).next().flatten().unwrap();
        let bytes = seeds_of(&results);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let row = reader.records().map(Result::unwrap).nth(7).unwrap();
        assert_eq!((&row[1], &row[2], &row[5]), ("7", "availability", "1"));
        assert_eq!(row[6].parse::<f64>().unwrap(), expected);
    }
}
