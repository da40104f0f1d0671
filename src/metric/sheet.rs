//! The values of one seed, each put beside its name: what a metric is of and what it is worth come from one
//! place and can't get out of step.

use super::key::{Dims, Metric};
use crate::base::Id;
use crate::domain::{Cluster, Journey, Population, Root, Service, Stage, Store};
use crate::plan::Plan;

/// What a value is of, in the plan's ids.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Of {
    pub(super) population: Option<Id<Population>>,
    pub(super) journey: Option<Id<Journey>>,
    pub(super) cluster: Option<Id<Cluster>>,
    pub(super) service: Option<Id<Service>>,
    pub(super) store: Option<Id<Store>>,
    pub(super) stage: Option<Stage>,
    pub(super) root: Option<Id<Root>>,
    /// From 1.
    pub(super) month: Option<u32>,
}

impl Of {
    /// Of everything.
    pub(super) const ALL: Self = Self {
        population: None,
        journey: None,
        cluster: None,
        service: None,
        store: None,
        stage: None,
        root: None,
        month: None,
    };

    pub(super) fn population(id: Id<Population>) -> Self {
        Self { population: Some(id), ..Self::ALL }
    }

    pub(super) fn journey(id: Id<Journey>) -> Self {
        Self { journey: Some(id), ..Self::ALL }
    }

    pub(super) fn cluster(id: Id<Cluster>) -> Self {
        Self { cluster: Some(id), ..Self::ALL }
    }

    pub(super) fn store(id: Id<Store>) -> Self {
        Self { store: Some(id), ..Self::ALL }
    }

    /// Whether what is of this population and journey is part of it.
    pub(super) fn holds(&self, population: Id<Population>, journey: Id<Journey>) -> bool {
        self.population.is_none_or(|id| id == population) && self.journey.is_none_or(|id| id == journey)
    }

    /// The same by name.
    pub(super) fn dims(&self, plan: &Plan) -> Dims {
        Dims {
            population: self.population.map(|id| plan.populations[id].name.clone()),
            journey: self.journey.map(|id| plan.journeys[id].name.clone()),
            cluster: self.cluster.map(|id| plan.clusters[id].name.clone()),
            service: self.service.map(|id| plan.services[id].name.clone()),
            store: self.store.map(|id| plan.stores[id].name.clone()),
            stage: self.stage,
            root: self.root.map(|id| plan.roots[id].label()),
            month: self.month,
        }
    }
}

/// What collects values.
pub(super) struct Sheet {
    /// The names, unless they are known.
    pub(super) entries: Option<Vec<(&'static Metric, Of)>>,
    pub(super) values: Vec<Option<f64>>,
}

impl Sheet {
    /// One that collects the names, too.
    pub(super) fn of_names() -> Self {
        Self { entries: Some(Vec::new()), values: Vec::new() }
    }

    /// One of so many values, whose names are known. Debug builds look whether they are the same.
    pub(super) fn of_values(count: usize) -> Self {
        Self { entries: cfg!(debug_assertions).then(Vec::new), values: Vec::with_capacity(count) }
    }

    /// Adds a value; `None` where there is none. Which names are added must depend on the plan alone.
    ///
    /// # Panics
    /// If the value is not finite.
    pub(super) fn put(&mut self, metric: &'static Metric, of: Of, value: Option<f64>) {
        assert!(value.is_none_or(f64::is_finite), "{} of {of:?} is {value:?}", metric.name);
        if let Some(entries) = &mut self.entries {
            entries.push((metric, of));
        }
        self.values.push(value);
    }
}

/// A share or a mean: `None` of nothing.
pub(super) fn per(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The mean of these, `None` of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    per(sum, f64::from(n))
}
