//! The threads that a command simulates on.

use super::failure::Failure;
use super::scenario::mistake;
use clap::Args;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How many there are.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Threads {
    /// Threads to use; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true,
          value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
}

impl Threads {
    /// The threads themselves.
    pub(super) fn pool(self) -> Result<ThreadPool, Failure> {
        let pool = ThreadPoolBuilder::new().num_threads(self.threads.into()).build();
        pool.map_err(|error| mistake(format!("can't start threads: {error}"), "ask for fewer: --threads 2"))
    }
}
