//! Layer 6: one seed.
