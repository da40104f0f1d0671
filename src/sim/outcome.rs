//! What becomes of each of a cluster's requests: the share that succeeds, how long those take, where the others are lost,
//! what is moved.
//!
//! Numbers of users aren't part of it. Where nobody waits for a server the numbers change nothing else, so all such
//! solutions of one shape have the same outcome, and what a seed adds up is added up by outcome.

use super::curves::{CurveId, Curves};
use super::fixed_point::Walk;
use super::inputs::Inputs;
use super::moves::{Moves, bytes};
use super::shape::Part;
use super::shed::losses;
use super::tries;
use crate::base::Id;
use crate::domain::observation::Month;
use crate::domain::{Cluster, Journey, Population, Root, Stage};
use crate::plan::Plan;

/// One journey of one flow.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) population: Id<Population>,
    pub(super) journey: Id<Journey>,
    /// Position of the flow.
    pub(super) flow: usize,
    /// Share of the requests that succeed.
    pub(super) success: f64,
    /// Where its latency begins and ends in [`Outcome::latency`].
    latency: (u32, u32),
    /// By read of a cache, in the order of the path: of those that come back, the share that hit.
    pub(super) hits: Vec<f64>,
    /// Bytes that a good request sends to the internet.
    egress: f64,
    /// What a good request moves.
    moves: Moves,
}

/// Requests lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) cell: usize,
    pub(super) stage: Stage,
    pub(super) root: Id<Root>,
    /// Share of the cell's requests.
    pub(super) share: f64,
}

/// What becomes of each request.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) cluster: Id<Cluster>,
    pub(super) cells: Vec<Cell>,
    /// Latency of the good requests, cell by cell: curve, delay before it, share of the cell's good ones.
    latency: Vec<(CurveId, f64, f64)>,
    pub(super) losses: Vec<Lost>,
    /// No cell loses enough to matter to an outage: under 1e-4.
    pub(super) fine: bool,
}

impl Outcome {
    pub(super) fn new(cluster: Id<Cluster>, cells: usize) -> Self {
        Self {
            cluster,
            cells: Vec::with_capacity(cells),
            latency: Vec::with_capacity(cells),
            losses: Vec::new(),
            fine: true,
        }
    }

    /// Adds a cell: what becomes of a walk of a part whose tries follow this curve, or of which none gets through. What is
    /// late is so in this stage, for this cause.
    pub(super) fn add(
        &mut self,
        plan: &Plan,
        inputs: &Inputs,
        (walk, part): (&Walk<'_>, &Part),
        curve: Option<CurveId>,
        late: (Stage, Id<Root>),
        curves: &mut Curves,
    ) {
        let passes = walk.passes();
        let begins = self.latency.len() as u32;
        let mut in_time = 1.0;
        if let Some(curve) = curve {
            in_time = curves.get(curve).1.share();
            let round_trip = plan.populations[part.population].rtt[inputs.cluster];
            tries::latency(walk, (passes, in_time), round_trip, curve, curves, &mut self.latency);
        }
        let (success, _) = walk.outcome(1.0 - passes * in_time);
        self.fine &= success >= 1.0 - 1e-4;
        losses(walk, self.cells.len(), (success, in_time), late, &mut self.losses);
        let hits = walk.hits();
        let moves = if let Some(fixed) = &part.fixed {
            fixed.moves.clone()
        } else {
            let mut moves = Moves::default();
            bytes(plan, inputs, part.flow, walk.journey, 1.0, &hits, &mut moves);
            moves
        };
        let &Part { population, journey, flow, .. } = part;
        let latency = (begins, self.latency.len() as u32);
        let egress = walk.journey.response;
        self.cells.push(Cell { population, journey, flow, success, latency, hits, egress, moves });
    }

    /// Latency of the good requests of a cell: curve, delay before it in seconds, share of them.
    pub(super) fn latency_of(&self, cell: &Cell) -> &[(CurveId, f64, f64)] {
        &self.latency[cell.latency.0 as usize..cell.latency.1 as usize]
    }

    /// Adds what is billed by the month for so many requests of each cell.
    pub(super) fn bill(&self, requests: &[f64], journeys: usize, month: &mut Month) {
        for (cell, &requests) in self.cells.iter().zip(requests) {
            let position = cell.position(journeys);
            let good = requests * cell.success;
            month.offered[position] += requests;
            month.good[position] += good;
            if good == 0.0 {
                continue;
            }
            month.egress[self.cluster.index()] += cell.egress * good;
            cell.moves.bill(self.cluster, good, month);
        }
    }
}

impl Cell {
    /// Among the cells of all populations, that many for each.
    pub(super) fn position(&self, journeys: usize) -> usize {
        self.population.index() * journeys + self.journey.index()
    }
}

/// What a month is billed for at one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Amounts {
    /// Position of a cell, its requests, and those that were good.
    served: Vec<(usize, f64, f64)>,
    egress: f64,
    moves: Moves,
}

impl Amounts {
    /// Adds so many seconds of these rates of each cell.
    pub(super) fn add(&mut self, outcome: &Outcome, rates: &[f64], journeys: usize, seconds: f64) {
        for (cell, rate) in outcome.cells.iter().zip(rates) {
            let (position, requests) = (cell.position(journeys), rate * seconds);
            let good = requests * cell.success;
            match self.served.iter_mut().find(|entry| entry.0 == position) {
                Some(entry) => (entry.1, entry.2) = (entry.1 + requests, entry.2 + good),
                None => self.served.push((position, requests, good)),
            }
            if good != 0.0 {
                self.egress += cell.egress * good;
                self.moves.add(&cell.moves, good);
            }
        }
    }

    /// Adds them to a month so many times.
    pub(super) fn bill(&self, cluster: Id<Cluster>, times: f64, month: &mut Month) {
        for &(position, offered, good) in &self.served {
            month.offered[position] += offered * times;
            month.good[position] += good * times;
        }
        month.egress[cluster.index()] += self.egress * times;
        self.moves.bill(cluster, times, month);
    }
}

/// Requests by outcome and cell, in the order in which outcomes first came.
#[derive(Clone, Default, Debug)]
pub(super) struct Requests {
    of: Vec<Vec<f64>>,
    order: Vec<u32>,
}

impl Requests {
    /// Adds so many seconds of these rates.
    pub(super) fn add(&mut self, OutcomeId(number): OutcomeId, rates: &[f64], seconds: f64) {
        if rates.is_empty() {
            return;
        }
        let position = number as usize;
        if position >= self.of.len() {
            self.of.resize_with(position + 1, Vec::new);
        }
        let own = &mut self.of[position];
        if own.is_empty() {
            self.order.push(number);
            own.resize(rates.len(), 0.0);
        }
        for (sum, rate) in own.iter_mut().zip(rates) {
            *sum += rate * seconds;
        }
    }

    /// Takes out everything.
    pub(super) fn drain(&mut self, mut visit: impl FnMut(OutcomeId, &[f64])) {
        for number in self.order.drain(..) {
            let own = &mut self.of[number as usize];
            visit(OutcomeId(number), own);
            own.clear();
        }
    }
}

/// The number of an outcome.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct OutcomeId(pub(super) u32);
