//! Files that are too large to be held: all threads make pieces of them while those before are written.

use rayon::prelude::*;
use std::io::{self, Write};

/// Writes what `make` makes of each piece, in order. `each` pieces for each thread are in memory at once, and as many that are
/// being written.
///
/// # Errors
/// If it can't be written.
pub(super) fn write<T: Sync>(
    pieces: &[T],
    each: usize,
    make: impl Fn(&T) -> Vec<u8> + Sync,
    to: &mut (dyn Write + Send),
) -> io::Result<()> {
    let some = each.max(1) * rayon::current_num_threads();
    let mut made: Vec<Vec<u8>> = Vec::new();
    for pieces in pieces.chunks(some).chain([&[][..]]) {
        let next = || pieces.par_iter().map(&make).collect();
        let (written, next) = rayon::join(|| made.iter().try_for_each(|text| to.write_all(text)), next);
        written?;
        made = next;
    }
    Ok(())
}
