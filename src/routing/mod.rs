//! Layer 3: how users find a cluster. Policies order the clusters for a population; health checks notice a
//! dead one; DNS moves the clients; an edge that sees load spills what a cluster has no room for.

pub mod dns;
pub mod geo;
pub mod health;
pub mod latency;
pub mod policy;
pub mod priority;
pub mod spec;
pub mod spill;
pub mod weighted;
