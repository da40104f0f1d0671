//! `regionsim show`: the resolved scenario, each value with where it came from.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::scenario::{Wanted, check, say};
use super::terminal;
use clap::Args;
use std::path::PathBuf;

/// Print the scenario as resolved: every default filled in, each value with where it came from
#[derive(Args)]
#[command(after_help = "Example: regionsim show scenarios/ecommerce.toml --variant active-active")]
pub(super) struct Show {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The variant to show; the unpatched one without it
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    changes: Changes,
    /// What is printed: TOML, or the same as JSON without the origins
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Show {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let wanted = match self.variant {
            Some(name) => Wanted::Named(vec![name]),
            None => Wanted::Base,
        };
        let checked = check(&self.file, &self.changes, &wanted);
        say(std::slice::from_ref(&checked), self.format, true);
        let variants = checked.into_variants().ok_or(Failure::Mistakes)?;
        for variant in &variants {
            match self.format {
                Format::Human => terminal::print(&variant.resolved)?,
                Format::Json => terminal::print(super::scenario::json(&variant.scenario.spec))?,
            }
        }
        Ok(())
    }
}
