//! What a run writes down as it happens, for outages, recoveries and timelines.

use crate::base::{Id, SimTime};
use crate::domain::observation::{Promotion, Resync};
use crate::domain::story::What;
use crate::domain::{Cluster, Population, Root};

/// A division of a population over clusters.
pub(super) type Answer = Vec<(Id<Cluster>, f64)>;

/// One fault's hold on its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) root: Id<Root>,
    pub(super) from: SimTime,
    pub(super) to: SimTime,
}

/// What a controller did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// A cluster, or a copy in it, was marked down.
    Detected(Id<Cluster>),
    /// It was decided to fail over from a cluster.
    Decided(Id<Cluster>),
    /// What a cluster had is promoted elsewhere.
    Promoted(Id<Cluster>),
    /// A cluster was marked up.
    Recovered(Id<Cluster>),
    /// A cluster has taken back what was its own.
    FailedBack(Id<Cluster>),
}

impl Deed {
    /// The cluster that it was about.
    pub(super) const fn cluster(self) -> Id<Cluster> {
        match self {
            Self::Detected(cluster)
            | Self::Decided(cluster)
            | Self::Promoted(cluster)
            | Self::Recovered(cluster)
            | Self::FailedBack(cluster) => cluster,
        }
    }
}

/// Something that happened, and its cause.
pub(super) type Noted = (SimTime, Option<Id<Root>>, What);

/// What a run writes down.
#[derive(Clone, Default, Debug)]
pub(super) struct Log {
    pub(super) held: Vec<Held>,
    pub(super) deeds: Vec<(SimTime, Deed)>,
    /// Answers given, by population, each from its time on.
    pub(super) answers: Vec<Vec<(SimTime, Answer)>>,
    pub(super) promotions: Vec<Promotion>,
    pub(super) resyncs: Vec<Resync>,
    /// Everything that happened, with its cause, if somebody wants to know.
    pub(super) story: Option<Vec<Noted>>,
}

impl Log {
    /// Something happened, for that cause. Costs nothing unless somebody wants to know.
    pub(super) fn note(&mut self, at: SimTime, root: impl Into<Option<Id<Root>>>, what: impl FnOnce() -> What) {
        if let Some(story) = &mut self.story {
            story.push((at, root.into(), what()));
        }
    }

    /// The answer that a population was given at a time.
    pub(super) fn answer_at(&self, population: Id<Population>, at: SimTime) -> &[(Id<Cluster>, f64)] {
        let answers = &self.answers[population.index()];
        let after = answers.partition_point(|(from, _)| *from <= at);
        &answers[after.max(1) - 1].1
    }
}
