//! `regionsim validate`: every mistake of every variant, and nothing is run.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::scenario::{Checked, Wanted, check, say};
use super::terminal;
use crate::diag::harmless;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

/// Check scenarios: every mistake of every variant, with its place and the remedy
#[derive(Args)]
#[command(after_help = "Example: regionsim validate scenarios/*.toml")]
pub(super) struct Validate {
    /// Scenario files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// What is printed: lines, or all diagnostics as data
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

impl Validate {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let checked: Vec<Checked> =
            self.files.iter().map(|file| check(file, &self.changes, &Wanted::Everything)).collect();
        let is_valid = checked.iter().all(|checked| !checked.found.has_errors());
        match self.format {
            Format::Json if !self.quiet => {
                let all: Vec<_> = checked.iter().flat_map(|checked| checked.found.reports(&checked.sources)).collect();
                terminal::print(super::scenario::json(&all))?;
            }
            Format::Json => {}
            Format::Human => {
                for checked in &checked {
                    say(std::slice::from_ref(checked), Format::Human, self.quiet);
                    if !checked.found.has_errors() && !self.quiet {
                        terminal::print(valid(checked))?;
                    }
                }
            }
        }
        if is_valid { Ok(()) } else { Err(Failure::Mistakes) }
    }
}

fn valid(checked: &Checked) -> String {
    let mut line = format!("{}: valid", harmless(&checked.file));
    let points = checked.grid.as_ref().map(|grid| grid.axes.iter().map(|axis| axis.values.len()).product::<usize>());
    let names: Vec<_> = checked.variants.iter().map(|variant| harmless(&variant.scenario.variant)).collect();
    match points {
        None => {}
        Some(1) => line.push_str(", a sweep of 1 point"),
        Some(points) => {
            let _ = write!(line, ", a sweep of {points} points");
        }
    }
    match names.as_slice() {
        [] | [_] => {}
        several => {
            let _ = write!(line, ", {} variants: {}", several.len(), several.join(", "));
        }
    }
    line + "\n"
}
