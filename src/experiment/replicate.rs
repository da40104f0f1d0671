//! Seeds of variants, simulated by all threads of a pool.
//!
//! A simulator learns from seed to seed, so a thread stays with a variant until nobody has to begin with any more of its
//! seeds. Then it takes one that no thread has, or helps where most is left; who comes to help is given a copy of what is
//! known there. A summary of each seed is brought to whoever adds them up.

use super::prepared::Prepared;
use super::run::{Control, Job, RunError, Simulate};
use super::work::Block;
use crate::base::Seed;
use crate::metric::{Layout, RunSummary};
use crate::plan::Plan;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One seed of one job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) job: usize,
    /// Its place among its job's seeds.
    pub(super) number: u64,
    pub(super) replication: u64,
    pub(super) group: usize,
    /// Its place in the group.
    pub(super) place: u64,
}

/// The seeds of all jobs, of several groups of blocks.
pub(super) struct Line {
    /// By job, in the order of groups and their blocks.
    jobs: Vec<Vec<Stretch>>,
    /// How many there are in each group.
    pub(super) sizes: Vec<u64>,
}

/// Seeds of a job that are one block.
struct Stretch {
    seeds: Range<u32>,
    /// How many of the job there are before them.
    before: u64,
    group: usize,
    /// How many of the group there are before them.
    place: u64,
}

impl Stretch {
    fn end(&self) -> u64 {
        self.before + self.seeds.len() as u64
    }
}

impl Line {
    pub(super) fn new(jobs: usize, groups: &[Vec<Block>]) -> Self {
        let mut line = Self { jobs: (0..jobs).map(|_| Vec::new()).collect(), sizes: vec![0; groups.len()] };
        for (group, blocks) in groups.iter().enumerate() {
            for block in blocks {
                let (before, place) = (line.len(block.variant), line.sizes[group]);
                line.jobs[block.variant].push(Stretch { seeds: block.seeds.clone(), before, group, place });
                line.sizes[group] += block.seeds.len() as u64;
            }
        }
        line
    }

    /// How many seeds a job has.
    fn len(&self, job: usize) -> u64 {
        self.jobs[job].last().map_or(0, Stretch::end)
    }

    /// A job's seed at this place.
    fn item(&self, job: usize, number: u64) -> Item {
        let stretches = &self.jobs[job];
        let stretch = &stretches[stretches.partition_point(|stretch| stretch.end() <= number)];
        let at = number - stretch.before;
        let replication = u64::from(stretch.seeds.start) + at;
        Item { job, number, replication, group: stretch.group, place: stretch.place + at }
    }
}

/// Who gets the summaries.
pub(super) trait Deliver: Sync {
    /// Takes a seed's summary, and says whether to go on. Called by any thread, in any order.
    fn bring(&self, item: Item, summary: RunSummary) -> bool;

    /// Called before a thread takes another seed of this job: may wait, but not when all has ended.
    fn wait(&self, job: usize, has_ended: &dyn Fn() -> bool);
}

/// What is simulated.
pub(super) struct Simulated<'p, 'a, F> {
    pub(super) jobs: &'p [Job],
    pub(super) layouts: &'a [Layout],
    /// By job.
    pub(super) masters: &'a [u64],
    pub(super) prepared: &'a Prepared<'p, F>,
    pub(super) line: &'a Line,
}

/// Of a simulator that has learnt, for a thread that comes to help.
#[derive(Clone, Copy)]
enum Copied {
    Unasked,
    Asked,
    /// The prepared simulator is one.
    Given,
}

/// How far threads are.
struct Progress<'a> {
    line: &'a Line,
    /// By job: how many seeds threads have taken.
    taken: Vec<AtomicU64>,
    /// By job: how many threads it has.
    threads: Mutex<Vec<u64>>,
    /// By job.
    copies: Vec<Mutex<Copied>>,
    has_failed: AtomicBool,
    /// Of the seeds that failed the first one by job and number, and why it did.
    first_failure: Mutex<Option<((usize, u64), String)>>,
    ended: AtomicBool,
}

