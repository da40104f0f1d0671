//! Layer 3: how many pods there are, when they are ready, and the nodes under them.

pub mod deployment;
pub mod hpa;
pub mod nodes;
pub mod spec;
