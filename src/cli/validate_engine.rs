//! `regionsim validate-engine`: simulates cases whose answer is known, and says whether the program holds to them.

use super::args::{Changes, Format};
use super::failure::Failure;
use super::interrupt;
use super::scenario::{Checked, Resolved, Wanted, check_in, json, say};
use super::simulate::{info, job, tool};
use super::terminal::{Progress, print};
use super::threads::Threads;
use crate::diag::Diagnostic;
use crate::experiment::{Control, Job, RunError, run};
use crate::sim::Simulator;
use crate::validation::table::table;
use crate::validation::{Case, Embedded, Engine, Judged, Measured, Suite, judge, measure};
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Show that this program is right: simulate queues, faults and failovers whose answer is known
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim validate-engine\n  regionsim validate-engine mm1 tandem --seed 7\n\n\
                        A wrong engine is told from chance; a mutation shows it, and ends with exit code 1:\n  \
                        regionsim validate-engine mm1 \\\n    \
                        --set 'service.queue.time={ exponential = { mean = \"1010ms\" } }'\n\n\
                        All of it takes about a minute on two cores.")]
pub(super) struct ValidateEngine {
    /// Cases, by name; all of them without it
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// The master seed
    #[arg(long, value_name = "S", default_value = "1")]
    seed: String,
    /// Change each scenario first: what is known should then be refused
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// What is printed: a table, or an object for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    threads: Threads,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// A case for one engine.
struct Task {
    case: &'static Case,
    engine: Engine,
    variants: Vec<Resolved>,
}

impl ValidateEngine {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let suite = Suite::get();
        self.threads.start()?;
        let tasks = self.tasks(&self.wanted(suite)?)?;
        let seed = tasks.first().map_or(0, |task| task.variants[0].scenario.spec.simulation.seed);
        let measured = simulated(tasks, self.quiet)?;
        let judged = judge(suite, measured);
        let passed = judged.iter().flat_map(|judged| &judged.verdicts).all(|verdict| !verdict.refused);
        if !self.quiet {
            print(match self.format {
                Format::Human => table(suite, &judged, seed),
                Format::Json => json(&told(suite, &judged, seed, passed)),
            })?;
        }
        if passed { Ok(()) } else { Err(Failure::Refused) }
    }

    /// In the suite's order.
    fn wanted(&self, suite: &'static Suite) -> Result<Vec<&'static Case>, Failure> {
        let known = || suite.cases.iter().map(|case| case.name.as_str());
        if let Some(name) = self.cases.iter().find(|name| known().all(|known| known != name.as_str())) {
            let diagnostic = Diagnostic::error(format!("there is no case `{name}`")).suggest(name, known());
            let known: Vec<_> = known().collect();
            return Err(Failure::usage(diagnostic.note(format!("the cases are {}", known.join(", ")))));
        }
        let is_wanted = |case: &&Case| self.cases.is_empty() || self.cases.contains(&case.name);
        Ok(suite.cases.iter().filter(is_wanted).collect())
    }

    fn tasks(&self, cases: &[&'static Case]) -> Result<Vec<Task>, Failure> {
        let each = cases.iter().flat_map(|case| case.engines().iter().map(move |engine| (*case, *engine)));
        let checked: Vec<(&Case, Engine, Checked)> = each
            .map(|(case, engine)| {
                let mut changes =
                    Changes { set: self.set.clone(), seed: Some(self.seed.clone()), ..Changes::default() };
                match engine {
                    Engine::Requests => {}
                    Engine::Flow => changes.set.push("simulation.traffic=\"flow\"".to_owned()),
                }
                let file = format!("{}.toml", case.name);
                (case, engine, check_in(&Embedded, Path::new(&file), &changes, &Wanted::Base))
            })
            .collect();
        // The scenarios' own advice is of no use here.
        if let Some((.., wrong)) = checked.iter().find(|(.., checked)| checked.found.has_errors()) {
            say(std::slice::from_ref(wrong), self.format, true);
            return Err(Failure::Mistakes);
        }
        let tasks =
            checked.into_iter().map(|(case, engine, checked)| Task { case, engine, variants: checked.variants });
        Ok(tasks.collect())
    }
}

/// The figures of each case, by requests and then by rates.
fn simulated(tasks: Vec<Task>, quiet: bool) -> Result<Vec<(&'static Case, Vec<Measured>)>, Failure> {
    let seeds = |task: &Task| u64::from(task.variants[0].scenario.spec.simulation.seeds);
    let all: u64 = tasks.iter().map(seeds).sum();
    let progress = Progress::new(quiet);
    let mut done = 0;
    let mut measured: Vec<(&Case, Vec<Measured>)> = Vec::new();
    for task in tasks {
        let (before, own) = (done, seeds(&task));
        let control =
            Control { progress: &|done, _| progress.at(before + done, all), stop: interrupt::stop(), shelf: None };
        let info = info(&task.variants);
        let jobs: Vec<Job> = task.variants.into_iter().map(job).collect();
        let results = run(&jobs, None, &tool(), info, &control, &|plan| Box::new(Simulator::new(plan)));
        let results = results.map_err(|error| match error {
            RunError::Interrupted => Failure::Interrupted,
            RunError::Simulation { .. } => Failure::usage(Diagnostic::error(format!("{}: {error}", task.case.name))),
        })?;
        let figures = measure(task.case, task.engine, &results);
        match measured.last_mut().filter(|(case, _)| case.name == task.case.name) {
            Some((_, before)) => before.extend(figures),
            None => measured.push((task.case, figures)),
        }
        done += own;
    }
    progress.clear();
    Ok(measured)
}

fn told(suite: &Suite, judged: &[Judged], seed: u64, passed: bool) -> serde_json::Value {
    let cases = judged.iter().map(|Judged { case, verdicts }| {
        json!({ "name": case.name, "title": case.title, "source": case.source, "figures": verdicts })
    });
    let cases: Vec<_> = cases.collect();
    json!({ "seed": seed, "level": suite.level, "of": suite.verdicts(), "passed": passed, "cases": cases })
}
