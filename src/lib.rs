//! regionsim: a discrete-event simulator of multi-region deployments.
//!
//! The flow is one-way: a scenario is loaded, checked, compiled to a plan, simulated under many seeds,
//! folded and reported. `ARCHITECTURE.md` has the layers.

pub mod base;
pub mod catalog;
pub mod cli;
pub mod cost;
pub mod diag;
pub mod dist;
pub mod domain;
pub mod engine;
pub mod experiment;
pub mod failover;
pub mod failure;
pub mod import;
pub mod metric;
pub mod network;
pub mod plan;
pub mod replication;
pub mod report;
pub mod rollout;
pub mod routing;
pub mod scaling;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod traffic;
pub mod validation;
