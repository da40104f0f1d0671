//! Runs every seed of every variant, in parallel.
//!
//! Whatever threads simulate (`replicate.rs`), seeds are added up in order (`order.rs`) as they come: the same bytes come
//! out for any number of threads, and of each seed nothing stays but its figures (`kept.rs`).

use super::kept::{Kept, keep};
use super::order::InOrder;
use super::prepared::Prepared;
use super::replicate::{Deliver, Item, Line, Simulated};
use super::results::{Grid, Results, ScenarioInfo, Timeline, Tool, VariantResult};
use super::work::Block;
use super::{compare, fold, notes};
use crate::base::Seed;
use crate::domain::Observations;
use crate::metric::{Layout, RunSummary};
use crate::plan::Plan;
use crate::scenario::resolved::Scenario;
use crate::stats::Shelf;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
pub trait Simulate: Send {
    /// Finds what every seed needs. The first seed begins with it otherwise.
    fn prepare(&mut self);

    /// Another one that knows as much, for another thread.
    fn another<'a>(&self) -> Box<dyn Simulate + 'a>
    where
        Self: 'a;

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
    fn prepare(&mut self) {
        Self::prepare(self);
    }

    fn another<'a>(&self) -> Box<dyn Simulate + 'a>
    where
        Self: 'a,
    {
        Box::new(self.clone())
    }

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
    /// Where figures of seeds go of which there are too many for memory.
    pub shelf: Option<&'a Arc<dyn Shelf>>,
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
    let prepared = Prepared::new(jobs, simulate);
    let mut kept = vec![Kept::default(); jobs.len()];
    let mut info = info;
    let mut done = 0;
    loop {
        let take = |job: usize, summary: RunSummary| {
            let is_last = summary.replication + 1 == u64::from(info.seeds);
            keep(&mut kept, job, summary, control.shelf);
            if is_last {
                kept[job].settle();
            }
        };
        seeds(jobs, &layouts, &prepared, info.seed, done..info.seeds, control, take)?;
        let results = folded(jobs, &layouts, &mut kept, grid.cloned(), tool.clone(), info.clone(), control, &prepared)?;
        done = info.seeds;
        info.seeds = more(&results);
        if info.seeds <= done {
            return Ok(results);
        }
    }
}

/// Gives the summaries of these seeds under one master seed to `take`, each as soon as those before it of its job are there.
pub(super) fn seeds<'j, F>(
    jobs: &'j [Job],
    layouts: &[Layout],
    prepared: &Prepared<'j, F>,
    master: u64,
    range: Range<u32>,
    control: &Control,
    take: impl FnMut(usize, RunSummary) + Send,
) -> Result<(), RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let blocks = (0..jobs.len()).map(|variant| Block { variant, seeds: range.clone() }).collect();
    let take = Mutex::new(take);
    let take = |job, summary| take.lock().unwrap_or_else(PoisonError::into_inner)(job, summary);
    let in_order = (0..jobs.len()).map(|job| InOrder::new(move |_, summary| take(job, summary)));
    let by_job = ByJob(in_order.collect());
    // Those before count as done.
    let before = u64::from(range.start) * jobs.len() as u64;
    let all = |done, total| (control.progress)(before + done, before + total);
    let told = Control { progress: &all, ..*control };
    let (groups, masters) = ([blocks], vec![master; jobs.len()]);
    let line = Line::new(jobs.len(), &groups);
    Simulated { jobs, layouts, masters: &masters, prepared, line: &line }.run(&told, &by_job)
}

/// Hands on the summaries of each job in the order of its seeds.
struct ByJob<F>(Vec<InOrder<RunSummary, F>>);

impl<F: FnMut(u64, RunSummary) + Send> Deliver for ByJob<F> {
    fn bring(&self, item: Item, summary: RunSummary) -> bool {
        self.0[item.job].bring(item.number, summary);
        true
    }

    fn wait(&self, job: usize, has_ended: &dyn Fn() -> bool) {
        self.0[job].wait(has_ended);
    }
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
    let line = Line::new(jobs.len(), groups);
    let slots: Vec<Mutex<Vec<(u64, RunSummary)>>> = groups.iter().map(|_| Mutex::default()).collect();
    let groups = Groups { line: &line, slots, finished };
    for (group, _) in line.sizes.iter().enumerate().filter(|(_, size)| **size == 0) {
        if !finished(group, Vec::new()) {
            return Err(RunError::Interrupted);
        }
    }
    let prepared = Prepared::new(jobs, simulate);
    Simulated { jobs, layouts: &layouts, masters, prepared: &prepared, line: &line }.run(control, &groups)
}

/// Holds summaries until there are all of a group.
struct Groups<'a> {
    line: &'a Line,
    slots: Vec<Mutex<Vec<(u64, RunSummary)>>>,
    finished: &'a (dyn Fn(usize, Vec<RunSummary>) -> bool + Sync),
}

