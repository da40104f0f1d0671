//! Layer 4: from TOML to a scenario. Text becomes a [`tree`] whose every value knows where it was written; bases are
//! merged ([`load`]), variants and sweeps applied ([`patch`], [`sweep`]), the result decoded with all mistakes listed at once
//! ([`decode`]) to a [`spec`], checked and filled in to a [`resolved`] scenario, and shown with where each value came
//! from ([`origin`]), or as a list of [`settings`].

mod checks;
pub mod decode;
pub mod load;
mod lookup;
pub mod origin;
pub mod patch;
pub mod path;
pub mod resolve;
pub mod resolved;
pub mod settings;
pub mod shape;
pub mod spec;
pub mod sweep;
pub mod tree;
pub mod window;

#[cfg(test)]
mod tests;
