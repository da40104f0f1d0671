//! Layer 6: one seed, from its plan to what it observed. The world runs on events; what lies between them is solved by
//! the flow engine or simulated by the requests engine (`drive`).

mod backlog;
mod convolved;
mod curves;
mod data;
mod drive;
mod fixed_point;
mod index;
mod inputs;
mod intern;
mod log;
mod lookups;
mod memo;
mod moves;
mod observe;
mod orbit;
mod outages;
mod outcome;
mod remote;
mod requests;
mod shape;
mod shed;
mod solutions;
mod solve;
mod station;
mod step;
mod story;
mod sums;
mod tally;
mod timeline;
mod tries;
mod unit;
mod views;
mod world;

use crate::base::{Id, Seed, SimTime, Span};
use crate::domain::story::Story;
use crate::domain::timeline::Timeline;
use crate::domain::traced::TracedRequest;
use crate::domain::{Cluster, Observations};
use crate::plan::Plan;
pub use convolved::Convolved;
use drive::Drive;
use index::Index;
use log::Log;
use memo::Memo;
use requests::Tables;
use std::sync::Arc;
use tally::Rough;
use world::World;

/// Most events in one seed: a guard against a scenario that would never end.
pub const MOST_EVENTS: u64 = 200_000_000;

/// Weeks that a run has at least for the weekly orbits to be worth finding: finding them takes three.
const LEAST_WEEKS: u64 = 6;

/// Every stay of each cluster.
type Stays = Vec<(Id<Cluster>, Rough)>;

/// Why a seed could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// More events than [`MOST_EVENTS`].
    #[error(
        "more than {MOST_EVENTS} events in one seed, by {at} of {horizon}: make faults rarer or the horizon shorter"
    )]
    TooManyEvents {
        /// Simulated time when it was given up.
        at: Span,
        /// The whole horizon.
        horizon: Span,
    },
}

/// Runs seeds of one plan, one at a time. Keeps what it has solved, so each thread has its own: a clone of one that was
/// prepared, which shares what takes longest to find ([`Convolved`]).
#[derive(Clone, Debug)]
pub struct Simulator<'p> {
    plan: &'p Plan,
    index: Arc<Index>,
    memo: Memo,
    tables: Tables,
    one_by_one: bool,
}

impl<'p> Simulator<'p> {
    /// A simulator with nothing solved yet.
    pub fn new(plan: &'p Plan) -> Self {
        Self::sharing(plan, &Convolved::default())
    }

    /// The same, with curves in common with simulators of other plans.
    pub fn sharing(plan: &'p Plan, convolved: &Convolved) -> Self {
        let mut memo = Memo::default();
        memo.curves.convolved = convolved.clone();
        Self { plan, index: Arc::new(Index::new(plan)), memo, tables: Tables::default(), one_by_one: false }
    }

