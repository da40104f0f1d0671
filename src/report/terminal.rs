//! The verdict on a terminal of 80 columns: a line per variant, then a sentence per pair.
//!
//! Styled with ANSI codes; the caller's stream strips them where they aren't wanted. Control characters in names are
//! replaced, so that no scenario drives the reader's terminal.

use super::posture::posture;
use super::text::{availability, count, duration, fitting, money, percent, short};
use super::verdict::{self, pair};
use super::view::{Period, chief_objective, mean, overall, worst_population};
use crate::experiment::results::{Grid, Results, VariantResult};
use crate::metric::catalogue;
use anstyle::{AnsiColor, Style};

pub(super) const WIDTH: usize = 80;
const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
const BEST: Style = AnsiColor::Green.on_default().bold();

/// Columns that a character takes: wide East Asian ones and emoji two, combining marks none (Unicode TR 11, coarsely).
pub(super) fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
            '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff00}'..='\u{ff60}'
            | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}' => 2,
            _ => 1,
        })
        .sum()
}

pub(super) fn pad(text: &str, width: usize, right: bool) -> String {
    let gap = " ".repeat(width.saturating_sub(columns(text)));
    if right { gap + text } else { text.to_owned() + &gap }
}

/// As much of a name as fits into so many columns.
pub(super) fn fit(text: &str, width: usize) -> String {
    fitting(text, width, |short| columns(short) <= width)
}

fn row(variant: &VariantResult, period: Period) -> [String; 7] {
    let dash = || "–".to_owned();
    let usd = |metric| mean(variant, metric).map_or_else(dash, |x| money(period.scale(x)));
    let share = mean(variant, &catalogue::AVAILABILITY);
    let p99 = worst_population(variant, &catalogue::LATENCY_P99)
        .map(|(_, m)| m)
        .or_else(|| overall(variant, &catalogue::LATENCY_P99))
        .and_then(|m| m.mean);
    [
        short(&variant.name, 18),
        share.map_or_else(dash, availability),
        share.map_or_else(dash, |share| duration((1.0 - share).max(0.0) * period.seconds())),
        p99.map_or_else(dash, duration),
        usd(&catalogue::COST_BILL),
        usd(&catalogue::COST_LOSS),
        chief_objective(variant).map_or_else(dash, |o| percent(o.p_met)),
    ]
}

/// Which variant is best in a column, if one alone is.
fn best(results: &Results, metric: &crate::metric::Metric, higher: bool) -> Option<usize> {
    let sign = if higher { -1.0 } else { 1.0 };
    let all: Vec<(usize, f64)> =
        results.variants.iter().enumerate().filter_map(|(i, v)| Some((i, sign * mean(v, metric)?))).collect();
    (all.len() > 1).then(|| all.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| *i)).flatten()
}

fn table(results: &Results) -> String {
    let period = Period::of(results);
    let per = if period.seconds() == super::text::YEAR_S { "/yr" } else { "" };
    let head: [String; 7] = [
        "variant".into(),
        "available".into(),
        format!("lost{per}"),
        "p99".into(),
        format!("bill{per}"),
        format!("loss{per}"),
        "P(met)".into(),
    ];
    let rows: Vec<_> = results.variants.iter().map(|variant| row(variant, period)).collect();
    let widths: Vec<usize> =
        (0..7).map(|i| rows.iter().map(|r| columns(&r[i])).chain([columns(&head[i])]).max().unwrap_or(0)).collect();
    let winners = [
        None,
        best(results, &catalogue::AVAILABILITY, true),
        best(results, &catalogue::AVAILABILITY, true),
        best(results, &catalogue::LATENCY_P99, false),
        best(results, &catalogue::COST_BILL, false),
        best(results, &catalogue::COST_LOSS, false),
        None,
    ];
    let line = |cells: &[String; 7], style: &dyn Fn(usize) -> Style| {
        let cells: Vec<String> = (0..7)
            .map(|i| {
                let style = style(i);
                format!("{style}{}{style:#}", pad(&cells[i], widths[i], i > 0))
            })
            .collect();
        cells.join("  ") + "\n"
    };
    let mut text = line(&head, &|_| DIM);
    for (i, cells) in rows.iter().enumerate() {
        text += &line(cells, &|column| match column {
            0 => BOLD,
            _ if winners[column] == Some(i) => BEST,
            _ => Style::new(),
        });
    }
    text
}

/// Words in lines of at most [`WIDTH`] columns, further lines indented.
fn wrap(sentence: &str, bullet: &str) -> String {
    let lines = wrapped(sentence, WIDTH - 2);
    bullet.to_owned() + &lines.join("\n  ") + "\n"
}

/// The lines of a sentence, none wider than so many columns; a word that is wider is cut.
pub(super) fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let mut word = word.to_owned();
        while columns(&word) > width {
            word = short(&word, word.chars().count() - 1);
        }
        let line = lines.last_mut().filter(|line| line.is_empty() || columns(line) + 1 + columns(&word) <= width);
        match line {
            Some(line) if line.is_empty() => *line = word,
            Some(line) => *line = [line.as_str(), &word].join(" "),
            None => lines.push(word),
        }
    }
    lines
}

/// Without its styles.
#[cfg(test)]
pub(super) fn unstyled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out += &rest[..at];
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    out + rest
}

fn foot(results: &Results) -> String {
    let scenario = &results.scenario;
    let counted = format!(
        "{} seeds of {}; means over seeds. p99: the population that has it worst. lost: what is missing from \
         availability, as time of total outage. P(met): share of seeds that meet the objective.",
        scenario.seeds,
        duration(scenario.horizon_s)
    );
    format!("{DIM}{}{DIM:#}", wrap(&counted, ""))
}

