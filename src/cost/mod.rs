//! Layer 3: the bill and the business loss.

pub mod bill;
pub mod spec;