    /// Runs one seed over the warm-up and the horizon.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn run(&mut self, seed: Seed) -> Result<Observations, SimError> {
        self.prepare();
        let plan = self.plan;
        let end = SimTime::ZERO + plan.warm_up + plan.horizon;
        let mut drive = self.drive(seed, end);
        let counts = drive.run(None)?;
        Ok(observe::all(plan, drive.world, counts, seed, end))
    }

    /// Runs one seed as [`Simulator::run`] does, and tells what happened in it.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn explain(&mut self, seed: Seed) -> Result<Story, SimError> {
        self.prepare();
        let plan = self.plan;
        let end = SimTime::ZERO + plan.warm_up + plan.horizon;
        let mut drive = self.drive(seed, end);
        drive.world.log.story = Some(Vec::new());
        let counts = drive.run(None)?;
        let mut losing = Vec::new();
        let look =
            &mut |memo: &Memo, rough: &[_], minutes: Option<&_>| losing = story::losing(plan, memo, rough, minutes);
        let (seen, mut log) = observe::with_losses(plan, drive.world, counts, seed, end, look);
        let (happenings, held) = story::told(plan, &mut log, &seen, end);
        Ok(Story { seen, happenings, held, losing })
    }

    /// Finds the weekly orbits, if there are weeks to skip; once they are known, forgets what became too much. The first
    /// seed begins with it.
    pub fn prepare(&mut self) {
        let plan = self.plan;
        let weeks = (plan.warm_up + plan.horizon).nanos() / Span::WEEK.nanos();
        let whole = plan.requests.as_ref().is_some_and(|requests| requests.windows.is_none());
        if whole || weeks < LEAST_WEEKS || self.memo.is_settled() {
            self.memo.trim();
            return;
        }
        // Whatever seed it is, the orbits are the same for all, so that all add up in the same order.
        let seed = Seed { master: 0, replication: 0 };
        let orbits = World::new(plan, &self.index, &mut self.memo, seed, false, false).find_orbits();
        self.memo.settle(orbits);
    }

    fn drive(&mut self, seed: Seed, end: SimTime) -> Drive<'_, '_> {
        let whole = self.plan.requests.as_ref().is_some_and(|requests| requests.windows.is_none());
        let world = World::new(self.plan, &self.index, &mut self.memo, seed, whole, false);
        Drive::new(self.plan, seed, world, (&mut self.tables, self.one_by_one), end)
    }

    /// Runs one seed again and tells what happened between two times, in seconds from the start of the horizon. Whatever
    /// simulated the users then, their success is that of rates.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, SimError> {
        let (trace, log) = self.traced(seed, to_s)?;
        Ok(timeline::draw(self.plan, &self.memo, &trace, &log, seed.replication as u32, (from_s, to_s)))
    }

    /// The same of several windows, in one go.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn timelines(&mut self, seed: Seed, windows: &[(f64, f64)]) -> Result<Vec<Timeline>, SimError> {
        let (trace, log) = self.traced(seed, windows.iter().map(|window| window.1).fold(0.0, f64::max))?;
        let draw = |&window: &_| timeline::draw(self.plan, &self.memo, &trace, &log, seed.replication as u32, window);
        Ok(windows.iter().map(draw).collect())
    }

    /// Every stay until a time, in seconds from the start of the horizon, and what the world wrote down.
    fn traced(&mut self, seed: Seed, to_s: f64) -> Result<(Stays, Log), SimError> {
        let origin = SimTime::ZERO + self.plan.warm_up;
        let end = (origin + Span::from_secs(to_s)).min(origin + self.plan.horizon);
        let world = World::new(self.plan, &self.index, &mut self.memo, seed, false, true);
        let mut drive = Drive::new(self.plan, seed, world, (&mut self.tables, self.one_by_one), end);
        drive.by_rates()?;
        let mut world = drive.world;
        Ok((world.tally.traced(), core::mem::take(&mut world.log)))
    }

    /// Runs one seed again and gives its first requests that end, at most `most`, in the order in which they end; of a
    /// windowed run those of its windows.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn trace(&mut self, seed: Seed, most: usize) -> Result<Vec<TracedRequest>, SimError> {
        let end = SimTime::ZERO + self.plan.warm_up + self.plan.horizon;
        let counts = self.drive(seed, end).run(Some(most))?;
        Ok(counts.map_or_else(Vec::new, |mut counts| counts.traced()))
    }

    /// Lets requests go one by one from now on, where others go many at a time: slower, and all that they do is the same.
    pub fn go_one_by_one(&mut self) {
        self.one_by_one = true;
    }

    /// Forgets what it has solved, but for quiet weeks. Only the next seeds' speed depends on it.
    pub fn forget(&mut self) {
        self.memo.forget();
    }

    /// How many solutions and transitions the memo holds.
    pub fn memo_size(&self) -> (usize, usize) {
        (self.memo.solutions(), self.memo.transitions())
    }
}