impl Deliver for Groups<'_> {
    fn bring(&self, item: Item, summary: RunSummary) -> bool {
        let mut slot = self.slots[item.group].lock().unwrap_or_else(PoisonError::into_inner);
        slot.push((item.place, summary));
        if (slot.len() as u64) < self.line.sizes[item.group] {
            return true;
        }
        let mut all = std::mem::take(&mut *slot);
        drop(slot);
        all.sort_by_key(|(place, _)| *place);
        (self.finished)(item.group, all.into_iter().map(|(_, summary)| summary).collect())
    }

    fn wait(&self, _: usize, _: &dyn Fn() -> bool) {}
}

/// What [`run`] makes of all seeds, by job, once it has them.
///
/// # Errors
/// If it was stopped.
pub fn run_folded<F>(
    jobs: &[Job],
    kept: &mut [Kept],
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
    let prepared = Prepared::new(jobs, simulate);
    folded(jobs, &layouts, kept, grid.cloned(), tool.clone(), info, control, &prepared)
}

#[expect(clippy::too_many_arguments, reason = "what a run is of, and what it gave")]
fn folded<F>(
    jobs: &[Job],
    layouts: &[Layout],
    kept: &mut [Kept],
    grid: Option<Grid>,
    tool: Tool,
    info: ScenarioInfo,
    control: &Control,
    prepared: &Prepared<'_, F>,
) -> Result<Results, RunError>
where
    F: for<'p> Fn(&'p Plan) -> Box<dyn Simulate + 'p> + Sync,
{
    let variants = jobs
        .par_iter()
        .zip(layouts)
        .zip(kept)
        .enumerate()
        .map(|(number, ((job, layout), kept))| {
            kept.settle();
            // A seed that ran once runs again: without its timeline only if it doesn't.
            let window = if grid.is_some() { None } else { fold::window(&job.plan, kept) };
            let told = || {
                let window = window?;
                let seed = Seed { master: info.seed, replication: window.replication };
                prepared.at_hand(number).timeline(seed, window.from_s, window.to_s).ok()
            };
            let (timeline, (result, notes)) = rayon::join(told, || fold::variant(job, layout, kept));
            (VariantResult { timeline, ..result }, notes)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::fixture;
    use std::sync::atomic::AtomicU64;

    /// Loses as much as the seed's number and the variant say; fails from a seed on.
    struct Fake<'p> {
        plan: &'p Plan,
        fails_from: u64,
    }

    impl Simulate for Fake<'_> {
        fn prepare(&mut self) {}

        fn another<'a>(&self) -> Box<dyn Simulate + 'a>
        where
            Self: 'a,
        {
            Box::new(Fake { plan: self.plan, fails_from: self.fails_from })
        }

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
        Control { progress: &|_, _| {}, stop, shelf: None }
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
    fn a_variant_is_prepared_once() {
        let stop = AtomicBool::new(false);
        let seen = Mutex::new(Vec::new());
        let control =
            Control { progress: &|done, total| seen.lock().unwrap().push((done, total)), stop: &stop, shelf: None };
        let (results, built) = go(2, 50, u64::MAX, &control);
        assert_eq!(built, 2, "threads, and timelines, have copies");
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

    /// Knows how many seeds it, and those it is a copy of, have had. Its first seed ends when `threads` have begun.
    #[derive(Clone)]
    struct Learner {
        known: u64,
        own: u64,
        begun: Arc<AtomicU64>,
        threads: u64,
        /// The most that one knew without having had it.
        given: Arc<AtomicU64>,
    }

    impl Simulate for Learner {
        fn prepare(&mut self) {}

        fn another<'a>(&self) -> Box<dyn Simulate + 'a>
        where
            Self: 'a,
        {
            Box::new(Learner { own: 0, ..self.clone() })
        }

        fn run(&mut self, seed: Seed) -> Result<Observations, String> {
            if self.own == 0 {
                self.begun.fetch_add(1, Ordering::Relaxed);
                while self.begun.load(Ordering::Relaxed) < self.threads {
                    std::thread::yield_now();
                }
            }
            (self.known, self.own) = (self.known + 1, self.own + 1);
            self.given.fetch_max(self.known - self.own, Ordering::Relaxed);
            Ok(fixture::observations((seed.replication % 5) as f64))
        }

        fn timeline(&mut self, _: Seed, _: f64, _: f64) -> Result<Timeline, String> {
            Err("none".to_owned())
        }
    }

    /// Of two threads with one variant the second has a copy of what the first knows, as soon as that ends a seed.
    #[test]
    fn who_comes_to_help_is_given_what_is_known() {
        let stop = AtomicBool::new(false);
        for threads in [1, 2] {
            let (begun, given) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                run(&jobs()[..1], None, &tool(), info(2000), &quiet(&stop), &|_| {
                    let (begun, given, threads) = (begun.clone(), given.clone(), threads as u64);
                    Box::new(Learner { known: 0, own: 0, begun, threads, given })
                })
            })
            .unwrap();
            assert_eq!(given.load(Ordering::Relaxed) > 0, threads == 2);
        }
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
        let (result, _) = go(2, 10_000, u64::MAX, &Control { progress: &progress, stop: &stop, shelf: None });
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
