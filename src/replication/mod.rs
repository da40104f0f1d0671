//! Layer 3: where data lives, who leads it, and what is lost when a follower takes over.

pub mod cache;
pub mod keys;
pub mod loss;
pub mod spec;
