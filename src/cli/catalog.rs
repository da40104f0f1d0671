//! `regionsim catalog`: all that is known of a region, each figure with its source and date.

use super::args::Format;
use super::failure::Failure;
use super::{scenario, terminal};
use crate::catalog::{Catalog as Provided, Entry, Kind, Section};
use crate::diag::Diagnostic;
use clap::Args;
use std::fmt::Write;

/// Print all that is known of a cloud region, each figure with its source and date
#[derive(Args)]
#[command(after_help = "Example: regionsim catalog us-east-1")]
pub(super) struct Catalog {
    /// The region's code, alone or with its provider: us-east-1, azure:westeurope
    #[arg(value_name = "CODE")]
    code: String,
    /// What is printed: lines, or sections as data
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Catalog {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let Some(sections) = Provided::get().describe(&self.code) else {
            let diagnostic = Diagnostic::error(format!("unknown region `{}`", self.code))
                .suggest(&self.code, Provided::get().codes())
                .help("`regionsim list regions` has them all");
            return Err(Failure::usage(diagnostic));
        };
        match self.format {
            Format::Human => terminal::print(page(&sections)),
            Format::Json => terminal::print(scenario::json(&sections)),
        }
    }
}

/// A table for each section, each figure with the number of its source, and the sources below.
fn page(sections: &[Section]) -> String {
    let mut out = String::new();
    let mut sources: Vec<String> = Vec::new();
    for section in sections {
        let rows = section.entries.iter().map(|entry| {
            let source = source(entry);
            let number = sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                sources.push(source);
                sources.len() - 1
            });
            let note = match entry.kind {
                Kind::Measured => entry.note.clone(),
                Kind::Derived | Kind::Assumed => format!("{}: {}", entry.kind.name(), entry.note),
            };
            [entry.label.clone(), entry.value.clone(), format!("[{}]", number + 1), note]
        });
        out.push_str(&terminal::table(&[section.title, "", "source", "note"], rows));
        out.push('\n');
    }
    out.push_str("SOURCES\n");
    for (number, source) in sources.iter().enumerate() {
        let _ = writeln!(out, "[{}] {source}", number + 1);
    }
    out
}

/// The source with the date of the figure, unless the source says it.
fn source(entry: &Entry) -> String {
    if entry.date.is_empty() || entry.source.contains(&entry.date) {
        entry.source.clone()
    } else {
        format!("{}; {}", entry.source, entry.date)
    }
}
