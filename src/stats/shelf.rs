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

/// Shelves for tests.
#[cfg(test)]
pub(crate) mod tests {
    use super::Shelf;
    use std::sync::Mutex;

    /// Room for so many pieces.
    #[derive(Debug)]
    pub(crate) struct Room(usize, Mutex<Vec<Vec<f64>>>);

    impl Room {
        pub(crate) fn of(pieces: usize) -> Self {
            Self(pieces, Mutex::default())
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.1.lock().unwrap().is_empty()
        }
    }

    impl Shelf for Room {
        fn put(&self, piece: &[f64]) -> Option<u64> {
            let mut all = self.1.lock().unwrap();
            (all.len() < self.0).then(|| all.push(piece.to_vec()))?;
            Some(all.len() as u64 - 1)
        }

        fn read(&self, place: u64, piece: &mut [f64]) {
            piece.copy_from_slice(&self.1.lock().unwrap()[place as usize]);
        }
    }
}
