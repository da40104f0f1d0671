//! `regionsim shard`: simulates what a plan leaves to one shard, and writes its part.
//!
//! What an array job needs: the index comes from the scheduler, a shard that was done is skipped, a part is there whole or
//! not at all, and exit code 2 says that another try can't help.

use super::failure::Failure;
use super::scenario::mistake;
use super::terminal::{Progress, print};
use super::threads::Threads;
use super::{args::Format, interrupt, parts, work};
use crate::diag::harmless;
use crate::experiment::Control;
use crate::experiment::work::{MAX_SHARDS, WorkPlan};
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

/// What array jobs are told of their place: by Kubernetes, by Slurm, by AWS Batch.
const VARIABLES: [&str; 3] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX"];

/// Simulate one shard of a plan, and write its part: a task of an array job
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim shard plan.json --out parts --index 0\n  \
                        regionsim shard plan.json --out parts --index 3,7-9\n  \
                        seq 0 7 | parallel regionsim shard plan.json --out parts --threads 1 --index {}\n\n\
                        Without --index it is what the scheduler says: JOB_COMPLETION_INDEX (a Kubernetes Indexed Job), \
                        SLURM_ARRAY_TASK_ID (sbatch --array=0-7) or AWS_BATCH_JOB_ARRAY_INDEX, counted from 0. How many \
                        shards there are, the plan says.\n\n\
                        The part is `part-PLAN-IofN`, beside a copy of the plan. It is written under another name first, \
                        and is there whole or not at all. A part that is there and right is kept, one that is damaged is \
                        made anew.\n\n\
                        Exit codes: 0 the part is there; 2 never try again: the input is wrong (the plan, the index, \
                        another version); all else may be tried again (3 could not read or write, 130 interrupted, \
                        or killed).")]
pub(super) struct Shard {
    /// What `regionsim plan` wrote
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The folder for the part
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which shard, from 0; or several: 3,7-9
    #[arg(long, value_name = "I")]
    index: Option<Indices>,
    #[command(flatten)]
    threads: Threads,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Shards by index.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Indices(BTreeSet<u32>);

impl FromStr for Indices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.trim().parse::<u32>() {
            Ok(index) if index < MAX_SHARDS => Ok(index),
            Ok(_) | Err(_) => Err(format!("expected indices from 0, as in 3 or 3,7-9; found `{text}`")),
        };
        let mut all = BTreeSet::new();
        for piece in text.split(',') {
            match piece.split_once('-') {
                Some((first, last)) => all.extend(number(first)?..=number(last)?),
                None => all.extend([number(piece)?]),
            }
        }
        if all.is_empty() { Err(format!("`{text}` is no index")) } else { Ok(Self(all)) }
    }
}

impl Shard {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch_and_say("no part was left half written");
        let plan = work::read(&self.plan)?;
        let told = VARIABLES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?)));
        let indices = indices(self.index.clone(), told, &plan)?;
        parts::prepare(&self.out, &plan)?;
        let mut missing = Vec::new();
        for index in indices {
            if parts::is_there(&self.out, &plan, index)? {
                self.say(&plan, index, "is there already")?;
            } else {
                missing.push(index);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.threads.start()?;
        let jobs = work::resolved(&plan, None, Format::Human, self.quiet, |tasks, _| Ok(work::jobs(tasks)))?;
        let progress = Progress::new(self.quiet);
        let control =
            Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop(), shelf: None };
        let written = |index: u32, seeds: usize| {
            progress.clear();
            self.say(&plan, index, &format!("has {seeds} simulated seeds"))
        };
        let result = parts::make(&self.out, &plan, &missing, &jobs, &control, &written);
        progress.clear();
        result
    }

    fn say(&self, plan: &WorkPlan, index: u32, what: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        let file = self.out.join(plan.part_name(index));
        match print(format!("{} {what}\n", harmless(&file.display().to_string()))) {
            // The part is wanted even if nobody reads what is printed.
            Err(Failure::Closed) => Ok(()),
            other => other,
        }
    }
}

/// The shards that are meant: those of the flag, else what the scheduler says.
fn indices(
    flag: Option<Indices>,
    told: impl Iterator<Item = (&'static str, String)>,
    plan: &WorkPlan,
) -> Result<BTreeSet<u32>, Failure> {
    let last = plan.shards - 1;
    let from_0 = format!("shards are counted from 0 to {last}: sbatch --array=0-{last}, completions: {}", plan.shards);
    let (indices, source) = if let Some(Indices(indices)) = flag {
        (indices, "--index".to_owned())
    } else {
        let mut found: Option<(u32, &str)> = None;
        for (name, text) in told.filter(|(_, text)| !text.is_empty()) {
            let unfit = || mistake(format!("{name} is `{}`, which is no index", harmless(&text)), from_0.clone());
            let index: u32 = text.parse().map_err(|_| unfit())?;
            match found {
                Some((other, first)) if other != index => {
                    let message = format!("{first} is {other} and {name} is {index}: which shard is meant?");
                    return Err(mistake(message, "say it with --index"));
                }
                Some(_) | None => found = Some((index, name)),
            }
        }
        let (index, name) = found.ok_or_else(|| {
            let message = format!("which of the {} shards?", plan.shards);
            mistake(message, format!("say it with --index; without it, one of {} says it", VARIABLES.join(", ")))
        })?;
        (BTreeSet::from([index]), name.to_owned())
    };
    match indices.iter().find(|index| **index > last) {
        Some(over) => Err(mistake(format!("{source} is {over}, and the plan has {} shards", plan.shards), from_0)),
        None => Ok(indices),
    }
}
