//! `--resume`: a run that keeps its parts as it goes, and goes on from those of a run that was interrupted.
//!
//! It is a plan, its shards and their merge on one machine, in `REPORT.parts/PLAN`: whatever changes a result is another
//! plan with a folder of its own. With the report, the folder goes.

use super::failure::Failure;
use super::simulate::{Asked, Task, info, one};
use super::{args::Format, merge, parts, terminal, work};
use crate::diag::harmless;
use crate::experiment::results::{Grid, ScenarioInfo};
use crate::experiment::work::WorkPlan;
use crate::experiment::{Control, Job};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A kill loses so small a part of a run, or a seed that each thread is at.
const PARTS: u64 = 256;

/// Runs one scenario, and reports it.
pub(super) fn one_kept(task: Task, asked: &Asked) -> Result<(), Failure> {
    let units = task.variants.len() as u64 * u64::from(info(&task.variants).seeds);
    let tasks = [task];
    // Threads take seeds in the order of a plain run.
    let plan = work::planned(&tasks, asked, units.clamp(1, PARTS) as u32, 1)?;
    let [task] = tasks;
    let all = parts_of(&task.folder);
    let folder = all.join(plan.short());
    let is_told = asked.format == Format::Human && !asked.quiet;
    if is_told && !folder.exists() && all.exists() {
        let all = harmless(&all.display().to_string()).into_owned();
        terminal::say(&format!(
            "note: what {all} holds is of another scenario, other arguments or another version: it isn't used\n"
        ));
    }
    parts::prepare(&folder, &plan)?;
    let mut missing = Vec::new();
    for index in 0..plan.shards {
        if !parts::is_there(&folder, &plan, index)? {
            missing.push(index);
        }
    }
    let kept = plan.shards as usize - missing.len();
    if is_told && kept > 0 {
        terminal::say(&format!("note: going on: {kept} of {} parts are there\n", plan.shards));
    }
    let files: Vec<PathBuf> = (0..plan.shards).map(|index| folder.join(plan.part_name(index))).collect();
    one(task, asked, &|jobs: &[Job], grid: Option<&Grid>, info: ScenarioInfo, control: &Control| {
        parts::make(&folder, &plan, &missing, jobs, control, &|_, _| Ok(()))?;
        merge::folded(&plan, 0, &files, jobs, grid, info, control)
    })?;
    remove(&folder, &plan);
    // Others' parts stay.
    let _ = fs::remove_dir(&all);
    Ok(())
}

/// Where the parts of a report's plans are.
fn parts_of(report: &Path) -> PathBuf {
    let mut name = report.file_name().map_or_else(|| OsString::from("report"), ToOwned::to_owned);
    name.push(".parts");
    report.with_file_name(name)
}

/// Takes a folder of parts away. What somebody else put there stays, and what can't be removed does no harm.
fn remove(folder: &Path, plan: &WorkPlan) {
    for index in 0..plan.shards {
        let _ = fs::remove_file(folder.join(plan.part_name(index)));
    }
    let _ = fs::remove_file(parts::plan_file(folder, plan));
    // A kill in the middle of writing leaves a temporary folder.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".regionsim-") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}
