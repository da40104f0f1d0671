//! Diagnostics as text in rustc's look, and as data for `--format json`.

use super::harmless::{harmless, is_harmful};
use super::{Diagnostic, Diagnostics, Label, Severity, Sources};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// How diagnostics look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Colour,
}

/// One diagnostic as data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The file, or the option for an argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// From 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The value within the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The words beside the caret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

impl Diagnostics {
    /// The first [`Diagnostics::SHOWN`] as a person reads them, and how many more there are.
    pub fn render(&self, sources: &Sources, look: Look) -> String {
        let mut out = String::new();
        for diagnostic in self.iter().take(Self::SHOWN) {
            out.push_str(&diagnostic.render(sources, look));
            out.push_str("\n\n");
        }
        match self.len().saturating_sub(Self::SHOWN) {
            0 => out,
            more => out + &format!("and {more} more\n"),
        }
    }

    /// Those kept, as data.
    pub fn reports(&self, sources: &Sources) -> Vec<Report> {
        self.iter().map(|diagnostic| diagnostic.report(sources)).collect()
    }
}

impl Diagnostic {
    /// As data.
    pub fn report(&self, sources: &Sources) -> Report {
        let label = self.labels.first();
        let position = label.map(|label| sources.position(label.origin));
        let safe = |texts: &[String]| texts.iter().map(|text| harmless(text).into_owned()).collect();
        Report {
            severity: self.severity,
            message: harmless(&self.message).into_owned(),
            file: label.map(|label| harmless(sources.name(label.origin.source)).into_owned()),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            path: self.path.as_ref().map(|path| harmless(path).into_owned()),
            label: label.map(|label| harmless(&label.text).into_owned()).filter(|text| !text.is_empty()),
            notes: safe(&self.notes),
            help: safe(&self.help),
        }
    }

    /// As a person reads it, without a final newline.
    pub fn render(&self, sources: &Sources, look: Look) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(harmless(&self.message)));
        let mut rest: Vec<&Label> = self.labels.iter().collect();
        let mut primary = true;
        while let Some(first) = rest.first() {
            let source = first.origin.source;
            let (here, elsewhere): (Vec<_>, Vec<_>) = rest.into_iter().partition(|label| label.origin.source == source);
            group = group.element(snippet(sources, &here, primary));
            (rest, primary) = (elsewhere, false);
        }
        group = group.elements(self.notes.iter().map(|note| Level::NOTE.message(harmless(note))));
        group = group.elements(self.help.iter().map(|help| Level::HELP.message(harmless(help))));
        let renderer = match look {
            Look::Plain => Renderer::plain(),
            Look::Colour => Renderer::styled().hyperlink(false),
        };
        renderer.render(&[group])
    }
}

