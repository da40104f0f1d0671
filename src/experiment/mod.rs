//! Layer 7: many seeds in parallel, folded, compared with each other, with what is expected, and with what was.

pub mod baseline;
pub mod compare;
pub mod drill;
pub mod fold;
pub mod gather;
pub mod incidents;
pub mod judge;
pub mod kept;
pub mod notes;
mod order;
pub mod part;
mod prepared;
mod replicate;
pub mod results;
pub mod run;
pub mod work;
pub mod worst;

pub use run::{Control, Job, RunError, Simulate, run, run_folded, run_groups, run_until};
