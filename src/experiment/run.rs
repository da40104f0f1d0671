//! Runs every seed of every variant, in parallel.
//!
//! Threads take (variant, seed) in order from one counter, so each builds a variant's simulator at most once and
//! keeps what it has learnt. Summaries are sorted by seed before anything is added up: the same bytes come out
//! for any number of threads. Only summaries are kept.

use super::results::{Grid, Results, ScenarioInfo, Timeline, Tool};
use super::work::Block;
use super::{compare, fold, notes};
use crate::base::Seed;
use crate::domain::Observations;
use crate::metric::{Layout, RunSummary};
use crate::plan::Plan;
use crate::scenario::resolved::Scenario;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A variant to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Compiled.
    pub plan: Plan,
    /// As it was resolved.
    pub scenario: Scenario,
    /// The same as TOML, with the origin of each value.
    pub resolved: String,
}

/// One variant's simulator. What it gives for a seed must not depend on the seeds before.
pub trait Simulate {
    /// What one seed observes.
    ///
    /// # Errors
    /// Why it can't be simulated.
    fn run(&mut self, seed: Seed) -> Result<Observations, String>;

    /// What happened in a window, in seconds from the start of the horizon.
    ///
    /// # Errors
    /// Why it can't be simulated.
    fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, String>;
}

impl Simulate for crate::sim::Simulator<'_> {
    fn run(&mut self, seed: Seed) -> Result<Observations, String> {
        Self::run(self, seed).map_err(|error| error.to_string())
    }

    fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, String> {
        Self::timeline(self, seed, from_s, to_s).map_err(|error| error.to_string())
    }
}

/// How a caller follows a run, and ends it.
pub struct Control<'a> {
    /// Called from any thread after each seed of each variant with how many are done, and how many there are so far.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Set, it ends the run at the next seed.
    pub stop: &'a AtomicBool,
}

/// Why a run has no results.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RunError {
    /// The stop flag was set.
    #[error("interrupted")]
    Interrupted,
    /// A seed couldn't be simulated.
    #[error("variant \"{variant}\", seed {replication}: {message}")]
    Simulation {
        /// The variant's name.
        variant: String,
        /// Which replication.
        replication: u64,
        /// What the simulator says.
        message: String,
    },
}

/// As [`run`], and then more seeds, for as long as `more` asks for a greater number of them in all.
///
/// # Errors
/// As [`run`].
pub fn run_until<F>(
    jobs: &[Job],
    grid: Option<&Grid>,
    tool: &Tool,
    info: ScenarioInfo,
    control: &Control,
    simulate: &F,
    more: &dyn Fn(&Results) -> u32,
) -> Result<Results, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let layouts: Vec<Layout> = jobs.iter().map(|job| Layout::new(&job.plan)).collect();
    let mut summaries: Vec<Vec<RunSummary>> = jobs.iter().map(|_| Vec::new()).collect();
    let mut info = info;
    let mut done = 0;
    loop {
        let new = seeds(jobs, &layouts, info.seed, done..info.seeds, control, simulate)?;
        summaries.iter_mut().zip(new).for_each(|(all, new)| all.extend(new));
        let results = folded(jobs, &layouts, &summaries, grid.cloned(), tool.clone(), info.clone(), control, simulate)?;
        done = info.seeds;
        info.seeds = more(&results);
        if info.seeds <= done {
            return Ok(results);
        }
    }
}

/// Summaries by job and seed, of these seeds under one master seed.
pub(super) fn seeds<F>(
    jobs: &[Job],
    layouts: &[Layout],
    master: u64,
    range: Range<u32>,
    control: &Control,
    simulate: &F,
) -> Result<Vec<Vec<RunSummary>>, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let blocks = (0..jobs.len()).map(|variant| Block { variant, seeds: range.clone() }).collect();
    let new = Mutex::new(Vec::new());
    let keep = |_, all| {
        *new.lock().unwrap_or_else(PoisonError::into_inner) = all;
        true
    };
    // Those before count as done.
    let before = u64::from(range.start) * jobs.len() as u64;
    let all = |done, total| (control.progress)(before + done, before + total);
    let told = Control { progress: &all, stop: control.stop };
    replicate(jobs, layouts, &vec![master; jobs.len()], &[blocks], &told, simulate, &keep)?;
    let mut new = new.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
    Ok(jobs.iter().map(|_| new.by_ref().take(range.len()).collect()).collect())
}

