//! What `run`, `compare` and `sweep` share: scenarios are checked, simulated under every seed, and reported.
//!
//! Nothing runs before every file was checked, and nothing is written before all of a scenario has run.

use super::args::{Changes, Format, Simulating};
use super::failure::Failure;
use super::files::{Disk, Recorder};
use super::resume;
use super::scenario::{Checked, Resolved, Wanted, check_in, mistake, say};
use super::shelf::Shelf;
use super::terminal::{Progress, diagnostic, print, print_as_made};
use super::until::{Stopping, with_seeds};
use super::{interrupt, write};
use crate::base::Span;
use crate::base::stream::digest;
use crate::diag::{Diagnostic, harmless};
use crate::experiment::results::{Grid, Results, ScenarioInfo, Tool};
use crate::experiment::{Control, Job, RunError, Simulate, run_until};
use crate::plan::{Plan, compile};
use crate::report::{Mode, compare_table, run_table, sweep_table, text::slug, write_summary};
use crate::scenario::load::Reader;
use crate::sim::{Convolved, Simulator};
use crate::stats;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Where reports go by default.
const REPORTS: &str = "reports";

/// A checked scenario and where its report goes.
pub(super) struct Task {
    pub(super) variants: Vec<Resolved>,
    pub(super) grid: Option<Grid>,
    pub(super) folder: PathBuf,
    /// The scenario's file, as it was named.
    pub(super) file: PathBuf,
    /// All that was read for it.
    pub(super) sources: BTreeMap<PathBuf, Vec<u8>>,
}

/// A scenario to check: where its files are, and which it is.
pub(super) type Input<'a> = (&'a dyn Reader, &'a Path);

/// What is asked of all scenarios.
pub(super) struct Asked<'a> {
    pub(super) changes: &'a Changes,
    pub(super) wanted: &'a Wanted,
    pub(super) mode: Mode,
    pub(super) out: Option<&'a Path>,
    pub(super) format: Format,
    pub(super) quiet: bool,
    /// When to stop adding seeds, if any may be added.
    pub(super) stopping: Option<&'a Stopping>,
}

/// Checks all files, then simulates one after the other.
pub(super) fn simulate(
    arguments: &Simulating,
    wanted: &Wanted,
    mode: Mode,
    stopping: Option<&Stopping>,
) -> Result<(), Failure> {
    let stopping = stopping.filter(|stopping| stopping.is_asked());
    if arguments.resume && stopping.is_some() {
        let message = "--resume keeps the parts of a run whose seeds are known beforehand, and --until adds seeds";
        return Err(mistake(message, "leave out one of them"));
    }
    interrupt::watch();
    let Simulating { changes, format, quiet, .. } = arguments;
    let out = arguments.out.as_deref();
    let asked = Asked { changes, wanted, mode, out, format: *format, quiet: *quiet, stopping };
    let inputs: Vec<Input> = arguments.files.iter().map(|file| (&Disk as &dyn Reader, file.as_path())).collect();
    arguments.threads.start()?;
    let tasks = tasks(&inputs, &asked)?;
    for task in &tasks {
        write::check(&task.folder)?;
    }
    if arguments.resume {
        interrupt::say_too("; the same command goes on from here");
    }
    for task in tasks {
        if arguments.resume {
            resume::one_kept(task, &asked)?;
        } else {
            let begun = Instant::now();
            let results = |jobs: &[Job], grid: Option<&Grid>, info, control: &Control| {
                let more = |results: &Results| stopping.map_or(0, |stopping| stopping.more(results, jobs, begun));
                run_until(jobs, grid, &tool(), info, control, &simulators(), &more).map_err(|error| failed(&error))
            };
            one(task, &asked, &results)?;
        }
    }
    Ok(())
}

/// Makes simulators of variants, which share what their designs have in common.
pub(super) fn simulators() -> impl for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync {
    let convolved = Convolved::default();
    move |plan| Box::new(Simulator::sharing(plan, &convolved))
}

