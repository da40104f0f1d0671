//! Layer 7: many seeds in parallel, folded and compared.

pub mod compare;
pub mod fold;
pub mod notes;
pub mod results;
pub mod run;

pub use run::{Control, Job, RunError, Simulate, run};
