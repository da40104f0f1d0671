//! Plans of work as files: from checked scenarios to a plan, and back on a machine that has nothing but the plan.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::scenario::{Wanted, mistake};
use super::simulate::{Asked, Input, Task, info, job, tasks, tool};
use super::{compare, write};
use crate::diag::harmless;
use crate::experiment::Job;
use crate::experiment::work::{Arguments, Command, Planned, SCHEMA, SourceText, WorkPlan};
use crate::report::Mode;
use crate::scenario::load::Reader;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest plan that is read.
const MAX_BYTES: u64 = 256 << 20;

/// Which variants a command means by these, and what it makes of them.
pub(super) fn wanted(command: Command, variant: Vec<String>) -> Result<(Wanted, Mode), Failure> {
    Ok(match command {
        Command::Run if variant.is_empty() => (Wanted::Base, Mode::Run),
        Command::Run => (Wanted::Named(variant), Mode::Run),
        Command::Compare => (compare::wanted(variant)?, Mode::Compare),
        Command::Sweep if variant.len() > 1 => {
            return Err(mistake("a sweep is of one variant", "give --variant once"));
        }
        Command::Sweep => (Wanted::Points(variant.into_iter().next()), Mode::Sweep),
    })
}

/// What to do for these scenarios, which were checked as `asked`.
pub(super) fn planned(tasks: &[Task], asked: &Asked, shards: u32, rounds: u32) -> Result<WorkPlan, Failure> {
    let command = match asked.mode {
        Mode::Run => Command::Run,
        Mode::Compare => Command::Compare,
        Mode::Sweep => Command::Sweep,
    };
    let variant = match asked.wanted {
        Wanted::Base | Wanted::All | Wanted::Everything | Wanted::Points(None) => Vec::new(),
        Wanted::Named(names) => names.clone(),
        Wanted::Points(Some(name)) => vec![name.clone()],
    };
    let Changes { set, seeds, seed, horizon } = asked.changes.clone();
    let scenarios: Result<Vec<Planned>, Failure> = tasks.iter().map(scenario).collect();
    let plan = WorkPlan {
        schema: SCHEMA,
        digest: String::new(),
        tool: tool(),
        command,
        arguments: Arguments { variant, set, seeds, seed, horizon },
        shards,
        rounds,
        scenarios: scenarios?,
    };
    Ok(plan.sealed())
}

fn scenario(task: &Task) -> Result<Planned, Failure> {
    let text = |path: &Path, bytes: &[u8]| {
        let unfit = |what: &str| {
            let message = format!("{what} of {} isn't UTF-8", harmless(&path.display().to_string()));
            mistake(message, "a plan is text: give the file another name, or save it as UTF-8")
        };
        let path = path.to_str().ok_or_else(|| unfit("the name"))?.to_owned();
        let text = std::str::from_utf8(bytes).map_err(|_| unfit("the text"))?.to_owned();
        Ok(SourceText { path, text })
    };
    let sources: Result<_, Failure> = task.sources.iter().map(|(path, bytes)| text(path, bytes)).collect();
    Ok(Planned {
        scenario: info(&task.variants),
        variants: names(task),
        file: text(&task.file, b"")?.path,
        sources: sources?,
    })
}

fn names(task: &Task) -> Vec<String> {
    task.variants.iter().map(|variant| variant.scenario.variant.clone()).collect()
}

/// The simulated variants and points of all scenarios, in the plan's order.
pub(super) fn jobs(tasks: Vec<Task>) -> Vec<Job> {
    tasks.into_iter().flat_map(|task| task.variants).map(job).collect()
}

/// Reads a plan.
pub(super) fn read(file: &Path) -> Result<WorkPlan, Failure> {
    let name = harmless(&file.display().to_string()).into_owned();
    let bytes = bytes(file).map_err(|error| match error.kind() {
        // What the file system may do better the next time isn't bad input.
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
            mistake(format!("can't read the plan {name}: {error}"), "`regionsim plan` writes one")
        }
        _ => Failure::Write(anyhow::Error::new(error).context(format!("can't read the plan {name}"))),
    })?;
    WorkPlan::parse(&bytes, &tool()).map_err(|error| {
        let message = format!("the plan {name} is of no use: {}", harmless(&error.to_string()));
        mistake(
            message,
            "make it anew with `regionsim plan`; a plan is for one version of the program, and never edited",
        )
    })
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(file)?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    if about.len() > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is larger than 256 MiB"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a plan where there is none. The same one may be there.
pub(super) fn write(file: &Path, plan: &WorkPlan) -> Result<(), Failure> {
    let text = plan.render();
    match bytes(file) {
        Ok(known) if known == text.as_bytes() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => write::file(file, text.as_bytes()),
        Ok(_) | Err(_) => {
            let message = format!("{} is there, and is another plan", harmless(&file.display().to_string()));
            Err(mistake(message, "a plan is never changed: name another file with --out, or remove this one"))
        }
    }
}

/// The texts that a plan holds.
struct Embedded(BTreeMap<PathBuf, Vec<u8>>);

impl Reader for Embedded {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "it isn't in the plan");
        let bytes = self.0.get(path).ok_or_else(missing)?;
        Ok(bytes[..bytes.len().min(limit)].to_vec())
    }
}

/// Checks a plan's scenarios as they were checked when it was made, and goes on with them and with what was asked. Their
/// reports go to `out`, as those of a run.
pub(super) fn resolved<T>(
    plan: &WorkPlan,
    out: Option<&Path>,
    format: Format,
    quiet: bool,
    then: impl FnOnce(Vec<Task>, &Asked) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Arguments { variant, set, seeds, seed, horizon } = plan.arguments.clone();
    let changes = Changes { set, seeds, seed, horizon };
    let (wanted, mode) = wanted(plan.command, variant)?;
    let sources = |planned: &Planned| {
        let files = planned.sources.iter().map(|one| (PathBuf::from(&one.path), one.text.clone().into_bytes()));
        Embedded(files.collect())
    };
    let readers: Vec<Embedded> = plan.scenarios.iter().map(sources).collect();
    let inputs: Vec<Input> = readers
        .iter()
        .zip(&plan.scenarios)
        .map(|(reader, planned)| (reader as &dyn Reader, Path::new(&planned.file)))
        .collect();
    // The advice was given when the plan was made.
    let asked = Asked { changes: &changes, wanted: &wanted, mode, out, format, quiet: true, stopping: None };
    let tasks = tasks(&inputs, &asked)?;
    let same = |(task, planned): (&Task, &Planned)| {
        info(&task.variants) == planned.scenario && names(task) == planned.variants
    };
    if tasks.is_empty() || tasks.len() != plan.scenarios.len() || !tasks.iter().zip(&plan.scenarios).all(same) {
        let message = format!("the plan {} says otherwise than its scenarios", plan.short());
        return Err(mistake(message, "make it anew with `regionsim plan`"));
    }
    then(tasks, &Asked { quiet, ..asked })
}
