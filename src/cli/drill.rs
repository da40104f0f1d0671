//! `regionsim drill`: every single fault, or every two at once, at the busiest hour: who survives it, and how.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::scenario::{Wanted, check, mistake, say};
use super::simulate::{failed, hour_of_week, info, simulators, tool};
use super::terminal::{Progress, print, print_file};
use super::threads::Threads;
use super::{interrupt, write};
use crate::base::{Span, time::parse_span};
use crate::diag::harmless;
use crate::experiment::results::{Grid, GridAxis};
use crate::experiment::{Control, Job, drill, run};
use crate::plan::compile;
use crate::report::drill::{Drilled, render, table};
use crate::report::text::slug;
use clap::Args;
use std::path::{Path, PathBuf};

/// Seeds of a drill: they differ in when a probe comes, how long a promotion takes, what was on its way.
const SEEDS: u32 = 20;

/// Inject every single fault at the busiest hour: who survives it, what is lost, how long until all is well
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim drill scenarios/ecommerce.toml\n  \
                        regionsim drill scenarios/ecommerce.toml --variant active-active --pairs --seeds 5\n\n\
                        The scenario's own faults, incidents and surges are left out.")]
pub(super) struct Drill {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The variant to drill; the unpatched one without it
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Every two faults at once
    #[arg(long)]
    pairs: bool,
    /// How long each fault lasts
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_span, default_value = "1h")]
    lasts: Span,
    /// How long is looked on after the repair
    #[arg(long, value_name = "DURATION", value_parser = parse_span, default_value = "3h")]
    after: Span,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    threads: Threads,
    /// The report's folder [default: reports/SCENARIO-drill]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What is printed: the matrix, or drill.json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

impl Drill {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let longest = Span::from_secs(30.0 * 86_400.0);
        if self.lasts.is_zero() || self.lasts > longest || self.after > longest {
            let help = "give a duration of at most 30 days: --for 1h";
            return Err(mistake("a drill's fault, and what comes after it, must fit into a month", help));
        }
        self.threads.start()?;
        let wanted = self.variant.clone().map_or(Wanted::Base, |name| Wanted::Named(vec![name]));
        let checked = check(&self.file, &self.changes, &wanted);
        say(std::slice::from_ref(&checked), self.format, self.quiet);
        let variants = checked.into_variants().ok_or(Failure::Mistakes)?;
        let scenario = &variants[0].scenario;
        let singles = drill::singles(scenario);
        let drills = if self.pairs { drill::pairs(&singles) } else { singles };
        if drills.len() > drill::MOST {
            let message = format!("{} drills; at most {} are run", drills.len(), drill::MOST);
            return Err(mistake(message, "leave --pairs out, or drill a smaller scenario"));
        }
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| Path::new("reports").join(format!("{}-drill", slug(&scenario.spec.name))));
        write::check(&folder)?;
        let seeds = if self.changes.seeds.is_some() { scenario.spec.simulation.seeds } else { SEEDS };
        let at = drill::busiest(scenario);
        let nothing = drill::Drill { name: "nothing".to_owned(), of: vec![] };
        let jobs: Vec<Job> = std::iter::once(&nothing)
            .chain(&drills)
            .map(|drill| {
                let scenario = drill::scenario(scenario, drill, at, self.lasts, self.after, seeds);
                Job { plan: compile(&scenario), scenario, resolved: String::new() }
            })
            .collect();
        let mut info = info(&variants);
        info.seeds = seeds;
        info.horizon_s = jobs[0].scenario.spec.simulation.horizon.secs();
        let when = hour_of_week(scenario.start_in_week, at);
        let progress = Progress::new(self.quiet);
        let control =
            Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop(), shelf: None };
        let names = jobs.iter().map(|job| job.scenario.variant.clone()).collect();
        let grid = Grid { axes: vec![GridAxis { name: "fails".to_owned(), values: names }] };
        let results = run(&jobs, Some(&grid), &tool(), info, &control, &simulators());
        progress.clear();
        let mut results = results.map_err(|error| failed(&error))?;
        let without = results.variants.remove(0);
        let horizon_s = results.scenario.horizon_s;
        let outcomes =
            results.variants.iter().map(|result| drill::outcome(result, &without, self.lasts, horizon_s)).collect();
        let drilled = Drilled { results: &results, outcomes, lasts: self.lasts, at: when };
        let files = render(&drilled);
        write::write(&folder, &files)?;
        match self.format {
            Format::Json if !self.quiet => print_file(&files, "drill.json"),
            Format::Human if !self.quiet => {
                let page = folder.join("report.html");
                let name = harmless(&results.scenario.name);
                print(format!("{name}\n\n{}\nReport: {}\n", table(&drilled), harmless(&page.display().to_string())))
            }
            Format::Json | Format::Human => Ok(()),
        }
    }
}