impl<'a> Progress<'a> {
    fn new(line: &'a Line) -> Self {
        Self {
            line,
            taken: line.jobs.iter().map(|_| AtomicU64::new(0)).collect(),
            threads: Mutex::new(vec![0; line.jobs.len()]),
            copies: line.jobs.iter().map(|_| Mutex::new(Copied::Unasked)).collect(),
            has_failed: AtomicBool::new(false),
            first_failure: Mutex::new(None),
            ended: AtomicBool::new(false),
        }
    }

    /// How many of a job's seeds nobody has taken.
    fn left(&self, job: usize) -> u64 {
        self.line.len(job).saturating_sub(self.taken[job].load(Ordering::Relaxed))
    }

    /// Gives a thread a job, and whether it comes to help: the first that has no thread, or that of which most is left for
    /// each thread.
    fn join(&self) -> Option<(usize, bool)> {
        let mut threads = lock(&self.threads);
        let open = || (0..threads.len()).filter(|job| self.left(*job) > 0 && !self.is_over(*job));
        let alone = open().find(|job| threads[*job] == 0);
        let share = |job: &usize| self.left(*job) / threads[*job].max(1);
        let job = alone.or_else(|| open().rev().max_by_key(share))?;
        threads[job] += 1;
        if alone.is_none() {
            *lock(&self.copies[job]) = Copied::Asked;
        }
        Some((job, alone.is_none()))
    }

    /// A thread goes from a job; true if it was the last one.
    fn leave(&self, job: usize) -> bool {
        let mut threads = lock(&self.threads);
        threads[job] -= 1;
        threads[job] == 0
    }

    /// The next of a job's seeds, for a thread.
    fn take(&self, job: usize) -> Option<Item> {
        let number = self.taken[job].fetch_add(1, Ordering::Relaxed);
        let is_wanted = number < self.line.len(job) && !self.is_beyond_failure(job, number);
        is_wanted.then(|| self.line.item(job, number))
    }

    /// Whether no thread is to begin with another of a job's seeds, because of a failure.
    fn is_over(&self, job: usize) -> bool {
        self.is_beyond_failure(job, self.taken[job].load(Ordering::Relaxed))
    }

