//! The threads that a command runs on.

use super::failure::Failure;
use super::scenario::mistake;
use clap::Args;
use rayon::ThreadPoolBuilder;

/// How many there are.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Threads {
    /// Threads to use; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true,
          value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
}

impl Threads {
    /// Starts the threads of all that follows, which would otherwise be one a core.
    pub(super) fn start(self) -> Result<(), Failure> {
        let started = ThreadPoolBuilder::new().num_threads(self.threads.into()).build_global();
        started.map_err(|error| mistake(format!("can't start threads: {error}"), "ask for fewer: --threads 2"))
    }
}
