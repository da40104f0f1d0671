//! Diagnostics: what a user got wrong, where it is written, and what to write instead.
//!
//! Every stage that reads what a person wrote adds to one [`Diagnostics`], so that all mistakes are listed in one
//! go. The text in a diagnostic may come from an untrusted file; rendering makes it harmless.

mod harmless;
mod render;
mod sources;
mod suggest;

pub use harmless::harmless;
pub use render::{Look, Report};
pub use sources::{Origin, Position, SourceId, Sources};
pub use suggest::did_you_mean;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The scenario can't be run.
    Error,
    /// Legal and odd: advice.
    Warning,
}

/// A caret under a piece of a source, with a few words. The first label of a diagnostic is its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// What the caret is under.
    pub origin: Origin,
    /// A few words beside the caret; may be empty.
    pub text: String,
}

/// One mistake, or one piece of advice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; the first label is the place of the mistake.
    pub labels: Vec<Label>,
    /// What to know.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// The path of the value within the scenario, as `--set` would name it.
    pub path: Option<String>,
}

impl Diagnostic {
    fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), labels: vec![], notes: vec![], help: vec![], path: None }
    }

    /// A mistake.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// A piece of advice.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// Adds a caret.
    #[must_use]
    pub fn label(mut self, origin: Origin, text: impl Into<String>) -> Self {
        self.labels.push(Label { origin, text: text.into() });
        self
    }

    /// Adds what to know.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds "did you mean" if one of the candidates is near.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match did_you_mean(word, candidates) {
            Some(nearest) => self.help(format!("did you mean `{nearest}`?")),
            None => self,
        }
    }

    /// Names the value within the scenario.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// All that was found so far. A hostile file can hold a mistake in every byte, so only the first
/// [`Diagnostics::KEPT`] are kept and the rest are counted.
#[derive(Clone, Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
    dropped: usize,
}

impl Diagnostics {
    /// How many are kept.
    pub const KEPT: usize = 1000;
    /// How many are shown.
    pub const SHOWN: usize = 50;

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.list.len() < Self::KEPT {
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether there is any error (rather than advice).
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors were found.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many errors and warnings were found, kept or not.
    pub fn len(&self) -> usize {
        self.list.len() + self.dropped
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those kept, in the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}
