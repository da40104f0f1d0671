//! What a cluster is given, ready to be looked up for each request.

use crate::base::{Id, SimTime, Table};
use crate::domain::{Cluster, Population};
use crate::plan::Plan;
use crate::sim::inputs::{Condition, Flow, Inputs};
use crate::sim::lookups::Hits;
use crate::sim::unit::slot_at;

/// What a cluster is given now, ready to be looked up.
#[derive(Debug)]
pub(super) struct View<'p> {
    pub(super) inputs: Inputs,
    /// What the cluster's caches answer in a slot.
    pub(super) hits: (usize, Hits<'p>),
    /// The interval over which its shares move.
    pub(super) span: (SimTime, SimTime),
    /// Conditions by station.
    pub(super) conditions: Vec<Condition>,
    /// Position of the flow by population: of the current answer, of an old one.
    pub(super) flows: Table<Population, [Option<u32>; 2]>,
}

/// A cluster that users of a population are routed to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) cluster: Id<Cluster>,
    pub(super) flow: u32,
}

impl<'p> View<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        now: SimTime,
        inputs: &Inputs,
        span: (SimTime, SimTime),
        stations: usize,
    ) -> Self {
        let mut conditions = vec![Condition::good(); stations];
        for (position, condition) in &inputs.stations {
            conditions[*position as usize] = *condition;
        }
        let mut flows: Table<Population, [Option<u32>; 2]> = vec![[None; 2]; plan.populations.len()].into();
        for (position, flow) in inputs.flows.iter().enumerate() {
            flows[flow.population][usize::from(!flow.current)] = Some(position as u32);
        }
        let (slot, _) = slot_at(plan, now);
        let hits = (slot, Hits::expected(plan, inputs, slot));
        Self { inputs: inputs.clone(), hits, span, conditions, flows }
    }

    /// The flow of a population; that of the other answer once its own has gone.
    pub(super) fn flow(&self, population: Id<Population>, current: bool) -> Option<&Flow> {
        let [now, old] = self.flows[population];
        let position = if current { now.or(old) } else { old.or(now) };
        position.map(|position| &self.inputs.flows[position as usize])
    }
}
