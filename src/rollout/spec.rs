//! What a scenario says of releases, of the waves that they go out in, of `GitOps` and of drift.

use crate::base::{Probability, Span};
use crate::dist::Dist;
use crate::domain::{Degraded, Selection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stream of releases, or one at a set time. Each goes out to all clusters, in the order of `[rollout]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReleaseSpec {
    /// The release's name: its random draws belong to it, and what it loses is reported under it.
    pub name: String,
    /// Time between two commits that are to go out.
    #[serde(default)]
    pub every: Option<Dist>,
    /// When the one commit comes, from the start of the horizon.
    #[serde(default)]
    pub at: Option<Span>,
    /// The chance that a release is a bad one: one draw, shared by all clusters. That of `management` where it is left
    /// out, or 0.05 (assumed; the change failure rate of your own teams is better).
    #[serde(default)]
    pub bad: Option<Probability>,
    /// The service that a bad one spoils; each cluster as a whole where it is left out.
    #[serde(default)]
    pub service: Option<String>,
    /// What a bad one does where all instances have it; of fewer, their share of it.
    #[serde(default = "default_effect")]
    pub effect: Harm,
    /// From when an instance has a bad release until it shows.
    #[serde(default = "at_once")]
    pub incubation: Dist,
    /// When it is noticed.
    #[serde(default)]
    pub detect: Detect,
    /// What stays in a cluster though the repository no longer has it, where nothing prunes, and hurts.
    #[serde(default)]
    pub orphan: Option<OrphanSpec>,
}

/// An object that the repository no longer has, and that stays in each cluster until somebody removes it there by hand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OrphanSpec {
    /// What leaves it behind.
    #[serde(default)]
    pub left_by: LeftBy,
    /// The chance that there is one and that it hurts: one draw for a release, shared by all clusters.
    #[serde(default = "surely")]
    pub chance: Probability,
    /// What it does.
    #[serde(default = "default_effect")]
    pub effect: Harm,
    /// How long until somebody notices, in each cluster.
    #[serde(default = "default_noticed")]
    pub noticed: Dist,
}

impl OrphanSpec {
    /// What the orphans of a release are reported under.
    pub fn name_of(release: &str) -> String {
        format!("{release} left behind")
    }
}

/// What leaves an orphan behind, in each cluster as it gets there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeftBy {
    /// Rolling it back: what it had added is no longer wanted.
    #[default]
    RollBack,
    /// The release itself: it takes something out of the repository.
    Release,
}

fn surely() -> Probability {
    Probability::ONE
}

fn default_effect() -> Harm {
    // The failing build of "Canarying Releases" in Google's SRE workbook: a fifth of its requests fail.
    let errors = Probability::new(0.2).unwrap_or(Probability::ZERO);
    Harm::Degraded(Degraded { errors, latency: 1.0, capacity: 1.0, seen_by_shallow_checks: Probability::ZERO })
}
fn at_once() -> Dist {
    Dist::constant(Span::ZERO)
}

/// What a bad change does to a cluster, or to a service in it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// What has it refuses connections. Shallow checks see a cluster that crashes as a whole.
    Crash {},
    /// It answers, badly.
    Degraded(Degraded),
}

impl Harm {
    /// The same of a share of the instances that isn't all of them: crashed ones fail the requests that they get, a time
    /// and a capacity are means.
    #[must_use]
    pub fn of_share(self, share: f64) -> Self {
        let mean = |factor: f64| 1.0 + (factor - 1.0) * share;
        let errors = |errors: f64| Probability::new((errors * share).clamp(0.0, 1.0)).unwrap_or(Probability::ZERO);
        match self {
            Self::Crash {} if share >= 1.0 => self,
            Self::Crash {} => Self::Degraded(Degraded {
                errors: errors(1.0),
                latency: 1.0,
                capacity: 1.0,
                seen_by_shallow_checks: Probability::ZERO,
            }),
            Self::Degraded(harm) => Self::Degraded(Degraded {
                errors: errors(harm.errors.get()),
                latency: mean(harm.latency),
                capacity: mean(harm.capacity),
                ..harm
            }),
        }
    }
}

/// When a bad release is noticed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detect {
    /// An alarm, this long after it first shows to anybody.
    After(Dist),
    /// Once it has been seen enough: this long where it shows to all users at once, twice as long where it shows to half
    /// of them. What shows to nobody isn't noticed.
    Exposure(Dist),
}

impl Default for Detect {
    fn default() -> Self {
        // Assumed: ten minutes in the mean if all users are on it.
        Self::Exposure(Dist::exponential(Span::from_whole_secs(600)))
    }
}

/// How a release goes from cluster to cluster.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RolloutSpec {
    /// Clusters that get it together, wave after wave; all clusters at once where it is left out.
    #[serde(default)]
    pub waves: Option<Vec<Vec<String>>>,
    /// How long each wave is watched before the next one, the last one too.
    #[serde(default)]
    pub bake: Span,
    /// How long the first wave is watched; as long as the others where it is left out.
    #[serde(default)]
    pub first_bake: Option<Span>,
    /// How long a cluster takes from its first instance, or from its canary, to its last: linear.
    #[serde(default)]
    pub deploy: Span,
    /// A few instances of each cluster get it first.
    #[serde(default)]
    pub canary: Option<CanarySpec>,
    /// What is done about a release that was found bad. The waves stop either way.
    #[serde(default)]
    pub on_bad: OnBad,
    /// The share of all users that synthetic requests to a cluster count as where it comes to noticing: without any, nobody
    /// notices a bad release in a cluster that has no users.
    #[serde(default)]
    pub synthetic: Probability,
    /// Times in which nothing goes out: no rollout begins, and the waves of one that is under way stand still. What is
    /// committed meanwhile goes out together afterwards.
    #[serde(default)]
    pub freeze: Vec<FreezeSpec>,
}

impl Default for RolloutSpec {
    fn default() -> Self {
        Self {
            waves: None,
            bake: Span::ZERO,
            first_bake: None,
            deploy: Span::ZERO,
            canary: None,
            on_bad: OnBad::default(),
            synthetic: Probability::ZERO,
            freeze: Vec::new(),
        }
    }
}

/// A few instances get it first.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CanarySpec {
    /// Their share of the cluster's requests.
    pub share: Probability,
    /// How long it takes until they have it.
    #[serde(default)]
    pub deploy: Span,
    /// How long they are watched before the others follow.
    #[serde(default)]
    pub bake: Span,
}

/// What is done about a bad release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnBad {
    /// The commit is reverted, which takes so long; then each cluster that has it reconciles to the revision before.
    /// What else was in it, and what came after, waits until all are back, and is released anew.
    RollBack(Dist),
    /// A fix is written, which takes so long; then each cluster that has the bad release gets the fix. If its waves had
    /// been stopped, all of it goes out anew, with the fix.
    RollForward(Dist),
}

impl Default for OnBad {
    fn default() -> Self {
        // Assumed: somebody reads the alarm, reverts and merges.
        Self::RollBack(Dist::constant(Span::from_whole_secs(600)))
    }
}

/// A time in which nothing goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FreezeSpec {
    /// When it begins, from the start of the horizon.
    pub from: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Span,
}

/// Controllers make clusters what the repository says; without them, changes are pushed and arrive at once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitopsSpec {
    /// Whether there is one controller for all clusters, or one in each.
    #[serde(default)]
    pub controller: Controller,
    /// How often a controller looks at the repository and at its cluster.
    #[serde(default = "default_poll")]
    pub poll: Span,
    /// Each interval is longer by up to this, evenly.
    #[serde(default = "default_jitter")]
    pub jitter: Span,
    /// When in its interval every controller looks, without jitter; drawn where it is left out.
    #[serde(default)]
    pub phase: Option<Span>,
    /// From when a controller sees a difference until the cluster is what the repository says.
    #[serde(default = "default_sync")]
    pub sync: Dist,
    /// Manual changes are reverted when the controller next looks. Argo CD's default is not to.
    #[serde(default)]
    pub self_heal: bool,
    /// What the repository no longer has is removed when the controller syncs; otherwise it stays: see `orphan` of
    /// releases. Argo CD's default is not to.
    #[serde(default)]
    pub prune: bool,
}

/// Where controllers run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// One for all clusters: while it is down, nothing is released, rolled back or healed anywhere.
    #[default]
    Central,
    /// One in each cluster: while it is down, that cluster alone is left as it is.
    EachCluster,
}

fn default_poll() -> Span {
    // argocd.reconciliation_base of data/controls/control_loop_defaults.csv.
    Span::from_whole_secs(120)
}
fn default_jitter() -> Span {
    // argocd.reconciliation_jitter_max of data/controls/control_loop_defaults.csv.
    Span::from_whole_secs(60)
}
fn default_sync() -> Dist {
    // Assumed: manifests are applied and a rolling update begins.
    Dist::constant(Span::from_whole_secs(30))
}

/// Manual changes to clusters that nobody wrote down in the repository.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DriftSpec {
    /// Its name: what it loses is reported under it.
    pub name: String,
    /// The clusters that it comes to, each on its own.
    #[serde(default = "all")]
    pub clusters: Selection,
    /// Time between two such changes that hurt, in each cluster; that of `management` where neither it nor `at` is given.
    #[serde(default)]
    pub every: Option<Dist>,
    /// When the one change comes, from the start of the horizon.
    #[serde(default)]
    pub at: Option<Span>,
    /// What it does.
    #[serde(default = "default_effect")]
    pub effect: Harm,
    /// How long until somebody notices and takes it back, if no controller has done so before.
    #[serde(default = "default_noticed")]
    pub noticed: Dist,
}

fn all() -> Selection {
    Selection::All
}
fn default_noticed() -> Dist {
    // Assumed: by the next working day.
    Dist::exponential(Span::from_whole_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_instances_does_its_share_of_the_harm() {
        let Harm::Degraded(tenth) = default_effect().of_share(0.1) else { panic!("it answers") };
        assert!((tenth.errors.get() - 0.02).abs() < 1e-15);
        let slow = Harm::Degraded(Degraded { latency: 3.0, capacity: 0.5, ..tenth });
        let Harm::Degraded(half) = slow.of_share(0.5) else { panic!("it answers") };
        assert_eq!((half.latency, half.capacity), (2.0, 0.75));
        let Harm::Degraded(half) = (Harm::Crash {}).of_share(0.5) else { panic!("half of it answers") };
        assert_eq!(half.errors.get(), 0.5);
        assert_eq!((Harm::Crash {}).of_share(1.0), Harm::Crash {});
    }
}
