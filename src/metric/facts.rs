//! One seed's observations, added up once for every topic.

use super::sheet::Of;
use crate::base::Span;
use crate::domain::Observations;
use crate::domain::observation::{DataTally, Month, StationTally, StoreTally};
use crate::plan::Plan;

/// What is reported on together: everything, one population, one journey, or one cell of both.
pub(super) struct Group {
    pub(super) of: Of,
    pub(super) cells: Vec<usize>,
}

impl Group {
    /// The sum over its cells.
    pub(super) fn sum(&self, by_cell: &[f64]) -> f64 {
        self.cells.iter().map(|&cell| by_cell[cell]).sum()
    }
}

/// The groups of a plan: all, populations, journeys, cells that have requests.
pub(super) fn groups(plan: &Plan) -> Vec<Group> {
    let cell = |population: usize, journey: usize| population * plan.journeys.len() + journey;
    let journeys = || plan.journeys.keys();
    let populations = || plan.populations.keys();
    let all = Group { of: Of::ALL, cells: (0..populations().len() * journeys().len()).collect() };
    let by_population = populations().map(|population| Group {
        of: Of::population(population),
        cells: journeys().map(|journey| cell(population.index(), journey.index())).collect(),
    });
    let by_journey = journeys().map(|journey| Group {
        of: Of::journey(journey),
        cells: populations().map(|population| cell(population.index(), journey.index())).collect(),
    });
    let by_cell = populations().flat_map(|population| {
        journeys()
            .filter(move |&journey| {
                plan.populations[population].rate > 0.0 && plan.populations[population].shares[journey] > 0.0
            })
            .map(move |journey| Group {
                of: Of { population: Some(population), ..Of::journey(journey) },
                cells: vec![cell(population.index(), journey.index())],
            })
    });
    core::iter::once(all).chain(by_population).chain(by_journey).chain(by_cell).collect()
}

/// Billing months of a horizon, the last one perhaps short.
pub(super) fn months(plan: &Plan) -> usize {
    plan.horizon.nanos().div_ceil(Span::MONTH.nanos()) as usize
}

/// Observations in which nothing happened: they give a plan's names.
pub(super) fn nothing(plan: &Plan) -> Observations {
    let cells = plan.populations.len() * plan.journeys.len();
    Observations {
        months: vec![Month::empty(cells, plan.clusters.len()); months(plan)],
        below: vec![0.0; cells],
        stations: plan.clusters.iter().map(|cluster| vec![StationTally::default(); cluster.stations.len()]).collect(),
        faults: vec![(0, 0.0); plan.roots.len()],
        violations: vec![0.0; plan.populations.len()],
        data: vec![vec![DataTally::default(); plan.journeys.len()]; plan.stores.len()],
        stores: vec![StoreTally::default(); plan.stores.len()],
        ..Observations::default()
    }
}

/// One seed, added up.
pub(super) struct Facts<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seen: &'a Observations,
    pub(super) groups: &'a [Group],
    /// Seconds that were observed.
    pub(super) seconds: f64,
    /// Requests by cell.
    pub(super) offered: Vec<f64>,
    /// Good requests by cell.
    pub(super) good: Vec<f64>,
    /// Requests lost by cell, counted one by one: not what is left of offered less good.
    pub(super) lost: Vec<f64>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(plan: &'a Plan, groups: &'a [Group], seen: &'a Observations) -> Self {
        let journeys = plan.journeys.len();
        let cells = plan.populations.len() * journeys;
        let mut facts = Self {
            plan,
            seen,
            groups,
            seconds: seen.months.iter().map(|month| month.seconds).sum(),
            offered: vec![0.0; cells],
            good: vec![0.0; cells],
            lost: vec![0.0; cells],
        };
        for month in &seen.months {
            add(&mut facts.offered, &month.offered);
            add(&mut facts.good, &month.good);
        }
        for loss in &seen.losses {
            facts.lost[loss.population.index() * journeys + loss.journey.index()] += loss.requests;
        }
        facts
    }

    /// Everything.
    pub(super) fn all(&self) -> &Group {
        &self.groups[0]
    }
}

fn add(sums: &mut [f64], values: &[f64]) {
    assert_eq!(sums.len(), values.len(), "a month has a value for each cell");
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// Good over offered; rounding may not lift it above 1.
pub(super) fn availability(good: f64, offered: f64) -> Option<f64> {
    assert!(good <= offered * (1.0 + 1e-6), "{good} good requests of {offered}");
    super::sheet::per(good, offered).map(|share| share.min(1.0))
}
