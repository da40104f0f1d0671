//! Layer 3: how a change reaches the clusters, and what happens if it is a bad one.

pub mod gitops;
pub mod management;
pub mod schedule;
pub mod spec;
