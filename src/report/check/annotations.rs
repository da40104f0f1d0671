//! A check as GitHub's workflow commands: each shows at its line of the scenario.
//!
//! A value ends at a comma or a colon, and a message at the end of its line, so these are escaped as GitHub's toolkit does
//! (`escapeProperty` and `escapeData` of @actions/core).

use super::words::{changed, expected, found, moved, place};
use super::{Place, Report};
use crate::experiment::judge::Judgement;
use crate::report::text::plain;

/// A line for each breach, each figure that got worse, and each expectation that couldn't be told.
pub fn annotations(report: &Report) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        for variant in &scenario.variants {
            let whole = Place { file: scenario.file.clone(), line: 1 };
            let name = plain(&variant.name);
            for one in &variant.expectations {
                let (level, what) = match one.judged.judgement {
                    Judgement::Holds => continue,
                    Judgement::Undecided => ("warning", "undecided"),
                    Judgement::Breached => ("error", "breached"),
                };
                let message = format!("{}; {}", expected(&one.judged), found(&one.judged));
                text += &line(level, one.place.as_ref().unwrap_or(&whole), &format!("{name}: {what}"), &message);
            }
            // What changed is where the reason is.
            let first = variant.changes.iter().find_map(|change| change.place.as_ref());
            let changes: Vec<_> = variant
                .changes
                .iter()
                .take(super::words::MOST_CHANGES)
                .map(|change| {
                    let at = change.place.as_ref().map(|at| format!(" ({})", place(at))).unwrap_or_default();
                    changed(change) + &at
                })
                .collect();
            let because =
                if changes.is_empty() { String::new() } else { format!("\nchanged: {}", changes.join("\nchanged: ")) };
            for one in variant.since().into_iter().flat_map(|since| &since.worse) {
                let message = moved(one, scenario) + &because;
                text += &line("error", first.unwrap_or(&whole), &format!("{name}: worse than the baseline"), &message);
            }
        }
    }
    text
}

fn line(level: &str, at: &Place, title: &str, message: &str) -> String {
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let message: Vec<_> = message.lines().map(plain).collect();
    format!(
        "::{level} file={},line={},title={}::{}\n",
        property(&plain(&at.file)),
        at.line,
        property(title),
        data(&message.join("\n"))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
