//! Layer 6: what is measured. Each metric has a name, a unit, a direction and a sentence; columns, JSON keys,
//! expectations, help and docs derive from the catalogue.

pub mod catalogue;
pub mod key;

pub use key::{Better, Dims, Key, Metric, Unit};
