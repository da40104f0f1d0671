//! What has been solved before: inputs, solutions and whole slots of a cluster, kept by their keys.
//!
//! A memo belongs to one thread and one plan; that of another thread begins as a copy of what was prepared. It changes
//! speed and nothing else: what it returns is a pure function of the key, a miss inserts and then takes the hit's path,
//! and a seed adds up in the order of its own first visits, never by number in the memo. What quiet weeks need
//! (`orbit.rs`) comes first and is kept for good; the rest is forgotten from time to time, so memory doesn't grow with the
//! number of seeds.

use super::curves::{self, Curves};
use super::data::{Known, Meetings, Uses, Written};
use super::inputs::Inputs;
use super::intern::{Interner, Map};
use super::orbit::Orbits;
use super::outages::Workings;
use super::outcome::{Outcome, OutcomeId};
use super::shape::Shapes;
use super::solutions::{Solutions, Solved};
use super::solve::{at_most, solve};
use super::station::StationState;
use super::tally::Visited;
use super::views::Views;
use crate::base::SimTime;
use crate::plan::Plan;
use crate::scaling::deployment::Deployment;

/// Solutions that a memo keeps besides those of quiet weeks, before it forgets them between two seeds: some 20 MB. With
/// a quarter of them a seventh more has to be solved of a thousand seeds of ecommerce.
const MOST_SOLUTIONS: usize = 10_000;

/// The number of some inputs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct InputsId(pub(super) u32);
/// The number of a solution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct SolutionId(pub(super) u32);
/// The number of a cluster's pods at the boundary of two slots.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct PodsId(pub(super) u32);
/// The number of a transition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct TransitionId(pub(super) u32);

/// A whole slot of one cluster, under constant inputs.
#[derive(Clone, Debug, Default)]
pub(super) struct Transition {
    /// Time in each solution, in order: (seconds, nanoseconds from the slot's start at which it ends).
    pub(super) stays: Vec<(SolutionId, f64, u64)>,
    /// Integral of nodes, in node-seconds.
    pub(super) node_seconds: f64,
    /// Pods at the end.
    pub(super) pods: u32,
    /// Some solution isn't fine.
    pub(super) rough: bool,
    /// The transition of the next slot under the same inputs, once it is known.
    pub(super) next: Option<TransitionId>,
}

/// How many of each are kept for good.
#[derive(Clone, Default, Debug)]
struct Floor {
    inputs: usize,
    shapes: usize,
    solutions: usize,
    states: usize,
    outcomes: usize,
    curves: curves::Count,
    pods: usize,
    transitions: usize,
}

/// What has been solved before.
#[derive(Clone, Default, Debug)]
pub(super) struct Memo {
    inputs: Interner<Inputs>,
    shapes: Shapes,
    /// By inputs, slot and state.
    keys: Map<(InputsId, u32, u32), SolutionId>,
    /// Ready pods and levels of backlogs.
    states: Interner<Vec<u32>>,
    solutions: Solutions,
    outcomes: Vec<Outcome>,
    pub(super) curves: Curves,
    meetings: Meetings,
    written: Written,
    pub(super) views: Views,
    pods: Interner<Vec<Deployment>>,
    transition_keys: Map<(InputsId, u32, PodsId), TransitionId>,
    transitions: Vec<Transition>,
    state: Vec<u32>,
    uses: Uses,
    /// Memory for when autoscalers are due.
    pub(super) due: Vec<SimTime>,
    /// What each cluster does while nothing happens.
    pub(super) orbits: Orbits,
    /// What was there once the orbits were found: kept for good.
    floor: Floor,
    settled: bool,
    /// Handed from seed to seed.
    pub(super) visited: Visited,
    pub(super) outages: Workings,
}

impl Memo {
    /// The orbits were looked for.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// All that is known now is kept for good.
    pub(super) fn settle(&mut self, orbits: Orbits) {
        self.settled = true;
        self.orbits = orbits;
        self.floor = Floor {
            inputs: self.inputs.len(),
            shapes: self.shapes.len(),
            solutions: self.solutions.len(),
            states: self.states.len(),
            outcomes: self.outcomes.len(),
            curves: self.curves.count(),
            pods: self.pods.len(),
            transitions: self.transitions.len(),
        };
    }

    /// Forgets what isn't kept for good once there is too much of it. Only between two seeds.
    pub(super) fn trim(&mut self) {
        if self.solutions.len() - self.floor.solutions > MOST_SOLUTIONS {
            self.forget();
        }
    }

