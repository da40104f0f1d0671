//! What a seed observes of releases and drift.

use super::Cluster;
use crate::base::Id;
use serde::{Deserialize, Serialize};

/// What became of the releases of one seed.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RolloutTally {
    /// Commits that went out.
    pub commits: u64,
    /// Rollouts that began.
    pub rollouts: u64,
    /// Commits that were bad.
    pub bad: u64,
    /// Of commits that came to every cluster: seconds from the commit until then, and how many.
    pub lead: (f64, u64),
    /// Of rollouts that nothing stopped: seconds until the last wave had been watched, and how many.
    pub duration: (f64, u64),
    /// The largest share of all users on a bad release.
    pub peak: f64,
    /// Integral of the share of all users on a bad release, in seconds.
    pub exposed: f64,
    /// Times that a cluster took over from one that was marked down.
    #[serde(default)]
    pub takeovers: u64,
    /// Of those where it ran an older revision: seconds that the other one had run a later one, and how many.
    #[serde(default)]
    pub stale: (f64, u64),
}

/// Why a cluster runs what it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It ran it at the beginning.
    Start,
    /// Some of its instances got a release.
    Canary,
    /// A release.
    Release,
    /// A bad release was taken back.
    RollBack,
    /// A bad release was mended.
    Fix,
    /// Somebody changed it by hand.
    Drift,
    /// Its controller took a manual change back.
    SelfHeal,
    /// Somebody noticed a manual change and took it back.
    Noticed,
}

impl Why {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Canary => "canary",
            Self::Release => "release",
            Self::RollBack => "roll-back",
            Self::Fix => "fix",
            Self::Drift => "drift",
            Self::SelfHeal => "self-heal",
            Self::Noticed => "noticed",
        }
    }
}

/// What a cluster ran for a while; times in seconds from the start of the horizon.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Revision {
    /// The cluster.
    pub cluster: Id<Cluster>,
    /// The revision: rollouts and fixes are counted from 1.
    pub revision: u64,
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// Why.
    pub why: Why,
}
