//! From what was written to a checked scenario: what the catalogue knows is looked up, and every mistake is listed.
//!
//! What is looked up is also written into [`Scenario::spec`] (regions that clusters imply, the region and zones of a
//! cluster, nodes, UTC offsets), so that it can be shown, and `citations` says of each where it came from.

use super::checks::{self, Found};
use super::lookup;
use super::resolved::Scenario;
use super::spec::ScenarioSpec;
use crate::diag::{Diagnostic, Origin};

/// Where a value of the scenario was written.
pub trait Places {
    /// The place of the value at a path, or of the nearest value above it; elements of lists are addressed by their
    /// name, or by their position from 0 where they have none.
    fn origin(&self, path: &[&str]) -> Option<Origin>;
}

/// The files beside a scenario.
pub trait Files {
    /// The text of a file, its path as written in the scenario.
    ///
    /// # Errors
    /// Says why the file can't be read.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// Looks up what the scenario leaves to the catalogue and checks all of it. There is a scenario only if there are no
/// errors; the list also has the advice. `known_metrics` are the names that an expectation may use.
pub fn resolve(
    mut spec: ScenarioSpec,
    variant: &str,
    summary: Option<String>,
    place: &dyn Places,
    files: &dyn Files,
    known_metrics: &[&str],
) -> (Option<Scenario>, Vec<Diagnostic>) {
    let mut found = Found::new(place);
    if !checks::counts(&spec, &mut found) {
        return (None, found.into_list());
    }
    checks::names(&spec, &mut found);
    lookup::imply_regions(&mut spec, &mut found);
    let looked_up = {
        let model = lookup::Model::new(&spec, files, &mut found);
        checks::all(&model, known_metrics, &mut found);
        model.finish()
    };
    let scenario = looked_up
        .filter(|_| found.errors() == 0)
        .map(|looked_up| looked_up.into_scenario(spec, variant.to_owned(), summary));
    (scenario, found.into_list())
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
