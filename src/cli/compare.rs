//! `regionsim compare`: simulates variants under the same seeds and says which is better, by how much, how sure.

use super::args::Simulating;
use super::failure::Failure;
use super::scenario::{Wanted, mistake};
use super::simulate::simulate;
use super::until::Stopping;
use crate::report::Mode;
use clap::Args;
use std::collections::BTreeSet;

/// Compare the variants of a scenario under the same seeds: which is better, by how much, how sure
#[derive(Args)]
#[command(after_help = "Examples:\n  regionsim compare scenarios/ecommerce.toml\n  \
                        regionsim compare scenarios/ecommerce.toml --variant regional-dr --variant active-active\n  \
                        regionsim compare scenarios/ecommerce.toml --until 'availability ± 0.0001' --max-seeds 2000")]
pub(super) struct Compare {
    /// A variant to compare, given at least twice; all of them without it
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    #[command(flatten)]
    stopping: Stopping,
    #[command(flatten)]
    simulating: Simulating,
}

impl Compare {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let wanted = wanted(self.variant)?;
        simulate(&self.simulating, &wanted, Mode::Compare, Some(&self.stopping))
    }
}

/// The variants that are compared.
pub(super) fn wanted(variants: Vec<String>) -> Result<Wanted, Failure> {
    match variants.iter().collect::<BTreeSet<_>>().len() {
        0 => Ok(Wanted::All),
        1 => {
            let message = format!("there is nothing to compare `{}` with", variants[0]);
            Err(mistake(message, "give --variant once more, or leave it out to compare all variants"))
        }
        _ => Ok(Wanted::Named(variants)),
    }
}
