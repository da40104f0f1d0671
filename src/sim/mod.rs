//! Layer 6: one seed, from its plan to what it observed. The world runs on events; the flow engine solves what lies
//! between them.

mod backlog;
mod curves;
mod data;
mod fixed_point;
mod index;
mod inputs;
mod intern;
mod log;
mod lookups;
mod memo;
mod outages;
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
use crate::domain::observation::Resync;
use crate::domain::rollout::{Revision, RolloutTally, Why};
use crate::domain::timeline::Timeline;
use crate::domain::traced::TracedRequest;
use crate::plan::Plan;
use index::Index;
use log::Log;
use memo::Memo;
use requests::Traffic;
use world::{Change, Told, World};

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
        if let Some(scale) = self.plan.requests {
            let mut traffic = Traffic::new(self.plan, &self.index, seed, scale);
            let last = drive_requests(self.plan, &mut world, &mut traffic, end)?;
            return Ok(observe_requests(self.plan, world, traffic, seed, end, &last));
        }
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

    /// Runs one seed again and gives its first requests that end, at most `most`, in the order in which they end.
    ///
    /// # Errors
    /// If it takes more events than a run may have.
    pub fn trace(&mut self, seed: Seed, most: usize) -> Result<Vec<TracedRequest>, SimError> {
        let end = SimTime::ZERO + self.plan.warm_up + self.plan.horizon;
        let mut world = World::new(self.plan, &self.index, &mut self.memo, seed, false);
        let mut traffic = Traffic::new(self.plan, &self.index, seed, self.plan.requests.unwrap_or(1.0));
        traffic.trace(most);
        drive_requests(self.plan, &mut world, &mut traffic, end)?;
        Ok(traffic.traced())
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

/// Lets events and requests happen until `end`. Gives the last states of the stations: pods asked for, pods ready,
/// utilisation since the last month began.
fn drive_requests(
    plan: &Plan,
    world: &mut World<'_>,
    traffic: &mut Traffic<'_>,
    end: SimTime,
) -> Result<Vec<Vec<(u32, u32)>>, SimError> {
    let origin = SimTime::ZERO + plan.warm_up;
    let (mut now, mut month_began, mut warm) = (SimTime::ZERO, origin, plan.warm_up.is_zero());
    let mut told = Told::default();
    let mut node_seconds = vec![0.0; plan.clusters.len()];
    world.tell(now, traffic, &mut told);
    loop {
        let boundary = if warm { (month_began + Span::MONTH).min(end) } else { origin };
        let event = world.events.next_time().unwrap_or(SimTime::NEVER);
        let pods = world.pods_due(now);
        let next = event.min(pods).min(boundary);
        for (seconds, nodes) in node_seconds.iter_mut().zip(world.nodes()) {
            *seconds += f64::from(nodes) * (next - now).secs();
        }
        traffic.run_until(next);
        world.wrote(traffic.written());
        now = next;
        if traffic.has_traced() {
            return Ok(world.pods());
        }
        if world.events.processed() + traffic.processed() >= MOST_EVENTS * 100 {
            return Err(SimError::TooManyEvents { at: now.since(origin), horizon: plan.horizon });
        }
        if event == next && event < boundary {
            if let Some((at, event)) = world.events.pop() {
                world.handle(at, event);
            }
        } else if pods == next && pods < boundary {
            world.pass_pods(now, traffic);
        } else if warm {
            let hours = node_seconds.iter().map(|seconds| seconds / 3600.0).collect();
            traffic.close_month(now, hours);
            node_seconds.fill(0.0);
            month_began = boundary;
            if boundary == end {
                let last = world.pods();
                traffic.drain(end);
                return Ok(last);
            }
        } else {
            traffic.restart(now);
            node_seconds.fill(0.0);
            warm = true;
            if end == origin {
                return Ok(world.pods());
            }
        }
        world.tell(now, traffic, &mut told);
    }
}

/// What a finished seed of requests observed.
fn observe_requests(
    plan: &Plan,
    mut world: World<'_>,
    traffic: Traffic<'_>,
    seed: Seed,
    end: SimTime,
    last: &[Vec<(u32, u32)>],
) -> Observations {
    let processed = world.events.processed() + traffic.processed();
    let mut observations = Observations { replication: seed.replication, events: processed, ..Observations::default() };
    let log = core::mem::take(&mut world.log);
    told(plan, &log, end, &mut observations);
    released(plan, world.take_releases(), end, &mut observations);
    let mut clients = seed.stream().with(outages::CLIENT).rng();
    traffic.observe(plan, &log, &mut clients, &mut observations);
    for (tallies, last) in observations.stations.iter_mut().zip(last) {
        for (tally, &(total, ready)) in tallies.iter_mut().zip(last) {
            tally.last = (total, ready, tally.last.2);
        }
    }
    observations
}

/// What the world wrote down: promotions and faults.
fn told(plan: &Plan, log: &Log, end: SimTime, observations: &mut Observations) {
    let origin = SimTime::ZERO + plan.warm_up;
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
    let since = plan.warm_up.secs();
    let resyncs = log.resyncs.iter().filter(|resync| resync.at >= since);
    observations.resyncs = resyncs.map(|resync| Resync { at: resync.at - since, ..*resync }).collect();
    observations.faults = vec![(0, 0.0); plan.roots.len()];
    for held in &log.held {
        let (count, seconds) = &mut observations.faults[held.root.index()];
        *count += u64::from(held.from >= origin && (held.from > SimTime::ZERO || origin > SimTime::ZERO));
        *seconds += held.to.min(end).since(held.from.max(origin)).secs();
    }
}

/// What became of releases, and what each cluster ran when.
fn released(plan: &Plan, (tally, trail): (RolloutTally, Vec<Change>), end: SimTime, observations: &mut Observations) {
    observations.rollouts = tally;
    if plan.rollout.releases.is_empty() && plan.rollout.drifts.is_empty() {
        return;
    }
    let origin = SimTime::ZERO + plan.warm_up;
    for cluster in plan.clusters.keys() {
        let mut runs = Revision { cluster, revision: 0, from: 0.0, to: 0.0, why: Why::Start };
        for change in trail.iter().filter(|change| change.cluster == cluster && change.at < end) {
            let at = change.at.since(origin).secs();
            let revision = change.revision.unwrap_or(runs.revision);
            // Steps of one conversion are one row.
            if (revision, change.why) == (runs.revision, runs.why) {
                continue;
            }
            if at > runs.from {
                observations.revisions.push(Revision { to: at, ..runs });
            }
            runs = Revision { revision, from: at, why: change.why, ..runs };
        }
        observations.revisions.push(Revision { to: end.since(origin).secs(), ..runs });
    }
}

/// What a finished seed observed.
fn observe(plan: &Plan, mut world: World<'_>, seed: Seed, end: SimTime) -> Observations {
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
    told(plan, &log, end, &mut observations);
    released(plan, world.take_releases(), end, &mut observations);
    let World { tally, memo, .. } = world;
    tally.finish(plan, memo, &mut observations);
    for (tallies, last) in observations.stations.iter_mut().zip(last) {
        for (tally, last) in tallies.iter_mut().zip(last) {
            tally.last = last;
        }
    }
    observations
}
