//! Lets one seed happen: the world's events one after another, and between them rates or requests, each in its time.
//!
//! In a windowed run rates stop where a window begins and go on where it ends. Requests come for [`LEAD`] before, beside
//! the rates and without being counted, so that they find queues, retries and breakers as they would be. A request
//! counts where it begins: what is under way at the end of a window is followed to its own end, and what waits then
//! waits before those who come by rates.

use super::requests::{Counts, Opening, Tables, Traffic};
use super::world::{Told, World};
use super::{MOST_EVENTS, SimError};
use crate::base::stream::digest;
use crate::base::{Seed, SimTime, Span};
use crate::plan::Plan;

/// How long requests come before they count.
const LEAD: Span = Span::from_whole_secs(60);
/// The streams of a window's requests: with when it begins, so that one is as it is whatever others there are.
const WINDOW: u64 = digest("window of requests");

/// One seed on its way.
pub(super) struct Drive<'p, 'w> {
    plan: &'p Plan,
    seed: Seed,
    pub(super) world: World<'w>,
    /// What requests draw from.
    tables: &'w mut Tables,
    one_by_one: bool,
    /// The horizon's end, or the moment up to which somebody looks.
    end: SimTime,
    month_began: SimTime,
    warm: bool,
    /// Of this month and by cluster, while there were requests.
    node_seconds: Vec<f64>,
}

/// Whom a month's end, or the warm-up's, concerns beside the rates.
enum Who<'t, 'p> {
    Nobody,
    /// What requests counted before.
    Counts(&'t mut Counts),
    /// Requests that are under way.
    Traffic(&'t mut Traffic<'p>),
}

impl<'p, 'w> Drive<'p, 'w> {
    /// Requests go one by one, if they are to.
    pub(super) fn new(
        plan: &'p Plan,
        seed: Seed,
        world: World<'w>,
        (tables, one_by_one): (&'w mut Tables, bool),
        end: SimTime,
    ) -> Self {
        Self {
            plan,
            seed,
            world,
            tables,
            one_by_one,
            end,
            month_began: SimTime::ZERO + plan.warm_up,
            warm: plan.warm_up.is_zero(),
            node_seconds: vec![0.0; plan.clusters.len()],
        }
    }

    fn origin(&self) -> SimTime {
        SimTime::ZERO + self.plan.warm_up
    }

    /// The end of the warm-up, of the month, or of the run. What is due at a boundary happens before the boundary is
    /// drawn, but for the end of the run.
    fn boundary(&self) -> SimTime {
        if self.warm { (self.month_began + Span::MONTH).min(self.end) } else { self.origin() }
    }

    /// A boundary is reached. True at the end of the run.
    fn pass_boundary(&mut self, at: SimTime, who: &mut Who<'_, '_>) -> bool {
        if !self.warm {
            self.world.tally.restart(self.plan);
            if let Who::Traffic(traffic) = who {
                traffic.restart(at);
            }
            self.node_seconds.fill(0.0);
            self.warm = true;
            return self.end == self.origin();
        }
        let hours = self.node_seconds.iter().map(|seconds| seconds / 3600.0).collect();
        match who {
            Who::Nobody => {}
            Who::Counts(counts) => counts.close_month(self.plan, at, hours),
            Who::Traffic(traffic) => {
                // Who is on the way at the end counts in the month that ends.
                if at == self.end {
                    traffic.drain(at);
                }
                traffic.close_month(at, hours);
            }
        }
        self.node_seconds.fill(0.0);
        self.world.tally.close_month((at - self.month_began).secs(), self.plan, self.world.memo);
        self.month_began = at;
        at == self.end
    }

    fn too_many(&self, at: SimTime) -> SimError {
        SimError::TooManyEvents { at: at.since(self.origin()), horizon: self.plan.horizon }
    }

    /// Runs the seed, by whichever engine it is at a time. Gives what requests counted, if any were simulated; they are
    /// all that end, or the first `traced` of them.
    pub(super) fn run(&mut self, traced: Option<usize>) -> Result<Option<Counts>, SimError> {
        let Some(requests) = &self.plan.requests else {
            self.rates(self.end, &mut Who::Nobody)?;
            return Ok(None);
        };
        let mut counts = Counts::new(self.plan, requests.scale);
        if let Some(most) = traced {
            counts.trace(most);
        }
        let Some(windows) = &requests.windows else {
            let opening = Opening { from: SimTime::ZERO, stream: self.seed.stream() };
            let mut traffic = self.traffic(opening, requests.scale, counts);
            let mut told = Told::default();
            self.world.tell(SimTime::ZERO, &mut traffic, &mut told);
            self.requests((SimTime::ZERO, self.end), &mut traffic, &mut told, true)?;
            return Ok(Some(traffic.into_counts()));
        };
        let mut done = SimTime::ZERO;
        for &(from, to) in windows {
            let (from, to) = (self.origin() + from, (self.origin() + to).min(self.end));
            if from >= to {
                break;
            }
            counts = self.window((from, to), done, requests.scale, counts)?;
            if counts.has_traced() {
                return Ok(Some(counts));
            }
            done = to;
        }
        if done < self.end {
            self.rates(self.end, &mut Who::Counts(&mut counts))?;
        }
        Ok(Some(counts))
    }

    fn traffic(&mut self, opening: Opening, scale: f64, counts: Counts) -> Traffic<'p> {
        let mut traffic = Traffic::new(self.plan, opening, scale, counts, self.tables);
        if self.one_by_one {
            traffic.go_one_by_one();
        }
        traffic
    }

