//! Layer 4: from TOML to a scenario.

pub mod resolved;
pub mod spec;
