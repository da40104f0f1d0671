//! Layer 1: statistics of results.
