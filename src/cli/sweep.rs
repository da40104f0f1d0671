//! `regionsim sweep`: simulates every point of the grid of `[sweep]` under the same seeds.

use super::args::Simulating;
use super::failure::Failure;
use super::scenario::Wanted;
use super::simulate::simulate;
use crate::report::Mode;
use clap::Args;

/// Simulate every point of a scenario's [sweep] under the same seeds: one axis or several, as a chart and a table
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim sweep scenarios/headroom.toml\n  \
                        regionsim sweep FILE --variant active-active --set 'sweep.ttl.values=[\"10s\", \"60s\"]'")]
pub(super) struct Sweep {
    /// The variant that is swept; the unpatched one without it
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    simulating: Simulating,
}

impl Sweep {
    pub(super) fn execute(self) -> Result<(), Failure> {
        simulate(&self.simulating, &Wanted::Points(self.variant), Mode::Sweep, None)
    }
}
