//! `regionsim run`: simulates the unpatched variant, or those that are named, and writes a report.

use super::args::Simulating;
use super::failure::Failure;
use super::scenario::Wanted;
use super::simulate::simulate;
use super::until::Stopping;
use crate::report::Mode;
use clap::Args;

/// Simulate a scenario: availability, latency, recovery and cost, with a report
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim run scenarios/quickstart.toml\n  \
                        regionsim run scenarios/ecommerce.toml --variant active-active --seeds 500\n  \
                        regionsim run scenarios/quickstart.toml --until 'availability ± 0.0001'\n  \
                        regionsim run scenarios/ecommerce.toml --set routing.via.dns.ttl=30s --out reports/short-ttl")]
pub(super) struct Run {
    /// A variant to simulate, in place of the unpatched one; may be given several times
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    #[command(flatten)]
    stopping: Stopping,
    #[command(flatten)]
    simulating: Simulating,
}

impl Run {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let wanted = if self.variant.is_empty() { Wanted::Base } else { Wanted::Named(self.variant) };
        simulate(&self.simulating, &wanted, Mode::Run, Some(&self.stopping))
    }
}
