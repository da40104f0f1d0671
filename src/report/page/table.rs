//! Tables of the page: cells with what stands beneath them and what they are sorted by.

use crate::experiment::results::{MetricResult, Results};
use crate::metric::{Better, Dims, Unit};
use crate::report::text::{interval, short};

/// A table: the first cell of a row heads it.
#[derive(Default)]
pub(super) struct Table {
    pub title: &'static str,
    pub caption: String,
    /// How many columns say what a row is of; the others are figures.
    pub names: usize,
    pub head: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// Closed until it is asked for.
    pub folded: bool,
}

#[derive(Default)]
pub(super) struct Cell {
    pub text: String,
    pub note: String,
    pub best: bool,
    /// What it is sorted by, where that isn't its text.
    pub key: Option<f64>,
}

pub(super) fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

pub(super) fn noted(text: impl Into<String>, note: impl Into<String>) -> Cell {
    Cell { text: text.into(), note: note.into(), ..Cell::default() }
}

/// What isn't there.
pub(super) fn none() -> Cell {
    cell("–")
}

impl Cell {
    /// Sorted by a figure.
    pub(super) fn by(self, key: f64) -> Self {
        Self { key: Some(key), ..self }
    }
}

/// A figure, sorted by itself.
pub(super) fn figure(x: f64, show: impl Fn(f64) -> String) -> Cell {
    cell(show(x)).by(x)
}

/// The same where there may be none.
pub(super) fn maybe(x: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
    x.map_or_else(none, |x| figure(x, show))
}

pub(super) fn heads<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// A mean, with its interval beneath.
pub(super) fn with_interval(m: Option<&MetricResult>, show: impl Fn(f64) -> String + Copy) -> Cell {
    let Some((m, mean)) = m.and_then(|m| Some((m, m.mean?))) else { return none() };
    let ends = m.ci95.map(|ci| ci.map(show)).filter(|[low, high]| low != high);
    noted(show(mean), ends.map_or_else(String::new, |[low, high]| interval(&low, &high))).by(mean)
}

/// Marks the best cell of a column, where one alone is best.
pub(super) fn star(rows: &mut [Vec<Cell>], column: usize, values: &[Option<f64>], better: Better) {
    let sign = match better {
        Better::Higher => -1.0,
        Better::Lower => 1.0,
        Better::Neither => return,
    };
    let found: Vec<(usize, f64)> = values.iter().enumerate().filter_map(|(i, x)| Some((i, sign * (*x)?))).collect();
    let Some(&(place, best)) = found.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    if found.len() > 1 && found.iter().filter(|(_, x)| *x == best).count() == 1 {
        rows[place][column].best = true;
    }
}

/// What a figure is of, in words.
pub(super) fn who(dims: &Dims) -> String {
    let Dims { population, journey, cluster, service, store, stage, root, month } = dims;
    let names = [population, journey, cluster, service, store, root];
    let mut parts: Vec<String> = names.into_iter().flatten().map(|name| short(name, 40)).collect();
    parts.extend(stage.map(|stage| stage.label().to_owned()));
    parts.extend(month.map(|month| format!("month {month}")));
    if parts.is_empty() { "everything".into() } else { parts.join(" · ") }
}

/// One row per thing that `pick` names, one column per variant.
pub(super) fn side_by_side(
    results: &Results,
    title: &'static str,
    caption: &str,
    first: &str,
    pick: impl Fn(&MetricResult) -> Option<String>,
    show: impl Fn(Unit, f64) -> String,
) -> Option<Table> {
    let mut names: Vec<(String, Better)> = Vec::new();
    for m in results.variants.iter().flat_map(|v| &v.metrics) {
        if let Some(name) = pick(m).filter(|name| m.mean.is_some() && names.iter().all(|(n, _)| n != name)) {
            names.push((name, m.better));
        }
    }
    if names.is_empty() {
        return None;
    }
    let rows = names
        .into_iter()
        .map(|(name, better)| {
            let found: Vec<Option<&MetricResult>> = results
                .variants
                .iter()
                .map(|v| v.metrics.iter().find(|m| m.mean.is_some() && pick(m).as_ref() == Some(&name)))
                .collect();
            let mut row = vec![cell(name)];
            row.extend(found.iter().map(|m| with_interval(*m, |x| show(m.map_or(Unit::Count, |m| m.unit), x))));
            let sign = if better == Better::Higher { -1.0 } else { 1.0 };
            let means: Vec<(usize, f64)> =
                found.iter().enumerate().filter_map(|(i, m)| Some((i, sign * (*m)?.mean?))).collect();
            let least = means.iter().map(|x| x.1).fold(f64::INFINITY, f64::min);
            if better != Better::Neither && means.len() > 1 && means.iter().filter(|x| x.1 == least).count() == 1 {
                for (i, x) in means {
                    row[i + 1].best = x == least;
                }
            }
            row
        })
        .collect();
    let mut head = vec![first.to_owned()];
    head.extend(results.variants.iter().map(|v| short(&v.name, 24)));
    Some(Table { title, caption: caption.into(), names: 1, head, rows, folded: false })
}
