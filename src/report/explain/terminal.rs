//! A story on a terminal of 80 columns. Styled with ANSI codes, which the caller's stream strips where they aren't
//! wanted.

use super::Explained;
use super::calendar::offset;
use super::tale::{costs, headline, lines, rest};
use super::words::Tone;
use crate::report::terminal::{DIM, WIDTH, columns, pad, wrapped};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
/// Columns of the times.
const TIMES: usize = 15;
/// Of more lines of one incident the ones in the middle are left to `events.csv`.
const MOST_LINES: usize = 30;

/// The story: the worst incidents in full, the rest in a sentence.
pub fn terminal(explained: &Explained<'_>, most: usize) -> String {
    let mut text = String::new();
    for (place, sentence) in headline(explained).iter().enumerate() {
        let style = if place == 0 { BOLD } else { Style::new() };
        for line in wrapped(sentence, WIDTH) {
            let _ = writeln!(text, "{style}{line}{style:#}");
        }
    }
    for (place, incident) in explained.incidents.noticed.iter().take(most).enumerate() {
        let title =
            format!("{}. {}  {}", place + 1, explained.calendar.moment(incident.from), explained.name(incident));
        text.push('\n');
        for line in wrapped(&title, WIDTH) {
            let _ = writeln!(text, "{BOLD}{line}{BOLD:#}");
        }
        let all = lines(explained, incident);
        let (head, tail) =
            if all.len() > MOST_LINES { (MOST_LINES - 10, all.len() - 10) } else { (all.len(), all.len()) };
        let mut before = None;
        for (number, line) in all.iter().enumerate().filter(|(number, _)| *number < head || *number >= tail) {
            if number == tail {
                let _ =
                    writeln!(text, "{}{DIM}… {} more lines are in story.md{DIM:#}", " ".repeat(TIMES + 2), tail - head);
            }
            let since = offset(line.at - incident.from);
            let since = if before.replace(since.clone()) == Some(since.clone()) { String::new() } else { since };
            let style = match line.tone {
                Tone::Bad => BAD,
                Tone::Good => GOOD,
                Tone::Plain => Style::new(),
            };
            for (row, part) in wrapped(&line.text, WIDTH - TIMES - 2).iter().enumerate() {
                let time = pad(if row == 0 { &since } else { "" }, TIMES, true);
                debug_assert!(columns(part) <= WIDTH);
                let _ = writeln!(text, "{DIM}{time}{DIM:#}  {style}{part}{style:#}");
            }
        }
        for line in wrapped(&costs(explained, incident).join(" "), WIDTH - 3) {
            let _ = writeln!(text, "   {line}");
        }
    }
    let rest = rest(explained, most);
    if !rest.is_empty() {
        text += &("\n".to_owned() + &wrapped(&rest.join(" "), WIDTH).join("\n") + "\n");
    }
    text
}
