//! Layer 3: round-trip times, and connections between clusters.

pub mod connection;
pub mod spec;
