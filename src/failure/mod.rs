//! Layer 3: what breaks, when, and for how long.

pub mod clock;
pub mod spec;
