//! Where numbers go of which there are too many for memory.

use core::fmt::Debug;

/// Keeps pieces of numbers: on a disk, say.
pub trait Shelf: Send + Sync + Debug {
    /// Puts a piece away and gives its place; none if it has to stay where it is.
    fn put(&self, piece: &[f64]) -> Option<u64>;

    /// Reads the piece of a place into one that is as long. What can't be read is NaN; whoever made the shelf has to ask
    /// it whether that happened, before anybody is told of numbers.
    fn read(&self, place: u64, piece: &mut [f64]);
}
