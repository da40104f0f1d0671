//! A story as Markdown: every noticed incident in full, to be pasted into a post-mortem.

use super::Explained;
use super::calendar::offset;
use super::tale::{costs, headline, lines, rest};
use crate::report::check::escaped;
use std::fmt::Write as _;

/// Incidents that are told in full.
const MOST: usize = 50;

/// `story.md`.
pub(super) fn markdown(explained: &Explained<'_>) -> String {
    let head = headline(explained);
    let mut text = format!("# {}\n\n", escaped(head.first().map_or("", |first| first.trim_end_matches('.'))));
    let _ = writeln!(text, "{}\n", escaped(&head[1.min(head.len())..].join(" ")));
    text += "![The year, and its worst incidents](timeline.svg)\n";
    for (place, incident) in explained.incidents.noticed.iter().take(MOST).enumerate() {
        let when = explained.calendar.iso(incident.from);
        let _ = writeln!(
            text,
            "\n## {}. {}\n\n{when}. {}",
            place + 1,
            escaped(&explained.name(incident)),
            escaped(&costs(explained, incident).join(" "))
        );
        text += "\n| since | what happened |\n|--:|---|\n";
        for line in lines(explained, incident) {
            let _ = writeln!(text, "| {} | {} |", offset(line.at - incident.from), escaped(&line.text));
        }
    }
    let _ = writeln!(text, "\n## The rest\n\n{}", escaped(&rest(explained, MOST).join(" ")));
    let _ = writeln!(
        text,
        "\nEach lost request counts for the fault at its root, by the convention of the reports. The same again:\n\n    {}",
        super::plain(&explained.again)
    );
    text
}
