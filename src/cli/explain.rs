//! `regionsim explain`: one seed's year in words, as a picture and as a trace. Without a seed it looks for the worst.

use super::args::{self, Changes, Format};
use super::failure::Failure;
use super::scenario::{Wanted, check, mistake, say};
use super::simulate::{failed, job, tool};
use super::terminal::{Progress, print, print_file, say as say_text};
use super::threads::Threads;
use super::{interrupt, write};
use crate::base::Seed;
use crate::diag::{Diagnostic, harmless};
use crate::experiment::incidents::incidents;
use crate::experiment::worst::worst;
use crate::experiment::{Control, Job};
use crate::metric::{Layout, Metric, catalogue};
use crate::report::explain::{Calendar, Chosen, Explained, render, terminal, windows};
use crate::report::text::slug;
use crate::sim::Simulator;
use clap::Args;
use std::path::{Path, PathBuf};

/// Tell one seed's year: what failed, what was done about it, who noticed, what it cost
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regionsim explain scenarios/ecommerce.toml --variant active-passive --worst availability\n  \
                        regionsim explain scenarios/ecommerce.toml --variant active-passive --seed 37\n\n\
                        Without --seed the seed with the worst availability is told. The folder has story.md,\n\
                        timeline.svg, events.csv, explain.json, and trace.json, which ui.perfetto.dev opens."
)]
pub(super) struct Explain {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The variant; the unpatched one without it
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Which seed, from 0, as reports count them
    #[arg(long, value_name = "N", visible_alias = "replication", conflicts_with_all = ["worst", "seeds"])]
    seed: Option<u64>,
    /// Runs all seeds and tells the one that is worst in this metric [default: availability]
    #[arg(long, value_name = "METRIC", value_parser = metric)]
    worst: Option<&'static Metric>,
    /// How many incidents are told in full on the terminal
    #[arg(long, value_name = "N", default_value_t = 5)]
    incidents: usize,
    /// Change a value before variants are applied, as if the file said so: --set routing.via.dns.ttl=60s
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Among how many seeds the worst is looked for
    #[arg(long, value_name = "N")]
    seeds: Option<String>,
    /// The master seed
    #[arg(long, value_name = "S")]
    master_seed: Option<String>,
    /// How much time each seed simulates: 365d, 12h
    #[arg(long, value_name = "DURATION")]
    horizon: Option<String>,
    #[command(flatten)]
    threads: Threads,
    /// The folder that is written [default: reports/SCENARIO-explain-VARIANT-SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What is printed: the story, or explain.json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// A metric by its name.
fn metric(text: &str) -> Result<&'static Metric, String> {
    args::metric(text).map_err(|error| format!("{error} (regionsim list metrics has all)"))
}

impl Explain {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let wanted = self.variant.clone().map_or(Wanted::Base, |name| Wanted::Named(vec![name]));
        let changes = Changes {
            set: self.set.clone(),
            seeds: self.seeds.clone(),
            seed: self.master_seed.clone(),
            horizon: self.horizon.clone(),
        };
        self.threads.start()?;
        let checked = check(&self.file, &changes, &wanted);
        say(std::slice::from_ref(&checked), self.format, self.quiet);
        let variants = checked.into_variants().ok_or(Failure::Mistakes)?;
        let Some(variant) = variants.into_iter().next() else { return Err(Failure::Mistakes) };
        let job = job(variant);
        if let Some(folder) = &self.out {
            write::check(folder)?;
        }
        self.tell(&job)
    }

    fn tell(&self, job: &Job) -> Result<(), Failure> {
        let spec = &job.scenario.spec;
        let (seed, chosen) = match self.seed {
            Some(seed) => (seed, None),
            None => self.look(job)?,
        };
        let folder = self.out.clone().unwrap_or_else(|| {
            let name = format!("{}-explain-{}-{seed}", slug(&spec.name), slug(&job.scenario.variant));
            Path::new("reports").join(name)
        });
        write::check(&folder)?;
        let plan = &job.plan;
        let mut simulator = Simulator::new(plan);
        let one = Seed { master: spec.simulation.seed, replication: seed };
        let unable = |error: crate::sim::SimError| {
            Failure::usage(Diagnostic::error(format!("seed {seed}: {error}")).note("nothing was written"))
        };
        let story = simulator.explain(one).map_err(unable)?;
        let incidents = incidents(plan, &story);
        let timelines = simulator.timelines(one, &windows(&incidents, plan.horizon.secs())).map_err(unable)?;
        let layout = Layout::new(plan);
        let explained = Explained {
            tool: &tool(),
            scenario: &job.scenario,
            plan,
            seed,
            chosen,
            again: self.again(seed),
            summary: layout.summarise(plan, &story.seen),
            layout: &layout,
            story: &story,
            incidents,
            timelines,
            calendar: Calendar::new(&spec.simulation.start, plan.horizon.secs()),
        };
        let files = render(&explained);
        write::write(&folder, &files)?;
        match self.format {
            Format::Json if !self.quiet => print_file(&files, "explain.json"),
            Format::Human if !self.quiet => {
                let (again, place) = (harmless(&explained.again), folder.display().to_string());
                let story = terminal(&explained, self.incidents);
                print(format!("{story}\nThe same again: {again}\nWritten: {}\n", harmless(&place)))
            }
            Format::Json | Format::Human => Ok(()),
        }
    }

    /// The worst seed, and why it.
    fn look(&self, job: &Job) -> Result<(u64, Option<Chosen>), Failure> {
        let metric = self.worst.unwrap_or(&catalogue::AVAILABILITY);
        let simulation = &job.scenario.spec.simulation;
        let progress = Progress::new(self.quiet);
        let control =
            Control { progress: &|done, total| progress.at(done, total), stop: interrupt::stop(), shelf: None };
        let seeds = (simulation.seed, simulation.seeds);
        let found = worst(job, metric, seeds, &control, &|plan| Box::new(Simulator::new(plan)));
        progress.clear();
        let Some(found) = found.map_err(|error| failed(&error))? else {
            let message = format!("no seed has a value of {} for everything together", metric.name);
            return Err(mistake(message, "name another metric, or a seed with --seed"));
        };
        if self.format == Format::Human && !self.quiet {
            say_text(&format!("Seed {} of {} is the worst in {}.\n", found.replication, found.of, metric.name));
        }
        Ok((found.replication, Some(Chosen { metric: *metric, value: found.value, of: found.of })))
    }

    /// The command that tells the same seed.
    fn again(&self, seed: u64) -> String {
        let mut words = vec!["regionsim".to_owned(), "explain".to_owned(), quoted(&self.file.display().to_string())];
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
        if let Some(variant) = &self.variant {
            option("--variant", variant);
        }
        self.set.iter().for_each(|set| option("--set", set));
        if let Some(master) = &self.master_seed {
            option("--master-seed", master);
        }
        if let Some(horizon) = &self.horizon {
            option("--horizon", horizon);
        }
        option("--seed", &seed.to_string());
        words.join(" ")
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:+,%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted() {
        assert_eq!(quoted("scenarios/a.toml"), "scenarios/a.toml");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_slip_in_a_metric_is_told() {
        assert_eq!(metric("availability").map(|metric| metric.name), Ok("availability"));
        assert!(metric("availabilty").unwrap_err().contains("did you mean `availability`?"));
    }
}