/// What calls between clusters leave open, a line per variant that has any.
fn open(results: &Results) -> String {
    let lines = results.variants.iter().filter_map(|variant| {
        let open = posture(variant)?;
        Some(wrap(&format!("{}: calls between clusters leave open: {open}", short(&variant.name, 30)), "- "))
    });
    lines.collect()
}

/// What `run` prints: a line per variant.
pub fn run_table(results: &Results) -> String {
    table(results) + &open(results) + "\n" + &foot(results)
}

/// What `compare` prints: a line per variant, the headline, and a sentence per pair.
pub fn compare_table(results: &Results) -> String {
    let headline = verdict::headline(results);
    let mut text =
        table(results) + "\n" + &format!("{BOLD}{}{BOLD:#}", wrap(&[&*headline.lead, &headline.sum].join(" "), ""));
    let sentences: Vec<String> = if headline.details.is_empty() {
        let pairs = results
            .variants
            .iter()
            .enumerate()
            .flat_map(|(i, a)| results.variants[i + 1..].iter().map(move |b| (a, b)));
        pairs
            .filter_map(|(a, b)| pair(results, a, b))
            .filter(|text| !headline.lead.starts_with(text.as_str()))
            .collect()
    } else {
        headline.details
    };
    for sentence in sentences {
        text += &wrap(&sentence, "- ");
    }
    text + &open(results) + "\n" + &foot(results)
}

/// What `sweep` prints: a line per point, its axes first.
pub fn sweep_table(results: &Results, grid: &Grid) -> String {
    let period = Period::of(results);
    let per = if period.seconds() == super::text::YEAR_S { "/yr" } else { "" };
    let show = |point: &VariantResult, metric, say: &dyn Fn(f64) -> String| {
        mean(point, metric).map_or_else(|| "–".to_owned(), say)
    };
    let has_rpo = results.variants.iter().any(|point| mean(point, &catalogue::RPO_SECONDS).is_some());
    let figures = |point: &VariantResult| {
        let mut cells = vec![
            show(point, &catalogue::AVAILABILITY, &availability),
            show(point, &catalogue::LATENCY_P99, &duration),
            show(point, &catalogue::REQUESTS_LOST, &|x| count(period.scale(x))),
        ];
        cells.extend(has_rpo.then(|| show(point, &catalogue::RPO_SECONDS, &duration)));
        cells.push(show(point, &catalogue::COST_BILL, &|x| money(period.scale(x))));
        cells
    };
    let mut head = vec!["available".to_owned(), "p99".to_owned(), format!("lost{per}")];
    head.extend(has_rpo.then(|| "RPO".to_owned()));
    head.push(format!("bill{per}"));
    let mut rows: Vec<Vec<String>> = [head].into_iter().chain(results.variants.iter().map(figures)).collect();
    let widest = |rows: &[Vec<String>]| -> Vec<usize> {
        let columns_of = rows.first().map_or(0, Vec::len);
        (0..columns_of).map(|i| rows.iter().map(|row| columns(&row[i])).max().unwrap_or(0)).collect()
    };
    // What the figures leave of the line is shared out among the axes; a wide character takes two columns.
    let taken: usize = widest(&rows).iter().map(|width| width + 2).sum();
    let each = (WIDTH.saturating_sub(taken) / grid.axes.len().max(1)).saturating_sub(2).max(2);
    let axes = grid.axes.iter().map(|axis| axis.name.as_str()).collect();
    let names = [axes].into_iter().chain((0..results.variants.len()).map(|place| grid.values(place)));
    for (row, names) in rows.iter_mut().zip(names) {
        row.splice(0..0, names.into_iter().map(|name| fit(name, each)));
    }
    let widths = widest(&rows);
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<_> = cells.map(|(i, (cell, width))| pad(cell, *width, i >= grid.axes.len())).collect();
        let style = if place == 0 { DIM } else { Style::new() };
        text += &(style.render().to_string() + &cells.join("  ") + &style.render_reset().to_string() + "\n");
    }
    let counted = format!(
        "{} seeds of {}, the same at every point; means over seeds. lost: requests. Intervals are in the report.",
        results.scenario.seeds,
        duration(results.scenario.horizon_s)
    );
    format!("{text}\n{DIM}{}{DIM:#}", wrap(&counted, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{bare, sample, swept};

    #[test]
    fn it_fits_eighty_columns_and_says_everything() {
        let sweep = swept();
        let mut long = swept();
        for axis in &mut long.grid.as_mut().unwrap().axes {
            axis.values = vec!["東".repeat(50), "a".repeat(50)];
        }
        for (name, text) in [
            ("run", run_table(&sample())),
            ("compare", compare_table(&sample())),
            ("bare", run_table(&bare())),
            ("sweep", sweep_table(&sweep, sweep.grid.as_ref().unwrap())),
            ("long", sweep_table(&long, long.grid.as_ref().unwrap())),
        ] {
            let text = unstyled(&text);
            for line in text.lines() {
                assert!(columns(line) <= WIDTH, "{name}: {} columns: {line}", columns(line));
            }
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{name}");
            if std::env::var("REPORT_OUT").is_ok() {
                println!("{text}");
            }
        }
        let text = unstyled(&compare_table(&sample()));
        assert!(text.contains("active-active") && text.contains("P(met)") && text.contains("95 % interval"));
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        let mut results = sample();
        results.variants[0].name = "\u{1b}]0;owned\u{7}\n".repeat(20);
        let text = unstyled(&compare_table(&results));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
    }
}
