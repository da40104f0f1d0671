//! A check on a terminal of 80 columns: what is breached or worse first.

use super::words::{MOST_CHANGES, changed, expected, found, more_changes, moved, place, simulated};
use super::{Baseline, Report, ScenarioCheck, VariantCheck};
use crate::experiment::judge::Judgement;
use crate::report::terminal::{DIM, WIDTH, columns, wrapped};
use crate::report::text::{YEAR_S, count, duration, short};
use anstyle::{AnsiColor, Style};

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const ODD: Style = AnsiColor::Yellow.on_default();
/// Columns before a line's text.
const INDENT: usize = 13;

/// What `check` prints.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        for variant in &scenario.variants {
            text += &of(variant, scenario);
        }
    }
    text + &verdict(report)
}

fn of(variant: &VariantCheck, scenario: &ScenarioCheck) -> String {
    let mut text = format!("{}\n  {DIM}{}{DIM:#}\n", short(&scenario.file, WIDTH), simulated(&variant.name, scenario));
    let mut say = |style: Style, label: &str, sentence: &str| {
        let body = wrapped(sentence, WIDTH - INDENT);
        for (i, line) in body.iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let gap = " ".repeat(INDENT - 2 - columns(label));
            text += &["  ", &style.render().to_string(), label, &style.render_reset().to_string(), &gap, line, "\n"]
                .concat();
        }
    };
    for (judgement, style, label) in [
        (Judgement::Breached, BAD, "breached"),
        (Judgement::Undecided, ODD, "undecided"),
        (Judgement::Holds, GOOD, "holds"),
    ] {
        for one in variant.expectations.iter().filter(|one| one.judged.judgement == judgement) {
            let at = one.place.as_ref().filter(|_| judgement != Judgement::Holds);
            let at = at.map(|at| format!(" [{}]", place(at))).unwrap_or_default();
            say(style, label, &format!("{}; {}{at}", expected(&one.judged), found(&one.judged)));
        }
    }
    match &variant.baseline {
        Baseline::None => say(DIM, "baseline", "no baseline to compare with; --update keeps these figures as one"),
        Baseline::Unfit(why) => say(ODD, "baseline", &format!("not compared: {why}; --update replaces it")),
        Baseline::Since(since) => {
            for one in &since.worse {
                say(BAD, "worse", &moved(one, scenario));
            }
            for one in &since.better {
                say(GOOD, "better", &moved(one, scenario));
            }
            if since.worse.is_empty() && since.better.is_empty() {
                say(GOOD, "as before", "no figure is shown to have moved from the baseline");
            }
            if !since.is_paired {
                say(DIM, "baseline", "of another master seed: means are compared, which shows less than pairs do");
            }
        }
    }
    for change in variant.changes.iter().take(MOST_CHANGES) {
        let at = change.place.as_ref().map(|at| format!(" [{}]", place(at))).unwrap_or_default();
        say(DIM, "changed", &(changed(change) + &at));
    }
    if let Some(more) = more_changes(&variant.changes) {
        say(DIM, "", &more);
    }
    text + "\n"
}

fn verdict(report: &Report) -> String {
    let all: Vec<_> = report.scenarios.iter().flat_map(|scenario| &scenario.variants).collect();
    let bad = all.iter().filter(|variant| !variant.holds()).count();
    let seconds: f64 =
        report.scenarios.iter().map(|one| one.horizon_s * f64::from(one.seeds) * one.variants.len() as f64).sum();
    let of = if all.len() == 1 { "1 design".to_owned() } else { format!("{} designs", all.len()) };
    let time =
        if seconds >= YEAR_S { format!("{} years", count((seconds / YEAR_S).round())) } else { duration(seconds) };
    let simulated = format!("{of} checked over {time}");
    match bad {
        0 => format!("{GOOD}{simulated}: nothing breached, nothing worse.{GOOD:#}\n"),
        1 => format!("{BAD}{simulated}: 1 is breached or worse.{BAD:#}\n"),
        several => format!("{BAD}{simulated}: {several} are breached or worse.{BAD:#}\n"),
    }
}
