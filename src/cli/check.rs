//! `regionsim check`: expectations on confidence bounds, and regression against baselines; for pull requests.
//!
//! Exit codes: 0 if everything holds, 1 if an expectation is breached or a figure is worse than its baseline, 2 for bad
//! input. An expectation that these seeds can't tell doesn't fail, unless `--strict` is given.

use super::args::Changes;
use super::baselines;
use super::failure::Failure;
use super::scenario::{Checked, Resolved, Wanted, check, mistake, say};
use super::simulate::{failed, info, job, simulators, tool};
use super::terminal::{Progress, print};
use super::threads::Threads;
use super::{args::Format, interrupt, until::Stopping, write};
use crate::diag::harmless;
use crate::experiment::judge::{self, Judgement};
use crate::experiment::results::{Results, VariantResult};
use crate::experiment::{Control, Job, run_until};
use crate::report::check::{
    Baseline, Change, Expected, Place, Report, ScenarioCheck, VariantCheck, annotations, junit, markdown, table,
};
use crate::report::{Mode, text::slug};
use crate::scenario::path::{Path as Key, locate};
use crate::scenario::settings::settings;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// How `check` prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Print {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For people, and after it the commands that make GitHub show each at its line.
    Github,
}

/// Check that scenarios meet their expectations, and are no worse than their baselines; exit code 1 if not
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[command(after_help = "Examples:\n  regionsim check                              every scenario in scenarios/\n  \
                        regionsim check --update                     keep the figures as baselines\n  \
                        regionsim check shop.toml --until decided    add seeds until every expectation is told\n\n\
                        An expectation holds, or is breached, if the bound of its mean at its confidence says so. A \
                        figure is worse if it is shown to be so by more than the tolerance; the chance of a false \
                        alarm is at most 1 % for each design.")]
pub(super) struct Check {
    /// Scenario files, and folders of them [default: scenarios]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A variant to check, in place of the unpatched one; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    variant: Vec<String>,
    /// Check every variant
    #[arg(long)]
    all: bool,
    /// Where baselines are
    #[arg(long, value_name = "DIR", default_value = "reports/baselines")]
    baseline: PathBuf,
    /// Keep the figures as baselines, whatever they are
    #[arg(long)]
    update: bool,
    /// By how much of itself a figure may get worse: 0.01 is 1 %; of an availability, of what is lacking
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    tolerance: f64,
    /// Fail, too, if these seeds can't tell whether an expectation holds
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    stopping: Stopping,
    /// Write an XML report as `JUnit` does
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Markdown, for a pull request's summary
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write each scenario's report into this folder
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    threads: Threads,
    /// What is printed
    #[arg(long, value_enum, default_value_t)]
    format: Print,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

impl Check {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        if !(0.0..1.0).contains(&self.tolerance) {
            return Err(mistake(
                format!("a tolerance of {} is no share", self.tolerance),
                "give a number from 0 to below 1: 0.01 is 1 %",
            ));
        }
        self.threads.start()?;
        let files = super::files::scenarios(&self.paths)?;
        let wanted = match (self.all, self.variant.is_empty()) {
            (true, _) => Wanted::All,
            (false, true) => Wanted::Base,
            (false, false) => Wanted::Named(self.variant.clone()),
        };
        let checked: Vec<Checked> = files.iter().map(|file| check(file, &self.changes, &wanted)).collect();
        say(&checked, if self.format == Print::Json { Format::Json } else { Format::Human }, self.quiet);
        if checked.iter().any(|one| one.found.has_errors()) {
            return Err(Failure::Mistakes);
        }
        self.apart(&checked)?;
        let begun = Instant::now();
        let mut scenarios = Vec::new();
        let mut kept = Vec::new();
        for one in checked {
            let (scenario, files) = self.one(&one, begun)?;
            scenarios.push(scenario);
            kept.extend(files);
        }
        let report = Report::of(scenarios);
        self.tell(&report)?;
        for (folder, files) in kept {
            baselines::write(&self.baseline.join(folder), &files)?;
        }
        let is_undecided = |variant: &VariantCheck| {
            variant.expectations.iter().any(|one| one.judged.judgement == Judgement::Undecided)
        };
        let strictly = self.strict && report.scenarios.iter().flat_map(|one| &one.variants).any(is_undecided);
        if self.update || report.holds && !strictly { Ok(()) } else { Err(Failure::Refused) }
    }

