//! A story as Markdown: every noticed incident in full, to be pasted into a post-mortem.

use super::Explained;
use super::calendar::offset;
use super::tale::{costs, headline, lines, rest};
use crate::report::check::escaped;

/// Incidents that are told in full.
const MOST: usize = 50;

/// `story.md`.
pub(super) fn markdown(explained: &Explained<'_>) -> String {
    let head = headline(explained);
    let mut text = format!("# {}\n\n", escaped(head.first().map_or("", |first| first.trim_end_matches('.'))));
    text += &format!("{}\n\n", escaped(&head[1.min(head.len())..].join(" ")));
    text += "![The year, and its worst incidents](timeline.svg)\n";
    for (place, incident) in explained.incidents.noticed.iter().take(MOST).enumerate() {
        let when = explained.calendar.iso(incident.from);
        text += &format!(
            "\n## {}. {}\n\n{when}. {}\n",
            place + 1,
            escaped(&explained.name(incident)),
            escaped(&costs(explained, incident).join(" "))
        );
        text += "\n| since | what happened |\n|--:|---|\n";
        for line in lines(explained, incident) {
            text += &format!("| {} | {} |\n", offset(line.at - incident.from), escaped(&line.text));
        }
    }
    text += &format!("\n## The rest\n\n{}\n", escaped(&rest(explained, MOST).join(" ")));
    text += &format!(
        "\nEach lost request counts for the fault at its root, by the convention of the reports. The same again:\n\n    {}\n",
        super::plain(&explained.again)
    );
    text
}
