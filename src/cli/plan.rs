//! `regionsim plan`: cuts a run into shards for other machines, or for other processes of this one.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::simulate::{Asked, Input, headline, info, tasks};
use super::{files::Disk, interrupt, terminal::print, work};
use crate::diag::harmless;
use crate::experiment::work::{Command, MAX_SHARDS, rounds};
use crate::scenario::load::Reader;
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The command whose report is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum As {
    /// As `regionsim run`
    Run,
    /// As `regionsim compare`
    Compare,
    /// As `regionsim sweep`
    Sweep,
}

/// Cut a run, a comparison or a sweep into shards for many machines; `shard` makes their parts, `merge` the report
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regionsim plan scenarios/ecommerce.toml --as compare --shards 8 --out plan.json\n  \
                        regionsim plan scenarios/headroom.toml --as sweep --seeds 500 --shards 100 --out plan.json\n\n\
                        The plan holds the text of every file that it needs, the tool's version and the seeds: nothing \
                        else goes to the machines that run its shards. It is never changed: a file that holds another \
                        plan isn't replaced. The merged report is, to the byte, that of one machine, for any number of \
                        shards."
)]
pub(super) struct Plan {
    /// Scenario files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose report is wanted
    #[arg(long = "as", value_enum, value_name = "COMMAND", default_value = "run")]
    command: As,
    /// How many shards; each simulates the same number of seeds, give or take one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SHARDS)))]
    shards: u32,
    /// A variant, as the command has it; may be given several times
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    #[command(flatten)]
    changes: Changes,
    /// The plan's file
    #[arg(long, value_name = "PLAN", default_value = "plan.json")]
    out: PathBuf,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

impl Plan {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let command = match self.command {
            As::Run => Command::Run,
            As::Compare => Command::Compare,
            As::Sweep => Command::Sweep,
        };
        let (wanted, mode) = work::wanted(command, self.variant)?;
        let quiet = self.quiet;
        let asked = Asked {
            changes: &self.changes,
            wanted: &wanted,
            mode,
            out: None,
            format: Format::Human,
            quiet,
            stopping: None,
        };
        let inputs: Vec<Input> = self.files.iter().map(|file| (&Disk as &dyn Reader, file.as_path())).collect();
        let tasks = tasks(&inputs, &asked)?;
        let infos: Vec<_> = tasks.iter().map(|task| info(&task.variants)).collect();
        let rounds = rounds(infos.iter().map(|info| info.seeds), self.shards);
        let plan = work::planned(&tasks, &asked, self.shards, rounds)?;
        work::write(&self.out, &plan)?;
        if self.quiet {
            return Ok(());
        }
        let mut text = String::new();
        for (task, info) in tasks.iter().zip(&infos) {
            let _ = writeln!(text, "{}", headline(&task.variants, mode, info, None));
        }
        let (least, most) = (plan.units() / u64::from(plan.shards), plan.units().div_ceil(plan.shards.into()));
        let seeds = if least == most { format!("{most}") } else { format!("{least} or {most}") };
        let file = harmless(&self.out.display().to_string()).into_owned();
        let last = plan.shards - 1;
        let _ = write!(
            text,
            "\nPlan:  {file}, {} of {seeds} simulated seeds each\n\
             Parts: regionsim shard {file} --out parts --index I   for each I of 0-{last}\n\
             Then:  regionsim merge parts --out REPORT\n",
            if plan.shards == 1 { "1 shard".to_owned() } else { format!("{} shards", plan.shards) },
        );
        print(text)
    }
}
