//! Layer 6: what is measured. Each metric has a name, a unit, a direction and a sentence; columns, JSON keys,
//! expectations, help and docs derive from the catalogue.

mod admit;
mod availability;
mod bill;
pub mod catalogue;
mod connections;
mod data;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
pub mod key;
mod latency;
mod loss;
mod recovery;
mod rollouts;
mod sheet;
mod stations;
pub mod values;

pub use key::{Better, Dims, Key, Metric, Unit};
pub use values::{Layout, RunSummary};
