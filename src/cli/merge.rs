//! `regionsim merge`: the report of a run whose parts other machines made.
//!
//! All that is wrong with the parts is told in one go. Nothing is folded unless every part of one plan is there, once and
//! whole.

use super::args::Format;
use super::failure::Failure;
use super::scenario::mistake;
use super::simulate::{failed, one, simulators, tool};
use super::threads::Threads;
use super::{interrupt, parts, terminal, work, write};
use crate::diag::{Diagnostic, harmless};
use crate::experiment::gather::gather;
use crate::experiment::part::PartError;
use crate::experiment::results::{Grid, Results, ScenarioInfo};
use crate::experiment::work::{WorkPlan, ranges};
use crate::experiment::{Control, Job, run_folded};
use clap::Args;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Make the report of a plan from the parts of its shards: to the byte what one machine would have written
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim merge parts --out reports/ecommerce\n  \
                        regionsim merge plan.json parts-of-a parts-of-b\n\n\
                        Every file `part-…` of the folders has to be a part of the plan, whole, and there once. If some \
                        are missing, it says which, and the command that makes them; then, and if a part is of another \
                        plan or damaged, the exit code is 2 and nothing is written.")]
pub(super) struct Merge {
    /// Folders of parts, and the plan if it isn't in one of them
    #[arg(required = true, value_name = "DIR|PLAN")]
    paths: Vec<PathBuf>,
    /// The report's folder; of several scenarios, the folder of their folders [default: reports/SCENARIO]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// What is printed: tables, or summary.json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// The files of folders.
#[derive(Default)]
struct Found {
    plans: Vec<PathBuf>,
    parts: Vec<PathBuf>,
}

impl Merge {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let (folders, named): (Vec<PathBuf>, Vec<PathBuf>) = self.paths.iter().cloned().partition(|path| path.is_dir());
        // A plan alone stands for its folder.
        let beside = |file: &PathBuf| match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let folders = if folders.is_empty() { named.iter().take(1).map(beside).collect() } else { folders };
        let found = search(&folders)?;
        let (plan_file, plan) = plan(if named.is_empty() { &found.plans } else { &named })?;
        let files = complete(&plan, &plan_file, &found.parts, &folders[0])?;
        self.threads.start()?;
        work::resolved(&plan, self.out.as_deref(), self.format, self.quiet, |tasks, asked| {
            for task in &tasks {
                write::check(&task.folder)?;
            }
            for (scenario, task) in tasks.into_iter().enumerate() {
                let run = |jobs: &[Job], grid: Option<&Grid>, info: ScenarioInfo, control: &Control| {
                    folded(&plan, scenario, &files, jobs, grid, info, control)
                };
                one(task, asked, &run)?;
            }
            Ok(())
        })
    }
}

/// The results of a scenario, from its summaries in the parts.
pub(super) fn folded(
    plan: &WorkPlan,
    scenario: usize,
    files: &[PathBuf],
    jobs: &[Job],
    grid: Option<&Grid>,
    info: ScenarioInfo,
    control: &Control,
) -> Result<Results, Failure> {
    let kept = gather(plan, scenario, jobs, control.shelf, &mut |index| parts::open(&files[index as usize]));
    let mut kept = kept.map_err(|(index, error)| {
        let file = harmless(&files[index as usize].display().to_string()).into_owned();
        mistake(format!("{file} is of no use: {error}"), format!("remove it, and make part {index} anew"))
    })?;
    run_folded(jobs, &mut kept, grid, &tool(), info, control, &simulators()).map_err(|error| failed(&error))
}

/// Plans and parts of the folders, by name.
fn search(folders: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    for folder in folders {
        let unread = |error: std::io::Error| {
            mistake(
                format!("can't read the folder {}: {error}", harmless(&folder.display().to_string())),
                "name another",
            )
        };
        for entry in fs::read_dir(folder).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name();
            let (file, name) = (folder.join(&name), name.to_string_lossy().into_owned());
            if name.starts_with(parts::PREFIX) {
                found.parts.push(file);
            } else if name.starts_with("plan") && Path::new(&name).extension().is_some_and(|end| end == "json") {
                found.plans.push(file);
            }
        }
    }
    found.plans.sort_unstable();
    found.parts.sort_unstable();
    Ok(found)
}

/// The one plan among these files.
fn plan(files: &[PathBuf]) -> Result<(PathBuf, WorkPlan), Failure> {
    let mut known: Option<(PathBuf, WorkPlan)> = None;
    for file in files {
        let plan = work::read(file)?;
        match &known {
            Some((first, other)) if other.digest != plan.digest => {
                let [first, file] = [first, file].map(|file| harmless(&file.display().to_string()).into_owned());
                let message = format!("{first} and {file} are two plans: which one is meant?");
                return Err(mistake(message, "name it before the folder of its parts"));
            }
            Some(_) => {}
            None => known = Some((file.clone(), plan)),
        }
    }
    known.ok_or_else(|| mistake("there is no plan in the folder", "name the file that `regionsim plan` wrote, too"))
}

/// The parts of all shards in order, if there is one of each. All that is wrong is told at once.
fn complete(plan: &WorkPlan, plan_file: &Path, files: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = |file: &Path| harmless(&file.display().to_string()).into_owned();
    let mut parts: BTreeMap<u32, &PathBuf> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files {
        let index = parts::open(file).and_then(|part| {
            let index = part.label.index;
            part.is_of(plan, index)?;
            if index < plan.shards { Ok(index) } else { Err(PartError::Content("there is no such shard")) }
        });
        match index {
            Ok(index) => match parts.get(&index) {
                Some(other) => {
                    let message = format!("part {index} is there twice: {} and {}", shown(other), shown(file));
                    wrong.push(Diagnostic::error(message).help("remove one of them"));
                }
                None => {
                    parts.insert(index, file);
                }
            },
            Err(error) => {
                let help = match error {
                    PartError::Plan(_) | PartError::Tool { .. } => "merge each plan's parts from a folder of their own",
                    PartError::Foreign
                    | PartError::Format(_)
                    | PartError::Short { .. }
                    | PartError::Damaged
                    | PartError::Other { .. }
                    | PartError::Content(_)
                    | PartError::Read(_) => "remove it",
                };
                wrong.push(Diagnostic::error(format!("{} is of no use: {error}", shown(file))).help(help));
            }
        }
    }
    let missing: Vec<u32> = (0..plan.shards).filter(|index| !parts.contains_key(index)).collect();
    if !missing.is_empty() {
        let (numbers, of) = (ranges(&missing), plan.shards);
        let are = if missing.len() == 1 { "is" } else { "are" };
        let list = numbers.replace(' ', "");
        let command = format!("regionsim shard {} --out {} --index {list}", shown(plan_file), shown(folder));
        wrong.push(
            Diagnostic::error(format!("{} of {of} parts {are} missing: {numbers}", missing.len()))
                .help(format!("make them: {command}")),
        );
    }
    let Some(last) = wrong.pop() else { return Ok(parts.into_values().cloned().collect()) };
    for one in &wrong {
        terminal::diagnostic(one);
    }
    Err(Failure::usage(last.note("no report was written")))
}
