//! What `run`, `compare` and `sweep` share: scenarios are checked, simulated under every seed, and reported.
//!
//! Nothing runs before every file was checked, and nothing is written before all of a scenario has run.

use super::args::{Format, Simulating};
use super::failure::Failure;
use super::scenario::{Checked, Resolved, Wanted, check, mistake, say};
use super::terminal::{Progress, diagnostic, print};
use super::threads::pool;
use super::until::{Stopping, with_seeds};
use super::{interrupt, write};
use crate::base::Span;
use crate::base::stream::digest;
use crate::diag::{Diagnostic, harmless};
use crate::experiment::results::{Grid, Results, ScenarioInfo, Tool};
use crate::experiment::{Control, Job, RunError, run_until};
use crate::plan::compile;
use crate::report::{Mode, compare_table, render, run_table, summary_json, sweep_table, text::slug};
use crate::sim::Simulator;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where reports go by default.
const REPORTS: &str = "reports";

/// A checked scenario and where its report goes.
struct Task {
    variants: Vec<Resolved>,
    grid: Option<Grid>,
    folder: PathBuf,
}

/// Checks all files, then simulates one after the other.
pub(super) fn simulate(
    arguments: &Simulating,
    wanted: &Wanted,
    mode: Mode,
    stopping: Option<&Stopping>,
) -> Result<(), Failure> {
    let stopping = stopping.filter(|stopping| stopping.is_asked());
    interrupt::watch();
    let tasks = tasks(arguments, wanted, mode)?;
    for task in &tasks {
        write::check(&task.folder)?;
    }
    let threads = pool(arguments.threads)?;
    for task in tasks {
        threads.install(|| one(task, arguments, mode, stopping))?;
    }
    Ok(())
}

fn tasks(arguments: &Simulating, wanted: &Wanted, mode: Mode) -> Result<Vec<Task>, Failure> {
    let mut files: Vec<&PathBuf> = Vec::new();
    for file in &arguments.files {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let checked: Vec<_> = files.iter().map(|file| check(file, &arguments.changes, wanted)).collect();
    say(&checked, arguments.format, arguments.quiet);
    let names: Vec<_> = checked.iter().map(|checked| harmless(&checked.file).into_owned()).collect();
    let grids: Vec<_> = checked.iter().map(|checked| checked.grid.clone()).collect();
    let all: Option<Vec<_>> = checked.into_iter().map(Checked::into_variants).collect();
    let mut tasks: Vec<Task> = Vec::new();
    for ((variants, grid), file) in all.ok_or(Failure::Mistakes)?.into_iter().zip(grids).zip(names) {
        if mode == Mode::Compare && variants.len() < 2 {
            let message = format!("{file} has no variants, so there is nothing to compare");
            return Err(mistake(message, "add a table [variant.NAME] with what differs, or use `regionsim run`"));
        }
        let slug = slug(&variants[0].scenario.spec.name);
        let folder = match &arguments.out {
            Some(out) if files.len() == 1 => out.clone(),
            Some(out) => out.join(slug),
            None => Path::new(REPORTS).join(slug),
        };
        if tasks.iter().any(|task| task.folder == folder) {
            let message = format!("two scenarios would write their reports to {}", folder.display());
            return Err(mistake(message, "give them different names, or run them one at a time with --out"));
        }
        tasks.push(Task { variants, grid, folder });
    }
    Ok(tasks)
}

fn one(task: Task, arguments: &Simulating, mode: Mode, stopping: Option<&Stopping>) -> Result<(), Failure> {
    let begun = Instant::now();
    let Task { variants, grid, folder } = task;
    let info = info(&variants);
    let is_told = arguments.format == Format::Human && !arguments.quiet;
    if is_told {
        match print(format!("{}\n\n", headline(&variants, mode, &info, stopping))) {
            // The report is wanted even if nobody reads what is printed.
            Ok(()) | Err(Failure::Closed) => {}
            Err(other) => return Err(other),
        }
    }
    let jobs: Vec<Job> = variants.into_iter().map(job).collect();
    let progress = Progress::new(arguments.quiet);
    let control = Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop() };
    let more = |results: &Results| stopping.map_or(0, |stopping| stopping.more(results, &jobs, begun));
    let seeds = info.seeds;
    let grid = grid.as_ref();
    let result = run_until(&jobs, grid, &tool(), info, &control, &|plan| Box::new(Simulator::new(plan)), &more);
    progress.clear();
    let mut results = result.map_err(|error| failed(&error))?;
    if results.scenario.seeds > seeds {
        for variant in &mut results.variants {
            variant.resolved = with_seeds(&variant.resolved, results.scenario.seeds);
        }
    }
    if let Some(lacks) = stopping.and_then(|stopping| stopping.lacks(&results, &jobs)).filter(|_| !arguments.quiet) {
        let help = "allow for more with --max-seeds or --budget, or ask for less";
        diagnostic(&Diagnostic::warning(lacks).help(help));
    }
    write::write(&folder, &render(&results, mode))?;
    match arguments.format {
        Format::Json if !arguments.quiet => print(summary_json(&results)),
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
    digest(&variants.iter().map(canonical).collect::<Vec<_>>().join("\n"))
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
fn headline(variants: &[Resolved], mode: Mode, info: &ScenarioInfo, stopping: Option<&Stopping>) -> String {
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