/// Checks all of them, and says what was found.
pub(super) fn tasks(inputs: &[Input], asked: &Asked) -> Result<Vec<Task>, Failure> {
    let mut files: Vec<&Input> = Vec::new();
    for input in inputs {
        if files.iter().all(|known| known.1 != input.1) {
            files.push(input);
        }
    }
    let check = |(reader, file): &&Input| {
        let recorder = Recorder::new(*reader);
        let checked = check_in(&recorder, file, asked.changes, asked.wanted);
        (checked, recorder.into_files())
    };
    let (checked, sources): (Vec<Checked>, Vec<_>) = files.iter().map(check).unzip();
    say(&checked, asked.format, asked.quiet);
    let names: Vec<_> = checked.iter().map(|checked| harmless(&checked.file).into_owned()).collect();
    let grids: Vec<_> = checked.iter().map(|checked| checked.grid.clone()).collect();
    let all: Option<Vec<_>> = checked.into_iter().map(Checked::into_variants).collect();
    let all = all.ok_or(Failure::Mistakes)?.into_iter().zip(grids).zip(names).zip(&files).zip(sources);
    let mut tasks: Vec<Task> = Vec::new();
    for ((((variants, grid), name), (_, file)), sources) in all {
        if asked.mode == Mode::Compare && variants.len() < 2 {
            let message = format!("{name} has no variants, so there is nothing to compare");
            return Err(mistake(message, "add a table [variant.NAME] with what differs, or use `regionsim run`"));
        }
        let slug = slug(&variants[0].scenario.spec.name);
        let folder = match asked.out {
            Some(out) if files.len() == 1 => out.to_owned(),
            Some(out) => out.join(slug),
            None => Path::new(REPORTS).join(slug),
        };
        if tasks.iter().any(|task| task.folder == folder) {
            let message = format!("two scenarios would write their reports to {}", folder.display());
            return Err(mistake(message, "give them different names, or run them one at a time with --out"));
        }
        tasks.push(Task { variants, grid, folder, file: file.to_path_buf(), sources });
    }
    Ok(tasks)
}

/// How a scenario's figures come to be.
pub(super) type Run<'a> =
    &'a (dyn Fn(&[Job], Option<&Grid>, ScenarioInfo, &Control) -> Result<Results, Failure> + Sync);

/// Runs one scenario, and reports it.
pub(super) fn one(task: Task, asked: &Asked, run: Run) -> Result<(), Failure> {
    let Task { variants, grid, folder, .. } = task;
    let Asked { mode, format, quiet, stopping, .. } = *asked;
    let info = info(&variants);
    let is_told = format == Format::Human && !quiet;
    if is_told {
        match print(format!("{}\n\n", headline(&variants, mode, &info, stopping))) {
            // The report is wanted even if nobody reads what is printed.
            Ok(()) | Err(Failure::Closed) => {}
            Err(other) => return Err(other),
        }
    }
    let jobs: Vec<Job> = variants.into_par_iter().map(job).collect();
    let progress = Progress::new(quiet);
    let shelf = Shelf::beside(&folder);
    let numbers: Arc<dyn stats::Shelf> = shelf.clone();
    let control =
        Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop(), shelf: Some(&numbers) };
    let (seeds, result) = (info.seeds, run(&jobs, grid.as_ref(), info, &control));
    progress.clear();
    let mut results = result?;
    if results.scenario.seeds > seeds {
        for variant in &mut results.variants {
            variant.resolved = with_seeds(&variant.resolved, results.scenario.seeds);
        }
    }
    if let Some(lacks) = stopping.and_then(|stopping| stopping.lacks(&results, &jobs)).filter(|_| !quiet) {
        let help = "allow for more with --max-seeds or --budget, or ask for less";
        diagnostic(&Diagnostic::warning(lacks).help(help));
    }
    write::report(&folder, &results, mode, Some(&shelf))?;
    match format {
        Format::Json if !quiet => print_as_made(|out| write_summary(&results, out)),
        Format::Human if is_told => print(outcome(&results, mode, &folder)),
        Format::Json | Format::Human => Ok(()),
    }
}

pub(super) fn failed(error: &RunError) -> Failure {
    match error {
        RunError::Interrupted => Failure::Interrupted,
        RunError::Simulation { .. } => {
            Failure::usage(Diagnostic::error(error.to_string()).note("no report was written"))
        }
    }
}

