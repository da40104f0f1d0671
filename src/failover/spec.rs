//! What a scenario says of failover: who decides, how long promotion takes, whether and when to go back.

use crate::base::{Probability, Span};
use crate::dist::Dist;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a standby, or a store's follower, takes over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FailoverSpec {
    /// Who decides after detection.
    #[serde(default)]
    pub decide: Decide,
    /// How long a promotion takes.
    #[serde(default = "default_promote")]
    pub promote: Dist,
    /// The chance that a promotion works; failing costs another try of the same length.
    #[serde(default = "surely")]
    pub promote_success: Probability,
    /// The chance that the failover covers a failure: that it does what it is there for. Otherwise `uncovered` says
    /// how long it takes.
    #[serde(default = "surely")]
    pub coverage: Probability,
    /// How long a promotion takes after a failure that isn't covered, instead of `promote`: until somebody has
    /// rebooted or switched what should have switched by itself.
    #[serde(default)]
    pub uncovered: Option<Dist>,
    /// Whether and when the repaired primary takes back.
    #[serde(default)]
    pub failback: Failback,
    /// When the standby's services grow.
    #[serde(default)]
    pub scale: ScaleUp,
    /// The region that the tools of the failover run in: while it is down nothing is decided, promoted or given
    /// back. They run outside of all regions where it is left out.
    #[serde(default)]
    pub runs_in: Option<String>,
}

impl Default for FailoverSpec {
    fn default() -> Self {
        Self {
            decide: Decide::default(),
            promote: default_promote(),
            promote_success: Probability::ONE,
            coverage: Probability::ONE,
            uncovered: None,
            failback: Failback::default(),
            scale: ScaleUp::default(),
            runs_in: None,
        }
    }
}

fn default_promote() -> Dist {
    Dist::constant(Span::from_whole_secs(60))
}
fn surely() -> Probability {
    Probability::ONE
}

/// Who decides after detection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// Nobody: a controller does, at once.
    Automatic {},
    /// A person, after this long.
    Manual(Dist),
}

impl Default for Decide {
    fn default() -> Self {
        Self::Automatic {}
    }
}

/// Whether and when the repaired primary takes back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failback {
    /// It stays a fenced standby.
    Never {},
    /// By itself, once it has been healthy for this long.
    After(Span),
    /// A person does it, this long after it is healthy.
    Manual(Dist),
}

impl Default for Failback {
    fn default() -> Self {
        Self::After(Span::HOUR)
    }
}

/// When a standby's services grow.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScaleUp {
    /// At the decision, or when load arrives.
    #[serde(default)]
    pub when: ScaleWhen,
}

/// When a standby's services grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleWhen {
    /// To the primary's replicas as soon as it is decided.
    #[default]
    AtDecision,
    /// By the autoscaler, once traffic has arrived.
    OnLoad,
}

/// A planned change of a store's leader, by a script whose times are known. What the old leader has is handed over
/// first, so nothing is lost. A partition of which the new leader holds no copy stays where it is; one whose leader is
/// down when it begins, or the new one, isn't touched.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SwitchoverSpec {
    /// The switchover's name.
    pub name: String,
    /// The store.
    pub store: String,
    /// The cluster that leads it then.
    pub to: String,
    /// When it is commanded, from the start of the horizon.
    pub at: Span,
    /// From the command until the old leader takes no more writes.
    pub writes_stop: Span,
    /// From the command until the old leader answers no more reads; with the writes where it is left out. Those at
    /// other copies go on.
    #[serde(default)]
    pub reads_stop: Option<Span>,
    /// From the command until the new leader takes writes.
    pub writable: Span,
    /// From the command until the name that clients know the leader by resolves to the new one; once it is writable
    /// where it is left out: for clients that know it by an address of its own.
    #[serde(default)]
    pub resolves: Option<Span>,
}
