//! What `regionsim show` prints: the resolved scenario as TOML, each value with where it came from.