/// Runs `info.seeds` seeds of every job under the master seed `info.seed`, in the current thread pool, and folds
/// them. `simulate` makes a variant's simulator: once for each thread. With a grid the jobs are its points, of which
/// there may be thousands: no pair of them is compared, and no day of theirs is told.
///
/// # Errors
/// If it was stopped, or a seed can't be simulated: the first one, whatever the number of threads.
pub fn run<F>(
    jobs: &[Job],
    grid: Option<&Grid>,
    tool: &Tool,
    info: ScenarioInfo,
    control: &Control,
    simulate: &F,
) -> Result<Results, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    run_until(jobs, grid, tool, info, control, simulate, &|_| 0)
}

/// Simulates groups of blocks, each job under its master seed. A group's summaries, in the order of its blocks, go to
/// `finished` as soon as there are all of them; that says whether to go on.
///
/// # Errors
/// As [`run`]; [`RunError::Interrupted`], too, if it isn't to go on.
pub fn run_groups<F>(
    jobs: &[Job],
    masters: &[u64],
    groups: &[Vec<Block>],
    control: &Control,
    simulate: &F,
    finished: &(dyn Fn(usize, Vec<RunSummary>) -> bool + Sync),
) -> Result<(), RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let layouts: Vec<Layout> = jobs.iter().map(|job| Layout::new(&job.plan)).collect();
    replicate(jobs, &layouts, masters, groups, control, simulate, finished)
}

/// What [`run`] makes of the summaries of all seeds, by job, once it has them.
///
/// # Errors
/// If it was stopped.
pub fn run_folded<F>(
    jobs: &[Job],
    summaries: &[Vec<RunSummary>],
    grid: Option<&Grid>,
    tool: &Tool,
    info: ScenarioInfo,
    control: &Control,
    simulate: &F,
) -> Result<Results, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let layouts: Vec<Layout> = jobs.iter().map(|job| Layout::new(&job.plan)).collect();
    folded(jobs, &layouts, summaries, grid.cloned(), tool.clone(), info, control, simulate)
}

#[expect(clippy::too_many_arguments, reason = "what a run is of, and what it gave")]
fn folded<F>(
    jobs: &[Job],
    layouts: &[Layout],
    summaries: &[Vec<RunSummary>],
    grid: Option<Grid>,
    tool: Tool,
    info: ScenarioInfo,
    control: &Control,
    simulate: &F,
) -> Result<Results, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let variants = jobs
        .par_iter()
        .zip(layouts)
        .zip(summaries)
        .map(|((job, layout), summaries)| {
            // A seed that ran once runs again: without its timeline only if it doesn't.
            let window = if grid.is_some() { None } else { fold::window(&job.plan, summaries) };
            let timeline = window.and_then(|window| {
                let seed = Seed { master: info.seed, replication: window.replication };
                simulate(&job.plan).timeline(seed, window.from_s, window.to_s).ok()
            });
            fold::variant(job, layout, summaries, timeline)
        })
        .collect::<Vec<_>>();
    if control.stop.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    let (variants, unmeasured): (Vec<_>, Vec<_>) = variants.into_iter().unzip();
    let mut notes = notes::notes(jobs);
    notes.extend(unmeasured.into_iter().flatten());
    let compared: &[_] = if grid.is_some() { &[] } else { &variants };
    Ok(Results {
        comparisons: compare::comparisons(compared),
        pareto: compare::pareto(compared),
        break_even: compare::break_even(compared, info.horizon_s),
        notes,
        grid,
        tool,
        scenario: info,
        variants,
    })
}

/// The (job, replication) of groups, in a line that threads take them from.
struct Line<'a> {
    /// A block, and its group.
    blocks: Vec<(&'a Block, usize)>,
    /// How many there are before each block, and in all.
    starts: Vec<u64>,
    /// How many there are in each group.
    sizes: Vec<usize>,
}

