//! Layer 6: one seed, from its plan to what it observed. The world runs on events; the flow engine solves what lies
//! between them.

mod backlog;
mod curves;
mod data;
mod index;
mod inputs;
mod intern;
mod log;
mod lookups;
mod memo;
mod outages;
mod solve;
mod tally;
mod timeline;
mod unit;
mod world;

use crate::base::{Seed, SimTime, Span};
use crate::domain::Observations;
use crate::domain::timeline::Timeline;
use crate::plan::Plan;
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
        let end = SimTime::ZERO + self.plan.warm_up + self.plan.horizon;
        let mut world = World::new(self.plan, &self.index, &mut self.memo, seed, false);
        drive(self.plan, &mut world, end)?;
        Ok(observe(self.plan, world, seed, end))
    }

    /// Runs one seed again and tells what happened between two times, in seconds from the start of the horizon.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn timeline(&mut self, seed: Seed, from_s: f64, to_s: f64) -> Result<Timeline, SimError> {
        let origin = SimTime::ZERO + self.plan.warm_up;
        let end = (origin + Span::from_secs(to_s)).min(origin + self.plan.horizon);
        let mut world = World::new(self.plan, &self.index, &mut self.memo, seed, true);
        drive(self.plan, &mut world, end)?;
        let trace = world.tally.traced();
        let log = core::mem::take(&mut world.log);
        let number = seed.replication as u32;
        Ok(timeline::draw(self.plan, world.memo, &trace, &log, number, (from_s, to_s)))
    }

    /// How many solutions and transitions the memo holds.
    pub fn memo_size(&self) -> (usize, usize) {
        (self.memo.solutions(), self.memo.transitions())
    }
}

/// Lets events happen until `end`, closing a month every 730 hours of the horizon.
fn drive(plan: &Plan, world: &mut World<'_>, end: SimTime) -> Result<(), SimError> {
    let origin = SimTime::ZERO + plan.warm_up;
    let mut month_began = origin;
    let mut warm = plan.warm_up.is_zero();
    loop {
        // What is due at a boundary happens before the boundary is drawn, but for the end of the run.
        let boundary = if warm { (month_began + Span::MONTH).min(end) } else { origin };
        match world.events.next_time() {
            Some(at) if at < boundary => {
                if world.events.processed() >= MOST_EVENTS {
                    let at = at.since(origin);
                    return Err(SimError::TooManyEvents { at, horizon: plan.horizon });
                }
                if let Some((now, event)) = world.events.pop() {
                    world.handle(now, event);
                }
            }
            Some(_) | None => {
                world.catch_up(boundary);
                if warm {
                    world.tally.close_month((boundary - month_began).secs(), plan, world.memo);
                    month_began = boundary;
                    if boundary == end {
                        return Ok(());
                    }
                } else {
                    world.tally.restart(plan);
                    warm = true;
                    if end == origin {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// What a finished seed observed.
fn observe(plan: &Plan, mut world: World<'_>, seed: Seed, end: SimTime) -> Observations {
    let origin = SimTime::ZERO + plan.warm_up;
    let mut observations =
        Observations { replication: seed.replication, events: world.events.processed(), ..Observations::default() };
    let last = world.last_states(end);
    let rough = core::mem::take(&mut world.tally.rough);
    let log = core::mem::take(&mut world.log);
    let mut clients = seed.stream().with(outages::CLIENT).rng();
    let outages = outages::find(plan, world.memo, &rough, &log, &mut clients);
    observations.outages = outages.outages;
    observations.below = outages.below;
    observations.any_below = outages.any_below;
    observations.promotions = log
        .promotions
        .iter()
        .map(|promotion| {
            let mut promotion = *promotion;
            promotion.at -= plan.warm_up.secs();
            promotion
        })
        .filter(|promotion| promotion.at >= 0.0)
        .collect();
    observations.faults = vec![(0, 0.0); plan.roots.len()];
    for held in &log.held {
        let (count, seconds) = &mut observations.faults[held.root.index()];
        *count += u64::from(held.from >= origin && (held.from > SimTime::ZERO || origin > SimTime::ZERO));
        *seconds += held.to.min(end).since(held.from.max(origin)).secs();
    }
    let World { tally, memo, .. } = world;
    tally.finish(plan, memo, &mut observations);
    for (tallies, last) in observations.stations.iter_mut().zip(last) {
        for (tally, last) in tallies.iter_mut().zip(last) {
            tally.last = last;
        }
    }
    observations
}
