//! Layer 3: round-trip times.

pub mod spec;
