//! Load makes sheds and late answers, those make retries, and retries make load: a fixed point.
//!
//! It is iterated from no retries upwards, so of several it finds the least: a storm doesn't begin by chance. What
//! keeps one going is the backlog, which is part of what is given.

use super::lookups::Lookup;
use super::shed::shed;
use super::station::{Server, StationState};
use crate::base::Id;
use crate::domain::{Root, Stage};
use crate::plan::JourneyPlan;
use crate::replication::cache::Reads;
use crate::traffic::queueing;
use std::borrow::Cow;

/// Most rounds; without retries it takes as many as a path has stations.
const ROUNDS: usize = 400;
/// Rounds after which it is damped.
const UNDAMPED: usize = 40;

/// A hop of a try, and what makes it fail.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) fails: f64,
    pub(super) stage: Stage,
    pub(super) root: Id<Root>,
    /// The station that sheds here, if it is a station's queue.
    pub(super) station: Option<usize>,
    /// Calls that go on from here for each one that doesn't fail: what a backlog holds back or lets go.
    pub(super) passes_on: f64,
    /// Of the tries that get so far, those that come to this hop: all, or those that miss a cache. What fails here is
    /// a share of the former.
    pub(super) share: f64,
}

impl Hop {
    pub(super) fn new(fails: f64, stage: Stage, root: Id<Root>, station: Option<usize>) -> Self {
        Self { fails, stage, root, station, passes_on: 1.0, share: 1.0 }
    }

    /// Of the tries that get so far, those that go on, with what a backlog holds back or lets go of them.
    pub(super) fn goes_on(&self) -> f64 {
        (1.0 - self.share) + (self.share - self.fails) * self.passes_on
    }
}

/// A call of a station.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The hop before which it is reached.
    pub(super) before: usize,
    pub(super) station: usize,
    /// Of the tries that get so far, those that call it.
    pub(super) share: f64,
    /// Only those that miss a cache do.
    pub(super) missed: bool,
}

/// What a try does: its hops, the stations that it calls, the caches that it reads.
#[derive(Default)]
pub(super) struct Path<'a> {
    pub(super) hops: Vec<Hop>,
    pub(super) calls: Cow<'a, [Call]>,
    pub(super) lookups: Vec<Lookup>,
}

/// A journey of a flow while it is being solved.
pub(super) struct Walk<'a> {
    pub(super) journey: &'a JourneyPlan,
    pub(super) rate: f64,
    pub(super) hops: Vec<Hop>,
    pub(super) calls: Cow<'a, [Call]>,
    lookups: Vec<Lookup>,
    pub(super) tries: f64,
    /// Seconds that it waits in backlogs.
    pub(super) delay: f64,
    /// Share of the tries that come back in time if nobody waits but for backlogs.
    at_best: f64,
    /// Share of the tries that come back in time.
    pub(super) in_time: f64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(journey: &'a JourneyPlan, rate: f64, path: Path<'a>) -> Self {
        let Path { hops, calls, lookups } = path;
        Self { journey, rate, hops, calls, lookups, tries: 1.0, delay: 0.0, at_best: 1.0, in_time: 1.0 }
    }

    /// What comes too late makes more load, or keeps clients from sending any.
    pub(super) fn minds_the_late(&self) -> bool {
        self.journey.retries() > 0 || self.journey.breaker.is_some()
    }

    /// Of its tries such a share comes back in time if nobody waits.
    pub(super) fn comes_back(&mut self, share: f64) {
        if self.minds_the_late() {
            (self.at_best, self.in_time) = (share, share);
        }
    }

    /// Makes as many tries as it takes, by what fails them now.
    pub(super) fn tries_again(&mut self) {
        self.tries = self.outcome(1.0 - self.passes() * self.in_time).1;
    }

    /// Share of the tries that no hop fails.
    pub(super) fn passes(&self) -> f64 {
        pass(&self.hops)
    }

    /// By read of a cache, in the order of the path: of those that come back, the share that hit.
    pub(super) fn hits(&self) -> Vec<f64> {
        self.lookups.iter().map(|lookup| lookup.answered(pass(&self.hops[lookup.hops.clone()])).1).collect()
    }

    /// Adds its reads to those of the caches.
    pub(super) fn look_up(&self, reads: &mut [Reads]) {
        for lookup in &self.lookups {
            let (fetched, _) = lookup.answered(pass(&self.hops[lookup.hops.clone()]));
            let reached = self.rate * self.tries * pass(&self.hops[..lookup.hops.start]);
            if let Some(reads) = reads.get_mut(lookup.entry) {
                reads.all += reached;
                reads.filling += reached * fetched;
            }
        }
    }

    /// Success probability and tries per request, if a try fails with this probability.
    pub(super) fn outcome(&self, fails: f64) -> (f64, f64) {
        let (success, tries) = queueing::retries_within(fails, self.journey.retries(), self.journey.budget);
        match self.journey.breaker {
            // What opens it is what doesn't depend on how many are sent: dead parts, and answers that come too late.
            Some((opens_at, probes)) if 1.0 - self.standing() >= opens_at => (success * probes, tries * probes),
            Some(_) | None => (success, tries),
        }
    }

    /// Share of tries that get past all that isn't a queue's shedding.
    fn standing(&self) -> f64 {
        let steady = self.hops.iter().filter(|hop| hop.station.is_none());
        self.at_best * steady.map(|hop| 1.0 - hop.fails).product::<f64>()
    }

    /// Calls `visit` with each station that it calls and the calls per second that it makes there.
    pub(super) fn visit(&self, mut visit: impl FnMut(usize, f64)) {
        let mut reached = self.rate * self.tries;
        let mut next = 0;
        for (position, hop) in self.hops.iter().enumerate() {
            while next < self.calls.len() && self.calls[next].before <= position {
                visit(self.calls[next].station, reached * self.calls[next].share);
                next += 1;
            }
            reached *= hop.goes_on();
        }
        for call in &self.calls[next..] {
            visit(call.station, reached * call.share);
        }
    }
}

