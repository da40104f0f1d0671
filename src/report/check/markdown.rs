//! A check as Markdown, for the summary of a pull request.

use super::words::{MOST_CHANGES, changed, expected, found, more_changes, moved, place, simulated};
use super::{Baseline, Report, ScenarioCheck, VariantCheck};
use crate::experiment::judge::Judgement;
use crate::report::text::short;
use std::fmt::Write as _;

/// A heading for each design, worst first within it; charts are linked where a report was written.
pub fn markdown(report: &Report) -> String {
    let verdict = if report.holds { "nothing breached, nothing worse" } else { "breached or worse" };
    let mut text = format!("## regionsim: {verdict}\n");
    for scenario in &report.scenarios {
        for variant in &scenario.variants {
            text += &of(variant, scenario);
        }
        if let Some(folder) = &scenario.report {
            let link = |name: &str, file: &str| format!("[{name}](<{}/{file}>)", escaped_link(folder));
            let charts = [("how good is a good year", "charts/availability.svg"), ("the whole report", "report.html")];
            let _ = write!(text, "\n{}\n", charts.map(|(name, file)| link(name, file)).join(" · "));
        }
    }
    text
}

fn of(variant: &VariantCheck, scenario: &ScenarioCheck) -> String {
    let mut text = format!(
        "\n### {}\n\n{}\n\n",
        escaped(&short(&scenario.file, 120)),
        escaped(&simulated(&variant.name, scenario))
    );
    let mut rows: Vec<(&str, String)> = Vec::new();
    for (judgement, label) in
        [(Judgement::Breached, "❌ breached"), (Judgement::Undecided, "❔ undecided"), (Judgement::Holds, "✅ holds")]
    {
        for one in variant.expectations.iter().filter(|one| one.judged.judgement == judgement) {
            rows.push((label, format!("{}; {}", expected(&one.judged), found(&one.judged))));
        }
    }
    match &variant.baseline {
        Baseline::None => rows.push(("baseline", "none to compare with".into())),
        Baseline::Unfit(why) => rows.push(("baseline", format!("not compared: {why}"))),
        Baseline::Since(since) => {
            rows.extend(since.worse.iter().map(|one| ("❌ worse", moved(one, scenario))));
            rows.extend(since.better.iter().map(|one| ("✅ better", moved(one, scenario))));
            if since.worse.is_empty() && since.better.is_empty() {
                rows.push(("✅ as before", "no figure is shown to have moved from the baseline".into()));
            }
        }
    }
    if rows.iter().any(|(label, _)| label.starts_with('❌')) {
        rows.sort_by_key(|(label, _)| !label.starts_with('❌'));
    }
    text += "| | |\n|---|---|\n";
    for (label, sentence) in rows {
        let _ = writeln!(text, "| {label} | {} |", escaped(&sentence));
    }
    if !variant.changes.is_empty() {
        text += "\nChanged since the baseline:\n\n";
        for change in variant.changes.iter().take(MOST_CHANGES) {
            let at = change.place.as_ref().map(|at| format!(" ({})", place(at))).unwrap_or_default();
            let _ = writeln!(text, "- {}", escaped(&(changed(change) + &at)));
        }
        text.extend(more_changes(&variant.changes).map(|more| format!("- {more}\n")));
    }
    text
}

/// Text in which nothing is markup, nor the end of a cell.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A path within `<…>`.
fn escaped_link(path: &str) -> String {
    crate::report::text::plain(path).replace('\\', "/").replace('<', "%3C").replace('>', "%3E")
}
