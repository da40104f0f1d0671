//! A file without a name for the figures of seeds of which there are too many for memory.
//!
//! It is in the folder in which the report will be, since where temporary files go is memory on some machines, and it is gone
//! when the program ends, however that does. What doesn't fit the disk stays in memory.

use crate::stats;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shelf that is on a disk once something is put there.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Where reports go, or will.
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Unused,
    /// The file and its length.
    Open(File, u64),
    /// Nothing more can be put there. What is there can be read.
    Full(Option<File>),
    /// Something couldn't be read again.
    Broken(io::Error),
}

impl Shelf {
    pub(super) fn beside(folder: &Path) -> Arc<Self> {
        Arc::new(Self { folder: folder.to_owned(), state: Mutex::new(State::Unused) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// If something that was put there couldn't be read: figures that were read since it was made aren't to be trusted.
    pub(super) fn check(&self) -> io::Result<()> {
        match &*self.lock() {
            State::Broken(error) => Err(io::Error::new(
                error.kind(),
                format!("a temporary file with the figures of seeds can't be read: {error}"),
            )),
            State::Unused | State::Open(..) | State::Full(_) => Ok(()),
        }
    }

    fn open(&self) -> io::Result<File> {
        let existing = self.folder.ancestors().find(|folder| folder.is_dir());
        tempfile::tempfile_in(existing.unwrap_or(Path::new(".")))
    }
}

impl stats::Shelf for Shelf {
    fn put(&self, piece: &[f64]) -> Option<u64> {
        let mut state = self.lock();
        if let State::Unused = *state {
            *state = self.open().map_or(State::Full(None), |file| State::Open(file, 0));
        }
        let State::Open(file, length) = &mut *state else { return None };
        let bytes: Vec<u8> = piece.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let place = *length;
        if file.seek(SeekFrom::Start(place)).and_then(|_| file.write_all(&bytes)).is_ok() {
            *length += bytes.len() as u64;
            return Some(place);
        }
        if let State::Open(file, _) = std::mem::replace(&mut *state, State::Full(None)) {
            *state = State::Full(Some(file));
        }
        None
    }

    fn read(&self, place: u64, piece: &mut [f64]) {
        let mut state = self.lock();
        let (State::Open(file, _) | State::Full(Some(file))) = &mut *state else { return };
        let mut bytes = vec![0; size_of_val(piece)];
        match file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(&mut bytes)) {
            Ok(()) => {
                let (numbers, _) = bytes.as_chunks();
                piece.iter_mut().zip(numbers).for_each(|(number, bytes)| *number = f64::from_ne_bytes(*bytes));
            }
            Err(error) => *state = State::Broken(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Shelf as _;

    #[test]
    fn what_was_put_there_is_read_again() {
        let here = tempfile::tempdir().unwrap();
        // The folder isn't there yet.
        let shelf = Shelf::beside(&here.path().join("reports/a"));
        let pieces = [[1.0, f64::NAN, -0.0], [2.0, 1e-300, f64::MAX]];
        let places = pieces.map(|piece| shelf.put(&piece).unwrap());
        let mut read = [0.0; 3];
        for (place, piece) in places.iter().zip(pieces).rev() {
            shelf.read(*place, &mut read);
            assert_eq!(read.map(f64::to_bits), piece.map(f64::to_bits));
        }
        assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0, "nobody sees it");
        shelf.check().unwrap();
    }

    #[test]
    fn what_can_not_be_read_is_told() {
        let here = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(here.path());
        assert_eq!(shelf.put(&[1.0]), Some(0));
        shelf.read(8, &mut [0.0]);
        assert!(shelf.check().unwrap_err().to_string().contains("can't be read"));
        assert_eq!(shelf.put(&[1.0]), None);
    }

    #[test]
    fn what_can_not_be_put_there_stays_in_memory() {
        let here = tempfile::tempdir().unwrap();
        // A folder that is gone when it is first needed: the one above is used.
        let inner = here.path().join("a");
        let shelf = Shelf::beside(&inner);
        assert_eq!(shelf.put(&[1.0]), Some(0));
        // A file that can only be read.
        let file = here.path().join("read-only");
        std::fs::write(&file, [0; 8]).unwrap();
        let shelf = Shelf { folder: inner, state: Mutex::new(State::Open(File::open(&file).unwrap(), 8)) };
        assert_eq!(shelf.put(&[1.0]), None);
        let mut read = [1.0];
        shelf.read(0, &mut read);
        assert_eq!(read, [0.0]);
        shelf.check().unwrap();
    }
}
