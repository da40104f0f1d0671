//! Layer 3: users, what they ask for, and the stations that answer: queueing in closed form and the
//! distribution of a journey's latency.

mod convolution;
pub mod ended;
pub mod erlang;
pub mod latency;
mod lattice;
pub mod mixture;
pub mod order;
pub mod queueing;
pub mod spec;
