//! What must hold across the entries of a scenario. Each check adds its mistakes and goes on, so that all are listed
//! in one go; a check passes over what another one has already refused.

mod advice;
mod connections;
mod failures;
mod limits;
mod names;
mod numbers;
mod references;
mod residency;
mod rollout;

use super::lookup::Model;
use super::resolve::Places;
use super::spec::ScenarioSpec;
use crate::diag::{Diagnostic, Diagnostics, Severity};

/// Counts, before anything is looked up: whether they are small enough to go on.
pub(super) fn counts(spec: &ScenarioSpec, found: &mut Found<'_>) -> bool {
    let before = found.errors();
    limits::counts(spec, found);
    found.errors() == before
}

/// Names: what needs nothing else.
pub(super) fn names(spec: &ScenarioSpec, found: &mut Found<'_>) {
    names::check(spec, found);
}

/// Everything that needs the other entries or what was looked up.
pub(super) fn all(model: &Model<'_>, known_metrics: &[&str], found: &mut Found<'_>) {
    numbers::check(model, found);
    references::check(model, known_metrics, found);
    connections::check(model, found);
    failures::check(model, found);
    rollout::check(model, found);
    residency::check(model, found);
    limits::work(model, found);
    // Advice on a scenario that can't be run would only hide the mistakes.
    if found.errors() == 0 {
        advice::give(model, found);
    }
}

/// The mistakes so far. Of errors and of advice, [`Diagnostics::KEPT`] each are kept: a hostile file can hold a
/// mistake in every byte.
pub(super) struct Found<'a> {
    place: &'a dyn Places,
    list: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl<'a> Found<'a> {
    pub(super) fn new(place: &'a dyn Places) -> Self {
        Self { place, list: Vec::new(), errors: 0, warnings: 0 }
    }

    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }

    /// Adds a diagnostic about the value at `path`.
    pub(super) fn push(&mut self, path: &[&str], diagnostic: Diagnostic) {
        let count = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count > Diagnostics::KEPT {
            return;
        }
        let diagnostic = diagnostic.path(dotted(path));
        self.list.push(match self.place.origin(path) {
            Some(origin) => diagnostic.label(origin, ""),
            None => diagnostic,
        });
    }

    /// Adds an error unless the condition holds.
    pub(super) fn require(&mut self, holds: bool, path: &[&str], message: impl FnOnce() -> (String, &'static str)) {
        if !holds {
            let (message, help) = message();
            self.push(path, Diagnostic::error(message).help(help));
        }
    }

    /// "unknown cluster `x`", with the nearest of those that exist.
    pub(super) fn unknown<'n>(
        &mut self,
        path: &[&str],
        kind: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        const LISTED: usize = 12;
        let mut diagnostic = Diagnostic::error(format!("unknown {kind} `{name}`"));
        // The distance to every name takes time that nobody reads beyond the first mistakes.
        if self.errors < Diagnostics::SHOWN {
            let known: Vec<&str> = known.into_iter().collect();
            diagnostic = match known.len() {
                0 => diagnostic.help(format!("there is no {kind} in this scenario: add one, or remove this")),
                count => {
                    let more = if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() };
                    let names: Vec<_> = known.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
                    diagnostic.help(format!("expected one of {}{more}", names.join(", ")))
                }
            };
            diagnostic = diagnostic.suggest(name, known);
        }
        self.push(path, diagnostic);
    }
}

/// A path as TOML writes it: a segment is bare if it can be and quoted if not.
pub(super) fn dotted(path: &[&str]) -> String {
    let is_bare = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
    };
    let key = |segment: &&str| {
        if is_bare(segment) {
            (*segment).to_owned()
        } else {
            format!("\"{}\"", segment.replace('\\', "\\\\").replace('"', "\\\""))
        }
    };
    path.iter().map(key).collect::<Vec<_>>().join(".")
}
