//! One simulator of each variant that is prepared, and then copied for each thread.
//!
//! Of a few variants the prepared simulators stay, for further seeds and for a timeline; of more than that, as in a sweep,
//! they go once the threads have gone on.

use super::run::{Job, Simulate};
use crate::plan::Plan;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Variants whose simulators stay.
const FEW: usize = 8;

/// Prepared simulators by job. `make` makes one that isn't.
pub(super) struct Prepared<'p, F> {
    jobs: &'p [Job],
    make: &'p F,
    known: Vec<Mutex<Option<Box<dyn Simulate + 'p>>>>,
}

impl<'p, F> Prepared<'p, F>
where
    F: for<'a> Fn(&'a Plan) -> Box<dyn Simulate + 'a> + Sync,
{
    pub(super) fn new(jobs: &'p [Job], make: &'p F) -> Self {
        Self { jobs, make, known: jobs.iter().map(|_| Mutex::new(None)).collect() }
    }

    /// A simulator of a job, for one thread. Who wants one that is being prepared waits.
    pub(super) fn simulator(&self, job: usize) -> Box<dyn Simulate + 'p> {
        let mut known = self.lock(job);
        let prepared = || {
            let mut simulator = self.made(job);
            simulator.prepare();
            simulator
        };
        known.get_or_insert_with(prepared).another()
    }

    /// A simulator of a job: a prepared one if there is one.
    pub(super) fn at_hand(&self, job: usize) -> Box<dyn Simulate + 'p> {
        self.lock(job).as_ref().map_or_else(|| self.made(job), |prepared| prepared.another())
    }

    /// From now on this one, which knows more, is copied.
    pub(super) fn replace(&self, job: usize, simulator: Box<dyn Simulate + 'p>) {
        *self.lock(job) = Some(simulator);
    }

    /// The threads have gone on from a job.
    pub(super) fn leave(&self, job: usize) {
        if self.jobs.len() > FEW {
            *self.lock(job) = None;
        }
    }

    fn lock(&self, job: usize) -> MutexGuard<'_, Option<Box<dyn Simulate + 'p>>> {
        self.known[job].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self, job: usize) -> Box<dyn Simulate + 'p> {
        (self.make)(&self.jobs[job].plan)
    }
}
