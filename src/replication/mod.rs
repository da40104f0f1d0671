//! Layer 3: where data lives, who leads it, and what is lost when a follower takes over.

pub mod cache;
pub mod history;
pub mod keys;
pub mod loss;
pub mod quorum;
pub mod spec;
pub mod visibility;
