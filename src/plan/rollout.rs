//! Releases, rollouts and drift, compiled.

use super::Hit;
use crate::base::{Id, Span};
use crate::dist::Dist;
use crate::domain::{Cluster, Root};
use crate::failure::spec::EffectSpec;
use crate::rollout::schedule::Timing;
use crate::rollout::spec::{Detect, GitopsSpec, Harm, LeftBy, OnBad};
use serde::{Deserialize, Serialize};

/// Everything about releases and drift.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RolloutPlan {
    /// Releases.
    pub releases: Vec<ReleasePlan>,
    /// Manual changes, one by one for each cluster.
    pub drifts: Vec<DriftPlan>,
    /// Clusters that get a release together, wave after wave.
    pub waves: Vec<Vec<Id<Cluster>>>,
    /// How long the parts of a wave take.
    pub timing: Timing,
    /// What is done about a bad one.
    pub on_bad: OnBad,
    /// The share of all users that synthetic requests to a cluster count as.
    pub synthetic: f64,
    /// Times in which no rollout begins, from time 0: (begin, end).
    pub freezes: Vec<(Span, Span)>,
    /// The controllers.
    pub gitops: Option<GitopsSpec>,
}

impl RolloutPlan {
    /// A root of a bad release.
    pub fn is_release(&self, root: Id<Root>) -> bool {
        self.releases.iter().any(|release| release.members.iter().any(|(_, hit)| hit.root == root))
    }

    /// A root of a manual change.
    pub fn is_drift(&self, root: Id<Root>) -> bool {
        self.drifts.iter().any(|drift| drift.hit.root == root)
    }
}

/// A stream of releases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReleasePlan {
    /// Digest of its name, for streams.
    pub digest: u64,
    /// Time between two commits.
    pub every: Option<Dist>,
    /// When its one commit comes, from time 0.
    pub at: Option<Span>,
    /// The chance that one is bad.
    pub bad: f64,
    /// Where a bad one shows.
    pub members: Vec<(Id<Cluster>, Hit)>,
    /// What a bad one does.
    pub harm: Harm,
    /// From when an instance has it until it shows.
    pub incubation: Dist,
    /// When it is noticed.
    pub detect: Detect,
    /// What it may leave behind.
    pub orphan: Option<OrphanPlan>,
}

/// What a release may leave behind in each cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrphanPlan {
    /// What leaves it behind.
    pub left_by: LeftBy,
    /// The chance that there is one; 0 where controllers prune.
    pub chance: f64,
    /// Where it hits, and as which root.
    pub members: Vec<(Id<Cluster>, Hit)>,
    /// What it does.
    pub effect: EffectSpec,
    /// How long until somebody notices.
    pub noticed: Dist,
}

impl ReleasePlan {
    /// The first of its roots; all of them have its name.
    pub fn root(&self) -> Option<Id<Root>> {
        self.members.first().map(|(_, hit)| hit.root)
    }
}

/// A manual change to one cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DriftPlan {
    /// The cluster.
    pub cluster: Id<Cluster>,
    /// Where it hits, and as which root.
    pub hit: Hit,
    /// Time between two.
    pub every: Option<Dist>,
    /// When the one comes, from time 0.
    pub at: Option<Span>,
    /// What it does.
    pub effect: EffectSpec,
    /// How long until somebody notices.
    pub noticed: Dist,
}
