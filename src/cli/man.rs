//! `regionsim man`: the manual page.

use super::failure::Failure;
use super::terminal;
use clap::{Args, CommandFactory};

/// Print the manual page
#[derive(Args)]
#[command(after_help = "Example: regionsim man > ~/.local/share/man/man1/regionsim.1")]
pub(super) struct Man {}

impl Man {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let Self {} = self;
        let mut page = Vec::new();
        clap_mangen::Man::new(super::Cli::command()).render(&mut page).map_err(Failure::output)?;
        terminal::print(page)
    }
}
