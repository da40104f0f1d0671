//! Parts as files of a folder, beside a copy of their plan: so the folder alone can be merged.

use super::failure::Failure;
use super::simulate::{failed, simulators};
use super::{terminal, work, write};
use crate::diag::{Diagnostic, harmless};
use crate::experiment::part::{Part, PartError, encode};
use crate::experiment::work::{Planned, WorkPlan};
use crate::experiment::{Control, Job, RunError, run_groups};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What a part's name begins with.
pub(super) const PREFIX: &str = "part-";

/// Where the copy of a plan is kept.
pub(super) fn plan_file(folder: &Path, plan: &WorkPlan) -> PathBuf {
    folder.join(format!("plan-{}.json", plan.short()))
}

/// Opens a file that may be a part.
pub(super) fn open(file: &Path) -> Result<Part<File>, PartError> {
    // To open a pipe would wait for somebody to write to it.
    if !fs::metadata(file)?.is_file() {
        return Err(PartError::Foreign);
    }
    Part::open(File::open(file)?)
}

/// Whether a shard's part is there and right. One that is damaged is told of: it will be made anew.
pub(super) fn is_there(folder: &Path, plan: &WorkPlan, index: u32) -> Result<bool, Failure> {
    let file = folder.join(plan.part_name(index));
    let found = open(&file).and_then(|part| part.is_of(plan, index));
    let name = || harmless(&file.display().to_string()).into_owned();
    match found {
        Ok(()) => Ok(true),
        Err(PartError::Read(error)) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(PartError::Read(error)) => {
            Err(Failure::Write(anyhow::Error::new(error).context(format!("can't read {}", name()))))
        }
        Err(error) => {
            terminal::diagnostic(&Diagnostic::warning(format!("{} is made anew: {error}", name())));
            Ok(false)
        }
    }
}

/// Makes the folder, and puts the plan in it.
pub(super) fn prepare(folder: &Path, plan: &WorkPlan) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        Failure::Write(anyhow::Error::new(error).context(format!("can't make the folder {}", folder.display())))
    })?;
    work::write(&plan_file(folder, plan), plan)
}

/// Makes the parts of these shards, each written as soon as it is whole; `written` is told of each.
pub(super) fn make(
    folder: &Path,
    plan: &WorkPlan,
    indices: &[u32],
    jobs: &[Job],
    control: &Control,
    written: &(dyn Fn(u32, usize) -> Result<(), Failure> + Sync),
) -> Result<(), Failure> {
    let groups: Vec<_> = indices.iter().map(|index| plan.blocks(*index)).collect();
    let seeds = |planned: &Planned| vec![planned.scenario.seed; planned.variants.len()];
    let masters: Vec<u64> = plan.scenarios.iter().flat_map(seeds).collect();
    let unwritten: Mutex<Option<Failure>> = Mutex::new(None);
    let result = run_groups(jobs, &masters, &groups, control, &simulators(), &|group, summaries| {
        let index = indices[group];
        let part = encode(plan, index, &summaries);
        let done =
            write::file(&folder.join(plan.part_name(index)), &part).and_then(|()| written(index, summaries.len()));
        let failure = done.err();
        let goes_on = failure.is_none();
        if failure.is_some() {
            *unwritten.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        }
        goes_on
    });
    match (result, unwritten.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        (Err(RunError::Interrupted), Some(failure)) => Err(failure),
        (result, _) => result.map_err(|error| failed(&error)),
    }
}
