//! The threads that a command simulates on.

use super::failure::Failure;
use super::scenario::mistake;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// So many threads; 0 for one a core.
pub(super) fn pool(threads: u16) -> Result<ThreadPool, Failure> {
    let pool = ThreadPoolBuilder::new().num_threads(threads.into()).build();
    pool.map_err(|error| mistake(format!("can't start threads: {error}"), "ask for fewer: --threads 2"))
}
