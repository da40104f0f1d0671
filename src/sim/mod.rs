//! Layer 6: one seed, from its plan to what it observed. The world runs on events; what lies between them is solved by
//! the flow engine or simulated by the requests engine (`drive`).

mod backlog;
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
mod observe;
mod outages;
mod remote;
mod requests;
mod shed;
mod solve;
mod station;
mod step;
mod tally;
mod timeline;
mod tries;
mod unit;
mod views;
mod world;

use crate::base::{Seed, SimTime, Span};
use crate::domain::Observations;
use crate::domain::timeline::Timeline;
use crate::domain::traced::TracedRequest;
use crate::plan::Plan;
use drive::Drive;
use index::Index;
use memo::Memo;
use world::World;

/// Most events in one seed: a guard against a scenario that would never end.
pub const MOST_EVENTS: u64 = 200_000_000;

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

/// Runs seeds of one plan, one at a time. Keeps what it has solved, so each thread has its own.
#[derive(Debug)]
pub struct Simulator<'p> {
    plan: &'p Plan,
    index: Index,
    memo: Memo,
}

impl<'p> Simulator<'p> {
    /// A simulator with nothing solved yet.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, index: Index::new(plan), memo: Memo::default() }
    }

    /// Runs one seed over the warm-up and the horizon.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn run(&mut self, seed: Seed) -> Result<Observations, SimError> {
        self.memo.trim();
        let plan = self.plan;
        let end = SimTime::ZERO + plan.warm_up + plan.horizon;
        let mut drive = self.drive(seed, end);
        let counts = drive.run(None)?;
        Ok(observe::all(plan, drive.world, counts, seed, end))
    }

    fn drive(&mut self, seed: Seed, end: SimTime) -> Drive<'_, '_> {
        let whole = self.plan.requests.as_ref().is_some_and(|requests| requests.windows.is_none());
        let world = World::new(self.plan, &self.index, &mut self.memo, seed, whole, false);
        Drive::new(self.plan, &self.index, seed, world, end)
    }

    /// Runs one seed again and tells what happened between two times, in seconds from the start of the horizon. Whatever
    /// simulated the users then, their success is that of rates.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, SimError> {
        let origin = SimTime::ZERO + self.plan.warm_up;
        let end = (origin + Span::from_secs(to_s)).min(origin + self.plan.horizon);
        let world = World::new(self.plan, &self.index, &mut self.memo, seed, false, true);
        let mut drive = Drive::new(self.plan, &self.index, seed, world, end);
        drive.by_rates()?;
        let mut world = drive.world;
        let trace = world.tally.traced();
        let log = core::mem::take(&mut world.log);
        let number = seed.replication as u32;
        Ok(timeline::draw(self.plan, world.memo, &trace, &log, number, (from_s, to_s)))
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

    /// How many solutions and transitions the memo holds.
    pub fn memo_size(&self) -> (usize, usize) {
        (self.memo.solutions(), self.memo.transitions())
    }
}