impl<'a> Line<'a> {
    fn new(groups: &'a [Vec<Block>]) -> Self {
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

    /// Its job, its replication and its group.
    fn item(&self, item: u64) -> (usize, u64, usize) {
        let at = self.starts.partition_point(|start| *start <= item) - 1;
        let (block, group) = self.blocks[at];
        (block.variant, u64::from(block.seeds.start) + item - self.starts[at], group)
    }
}

/// As [`run_groups`].
fn replicate<F>(
    jobs: &[Job],
    layouts: &[Layout],
    masters: &[u64],
    groups: &[Vec<Block>],
    control: &Control,
    simulate: &F,
    finished: &(dyn Fn(usize, Vec<RunSummary>) -> bool + Sync),
) -> Result<(), RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    const HELD: &str = "no thread panics while it holds the lock";
    let line = Line::new(groups);
    let total = line.len();
    let (next, done, ended) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let first_failure: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let slots: Vec<Mutex<Vec<(u64, RunSummary)>>> = groups.iter().map(|_| Mutex::default()).collect();
    let whole = |group: usize, mut all: Vec<(u64, RunSummary)>| {
        all.sort_by_key(|(item, _)| *item);
        let goes_on = finished(group, all.into_iter().map(|(_, summary)| summary).collect());
        ended.fetch_or(!goes_on, Ordering::Relaxed);
    };
    for (group, _) in line.sizes.iter().enumerate().filter(|(_, size)| **size == 0) {
        whole(group, Vec::new());
    }
    rayon::broadcast(|_| {
        let mut simulator: Option<(usize, Box<dyn Simulate + '_>)> = None;
        loop {
            // A failure ends the run, but whatever was taken before it is finished: it may have failed earlier.
            if control.stop.load(Ordering::Relaxed) || ended.load(Ordering::Relaxed) {
                break;
            }
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= total {
                break;
            }
            let (job, replication, group) = line.item(item);
            let plan = &jobs[job].plan;
            let (_, simulator) = match simulator.take() {
                Some(same) if same.0 == job => simulator.insert(same),
                Some(_) | None => simulator.insert((job, simulate(plan))),
            };
            match simulator.run(Seed { master: masters[job], replication }) {
                Ok(seen) => {
                    let summary = RunSummary { replication, ..layouts[job].summarise(plan, &seen) };
                    let mut slot = slots[group].lock().expect(HELD);
                    slot.push((item, summary));
                    if slot.len() == line.sizes[group] {
                        let all = std::mem::take(&mut *slot);
                        drop(slot);
                        whole(group, all);
                    }
                }
                Err(message) => {
                    ended.store(true, Ordering::Relaxed);
                    let mut first = first_failure.lock().expect(HELD);
                    if first.as_ref().is_none_or(|(other, _)| item < *other) {
                        *first = Some((item, message));
                    }
                }
            }
            (control.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
    });
    if control.stop.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    match first_failure.into_inner().expect("no thread panicked") {
        Some((item, message)) => {
            let (job, replication, _) = line.item(item);
            Err(RunError::Simulation { variant: jobs[job].plan.variant.clone(), replication, message })
        }
        None if ended.into_inner() => Err(RunError::Interrupted),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::fixture;

    /// Loses as much as the seed's number and the variant say; fails from a seed on.
    struct Fake<'p> {
        plan: &'p Plan,
        fails_from: u64,
    }

    impl Simulate for Fake<'_> {
        fn run(&mut self, seed: Seed) -> Result<Observations, String> {
            if seed.replication >= self.fails_from {
                return Err("no".to_owned());
            }
            let share = if self.plan.variant == "base" { 1.0 } else { 0.4 };
            // Thirds don't add up exactly: the order of sums shows.
            Ok(fixture::observations(share * (seed.replication % 5) as f64 / 3.0))
        }

        fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, String> {
            let seed = seed.replication as u32;
            Ok(Timeline { seed, from_s, to_s, success: vec![], ready: vec![], spans: vec![], marks: vec![] })
        }
    }

    fn jobs() -> Vec<Job> {
        ["base", "other"]
            .map(|variant| {
                let scenario = Scenario { variant: variant.to_owned(), ..fixture::scenario() };
                Job { plan: crate::plan::compile(&scenario), scenario, resolved: String::new() }
            })
            .to_vec()
    }

    fn info(seeds: u32) -> ScenarioInfo {
        ScenarioInfo {
            name: "fixture".to_owned(),
            summary: None,
            hash: String::new(),
            horizon_s: fixture::SECONDS,
            seeds,
            seed: 1,
        }
    }

    fn tool() -> Tool {
        Tool { name: "regionsim".to_owned(), version: "0".to_owned(), commit: None }
    }

    fn go(threads: usize, seeds: u32, fails_from: u64, control: &Control) -> (Result<Results, RunError>, u64) {
        let built = AtomicU64::new(0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let result = pool.install(|| {
            run(&jobs(), None, &tool(), info(seeds), control, &|plan| {
                built.fetch_add(1, Ordering::Relaxed);
                Box::new(Fake { plan, fails_from })
            })
        });
        (result, built.into_inner())
    }

    fn quiet(stop: &AtomicBool) -> Control<'_> {
        Control { progress: &|_, _| {}, stop }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bytes() {
        let stop = AtomicBool::new(false);
        let printed = |threads| format!("{:?}", go(threads, 37, u64::MAX, &quiet(&stop)).0.unwrap());
        let one = printed(1);
        assert!(one == printed(2) && one == printed(5));
    }

    fn make(plan: &Plan) -> Box<dyn Simulate + '_> {
        Box::new(Fake { plan, fails_from: u64::MAX })
    }

    /// Ten seeds and then twenty more are thirty.
    #[test]
    fn more_seeds_are_as_if_they_had_been_asked_for() {
        let stop = AtomicBool::new(false);
        let more = |results: &Results| if results.scenario.seeds < 30 { 30 } else { 0 };
        let grown = run_until(&jobs(), None, &tool(), info(10), &quiet(&stop), &make, &more).unwrap();
        let whole = go(2, 30, u64::MAX, &quiet(&stop)).0.unwrap();
        assert_eq!(format!("{grown:?}"), format!("{whole:?}"));
    }

    /// A group comes as soon as it is whole, its seeds in order; an empty one, too; and one may be the last.
    #[test]
    fn groups_are_told_one_by_one() {
        let stop = AtomicBool::new(false);
        let block = |variant, seeds| Block { variant, seeds };
        let groups = [vec![block(0, 0..20)], vec![], vec![block(0, 20..23), block(1, 5..30)], vec![block(1, 0..5)]];
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let told = |goes_on: bool| {
                let seen = Mutex::new(Vec::new());
                let finished = |group: usize, summaries: Vec<RunSummary>| {
                    let seeds: Vec<_> = summaries.iter().map(|one| one.replication as u32).collect();
                    seen.lock().unwrap().push((group, seeds));
                    goes_on
                };
                let result = pool.install(|| run_groups(&jobs(), &[1, 1], &groups, &quiet(&stop), &make, &finished));
                let mut seen = seen.into_inner().unwrap();
                seen.sort();
                (result, seen)
            };
            let (result, seen) = told(true);
            result.unwrap();
            let wanted = groups.iter().map(|blocks| blocks.iter().flat_map(|block| block.seeds.clone()).collect());
            assert_eq!(seen, wanted.enumerate().collect::<Vec<(usize, Vec<u32>)>>());
            let (result, seen) = told(false);
            assert_eq!(result, Err(RunError::Interrupted));
            assert_eq!(seen, [(1, vec![])]);
        }
    }

    #[test]
    fn a_thread_builds_a_variant_once() {
        let stop = AtomicBool::new(false);
        let seen = Mutex::new(Vec::new());
        let control = Control { progress: &|done, total| seen.lock().unwrap().push((done, total)), stop: &stop };
        let (results, built) = go(2, 50, u64::MAX, &control);
        // And once more for each timeline.
        assert!((2 + 2..=2 * 2 + 2).contains(&built), "{built}");
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (1..=100).map(|done| (done, 100)).collect::<Vec<_>>());
        let results = results.unwrap();
        let names: Vec<_> = results.variants.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(names, ["base", "other"]);
        // Seed 4 is the first that loses most.
        assert_eq!(results.variants[0].timeline.as_ref().unwrap().seed, 4);
        assert!(results.comparisons.iter().any(|found| found.metric == "availability" && found.difference < 0.0));
    }

