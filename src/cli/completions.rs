//! `regionsim completions`: what a shell needs to complete the command line.

use super::failure::Failure;
use super::terminal;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a script that completes commands and options in a shell
#[derive(Args)]
#[command(after_help = "Example: regionsim completions bash > ~/.local/share/bash-completion/completions/regionsim")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "regionsim", &mut script);
        terminal::print(script)
    }
}