pub(super) fn job(variant: Resolved) -> Job {
    Job { plan: compile(&variant.scenario), scenario: variant.scenario, resolved: variant.resolved }
}

pub(super) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: super::COMMIT.map(str::to_owned),
    }
}

/// Of what was resolved: neither comments nor the order of keys change it. Seeds are told apart from the scenario, and
/// where a figure came from is no part of it.
fn hash(variants: &[Resolved]) -> u64 {
    let canonical = |variant: &Resolved| {
        let mut scenario = variant.scenario.clone();
        scenario.citations.clear();
        scenario.spec.simulation.seeds = 0;
        scenario.spec.simulation.seed = 0;
        let mut value = serde_json::to_value(&scenario).expect("plain data with string keys always serialises");
        value.sort_all_objects();
        value.to_string()
    };
    digest(&variants.par_iter().map(canonical).collect::<Vec<_>>().join("\n"))
}

/// What is run.
pub(super) fn info(variants: &[Resolved]) -> ScenarioInfo {
    let spec = &variants[0].scenario.spec;
    ScenarioInfo {
        name: spec.name.clone(),
        summary: spec.summary.clone(),
        hash: format!("{:016x}", hash(variants)),
        horizon_s: spec.simulation.horizon.secs(),
        seeds: spec.simulation.seeds,
        seed: spec.simulation.seed,
    }
}

/// "ecommerce: 4 variants × 200 seeds × 1 year".
pub(super) fn headline(variants: &[Resolved], mode: Mode, info: &ScenarioInfo, stopping: Option<&Stopping>) -> String {
    let name = harmless(&info.name).into_owned();
    let variants = match variants {
        points if mode == Mode::Sweep => format!("{} points", points.len()),
        [only] => format!("variant {}", harmless(&only.scenario.variant)),
        several => format!("{} variants", several.len()),
    };
    let seeds = if info.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", info.seeds) };
    let seeds = if stopping.is_some() { format!("{seeds} or more") } else { seeds };
    format!("{name}: {variants} × {seeds} × {}", length(Span::from_secs(info.horizon_s)))
}

/// "Tuesday 20:00 UTC": a time of the horizon.
pub(super) fn hour_of_week(start_in_week: Span, at: Span) -> String {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let minutes = ((start_in_week.secs() + at.secs()) / 60.0).round() as u64 % (7 * 24 * 60);
    let (day, minutes) = (minutes / (24 * 60), minutes % (24 * 60));
    format!("{} {:02}:{:02} UTC", DAYS[day as usize % 7], minutes / 60, minutes % 60)
}

/// A length of time in the largest unit that says it whole.
fn length(span: Span) -> String {
    const UNITS: [(f64, &str); 4] = [(31_536_000.0, "year"), (86_400.0, "day"), (3600.0, "hour"), (60.0, "minute")];
    let secs = span.secs();
    let whole = UNITS.iter().find(|(size, _)| secs >= *size && secs % size == 0.0);
    match whole {
        Some((size, unit)) if secs == *size => format!("1 {unit}"),
        Some((size, unit)) => format!("{} {unit}s", secs / size),
        None => span.to_string(),
    }
}

fn outcome(results: &Results, mode: Mode, folder: &Path) -> String {
    let table = match (mode, &results.grid) {
        (Mode::Sweep, Some(grid)) => sweep_table(results, grid),
        (Mode::Compare, _) => compare_table(results),
        (Mode::Run | Mode::Sweep, _) => run_table(results),
    };
    let page = folder.join("report.html");
    format!("{table}\nReport: {}\n", harmless(&page.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_the_largest_whole_unit() {
        let said = |secs: f64| length(Span::from_secs(secs));
        assert_eq!(said(31_536_000.0), "1 year");
        assert_eq!(said(2.0 * 31_536_000.0), "2 years");
        assert_eq!(said(90.0 * 86_400.0), "90 days");
        assert_eq!(said(5400.0), "90 minutes");
        assert_eq!(said(90.5), "1m 30s 500ms");
    }
}