    /// Baselines and reports are told apart by the scenario's name.
    fn apart(&self, checked: &[Checked]) -> Result<(), Failure> {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for one in checked {
            let Some(first) = one.variants.first() else { continue };
            let slug = slug(&first.scenario.spec.name);
            if let Some(other) = seen.insert(slug, &one.file) {
                let message = format!("{} and {} have the same name", harmless(other), harmless(&one.file));
                return Err(mistake(message, "give them different names: baselines are kept by name"));
            }
        }
        if let Some(folder) = &self.reports {
            for slug in seen.keys() {
                write::check(&folder.join(slug))?;
            }
        }
        Ok(())
    }

    /// Simulates and judges one scenario; with `--update`, gives what is to be kept of it.
    fn one(
        &self,
        checked: &Checked,
        begun: Instant,
    ) -> Result<(ScenarioCheck, Option<(String, baselines::Files)>), Failure> {
        let info = info(&checked.variants);
        let slug = slug(&info.name);
        let jobs: Vec<Job> = checked.variants.iter().cloned().map(job).collect();
        let progress = Progress::new(self.quiet);
        let control =
            Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop(), shelf: None };
        let more = |results: &Results| self.stopping.more(results, &jobs, begun);
        let results = run_until(&jobs, None, &tool(), info, &control, &simulators(), &more);
        progress.clear();
        let results = results.map_err(|error| failed(&error))?;
        let known = baselines::read(&self.baseline.join(&slug))?;
        let variants =
            checked.variants.iter().zip(&checked.trees).zip(&results.variants).map(|((resolved, tree), result)| {
                let place = |path: &Key| {
                    let origin = locate(tree, path);
                    let file = checked.sources.name(origin.source).to_owned();
                    Place { file, line: checked.sources.position(origin).line }
                };
                self.variant(resolved, result, &results, known.as_ref(), &place)
            });
        let mut scenario = ScenarioCheck {
            file: checked.file.clone(),
            name: results.scenario.name.clone(),
            seeds: results.scenario.seeds,
            horizon_s: results.scenario.horizon_s,
            variants: variants.collect(),
            report: None,
        };
        if let Some(folder) = &self.reports {
            let folder = folder.join(&slug);
            write::report(&folder, &results, Mode::Run, None)?;
            scenario.report = Some(folder.display().to_string());
        }
        let kept = self.update.then(|| (slug, baselines::files(&results, &checked.variants)));
        Ok((scenario, kept))
    }

    fn variant(
        &self,
        resolved: &Resolved,
        result: &VariantResult,
        results: &Results,
        known: Option<&baselines::Known>,
        place: &dyn Fn(&Key) -> Place,
    ) -> VariantCheck {
        let judged = judge::expectations(&resolved.scenario.spec.expect, result);
        let expectations = judged.into_iter().map(|judged| {
            let path = crate::path!("expect", judged.index.to_string());
            Expected { place: Some(place(&path)), judged }
        });
        let (baseline, changes) = match known {
            None => (Baseline::None, vec![]),
            Some(known) => match known.baseline.since(result, &results.scenario, self.tolerance) {
                Err(why) => (Baseline::Unfit(why.to_string()), vec![]),
                Ok(since) => (Baseline::Since(since), changes(known.settings.get(&result.name), resolved, place)),
            },
        };
        VariantCheck { name: result.name.clone(), expectations: expectations.collect(), baseline, changes }
    }

    fn tell(&self, report: &Report) -> Result<(), Failure> {
        if let Some(file) = &self.junit {
            write::file(file, junit(report).as_bytes())?;
        }
        if let Some(file) = &self.markdown {
            write::file(file, markdown(report).as_bytes())?;
        }
        if self.quiet {
            return Ok(());
        }
        match self.format {
            Print::Human => print(table(report)),
            Print::Json => print(report.json()),
            Print::Github => print(table(report) + &annotations(report)),
        }
    }
}

/// Settings that aren't what the baseline's were, in the order of the format; those that are gone come last.
fn changes(then: Option<&BTreeMap<String, String>>, now: &Resolved, place: &dyn Fn(&Key) -> Place) -> Vec<Change> {
    let Some(then) = then else { return vec![] };
    let now = settings(&now.scenario.spec).expect("a scenario read from TOML can be said in TOML");
    // How many seeds are simulated is no part of the design.
    let is_design = |path: &str| !["simulation.seeds", "simulation.seed"].contains(&path);
    let mut gone: BTreeMap<&str, &str> = then.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    let mut all = Vec::new();
    for (path, is) in now {
        let text = path.to_string();
        let was = gone.remove(text.as_str());
        if was != Some(is.as_str()) && is_design(&text) {
            let place = Some(place(&path));
            all.push(Change { path: text, was: was.map(str::to_owned), is: Some(is), place });
        }
    }
    all.extend(gone.into_iter().filter(|(path, _)| is_design(path)).map(|(path, was)| Change {
        path: path.to_owned(),
        was: Some(was.to_owned()),
        is: None,
        place: None,
    }));
    all
}