/// The lines that the labels (all of one source, at least one) are on. Every harmful character is replaced by one
/// that shows, so columns stay right; a span over several lines is cut to its first.
fn snippet<'a>(
    sources: &Sources,
    labels: &[&'a Label],
    primary: bool,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = labels[0].origin.source;
    let lines = labels.iter().map(|label| sources.position(label.origin).line);
    let (first, last) = (lines.clone().min().unwrap_or(1), lines.max().unwrap_or(1));
    let range = sources.lines(source, first, last);
    let text = &sources.text(source)[range.clone()];
    let mut shown = String::with_capacity(text.len());
    // Where each byte that a label begins or ends at has gone.
    let mut moved: Vec<(usize, usize)> = labels
        .iter()
        .flat_map(|label| [label.origin.start, label.origin.end])
        .map(|at| ((at as usize).saturating_sub(range.start), usize::MAX))
        .collect();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        for (_, to) in moved.iter_mut().filter(|(from, to)| *from <= at && *to == usize::MAX) {
            *to = shown.len();
        }
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' if characters.peek().is_none_or(|&(_, next)| next == '\n') => {}
            _ if is_harmful(c) => shown.push('\u{fffd}'),
            _ => shown.push(c),
        }
    }
    for (_, to) in moved.iter_mut().filter(|(_, to)| *to == usize::MAX) {
        *to = shown.len();
    }
    let annotations: Vec<_> = labels
        .iter()
        .zip(moved.chunks_exact(2))
        .enumerate()
        .map(|(i, (label, ends))| {
            let start = ends[0].1;
            let line_end = shown[start..].find('\n').map_or(shown.len(), |length| start + length);
            let kind = if primary && i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = (!label.text.is_empty()).then(|| harmless(&label.text).into_owned());
            kind.span(start..ends[1].1.min(line_end)).label(text)
        })
        .collect();
    let name = harmless(sources.name(source)).into_owned();
    Snippet::source(shown).path(name).line_start(first).annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::super::Origin;
    use super::*;

    fn one(text: &str, span: std::ops::Range<usize>) -> (Sources, Diagnostics) {
        let mut sources = Sources::default();
        let id = sources.file("shop.toml", text);
        let mut all = Diagnostics::default();
        let diagnostic = Diagnostic::error("unknown key `regoin`").label(Origin::new(id, span), "not a key");
        all.push(diagnostic.help("did you mean `region`?").path("cluster.a.regoin"));
        (sources, all)
    }

    #[test]
    fn rustcs_look() {
        let (sources, all) = one("name = \"a\"\r\n\tregoin = \"b\"\r\nx = 1\r\n", 13..19);
        let expected = "\
error: unknown key `regoin`
 --> shop.toml:2:2
  |
2 |     regoin = \"b\"
  |     ^^^^^^ not a key
  |
  = help: did you mean `region`?

";
        assert_eq!(all.render(&sources, Look::Plain), expected);
        assert!(all.render(&sources, Look::Colour).contains("\u{1b}["));
    }

    #[test]
    fn data_has_file_line_and_column() {
        let (sources, all) = one("name = \"a\"\nregoin = \"b\"", 11..17);
        let json = serde_json::to_value(all.reports(&sources)).unwrap();
        let expected = serde_json::json!([{
            "severity": "error", "message": "unknown key `regoin`", "file": "shop.toml", "line": 2, "column": 1,
            "path": "cluster.a.regoin", "label": "not a key", "help": ["did you mean `region`?"]
        }]);
        assert_eq!(json, expected);
    }

    #[test]
    fn what_a_file_holds_cannot_reach_the_terminal() {
        let mut sources = Sources::default();
        let evil = "\u{1b}]0;x\u{7}\u{202e}\u{9b}2J\r";
        let id = sources.file(format!("a{evil}.toml"), format!("x = '{evil}' # \u{2066}\n"));
        let diagnostic = Diagnostic::error(format!("bad {evil}"))
            .label(Origin::new(id, 4..20), evil)
            .note(evil)
            .help(evil)
            .path(evil);
        let text = diagnostic.render(&sources, Look::Plain);
        assert!(!text.chars().any(|c| c != '\n' && is_harmful(c)), "{text:?}");
        let json = serde_json::to_string(&diagnostic.report(&sources)).unwrap();
        assert!(!json.contains(is_harmful), "{json:?}");
    }

    #[test]
    fn the_first_fifty_are_shown_and_a_flood_is_counted() {
        let mut all = Diagnostics::default();
        for _ in 0..5000 {
            all.push(Diagnostic::error("no"));
        }
        let text = all.render(&Sources::default(), Look::Plain);
        assert_eq!(text.matches("error: no").count(), 50);
        assert!(text.ends_with("and 4950 more\n"));
        assert_eq!((all.errors(), all.iter().count()), (5000, Diagnostics::KEPT));
    }

    #[test]
    fn any_span_is_rendered() {
        for span in [0..0, 0..1000, 5..5, 11..12, 900..1000, 1..2] {
            let (sources, all) = one("né = 'ü'\nb = 2", span);
            assert!(all.render(&sources, Look::Plain).contains("shop.toml"));
        }
        let (sources, all) = one("", 0..0);
        assert!(all.render(&sources, Look::Plain).contains("shop.toml:1:1"));
    }
}