    /// Runs the seed by rates alone, whatever its plan says.
    pub(super) fn by_rates(&mut self) -> Result<(), SimError> {
        self.rates(self.end, &mut Who::Nobody)
    }

    /// Rates until a window begins, and requests until it ends.
    fn window(
        &mut self,
        (from, to): (SimTime, SimTime),
        done: SimTime,
        scale: f64,
        mut counts: Counts,
    ) -> Result<Counts, SimError> {
        let lead = SimTime::from_nanos(from.nanos().saturating_sub(LEAD.nanos())).max(done);
        if lead > done {
            self.rates(lead, &mut Who::Counts(&mut counts))?;
        }
        let stream = self.seed.stream().with(WINDOW).with(from.nanos());
        let opening = Opening { from: lead, stream };
        let mut traffic = self.traffic(opening, scale, counts);
        let mut told = Told::default();
        self.world.tell(lead, &mut traffic, &mut told);
        self.world.crowd(lead, &mut traffic);
        traffic.counts.since(from);
        self.requests((lead, from), &mut traffic, &mut told, false)?;
        traffic.restart(from);
        self.world.switch(from, true);
        self.world.tell(from, &mut traffic, &mut told);
        self.requests((from, to), &mut traffic, &mut told, true)?;
        if to < self.end {
            self.world.take_back(to, &traffic);
            traffic.drain(to);
        }
        self.world.switch(to, false);
        Ok(traffic.into_counts())
    }

    /// Lets events happen until `to`, and rates between them.
    fn rates(&mut self, to: SimTime, who: &mut Who<'_, '_>) -> Result<(), SimError> {
        loop {
            let boundary = self.boundary();
            match self.world.events.next_time() {
                Some(at) if at < boundary.min(to) => {
                    if self.world.events.processed() >= MOST_EVENTS {
                        return Err(self.too_many(at));
                    }
                    if let Some((now, event)) = self.world.events.pop() {
                        self.world.handle(now, event);
                    }
                }
                Some(_) | None => {
                    self.world.catch_up(boundary.min(to));
                    if boundary > to || self.pass_boundary(boundary, who) || boundary == to {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Lets events and requests happen between two times. Requests that don't count yet come beside the rates, which do.
    fn requests(
        &mut self,
        (from, to): (SimTime, SimTime),
        traffic: &mut Traffic<'p>,
        told: &mut Told,
        counting: bool,
    ) -> Result<(), SimError> {
        let mut now = from;
        while now < to && !traffic.counts.has_traced() {
            let boundary = self.boundary();
            let event = self.world.events.next_time().unwrap_or(SimTime::NEVER);
            let pods = self.world.pods_due(now);
            let next = event.min(pods).min(boundary).min(to);
            traffic.run_until(next);
            if counting {
                for (seconds, nodes) in self.node_seconds.iter_mut().zip(self.world.nodes()) {
                    *seconds += f64::from(nodes) * (next - now).secs();
                }
                self.world.wrote(traffic.written());
            } else {
                traffic.written().fill((0.0, 0.0));
            }
            now = next;
            if self.world.events.processed() + traffic.processed() >= MOST_EVENTS * 100 {
                return Err(self.too_many(now));
            }
            if event == next && event < boundary.min(to) {
                if let Some((at, event)) = self.world.events.pop() {
                    self.world.handle(at, event);
                }
            } else if counting && pods == next && pods < boundary {
                self.world.pass_pods(now, traffic);
            }
            if !counting {
                self.world.catch_up(now);
            }
            if next == boundary && self.pass_boundary(boundary, &mut Who::Traffic(traffic)) {
                return Ok(());
            }
            self.world.tell(now, traffic, told);
        }
        Ok(())
    }
}
