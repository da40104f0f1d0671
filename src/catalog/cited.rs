//! A value together with where it came from, so that every figure in a report can be traced.

use serde::Serialize;

/// How a value was come by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// As the source gives it: a measurement, a list price, a documented default.
    Measured,
    /// Computed by us from what a source gives; the note has the formula.
    Derived,
    /// Taken for want of a figure; the note says what stands in for what.
    Assumed,
}

impl Kind {
    /// The word that is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Derived => "derived",
            Self::Assumed => "assumed",
        }
    }
}

/// A value with its source.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Cited<T> {
    /// The value, in the unit that the giver documents.
    pub value: T,
    /// How it was come by.
    pub kind: Kind,
    /// The file and its origin, e.g. `data/latency/aws_rtt_p50_2025.csv (cloudping.co, 2025-05-29)`.
    pub source: String,
    /// The date of the figure as the source states it (ISO 8601, or words such as `undated`).
    pub date: String,
    /// Caveats, formulas and stand-ins; empty when there are none.
    pub note: String,
}

impl<T> Cited<T> {
    /// The same citation for a value made from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Cited<U> {
        let Self { value, kind, source, date, note } = self;
        Cited { value: f(value), kind, source, date, note }
    }

    /// Marks the value as computed by `note`.
    pub(super) fn derived(self, note: &str) -> Self {
        Self { kind: Kind::Derived, ..self.noted(note) }
    }

    /// Marks the value as a stand-in, as `note` explains.
    pub(super) fn assumed(self, note: &str) -> Self {
        Self { kind: Kind::Assumed, ..self.noted(note) }
    }

    /// Adds a note.
    pub(super) fn noted(mut self, note: &str) -> Self {
        if !self.note.is_empty() && !note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(note);
        self
    }
}
