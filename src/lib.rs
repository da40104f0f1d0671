//! regionsim: a discrete-event simulator of multi-region deployments.
//!
//! The flow is one-way: a scenario is loaded, checked, compiled to a plan, simulated under many seeds,
//! folded and reported. `ARCHITECTURE.md` has the layers.

pub mod base;
pub mod report;
