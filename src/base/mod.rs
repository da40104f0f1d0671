//! Layer 0: the words everything else is written in. Time, quantities with their units, typed ids,
//! named random streams, and the mathematics that must give the same bits everywhere.

pub mod catalogue;
pub mod id;
pub mod maths;
pub mod stream;
pub mod time;
pub mod units;

pub use id::{Id, Table};
pub use stream::{Rng, Seed, Stream};
pub use time::{SimTime, Span};
pub use units::{Bytes, Money, Probability, Rate};
