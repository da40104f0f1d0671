//! Seeds of variants, simulated by all threads of a pool.
//!
//! Threads take (variant, seed) in order from one counter, and bring a summary of each. Whoever would begin with a variant
//! that nobody prepared prepares one first (`prepared.rs`).

use super::prepared::Prepared;
use super::run::{Control, Job, RunError, Simulate};
use super::work::Block;
use crate::base::Seed;
use crate::metric::{Layout, RunSummary};
use crate::plan::Plan;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// One seed of one job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its place in the line.
    pub(super) number: u64,
    pub(super) job: usize,
    pub(super) replication: u64,
    pub(super) group: usize,
    block: usize,
}

/// The (job, replication) of groups, in a line that threads take them from.
pub(super) struct Line<'a> {
    /// A block, and its group.
    blocks: Vec<(&'a Block, usize)>,
    /// How many there are before each block, and in all.
    starts: Vec<u64>,
    /// How many there are in each group.
    pub(super) sizes: Vec<usize>,
}

impl<'a> Line<'a> {
    pub(super) fn new(groups: &'a [Vec<Block>]) -> Self {
        let blocks = groups.iter().enumerate().flat_map(|(group, blocks)| blocks.iter().map(move |one| (one, group)));
        let blocks: Vec<_> = blocks.collect();
        let mut starts = vec![0];
        let mut sizes = vec![0; groups.len()];
        let mut all = 0;
        for (block, group) in &blocks {
            all += block.seeds.len() as u64;
            starts.push(all);
            sizes[*group] += block.seeds.len();
        }
        Self { blocks, starts, sizes }
    }

    fn len(&self) -> u64 {
        self.starts[self.blocks.len()]
    }

    /// The item at this place.
    fn item(&self, number: u64) -> Item {
        let at = self.starts.partition_point(|start| *start <= number) - 1;
        let (block, group) = self.blocks[at];
        let replication = u64::from(block.seeds.start) + number - self.starts[at];
        Item { number, job: block.variant, replication, group, block: at }
    }

    /// Whether it is the first of a block whose predecessor is of another job, which nobody begins with any more.
    fn leaves(&self, item: &Item) -> Option<usize> {
        let before = item.block.checked_sub(1).filter(|_| self.starts[item.block] == item.number)?;
        let job = self.blocks[before].0.variant;
        (job != item.job).then_some(job)
    }
}

/// Who gets the summaries.
pub(super) trait Deliver: Sync {
    /// Takes a seed's summary, and says whether to go on. Called by any thread, in any order.
    fn bring(&self, item: Item, summary: RunSummary) -> bool;

    /// Called before a thread takes another seed: may wait, but not when all has ended.
    fn wait(&self, has_ended: &dyn Fn() -> bool);
}

/// What is simulated.
pub(super) struct Simulated<'p, 'a, F> {
    pub(super) jobs: &'p [Job],
    pub(super) layouts: &'a [Layout],
    /// By job.
    pub(super) masters: &'a [u64],
    pub(super) prepared: &'a Prepared<'p, F>,
    pub(super) line: &'a Line<'a>,
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
    /// If it was stopped, or a seed can't be simulated: the first one, whatever the number of threads.
    pub(super) fn run(&self, control: &Control, deliver: &dyn Deliver) -> Result<(), RunError> {
        let total = self.line.len();
        let (next, done, begun) = (AtomicU64::new(0), AtomicU64::new(0), AtomicUsize::new(0));
        let ended = AtomicBool::new(false);
        let has_ended = || control.stop.load(Ordering::Relaxed) || ended.load(Ordering::Relaxed);
        let first_failure: Mutex<Option<(u64, String)>> = Mutex::new(None);
        rayon::broadcast(|_| {
            let _ends_all = EndsAll(&ended);
            let mut simulator: Option<(usize, Box<dyn Simulate + 'p>)> = None;
            loop {
                // A failure ends the run, but whatever was taken before it is finished: it may have failed earlier.
                if has_ended() {
                    break;
                }
                self.prepare_ahead(next.load(Ordering::Relaxed), &begun);
                deliver.wait(&has_ended);
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    break;
                }
                let item = self.line.item(number);
                if let Some(job) = self.line.leaves(&item) {
                    self.prepared.leave(job);
                }
                let job = item.job;
                let (_, simulator) = match simulator.take() {
                    Some(same) if same.0 == job => simulator.insert(same),
                    Some(_) | None => simulator.insert((job, self.prepared.simulator(job))),
                };
                match simulator.run(Seed { master: self.masters[job], replication: item.replication }) {
                    Ok(seen) => {
                        let summary = self.layouts[job].summarise(&self.jobs[job].plan, &seen);
                        let goes_on = deliver.bring(item, RunSummary { replication: item.replication, ..summary });
                        ended.fetch_or(!goes_on, Ordering::Relaxed);
                    }
                    Err(message) => {
                        ended.store(true, Ordering::Relaxed);
                        let mut first = first_failure.lock().unwrap_or_else(PoisonError::into_inner);
                        if first.as_ref().is_none_or(|(other, _)| number < *other) {
                            *first = Some((number, message));
                        }
                    }
                }
                (control.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            }
        });
        if control.stop.load(Ordering::Relaxed) {
            return Err(RunError::Interrupted);
        }
        match first_failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((number, message)) => {
                let Item { job, replication, .. } = self.line.item(number);
                Err(RunError::Simulation { variant: self.jobs[job].plan.variant.clone(), replication, message })
            }
            None if ended.into_inner() => Err(RunError::Interrupted),
            None => Ok(()),
        }
    }

    /// Prepares the next block's job if it is less than a block a thread ahead of what is simulated, and nobody began to.
    fn prepare_ahead(&self, next: u64, begun: &AtomicUsize) {
        let blocks = &self.line.blocks;
        let at = self.line.starts.partition_point(|start| *start <= next) - 1;
        let until = (at + rayon::current_num_threads()).min(blocks.len());
        let ahead = |block: usize| (block < until).then_some(block + 1);
        while let Ok(block) = begun.fetch_update(Ordering::Relaxed, Ordering::Relaxed, ahead) {
            // What the line has gone past, and empty blocks, need no simulator any more.
            if block >= at && !blocks[block].0.seeds.is_empty() {
                self.prepared.prepare(blocks[block].0.variant);
                return;
            }
        }
    }
}
