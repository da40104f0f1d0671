//! Layer 3: how a standby takes over and gives back.

pub mod spec;