    fn fail(&self, item: &Item, message: String) {
        let mut first = lock(&self.first_failure);
        let this = (item.job, item.number);
        if first.as_ref().is_none_or(|(other, _)| this < *other) {
            *first = Some((this, message));
        }
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Whether another seed failed before this one. A failure ends the run, but what is before it is finished: it may fail
    /// earlier.
    fn is_beyond_failure(&self, job: usize, number: u64) -> bool {
        let failure = || lock(&self.first_failure).as_ref().is_some_and(|(first, _)| *first < (job, number));
        self.has_failed.load(Ordering::Relaxed) && failure()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the others if its thread panics: they may wait for what it would have brought.
struct EndsAll<'a>(&'a AtomicBool);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl<'p, F> Simulated<'p, '_, F>
where
    F: for<'a> Fn(&'a Plan) -> Box<dyn Simulate + 'a> + Sync,
{
    /// Simulates the whole line.
    ///
    /// # Errors
    /// If it was stopped, or a seed can't be simulated: the first one by job, whatever the number of threads.
    pub(super) fn run(&self, control: &Control, deliver: &dyn Deliver) -> Result<(), RunError> {
        let total = self.line.sizes.iter().sum();
        let done = AtomicU64::new(0);
        let progress = Progress::new(self.line);
        let has_ended = || control.stop.load(Ordering::Relaxed) || progress.ended.load(Ordering::Relaxed);
        rayon::broadcast(|_| {
            let _ends_all = EndsAll(&progress.ended);
            while let Some((job, mut asks)) = progress.join() {
                let mut simulator = self.prepared.simulator(job);
                loop {
                    deliver.wait(job, &|| has_ended() || progress.is_over(job));
                    if has_ended() {
                        return;
                    }
                    let Some(item) = progress.take(job) else { break };
                    self.pass_on(job, &progress.copies[job], &mut simulator, &mut asks);
                    match self.simulate(&mut *simulator, &item) {
                        Ok(summary) => {
                            let goes_on = deliver.bring(item, summary);
                            progress.ended.fetch_or(!goes_on, Ordering::Relaxed);
                        }
                        Err(message) => progress.fail(&item, message),
                    }
                    (control.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                }
                if progress.leave(job) {
                    self.prepared.leave(job);
                }
            }
        });
        if control.stop.load(Ordering::Relaxed) {
            return Err(RunError::Interrupted);
        }
        match progress.first_failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(((job, number), message)) => {
                let Item { replication, .. } = self.line.item(job, number);
                Err(RunError::Simulation { variant: self.jobs[job].plan.variant.clone(), replication, message })
            }
            None if progress.ended.into_inner() => Err(RunError::Interrupted),
            None => Ok(()),
        }
    }

    /// Gives a copy of what this thread's simulator knows to who asks for it, or takes one if it still asks itself.
    fn pass_on(&self, job: usize, copied: &Mutex<Copied>, simulator: &mut Box<dyn Simulate + 'p>, asks: &mut bool) {
        let mut copied = lock(copied);
        match (*copied, *asks) {
            (Copied::Asked, false) => {
                self.prepared.replace(job, simulator.another());
                *copied = Copied::Given;
            }
            (Copied::Given, true) => {
                *simulator = self.prepared.simulator(job);
                *asks = false;
            }
            (Copied::Unasked | Copied::Given, false) | (Copied::Unasked | Copied::Asked, true) => {}
        }
    }

    fn simulate(&self, simulator: &mut dyn Simulate, item: &Item) -> Result<RunSummary, String> {
        let seen = simulator.run(Seed { master: self.masters[item.job], replication: item.replication })?;
        let summary = self.layouts[item.job].summarise(&self.jobs[item.job].plan, &seen);
        Ok(RunSummary { replication: item.replication, ..summary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(variant: usize, seeds: Range<u32>) -> Block {
        Block { variant, seeds }
    }

    /// Jobs of 7, 30 and 20 seeds; the second has two blocks in two groups.
    fn line() -> Line {
        Line::new(4, &[vec![block(0, 0..7), block(1, 0..20)], vec![block(1, 50..60), block(2, 5..25)]])
    }

    #[test]
    fn seeds_are_found_by_job_and_by_group() {
        let line = line();
        assert_eq!(line.sizes, [27, 30]);
        assert_eq!((0..4).map(|job| line.len(job)).collect::<Vec<_>>(), [7, 30, 20, 0]);
        let found = |job, number| {
            let item = line.item(job, number);
            (item.replication, item.group, item.place)
        };
        assert_eq!(found(1, 19), (19, 0, 26));
        assert_eq!(found(1, 20), (50, 1, 0));
        assert_eq!(found(2, 0), (5, 1, 10));
        assert_eq!(found(2, 19), (24, 1, 29));
    }

    /// By hand: each thread has a job first; the fourth helps with 30 seeds, the fifth where 20 are for one thread and not
    /// 30 for two.
    #[test]
    fn threads_go_where_nobody_is_and_then_where_most_is_left() {
        let line = line();
        let progress = Progress::new(&line);
        let joined: Vec<_> = (0..5).map(|_| progress.join().unwrap()).collect();
        assert_eq!(joined, [(0, false), (1, false), (2, false), (1, true), (2, true)]);
        // Nobody comes to a job all of whose seeds are taken, nor to one that failed, nor to any after it.
        assert_eq!((0..9).filter_map(|_| progress.take(0)).count(), 7);
        assert!(progress.leave(0));
        assert_eq!(progress.join(), Some((1, true)));
        let failed = progress.take(1).unwrap();
        progress.fail(&failed, "no".to_owned());
        assert!(progress.take(1).is_none() && progress.take(2).is_none());
        assert_eq!(progress.join(), None);
    }
}
