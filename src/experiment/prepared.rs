//! One simulator of each variant that is prepared, and then copied for each thread.
//!
//! A thread prepares a variant while others still simulate the ones before. Of a few variants the prepared simulators stay,
//! for further seeds and for a timeline; of more than that, as in a sweep, they go once the threads have gone on.

use super::run::{Job, Simulate};
use crate::plan::Plan;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Variants whose simulators stay.
const FEW: usize = 8;

/// A job's simulator.
enum Known<'p> {
    /// Nobody wanted it yet.
    Unmade,
    /// It is prepared.
    Ready(Box<dyn Simulate + 'p>),
    /// It went.
    Gone,
}

/// Prepared simulators by job. `make` makes one that isn't.
pub(super) struct Prepared<'p, F> {
    jobs: &'p [Job],
    make: &'p F,
    known: Vec<Mutex<Known<'p>>>,
}

impl<'p, F> Prepared<'p, F>
where
    F: for<'a> Fn(&'a Plan) -> Box<dyn Simulate + 'a> + Sync,
{
    pub(super) fn new(jobs: &'p [Job], make: &'p F) -> Self {
        Self { jobs, make, known: jobs.iter().map(|_| Mutex::new(Known::Unmade)).collect() }
    }

    /// Prepares a job's simulator unless it is. Who needs the same one waits.
    pub(super) fn prepare(&self, job: usize) {
        let mut known = self.lock(job);
        if !matches!(&*known, Known::Ready(_)) {
            *known = Known::Ready(self.ready(job));
        }
    }

    /// A simulator of a job, for one thread.
    pub(super) fn simulator(&self, job: usize) -> Box<dyn Simulate + 'p> {
        let mut known = self.lock(job);
        match &*known {
            Known::Ready(simulator) => simulator.another(),
            Known::Unmade => {
                let simulator = self.ready(job);
                let another = simulator.another();
                *known = Known::Ready(simulator);
                another
            }
            // A thread that comes late has one to itself.
            Known::Gone => self.made(job),
        }
    }

    /// A simulator of a job: a prepared one if it stayed.
    pub(super) fn at_hand(&self, job: usize) -> Box<dyn Simulate + 'p> {
        match &*self.lock(job) {
            Known::Ready(simulator) => simulator.another(),
            Known::Unmade | Known::Gone => self.made(job),
        }
    }

    /// The threads have gone on from a job.
    pub(super) fn leave(&self, job: usize) {
        if self.jobs.len() > FEW {
            *self.lock(job) = Known::Gone;
        }
    }

    fn lock(&self, job: usize) -> MutexGuard<'_, Known<'p>> {
        self.known[job].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self, job: usize) -> Box<dyn Simulate + 'p> {
        (self.make)(&self.jobs[job].plan)
    }

    fn ready(&self, job: usize) -> Box<dyn Simulate + 'p> {
        let mut simulator = self.made(job);
        simulator.prepare();
        simulator
    }
}