    #[test]
    fn the_first_failure_is_told_whatever_the_threads() {
        let stop = AtomicBool::new(false);
        for threads in [1, 2, 5] {
            let error = go(threads, 30, 3, &quiet(&stop)).0.unwrap_err();
            assert_eq!(error.to_string(), "variant \"base\", seed 3: no");
        }
    }

    #[test]
    fn a_stop_ends_it() {
        let stop = AtomicBool::new(false);
        let done = AtomicU64::new(0);
        let progress = |n: u64, _: u64| {
            done.fetch_max(n, Ordering::Relaxed);
            stop.store(n >= 4, Ordering::Relaxed);
        };
        let (result, _) = go(2, 10_000, u64::MAX, &Control { progress: &progress, stop: &stop });
        assert_eq!(result.unwrap_err(), RunError::Interrupted);
        assert!(done.into_inner() < 100);
    }

    #[test]
    fn each_source_is_noted_once_and_assumptions_as_such() {
        use crate::experiment::results::NoteKind;
        let notes = notes::notes(&jobs());
        let of =
            |kind| notes.iter().filter(|note| note.kind == kind).map(|note| note.text.as_str()).collect::<Vec<_>>();
        assert_eq!(of(NoteKind::Source), ["data/prices.csv (list price)"]);
        assert_eq!(of(NoteKind::Assumption), ["data/zones.csv, assumed: three"]);
    }
}
