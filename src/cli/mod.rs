//! Layer 9: the command line, a file for each subcommand. Nothing else touches files, the terminal or the clock.
//!
//! What a command prints goes to standard output, and all that is said about it to standard error. A command that
//! fails says why as a [`Failure`], of which the exit code follows.

mod args;
mod baselines;
mod catalog;
mod check;
mod compare;
mod completions;
mod drill;
mod explain;
mod failure;
mod files;
mod import;
mod interrupt;
mod list;
mod man;
mod merge;
mod new;
mod parts;
mod plan;
mod resume;
mod run;
mod scenario;
mod schema;
mod shard;
mod shelf;
mod show;
mod simulate;
mod sweep;
mod terminal;
mod threads;
mod trace;
mod until;
mod validate;
mod validate_engine;
mod work;
mod write;

pub use failure::Failure;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::sync::LazyLock;

/// The version, with the commit if the build was told it.
static VERSION: LazyLock<String> = LazyLock::new(|| match COMMIT {
    Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
    None => env!("CARGO_PKG_VERSION").to_owned(),
});
/// The commit that it was built from, as the build says.
const COMMIT: Option<&str> = option_env!("REGIONSIM_COMMIT");

#[derive(Parser)]
#[command(
    name = "regionsim",
    version = VERSION.as_str(),
    about = "Simulates multi-region designs: which is best on availability, latency and cost, by how much, how sure",
    after_help = "Example: regionsim compare scenarios/ecommerce.toml\n\n\
                  Exit codes: 0 done, 1 refused by check or validate-engine, 2 bad input or usage, 3 could not
\
                  write, 130 interrupted.",
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Compare(compare::Compare),
    Sweep(sweep::Sweep),
    Check(check::Check),
    Drill(drill::Drill),
    Explain(explain::Explain),
    Plan(plan::Plan),
    Shard(shard::Shard),
    Merge(merge::Merge),
    Validate(validate::Validate),
    ValidateEngine(validate_engine::ValidateEngine),
    Show(show::Show),
    Trace(trace::Trace),
    Import(import::Import),
    Schema(schema::Schema),
    List(list::List),
    Catalog(catalog::Catalog),
    Completions(completions::Completions),
    Man(man::Man),
    New(new::New),
}

/// Reads the arguments, does what they say, and gives the exit code.
pub fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help into a closed pipe is help enough.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let done = match command {
        Command::Run(command) => command.execute(),
        Command::Compare(command) => command.execute(),
        Command::Sweep(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Drill(command) => command.execute(),
        Command::Explain(command) => command.execute(),
        Command::Plan(command) => command.execute(),
        Command::Shard(command) => command.execute(),
        Command::Merge(command) => command.execute(),
        Command::Validate(command) => command.execute(),
        Command::ValidateEngine(command) => command.execute(),
        Command::Show(command) => command.execute(),
        Command::Trace(command) => command.execute(),
        Command::Import(command) => command.execute(),
        Command::Schema(command) => command.execute(),
        Command::List(command) => command.execute(),
        Command::Catalog(command) => command.execute(),
        Command::Completions(command) => command.execute(),
        Command::Man(command) => command.execute(),
        Command::New(command) => command.execute(),
    };
    done.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent_and_every_command_has_an_example() {
        let mut command = super::Cli::command();
        command.build();
        command.clone().debug_assert();
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example"), "{}", command.get_name());
            assert!(help.contains(&format!("regionsim {}", command.get_name())), "{}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