/// Share of the tries that none of these hops fails.
fn pass(hops: &[Hop]) -> f64 {
    hops.iter().map(|hop| 1.0 - hop.fails).product()
}

/// The stations' states and the walks' tries, from what the walks have now, until nothing moves. `state` is a station's
/// state under a load.
fn settle(stations: usize, walks: &mut [Walk<'_>], state: impl Fn(usize, f64) -> StationState) -> Vec<StationState> {
    let mut states: Vec<StationState> = Vec::with_capacity(stations);
    let (mut arrivals, mut before) = (vec![0.0; stations], vec![0.0; stations]);
    for round in 0..ROUNDS {
        arrivals.fill(0.0);
        for walk in walks.iter() {
            walk.visit(|station, calls| arrivals[station] += calls);
        }
        if round >= UNDAMPED {
            for (now, then) in arrivals.iter_mut().zip(&before) {
                *now = 0.5 * (*now + then);
            }
        }
        let moved = arrivals.iter().zip(&before).any(|(now, then)| (now - then).abs() > 1e-13 * now.abs());
        if round > 0 && !moved {
            break;
        }
        states.clear();
        states.extend(arrivals.iter().enumerate().map(|(station, &arrivals)| state(station, arrivals)));
        shed(walks, &states, &arrivals);
        for walk in walks.iter_mut() {
            walk.tries_again();
        }
        core::mem::swap(&mut before, &mut arrivals);
    }
    states
}

/// The stations' states where a backlog decides what is late, and which of them are behind: that is found out before
/// chance makes anything wait or be shed.
pub(super) fn fluid(servers: &[Server<'_>], walks: &mut [Walk<'_>]) -> Vec<StationState> {
    if !servers.iter().any(Server::may_be_behind) {
        return vec![StationState::default(); servers.len()];
    }
    settle(servers.len(), walks, |station, arrivals| {
        let server = &servers[station];
        if server.is_behind(arrivals) { server.behind(arrivals) } else { server.steady(arrivals, false) }
    })
}

/// The stations' states with the waits and sheds of chance, where these are behind.
pub(super) fn with_chance(servers: &[Server<'_>], fluid: &[StationState], walks: &mut [Walk<'_>]) -> Vec<StationState> {
    settle(servers.len(), walks, |station, arrivals| {
        let server = &servers[station];
        if fluid[station].behind { server.behind(arrivals) } else { server.steady(arrivals, true) }
    })
}
