//! Arguments that several commands have.

use super::threads::Threads;
use crate::diag::did_you_mean;
use crate::metric::{Metric, catalogue};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How a command prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// A metric by its name, or why there is none: with the name that was meant, if one is near.
pub(super) fn metric(name: &str) -> Result<&'static Metric, String> {
    catalogue::find(name).ok_or_else(|| {
        let near = did_you_mean(name, catalogue::ALL.iter().map(|known| known.name));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("unknown metric `{name}`{near}")
    })
}

/// What changes the scenario that a file says.
#[derive(Args, Clone, Default, Debug)]
pub(super) struct Changes {
    /// Change a value before variants are applied, as if the file said so: --set routing.via.dns.ttl=60s
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// How many seeds each variant is simulated under
    #[arg(long, value_name = "N")]
    pub(super) seeds: Option<String>,
    /// The master seed
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<String>,
    /// How much time each seed simulates: 365d, 12h
    #[arg(long, value_name = "DURATION")]
    pub(super) horizon: Option<String>,
}

/// What every simulating command has.
#[derive(Args, Clone, Debug)]
pub(super) struct Simulating {
    /// Scenario files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) threads: Threads,
    /// The report's folder; of several scenarios, the folder of their folders [default: reports/SCENARIO]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Keep what is done while it runs, in DIR.parts, and go on from what an interrupted run has kept there
    #[arg(long)]
    pub(super) resume: bool,
    /// What is printed: tables, or summary.json
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Print nothing but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}
