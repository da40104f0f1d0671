//! Layer 4: from TOML to a scenario.

mod checks;
mod lookup;
pub mod resolve;
pub mod resolved;
pub mod spec;