    /// Forgets what isn't kept for good.
    pub(super) fn forget(&mut self) {
        let floor = &self.floor;
        self.inputs.truncate(floor.inputs);
        self.shapes.truncate(floor.shapes, floor.inputs);
        self.pods.truncate(floor.pods);
        self.keys.retain(|_, id| (id.0 as usize) < floor.solutions);
        self.states.truncate(floor.states);
        self.solutions.truncate(floor.solutions);
        self.outcomes.truncate(floor.outcomes);
        self.transition_keys.retain(|_, id| (id.0 as usize) < floor.transitions);
        self.transitions.truncate(floor.transitions);
        for transition in &mut self.transitions {
            transition.next.take_if(|next| next.0 as usize >= floor.transitions);
        }
        self.curves.truncate(floor.curves);
        self.meetings.forget();
        self.views.forget();
    }

    pub(super) fn inputs_id(&mut self, inputs: &Inputs) -> InputsId {
        InputsId(self.inputs.of(inputs))
    }

    pub(super) fn inputs(&self, id: InputsId) -> &Inputs {
        self.inputs.get(id.0)
    }

    pub(super) fn pods_id(&mut self, pods: &Vec<Deployment>) -> PodsId {
        PodsId(self.pods.of(pods))
    }

    pub(super) fn pods(&self, id: PodsId) -> &[Deployment] {
        self.pods.get(id.0)
    }

    /// The solution of these inputs in this slot with these ready pods.
    pub(super) fn solution_id(
        &mut self,
        plan: &Plan,
        inputs: InputsId,
        slot: usize,
        ready: impl Iterator<Item = u32>,
        backlog: &[u32],
    ) -> SolutionId {
        let mut state = core::mem::take(&mut self.state);
        state.clear();
        state.extend(ready);
        state.extend(backlog);
        // Where nobody comes every slot is the same.
        let given = self.inputs.get(inputs.0);
        let slot = if given.flows.is_empty() && given.outside.is_empty() { 0 } else { slot };
        let key = (inputs, slot as u32, self.states.of(&state));
        let id = if let Some(&id) = self.keys.get(&key) {
            id
        } else {
            let shape = self.shapes.of(plan, inputs.0, given, &mut self.outcomes, &mut self.curves);
            let mut known = Known {
                curves: &mut self.curves,
                meetings: &mut self.meetings,
                views: &mut self.views,
                written: &mut self.written,
                uses: &mut self.uses,
            };
            let solution = solve(plan, given, shape, slot, &state, &mut self.outcomes, &mut known);
            let id = self.solutions.keep(inputs, &solution);
            self.uses = solution.uses;
            self.keys.insert(key, id);
            id
        };
        self.state = state;
        id
    }

    /// The stations of these inputs at their greatest shares, if nobody waits there.
    pub(super) fn at_most(
        &mut self,
        plan: &Plan,
        inputs: InputsId,
        slot: usize,
        ready: &[u32],
    ) -> Option<Vec<StationState>> {
        let given = self.inputs.get(inputs.0);
        let shape = self.shapes.of(plan, inputs.0, given, &mut self.outcomes, &mut self.curves);
        at_most(plan, given, shape, slot, ready)
    }

    pub(super) fn solution(&self, id: SolutionId) -> Solved<'_> {
        self.solutions.get(id)
    }

    /// What becomes of requests in a solution, and how many come a second.
    pub(super) fn rates(&self, id: SolutionId) -> (OutcomeId, &[f64]) {
        (self.solutions.outcome(id), self.solutions.rates(id))
    }

    /// A backlog begins in a solution.
    pub(super) fn grows(&self, id: SolutionId) -> bool {
        self.solutions.grows(id)
    }

    /// What each station does in a solution.
    pub(super) fn stations(&self, id: SolutionId) -> &[StationState] {
        self.solutions.stations(id)
    }

    pub(super) fn outcome(&self, id: OutcomeId) -> &Outcome {
        &self.outcomes[id.0 as usize]
    }

    /// What becomes of requests in a solution.
    pub(super) fn outcome_of(&self, id: SolutionId) -> &Outcome {
        self.outcome(self.solutions.outcome(id))
    }

    pub(super) fn inputs_of(&self, id: SolutionId) -> &Inputs {
        self.inputs(self.solutions.inputs(id))
    }

    pub(super) fn solutions(&self) -> usize {
        self.solutions.len()
    }

    pub(super) fn transitions(&self) -> usize {
        self.transitions.len()
    }

    pub(super) fn find_transition(&self, key: (InputsId, u32, PodsId)) -> Option<TransitionId> {
        self.transition_keys.get(&key).copied()
    }

    pub(super) fn add_transition(&mut self, key: (InputsId, u32, PodsId), transition: Transition) -> TransitionId {
        let id = TransitionId(self.transitions.len() as u32);
        self.transitions.push(transition);
        self.transition_keys.insert(key, id);
        id
    }

    pub(super) fn transition(&self, id: TransitionId) -> &Transition {
        &self.transitions[id.0 as usize]
    }

    pub(super) fn link(&mut self, from: TransitionId, to: TransitionId) {
        self.transitions[from.0 as usize].next = Some(to);
    }
}
