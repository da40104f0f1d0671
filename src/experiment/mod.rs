//! Layer 7: many seeds in parallel, folded, compared with each other, with what is expected, and with what was.

pub mod baseline;
pub mod compare;
pub mod drill;
pub mod fold;
pub mod incidents;
pub mod judge;
pub mod notes;
pub mod results;
pub mod run;
pub mod worst;

pub use run::{Control, Job, RunError, Simulate, run, run_until};
