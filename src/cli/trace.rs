//! `regionsim trace`: the requests of one seed, one by one.

use super::args::Changes;
use super::failure::Failure;
use super::files::STDIN;

use super::scenario::{Resolved, Wanted, check, mistake, say};
use super::{args, interrupt, terminal, write};
use crate::base::Seed;
use crate::plan::compile;
use crate::report::trace;
use crate::scenario::spec::TrafficEngine;
use crate::sim::Simulator;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// How a trace is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Kind {
    /// A line for each request.
    #[default]
    Csv,
    /// Trace events, which ui.perfetto.dev opens.
    Perfetto,
}

/// Write down the requests of one seed, one by one, each with where it went and how it ended
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim trace scenarios/quickstart.toml --horizon 1m --limit 100\n  \
                        regionsim trace scenarios/quickstart.toml --horizon 10m --kind perfetto --out trace.json")]
pub(super) struct Trace {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The variant; the unpatched one without it
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    changes: Changes,
    /// Which replication under the master seed, from 0
    #[arg(long, value_name = "R", default_value_t = 0)]
    replication: u64,
    /// At most so many requests: the first that end
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    limit: usize,
    /// CSV, or trace events for Perfetto
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// The file that is written; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Trace {
    pub(super) fn execute(self) -> Result<(), Failure> {
        interrupt::watch();
        let wanted = self.variant.map_or(Wanted::Base, |name| Wanted::Named(vec![name]));
        let mut changes = self.changes;
        // Whatever the scenario says, a trace is of requests; of those in its windows, if it has any. Standard input can
        // be read only once.
        let windowed =
            self.file != Path::new(STDIN) && check(&self.file, &changes, &wanted).variants.iter().any(windowed);
        if !windowed {
            changes.set.push("simulation.traffic={requests={}}".to_owned());
        }
        let checked = check(&self.file, &changes, &wanted);
        say(std::slice::from_ref(&checked), args::Format::Human, true);
        let variants = checked.into_variants().ok_or(Failure::Mistakes)?;
        let Some(variant) = variants.first() else { return Err(Failure::Mistakes) };
        let plan = compile(&variant.scenario);
        let seed = Seed { master: variant.scenario.spec.simulation.seed, replication: self.replication };
        let requests = Simulator::new(&plan)
            .trace(seed, self.limit)
            .map_err(|error| mistake(error.to_string(), "shorten the horizon: --horizon 10m"))?;
        let bytes = match self.kind {
            Kind::Csv => trace::csv(&plan, &requests),
            Kind::Perfetto => trace::perfetto(&plan, &requests),
        };
        match &self.out {
            Some(path) => write::file(path, &bytes),
            None => terminal::print(bytes),
        }
    }
}

/// Requests are simulated only in windows.
fn windowed(variant: &Resolved) -> bool {
    match variant.scenario.spec.simulation.traffic {
        TrafficEngine::Flow => false,
        TrafficEngine::Requests(requests) => requests.window.is_some(),
    }
}
